//! What the credentials of a remote mean, in a few words; never a secret.

use std::path::Path;

use super::is_plain_and_public;
use crate::forward::{
    Auth, AzureAdConfig, AzureCloud, AzureIdentity, GoogleIamConfig, OAuth2Config, RemoteConfig, Secret,
    SigV4Config,
};

/// How a remote is told who we are.
pub(super) fn describe(auth: &Auth) -> String {
    match auth {
        Auth::None => "without authentication".to_owned(),
        Auth::Basic { username, password } => {
            let user = match username {
                Secret::Inline(name) => format!("{name:?}"),
                Secret::File(path) => format!("named in {}", path.display()),
            };
            format!("as user {user} with a password {}", source(password))
        }
        Auth::Header { scheme, credentials } => format!("with {scheme} credentials {}", source(credentials)),
        Auth::OAuth2(config) => oauth2(config),
        Auth::SigV4(config) => sigv4(config),
        Auth::AzureAd(config) => azure(config),
        Auth::GoogleIam(config) => google(config),
    }
}

/// The files that a remote's credentials come from, each with the key that names it.
pub(super) fn files(auth: &Auth) -> Vec<(&'static str, &Path)> {
    let secrets = match auth {
        Auth::None => Vec::new(),
        Auth::Basic { username, password } => vec![
            ("basic_auth.username_file", username),
            ("basic_auth.password_file", password),
        ],
        Auth::Header { credentials, .. } => vec![("authorization.credentials_file", credentials)],
        Auth::OAuth2(config) => vec![("oauth2.client_secret_file", &config.client_secret)],
        Auth::SigV4(config) => {
            let keys = config.keys.iter();
            keys.map(|(_, secret)| ("sigv4.secret_key_file", secret))
                .collect()
        }
        Auth::GoogleIam(config) => {
            let file = config.credentials_file.iter();
            return file
                .map(|file| ("google_iam.credentials_file", file.as_path()))
                .collect();
        }
        Auth::AzureAd(config) => match &config.identity {
            AzureIdentity::Application { client_secret, .. } => {
                vec![("azuread.oauth.client_secret_file", client_secret)]
            }
            AzureIdentity::Workload { token_file, .. } => {
                return vec![("azuread.workload_identity.token_file_path", token_file)];
            }
            AzureIdentity::Managed { .. } | AzureIdentity::Environment { .. } => Vec::new(),
        },
    };
    let files = secrets.into_iter().filter_map(|(key, secret)| match secret {
        Secret::File(path) => Some((key, path.as_path())),
        Secret::Inline(_) => None,
    });
    files.collect()
}

/// What is allowed on the way to a token service but looks like an oversight, with its key.
pub(super) fn warnings(auth: &Auth) -> Vec<(&'static str, &'static str)> {
    let Auth::OAuth2(config) = auth else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if is_plain_and_public(&config.token_url) {
        found.push((
            "oauth2.token_url",
            "the client's secret travels unencrypted to a public address: use https://",
        ));
    }
    if config.tls.insecure_skip_verify {
        found.push((
            "oauth2.tls_config.insecure_skip_verify",
            "any server may pose as the token service: set ca_file instead",
        ));
    }
    found
}

fn source(secret: &Secret) -> String {
    match secret {
        Secret::Inline(_) => "from the configuration".to_owned(),
        Secret::File(path) => format!("from {}", path.display()),
    }
}

fn oauth2(config: &OAuth2Config) -> String {
    format!(
        "with OAuth2 tokens of {} for the client {:?}, its secret {}",
        RemoteConfig::redact(&config.token_url),
        config.client_id,
        source(&config.client_secret)
    )
}

fn sigv4(config: &SigV4Config) -> String {
    let keys = match (&config.keys, &config.profile) {
        (Some((_, secret)), _) => format!("a secret key {}", source(secret)),
        (None, Some(profile)) => format!("the keys of profile {profile:?}"),
        (None, None) => "whatever keys the machine has".to_owned(),
    };
    let role = config
        .role_arn
        .as_ref()
        .map(|role| format!(" in the role {role}"));
    let region = config.region.as_deref().unwrap_or("the machine's region");
    format!(
        "signed for {} in {region} with {keys}{}",
        config.service_name,
        role.unwrap_or_default()
    )
}

fn azure(config: &AzureAdConfig) -> String {
    let cloud = match config.cloud {
        AzureCloud::Public => "Azure",
        AzureCloud::China => "Azure China",
        AzureCloud::Government => "Azure Government",
    };
    let identity = match &config.identity {
        AzureIdentity::Managed { client_id: None } => "the machine's managed identity".to_owned(),
        AzureIdentity::Managed {
            client_id: Some(client),
        } => format!("the managed identity {client}"),
        AzureIdentity::Application {
            client_id,
            client_secret,
            ..
        } => format!(
            "the application {client_id}, its secret {}",
            source(client_secret)
        ),
        AzureIdentity::Workload { client_id, .. } => format!("the workload identity {client_id}"),
        AzureIdentity::Environment { .. } => "whatever identity the environment offers".to_owned(),
    };
    format!("with tokens of {cloud} for {identity}")
}

fn google(config: &GoogleIamConfig) -> String {
    match &config.credentials_file {
        Some(file) => format!("with Google's tokens for the key in {}", file.display()),
        None => "with Google's tokens for the machine's default credentials".to_owned(),
    }
}
