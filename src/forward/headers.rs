//! Headers that the operator sets beside those of the protocol: `headers`, `http_headers`, `proxy_connect_header`.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::config::{HeaderConfig, RemoteConfig, Secret};
use super::credentials::{AuthError, reveal};
use super::error::ForwardError;

/// Headers that belong to the protocol, the connection or the credentials, as Prometheus has them (PRW S1-06).
const RESERVED: [&str; 21] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "www-authenticate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-prometheus-remote-read-version",
    "x-prometheus-remote-write-version",
];

/// What is shorter is no secret worth the name, and a word that a message may need.
const LEAST_SECRET: usize = 8;

/// Whether a header, in lower case, is not the operator's to set.
#[must_use]
pub fn is_reserved(header: &str) -> bool {
    RESERVED.contains(&header)
}

/// What goes along with each request to the configured host, and to no other: any of it may be a secret.
#[derive(Debug, Default)]
pub(super) struct OwnHeaders {
    fixed: HeaderMap,
    from_files: Vec<(HeaderName, Secret)>,
}

impl OwnHeaders {
    /// Checks names and values; what is wrong goes to `mistakes`. Files are read when a request is made.
    pub(super) fn new(config: &RemoteConfig, mistakes: &mut Vec<ForwardError>) -> Self {
        let mut own = Self::default();
        for (name, value) in &config.headers {
            match header(name, value) {
                Ok((name, value)) => drop(own.fixed.insert(name, value)),
                Err(problem) => mistakes.push(mistake("headers", name, problem)),
            }
        }
        for HeaderConfig { name, values } in &config.http_headers {
            for value in values {
                if let Err(problem) = own.add(name, value) {
                    mistakes.push(mistake("http_headers", name, problem));
                }
            }
        }
        own
    }

    fn add(&mut self, name: &str, value: &Secret) -> Result<(), &'static str> {
        match value {
            Secret::Inline(value) => {
                let (name, value) = header(name, value)?;
                self.fixed.append(name, value);
            }
            Secret::File(_) => {
                let (name, _) = header(name, "")?;
                self.from_files.push((name, value.clone()));
            }
        }
        Ok(())
    }

    /// Appends them to `headers`.
    ///
    /// # Errors
    /// When a file cannot be read, or holds what no header may.
    pub(super) async fn append_to(&self, headers: &mut HeaderMap) -> Result<(), AuthError> {
        for (name, value) in &self.fixed {
            headers.append(name, value.clone());
        }
        for (name, file) in &self.from_files {
            let value = reveal(file).await?;
            let mut value = HeaderValue::try_from(value).map_err(|_| AuthError::NoHeader)?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(())
    }
}

/// The headers of `proxy_connect_header`.
///
/// # Errors
/// The first that can be no header.
pub(super) fn connect_headers(configured: &[HeaderConfig]) -> Result<HeaderMap, ForwardError> {
    let mut headers = HeaderMap::new();
    for HeaderConfig { name, values } in configured {
        for value in values {
            let Secret::Inline(value) = value else { continue };
            let (Ok(valid), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            else {
                let problem = "is no header, or has a value with characters that no header may hold";
                return Err(mistake("proxy_connect_header", name, problem));
            };
            value.set_sensitive(true);
            headers.append(valid, value);
        }
    }
    Ok(headers)
}

/// `words` of somebody who got `headers`, without what of these is a secret: who repeats a request in a refusal must not
/// have us show it. A secret of which `words` hold the beginning only, as they were cut, goes as well.
pub(super) fn without_secrets(mut words: String, headers: &HeaderMap) -> String {
    let secret = headers.values().filter(|value| value.is_sensitive());
    let parts = secret
        .filter_map(|value| value.to_str().ok())
        .flat_map(str::split_whitespace);
    for part in parts.filter(|part| part.len() >= LEAST_SECRET) {
        words = words.replace(part, "<secret>");
        let begins = part
            .get(..LEAST_SECRET)
            .and_then(|beginning| words.rfind(beginning));
        if let Some(at) = begins
            && words.get(at..).is_some_and(|end| part.starts_with(end))
        {
            words.truncate(at);
            words += "<secret>";
        }
    }
    words
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name =
        HeaderName::try_from(name).map_err(|_| "is not a header name; it has letters, digits and dashes")?;
    if is_reserved(name.as_str()) {
        return Err(
            "belongs to the protocol; credentials go into basic_auth or authorization, the rest is fixed",
        );
    }
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| "has a value with characters that no header may hold, such as a line break")?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn mistake(field: &'static str, name: &str, problem: &'static str) -> ForwardError {
    ForwardError::Header {
        field,
        name: name.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(said: &str, expected: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer s3cr3t-t0k3n"),
            ("x-scope-orgid", "team"),
        ] {
            let (mut value, name) = (HeaderValue::from_static(value), HeaderName::from_static(name));
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert("user-agent", HeaderValue::from_static("flinkbridge/0.1.0"));

        assert_eq!(without_secrets(said.to_owned(), &headers), expected);
    }

    #[test]
    fn a_secret_that_is_said_back_is_not_shown() {
        shown(
            "Authorization: Bearer s3cr3t-t0k3n!",
            "Authorization: Bearer <secret>!",
        );
        shown(
            "limit of team, flinkbridge/0.1.0",
            "limit of team, flinkbridge/0.1.0",
        );
    }

    #[test]
    fn a_secret_that_is_cut_off_is_not_shown_either() {
        shown("no Bearer s3cr3t-t0", "no Bearer <secret>");
        shown("no Bearer s3cr3t-tea", "no Bearer s3cr3t-tea");
    }
}
