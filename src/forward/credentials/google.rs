//! `google_iam`: tokens of Google, for the key of a service account, a user's login, or the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;

use super::config::GoogleIamConfig;
use super::environment::Surroundings;
use super::error::AuthError;
use super::secret::text_of;
use super::service::{Question, Service};
use super::token::Fetched;
use crate::forward::error::ForwardError;

/// What a token is good for: writing metrics, and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/monitoring.write";
const TOKENS: &str = "https://oauth2.googleapis.com/token";
const MACHINE: &str = "metadata.google.internal";
/// Longest life of what is signed by a service account's key, as Google has it.
const ASSERTION_LIFE: Duration = Duration::from_secs(3600);

/// Asks for tokens.
#[derive(Debug)]
pub(super) struct Google {
    config: GoogleIamConfig,
    tokens: Service,
    machine: Service,
    surroundings: Surroundings,
}

/// A file with credentials. What is not secret of it may be shown.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount(Account),
    AuthorizedUser(User),
}

#[derive(Deserialize)]
struct Account {
    client_email: String,
    private_key_id: Option<String>,
    private_key: String,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct User {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    token_uri: Option<String>,
}

impl Google {
    /// # Errors
    /// When no client can be set up.
    pub(super) fn try_new(
        config: &GoogleIamConfig,
        surroundings: &Surroundings,
    ) -> Result<Self, ForwardError> {
        let tokens = Service::of_a_cloud("Google's token service", surroundings)?;
        Ok(Self {
            config: config.clone(),
            machine: tokens.named("Google's metadata server"),
            tokens,
            surroundings: surroundings.clone(),
        })
    }

    /// A new token.
    ///
    /// # Errors
    /// When there is none; the next attempt may bring one.
    pub(super) async fn fetch(&self) -> Result<Fetched<HeaderValue>, AuthError> {
        let Some(path) = self.file() else {
            return self.of_machine().await;
        };
        let text = text_of(&path).await?;
        match serde_json::from_str(&text) {
            Ok(File::ServiceAccount(account)) => self.of_account(&path, &account).await,
            Ok(File::AuthorizedUser(user)) => self.of_user(&path, &user).await,
            // the error of the parser may repeat what it read
            Err(_) => Err(bad(
                &path,
                "holds neither the key of a service account nor a user's login (type service_account or authorized_user)",
            )),
        }
    }

    /// The configured file, the environment's, or that of the gcloud command.
    fn file(&self) -> Option<PathBuf> {
        let variables = &self.surroundings;
        let named = self.config.credentials_file.clone();
        let named = named.or_else(|| Some(variables.variable("GOOGLE_APPLICATION_CREDENTIALS")?.into()));
        named.or_else(|| {
            let folder = variables.file("CLOUDSDK_CONFIG", ".config/gcloud")?;
            Some(folder.join("application_default_credentials.json")).filter(|file| file.exists())
        })
    }

    async fn of_account(&self, path: &Path, account: &Account) -> Result<Fetched<HeaderValue>, AuthError> {
        let url = token_url(path, account.token_uri.as_deref())?;
        let assertion = self.assertion(path, account)?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", &assertion),
        ];
        self.token(url, &form).await
    }

    async fn of_user(&self, path: &Path, user: &User) -> Result<Fetched<HeaderValue>, AuthError> {
        let url = token_url(path, user.token_uri.as_deref())?;
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &user.client_id),
            ("client_secret", &user.client_secret),
            ("refresh_token", &user.refresh_token),
        ];
        self.token(url, &form).await
    }

    async fn token(&self, url: Url, form: &[(&str, &str)]) -> Result<Fetched<HeaderValue>, AuthError> {
        let answer = self.tokens.ask_json(Question::post(url.clone(), form)).await?;
        self.tokens.access_token(&url, &answer, self.surroundings.now())
    }

    async fn of_machine(&self) -> Result<Fetched<HeaderValue>, AuthError> {
        let host = self.surroundings.variable("GCE_METADATA_HOST");
        let host = host.unwrap_or_else(|| MACHINE.to_owned());
        let path = "computeMetadata/v1/instance/service-accounts/default/token";
        let mut url = Url::parse(&format!("http://{host}/{path}"))
            .map_err(|_| AuthError::Nowhere("GCE_METADATA_HOST is no host".to_owned()))?;
        url.query_pairs_mut().append_pair("scopes", SCOPE);
        let question = Question::get(url.clone()).with("metadata-flavor", "Google")?;
        let answer = self.machine.ask_json(question).await?;
        self.machine.access_token(&url, &answer, self.surroundings.now())
    }

    /// What the account's key signs: who wants what, from whom, until when (RFC 7523).
    fn assertion(&self, path: &Path, account: &Account) -> Result<String, AuthError> {
        let now = self.surroundings.now();
        let seconds = |at: crate::model::UnixMillis| at.get().div_euclid(1000);
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": account.private_key_id});
        let claims = json!({
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri.as_deref().unwrap_or(TOKENS),
            "iat": seconds(now),
            "exp": seconds(now.after(ASSERTION_LIFE)),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let key = private_key(&account.private_key)
            .ok_or_else(|| bad(path, "has a private_key that is no RSA key"))?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| bad(path, "has a private_key that cannot sign"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn private_key(pem: &str) -> Option<RsaKeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        _ => None,
    }
}

fn token_url(path: &Path, typed: Option<&str>) -> Result<Url, AuthError> {
    let url = Url::parse(typed.unwrap_or(TOKENS)).ok();
    url.ok_or_else(|| bad(path, "has a token_uri that is no URL"))
}

fn bad(path: &Path, problem: &str) -> AuthError {
    AuthError::BadFile {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}
