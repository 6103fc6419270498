use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::{HOUR, Stage, form, header};
use crate::forward::config::{Auth, ProxyConfig, RemoteConfig, Secret, TlsConfig};
use crate::forward::credentials::OAuth2Config;
use crate::forward::remote_write::Http;
use crate::forward::tests::loopback::{Answer, Authority, Request, Server};
use crate::forward::transport::{Code, SendError};
use crate::model::ManualClock;

/// `id:se%3Acret`: both escaped, as RFC 6749 has it in section 2.3.1.
const BASIC: &str = "Basic aWQ6c2UlM0FjcmV0";

fn config(token_url: String) -> OAuth2Config {
    OAuth2Config {
        client_id: "id".to_owned(),
        client_secret: Secret::Inline("se:cret".to_owned()),
        scopes: vec!["write".to_owned(), "read".to_owned()],
        token_url,
        endpoint_params: vec![("audience".to_owned(), "metrics".to_owned())],
        tls: TlsConfig::default(),
        proxy: ProxyConfig::default(),
    }
}

fn stage(config: OAuth2Config) -> Stage {
    Stage::new(&Auth::OAuth2(Box::new(config)), &[])
}

/// Gives out `token-1`, `token-2`, ... to whom it knows by the header.
fn strict(request: &Request, given: &AtomicU32) -> Answer {
    let form = form(request);
    let field = |name: &str| form.get(name).map(String::as_str);
    let known = header(request, "authorization") == Some(BASIC);
    let whole = field("grant_type") == Some("client_credentials")
        && field("scope") == Some("write read")
        && field("audience") == Some("metrics")
        && form.len() == 3;
    if !known || !whole {
        return Answer::status(401).saying(r#"{"error":"invalid_client","error_description":"who are you"}"#);
    }
    let number = given.fetch_add(1, Ordering::SeqCst) + 1;
    let answer = format!(r#"{{"access_token":"token-{number}","token_type":"bearer","expires_in":3600}}"#);
    Answer::status(200).saying(&answer)
}

async fn service() -> Server {
    let given = AtomicU32::new(0);
    Server::start(move |request| strict(request, &given)).await
}

#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_before_its_end() {
    let service = service().await;
    let stage = stage(config(service.url("/token")));

    let first = [stage.authorization().await, stage.authorization().await];
    stage.clock.advance(HOUR - Duration::from_secs(299));
    let later = stage.authorization().await;

    assert_eq!(first, ["Bearer token-1", "Bearer token-1"]);
    assert_eq!(later, "Bearer token-2");
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_service_that_wants_the_secret_in_the_form_gets_it_there_from_then_on() {
    let service = Server::start(|request| {
        let form = form(request);
        let pair = (form.get("client_id"), form.get("client_secret"));
        match pair {
            (Some(id), Some(secret)) if id == "id" && secret == "se:cret" => {
                Answer::status(200).saying(r#"{"access_token":"t","expires_in":"3600"}"#)
            }
            _ => Answer::status(400).saying(r#"{"error":"invalid_request"}"#),
        }
    })
    .await;
    let stage = stage(config(service.url("/token")));

    let first = stage.authorization().await;
    stage.clock.advance(HOUR);
    stage.authorization().await;

    assert_eq!(first, "Bearer t");
    let placed = service.requests();
    let placed: Vec<bool> = placed
        .iter()
        .map(|request| request.headers.contains_key("authorization"))
        .collect();
    assert_eq!(placed, [true, false, false]);
}

#[tokio::test]
async fn the_operators_own_grant_stands_instead_of_ours() {
    let service = Server::start(|request| match form(request).get("grant_type") {
        Some(grant) if grant == "password" => Answer::status(200).saying(r#"{"access_token":"t"}"#),
        _ => Answer::status(400),
    })
    .await;
    let mut config = config(service.url("/token"));
    config.endpoint_params = vec![("grant_type".to_owned(), "password".to_owned())];

    let authorization = stage(config).authorization().await;

    assert_eq!(authorization, "Bearer t");
}

#[tokio::test]
async fn a_token_type_of_its_own_is_kept_and_a_token_without_an_end_never_renewed() {
    let answer = r#"{"access_token":"t","token_type":"DPoP"}"#;
    let service = Server::start(move |_| Answer::status(200).saying(answer)).await;
    let stage = stage(config(service.url("/token")));

    let first = stage.authorization().await;
    stage.clock.advance(HOUR * 24 * 365);
    stage.authorization().await;

    assert_eq!(first, "DPoP t");
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn the_secret_is_read_again_for_each_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "old\n").unwrap();
    let service = service().await;
    let mut config = config(service.url("/token"));
    config.client_secret = Secret::File(file.clone());
    let stage = stage(config);
    let before = stage.failure().await;

    std::fs::write(&file, "se:cret\n").unwrap();
    stage.clock.advance(Duration::from_secs(1));
    let after = stage.authorization().await;

    assert!(
        before.ends_with("refused with 401: invalid_client: who are you"),
        "{before}"
    );
    assert_eq!(after, "Bearer token-1");
}

#[track_caller]
fn told(failure: &str, expected: &str) {
    let (_, told) = failure.split_once(" http://").unwrap_or(("", failure));
    assert!(told.ends_with(expected), "{failure}");
}

#[tokio::test]
async fn what_is_no_token_is_told_in_a_sentence() {
    for (status, answer, expected) in [
        (200, "<html>", "gave an answer that is of no use: it is not JSON"),
        (
            200,
            "{}",
            "gave an answer that is of no use: there is no access_token in it",
        ),
        (
            503,
            "<b>out\n of order</b>",
            "refused with 503: <b>out of order</b>",
        ),
        (302, "", "refused with 302: no reason given"),
    ] {
        let service = Server::start(move |_| Answer::status(status).saying(answer)).await;

        let failure = stage(config(service.url("/token"))).failure().await;

        told(&failure, expected);
    }
}

#[tokio::test]
async fn a_service_that_repeats_the_secret_does_not_get_it_into_our_messages() {
    let service = Server::start(|request| {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        Answer::status(400).saying(&format!("se:cret is wrong: {body}"))
    })
    .await;

    let failure = stage(config(service.url("/token?key=hidden"))).failure().await;

    let secret = ["se:cret", "se%3Acret", "hidden"]
        .iter()
        .find(|secret| failure.contains(**secret));
    assert_eq!(secret, None, "{failure}");
    assert!(failure.contains("<secret> is wrong"), "{failure}");
}

#[tokio::test]
async fn an_absent_service_is_told_with_its_address() {
    let failure = stage(config("http://127.0.0.1:1/token".to_owned()))
        .failure()
        .await;

    let beginning = "no answer from the OAuth2 token service at http://127.0.0.1:1/token: ";
    assert!(failure.starts_with(beginning), "{failure}");
}

#[tokio::test]
async fn the_token_service_has_tls_settings_of_its_own() {
    let authority = Authority::new();
    let given = AtomicU32::new(0);
    let service = Server::start_tls(&authority, "localhost", move |request| strict(request, &given)).await;
    let mut trusting = config(service.url("/token"));
    trusting.tls.ca = Some(Secret::File(authority.ca_file()));

    let with_settings = stage(trusting).authorization().await;
    let without = stage(config(service.url("/token"))).failure().await;

    assert_eq!(with_settings, "Bearer token-1");
    assert!(without.contains("certificate"), "{without}");
}

/// A remote that takes what `takes` takes.
async fn remote(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(
        move |request| match takes(header(request, "authorization").unwrap_or_default()) {
            true => Answer::status(204),
            false => Answer::status(401).saying("who are you"),
        },
    )
    .await
}

fn sender(remote: &Server, service: &Server) -> Http {
    let mut settings = RemoteConfig::new("test", remote.url("/api/v1/write"));
    settings.auth = Auth::OAuth2(Box::new(config(service.url("/token"))));
    Http::try_new(&settings, Arc::new(ManualClock::at(super::NOON))).unwrap()
}

const BODY: Bytes = Bytes::from_static(b"body");

#[tokio::test]
async fn many_requests_carry_one_token() {
    let (remote, service) = (remote(|sent| sent == "Bearer token-1").await, service().await);
    let sender = sender(&remote, &service);

    let answers = tokio::join!(sender.send(BODY, 0), sender.send(BODY, 0), sender.send(BODY, 0));

    assert_eq!(answers, (Ok(204), Ok(204), Ok(204)));
    assert_eq!((remote.requests().len(), service.requests().len()), (3, 1));
}

#[tokio::test]
async fn a_revoked_token_is_fetched_anew_and_the_request_sent_again() {
    let (remote, service) = (remote(|sent| sent == "Bearer token-2").await, service().await);
    let sender = sender(&remote, &service);

    let answers = [sender.send(BODY, 0).await, sender.send(BODY, 0).await];

    assert_eq!(answers, [Ok(204), Ok(204)]);
    assert_eq!((remote.requests().len(), service.requests().len()), (3, 2));
}

#[tokio::test]
async fn a_remote_that_takes_no_token_is_not_asked_for_ever() {
    let (remote, service) = (remote(|_| false).await, service().await);
    let sender = sender(&remote, &service);

    let answers = [sender.send(BODY, 0).await, sender.send(BODY, 0).await];

    let refused = Err(SendError::Reject {
        status: 401,
        words: "who are you".to_owned(),
    });
    assert_eq!(answers, [refused.clone(), refused]);
    assert_eq!((remote.requests().len(), service.requests().len()), (3, 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_all_of_it_is_tried_again() {
    let service = Server::start(|_| Answer::status(500)).await;
    let remote = remote(|_| true).await;

    let error = sender(&remote, &service).send(BODY, 0).await.unwrap_err();

    assert!(
        matches!(
            &error,
            SendError::Retry {
                code: Code::Local,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(remote.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_token_along() {
    let elsewhere = Server::start(|_| Answer::status(204)).await;
    let there = elsewhere.url("/write");
    let remote = Server::start(move |_| Answer::status(307).with("location", &there)).await;
    let service = service().await;

    sender(&remote, &service).send(BODY, 0).await.unwrap();

    assert_eq!(
        header(&remote.requests()[0], "authorization"),
        Some("Bearer token-1")
    );
    assert_eq!(header(&elsewhere.requests()[0], "authorization"), None);
}

#[test]
fn neither_the_settings_nor_what_uses_them_shows_a_secret() {
    let mut config = config("https://me:pass@login/token?key=k".to_owned());
    config.endpoint_params = vec![("password".to_owned(), "pass".to_owned())];
    config.proxy.http = Some("http://me:pass@proxy:1".to_owned());

    let shown = format!("{config:?} {:?}", stage(config.clone()).credentials);

    assert!(
        !shown.contains("pass@") && !shown.contains("\"pass\"") && !shown.contains("key=k"),
        "{shown}"
    );
    assert!(!shown.contains("se:cret"), "{shown}");
}
