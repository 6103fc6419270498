//! Words of the network and of Prometheus: addresses, URLs, labels, headers.

use std::net::SocketAddr;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::error::Fault;
use crate::forward::is_reserved;

/// `address:port` to listen on; `:9091` is every IPv4 address, as `0.0.0.0:9091`.
pub(super) fn address(text: &str) -> Result<String, Fault> {
    let fault = || {
        Fault::new(
            "is no address to listen on",
            "write it as 0.0.0.0:9091 or [::]:9091; port 0 lets the system choose",
        )
    };
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(fault)?;
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err() {
        return Err(fault());
    }
    match host {
        "" => Ok(format!("0.0.0.0:{port}")),
        host if plain && !numeric => Ok(format!("{host}:{port}")),
        _ => Err(fault()),
    }
}

/// Where a remote can be: an `http://` or `https://` URL, or `grpc://` or `grpcs://` where it is a bridge.
pub(super) fn remote_url(text: &str) -> Result<Url, Fault> {
    if !is_grpc(text) {
        return web_url(text);
    }
    let example = "write it as grpc://10.0.0.5:9092";
    let url = url(text, example)?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        let rule = "has something behind host and port, where gRPC has nothing";
        return Err(Fault::new(rule, example));
    }
    Ok(url)
}

/// Whether a URL leads to a bridge's gRPC door.
pub(super) fn is_grpc(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("grpc://") || lower.starts_with("grpcs://")
}

/// An `http://` or `https://` URL with a host.
pub(super) fn web_url(text: &str) -> Result<Url, Fault> {
    let example = "write it as http://10.0.0.5:9090/api/v1/write";
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(Fault::new("is no URL of http:// or https://", example));
    }
    url(text, example)
}

fn url(text: &str, example: &str) -> Result<Url, Fault> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Fault::new("has a blank in it", "write it as %20, or take it out"));
    }
    match Url::parse(text) {
        Ok(url) if url.has_host() => Ok(url),
        Ok(_) => Err(Fault::new("names no host", example)),
        Err(error) => Err(Fault::new(format!("is no URL ({error})"), example)),
    }
}

/// What may stand before every path: `/api/v1/push/tok123`.
pub(super) fn path_prefix(text: &str) -> Result<String, Fault> {
    let prefix = text.trim_end_matches('/');
    if !text.starts_with('/') || prefix.is_empty() {
        return Err(Fault::new(
            "is no path prefix",
            "write it as /flink, or leave it away",
        ));
    }
    if prefix.contains("//")
        || prefix
            .chars()
            .any(|c| !c.is_ascii_graphic() || matches!(c, '?' | '#'))
    {
        return Err(Fault::new(
            "is no path",
            "write it as it stands in the request, blanks as %20, without ? and #",
        ));
    }
    Ok(prefix.to_owned())
}

/// The name of a header that a proxy may be sent.
pub(super) fn any_header_name(text: &str) -> Result<(), Fault> {
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::new("is no header name", "use letters, digits and -")),
    }
}

/// The name of a header that an operator may set.
pub(super) fn header_name(text: &str) -> Result<(), Fault> {
    any_header_name(text)?;
    let lower = text.to_ascii_lowercase();
    if lower == "authorization" {
        return Err(Fault::new(
            "may not be set as a header",
            "use basic_auth or authorization",
        ));
    }
    if is_reserved(&lower) {
        return Err(Fault::new(
            "is a header that belongs to remote-write itself",
            "take it out",
        ));
    }
    Ok(())
}

/// What a header may carry.
pub(super) fn header_value(text: &str) -> Result<String, Fault> {
    match HeaderValue::from_str(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Fault::new(
            "has a character that no header may carry",
            "look for line breaks and control characters",
        )),
    }
}

/// The scheme of `authorization`; not shown in messages, because tokens are put here by mistake.
pub(super) fn scheme(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("basic") {
        return Err(Fault::new("is basic", "use basic_auth instead"));
    }
    let token = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
    if !token {
        return Err(Fault::new(
            "is no scheme",
            "write one word as Bearer, and what follows it under credentials",
        ));
    }
    Ok(text.to_owned())
}

/// The name of a remote: fit for a metric's label, a line of the log, and (escaped) for a file.
pub(super) fn remote_name(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
        let way_out = "use 1 to 64 bytes without line breaks: it stands in logs and names files";
        return Err(Fault::new("is no name for a remote", way_out));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Fault, address, header_name, path_prefix, remote_name, scheme, web_url};

    #[track_caller]
    fn check<T: ToString>(read: Result<T, Fault>, expected: &str) {
        let said = match read {
            Ok(value) => value.to_string(),
            Err(fault) => format!("{}: {}", fault.rule, fault.way_out),
        };

        assert_eq!(said, expected);
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        check(address("0.0.0.0:9091"), "0.0.0.0:9091");
        check(address("[::1]:0"), "[::1]:0");
        check(address("localhost:9091"), "localhost:9091");
        check(address(":9091"), "0.0.0.0:9091");
        for text in [
            "",
            "9091",
            "0.0.0.0",
            "0.0.0.0:99999",
            "::1:9091",
            "1.2.3:80",
            "a b:80",
            "http://x:80",
            "host:",
        ] {
            check(
                address(text),
                "is no address to listen on: write it as 0.0.0.0:9091 or [::]:9091; port 0 lets the system choose",
            );
        }
    }

    #[test]
    fn a_url_is_of_the_web_and_names_a_host() {
        let example = "write it as http://10.0.0.5:9090/api/v1/write";

        check(web_url("https://h:1/p?q=1"), "https://h:1/p?q=1");
        check(
            web_url("grpc://h:1"),
            "is no URL of http:// or https://: write it as http://10.0.0.5:9090/api/v1/write",
        );
        check(
            web_url("10.0.0.5:9090"),
            &format!("is no URL of http:// or https://: {example}"),
        );
        check(web_url("http://"), &format!("is no URL (empty host): {example}"));
        check(
            web_url("http://h:99999/"),
            &format!("is no URL (invalid port number): {example}"),
        );
        check(
            web_url("http://h/a b"),
            "has a blank in it: write it as %20, or take it out",
        );
    }

    #[test]
    fn a_path_prefix_is_kept_without_its_last_slash() {
        check(path_prefix("/api/v1/push/tok123/"), "/api/v1/push/tok123");
        check(
            path_prefix("flink"),
            "is no path prefix: write it as /flink, or leave it away",
        );
        check(
            path_prefix("/"),
            "is no path prefix: write it as /flink, or leave it away",
        );
        check(
            path_prefix("/a b"),
            "is no path: write it as it stands in the request, blanks as %20, without ? and #",
        );
    }

    #[test]
    fn names_keep_to_their_alphabet() {
        assert!(remote_name("tmp-1.b_2").is_ok() && remote_name("Remote storage 1").is_ok());
        assert!(remote_name("").is_err() && remote_name(" ").is_err() && remote_name("a\nb").is_err());
        assert!(scheme("Bearer").is_ok());
        assert!(scheme("basic").is_err() && scheme("Bearer abc").is_err());
    }

    #[test]
    fn headers_of_the_protocol_are_not_the_operators_to_set() {
        assert!(header_name("X-Scope-OrgID").is_ok());
        for name in [
            "Content-Encoding",
            "content-type",
            "User-Agent",
            "X-Prometheus-Remote-Write-Version",
            "Authorization",
            "a b",
        ] {
            assert!(header_name(name).is_err(), "{name}");
        }
    }
}
