use crate::forward::config::{Auth, HeaderConfig, Secret};
use crate::forward::tests::loopback::{Answer, Request, Server};
use crate::forward::transport::Code;

use super::{BODY, config, http};

fn all<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let values = request.headers.get_all(name).into_iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

/// `client_test.go`, `ClientCustomHeaders`.
#[tokio::test]
async fn headers_of_the_operators_own_go_along_with_every_request() {
    let server = Server::start(|_| Answer::status(204)).await;
    let mut config = config(&server);
    config.headers = vec![
        ("X-Scope-OrgID".to_owned(), "team".to_owned()),
        ("x-scope-orgid".to_owned(), "other".to_owned()),
    ];
    config.http_headers = vec![HeaderConfig {
        name: "X-Api-Key".to_owned(),
        values: vec![Secret::Inline("a".to_owned()), Secret::Inline("b".to_owned())],
    }];
    let http = http(&config);

    http.send(BODY, 0).await.unwrap();
    http.send(BODY, 1).await.unwrap();

    for request in server.requests() {
        assert_eq!(all(&request, "x-scope-orgid"), ["other"]);
        assert_eq!(all(&request, "x-api-key"), ["a", "b"]);
    }
}

#[tokio::test]
async fn a_header_a_user_and_a_password_in_files_are_read_again_for_every_request() {
    let server = Server::start(|_| Answer::status(204)).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |values: [&str; 3]| {
        for (name, value) in ["key", "user", "password"].into_iter().zip(values) {
            std::fs::write(folder.path().join(name), value).unwrap();
        }
    };
    let file = |name: &str| Secret::File(folder.path().join(name));
    let mut config = config(&server);
    config.http_headers = vec![HeaderConfig {
        name: "X-Api-Key".to_owned(),
        values: vec![Secret::Inline("fixed".to_owned()), file("key")],
    }];
    config.auth = Auth::Basic {
        username: file("user"),
        password: file("password"),
    };
    let http = http(&config);

    write(["k1\n", "me\n", "p1\n"]);
    http.send(BODY, 0).await.unwrap();
    write(["k2", "you", "p2"]);
    http.send(BODY, 0).await.unwrap();

    let requests = server.requests();
    assert_eq!(all(&requests[0], "x-api-key"), ["fixed", "k1"]);
    assert_eq!(all(&requests[1], "x-api-key"), ["fixed", "k2"]);
    assert_eq!(requests[0].header("authorization"), "Basic bWU6cDE=");
    assert_eq!(requests[1].header("authorization"), "Basic eW91OnAy");
}

#[tokio::test]
async fn a_header_whose_file_cannot_be_read_holds_the_request_back() {
    let server = Server::start(|_| Answer::status(204)).await;
    let mut config = config(&server);
    config.http_headers = vec![HeaderConfig {
        name: "X-Api-Key".to_owned(),
        values: vec![Secret::File("no/such/key".into())],
    }];

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert_eq!(error.code(), Code::Local);
    assert!(error.to_string().contains("no/such/key"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn addresses_of_a_host_are_taken_in_turn_where_it_is_wanted() {
    let server = Server::start(|_| Answer::status(204)).await;
    let mut config = config(&server);
    config.url = config.url.replace("127.0.0.1", "localhost");
    config.round_robin_dns = true;

    let status = http(&config).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
}

#[tokio::test]
async fn a_remote_that_repeats_credentials_has_them_shown_to_nobody() {
    let server = Server::start(|request| {
        let said = format!(
            "{} and {}",
            all(request, "authorization")[0],
            all(request, "x-api-key")[0]
        );
        Answer::status(401).saying(&said)
    })
    .await;
    let mut config = config(&server);
    config.auth = Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::Inline("s3cr3t-token".to_owned()),
    };
    config.headers = vec![("X-Api-Key".to_owned(), "s3cr3t-key".to_owned())];

    let refusal = http(&config).send(BODY, 0).await.unwrap_err();

    assert_eq!(refusal.to_string(), "Bearer <secret> and <secret>");
}
