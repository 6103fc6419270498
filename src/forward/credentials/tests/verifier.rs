//! Checks signatures as AWS does: from what arrived, by code of its own.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;
use ring::{digest, hmac};

use super::NOON;
use crate::forward::tests::loopback::Request;

/// What AWS knows of who signs.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) id: &'static str,
    pub(super) secret: &'static str,
    pub(super) session: Option<&'static str>,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
}

impl Account {
    /// # Errors
    /// What AWS would say with 403.
    pub(super) fn verify(&self, request: &Request) -> Result<(), String> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header("authorization").ok_or("MissingAuthenticationToken")?;
        let rest = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .ok_or("IncompleteSignature")?;
        let part = |name: &str| {
            let mut parts = rest.split(", ");
            parts
                .find_map(|part| part.strip_prefix(name))
                .ok_or("IncompleteSignature")
        };
        let (credential, names, signature) =
            (part("Credential=")?, part("SignedHeaders=")?, part("Signature=")?);
        let time = header("x-amz-date").ok_or("no x-amz-date")?;
        let scope = format!(
            "{}/{}/{}/aws4_request",
            time.split('T').next().unwrap(),
            self.region,
            self.service
        );
        if credential != format!("{}/{scope}", self.id) {
            return Err(format!("InvalidClientTokenId: {credential}"));
        }
        if header("x-amz-security-token") != self.session {
            return Err("ExpiredToken: the security token is another".to_owned());
        }
        let digits = Regex::new(r"^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$").unwrap();
        let at = digits.replace(time, "${1}-${2}-${3}T${4}:${5}:${6}Z");
        let at = humantime::parse_rfc3339(&at).map_err(|_| format!("odd date {at}"))?;
        let noon = UNIX_EPOCH + Duration::from_millis(NOON.get().unsigned_abs());
        let skew = at.duration_since(noon).unwrap_or_else(|error| error.duration());
        if skew > Duration::from_secs(300) {
            return Err(format!(
                "SignatureDoesNotMatch: signature not current by {}s",
                skew.as_secs()
            ));
        }
        let names: Vec<&str> = names.split(';').collect();
        let must = ["host", "x-amz-date", "x-amz-security-token"];
        let unsigned = must
            .iter()
            .find(|name| request.headers.contains_key(**name) && !names.contains(name));
        if unsigned.is_some() || !names.is_sorted() {
            return Err(format!("IncompleteSignature: {names:?}"));
        }
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            sha256(canonical(request, &names).as_bytes())
        );
        match signature == self.signature(&text, &scope) {
            true => Ok(()),
            false => Err("SignatureDoesNotMatch".to_owned()),
        }
    }

    fn signature(&self, text: &str, scope: &str) -> String {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in scope.split('/').chain([text]) {
            let next = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = next.as_ref().to_vec();
        }
        hex(&key)
    }
}

fn canonical(request: &Request, names: &[&str]) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path: Vec<String> = path.split('/').map(strict).collect();
    let twice = |text: &str| strict(&percent_decode_str(text).decode_utf8_lossy());
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut sorted: Vec<(String, String)> = pairs.map(|(name, value)| (twice(name), twice(value))).collect();
    sorted.sort();
    let query: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = format!("{}\n{}\n{}\n", request.method, path.join("/"), query.join("&"));
    for name in names {
        let plain = |value: &str| {
            value
                .split(' ')
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let values = request.headers.get_all(*name).iter();
        let values: Vec<String> = values.map(|value| plain(value.to_str().unwrap())).collect();
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    let _ = write!(text, "\n{}\n{}", names.join(";"), sha256(&request.body));
    text
}

fn strict(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
