use super::{describe, read, unreadable_files, warned};

const ID: &str = "00000000-0000-0000-0000-000000000000";

#[track_caller]
fn described(block: &str, expected: &str) {
    let said = describe(&read(&format!("remote_write: [{{url: 'https://h/', {block}}}]")));

    let said = said.lines().find(|line| line.starts_with("forwards to")).unwrap();
    let (_, said) = said.split_once("https://h/, ").unwrap();
    assert_eq!(said.split(';').next(), Some(expected), "{block}");
}

#[test]
fn credentials_that_are_fetched_are_described() {
    described(
        "oauth2: {client_id: a, client_secret_file: s, token_url: 'https://u:p@b/t?x=y'}",
        "with OAuth2 tokens of https://<hidden>@b/t for the client \"a\", its secret from /nowhere/s",
    );
    described(
        "google_iam: {}",
        "with Google's tokens for the machine's default credentials",
    );
    described(
        "google_iam: {credentials_file: k}",
        "with Google's tokens for the key in /nowhere/k",
    );
}

#[test]
fn signatures_are_described() {
    described(
        "sigv4: {}",
        "signed for aps in the machine's region with whatever keys the machine has",
    );
    described(
        "sigv4: {region: eu-west-1, profile: p, role_arn: 'arn:aws:iam::1:role/r'}",
        "signed for aps in eu-west-1 with the keys of profile \"p\" in the role arn:aws:iam::1:role/r",
    );
    described(
        "sigv4: {region: eu-west-1, access_key: a, secret_key: b}",
        "signed for aps in eu-west-1 with a secret key from the configuration",
    );
}

#[test]
fn identities_of_azure_are_described() {
    for (identity, expected) in [
        (
            "managed_identity: {}".to_owned(),
            "the machine's managed identity".to_owned(),
        ),
        (
            format!("managed_identity: {{client_id: {ID}}}"),
            format!("the managed identity {ID}"),
        ),
        (
            "sdk: {}".to_owned(),
            "whatever identity the environment offers".to_owned(),
        ),
        (
            format!("oauth: {{client_id: {ID}, tenant_id: a, client_secret: s}}"),
            format!("the application {ID}, its secret from the configuration"),
        ),
        (
            format!("workload_identity: {{client_id: {ID}, tenant_id: {ID}}}"),
            format!("the workload identity {ID}"),
        ),
    ] {
        let block = format!("azuread: {{cloud: AzureChina, {identity}}}");
        described(&block, &format!("with tokens of Azure China for {expected}"));
    }
}

#[test]
fn the_way_to_a_token_service_is_looked_at_too() {
    warned(
        "remote_write: [{url: 'https://h/w', oauth2: {client_id: a, client_secret: b, token_url: 'http://8.8.8.8/', tls_config: {insecure_skip_verify: true}}}]",
        &[
            "remote_write[0].oauth2.token_url: the client's secret travels unencrypted to a public address: use https://",
            "remote_write[0].oauth2.tls_config.insecure_skip_verify: any server may pose as the token service: set ca_file instead",
        ],
    );
}

#[test]
fn every_file_with_credentials_that_is_not_there_is_told() {
    let blocks = [
        "oauth2: {client_id: a, client_secret_file: s, token_url: 'https://b/'}".to_owned(),
        "sigv4: {region: a, access_key: a, secret_key_file: s}".to_owned(),
        "google_iam: {credentials_file: s}".to_owned(),
        format!("azuread: {{oauth: {{client_id: {ID}, tenant_id: a, client_secret_file: s}}}}"),
        format!("azuread: {{workload_identity: {{client_id: {ID}, tenant_id: {ID}, token_file_path: s}}}}"),
    ];
    let remotes = blocks
        .map(|block| format!("- {{url: 'https://h/', {block}}}\n"))
        .concat();

    let notices = unreadable_files(&read(&format!("remote_write:\n{remotes}")));

    let paths: Vec<&str> = notices.iter().map(|notice| notice.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "remote_write[0].oauth2.client_secret_file",
            "remote_write[1].sigv4.secret_key_file",
            "remote_write[2].google_iam.credentials_file",
            "remote_write[3].azuread.oauth.client_secret_file",
            "remote_write[4].azuread.workload_identity.token_file_path",
        ]
    );
}
