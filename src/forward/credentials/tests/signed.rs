use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::NOON;
use super::verifier::Account;
use crate::forward::config::{Auth, RemoteConfig, Secret};
use crate::forward::credentials::SigV4Config;
use crate::forward::remote_write::Http;
use crate::forward::tests::loopback::{Answer, Request, Server};
use crate::forward::transport::SendError;
use crate::model::ManualClock;

const ACCOUNT: Account = Account {
    id: "AKIDEXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG",
    session: None,
    region: "eu-west-1",
    service: "aps",
};
const BODY: Bytes = Bytes::from_static(b"compressed");

/// Takes only what is signed as [`ACCOUNT`].
fn strict(request: &Request) -> Answer {
    match ACCOUNT.verify(request) {
        Ok(()) => Answer::status(200),
        Err(words) => Answer::status(403).saying(&words),
    }
}

fn config(url: String) -> RemoteConfig {
    let mut config = RemoteConfig::new("amp", url);
    config.headers = vec![("X-Scope-OrgID".to_owned(), "me and you".to_owned())];
    config.auth = Auth::SigV4(Box::new(SigV4Config {
        region: Some("eu-west-1".to_owned()),
        keys: Some((ACCOUNT.id.to_owned(), Secret::Inline(ACCOUNT.secret.to_owned()))),
        ..SigV4Config::default()
    }));
    config
}

fn http(config: &RemoteConfig) -> Http {
    Http::try_new(config, Arc::new(ManualClock::at(NOON))).unwrap()
}

fn refused(words: &str) -> Result<u16, SendError> {
    Err(SendError::Reject {
        status: 403,
        words: words.to_owned(),
    })
}

#[tokio::test]
async fn what_is_sent_passes_a_strict_verifier_also_when_it_is_sent_again() {
    let server = Server::start(strict).await;
    let http = http(&config(server.url("/workspaces/ws-1/api/v1/remote_write")));

    let answers = [http.send(BODY, 0).await, http.send(BODY, 7).await];

    assert_eq!(answers, [Ok(200), Ok(200)]);
}

#[tokio::test]
async fn odd_paths_and_queries_are_signed_as_they_are_sent() {
    let server = Server::start(strict).await;
    for path in [
        "",
        "/",
        "/a b/%40/w:s@1/é",
        "//a/.././b//?z=1&b=%2F+x&b=a&empty",
        "/a/",
    ] {
        let answer = http(&config(server.url(path))).send(BODY, 0).await;

        assert_eq!(answer, Ok(200), "{path}");
    }
}

#[tokio::test]
async fn every_header_that_nobody_changes_on_the_way_is_signed() {
    let server = Server::start(strict).await;

    http(&config(server.url("/"))).send(BODY, 3).await.unwrap();

    let request = server.requests().remove(0);
    let (_, rest) = request
        .header("authorization")
        .split_once("SignedHeaders=")
        .unwrap();
    let (names, _) = rest.split_once(',').unwrap();
    assert_eq!(
        names,
        "content-encoding;content-type;host;retry-attempt;x-amz-date;x-prometheus-remote-write-version;x-scope-orgid"
    );
}

#[tokio::test]
async fn a_changed_body_header_or_path_does_not_pass_the_verifier() {
    let server = Server::start(strict).await;
    http(&config(server.url("/write"))).send(BODY, 0).await.unwrap();
    let sent = server.requests().remove(0);
    let mut other_body = sent.clone();
    other_body.body = Bytes::from_static(b"Compressed");
    let mut other_path = sent.clone();
    other_path.target = "/writes".to_owned();
    let mut other_header = sent.clone();
    other_header
        .headers
        .insert("x-scope-orgid", "them".parse().unwrap());

    let answers = [&sent, &other_body, &other_path, &other_header].map(|request| ACCOUNT.verify(request));

    let wrong = Err("SignatureDoesNotMatch".to_owned());
    assert_eq!(answers, [Ok(()), wrong.clone(), wrong.clone(), wrong]);
}

#[tokio::test]
async fn a_wrong_secret_region_or_service_is_refused() {
    let server = Server::start(strict).await;
    let wrong = |change: &dyn Fn(&mut SigV4Config)| {
        let mut config = config(server.url("/"));
        let Auth::SigV4(sigv4) = &mut config.auth else {
            unreachable!()
        };
        change(sigv4);
        http(&config)
    };
    let secret = wrong(&|config| config.keys = Some((ACCOUNT.id.to_owned(), Secret::Inline("b".to_owned()))));
    let region = wrong(&|config| config.region = Some("us-east-1".to_owned()));
    let service = wrong(&|config| "es".clone_into(&mut config.service_name));

    let secret = secret.send(BODY, 0).await;
    let others = [region.send(BODY, 0).await, service.send(BODY, 0).await];

    assert_eq!(secret, refused("SignatureDoesNotMatch"));
    let place = |place: &str| {
        refused(&format!(
            "InvalidClientTokenId: AKIDEXAMPLE/20260301/{place}/aws4_request"
        ))
    };
    assert_eq!(others, [place("us-east-1/aps"), place("eu-west-1/es")]);
}

#[tokio::test]
async fn the_time_of_the_clock_is_signed_so_that_a_wrong_one_is_refused() {
    let server = Server::start(strict).await;
    let clock = ManualClock::at(NOON);
    let http = Http::try_new(&config(server.url("/")), Arc::new(clock.clone())).unwrap();

    clock.advance(Duration::from_secs(300));
    let nearly = http.send(BODY, 0).await;
    clock.advance(Duration::from_secs(1));
    let wrong = http.send(BODY, 0).await;

    assert_eq!(nearly, Ok(200));
    assert_eq!(
        wrong,
        refused("SignatureDoesNotMatch: signature not current by 301s")
    );
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_signed_anew_and_one_to_another_not_at_all() {
    let elsewhere = Server::start(|_| Answer::status(204)).await;
    let there = elsewhere.url("/write");
    let server = Server::start(move |request| match request.target.as_str() {
        "/first" => Answer::status(307).with("location", "/second"),
        "/away" => Answer::status(308).with("location", &there),
        _ => strict(request),
    })
    .await;

    let here = http(&config(server.url("/first"))).send(BODY, 0).await;
    let away = http(&config(server.url("/away"))).send(BODY, 0).await;

    assert_eq!((here, away), (Ok(200), Ok(204)));
    let headers = &elsewhere.requests()[0].headers;
    assert!(!headers.contains_key("authorization") && !headers.contains_key("x-amz-date"));
}
