use std::path::Path;
use std::time::Duration;

use http::HeaderMap;

use super::verifier::Account;
use super::{HOUR, NOON, Stage, form, header, surroundings};
use crate::forward::config::{Auth, Secret};
use crate::forward::credentials::{Credentials, SigV4Config};
use crate::forward::tests::loopback::{Answer, Request, Server};
use crate::model::ManualClock;

const ROLE: &str = "arn:aws:iam::123456789012:role/writer";

/// What endpoints of containers and machines give out for an hour.
const JSON: &str = r#"{"Code":"Success","AccessKeyId":"JSONID","SecretAccessKey":"s","Token":"json-session",
    "Expiration":"2026-03-01T13:00:00Z"}"#;

fn auth(config: SigV4Config) -> Auth {
    Auth::SigV4(Box::new(config))
}

fn anything() -> SigV4Config {
    SigV4Config {
        region: Some("eu-west-1".to_owned()),
        ..SigV4Config::default()
    }
}

/// Whose keys were used: id and session.
fn whose(headers: &HeaderMap) -> (String, Option<String>) {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = text("authorization").unwrap();
    let (_, rest) = authorization.split_once("Credential=").unwrap();
    (
        rest.split('/').next().unwrap().to_owned(),
        text("x-amz-security-token"),
    )
}

#[track_caller]
fn used(headers: &HeaderMap, id: &str, session: Option<&str>) {
    assert_eq!(whose(headers), (id.to_owned(), session.map(str::to_owned)));
}

/// The token service: gives out keys of a role to who proves to be `account`, or has a token that it trusts.
fn sts(request: &Request, account: &Account) -> Answer {
    let form = form(request);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let refused = |words: &str| {
        let xml = format!(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{words}</Message></Error></ErrorResponse>"
        );
        Answer::status(403).saying(&xml)
    };
    let proof = match field("Action") {
        "AssumeRole" => account.verify(request),
        "AssumeRoleWithWebIdentity" if header(request, "authorization").is_some() => Err("signed".to_owned()),
        "AssumeRoleWithWebIdentity" if field("WebIdentityToken") == "pod-token" => Ok(()),
        _ => Err("no such action".to_owned()),
    };
    if let Err(words) = proof {
        return refused(&words);
    }
    if field("Version") != "2011-06-15" || field("RoleArn") != ROLE || field("RoleSessionName").is_empty() {
        return refused("not this role");
    }
    let id = format!(
        "ROLE{}{}",
        field("ExternalId"),
        field("RoleSessionName").len().min(5)
    );
    Answer::status(200).saying(&format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>role&amp;session</SessionToken>\
         <Expiration>2026-03-01T13:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ))
}

async fn sts_for(id: &'static str, session: Option<&'static str>) -> Server {
    let account = Account {
        id,
        secret: "s",
        session,
        region: "eu-west-1",
        service: "sts",
    };
    Server::start(move |request| sts(request, &account)).await
}

/// The second version of the machine's service.
async fn machine() -> Server {
    Server::start(|request| {
        let session = header(request, "x-aws-ec2-metadata-token");
        let seconds = header(request, "x-aws-ec2-metadata-token-ttl-seconds");
        match (request.method.as_str(), request.target.as_str(), session) {
            ("PUT", "/latest/api/token", None) if seconds.is_some() => {
                Answer::status(200).saying("imds-session")
            }
            ("GET", "/latest/meta-data/iam/security-credentials/", Some("imds-session")) => {
                Answer::status(200).saying("my-role\n")
            }
            ("GET", "/latest/meta-data/iam/security-credentials/my-role", Some("imds-session")) => {
                Answer::status(200).saying(JSON)
            }
            _ => Answer::status(401),
        }
    })
    .await
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_of_the_environment_are_used_with_their_session() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ENVID"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "env-session"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/never/asked"),
    ];

    let headers = Stage::new(&auth(anything()), &variables).headers().await.unwrap();

    used(&headers, "ENVID", Some("env-session"));
}

#[tokio::test]
async fn keys_of_the_configuration_come_before_all_others() {
    let config = SigV4Config {
        keys: Some(("OURID".to_owned(), Secret::Inline("s".to_owned()))),
        ..anything()
    };
    let variables = [("AWS_ACCESS_KEY_ID", "ENVID"), ("AWS_SECRET_ACCESS_KEY", "s")];

    let headers = Stage::new(&auth(config), &variables).headers().await.unwrap();

    used(&headers, "OURID", None);
}

#[tokio::test]
async fn a_role_is_assumed_with_the_keys_that_were_found() {
    let sts = sts_for("ENVID", Some("env-session")).await;
    let config = SigV4Config {
        role_arn: Some(ROLE.to_owned()),
        external_id: Some("EXT".to_owned()),
        ..anything()
    };
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ENVID"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "env-session"),
        ("AWS_ENDPOINT_URL_STS", &sts.url("")),
    ];

    let stage = Stage::new(&auth(config), &variables);
    let headers = [stage.headers().await.unwrap(), stage.headers().await.unwrap()];

    used(&headers[0], "ROLEEXT5", Some("role&session"));
    used(&headers[1], "ROLEEXT5", Some("role&session"));
    assert_eq!(sts.requests().len(), 1);
}

#[tokio::test]
async fn a_role_that_is_refused_is_told_in_the_words_of_aws() {
    let sts = sts_for("SOMEBODY", None).await;
    let config = SigV4Config {
        role_arn: Some(ROLE.to_owned()),
        ..anything()
    };
    let variables = [
        ("AWS_ACCESS_KEY_ID", "ENVID"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_ENDPOINT_URL", &sts.url("/")),
    ];

    let failure = Stage::new(&auth(config), &variables).failure().await;

    let expected =
        "refused with 403: AccessDenied: InvalidClientTokenId: ENVID/20260301/eu-west-1/sts/aws4_request";
    assert!(
        failure.starts_with("AWS' token service (STS) at ") && failure.ends_with(expected),
        "{failure}"
    );
}

#[tokio::test]
async fn a_web_identity_of_the_environment_is_read_again_for_each_renewal() {
    let sts = sts_for("NOBODY", None).await;
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", "pod-token\n");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", ROLE),
        ("AWS_ROLE_SESSION_NAME", "pod"),
        ("AWS_ENDPOINT_URL_STS", &sts.url("")),
    ];
    let stage = Stage::new(&auth(anything()), &variables);
    let before = stage.headers().await.unwrap();

    write(folder.path(), "token", "revoked");
    stage.clock.advance(HOUR);
    let after = stage.failure().await;

    used(&before, "ROLE3", Some("role&session"));
    assert!(after.ends_with("AccessDenied: no such action"), "{after}");
}

#[tokio::test]
async fn a_profile_gives_keys_and_region_and_is_read_again_after_five_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let keys = |id: &str| format!("[tmp]\naws_access_key_id = {id}\naws_secret_access_key = s\n");
    let credentials = write(folder.path(), "credentials", &keys("FILEID"));
    let config = write(folder.path(), "config", "[profile tmp]\nregion = eu-central-1\n");
    let variables = [
        ("AWS_PROFILE", "tmp"),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str()),
        ("AWS_CONFIG_FILE", config.as_str()),
    ];
    let stage = Stage::new(&auth(SigV4Config::default()), &variables);
    let before = stage.headers().await.unwrap();

    write(folder.path(), "credentials", &keys("NEWID"));
    let at_once = stage.headers().await.unwrap();
    stage.clock.advance(Duration::from_secs(300));
    let later = stage.headers().await.unwrap();

    used(&before, "FILEID", None);
    used(&at_once, "FILEID", None);
    used(&later, "NEWID", None);
    assert!(
        before["authorization"]
            .to_str()
            .unwrap()
            .contains("/eu-central-1/aps/")
    );
}

#[tokio::test]
async fn a_profile_with_a_role_is_assumed_with_its_source() {
    let sts = sts_for("BASEID", None).await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let text = format!(
        "[default]\naws_access_key_id=BASEID\naws_secret_access_key=s\n\
         [profile role]\nrole_arn={ROLE}\nsource_profile=default\nexternal_id=X\nrole_session_name=me\n"
    );
    write(home.path(), ".aws/config", &text);
    let config = SigV4Config {
        profile: Some("role".to_owned()),
        ..anything()
    };
    let variables = [
        ("HOME", home.path().to_str().unwrap()),
        ("AWS_ENDPOINT_URL_STS", &sts.url("")),
    ];

    let headers = Stage::new(&auth(config), &variables).headers().await.unwrap();

    used(&headers, "ROLEX2", Some("role&session"));
}

#[tokio::test]
async fn profiles_that_cannot_be_used_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[profile circle]\nrole_arn=r\nsource_profile=back\n[profile back]\nrole_arn=r\nsource_profile=circle\n\
                [profile sso]\nsso_start_url=https://a\n[profile bare]\nrole_arn=r\n";
    let file = write(folder.path(), "config", text);
    for (profile, expected) in [
        (
            "circle",
            "the AWS profile \"circle\" leads in a circle by source_profile",
        ),
        (
            "sso",
            "the AWS profile \"sso\" has sso_start_url, which is not supported; give it keys or a role",
        ),
        (
            "bare",
            "the AWS profile \"bare\" has a role_arn but no source_profile",
        ),
        ("none", &format!("there is no AWS profile \"none\" in {file}")),
    ] {
        let config = SigV4Config {
            profile: Some(profile.to_owned()),
            ..anything()
        };

        let failure = Stage::new(&auth(config), &[("AWS_CONFIG_FILE", &file)])
            .failure()
            .await;

        assert_eq!(failure, expected);
    }
}

#[tokio::test]
async fn a_container_is_asked_with_its_token() {
    let container = Server::start(|request| match header(request, "authorization") {
        Some("container-token") if request.target == "/v2/keys" => Answer::status(200).saying(JSON),
        _ => Answer::status(403),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", "container-token\n");
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url("/v2/keys")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));

    let headers = Stage::new(&auth(anything()), &variables).headers().await.unwrap();

    used(&headers, "JSONID", Some("json-session"));
}

#[tokio::test]
async fn the_containers_token_goes_to_no_strange_host() {
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/keys"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"),
    ];

    let failure = Stage::new(&auth(anything()), &variables).failure().await;

    assert!(
        failure.starts_with("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https://"),
        "{failure}"
    );
}

#[tokio::test]
async fn the_machine_is_asked_by_the_second_version_of_its_service() {
    let machine = machine().await;
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url(""))];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stage = Stage::new(&auth(anything()), &variables);

    let first = stage.headers().await.unwrap();
    stage.headers().await.unwrap();

    used(&first, "JSONID", Some("json-session"));
    assert_eq!(machine.requests().len(), 3);
}

#[tokio::test]
async fn where_there_are_no_keys_at_all_it_is_said() {
    let variables = [("AWS_EC2_METADATA_DISABLED", "true")];

    let failure = Stage::new(&auth(anything()), &variables).failure().await;

    assert!(failure.starts_with("there are no AWS keys: "), "{failure}");
}

#[tokio::test]
async fn refused_keys_are_fetched_anew() {
    let machine = machine().await;
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url(""))];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let stage = Stage::new(&auth(anything()), &variables);
    let mut headers = HeaderMap::new();
    let request = super::Outgoing {
        url: &mut "http://remote/".parse().unwrap(),
        headers: &mut headers,
        body: b"",
    };
    let used = stage.credentials.authorize(request).await.unwrap();

    let worth_it = stage.credentials.outdated(used, http::StatusCode::FORBIDDEN);
    stage.headers().await.unwrap();

    assert!(worth_it);
    assert_eq!(machine.requests().len(), 6);
}

#[test]
fn a_region_that_nobody_knows_is_a_mistake() {
    let mistake = |variables| {
        let surroundings = surroundings(&ManualClock::at(NOON), variables);
        Credentials::try_new(&auth(SigV4Config::default()), surroundings).map_err(|error| error.to_string())
    };

    let without = mistake(&[]).unwrap_err();

    assert_eq!(
        without,
        "no region is known; set sigv4.region to the region of the remote, as eu-west-1"
    );
    assert!(mistake(&[("AWS_REGION", "eu-west-1")]).is_ok());
    assert!(mistake(&[("AWS_DEFAULT_REGION", "eu-west-1")]).is_ok());
}
