use std::path::{Path, PathBuf};

use super::{good, read, said};
use crate::config::Config;
use crate::forward::{
    Auth, AzureAdConfig, AzureCloud, AzureIdentity, GoogleIamConfig, OAuth2Config, ProxyConfig, Secret,
    SigV4Config, StsEndpoint, TlsConfig,
};

const CLIENT: &str = "11111111-1111-1111-1111-111111111111";
const TENANT: &str = "22222222-2222-2222-2222-222222222222";

#[track_caller]
fn auth(block: &str) -> Auth {
    let config = good(&format!("remote_write:\n- url: https://a/\n{block}"));
    assert!(config.notices.is_empty(), "{:?}", config.notices);
    config.remotes[0].auth.clone()
}

#[track_caller]
fn check(block: &str, expected: &[&str]) {
    let errors =
        read(&format!("remote_write:\n- url: https://a/\n{block}")).expect_err("a mistake was expected");

    assert_eq!(said(&errors), expected, "{block}");
}

#[test]
fn a_block_of_amazon_pastes_in() {
    let auth = auth(
        "
  sigv4:
    region: eu-west-1
    access_key: AKIDEXAMPLE
    secret_key: wJalrXUtnFEMI
    role_arn: arn:aws:iam::123456789012:role/writer
    external_id: flink
    profile: production
    use_fips_sts_endpoint: true
    service_name: es
",
    );

    let expected = SigV4Config {
        region: Some("eu-west-1".to_owned()),
        keys: Some((
            "AKIDEXAMPLE".to_owned(),
            Secret::Inline("wJalrXUtnFEMI".to_owned()),
        )),
        profile: Some("production".to_owned()),
        role_arn: Some("arn:aws:iam::123456789012:role/writer".to_owned()),
        external_id: Some("flink".to_owned()),
        sts: StsEndpoint::Fips,
        service_name: "es".to_owned(),
    };
    assert_eq!(auth, Auth::SigV4(Box::new(expected)));
}

#[test]
fn everything_of_amazon_may_be_left_to_the_machine() {
    let auth = auth("  sigv4: {}\n");

    assert_eq!(auth, Auth::SigV4(Box::default()));
}

#[test]
fn blocks_of_azure_paste_in() {
    let azure = |block: &str| auth(&format!("  azuread:\n{block}"));
    let of = |cloud, identity| {
        let scope = None;
        Auth::AzureAd(Box::new(AzureAdConfig {
            cloud,
            identity,
            scope,
        }))
    };

    let managed = azure(&format!(
        "    cloud: 'AzurePublic'\n    managed_identity: {{client_id: {CLIENT}}}\n"
    ));
    let application = azure(&format!(
        "    cloud: AzureChina\n    oauth:\n      client_id: {CLIENT}\n      client_secret: s\n      tenant_id: a.cn\n"
    ));
    let workload = azure(&format!(
        "    workload_identity: {{client_id: {CLIENT}, tenant_id: {TENANT}}}\n"
    ));
    let sdk = azure("    cloud: AzureGovernment\n    sdk: {tenant_id: a.us}\n");

    let client_id = CLIENT.to_owned();
    let expected = AzureIdentity::Managed {
        client_id: Some(client_id.clone()),
    };
    assert_eq!(managed, of(AzureCloud::Public, expected));
    let expected = AzureIdentity::Application {
        client_id: client_id.clone(),
        client_secret: Secret::Inline("s".to_owned()),
        tenant_id: "a.cn".to_owned(),
    };
    assert_eq!(application, of(AzureCloud::China, expected));
    let expected = AzureIdentity::Workload {
        client_id,
        tenant_id: TENANT.to_owned(),
        token_file: PathBuf::from("/var/run/secrets/azure/tokens/azure-identity-token"),
    };
    assert_eq!(workload, of(AzureCloud::Public, expected));
    let expected = AzureIdentity::Environment {
        tenant_id: Some("a.us".to_owned()),
    };
    assert_eq!(sdk, of(AzureCloud::Government, expected));
}

#[test]
fn the_machines_own_identity_is_an_empty_block() {
    let auth = auth("  azuread: {managed_identity: {}, scope: 'https://mine/.default'}\n");

    let expected = AzureAdConfig {
        cloud: AzureCloud::Public,
        identity: AzureIdentity::Managed { client_id: None },
        scope: Some("https://mine/.default".to_owned()),
    };
    assert_eq!(auth, Auth::AzureAd(Box::new(expected)));
}

#[test]
fn a_block_of_google_pastes_in_with_a_key_or_without() {
    let with = auth("  google_iam: {credentials_file: key.json}\n");
    let without = auth("  google_iam: {}\n");

    let credentials_file = Some(PathBuf::from("/etc/flinkbridge/key.json"));
    assert_eq!(with, Auth::GoogleIam(GoogleIamConfig { credentials_file }));
    assert_eq!(without, Auth::GoogleIam(GoogleIamConfig::default()));
}

#[test]
fn a_block_of_oauth2_pastes_in() {
    let auth = auth(
        "
  oauth2:
    client_id: flink
    client_secret_file: secret
    scopes: [write, read]
    token_url: https://login.example.com/token
    endpoint_params: {audience: metrics, resource: 'https://a/'}
    tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
    proxy_url: http://proxy:3128
",
    );

    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = OAuth2Config {
        client_id: "flink".to_owned(),
        client_secret: Secret::File(PathBuf::from("/etc/flinkbridge/secret")),
        scopes: vec!["write".to_owned(), "read".to_owned()],
        token_url: "https://login.example.com/token".to_owned(),
        endpoint_params: vec![pair("audience", "metrics"), pair("resource", "https://a/")],
        tls: TlsConfig {
            ca: Some(Secret::File(PathBuf::from("/etc/flinkbridge/ca.pem"))),
            insecure_skip_verify: true,
            ..TlsConfig::default()
        },
        proxy: ProxyConfig {
            http: Some("http://proxy:3128".to_owned()),
            https: Some("http://proxy:3128".to_owned()),
            ..ProxyConfig::default()
        },
    };
    assert_eq!(auth, Auth::OAuth2(Box::new(expected)));
}

#[test]
fn secrets_of_the_clouds_come_from_the_environment_or_from_files_too() {
    let yaml = "remote_write:\n- url: https://a/\n  sigv4: {region: eu-west-1, access_key: '${ID}', secret_key_file: key}\n";
    let environment = |name: &str| (name == "ID").then(|| "FROMENV".to_owned());

    let config = Config::from_yaml(yaml, Path::new("/etc"), &environment).unwrap();

    let Auth::SigV4(sigv4) = &config.remotes[0].auth else {
        unreachable!()
    };
    let expected = ("FROMENV".to_owned(), Secret::File(PathBuf::from("/etc/key")));
    assert_eq!(sigv4.keys, Some(expected));
}

#[test]
fn two_ways_of_authentication_are_refused_whichever_they_are() {
    check(
        "  basic_auth: {username: a, password: b}\n  sigv4: {region: eu-west-1}\n  google_iam: {}\n",
        &[
            "4:3: remote_write[0].sigv4: the value may not stand beside basic_auth: keep one of the two",
            "5:3: remote_write[0].google_iam: the value may not stand beside basic_auth: keep one of the two",
        ],
    );
    check(
        "  azuread: {sdk: {}, managed_identity: {}}\n  oauth2: {client_id: a, client_secret: b, token_url: 'http://b/'}\n",
        &[
            "3:3: remote_write[0].azuread: the value may not stand beside oauth2: keep one of the two",
            "3:13: remote_write[0].azuread.sdk: the value may not stand beside managed_identity: keep one of the two",
        ],
    );
}

#[test]
fn what_is_missing_is_asked_for() {
    check(
        "  oauth2: {}\n",
        &[
            "3:11: remote_write[0].oauth2.client_id: is missing: the token service wants to know who asks",
            "3:11: remote_write[0].oauth2.token_url: is missing: say where tokens come from, as https://login.example.com/oauth2/token",
            "3:11: remote_write[0].oauth2.client_secret: is missing: add it or client_secret_file",
        ],
    );
    check(
        "  sigv4: {secret_key: hunter2, external_id: x}\n",
        &[
            "3:10: remote_write[0].sigv4.access_key: is missing: a secret_key needs it, or take secret_key out to use what the machine has",
            "3:32: remote_write[0].sigv4.external_id: the value is for a role, and there is none: add role_arn, or take it out",
        ],
    );
    check(
        "  azuread: {}\n",
        &[
            "3:12: remote_write[0].azuread.managed_identity: is missing: say who asks: managed_identity, workload_identity, oauth or sdk, which may be {}",
        ],
    );
}

#[test]
fn odd_values_are_told_without_showing_a_secret() {
    check(
        "  sigv4: {region: Ireland, access_key: a, secret_key: b, secret_key_file: c, role_arn: writer}\n",
        &[
            r#"3:19: remote_write[0].sigv4.region: "Ireland" is no region: write it as eu-west-1"#,
            "3:58: remote_write[0].sigv4.secret_key_file: the value may not stand beside secret_key: keep one of the two",
            r#"3:88: remote_write[0].sigv4.role_arn: "writer" is no name of a role: write it as arn:aws:iam::123456789012:role/prometheus"#,
        ],
    );
    check(
        "  azuread: {cloud: Azure, managed_identity: {client_id: me}, scope: 'a?b'}\n",
        &[
            r#"3:20: remote_write[0].azuread.cloud: "Azure" is not known here: write AzurePublic, AzureChina or AzureGovernment"#,
            r#"3:57: remote_write[0].azuread.managed_identity.client_id: "me" is no id: write it as 00000000-0000-0000-0000-000000000000"#,
            r#"3:69: remote_write[0].azuread.scope: "a?b" is no scope: write it as https://monitor.azure.com//.default"#,
        ],
    );
    check(
        "  oauth2: {client_id: a, client_secret: b, token_url: 'c?key=hunter2', endpoint_params: {client_secret: hunter2}, claims: {}, grant_type: jwt}\n",
        &[
            r#"3:55: remote_write[0].oauth2.token_url: "c?<hidden>" is no URL of http:// or https://: write it as http://10.0.0.5:9090/api/v1/write"#,
            r#"3:90: remote_write[0].oauth2.endpoint_params.client_secret: "client_secret" is set already: write it as client_id, client_secret or scopes"#,
            "3:115: remote_write[0].oauth2.claims: is not supported yet by this version: use client_id with client_secret or client_secret_file",
            r#"3:139: remote_write[0].oauth2.grant_type: "jwt" is not supported yet by this version: write client_credentials, or take it out"#,
        ],
    );
}
