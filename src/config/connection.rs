//! How a remote is reached: `tls_config`, the proxy, and headers of the operator's own.

use super::auth::secret;
use super::error::Fault;
use super::reader::{Block, Item, NotYet};
use super::value::{any, switch};
use super::word::{any_header_name, header_name, header_value, web_url};
use crate::forward::{HeaderConfig, ProxyConfig, Secret, TlsConfig, TlsVersion};

const TLS_NOT_YET: NotYet = &[
    ("ca_ref", "use ca or ca_file"),
    ("cert_ref", "use cert or cert_file"),
    ("key_ref", "use key or key_file"),
];

/// Reads `tls_config`.
pub(super) fn tls(block: &Block<'_>) -> TlsConfig {
    let ca = secret(block, "ca", "ca_file", any);
    let certificate = secret(block, "cert", "cert_file", any);
    let key = secret(block, "key", "key_file", any);
    let has = |inline, file| block.has(inline) || block.has(file);
    if has("cert", "cert_file") && !has("key", "key_file") {
        block.miss(
            "key_file",
            "a certificate needs its key, or take the certificate out",
        );
    }
    if has("key", "key_file") && !has("cert", "cert_file") {
        block.miss("cert_file", "a key needs its certificate, or take the key out");
    }
    let tls = TlsConfig {
        ca,
        client: certificate.zip(key),
        server_name: block.text("server_name", any).filter(|name| !name.is_empty()),
        insecure_skip_verify: block.text("insecure_skip_verify", switch).unwrap_or(false),
        min_version: least_version(block),
        max_version: block.text("max_version", version),
    };
    if tls
        .min_version
        .zip(tls.max_version)
        .is_some_and(|(least, most)| least > most)
    {
        let fault = Fault::new("is less than min_version", "leave max_version out");
        block.reject("max_version", "TLS12", fault);
    }
    block.finish(TLS_NOT_YET);
    tls
}

/// What is older than TLS 1.2 asks for no more than is spoken anyway.
fn least_version(block: &Block<'_>) -> Option<TlsVersion> {
    let least = block.text("min_version", |text| match text {
        "TLS10" | "TLS11" => Ok(None),
        text => version(text).map(Some),
    })?;
    if least.is_none() {
        block.remark(
            "min_version",
            "has no effect: nothing older than TLS 1.2 is spoken",
        );
    }
    least
}

fn version(text: &str) -> Result<TlsVersion, Fault> {
    match text {
        "TLS12" => Ok(TlsVersion::Tls12),
        "TLS13" => Ok(TlsVersion::Tls13),
        "TLS10" | "TLS11" => Err(Fault::new(
            "is not spoken here",
            "write TLS12 or TLS13; what speaks neither cannot be reached",
        )),
        _ => Err(Fault::new("is no version of TLS", "write TLS12 or TLS13")),
    }
}

/// Reads `proxy_url`, `no_proxy`, `proxy_from_environment` and `proxy_connect_header` of a remote. The environment is read
/// now, as Prometheus does.
pub(super) fn proxy(remote: &Block<'_>) -> ProxyConfig {
    let url = remote
        .item("proxy_url")
        .and_then(|item| item.url(proxy_url))
        .flatten();
    let no_proxy = remote.text("no_proxy", any).filter(|list| !list.is_empty());
    let of_environment = remote.text("proxy_from_environment", switch).unwrap_or(false);
    let connect_headers = connect_headers(&remote.block("proxy_connect_header"));
    if of_environment && remote.has("proxy_url") {
        remote.refuse(
            "proxy_from_environment",
            "may not stand beside proxy_url",
            "keep one of the two",
        );
    }
    if of_environment && no_proxy.is_some() {
        remote.refuse(
            "no_proxy",
            "may not stand beside proxy_from_environment",
            "set NO_PROXY in the environment, or write the proxy as proxy_url",
        );
    } else if no_proxy.is_some() && !remote.has("proxy_url") {
        remote.refuse(
            "no_proxy",
            "stands without a proxy_url",
            "add it, or take no_proxy out",
        );
    }
    if !connect_headers.is_empty() && !of_environment && !remote.has("proxy_url") {
        remote.refuse(
            "proxy_connect_header",
            "stands without a proxy",
            "add proxy_url or proxy_from_environment, or take it out",
        );
    }
    if of_environment {
        return from_environment(remote, connect_headers);
    }
    ProxyConfig {
        http: url.clone(),
        https: url,
        no_proxy,
        connect_headers,
    }
}

fn from_environment(remote: &Block<'_>, connect_headers: Vec<HeaderConfig>) -> ProxyConfig {
    let first = |names: [&'static str; 2]| {
        let set = |name: &'static str| remote.variable(name).map(|value| (name, value));
        names.into_iter().find_map(set)
    };
    let proxy = |names| {
        let (name, value) = first(names)?;
        let typed = if value.contains("://") {
            value
        } else {
            format!("http://{value}")
        };
        match proxy_url(&typed) {
            Ok(url) => url,
            Err(fault) => {
                let sentence = format!("{name} {}: {}", fault.rule, fault.way_out);
                remote.reject_rule("proxy_from_environment", sentence);
                None
            }
        }
    };
    let (http, https) = (
        proxy(["HTTP_PROXY", "http_proxy"]),
        proxy(["HTTPS_PROXY", "https_proxy"]),
    );
    if http.is_none() && https.is_none() {
        let text = "finds neither HTTP_PROXY nor HTTPS_PROXY, so there is no proxy on the way";
        remote.remark("proxy_from_environment", text);
    }
    let no_proxy = first(["NO_PROXY", "no_proxy"]);
    ProxyConfig {
        http,
        https,
        no_proxy: Some(no_proxy.map(|(_, list)| list).unwrap_or_default()),
        connect_headers,
    }
}

fn proxy_url(text: &str) -> Result<Option<String>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.to_ascii_lowercase().starts_with("socks") {
        let way_out = "give an http:// or https:// proxy, or reach the remote by a tunnel of your own";
        return Err(Fault::new("is a SOCKS proxy, which is not asked here", way_out));
    }
    match web_url(text) {
        Ok(_) => Ok(Some(text.to_owned())),
        Err(fault) => Err(Fault::new(fault.rule, "write it as http://proxy:3128")),
    }
}

/// Reads `headers`.
pub(super) fn headers(block: &Block<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = header_name(name) {
            block.reject_key(name, at, fault);
        } else if let Some(value) = item.secret(header_value) {
            headers.push((name.to_owned(), value));
        }
    }
    headers
}

/// Reads `http_headers`: of each name `values`, `secrets` and `files`, which are sent in this order.
pub(super) fn http_headers(block: &Block<'_>) -> Vec<HeaderConfig> {
    let mut headers = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = header_name(name) {
            block.reject_key(name, at, fault);
            continue;
        }
        let sources = item.block();
        let mut values = inline(&sources.items("values"));
        values.extend(inline(&sources.items("secrets")));
        let files = sources.items("files");
        values.extend(files.iter().filter_map(Item::file).map(Secret::File));
        sources.finish(&[]);
        headers.push(HeaderConfig {
            name: name.to_owned(),
            values,
        });
    }
    headers
}

fn connect_headers(block: &Block<'_>) -> Vec<HeaderConfig> {
    let mut headers = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = any_header_name(name) {
            block.reject_key(name, at, fault);
        } else {
            headers.push(HeaderConfig {
                name: name.to_owned(),
                values: inline(&item.items()),
            });
        }
    }
    headers
}

fn inline(items: &[Item<'_>]) -> Vec<Secret> {
    let values = items.iter().filter_map(|item| item.secret(header_value));
    values.map(Secret::Inline).collect()
}
