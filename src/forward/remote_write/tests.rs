mod headers;
mod proxy;
mod redirects;
mod tls;
mod versions;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Http;
use crate::forward::config::{Auth, RemoteConfig, Secret, TlsConfig};
use crate::forward::error::ForwardError;
use crate::forward::letter::Letter;
use crate::forward::tests::loopback::{Answer, Server};
use crate::forward::transport::{Code, SendError, Transport};
use crate::model::ManualClock;

impl Http {
    /// Sends a body of version 1.0; the status of success.
    pub(in crate::forward) async fn send(&self, body: Bytes, attempt: u32) -> Result<u16, SendError> {
        let sent = Transport::send(self, &Letter::plain(body), attempt).await;
        sent.map(|accepted| accepted.status)
    }
}

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

/// PRW S1-01, S1-02, S1-03, S1-04, S1-05; S2-04, S2-05 for a receiver of 1.x.
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

/// PRW S1-18: what Prometheus adds to a request that is sent again.
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
        Err(_) => "about version 2.0",
    };
    assert_eq!(verdict, expected, "{status}: {result:?}");
}

/// PRW S1-18, S1-19, S2-17; `client_test.go`, `StoreHTTPErrorHandling`.
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

/// PRW S1-20, S2-17.
#[tokio::test]
async fn too_many_requests_is_rejected_where_it_is_not_to_be_retried() {
    let server = Server::start(|_| Answer::status(429)).await;
    let mut config = config(&server);
    config.batch.retry_on_http_429 = false;

    let result = http(&config).send(BODY, 0).await;

    judged(429, &result, "reject");
}

/// PRW S1-22, S2-16; `client_test.go`, `StoreHTTPErrorHandling`: cut at 1,024 bytes, otherwise as they came.
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

/// PRW S1-21, S2-16.
#[tokio::test]
async fn what_a_success_says_is_ignored() {
    let server = Server::start(|_| {
        Answer::status(202)
            .saying(&"error: nothing was written ".repeat(4096))
            .with("retry-after", "120")
    })
    .await;

    let status = http(&config(&server)).send(BODY, 0).await;

    assert_eq!(status, Ok(202));
}

/// PRW S1-07.
#[tokio::test]
async fn a_body_goes_out_as_it_was_compressed() {
    let server = Server::start(|_| Answer::status(204)).await;
    let block = crate::forward::tests::double::block("a", 3, 1.0);

    http(&config(&server))
        .send(block.bytes().clone(), 0)
        .await
        .unwrap();

    let body = server.requests().remove(0).body;
    let framed = b"\xff\x06\x00\x00sNaPpY";
    assert!(!body.starts_with(framed));
    assert_eq!(
        snap::raw::Decoder::new().decompress_vec(&body).unwrap(),
        snap::raw::Decoder::new().decompress_vec(block.bytes()).unwrap()
    );
}

/// PRW S2-17; `client_test.go`, `ClientRetryAfter`: by default, here, 429 is tried again, which there is an option.
#[tokio::test]
async fn a_remote_says_when_to_come_again_by_429_and_by_5xx() {
    let server =
        Server::start(|request| Answer::status(request.path_number()).with("retry-after", "5")).await;

    for status in [429, 500, 503, 529] {
        let config = RemoteConfig::new("test", server.url(&format!("/{status}")));

        let error = http(&config).send(BODY, 0).await.unwrap_err();

        let SendError::Retry { code, after, .. } = error else {
            unreachable!("{error:?}");
        };
        assert_eq!(
            (code, after),
            (Code::Status(status), Some(Duration::from_secs(5)))
        );
    }
}

/// `client_test.go`, `RetryAfterDuration`: a date counts from the clock of this side.
#[tokio::test]
async fn a_remote_may_name_the_date_to_come_again() {
    let server =
        Server::start(|_| Answer::status(503).with("retry-after", "Thu, 01 Jan 1970 00:01:30 GMT")).await;

    let error = http(&config(&server)).send(BODY, 0).await.unwrap_err();

    let SendError::Retry { after, .. } = error else {
        unreachable!("{error:?}");
    };
    assert_eq!(after, Some(Duration::from_secs(90)));
}

/// `client_test.go`, `RetryAfterDuration`: what is neither leaves the pause to this side.
#[tokio::test]
async fn a_time_to_come_again_that_cannot_be_read_is_none() {
    let server = Server::start(|_| Answer::status(503).with("retry-after", "soon")).await;

    let error = http(&config(&server)).send(BODY, 0).await.unwrap_err();

    let SendError::Retry { after, .. } = error else {
        unreachable!("{error:?}");
    };
    assert_eq!(after, None);
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = RemoteConfig::new("test", format!("http://{address}/write"));
    let http = http(&config);

    let (sent, ()) = tokio::join!(http.send(BODY, 0), async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_zero_linger().unwrap();
    });

    assert_eq!(sent.unwrap_err().code(), Code::Network);
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

/// Answers one request with `head`, and then leaves the connection open without a word.
async fn answer_without_end(listener: &tokio::net::TcpListener, head: &str) -> tokio::net::TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(&BODY) {
        stream.read_buf(&mut request).await.unwrap();
    }
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// PRW S1-19, S1-21: an answer is known by its status; sending again what is stored already would never end.
#[tokio::test]
async fn a_body_that_never_ends_does_not_hide_what_was_answered() {
    for (status, expected) in [("200 OK", None), ("401 Unauthorized", Some("no"))] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = RemoteConfig::new("test", format!("http://{address}/write"));
        config.remote_timeout = Duration::from_millis(500);
        let http = http(&config);

        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 100\r\n\r\nno");
        let (sent, _open) = tokio::join!(http.send(BODY, 0), answer_without_end(&listener, &head));

        match expected {
            None => assert!(sent.is_ok(), "{sent:?}"),
            Some(words) => {
                let words = words.to_owned();
                assert_eq!(sent.unwrap_err(), SendError::Reject { status: 401, words });
            }
        }
    }
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

/// PRW S1-06, S2-06.
#[tokio::test]
async fn every_mistake_in_the_settings_is_told_at_once() {
    let mut config = RemoteConfig::new("test", "ftp://me:secret@host/x?token=t");
    config.headers = vec![
        ("User-Agent".to_owned(), "me".to_owned()),
        ("Bad Name".to_owned(), String::new()),
        ("X-Ok".to_owned(), "a\nb".to_owned()),
    ];
    config.http_headers = vec![crate::forward::config::HeaderConfig {
        name: "Host".to_owned(),
        values: vec![Secret::Inline(String::new())],
    }];
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
        [
            "url",
            "headers",
            "headers",
            "headers",
            "http_headers",
            "tls_config.ca_file"
        ]
    );
    assert!(
        mistakes
            .iter()
            .all(|mistake| !mistake.to_string().contains("secret"))
    );
}
