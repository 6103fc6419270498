use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use super::Http;
use crate::forward::config::{Auth, RemoteConfig, Secret, TlsConfig};
use crate::forward::error::ForwardError;
use crate::forward::tests::loopback::{Answer, Authority, Server};
use crate::forward::transport::{Code, SendError, Transport};
use crate::model::ManualClock;

const BODY: Bytes = Bytes::from_static(b"body");

fn http(config: &RemoteConfig) -> Http {
    Http::try_new(config, Arc::new(ManualClock::default())).unwrap()
}

fn config(server: &Server) -> RemoteConfig {
    RemoteConfig::new("test", server.url("/api/v1/write"))
}

fn basic(password: &str) -> Auth {
    Auth::Basic {
        username: Secret::Inline("1250000000".to_owned()),
        password: Secret::Inline(password.to_owned()),
    }
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_request_is_a_post_with_the_headers_of_the_protocol() {
    let server = Server::start(|_| Answer::status(204)).await;

    let status = http(&config(&server)).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    let request = server.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/api/v1/write")
    );
    assert_eq!(request.body, BODY);
    assert_eq!(
        names(&request.headers),
        [
            "accept",
            "content-encoding",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-prometheus-remote-write-version"
        ]
    );
    assert_eq!(request.header("content-encoding"), "snappy");
    assert_eq!(request.header("content-type"), "application/x-protobuf");
    assert_eq!(request.header("x-prometheus-remote-write-version"), "0.1.0");
    assert_eq!(
        request.header("user-agent"),
        concat!("flinkbridge/", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn a_retry_says_which_attempt_it_is() {
    let server = Server::start(|_| Answer::status(204)).await;

    http(&config(&server)).send(BODY, 3).await.unwrap();

    assert_eq!(server.requests()[0].header("retry-attempt"), "3");
}

#[tokio::test]
async fn credentials_and_custom_headers_go_along() {
    let server = Server::start(|_| Answer::status(200)).await;
    let mut config = config(&server);
    config.auth = basic("token");
    config.headers = vec![("X-Scope-OrgID".to_owned(), "me".to_owned())];

    http(&config).send(BODY, 0).await.unwrap();

    let request = server.requests().remove(0);
    assert_eq!(request.header("authorization"), "Basic MTI1MDAwMDAwMDp0b2tlbg==");
    assert_eq!(request.header("x-scope-orgid"), "me");
}

#[tokio::test]
async fn a_bearer_token_and_the_user_of_a_url_are_sent() {
    let server = Server::start(|_| Answer::status(200)).await;
    let mut bearer = config(&server);
    bearer.auth = Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::Inline("abc".to_owned()),
    };
    let mut in_url = config(&server);
    in_url.url = in_url.url.replace("http://", "http://1250000000:token@");

    http(&bearer).send(BODY, 0).await.unwrap();
    http(&in_url).send(BODY, 0).await.unwrap();

    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), "Bearer abc");
    assert_eq!(
        requests[1].header("authorization"),
        "Basic MTI1MDAwMDAwMDp0b2tlbg=="
    );
    assert!(!http(&in_url).shown_url().contains("token"));
}

#[tokio::test]
async fn an_unreadable_secret_is_tried_again_without_a_request() {
    let server = Server::start(|_| Answer::status(200)).await;
    let mut config = config(&server);
    config.auth = Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::File(PathBuf::from("no/such/token")),
    };

    let error = http(&config).send(BODY, 0).await.unwrap_err();

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
    assert!(error.to_string().contains("no/such/token"), "{error}");
    assert!(server.requests().is_empty());
}

#[track_caller]
fn judged(status: u16, result: &Result<u16, SendError>, expected: &str) {
    let verdict = match result {
        Ok(_) => "accepted",
        Err(SendError::Retry { .. }) => "retry",
        Err(SendError::Split { .. }) => "split",
        Err(SendError::Reject { .. }) => "reject",
    };
    assert_eq!(verdict, expected, "{status}: {result:?}");
}

#[tokio::test]
async fn the_status_decides_whether_to_try_again() {
    let server = Server::start(|request| Answer::status(request.path_number())).await;
    for (status, expected) in [
        (200, "accepted"),
        (202, "accepted"),
        (204, "accepted"),
        (300, "reject"),
        (302, "reject"),
        (400, "split"),
        (401, "reject"),
        (403, "reject"),
        (404, "reject"),
        (409, "reject"),
        (413, "split"),
        (415, "reject"),
        (422, "reject"),
        (429, "retry"),
        (500, "retry"),
        (501, "retry"),
        (503, "retry"),
        (529, "retry"),
    ] {
        let config = RemoteConfig::new("test", server.url(&format!("/{status}")));

        let result = http(&config).send(BODY, 0).await;

        judged(status, &result, expected);
    }
}

#[tokio::test]
async fn too_many_requests_is_rejected_where_it_is_not_to_be_retried() {
    let server = Server::start(|_| Answer::status(429)).await;
    let mut config = config(&server);
    config.batch.retry_on_http_429 = false;

    let result = http(&config).send(BODY, 0).await;

    judged(429, &result, "reject");
}

#[tokio::test]
async fn the_words_of_a_refusal_are_kept_up_to_1024_bytes() {
    let server = Server::start(|_| {
        Answer::status(503)
            .saying(&"ü".repeat(5000))
            .with("retry-after", "7")
    })
    .await;

    let error = http(&config(&server)).send(BODY, 0).await.unwrap_err();

    let expected = SendError::Retry {
        code: Code::Status(503),
        after: Some(Duration::from_secs(7)),
        words: "ü".repeat(512),
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_redirect_that_keeps_the_method_is_followed_with_the_body() {
    let server = Server::start(|request| match request.target.as_str() {
        "/api/v1/write" => Answer::status(308).with("location", "/new?x=1"),
        _ => Answer::status(204),
    })
    .await;
    let mut config = config(&server);
    config.auth = basic("token");

    let status = http(&config).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    let second = server.requests().remove(1);
    assert_eq!(
        (second.method.as_str(), second.target.as_str()),
        ("POST", "/new?x=1")
    );
    assert_eq!(second.body, BODY);
    assert!(second.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_credentials() {
    let stranger = Server::start(|_| Answer::status(204)).await;
    let to = stranger.url("/write");
    let server = Server::start(move |_| Answer::status(307).with("location", &to)).await;
    let mut config = config(&server);
    config.auth = basic("token");
    config.headers = vec![("X-Api-Key".to_owned(), "secret".to_owned())];

    http(&config).send(BODY, 0).await.unwrap();

    let request = stranger.requests().remove(0);
    assert_eq!(request.body, BODY);
    assert!(!request.headers.contains_key("authorization"));
    assert!(!request.headers.contains_key("x-api-key"));
    assert_eq!(request.header("content-encoding"), "snappy");
}

#[tokio::test]
async fn a_redirect_is_a_rejection_where_none_are_followed() {
    let server = Server::start(|_| Answer::status(308).with("location", "/new")).await;
    let mut config = config(&server);
    config.follow_redirects = false;

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert!(
        matches!(error, SendError::Reject { status: 308, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().ends_with("set url to where it leads: /new)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(|_| Answer::status(307).with("location", "/again")).await;

    let error = http(&config(&server)).send(BODY, 0).await.unwrap_err();

    assert!(
        error.to_string().starts_with("stopped after 10 redirects"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 11);
}

#[tokio::test]
async fn a_remote_that_says_nothing_is_given_up_after_the_timeout() {
    let server = Server::start(|_| Answer::never()).await;
    let mut config = config(&server);
    config.remote_timeout = Duration::from_millis(50);

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert_eq!(error.code(), Code::Timeout);
    assert_eq!(error.to_string(), "no answer within 50ms");
}

#[tokio::test]
async fn nobody_listening_is_tried_again_and_the_cause_is_told() {
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = deaf.local_addr().unwrap();
    let config = RemoteConfig::new("test", format!("http://me:secret@{address}/write?token=secret"));

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert_eq!(error.code(), Code::Network);
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_proxy_is_asked_with_the_whole_url() {
    let proxy = Server::start(|_| Answer::status(204)).await;
    let mut config = RemoteConfig::new("test", "http://remote.invalid/api/v1/write");
    config.proxy.http = Some(proxy.url(""));

    http(&config).send(BODY, 0).await.unwrap();

    let request = proxy.requests().remove(0);
    assert_eq!(request.target, "http://remote.invalid/api/v1/write");
}

#[tokio::test]
async fn a_remote_is_trusted_by_the_authority_in_ca_file_only() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);

    let stranger = http(&config).send(BODY, 0).await.unwrap_err();
    config.tls.ca = Some(Secret::File(authority.ca_file()));
    let trusted = http(&config).send(BODY, 0).await;

    assert!(stranger.to_string().contains("certificate"), "{stranger}");
    assert_eq!(trusted, Ok(204));
}

#[tokio::test]
async fn any_certificate_will_do_where_verification_is_skipped() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.insecure_skip_verify = true;

    assert_eq!(http(&config).send(BODY, 0).await, Ok(204));
}

#[tokio::test]
async fn the_expected_name_is_that_of_server_name() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "prometheus.internal", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(Secret::File(authority.ca_file()));

    let unexpected = http(&config).send(BODY, 0).await.unwrap_err();
    config.tls.server_name = Some("prometheus.internal".to_owned());
    let expected = http(&config).send(BODY, 0).await;

    assert!(
        unexpected.to_string().contains("not valid for name"),
        "{unexpected}"
    );
    assert_eq!(expected, Ok(204));
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_remote_that_asks_for_one() {
    let authority = Authority::new();
    let server = Server::start_mutual_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(Secret::File(authority.ca_file()));

    let nobody = http(&config).send(BODY, 0).await;
    let (certificate, key) = authority.client_files();
    config.tls.client = Some((Secret::File(certificate), Secret::File(key)));
    let somebody = http(&config).send(BODY, 0).await;

    judged(0, &nobody, "retry");
    assert_eq!(somebody, Ok(204));
}

#[tokio::test]
async fn http2_is_spoken_only_where_it_is_enabled() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(Secret::File(authority.ca_file()));

    http(&config).send(BODY, 0).await.unwrap();
    config.enable_http2 = true;
    http(&config).send(BODY, 0).await.unwrap();

    let versions: Vec<http::Version> = server.requests().iter().map(|request| request.version).collect();
    assert_eq!(versions, [http::Version::HTTP_11, http::Version::HTTP_2]);
}

#[tokio::test]
async fn every_mistake_in_the_settings_is_told_at_once() {
    let mut config = RemoteConfig::new("test", "ftp://me:secret@host/x?token=t");
    config.headers = vec![
        ("User-Agent".to_owned(), "me".to_owned()),
        ("Bad Name".to_owned(), String::new()),
        ("X-Ok".to_owned(), "a\nb".to_owned()),
    ];
    config.tls = TlsConfig {
        ca: Some(Secret::File(PathBuf::from("no/such/ca.pem"))),
        ..TlsConfig::default()
    };

    let Err(mistakes) = Http::try_new(&config, Arc::new(ManualClock::default())) else {
        unreachable!("the settings were taken");
    };

    let fields: Vec<&str> = mistakes.iter().map(ForwardError::field).collect();
    assert_eq!(
        fields,
        ["url", "headers", "headers", "headers", "tls_config.ca_file"]
    );
    assert!(
        mistakes
            .iter()
            .all(|mistake| !mistake.to_string().contains("secret"))
    );
}
