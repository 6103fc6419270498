use crate::forward::config::{HeaderConfig, Secret};
use crate::forward::tests::loopback::{Answer, Authority, Request, Server};
use crate::forward::transport::SendError;

use super::{BODY, basic, config, http};

/// A remote with everything that may not be seen by others.
fn secretive(server: &Server) -> crate::forward::RemoteConfig {
    let mut config = config(server);
    config.auth = basic("token");
    config.headers = vec![("X-Api-Key".to_owned(), "secret".to_owned())];
    config.http_headers = vec![HeaderConfig {
        name: "X-Other-Key".to_owned(),
        values: vec![Secret::Inline("secret".to_owned())],
    }];
    config
}

#[track_caller]
fn carries_no_secrets(request: &Request) {
    assert_eq!(request.body, BODY);
    assert_eq!(request.header("content-encoding"), "snappy");
    for name in ["authorization", "x-api-key", "x-other-key", "retry-attempt"] {
        assert!(!request.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_redirect_that_keeps_the_method_is_followed_with_the_body() {
    let server = Server::start(|request| match request.target.as_str() {
        "/api/v1/write" => Answer::status(308).with("location", "/new?x=1"),
        _ => Answer::status(204),
    })
    .await;

    let status = http(&secretive(&server)).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    let second = server.requests().remove(1);
    assert_eq!(
        (second.method.as_str(), second.target.as_str()),
        ("POST", "/new?x=1")
    );
    assert_eq!(second.body, BODY);
    assert!(second.headers.contains_key("authorization"));
    assert!(second.headers.contains_key("x-other-key"));
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_credentials() {
    let stranger = Server::start(|_| Answer::status(204)).await;
    let to = stranger.url("/write");
    let server = Server::start(move |_| Answer::status(307).with("location", &to)).await;

    http(&secretive(&server)).send(BODY, 1).await.unwrap();

    carries_no_secrets(&stranger.requests()[0]);
}

#[tokio::test]
async fn a_redirect_from_tls_to_plain_http_carries_no_credentials() {
    let plain = Server::start(|_| Answer::status(204)).await;
    let to = plain.url("/write").replace("127.0.0.1", "localhost");
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", move |_| {
        Answer::status(308).with("location", &to)
    })
    .await;
    let mut config = secretive(&server);
    config.tls.ca = Some(Secret::File(authority.ca_file()));

    http(&config).send(BODY, 0).await.unwrap();

    carries_no_secrets(&plain.requests()[0]);
}

#[tokio::test]
async fn a_redirect_that_comes_back_from_another_host_carries_no_credentials() {
    let (home_is, home) = std::sync::mpsc::channel::<String>();
    let home = std::sync::Mutex::new(home);
    let stranger = Server::start(move |_| {
        let home = home.lock().unwrap().recv().unwrap();
        Answer::status(307).with("location", &home)
    })
    .await;
    let away = stranger.url("/");
    let server = Server::start(move |request| match request.target.as_str() {
        "/api/v1/write" => Answer::status(307).with("location", &away),
        _ => Answer::status(204),
    })
    .await;
    home_is.send(server.url("/chosen-by-a-stranger")).unwrap();

    http(&secretive(&server)).send(BODY, 0).await.unwrap();

    let last = server.requests().remove(1);
    assert_eq!(last.target, "/chosen-by-a-stranger");
    carries_no_secrets(&last);
}

#[tokio::test]
async fn a_redirect_is_a_rejection_where_none_are_followed() {
    let server =
        Server::start(|_| Answer::status(308).with("location", "http://me:secret@b/new?t=secret")).await;
    let mut config = config(&server);
    config.follow_redirects = false;

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert!(
        matches!(error, SendError::Reject { status: 308, .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .ends_with("set url to where it leads: http://<hidden>@b/new)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_that_would_turn_the_request_into_a_get_is_a_rejection() {
    let server = Server::start(|request| match request.method.as_str() {
        "POST" => Answer::status(request.path_number()).with("location", "/new"),
        _ => Answer::status(200),
    })
    .await;

    for status in [301, 302, 303] {
        let mut config = config(&server);
        config.url = server.url(&format!("/{status}"));

        let error = http(&config).send(BODY, 0).await.unwrap_err();

        assert_eq!(error.code(), crate::forward::transport::Code::Status(status));
        assert!(matches!(error, SendError::Reject { .. }), "{error:?}");
    }
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
