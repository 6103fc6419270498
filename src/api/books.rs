//! What the doors count.

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::write;
use crate::codec::remote_write::{Counts, Message};
use crate::codec::show;

const CLASHING: &str = "clashing";
const DAMAGED: &str = "damaged";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    code: u16,
    handler: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Written {
    door: &'static str,
    version: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

/// The counters of the doors.
#[derive(Clone, Debug)]
pub(super) struct Books {
    requests: Family<Request, Counter>,
    pub(super) push_bytes: Histogram,
    pub(super) push_seconds: Histogram,
    pub(super) write_bytes: Histogram,
    pub(super) write_seconds: Histogram,
    written: Family<Written, Counter>,
    pub(super) show_seconds: Histogram,
    pub(super) broken_scrapes: Counter,
    not_shown: Family<Reason, Gauge>,
    pub(super) connections: Gauge,
    pub(super) bad_connections: Counter,
}

impl Default for Books {
    fn default() -> Self {
        let not_shown = Family::<Reason, Gauge>::default();
        for reason in [CLASHING, DAMAGED] {
            drop(not_shown.get_or_create(&Reason { reason }));
        }
        let books = Self {
            requests: Family::default(),
            push_bytes: Histogram::new(exponential_buckets(256.0, 4.0, 10)),
            push_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            write_bytes: Histogram::new(exponential_buckets(256.0, 4.0, 10)),
            write_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            written: Family::default(),
            show_seconds: Histogram::new(exponential_buckets(0.001, 4.0, 9)),
            broken_scrapes: Counter::default(),
            not_shown,
            connections: Gauge::default(),
            bad_connections: Counter::default(),
        };
        for message in [Message::V1, Message::V2] {
            books.received("http", message, Default::default());
        }
        books
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
        http.register(
            "write_size_bytes",
            "Length of remote-write requests, decompressed",
            self.write_bytes.clone(),
        );
        http.register(
            "write_duration_seconds",
            "From the end of a remote-write request to its answer",
            self.write_seconds.clone(),
        );
        http.register(
            "written_samples",
            "Samples, native histograms and exemplars of remote-write requests, by door, version and outcome",
            self.written.clone(),
        );
        http.register(
            "show_duration_seconds",
            "From a scrape of /metrics to the last byte that was taken of it",
            self.show_seconds.clone(),
        );
        http.register(
            "broken_scrapes",
            "Scrapes of /metrics that were not taken to their end",
            self.broken_scrapes.clone(),
        );
        http.register(
            "not_shown",
            "What the last scrape of /metrics had to leave out, by reason",
            self.not_shown.clone(),
        );
        http.register("connections", "Connections open", self.connections.clone());
        http.register(
            "bad_connections",
            "Connections that did not speak HTTP to their end",
            self.bad_connections.clone(),
        );
    }

    /// Takes note of what a scrape left out.
    pub(super) fn not_shown(&self, left_out: show::LeftOut) {
        for (reason, count) in [(CLASHING, left_out.clashing), (DAMAGED, left_out.damaged)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.not_shown.get_or_create(&Reason { reason }).set(count);
        }
    }

    /// Takes note of what a remote-write request brought: what of it is taken, and what is not.
    pub(super) fn received(&self, door: &'static str, message: Message, (taken, refused): (Counts, Counts)) {
        for (outcome, counts) in [("taken", taken), ("refused", refused)] {
            for (kind, count) in [
                ("sample", counts.samples),
                ("histogram", counts.histograms),
                ("exemplar", counts.exemplars),
            ] {
                let labels = Written {
                    door,
                    version: message.version(),
                    kind,
                    outcome,
                };
                self.written.get_or_create(&labels).inc_by(count);
            }
        }
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
        } else if path == "/metrics" {
            "metrics"
        } else if write::PATHS.contains(&path) {
            "write"
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
