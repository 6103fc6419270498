//! A conversation with a Pushgateway: one request, and what its answer means.

use std::time::{Duration, UNIX_EPOCH};

use http::header::{ACCEPT, AUTHORIZATION, DATE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Deserialize;

use super::error::SweepError;
use crate::model::{NameScheme, UnixMillis, whole_story};

/// What is read of a refusal.
const MAX_WORDS_BYTES: usize = 300;

/// What is read of `/api/v1/status`; a gateway's has some kilobytes.
const MAX_STATUS_BYTES: usize = 1 << 20;

/// A gateway with the secret that is known for this pass.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    /// Ends in a slash.
    pub(super) base: Url,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) timeout: Duration,
}

/// What of `/api/v1/status` says how names are spelled in paths.
#[derive(Debug, Deserialize)]
struct Status {
    data: StatusData,
}

#[derive(Debug, Deserialize)]
struct StatusData {
    flags: std::collections::HashMap<String, String>,
}

impl Session {
    /// Asks for `path`; an answer that is a success.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Response, SweepError> {
        let url = self.url(path)?;
        let request = self.client.get(url.clone()).header(ACCEPT, accept);
        self.send(request, &url).await
    }

    /// Deletes the group at `path`.
    pub(super) async fn delete(&self, path: &str) -> Result<(), SweepError> {
        let url = self.url(path)?;
        let request = self.client.delete(url.clone()).timeout(self.timeout);
        let answer = self.send(request, &url).await?;
        // a connection is used again only when its answer was read to the end
        drop(answer.bytes().await);
        Ok(())
    }

    /// Whether the gateway takes names in escapes. One that cannot say so is older than they are.
    pub(super) async fn names(&self) -> Result<NameScheme, SweepError> {
        let mut answer = match self.get("api/v1/status", "application/json").await {
            Ok(answer) => answer,
            Err(error) if error.is_of_one_request() => return Ok(NameScheme::Classic),
            Err(error) => return Err(error),
        };
        let body = read_up_to(&mut answer, MAX_STATUS_BYTES).await;
        let status: Option<Status> = serde_json::from_slice(&body).ok();
        let is_on = status
            .and_then(|status| status.data.flags.get("push.enable-utf8-names").cloned())
            .is_some_and(|value| value == "true");
        Ok(if is_on {
            NameScheme::Utf8
        } else {
            NameScheme::Classic
        })
    }

    /// The address of `path`, for messages.
    pub(super) fn shown(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        format!("{}{path}", self.base)
    }

    fn url(&self, path: &str) -> Result<Url, SweepError> {
        self.base.join(path).map_err(|error| SweepError::NotOne {
            url: self.shown(path),
            problem: error.to_string(),
        })
    }

    async fn send(&self, request: RequestBuilder, url: &Url) -> Result<Response, SweepError> {
        let request = match &self.authorization {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        };
        let answer = request.send().await.map_err(|error| unreachable(url, error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(answer, url).await)
    }

    async fn refusal(&self, mut answer: Response, url: &Url) -> SweepError {
        let status = answer.status();
        let url = shown(url);
        let way_out = match (status, &self.authorization) {
            (StatusCode::UNAUTHORIZED, None) => {
                "it wants to know who asks: give --username with --password-file, or --bearer-token-file"
            }
            (StatusCode::UNAUTHORIZED, Some(_)) => "user and password, or the token, are wrong",
            (StatusCode::FORBIDDEN, _) => "whoever asks is not allowed to",
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, _) => "a proxy between us wants to know who asks",
            _ => "",
        };
        if !way_out.is_empty() {
            let status = status.as_u16();
            return SweepError::Denied { url, status, way_out };
        }
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        if let (true, Some(to)) = (status.is_redirection(), to) {
            let to = to.to_owned();
            let status = status.as_u16();
            return SweepError::Moved { url, status, to };
        }
        let body = read_up_to(&mut answer, MAX_WORDS_BYTES).await;
        let words = String::from_utf8_lossy(&body).trim().replace('\n', " ");
        let words = if words.is_empty() {
            status.canonical_reason().unwrap_or("no reason given").to_owned()
        } else {
            words
        };
        let status = status.as_u16();
        SweepError::Status { url, status, words }
    }
}

/// The gateway's time, to the second below.
pub(super) fn date(headers: &HeaderMap) -> Option<UnixMillis> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(date)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    Some(UnixMillis::new(0).after(since))
}

/// No answer came, or not all of it: the chain of causes in one line.
pub(super) fn unreachable(url: &Url, error: reqwest::Error) -> SweepError {
    SweepError::Unreachable {
        url: shown(url),
        story: whole_story(&error.without_url()),
    }
}

fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

async fn read_up_to(answer: &mut Response, max_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < max_bytes {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend(chunk),
            _ => break,
        }
    }
    body.truncate(max_bytes);
    body
}
