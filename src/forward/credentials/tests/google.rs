use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{HOUR, NOON, Stage, fields, form, header};
use crate::forward::config::{Auth, RemoteConfig};
use crate::forward::credentials::GoogleIamConfig;
use crate::forward::remote_write::Http;
use crate::forward::tests::loopback::{Answer, Request, Server};
use crate::model::ManualClock;

const SCOPE: &str = "https://www.googleapis.com/auth/monitoring.write";
const EMAIL: &str = "writer@project.iam.gserviceaccount.com";
const PRIVATE_KEY: &str = include_str!("../../../../tests/fixtures/google/private_key.pem");
const PUBLIC_KEY: &str = include_str!("../../../../tests/fixtures/google/public_key.pem");

fn auth(credentials_file: Option<PathBuf>) -> Auth {
    Auth::GoogleIam(GoogleIamConfig { credentials_file })
}

/// A folder with a file of credentials.
fn kept(content: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    std::fs::write(&file, content.to_string()).unwrap();
    (folder, file)
}

fn account(service: &Server) -> Value {
    json!({
        "type": "service_account",
        "project_id": "project",
        "client_email": EMAIL,
        "private_key_id": "key-1",
        "private_key": PRIVATE_KEY,
        "token_uri": service.url("/token"),
    })
}

fn public_key() -> Vec<u8> {
    let lines = PUBLIC_KEY.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// Whether `assertion` is what the account's key signs for this service at `now`, in seconds.
fn vouches(assertion: &str, audience: &str, now: i64) -> bool {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key());
    let genuine = key
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .is_ok();
    let claims = part(claims);
    let expected = json!({"iss": EMAIL, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + 3600});
    genuine && part(head) == json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}) && claims == expected
}

/// Google's token service, at noon unless the assertion says that it is later.
fn strict(request: &Request, given: &AtomicU32) -> Answer {
    let form = form(request);
    let audience = format!("http://{}/token", header(request, "host").unwrap());
    let number = given.fetch_add(1, Ordering::SeqCst);
    let now = NOON.get() / 1000 + i64::from(number) * 3300;
    let granted = match form["grant_type"].as_str() {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => vouches(&form["assertion"], &audience, now),
        "refresh_token" => {
            (
                form["client_id"].as_str(),
                form["client_secret"].as_str(),
                form["refresh_token"].as_str(),
            ) == ("id", "user-secret", "refresh")
        }
        _ => false,
    };
    match granted {
        true => {
            let answer = json!({"access_token": format!("google-{}", number + 1), "expires_in": 3599, "token_type": "Bearer"});
            Answer::status(200).saying(&answer.to_string())
        }
        false => Answer::status(400)
            .saying(r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#),
    }
}

async fn service() -> Server {
    let given = AtomicU32::new(0);
    Server::start(move |request| strict(request, &given)).await
}

#[tokio::test]
async fn the_key_of_a_service_account_signs_for_a_token_once_an_hour() {
    let service = service().await;
    let (_folder, file) = kept(&account(&service));
    let stage = Stage::new(&auth(Some(file)), &[]);

    let first = [stage.authorization().await, stage.authorization().await];
    stage.clock.advance(HOUR - Duration::from_secs(300));
    let renewed = stage.authorization().await;

    assert_eq!(first, ["Bearer google-1", "Bearer google-1"]);
    assert_eq!(renewed, "Bearer google-2");
}

#[tokio::test]
async fn a_write_carries_the_token() {
    let (service, remote) = (service().await, Server::start(|_| Answer::status(200)).await);
    let (_folder, file) = kept(&account(&service));
    let mut config = RemoteConfig::new(
        "gmp",
        remote.url("/v1/projects/p/location/global/prometheus/api/v1/write"),
    );
    config.auth = auth(Some(file));
    let http = Http::try_new(&config, Arc::new(ManualClock::at(NOON))).unwrap();

    http.send(Bytes::from_static(b"body"), 0).await.unwrap();

    assert_eq!(
        header(&remote.requests()[0], "authorization"),
        Some("Bearer google-1")
    );
}

#[tokio::test]
async fn the_file_of_the_environment_may_be_a_users_login() {
    let service = service().await;
    let login = json!({
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "user-secret",
        "refresh_token": "refresh",
        "token_uri": service.url("/token"),
    });
    let (_folder, file) = kept(&login);
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())];

    let authorization = Stage::new(&auth(None), &variables).authorization().await;

    assert_eq!(authorization, "Bearer google-1");
}

#[tokio::test]
async fn a_key_that_was_exchanged_is_noticed_at_the_next_token() {
    let service = service().await;
    let mut wrong = account(&service);
    wrong["client_email"] = json!("other@project");
    let (_folder, file) = kept(&wrong);
    let stage = Stage::new(&auth(Some(file.clone())), &[]);
    let before = stage.failure().await;

    std::fs::write(&file, account(&service).to_string()).unwrap();
    stage.clock.advance(Duration::from_secs(3300));
    let after = stage.authorization().await;

    assert!(
        before.ends_with("refused with 400: invalid_grant: Invalid JWT Signature."),
        "{before}"
    );
    assert_eq!(after, "Bearer google-2");
}

#[tokio::test]
async fn the_metadata_server_is_asked_where_there_is_no_file() {
    let server = Server::start(|request| {
        let (path, query) = request.target.split_once('?').unwrap();
        let scoped = fields(query)["scopes"] == SCOPE;
        let whole = path == "/computeMetadata/v1/instance/service-accounts/default/token" && scoped;
        match (header(request, "metadata-flavor"), whole) {
            (Some("Google"), true) => {
                Answer::status(200).saying(r#"{"access_token":"vm","expires_in":3599,"token_type":"Bearer"}"#)
            }
            _ => Answer::status(403),
        }
    })
    .await;
    let host = server.url("").replace("http://", "");
    let stage = Stage::new(
        &auth(None),
        &[("GCE_METADATA_HOST", &host), ("HOME", "no/such/home")],
    );

    let authorizations = [stage.authorization().await, stage.authorization().await];

    assert_eq!(authorizations, ["Bearer vm", "Bearer vm"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn files_that_hold_no_key_are_told_without_their_content() {
    let service = service().await;
    let mut damaged = account(&service);
    damaged["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    let mut placeless = account(&service);
    placeless["token_uri"] = json!("token");
    let kinds = "holds neither the key of a service account nor a user's login (type service_account or authorized_user)";
    for (content, expected) in [
        (
            json!({"type": "external_account", "client_secret": "c2VjcmV0"}),
            kinds,
        ),
        (damaged, "has a private_key that is no RSA key"),
        (placeless, "has a token_uri that is no URL"),
    ] {
        let (_folder, file) = kept(&content);

        let failure = Stage::new(&auth(Some(file.clone())), &[]).failure().await;

        assert_eq!(failure, format!("{} {expected}", file.display()));
    }
}
