//! The way to another bridge: one stream of numbered messages for all lanes (`flinkbridge.ingest.v1`).
//!
//! - A request resolves when its message is acknowledged: durable there, or refused for good.
//! - Numbers are kept over streams. When a connection breaks, the bridge there says how far it got, and what it has not
//!   got is sent again under its old number, in the old order; so nothing is sent twice unless it was restarted.
//! - A status that ends the stream says nothing of a message, so after each of them everything is tried again: a token
//!   that is wrong for an hour costs an hour and no sample.

mod connect;
mod link;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::config::{Auth, ProxyConfig, RemoteConfig};
use super::credentials::{AuthError, Credentials, Outgoing, Surroundings};
use super::error::ForwardError;
use super::headers::OwnHeaders;
use super::letter::Letter;
use super::transport::{Accepted, Code, SendError, Transport};
use crate::model::Clock;

use connect::Endpoint;
use link::Link;
use outbox::Outbox;

/// The gRPC side of one remote.
pub(super) struct Grpc {
    endpoint: Endpoint,
    own: OwnHeaders,
    credentials: Credentials,
    timeout: Duration,
    outbox: Arc<Outbox>,
    /// The stream in use. Who finds it broken makes the next, and the others wait for that.
    link: Mutex<Option<Arc<Link>>>,
}

impl Grpc {
    /// Whether this is the way to such a URL.
    pub(super) fn is_meant_by(url: &str) -> bool {
        let is = |scheme: &str| {
            url.get(..scheme.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        is("grpc://") || is("grpcs://")
    }

    /// Checks everything a stream needs; reads the files of `tls_config`.
    ///
    /// # Errors
    /// Everything that is wrong with `config`.
    pub(super) fn try_new(config: &RemoteConfig, clock: &Arc<dyn Clock>) -> Result<Self, Vec<ForwardError>> {
        let mut mistakes = refused_settings(config);
        let own = OwnHeaders::new(config, &mut mistakes);
        let endpoint = Endpoint::try_new(config).map_err(|error| mistakes.push(error));
        let user = endpoint.as_ref().ok().and_then(Endpoint::user);
        let auth = match (&config.auth, user) {
            (Auth::None, Some(user)) => user,
            (configured, _) => configured,
        };
        let surroundings = Surroundings::of_process(Arc::clone(clock));
        let credentials = Credentials::try_new(auth, surroundings).map_err(|error| mistakes.push(error));
        let (Ok(endpoint), Ok(credentials), true) = (endpoint, credentials, mistakes.is_empty()) else {
            return Err(mistakes);
        };
        Ok(Self {
            endpoint,
            own,
            credentials,
            timeout: config.remote_timeout,
            outbox: Arc::new(Outbox::new(rand::random())),
            link: Mutex::new(None),
        })
    }

    /// The URL as logs and status pages show it.
    pub(super) fn shown_url(&self) -> String {
        self.endpoint.shown_url()
    }

    /// The stream in use, or a new one that goes on where the last ended.
    async fn link(&self) -> Result<Arc<Link>, SendError> {
        let mut link = self.link.lock().await;
        if let Some(open) = link.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(open));
        }
        if let Some(broken) = link.take() {
            broken.close();
        }
        let headers = self.headers().await.map_err(local)?;
        let fresh = Arc::new(Link::open(&self.endpoint, headers, &self.outbox).await?);
        *link = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// What goes along with the call: headers of the operator's own, and what proves who calls.
    async fn headers(&self) -> Result<HeaderMap, AuthError> {
        let mut headers = HeaderMap::new();
        self.own.append_to(&mut headers).await?;
        let mut url = self.endpoint.url().clone();
        let call = Outgoing {
            url: &mut url,
            headers: &mut headers,
            body: &[],
        };
        self.credentials.authorize(call).await?;
        Ok(headers)
    }

    fn late(&self) -> SendError {
        SendError::Retry {
            code: Code::Timeout,
            after: None,
            words: format!("no answer within {}", humantime::format_duration(self.timeout)),
        }
    }
}

impl Transport for Grpc {
    async fn send(&self, letter: &Letter, _attempt: u32) -> Result<Accepted, SendError> {
        let deadline = Instant::now() + self.timeout;
        let link = timeout_at(deadline, self.link())
            .await
            .unwrap_or_else(|_| Err(self.late()))?;
        match timeout_at(deadline, link.send(letter.body.clone())).await {
            Ok(answer) => answer,
            Err(_) => {
                // only a new stream can tell how far this one got
                link.close();
                Err(self.late())
            }
        }
    }
}

fn local(error: impl std::fmt::Display) -> SendError {
    SendError::Retry {
        code: Code::Local,
        after: None,
        words: error.to_string(),
    }
}

/// Settings that say nothing on this way.
fn refused_settings(config: &RemoteConfig) -> Vec<ForwardError> {
    let mut mistakes = Vec::new();
    let mut refuse = |field, why| mistakes.push(ForwardError::NotByGrpc { field, why });
    if config.proxy != ProxyConfig::default() {
        refuse(
            "proxy_url",
            "is for HTTP, and a stream goes straight: take it out",
        );
    }
    if matches!(config.auth, Auth::SigV4(_)) {
        refuse(
            "sigv4",
            "is for HTTP: use authorization with a token of the bridge",
        );
    }
    if config.batch.sample_age_limit.is_some() {
        let why = "would change what has its number already: set it at the bridge, or queue.max_age";
        refuse("queue_config.sample_age_limit", why);
    }
    if config.limits.max_age.is_some() {
        let why = "would change what has its number already: set it at the bridge, or queue.max_age";
        refuse("limits.max_age", why);
    }
    mistakes
}
