use crate::forward::config::{HeaderConfig, RemoteConfig, Secret};
use crate::forward::tests::loopback::{Answer, Authority, Server};
use crate::forward::tests::proxy::Proxy;
use crate::forward::transport::Code;

use super::{BODY, basic, config, http};

/// The lines of a request's head that have `name`, without it.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value).collect()
}

fn connect_header(name: &str, values: &[&str]) -> HeaderConfig {
    HeaderConfig {
        name: name.to_owned(),
        values: values
            .iter()
            .map(|value| Secret::Inline((*value).to_owned()))
            .collect(),
    }
}

#[tokio::test]
async fn a_plain_request_goes_by_the_proxy_with_its_whole_url() {
    let (server, proxy) = (Server::start(|_| Answer::status(204)).await, Proxy::start().await);
    let mut config = config(&server);
    config.proxy.http = Some(proxy.url(""));

    let status = http(&config).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    assert_eq!(server.requests()[0].body, BODY);
    let first = format!("POST {} HTTP/1.1", server.url("/api/v1/write"));
    assert_eq!(proxy.heads()[0].lines().next(), Some(first.as_str()));
}

#[tokio::test]
async fn the_user_of_a_proxy_is_told_to_the_proxy_and_to_nobody_else() {
    let server = Server::start(|_| Answer::status(204)).await;
    let proxy = Proxy::guarded("Basic bWU6cEBzcw==").await;
    let mut config = config(&server);
    config.auth = basic("token");
    config.proxy.http = Some(proxy.url("me:p%40ss@"));

    let status = http(&config).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    assert_eq!(
        values(&proxy.heads()[0], "authorization"),
        ["Basic MTI1MDAwMDAwMDp0b2tlbg=="]
    );
}

#[tokio::test]
async fn a_request_by_tls_goes_through_a_tunnel_that_the_proxy_cannot_look_into() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let proxy = Proxy::guarded("Basic bWU6cGFzcw==").await;
    let mut config = config(&server);
    config.auth = basic("token");
    config.tls.ca = Some(Secret::File(authority.ca_file()));
    config.proxy.https = Some(proxy.url("me:pass@"));
    config.proxy.connect_headers = vec![connect_header("X-Proxy-Token", &["a", "b"])];

    let status = http(&config).send(BODY, 0).await;

    assert_eq!(status, Ok(204));
    let head = proxy.heads().remove(0);
    assert!(head.starts_with("CONNECT localhost:"), "{head}");
    assert_eq!(values(&head, "x-proxy-token"), ["a", "b"]);
    assert!(values(&head, "authorization").is_empty(), "{head}");
    let request = server.requests().remove(0);
    assert_eq!(request.header("authorization"), "Basic MTI1MDAwMDAwMDp0b2tlbg==");
    assert!(!request.headers.contains_key("x-proxy-token"));
    assert!(!request.headers.contains_key("proxy-authorization"));
}

#[tokio::test]
async fn http2_is_spoken_through_a_tunnel_too() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let proxy = Proxy::start().await;
    let mut config = config(&server);
    config.enable_http2 = true;
    config.tls.ca = Some(Secret::File(authority.ca_file()));
    config.proxy.https = Some(proxy.url(""));

    http(&config).send(BODY, 0).await.unwrap();

    assert_eq!(server.requests()[0].version, http::Version::HTTP_2);
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test]
async fn headers_for_a_tunnel_do_not_travel_with_a_plain_request() {
    let (server, proxy) = (Server::start(|_| Answer::status(204)).await, Proxy::start().await);
    let mut config = config(&server);
    config.proxy.http = Some(proxy.url(""));
    config.proxy.https = Some(proxy.url(""));
    config.proxy.connect_headers = vec![connect_header("X-Proxy-Token", &["secret"])];

    http(&config).send(BODY, 0).await.unwrap();

    assert!(!proxy.heads()[0].contains("secret"), "{:?}", proxy.heads());
}

#[tokio::test]
async fn a_proxy_that_lets_nobody_through_is_tried_again_without_showing_the_user() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let proxy = Proxy::guarded("Basic something-else").await;
    let mut config = config(&server);
    config.tls.ca = Some(Secret::File(authority.ca_file()));
    config.proxy.https = Some(proxy.url("me:password@"));

    let error = http(&config).send(BODY, 0).await.unwrap_err();

    assert_eq!(error.code(), Code::Network);
    assert!(error.to_string().contains("proxy"), "{error}");
    assert!(!error.to_string().contains("password"), "{error}");
}

#[tokio::test]
async fn a_host_of_no_proxy_is_reached_without() {
    let (server, proxy) = (Server::start(|_| Answer::status(204)).await, Proxy::start().await);
    let mut config = config(&server);
    config.proxy.http = Some(proxy.url(""));
    config.proxy.no_proxy = Some("127.0.0.0/8".to_owned());

    http(&config).send(BODY, 0).await.unwrap();

    assert_eq!(server.requests().len(), 1);
    assert!(proxy.heads().is_empty());
}

#[tokio::test]
async fn a_host_that_no_proxy_does_not_name_is_reached_by_the_proxy() {
    let proxy = Server::start(|_| Answer::status(204)).await;
    let mut config = RemoteConfig::new("test", "http://remote.invalid/api/v1/write");
    config.proxy.http = Some(proxy.url(""));
    config.proxy.no_proxy = Some("other.invalid".to_owned());

    http(&config).send(BODY, 0).await.unwrap();

    assert_eq!(proxy.requests()[0].target, "http://remote.invalid/api/v1/write");
}

#[tokio::test]
async fn a_proxy_for_the_other_scheme_is_not_asked() {
    let (server, proxy) = (Server::start(|_| Answer::status(204)).await, Proxy::start().await);
    let mut config = config(&server);
    config.proxy.https = Some(proxy.url(""));

    http(&config).send(BODY, 0).await.unwrap();

    assert!(proxy.heads().is_empty());
}
