//! What the gRPC door counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tonic::{Code, Status};

use crate::codec::ingest::{self, Outcome};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    code: &'static str,
}

/// The counters of the gRPC door.
#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) connections: Gauge,
    pub(super) streams: Gauge,
    pub(super) message_bytes: Counter,
    pub(super) acknowledging: Histogram,
    messages: Family<Judged, Counter>,
    calls: Family<Ended, Counter>,
}

impl Default for Books {
    fn default() -> Self {
        let messages = Family::<Judged, Counter>::default();
        for outcome in [
            Outcome::Taken,
            Outcome::PartlyTaken,
            Outcome::Refused,
            Outcome::TooLarge,
            Outcome::Retry,
        ] {
            drop(messages.get_or_create(&Judged {
                outcome: word(outcome),
            }));
        }
        let calls = Family::<Ended, Counter>::default();
        drop(calls.get_or_create(&Ended { code: code(Code::Ok) }));
        Self {
            connections: Gauge::default(),
            streams: Gauge::default(),
            message_bytes: Counter::default(),
            acknowledging: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            messages,
            calls,
        }
    }
}

impl Books {
    pub(super) fn register(&self, registry: &mut Registry) {
        let grpc = registry.sub_registry_with_prefix("grpc");
        grpc.register("connections", "Connections open", self.connections.clone());
        grpc.register("streams", "Streams of messages under way", self.streams.clone());
        grpc.register("messages", "Messages judged, by outcome", self.messages.clone());
        grpc.register(
            "message_bytes",
            "Length of the messages' bodies, as sent",
            self.message_bytes.clone(),
        );
        grpc.register(
            "acknowledge_duration_seconds",
            "From a message's arrival to its acknowledgement",
            self.acknowledging.clone(),
        );
        grpc.register(
            "calls",
            "Streams of messages ended, and calls refused, by status",
            self.calls.clone(),
        );
    }

    pub(super) fn judged(&self, result: &ingest::Result) {
        let outcome = word(result.outcome());
        self.messages.get_or_create(&Judged { outcome }).inc();
    }

    pub(super) fn ended(&self, status: &Status) {
        let code = code(status.code());
        self.calls.get_or_create(&Ended { code }).inc();
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Taken => "taken",
        Outcome::PartlyTaken => "partly_taken",
        Outcome::Refused => "refused",
        Outcome::TooLarge => "too_large",
        Outcome::Retry | Outcome::Unspecified => "retry",
    }
}

const fn code(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::Aborted => "aborted",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::Unauthenticated => "unauthenticated",
        _ => "other",
    }
}
