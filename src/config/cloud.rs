//! Identities that a cloud gives: `sigv4`, `azuread` and `google_iam` of a remote, as Prometheus has them.

use std::path::PathBuf;

use super::auth::secret;
use super::error::Fault;
use super::reader::{Block, NotYet};
use super::value::{any, one_of, switch};
use crate::forward::{
    Auth, AzureAdConfig, AzureCloud, AzureIdentity, GoogleIamConfig, Secret, SigV4Config, StsEndpoint,
};

/// Where Azure's webhook puts a service account's token.
const WORKLOAD_TOKEN: &str = "/var/run/secrets/azure/tokens/azure-identity-token";
const CLOUDS: &[(&str, AzureCloud)] = &[
    ("AzurePublic", AzureCloud::Public),
    ("AzureChina", AzureCloud::China),
    ("AzureGovernment", AzureCloud::Government),
];
/// A key of `azuread`, and how to read what stands there.
type Identity = (&'static str, fn(&Block<'_>) -> AzureIdentity);

const AZURE_IDENTITIES: [Identity; 4] = [
    ("managed_identity", managed),
    ("workload_identity", workload),
    ("oauth", application),
    ("sdk", sdk),
];
const APPLICATION_NOT_YET: NotYet = &[
    ("certificate_path", "use client_secret"),
    ("certificate_password", "use client_secret"),
];

/// Reads `sigv4`.
pub(super) fn sigv4(remote: &Block<'_>) -> Auth {
    let block = remote.block("sigv4");
    let defaults = SigV4Config::default();
    let id = block.secret("access_key", filled);
    let key = secret(&block, "secret_key", "secret_key_file", filled);
    let has_secret = block.has("secret_key") || block.has("secret_key_file");
    if block.has("access_key") && !has_secret {
        block.miss(
            "secret_key",
            "an access_key needs it, or take access_key out to use what the machine has",
        );
    }
    if has_secret && !block.has("access_key") {
        block.miss(
            "access_key",
            "a secret_key needs it, or take secret_key out to use what the machine has",
        );
    }
    let config = SigV4Config {
        region: block.text("region", region),
        keys: id.zip(key),
        profile: block.text("profile", filled),
        role_arn: block.text("role_arn", role_arn),
        external_id: block.secret("external_id", filled),
        sts: match block.text("use_fips_sts_endpoint", switch) {
            Some(true) => StsEndpoint::Fips,
            _ => StsEndpoint::Regional,
        },
        service_name: block
            .text("service_name", filled)
            .unwrap_or(defaults.service_name),
    };
    if config.external_id.is_some() && config.role_arn.is_none() {
        block.refuse(
            "external_id",
            "is for a role, and there is none",
            "add role_arn, or take it out",
        );
    }
    block.finish(&[]);
    Auth::SigV4(Box::new(config))
}

/// Reads `azuread`.
pub(super) fn azuread(remote: &Block<'_>) -> Auth {
    let block = remote.block("azuread");
    let mut found: Option<(&'static str, AzureIdentity)> = None;
    for (key, read) in AZURE_IDENTITIES {
        if !block.has(key) {
            continue;
        }
        let identity = read(&block.block(key));
        match &found {
            Some((first, _)) => block.refuse(
                key,
                &format!("may not stand beside {first}"),
                "keep one of the two",
            ),
            None => found = Some((key, identity)),
        }
    }
    if found.is_none() {
        block.miss(
            "managed_identity",
            "say who asks: managed_identity, workload_identity, oauth or sdk, which may be {}",
        );
    }
    let config = AzureAdConfig {
        cloud: block.text("cloud", one_of(CLOUDS)).unwrap_or_default(),
        identity: found.map_or(AzureIdentity::Managed { client_id: None }, |(_, identity)| {
            identity
        }),
        scope: block.text("scope", scope),
    };
    block.finish(&[]);
    Auth::AzureAd(Box::new(config))
}

/// Reads `google_iam`.
pub(super) fn google_iam(remote: &Block<'_>) -> Auth {
    let block = remote.block("google_iam");
    let config = GoogleIamConfig {
        credentials_file: block.file("credentials_file"),
    };
    block.finish(&[]);
    Auth::GoogleIam(config)
}

fn managed(block: &Block<'_>) -> AzureIdentity {
    let identity = AzureIdentity::Managed {
        client_id: block.text("client_id", uuid),
    };
    block.finish(&[]);
    identity
}

fn workload(block: &Block<'_>) -> AzureIdentity {
    let identity = AzureIdentity::Workload {
        client_id: must(block, "client_id", uuid),
        tenant_id: must(block, "tenant_id", uuid),
        token_file: block
            .file("token_file_path")
            .unwrap_or_else(|| PathBuf::from(WORKLOAD_TOKEN)),
    };
    block.finish(&[]);
    identity
}

fn application(block: &Block<'_>) -> AzureIdentity {
    let client_secret = secret(block, "client_secret", "client_secret_file", filled);
    if !block.has("client_secret") && !block.has("client_secret_file") {
        block.miss("client_secret", "add it or client_secret_file");
    }
    let identity = AzureIdentity::Application {
        client_id: must(block, "client_id", uuid),
        client_secret: client_secret.unwrap_or_else(|| Secret::Inline(String::new())),
        tenant_id: must(block, "tenant_id", tenant),
    };
    block.finish(APPLICATION_NOT_YET);
    identity
}

fn sdk(block: &Block<'_>) -> AzureIdentity {
    let identity = AzureIdentity::Environment {
        tenant_id: block.text("tenant_id", tenant),
    };
    block.finish(&[]);
    identity
}

fn must(block: &Block<'_>, key: &'static str, parse: fn(&str) -> Result<String, Fault>) -> String {
    if !block.has(key) {
        block.miss(key, "it stands on the application's page in the Azure portal");
    }
    block.text(key, parse).unwrap_or_default()
}

fn filled(text: &str) -> Result<String, Fault> {
    match text {
        "" => Err(Fault::new("is empty", "write it, or take the key out")),
        text => any(text),
    }
}

fn region(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match text {
        text if !text.is_empty() && text.bytes().all(plain) => any(text),
        _ => Err(Fault::new("is no region", "write it as eu-west-1")),
    }
}

fn role_arn(text: &str) -> Result<String, Fault> {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "iam", _, account, role] if !account.is_empty() && role.starts_with("role/") => any(text),
        _ => Err(Fault::new(
            "is no name of a role",
            "write it as arn:aws:iam::123456789012:role/prometheus",
        )),
    }
}

fn uuid(text: &str) -> Result<String, Fault> {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match parts.as_slice() {
        [8, 4, 4, 4, 12] if hex => any(text),
        _ => Err(Fault::new(
            "is no id",
            "write it as 00000000-0000-0000-0000-000000000000",
        )),
    }
}

fn tenant(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    match text {
        text if !text.is_empty() && text.bytes().all(plain) => any(text),
        _ => Err(Fault::new(
            "is no tenant",
            "write its id or its domain, as example.onmicrosoft.com",
        )),
    }
}

fn scope(text: &str) -> Result<String, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "_:/.-".contains(c);
    match text {
        text if !text.is_empty() && text.chars().all(plain) => any(text),
        _ => Err(Fault::new(
            "is no scope",
            "write it as https://monitor.azure.com//.default",
        )),
    }
}
