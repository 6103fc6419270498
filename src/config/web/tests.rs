use std::path::{Path, PathBuf};

use rustls::CipherSuite;

use super::WebFile;
use crate::api::{Clients, Pem, TlsConfig, Versions, WebConfig};

const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

#[track_caller]
fn good(yaml: &str) -> WebFile {
    WebFile::from_yaml(yaml, Path::new("/etc/flinkbridge")).unwrap()
}

#[track_caller]
fn mistaken(yaml: &str, expected: &[&str]) {
    let errors = WebFile::from_yaml(yaml, Path::new("/etc/flinkbridge")).expect_err("a mistake was expected");

    let said: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {error}", error.position.unwrap()))
        .collect();
    assert_eq!(said, expected, "{yaml}");
}

fn file(name: &str) -> Pem {
    Pem::File(PathBuf::from("/etc/flinkbridge").join(name))
}

#[test]
fn an_empty_file_protects_nothing() {
    assert_eq!(good("").config, WebConfig::default());
    assert_eq!(good("tls_server_config: {min_version: TLS13}\n").config.tls, None);
}

#[test]
fn the_example_file_has_a_certificate_and_users() {
    let example = include_str!("../../../deploy/web.yml");

    let as_it_is = good(example).config;
    let switched_on = good(
        &example
            .replace("\n#basic", "\nbasic")
            .replace("\n#  flink", "\n  flink"),
    )
    .config;

    assert!(as_it_is.tls.is_some() && as_it_is.users.is_empty());
    assert!(switched_on.users.iter().any(|user| user.name == "flink"));
}

#[test]
fn every_key_of_tls_arrives() {
    let read = good(
        "tls_server_config:
  cert_file: server.crt
  key_file: /keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [tm.example, 10.0.0.5]
  min_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
",
    );

    let expected = TlsConfig {
        certificate: file("server.crt"),
        key: file("/keys/server.key"),
        clients: Clients::Verified {
            authority: file("ca.crt"),
            names: Some(vec!["tm.example".to_owned(), "10.0.0.5".to_owned()]),
        },
        versions: Versions::Only13,
        cipher_suites: vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
    };
    assert_eq!(read.config.tls, Some(expected));
    assert_eq!(read.position_of("tls_server_config.key_file").unwrap().line, 3);
}

#[test]
fn certificates_may_stand_in_the_file_and_are_not_shown() {
    let read = good("tls_server_config: {cert: PEM1, key: hunter2, client_auth_type: RequireClientCert}\n");

    let tls = read.config.tls.as_ref().unwrap();
    assert_eq!(tls.key, Pem::Inline("hunter2".to_owned()));
    assert_eq!(tls.clients, Clients::Any { names: None });
    assert!(!format!("{read:?}").contains("hunter2"));
    assert_eq!(read.position_of("tls_server_config.key_file").unwrap().column, 38);
}

#[test]
fn headers_and_users_arrive_and_hashes_are_not_shown() {
    let read = good(&format!(
        "http_server_config: {{http2: false, headers: {{X-Frame-Options: deny}}}}\nbasic_auth_users: {{ops: '{HASH}'}}\n"
    ));

    assert!(!read.config.http2);
    assert_eq!(read.config.headers.len(), 1);
    assert_eq!(read.config.users[0].name, "ops");
    assert!(!format!("{read:?}").contains("$2y$"));
}

#[test]
fn what_has_no_effect_here_is_noticed() {
    let read = good(
        "tls_server_config:
  cert_file: a
  key_file: b
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_AES_128_GCM_SHA256]
  curve_preferences: [X25519]
  prefer_server_cipher_suites: true
",
    );

    let said: Vec<String> = read.notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "tls_server_config.cipher_suites[0]: is not spoken here, so it is left out",
            "tls_server_config.curve_preferences: is without effect: the TLS library chooses the curve",
            "tls_server_config.prefer_server_cipher_suites: is without effect: the server always chooses",
        ]
    );
}

#[test]
fn every_mistake_is_named_with_its_place_and_way_out() {
    mistaken(
        "tls_server_config:
  cert_file: a
  client_auth_type: Sometimes
  min_version: TLS10
http_server_config: {headers: {X-Mine: a, X-Frame-Options: maybe}}
basic_auth_users: {ops: hunter2, 'a:b': x}
rate_limit: {burst: 1}
tls: {}
",
        &[
            "2:3: tls_server_config.key_file: is missing: TLS needs both cert_file and key_file",
            r#"3:21: tls_server_config.client_auth_type: "Sometimes" is not known here: write NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"#,
            r#"4:16: tls_server_config.min_version: "TLS10" is not spoken here: write TLS12 or TLS13: older TLS is broken"#,
            "5:32: http_server_config.headers.X-Mine: \"X-Mine\" is no header that can be set here: set Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection, Content-Security-Policy, as Prometheus allows",
            r#"5:60: http_server_config.headers.X-Frame-Options: "maybe" is not known here: write deny or sameorigin"#,
            "6:25: basic_auth_users.ops: the value is no bcrypt hash: write what `htpasswd -nBC 10 <user>` prints behind the colon",
            r#"6:34: basic_auth_users.a...: "a..." has a colon in it: a user of basic_auth cannot; check the name"#,
            "6:41: basic_auth_users.a...: the value is no bcrypt hash: write what `htpasswd -nBC 10 <user>` prints behind the colon",
            "7:1: rate_limit: is not supported yet by this version: take it out: connections are limited by http.max_connections",
            "8:1: tls: unknown key: known here are basic_auth_users, http_server_config, tls_server_config",
        ],
    );
}

#[test]
fn a_wrong_pairing_of_authority_and_policy_is_refused() {
    mistaken(
        "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n",
        &[
            "1:20: tls_server_config.client_auth_type: is missing: add client_auth_type: RequireAndVerifyClientCert, or take client_ca_file out",
        ],
    );
    mistaken(
        "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}\n",
        &[
            "1:20: tls_server_config.client_ca_file: is missing: name the authority whose certificates are let in (Go would take any public one)",
        ],
    );
    mistaken(
        "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert, client_allowed_sans: [a]}\n",
        &[
            "1:85: tls_server_config.client_allowed_sans: the value does not go with this client_auth_type: set it to RequireAndVerifyClientCert or RequireAnyClientCert, or take the names out",
        ],
    );
}
