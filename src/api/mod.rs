//! The doors: each turns a request into one call on the way in, and each answer is picked in `reply`.
//!
//! | door | requests |
//! |---|---|
//! | `push` | PUT, POST, DELETE `/metrics/job/...` |
//! | `show` | GET `/metrics` |
//! | `write` | POST `/api/v1/write`, `/write`, `/api/v1/prom/write`, `/api/v1/push` |
//! | `v1` | GET `/api/v1/metrics`, `/api/v1/status`; PUT `/api/v1/admin/wipe` |
//! | `page` | GET `/`, `/status` |
//! | `probe` | GET `/-/healthy`, `/-/ready`, `/-/metrics`; PUT, POST `/-/reload`, `/-/quit` |
//!
//! `listen` takes connections, greeted by `tls` where the web configuration file says so; `auth` judges who asks.
//!
//! `grpc` is a door of its own, on a port of its own: streams of remote-write messages.
//!
//! A new protocol is one more file here and one more line in `Doors::answer`.

mod accept;
mod auth;
mod body;
mod books;
mod config;
mod detour;
mod encoding;
mod exhibition;
mod format;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod group_path;
mod grpc;
mod listen;
mod outgoing;
mod own;
mod page;
mod patience;
mod probe;
mod push;
mod question;
mod reply;
mod request_line;
mod show;
mod tls;
mod v1;
mod web;
mod write;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use hyper::body::{Body as _, Incoming};
use prometheus_client::registry::Registry as Metrics;
use tokio::sync::{Semaphore, mpsc};

use crate::intake::{Intake, Quiet};
use crate::model::{Clock, UnixMillis};

use auth::Denied;
use books::Books;
use outgoing::Outgoing;
use reply::Reply;

pub use auth::{HashError, PasswordHash, Right, Rights, User};
pub use config::{DoorConfig, ReceiverConfig};
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use fuzzing::{any_packed_body, any_path};
pub use grpc::{GrpcConfig, GrpcDoor, GrpcError, GrpcProtection, GrpcTls, Role, Token, serve_grpc};
pub use listen::{listen, serve};
pub use web::{Clients, Pem, TlsConfig, Versions, Web, WebConfig, WebError};

/// What a door asks of the program around it.
#[derive(Debug)]
pub enum Wish {
    /// To read the configuration again.
    Reload {
        /// Where the outcome goes: done, or every mistake in the configuration as one text.
        answer: tokio::sync::oneshot::Sender<Result<(), String>>,
    },
    /// To end.
    Quit,
}

/// The settings in force, shown by name: Pushgateway's flags as far as there is the like, then our keys.
pub type Flags = BTreeMap<String, String>;

/// Everything the doors need. Shared by all connections.
#[derive(Debug)]
pub struct Doors {
    intake: Intake,
    config: ArcSwap<DoorConfig>,
    web: ArcSwap<Web>,
    bodies: Arc<body::Room>,
    scrapes: Arc<Semaphore>,
    books: Books,
    refusals: Quiet,
    clock: Arc<dyn Clock>,
    started: UnixMillis,
    flags: ArcSwap<Flags>,
    shown: std::sync::OnceLock<Metrics>,
    wishes: mpsc::Sender<Wish>,
}

impl Doors {
    /// Doors that lead to `intake`, open to everybody until they are [protected](Self::protect). `metrics` gets the
    /// doors' own counters.
    #[must_use]
    pub fn new(
        (intake, clock): (Intake, Arc<dyn Clock>),
        config: DoorConfig,
        metrics: &mut Metrics,
        wishes: mpsc::Sender<Wish>,
    ) -> Self {
        let books = Books::default();
        books.register(metrics);
        Self {
            intake,
            config: ArcSwap::from_pointee(config),
            web: ArcSwap::default(),
            bodies: Arc::default(),
            scrapes: Arc::new(Semaphore::new(show::MAX_AT_ONCE)),
            books,
            refusals: Quiet::new(std::time::Duration::from_secs(1)),
            started: clock.now(),
            clock,
            flags: ArcSwap::default(),
            shown: std::sync::OnceLock::new(),
            wishes,
        }
    }

    /// Takes up other settings; where to listen stays as it is.
    pub fn configure(&self, config: DoorConfig) {
        self.config.store(Arc::new(config));
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<DoorConfig> {
        self.config.load_full()
    }

    /// Lets in only whom `web` lets in, from the next request on; new connections are greeted as it says.
    pub fn protect(&self, web: Web) {
        self.web.store(Arc::new(web));
    }

    /// What protects the doors now.
    #[must_use]
    pub fn protection(&self) -> Arc<Web> {
        self.web.load_full()
    }

    /// Shows `flags` as the settings in force; no secret may be among them.
    pub fn describe(&self, flags: Flags) {
        self.flags.store(Arc::new(flags));
    }

    /// Shows `metrics` at `/-/metrics` and `/metrics`; to be called once, when every part has registered its own.
    pub fn show(&self, metrics: Metrics) {
        // a second call would show the same parts again; the first registry stays
        let _ = self.shown.set(metrics);
    }

    /// Answers one request.
    async fn answer(self: &Arc<Self>, peer: SocketAddr, request: Request<Incoming>) -> Response<Outgoing> {
        let config = self.config.load_full();
        let path = strip_prefix(request.uri().path(), &config.path_prefixes).to_owned();
        let method = request.method().clone();
        let web = self.web.load_full();
        let reply = match judge(&web, &config, (&method, &path), request.headers()).await {
            Ok(()) => self.let_in(&config, (peer, &path), request).await,
            Err(denied) => {
                body::discard(request).await;
                Reply::denied(&denied)
            }
        };
        self.books.answered(&method, &path, reply.status());
        self.log_refusal(&reply, (&method, &path), peer);
        let is_of_api = v1::has_given(&reply, (&method, &path));
        let mut response = reply.into_response();
        if is_of_api {
            v1::dress(response.headers_mut());
        }
        web.dress(response.headers_mut());
        if method == Method::HEAD {
            return without_body(response);
        }
        response
    }

    async fn let_in(
        self: &Arc<Self>,
        config: &Arc<DoorConfig>,
        (peer, path): (SocketAddr, &str),
        request: Request<Incoming>,
    ) -> Reply {
        if let Some(detour) = detour::of(request.method(), path, request.uri()) {
            return detour;
        }
        match path {
            "/-/healthy" => probe::healthy(request.method()),
            "/-/ready" => probe::ready(request.method(), &self.intake),
            "/metrics" => show::metrics(self, request.method(), request.headers()).await,
            "/-/metrics" => probe::metrics(request.method(), self.shown.get()),
            "/-/reload" => probe::reload(request.method(), &self.wishes).await,
            "/-/quit" => probe::quit(request.method(), config, &self.wishes).await,
            "/" | "/status" => {
                let query = request.uri().query().unwrap_or_default();
                page::page(request.method(), self, query).await
            }
            path if write::PATHS.contains(&path) => write::write(self, config, request).await,
            path if path.starts_with(v1::PREFIX) => {
                let query = request.uri().query().unwrap_or_default();
                v1::answer(self, config, (request.method(), path), query).await
            }
            _ => push::push(self, config, (peer, path), request).await,
        }
    }

    fn log_refusal(&self, reply: &Reply, (method, path): (&Method, &str), peer: SocketAddr) {
        let Some(sentence) = reply.refusal() else { return };
        if self.refusals.may_speak(self.clock.now()) {
            tracing::warn!(%peer, %method, path, status = reply.status().as_u16(), error = sentence, "refused a request");
        } else {
            tracing::debug!(%peer, %method, path, status = reply.status().as_u16(), error = sentence, "refused a request");
        }
    }
}

/// The answer to a HEAD: as long as the one to a GET, by its header. The HTTP library sends the body all the same where
/// HTTP/2 is spoken, which clients take for a breach of the protocol.
fn without_body(response: Response<Outgoing>) -> Response<Outgoing> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, Outgoing::empty())
}

/// Whether whoever asks may ask this.
async fn judge(
    web: &Web,
    config: &DoorConfig,
    (method, path): (&Method, &str),
    headers: &HeaderMap,
) -> Result<(), Denied> {
    let is_public = config.public_probes && matches!(path, "/-/healthy" | "/-/ready");
    match web.gate() {
        Some(gate) if !is_public => gate.admit(headers, (method, path)).await,
        _ => Ok(()),
    }
}

/// The path without the longest of the prefixes that stands before it.
fn strip_prefix<'a>(path: &'a str, prefixes: &[String]) -> &'a str {
    prefixes
        .iter()
        .filter_map(|prefix| path.strip_prefix(prefix.trim_end_matches('/')))
        .filter(|rest| rest.starts_with('/'))
        .min_by_key(|rest| rest.len())
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_is_cut_off_at_a_slash() {
        let prefixes = ["/api/v1/push/tok123/".to_owned(), "/api".to_owned()];

        for (path, expected) in [
            ("/api/v1/push/tok123/metrics/job/a", "/metrics/job/a"),
            ("/api/metrics/job/a", "/metrics/job/a"),
            ("/apis/metrics/job/a", "/apis/metrics/job/a"),
            ("/metrics/job/a", "/metrics/job/a"),
        ] {
            assert_eq!(strip_prefix(path, &prefixes), expected);
        }
    }
}
