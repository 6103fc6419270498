use std::path::Path;

use proptest::prelude::proptest;

use crate::cli::check::{describe, mistakes, remarks, warnings};
use crate::config::{Config, Overrides};
use crate::forward::RemoteConfig;

const MARK: &str = "S3CRETMARK";

const WITH_SECRETS: [&str; 11] = [
    "basic_auth: {username: u, password: S3CRETMARK}",
    "authorization: {type: Bearer, credentials: S3CRETMARK}",
    "bearer_token: S3CRETMARK",
    "headers: {X-Api-Key: S3CRETMARK}",
    "proxy_url: 'http://S3CRETMARK:S3CRETMARK@proxy:1/?S3CRETMARK'",
    "basic_auth: {username: u, password: '${MARK}'}",
    "authorization: {credentials: '${MARK}'}",
    "oauth2: {client_id: a, client_secret: S3CRETMARK, token_url: 'https://S3CRETMARK:S3CRETMARK@b/?S3CRETMARK', endpoint_params: {password: S3CRETMARK}}",
    "oauth2: {client_id: a, client_secret: '${MARK}', token_url: 'https://b/', proxy_url: 'http://S3CRETMARK:S3CRETMARK@proxy:1/'}",
    "sigv4: {region: eu-west-1, access_key: a, secret_key: S3CRETMARK}",
    "azuread: {oauth: {client_id: 00000000-0000-0000-0000-000000000000, tenant_id: a, client_secret: S3CRETMARK}}",
];

const MISTAKEN: [&str; 16] = [
    "basic_auth: {username:S3CRETMARK, password:S3CRETMARK}",
    "basic_auth: {username: 'me:S3CRETMARK', password: x}",
    "headers: {'Authorization: Bearer S3CRETMARK'}",
    "headers: ['X-A: S3CRETMARK']",
    "basic_auth: S3CRETMARK",
    "basic_auth: [S3CRETMARK]",
    "basic_auth: {username: u, password: S3CRETMARK, password: S3CRETMARK}",
    "authorization: {type: Bearer S3CRETMARK}",
    "authorization: {type: 'Basic', credentials: \"S3CRETMARK\\n\"}",
    "bearer_token: \"S3CRETMARK\\t\\n\"",
    "bearer_token: S3CRETMARK\n  basic_auth: {username: u, password: S3CRETMARK}",
    "headers: {Authorization: S3CRETMARK, X-A: \"S3CRETMARK\\n\", User-Agent: [S3CRETMARK]}",
    "oauth2: {client_secret: S3CRETMARK, token_url: 'me:S3CRETMARK@b', endpoint_params: {client_secret: S3CRETMARK, a: [S3CRETMARK]}}",
    "sigv4: {region: eu-west-1, secret_key: S3CRETMARK, secret_key_file: a}",
    "azuread: {oauth: {client_secret: [S3CRETMARK]}}",
    "proxy_url: 'socks5://S3CRETMARK:S3CRETMARK@h/'",
];

const URLS: [&str; 6] = [
    "http://S3CRETMARK:S3CRETMARK@a/?token=S3CRETMARK",
    "http://S3CRETMARK@a/",
    "http://u:S3CRET@a:S3CRETMARK@b/",
    "http://u:S3CRETMARK@a:99999/",
    "u:S3CRETMARK@a",
    "http://u:S3CRETMARK?x@a b/",
];

fn shown(yaml: &str) -> (bool, String) {
    let environment = |name: &str| (name == "MARK").then(|| MARK.to_owned());
    let file = Path::new("f");
    match Config::from_yaml(yaml, Path::new(""), &environment) {
        Ok(config) => {
            let remarks = remarks(file, &warnings(&config));
            (true, format!("{config:?} {} {remarks}", describe(&config)))
        }
        Err(errors) => (false, format!("{errors:?} {}", mistakes(file, &errors))),
    }
}

#[track_caller]
fn hidden(yaml: &str) -> bool {
    let (accepted, shown) = shown(yaml);

    assert!(!shown.contains(MARK), "{yaml}\n{shown}");
    accepted
}

#[test]
fn a_secret_that_is_well_formed_is_never_shown() {
    for line in WITH_SECRETS {
        assert!(
            hidden(&format!("remote_write:\n- url: http://8.8.8.8/\n  {line}\n")),
            "{line}"
        );
    }
}

#[test]
fn a_secret_in_a_mistake_is_never_shown() {
    for line in MISTAKEN {
        assert!(
            !hidden(&format!("remote_write:\n- url: http://a/\n  {line}\n")),
            "{line}"
        );
    }
}

#[test]
fn the_user_of_a_url_is_never_shown() {
    for url in URLS {
        hidden(&format!("remote_write:\n- url: '{url}'\n"));
        let flags = Overrides {
            remote_write_urls: vec![url.to_owned()],
            ..Overrides::default()
        };
        let shown = format!("{:?}", Config::default().with(&flags));
        assert!(!shown.contains(MARK), "{url}\n{shown}");
    }
}

proptest! {
    #[test]
    fn whatever_stands_before_the_last_at_is_hidden(
        scheme in "(https?://)?",
        user in "[a-z:/?#%.@ ]{0,12}",
        rest in "[a-z:/.]{0,12}",
    ) {
        let shown = RemoteConfig::redact(&format!("{scheme}{user}{MARK}@{rest}"));

        assert!(!shown.contains(MARK), "{shown}");
    }
}
