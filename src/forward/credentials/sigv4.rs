//! AWS Signature Version 4: a request, signed with the keys of an account. Pure.
//!
//! Source: "Create a signed AWS API request", AWS Identity and Access Management user guide. The path is escaped twice,
//! as every service but S3 wants it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use ring::{digest, hmac};

use super::error::AuthError;
use crate::model::UnixMillis;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// What proxies may change or add on the way, so that nothing may depend on it.
const UNSIGNED: [&str; 9] = [
    "authorization",
    "connection",
    "expect",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "uber-trace-id",
    "user-agent",
    "x-amzn-trace-id",
];
/// RFC 3986, "unreserved".
const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const PATH: &AsciiSet = &STRICT.remove(b'/');

/// Keys of an account; `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// The access key id, which travels.
    pub(super) id: String,
    /// The secret key, which does not.
    pub(super) secret: String,
    /// The session token of temporary keys.
    pub(super) session: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<keys>")
    }
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// The region.
    pub(super) region: &'a str,
    /// The service.
    pub(super) service: &'a str,
    /// When; the service takes some minutes of difference.
    pub(super) at: UnixMillis,
}

/// A request that is about to be sent.
pub(super) struct Request<'a> {
    /// Its method.
    pub(super) method: &'a str,
    /// Where to.
    pub(super) url: &'a Url,
    /// Its headers, which get three more.
    pub(super) headers: &'a mut HeaderMap,
    /// Its body as it travels.
    pub(super) body: &'a [u8],
}

/// Signs `request`: all its headers but those that change on the way.
///
/// # Errors
/// When the keys can be no header.
pub(super) fn sign(keys: &Keys, scope: Scope<'_>, request: &mut Request<'_>) -> Result<(), AuthError> {
    let no_header = |_| AuthError::NoHeader;
    let time = spelled(scope.at);
    let date = time.split('T').next().unwrap_or_default();
    let headers = &mut *request.headers;
    headers.remove(AUTHORIZATION);
    headers.insert(DATE, HeaderValue::try_from(&time).map_err(no_header)?);
    headers.remove(TOKEN);
    if let Some(session) = &keys.session {
        let mut session = HeaderValue::try_from(session).map_err(no_header)?;
        session.set_sensitive(true);
        headers.insert(TOKEN, session);
    }
    let signed = signed_headers(request);
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let canonical = canonical(request, &signed, &names);
    let place = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("{ALGORITHM}\n{time}\n{place}\n{}", hash(canonical.as_bytes()));
    let key = [date, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{}", keys.secret).into_bytes(), |key, part| {
            keyed(&key, part)
        });
    let authorization = format!(
        "{ALGORITHM} Credential={}/{place}, SignedHeaders={names}, Signature={}",
        keys.id,
        hex(&keyed(&key, &to_sign))
    );
    let mut authorization = HeaderValue::try_from(authorization).map_err(no_header)?;
    authorization.set_sensitive(true);
    request.headers.insert(AUTHORIZATION, authorization);
    Ok(())
}

/// `20150830T123600Z`.
fn spelled(at: UnixMillis) -> String {
    let since = Duration::from_millis(u64::try_from(at.get()).unwrap_or(0));
    let at = UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH);
    let text = humantime::format_rfc3339_seconds(at).to_string();
    text.replace(['-', ':'], "")
}

fn canonical(request: &Request<'_>, signed: &BTreeMap<String, String>, names: &str) -> String {
    let mut headers = String::new();
    for (name, value) in signed {
        let _ = writeln!(headers, "{name}:{value}");
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method,
        utf8_percent_encode(&normal_path(request.url.path()), PATH),
        canonical_query(request.url.query().unwrap_or_default()),
        hash(request.body)
    )
}

fn signed_headers(request: &Request<'_>) -> BTreeMap<String, String> {
    let mut signed = BTreeMap::new();
    for name in request
        .headers
        .keys()
        .filter(|name| !UNSIGNED.contains(&name.as_str()))
    {
        let values: Vec<String> = request.headers.get_all(name).iter().map(plain).collect();
        signed.insert(name.as_str().to_owned(), values.join(","));
    }
    let host = request.url.host_str().unwrap_or_default();
    let host = match request.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    signed.insert(HOST.as_str().to_owned(), host);
    signed
}

/// Without blanks around it, and with one where there were several.
fn plain(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without empty parts; `.` and `..` are gone from a [`Url`] anyway.
pub(super) fn normal_path(path: &str) -> String {
    let mut normal = String::from("/");
    normal.push_str(
        &path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/"),
    );
    if path.ends_with('/') && normal.len() > 1 {
        normal.push('/');
    }
    normal
}

fn canonical_query(query: &str) -> String {
    let strict = |text: &str| {
        let raw: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&raw, STRICT).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (strict(name), strict(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
