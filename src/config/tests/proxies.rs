use super::remote::{inline, refused, remote, with_environment};
use crate::forward::{HeaderConfig, ProxyConfig};

#[test]
fn a_proxy_has_a_url_exceptions_and_headers() {
    let (remote, _) = remote(
        "  proxy_url: http://me:secret@proxy:3128\n  no_proxy: 10.0.0.0/8,.internal\n  proxy_connect_header: {X-Proxy-Token: [a, b]}\n",
    );

    let expected = ProxyConfig {
        http: Some("http://me:secret@proxy:3128".to_owned()),
        https: Some("http://me:secret@proxy:3128".to_owned()),
        no_proxy: Some("10.0.0.0/8,.internal".to_owned()),
        connect_headers: vec![HeaderConfig {
            name: "X-Proxy-Token".to_owned(),
            values: vec![inline("a"), inline("b")],
        }],
    };
    assert_eq!(remote.proxy, expected);
    assert!(!format!("{remote:?}").contains("secret@"), "{remote:?}");
}

#[test]
fn an_empty_proxy_url_is_none() {
    let config = with_environment("  proxy_url: ${PROXY:-}\n", &[]).unwrap();

    assert_eq!(config.remotes[0].proxy, ProxyConfig::default());
}

#[test]
fn the_environment_names_the_proxies_where_it_is_asked_to() {
    let config = with_environment(
        "  proxy_from_environment: true\n",
        &[
            ("HTTP_PROXY", "proxy:3128"),
            ("https_proxy", "http://tls-proxy:3129"),
            ("NO_PROXY", "a,b"),
        ],
    );

    let expected = ProxyConfig {
        http: Some("http://proxy:3128".to_owned()),
        https: Some("http://tls-proxy:3129".to_owned()),
        no_proxy: Some("a,b".to_owned()),
        connect_headers: Vec::new(),
    };
    assert_eq!(config.unwrap().remotes[0].proxy, expected);
}

#[test]
fn an_environment_without_a_proxy_is_remarked() {
    let config = with_environment("  proxy_from_environment: true\n", &[("HTTP_PROXY", "")]).unwrap();

    assert_eq!(
        config.notices[0].to_string(),
        "remote_write[0].proxy_from_environment: finds neither HTTP_PROXY nor HTTPS_PROXY, so there is no proxy on the way"
    );
}

#[test]
fn an_environment_with_a_proxy_that_cannot_be_asked_is_refused_without_showing_it() {
    let refused = with_environment(
        "  proxy_from_environment: true\n",
        &[("HTTPS_PROXY", "socks5://me:secret@proxy")],
    );

    assert_eq!(
        refused.unwrap_err(),
        [
            "3:27: remote_write[0].proxy_from_environment: HTTPS_PROXY is a SOCKS proxy, which is not asked here: give an http:// or https:// proxy, or reach the remote by a tunnel of your own"
        ]
    );
}

#[test]
fn keys_of_a_proxy_that_contradict_each_other_are_refused_as_prometheus_does() {
    refused(
        "  proxy_url: http://p\n  proxy_from_environment: true\n",
        &[
            "4:3: remote_write[0].proxy_from_environment: the value may not stand beside proxy_url: keep one of the two",
        ],
    );
    refused(
        "  no_proxy: a\n",
        &[
            "3:3: remote_write[0].no_proxy: the value stands without a proxy_url: add it, or take no_proxy out",
        ],
    );
    refused(
        "  proxy_connect_header: {a: [b]}\n",
        &[
            "3:3: remote_write[0].proxy_connect_header: the value stands without a proxy: add proxy_url or proxy_from_environment, or take it out",
        ],
    );
    refused(
        "  proxy_url: socks5://p\n",
        &[
            r#"3:14: remote_write[0].proxy_url: "socks5://p" is a SOCKS proxy, which is not asked here: give an http:// or https:// proxy, or reach the remote by a tunnel of your own"#,
        ],
    );
}

#[test]
fn no_proxy_does_not_stand_beside_the_environment() {
    refused(
        "  proxy_from_environment: true\n  no_proxy: a\n",
        &[
            "4:3: remote_write[0].no_proxy: the value may not stand beside proxy_from_environment: set NO_PROXY in the environment, or write the proxy as proxy_url",
        ],
    );
}
