//! What an operator can set of credentials that have to be fetched or computed, in Prometheus' own words.

use std::fmt;
use std::path::PathBuf;

use crate::forward::config::{ProxyConfig, RemoteConfig, Secret, TlsConfig};

/// `oauth2`: a token for our own client id and secret (RFC 6749, section 4.4).
///
/// `Debug` shows neither the values of `endpoint_params` nor user and query of a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuth2Config {
    /// Who we are to the token service.
    pub client_id: String,
    /// What proves it; read again before each token.
    pub client_secret: Secret,
    /// What the token shall be good for; may be empty.
    pub scopes: Vec<String>,
    /// Where tokens come from.
    pub token_url: String,
    /// Further fields of the request for a token. `grant_type` may be among them and then stands instead of
    /// `client_credentials`.
    pub endpoint_params: Vec<(String, String)>,
    /// TLS with the token service; not that with the remote.
    pub tls: TlsConfig,
    /// An HTTP proxy on the way to the token service.
    pub proxy: ProxyConfig,
}

impl fmt::Debug for OAuth2Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .endpoint_params
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("OAuth2Config")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("scopes", &self.scopes)
            .field("token_url", &RemoteConfig::redact(&self.token_url))
            .field("endpoint_params", &names)
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .finish()
    }
}

/// `sigv4`: requests signed with the keys of an AWS account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigV4Config {
    /// The region of the remote. `None`: from the environment or the profile.
    pub region: Option<String>,
    /// Access key id and secret key. `None`: wherever the AWS SDKs would find some.
    pub keys: Option<(String, Secret)>,
    /// The profile to take keys from.
    pub profile: Option<String>,
    /// A role to assume with those keys.
    pub role_arn: Option<String>,
    /// What the role's owner wants to hear from who assumes it.
    pub external_id: Option<String>,
    /// Which endpoint of the token service (STS) is asked.
    pub sts: StsEndpoint,
    /// The service that signatures are for. Default `aps`, Amazon's managed Prometheus.
    pub service_name: String,
}

impl Default for SigV4Config {
    fn default() -> Self {
        Self {
            region: None,
            keys: None,
            profile: None,
            role_arn: None,
            external_id: None,
            sts: StsEndpoint::Regional,
            service_name: "aps".to_owned(),
        }
    }
}

/// `use_fips_sts_endpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsEndpoint {
    /// The region's own.
    Regional,
    /// The region's own with validated cryptography.
    Fips,
}

/// `azuread`: a token of Microsoft Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureAdConfig {
    /// Which of Microsoft's clouds. Default the public one.
    pub cloud: AzureCloud,
    /// As whom.
    pub identity: AzureIdentity,
    /// What the token shall be good for. `None`: Azure Monitor of the cloud.
    pub scope: Option<String>,
}

/// One of Microsoft's clouds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AzureCloud {
    /// `AzurePublic`.
    #[default]
    Public,
    /// `AzureChina`.
    China,
    /// `AzureGovernment`.
    Government,
}

/// Who asks Microsoft Entra for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureIdentity {
    /// `managed_identity`: what the machine is.
    Managed {
        /// Which of several identities; `None` is the one that the system assigned.
        client_id: Option<String>,
    },
    /// `oauth`: an application and its secret.
    Application {
        /// The application.
        client_id: String,
        /// Its secret; read again before each token.
        client_secret: Secret,
        /// The directory it is registered in.
        tenant_id: String,
    },
    /// `workload_identity`: a Kubernetes service account that an application trusts.
    Workload {
        /// The application.
        client_id: String,
        /// The directory it is registered in.
        tenant_id: String,
        /// The service account's token; read again before each token of ours.
        token_file: PathBuf,
    },
    /// `sdk`: whatever the environment offers, in the order of Microsoft's SDKs.
    Environment {
        /// The directory, where the environment does not say.
        tenant_id: Option<String>,
    },
}

/// `google_iam`: a token of Google, good for writing to Cloud Monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoogleIamConfig {
    /// A key file. `None`: Google's default credentials, the metadata server at last.
    pub credentials_file: Option<PathBuf>,
}
