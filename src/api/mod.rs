//! The doors: each turns a request into one call on the way in, and each answer is picked in `reply`.
//!
//! | door | requests |
//! |---|---|
//! | `push` | PUT, POST, DELETE `/metrics/job/...` |
//! | `probe` | GET `/-/healthy`, `/-/ready`, `/-/metrics`; PUT, POST `/-/reload` |
//!
//! A new protocol is one more file here and one more line in [`Doors::answer`].

mod body;
mod books;
mod config;
mod encoding;
mod format;
mod group_path;
mod listen;
mod probe;
mod push;
mod reply;
mod request_line;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use prometheus_client::registry::Registry as Metrics;
use tokio::sync::mpsc;

use crate::intake::{Intake, Quiet};
use crate::model::Clock;

use books::Books;
use reply::Reply;

pub use config::DoorConfig;
pub use listen::{listen, serve};

/// What a door asks of the program around it.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Where the outcome goes: done, or every mistake in the configuration as one text.
    pub answer: tokio::sync::oneshot::Sender<Result<(), String>>,
}

/// Everything the doors need. Shared by all connections.
#[derive(Debug)]
pub struct Doors {
    intake: Intake,
    config: ArcSwap<DoorConfig>,
    bodies: Arc<body::Room>,
    books: Books,
    refusals: Quiet,
    clock: Arc<dyn Clock>,
    shown: std::sync::OnceLock<Metrics>,
    reload: mpsc::Sender<ReloadRequest>,
}

impl Doors {
    /// Doors that lead to `intake`. `metrics` gets the doors' own counters.
    #[must_use]
    pub fn new(
        (intake, clock): (Intake, Arc<dyn Clock>),
        config: DoorConfig,
        metrics: &mut Metrics,
        reload: mpsc::Sender<ReloadRequest>,
    ) -> Self {
        let books = Books::default();
        books.register(metrics);
        Self {
            intake,
            config: ArcSwap::from_pointee(config),
            bodies: Arc::default(),
            books,
            refusals: Quiet::new(std::time::Duration::from_secs(1)),
            clock,
            shown: std::sync::OnceLock::new(),
            reload,
        }
    }

    /// Takes up other settings; where to listen stays as it is.
    pub fn configure(&self, config: DoorConfig) {
        self.config.store(Arc::new(config));
    }

    /// Shows `metrics` at `/-/metrics`; to be called once, when every part has registered its own.
    pub fn show(&self, metrics: Metrics) {
        // a second call would show the same parts again; the first registry stays
        let _ = self.shown.set(metrics);
    }

    /// Answers one request.
    async fn answer(self: &Arc<Self>, peer: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let config = self.config.load_full();
        let path = strip_prefix(request.uri().path(), &config.path_prefixes).to_owned();
        let method = request.method().clone();
        let reply = match path.as_str() {
            "/-/healthy" => probe::healthy(&method),
            "/-/ready" => probe::ready(&method, &self.intake),
            "/-/metrics" => probe::metrics(&method, self.shown.get()),
            "/-/reload" => probe::reload(&method, &self.reload).await,
            _ => push::push(self, &config, (peer, &path), request).await,
        };
        self.books.answered(&method, &path, reply.status());
        self.log_refusal(&reply, (&method, &path), peer);
        reply.into_response()
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
