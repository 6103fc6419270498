//! Remote-write by HTTP: one POST a request, its headers, and what an answer means.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Response, Url};
use tokio::time::{Instant, timeout, timeout_at};

use crate::codec::remote_write::{Counts, Message};
use crate::model::{Clock, whole_story};

use super::address::{Address, redacted};
use super::client::Connections;
use super::config::{Auth, RemoteConfig};
use super::credentials::{AuthError, Credentials, Outgoing, Surroundings};
use super::error::ForwardError;
use super::headers::{OwnHeaders, without_secrets};
use super::letter::Letter;
use super::retry::retry_after;
use super::transport::{Accepted, Code, SendError, Transport};

/// What we call ourselves (PRW S1-04).
const OUR_NAME: &str = concat!("flinkbridge/", env!("CARGO_PKG_VERSION"));
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");
const RETRY_ATTEMPT: HeaderName = HeaderName::from_static("retry-attempt");
/// What a receiver of version 2.0 says it has written: samples, histograms, exemplars.
const WRITTEN: [HeaderName; 3] = [
    HeaderName::from_static("x-prometheus-remote-write-samples-written"),
    HeaderName::from_static("x-prometheus-remote-write-histograms-written"),
    HeaderName::from_static("x-prometheus-remote-write-exemplars-written"),
];
/// As many as Go's client follows.
const MAX_REDIRECTS: u32 = 10;
/// What is read of a refusal, as Prometheus does.
const MAX_WORDS_BYTES: usize = 1024;
/// What is read of a success, so that the connection can be used again.
const MAX_IGNORED_BYTES: usize = 16 << 10;
/// How long an answer's body may take once its status is known; no longer than the answer itself may.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The HTTP side of one remote.
pub(super) struct Http {
    connections: Connections,
    address: Address,
    own: OwnHeaders,
    credentials: Credentials,
    timeout: Duration,
    follow_redirects: bool,
    retry_on_http_429: bool,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// Checks everything a request needs; reads the files of `tls_config`.
    ///
    /// # Errors
    /// Everything that is wrong with `config`, not only the first thing.
    pub(super) fn try_new(config: &RemoteConfig, clock: Arc<dyn Clock>) -> Result<Self, Vec<ForwardError>> {
        let mut mistakes = Vec::new();
        let address = Address::parse(&config.url).map_err(|error| mistakes.push(error));
        let own = OwnHeaders::new(config, &mut mistakes);
        let connections = Connections::try_new(config).map_err(|error| mistakes.push(error));
        let user = address.as_ref().ok().and_then(|address| address.user.as_ref());
        let auth = match (&config.auth, user) {
            (Auth::None, Some(user)) => user,
            (configured, _) => configured,
        };
        let surroundings = Surroundings::of_process(Arc::clone(&clock));
        let credentials = Credentials::try_new(auth, surroundings).map_err(|error| mistakes.push(error));
        let (Ok(address), Ok(connections), Ok(credentials), true) =
            (address, connections, credentials, mistakes.is_empty())
        else {
            return Err(mistakes);
        };
        Ok(Self {
            connections,
            address,
            own,
            credentials,
            timeout: config.remote_timeout,
            follow_redirects: config.follow_redirects,
            retry_on_http_429: config.batch.retry_on_http_429,
            clock,
        })
    }

    /// The URL as logs and status pages show it.
    pub(super) fn shown_url(&self) -> String {
        redacted(&self.address.url)
    }

    /// Asks until somebody answers with more than a redirect. The answer's body is still to be read; beside it, the
    /// headers that it answers.
    async fn exchange(&self, letter: &Letter, attempt: u32) -> Result<(Response, HeaderMap), SendError> {
        let client = self.connections.client().await;
        let client = client.map_err(|error| unsent(whole_story(&error)))?;
        let protocol = protocol_headers(letter.message);
        let own = self.headers(protocol.clone(), attempt).await;
        let own = own.map_err(|error| unsent(error.to_string()))?;
        let mut url = self.address.url.clone();
        let (mut at_home, mut renewed) = (true, false);
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = protocol.clone();
            let mut proof = None;
            if at_home {
                headers.clone_from(&own);
                let request = Outgoing {
                    url: &mut url,
                    headers: &mut headers,
                    body: &letter.body,
                };
                let authorized = self.credentials.authorize(request).await;
                proof = authorized.map_err(|error| unsent(error.to_string()))?;
            }
            let request = client
                .post(url.clone())
                .headers(headers.clone())
                .body(letter.body.clone());
            let response = request.send().await.map_err(unanswered)?;
            match self.next_hop(&response) {
                Some(next) => url = next,
                None if self.credentials.outdated(proof, response.status()) && !renewed => renewed = true,
                None => return Ok((response, headers)),
            }
            at_home = at_home && url.origin() == self.address.url.origin();
        }
        Err(SendError::Retry {
            code: Code::Network,
            after: None,
            words: format!(
                "stopped after {MAX_REDIRECTS} redirects, the last to {}",
                redacted(&url)
            ),
        })
    }

    /// What goes to the configured host; to others only `protocol` does, as anything else may be a secret. Nor
    /// does it go there again once a redirect has led away: whoever sent it back would choose what it is sent to.
    async fn headers(&self, protocol: HeaderMap, attempt: u32) -> Result<HeaderMap, AuthError> {
        let mut headers = protocol;
        self.own.append_to(&mut headers).await?;
        if attempt > 0 {
            headers.insert(RETRY_ATTEMPT, HeaderValue::from(attempt));
        }
        Ok(headers)
    }

    /// Where a redirect leads. Only those count that keep the method: after the others a GET would be answered, and
    /// what it says of success is not about our samples.
    fn next_hop(&self, response: &Response) -> Option<Url> {
        let keeps_method = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
        if !self.follow_redirects || !keeps_method.contains(&response.status()) {
            return None;
        }
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let next = response.url().join(location).ok()?;
        matches!(next.scheme(), "http" | "https").then_some(next)
    }

    /// The retry table (docs/adr/0006).
    async fn judge(
        &self,
        (mut response, sent): (Response, HeaderMap),
        message: Message,
    ) -> Result<Accepted, SendError> {
        let status = response.status();
        let patience = self.timeout.min(BODY_PATIENCE);
        let written = written(response.headers()).filter(|_| message == Message::V2);
        if status.is_success() {
            read_up_to(&mut response, MAX_IGNORED_BYTES, patience).await;
            return taken(status.as_u16(), message, written);
        }
        let after = response.headers().get(RETRY_AFTER);
        let after = after
            .and_then(|after| after.to_str().ok())
            .and_then(|after| retry_after(after, self.clock.now()));
        let redirect = response.headers().get(LOCATION).cloned();
        let words = read_up_to(&mut response, MAX_WORDS_BYTES, patience).await;
        let mut words = without_secrets(words, &sent);
        if words.is_empty() {
            status
                .canonical_reason()
                .unwrap_or("no reason given")
                .clone_into(&mut words);
        }
        if let (true, Some(Ok(to))) = (
            status.is_redirection(),
            redirect.as_ref().map(HeaderValue::to_str),
        ) {
            let to = RemoteConfig::redact(to);
            words = format!("{words} (a redirect that is not followed; set url to where it leads: {to})");
        }
        let may_pass =
            status.is_server_error() || (status == StatusCode::TOO_MANY_REQUESTS && self.retry_on_http_429);
        if let (Message::V2, false) = (message, may_pass)
            && let Some(meant) = meant_by_v2(status, &words, written)
        {
            return Err(meant);
        }
        let may_pass_in_parts = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE].contains(&status);
        let status = status.as_u16();
        Err(match (may_pass, may_pass_in_parts) {
            (true, _) => SendError::Retry {
                code: Code::Status(status),
                after,
                words,
            },
            (false, true) => SendError::Split { status, words },
            (false, false) => SendError::Reject { status, words },
        })
    }
}

impl Transport for Http {
    async fn send(&self, letter: &Letter, attempt: u32) -> Result<Accepted, SendError> {
        let exchange = timeout(self.timeout, self.exchange(letter, attempt));
        let response = exchange.await.unwrap_or_else(|_| {
            Err(SendError::Retry {
                code: Code::Timeout,
                after: None,
                words: format!("no answer within {}", humantime::format_duration(self.timeout)),
            })
        });
        self.judge(response?, letter.message).await
    }
}

/// What a request says of itself (PRW S1-02 to S1-05, S2-02 to S2-05).
fn protocol_headers(message: Message) -> HeaderMap {
    let (content_type, version) = match message {
        Message::V1 => ("application/x-protobuf", "0.1.0"),
        Message::V2 => (
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "2.0.0",
        ),
    };
    HeaderMap::from_iter([
        (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (USER_AGENT, HeaderValue::from_static(OUR_NAME)),
        (VERSION_HEADER, HeaderValue::from_static(version)),
    ])
}

/// What the remote says it has written: `None` when it says nothing at all, and zero of what it leaves out (PRW S2-20).
fn written(headers: &HeaderMap) -> Option<Counts> {
    let of = |name: &HeaderName| {
        let said = headers.get(name)?;
        Some(
            said.to_str()
                .ok()
                .and_then(|said| said.trim().parse::<u64>().ok())
                .unwrap_or_default(),
        )
    };
    let [samples, histograms, exemplars] = WRITTEN.each_ref().map(of);
    samples.or(histograms).or(exemplars).map(|_| Counts {
        samples: samples.unwrap_or_default(),
        histograms: histograms.unwrap_or_default(),
        exemplars: exemplars.unwrap_or_default(),
    })
}

/// What a success means: who reads a 2.0 request as one of 1.0 finds it empty, and is content (PRW S2-19).
fn taken(status: u16, message: Message, written: Option<Counts>) -> Result<Accepted, SendError> {
    if message == Message::V2 && written.is_none() {
        let words = "it does not say how many samples it has written".to_owned();
        return Err(SendError::OtherVersion { status, words });
    }
    Ok(Accepted { status, written })
}

/// What a refusal of a 2.0 request means besides what it would of one of 1.0.
fn meant_by_v2(status: StatusCode, words: &str, written: Option<Counts>) -> Option<SendError> {
    let words = words.to_owned();
    match (status, written) {
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, _) => {
            let status = status.as_u16();
            Some(SendError::OtherVersion { status, words })
        }
        (StatusCode::BAD_REQUEST, None) => {
            let status = status.as_u16();
            Some(SendError::Unclear { status, words })
        }
        (status, Some(written)) if written.weight() > 0 => {
            let status = status.as_u16();
            Some(SendError::Partial {
                status,
                words,
                written,
            })
        }
        _ => None,
    }
}

/// A file that a request needs cannot be read, or there is nothing to prove who sends it; nothing was sent.
const fn unsent(words: String) -> SendError {
    SendError::Retry {
        code: Code::Local,
        after: None,
        words,
    }
}

/// No answer came: the chain of causes in one line, as the outermost says little ("error sending request").
fn unanswered(error: reqwest::Error) -> SendError {
    let words = whole_story(&error.without_url());
    SendError::Retry {
        code: Code::Network,
        after: None,
        words,
    }
}

/// The beginning of a body as text; what cannot be read of it, or does not come in time, is left out. By then the
/// answer is known: a body that never ends must not have what was stored sent again.
async fn read_up_to(response: &mut Response, max_bytes: usize, patience: Duration) -> String {
    let mut body = Vec::new();
    let deadline = Instant::now() + patience;
    while body.len() < max_bytes {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend(chunk),
            _ => break,
        }
    }
    body.truncate(max_bytes);
    while std::str::from_utf8(&body).is_err_and(|error| error.error_len().is_none()) {
        body.pop();
    }
    String::from_utf8_lossy(&body).trim().to_owned()
}

#[cfg(test)]
mod tests;
