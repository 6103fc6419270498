//! `azuread`: tokens of Microsoft Entra, for an application, a machine or a Kubernetes service account.

use std::path::PathBuf;

use http::HeaderValue;
use reqwest::Url;

use super::config::{AzureAdConfig, AzureCloud, AzureIdentity};
use super::environment::Surroundings;
use super::error::AuthError;
use super::secret::{reveal, text_of};
use super::service::{Question, Service};
use super::token::Fetched;
use crate::forward::config::Secret;
use crate::forward::error::ForwardError;

/// The machine's own service (IMDS).
const MACHINE: &str = "http://169.254.169.254";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Asks for tokens.
#[derive(Debug)]
pub(super) struct Azure {
    config: AzureAdConfig,
    entra: Service,
    machine: Service,
    surroundings: Surroundings,
}

/// What an application shows.
enum Proof<'a> {
    Secret(&'a Secret),
    Token(PathBuf),
}

impl Azure {
    /// # Errors
    /// When no client can be set up.
    pub(super) fn try_new(config: &AzureAdConfig, surroundings: &Surroundings) -> Result<Self, ForwardError> {
        let entra = Service::of_a_cloud("Microsoft Entra", surroundings)?;
        Ok(Self {
            config: config.clone(),
            machine: entra.named("Azure's identity endpoint"),
            entra,
            surroundings: surroundings.clone(),
        })
    }

    /// A new token.
    ///
    /// # Errors
    /// When there is none; the next attempt may bring one.
    pub(super) async fn fetch(&self) -> Result<Fetched<HeaderValue>, AuthError> {
        match &self.config.identity {
            AzureIdentity::Managed { client_id } => self.of_machine(client_id.as_deref()).await,
            AzureIdentity::Application {
                client_id,
                client_secret,
                tenant_id,
            } => {
                self.of_application(tenant_id, client_id, Proof::Secret(client_secret))
                    .await
            }
            AzureIdentity::Workload {
                client_id,
                tenant_id,
                token_file,
            } => {
                self.of_application(tenant_id, client_id, Proof::Token(token_file.clone()))
                    .await
            }
            AzureIdentity::Environment { tenant_id } => self.of_environment(tenant_id.as_deref()).await,
        }
    }

    /// The environment's application, its workload, or the machine.
    async fn of_environment(&self, tenant: Option<&str>) -> Result<Fetched<HeaderValue>, AuthError> {
        let variable = |name: &str| self.surroundings.variable(name);
        let client = variable("AZURE_CLIENT_ID");
        let tenant = tenant.map(str::to_owned).or_else(|| variable("AZURE_TENANT_ID"));
        if let (Some(client), Some(tenant)) = (&client, &tenant) {
            if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
                let secret = Secret::Inline(secret);
                return self.of_application(tenant, client, Proof::Secret(&secret)).await;
            }
            if let Some(file) = variable("AZURE_FEDERATED_TOKEN_FILE") {
                return self
                    .of_application(tenant, client, Proof::Token(file.into()))
                    .await;
            }
        }
        self.of_machine(client.as_deref()).await
    }

    async fn of_application(
        &self,
        tenant: &str,
        client: &str,
        proof: Proof<'_>,
    ) -> Result<Fetched<HeaderValue>, AuthError> {
        let url = self.authority(tenant)?;
        let mut form = vec![
            ("client_id", client.to_owned()),
            ("scope", self.scope().to_owned()),
            ("grant_type", "client_credentials".to_owned()),
        ];
        match proof {
            Proof::Secret(secret) => form.push(("client_secret", reveal(secret).await?)),
            Proof::Token(file) => {
                form.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                form.push(("client_assertion", text_of(&file).await?.trim().to_owned()));
            }
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.entra.ask_json(Question::post(url.clone(), &form)).await?;
        self.entra.access_token(&url, &answer, self.surroundings.now())
    }

    /// The machine's service, or what App Service and Functions have in its place.
    async fn of_machine(&self, client: Option<&str>) -> Result<Fetched<HeaderValue>, AuthError> {
        let variable = |name: &str| self.surroundings.variable(name);
        let app = variable("IDENTITY_ENDPOINT").zip(variable("IDENTITY_HEADER"));
        let (base, version, header, value) = match app {
            Some((endpoint, header)) => (endpoint, "2019-08-01", "x-identity-header", header),
            None => {
                let host =
                    variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or_else(|| MACHINE.to_owned());
                let endpoint = format!("{}/metadata/identity/oauth2/token", host.trim_end_matches('/'));
                (endpoint, "2018-02-01", "metadata", "true".to_owned())
            }
        };
        let mut url = Url::parse(&base).map_err(|_| {
            let sentence = "IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST is no URL";
            AuthError::Nowhere(sentence.to_owned())
        })?;
        let scope = self.scope();
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", scope.strip_suffix("/.default").unwrap_or(scope))
            .extend_pairs(client.map(|client| ("client_id", client)));
        let question = Question::get(url.clone()).with(header, &value)?;
        let answer = self.machine.ask_json(question).await?;
        self.machine.access_token(&url, &answer, self.surroundings.now())
    }

    fn authority(&self, tenant: &str) -> Result<Url, AuthError> {
        let usual = match self.config.cloud {
            AzureCloud::Public => "https://login.microsoftonline.com",
            AzureCloud::China => "https://login.chinacloudapi.cn",
            AzureCloud::Government => "https://login.microsoftonline.us",
        };
        let host = self.surroundings.variable("AZURE_AUTHORITY_HOST");
        let host = host.unwrap_or_else(|| usual.to_owned());
        Url::parse(&format!(
            "{}/{tenant}/oauth2/v2.0/token",
            host.trim_end_matches('/')
        ))
        .map_err(|_| AuthError::Nowhere("AZURE_AUTHORITY_HOST is no URL".to_owned()))
    }

    fn scope(&self) -> &str {
        // the double slash is Microsoft's: the resource's own name ends in one
        match (&self.config.scope, self.config.cloud) {
            (Some(scope), _) => scope,
            (None, AzureCloud::Public) => "https://monitor.azure.com//.default",
            (None, AzureCloud::China) => "https://monitor.azure.cn//.default",
            (None, AzureCloud::Government) => "https://monitor.azure.us//.default",
        }
    }
}
