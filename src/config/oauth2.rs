//! `oauth2` of a remote, as Prometheus has it.

use super::auth::secret;
use super::connection::{proxy, tls};
use super::error::Fault;
use super::reader::{Block, NotYet};
use super::value::any;
use super::word::web_url;
use crate::forward::{Auth, OAuth2Config, Secret};

const NO_CERTIFICATE: &str = "use client_id with client_secret or client_secret_file";
const NOT_YET: NotYet = &[
    ("client_secret_ref", "use client_secret_file"),
    ("client_certificate_key_id", NO_CERTIFICATE),
    ("client_certificate_key", NO_CERTIFICATE),
    ("client_certificate_key_file", NO_CERTIFICATE),
    ("client_certificate_key_ref", NO_CERTIFICATE),
    ("signature_algorithm", NO_CERTIFICATE),
    ("iss", NO_CERTIFICATE),
    ("claims", NO_CERTIFICATE),
    ("audience", "write it under endpoint_params"),
];

/// Reads the block.
pub(super) fn read(remote: &Block<'_>) -> Auth {
    let block = remote.block("oauth2");
    let client_id = block.secret("client_id", filled);
    if !block.has("client_id") {
        block.miss("client_id", "the token service wants to know who asks");
    }
    let token_url = block.item("token_url").and_then(|item| item.url(web_url));
    if !block.has("token_url") {
        block.miss(
            "token_url",
            "say where tokens come from, as https://login.example.com/oauth2/token",
        );
    }
    let client_secret = secret(&block, "client_secret", "client_secret_file", any);
    if !block.has("client_secret") && !block.has("client_secret_file") {
        block.miss("client_secret", "add it or client_secret_file");
    }
    block.text("grant_type", |text| match text {
        "" | "client_credentials" => Ok(()),
        _ => Err(Fault::new(
            "is not supported yet by this version",
            "write client_credentials, or take it out",
        )),
    });
    let config = OAuth2Config {
        client_id: client_id.unwrap_or_default(),
        client_secret: client_secret.unwrap_or_else(|| Secret::Inline(String::new())),
        scopes: block
            .items("scopes")
            .iter()
            .filter_map(|item| item.text(any))
            .collect(),
        token_url: token_url.map(String::from).unwrap_or_default(),
        endpoint_params: endpoint_params(&block),
        tls: tls(&block.block("tls_config")),
        proxy: proxy(&block),
    };
    block.finish(NOT_YET);
    Auth::OAuth2(Box::new(config))
}

/// Fields of the operator's own; values may be secrets.
fn endpoint_params(block: &Block<'_>) -> Vec<(String, String)> {
    let scopes = block.has("scopes");
    let mut params = Vec::new();
    for (name, at, item) in block.block("endpoint_params").pairs() {
        if matches!(name, "client_id" | "client_secret") || (name == "scope" && scopes) {
            let way_out = "write it as client_id, client_secret or scopes";
            block
                .block("endpoint_params")
                .reject_key(name, at, Fault::new("is set already", way_out));
        } else if let Some(value) = item.secret(any) {
            params.push((name.to_owned(), value));
        }
    }
    params
}

fn filled(text: &str) -> Result<String, Fault> {
    match text {
        "" => Err(Fault::new("is empty", "write it, or take the block out")),
        text => any(text),
    }
}
