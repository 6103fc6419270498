//! What the doors count.

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    code: u16,
    handler: &'static str,
}

/// The counters of the doors.
#[derive(Clone, Debug)]
pub(super) struct Books {
    requests: Family<Request, Counter>,
    pub(super) push_bytes: Histogram,
    pub(super) push_seconds: Histogram,
    pub(super) connections: Gauge,
    pub(super) bad_connections: Counter,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            push_bytes: Histogram::new(exponential_buckets(256.0, 4.0, 10)),
            push_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            connections: Gauge::default(),
            bad_connections: Counter::default(),
        }
    }
}

impl Books {
    pub(super) fn register(&self, registry: &mut Registry) {
        let http = registry.sub_registry_with_prefix("http");
        http.register(
            "requests",
            "Requests answered, by handler, method and status",
            self.requests.clone(),
        );
        http.register(
            "push_size_bytes",
            "Length of pushed bodies, decompressed",
            self.push_bytes.clone(),
        );
        http.register(
            "push_duration_seconds",
            "From the end of a push's body to its answer",
            self.push_seconds.clone(),
        );
        http.register("connections", "Connections open", self.connections.clone());
        http.register(
            "bad_connections",
            "Connections that did not speak HTTP to their end",
            self.bad_connections.clone(),
        );
    }

    pub(super) fn answered(&self, method: &Method, path: &str, code: StatusCode) {
        let method = match method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "PUT" => "PUT",
            "POST" => "POST",
            "DELETE" => "DELETE",
            _ => "other",
        };
        let handler = if path.starts_with("/metrics/job") {
            "push"
        } else if path.starts_with("/api/") {
            "api"
        } else if matches!(path, "/" | "/status") {
            "page"
        } else if path.starts_with("/-/") {
            "probe"
        } else {
            "other"
        };
        self.requests
            .get_or_create(&Request {
                method,
                code: code.as_u16(),
                handler,
            })
            .inc();
    }
}
