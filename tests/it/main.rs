//! The bridge as a whole, within the test's own process: real sockets, a real disk, a remote that keeps what it is sent.
//!
//! What needs programs of others is in `tests/real`, whose instruments are shared. One file a promise:
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what it expects by failing; the settings in clippy.toml do not reach its instruments"
)]
#![allow(
    dead_code,
    reason = "instruments shared with tests/real, of which this binary needs some"
)]

mod agent_and_forwarder;
mod bridge;
#[path = "../real/capture.rs"]
mod capture;
#[path = "../real/cutter.rs"]
mod cutter;
#[path = "../real/http.rs"]
mod http;
#[path = "../real/remote.rs"]
mod remote;
mod secured;
mod stream;
mod strict;
#[path = "../real/wait.rs"]
mod wait;

mod accounting;
mod administration;
mod bad_input;
mod bodies;
mod captures;
mod command_line;
mod crowd;
mod durability;
mod grpc_stream;
mod histograms;
mod hostile_bodies;
mod json_api;
mod limits;
mod offenders;
mod own_times;
mod program;
mod protobuf_alone;
mod pushgateway_semantics;
mod receiver;
mod reloading;
mod remote_write_sender;
mod shown;
mod shutdown;
mod staleness;
mod status_page;
mod swept;
mod utf8_names;
mod web_config;

/// Remote-write 1.0 as Prometheus defines it, generated from `proto/`.
mod write_v1 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/prometheus.rs"));
}

/// Remote-write 2.0 as Prometheus defines it, generated from `proto/`.
mod write_v2 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/io.prometheus.write.v2.rs"));
}

/// Metric families as Prometheus' clients push them, generated from `proto/`.
mod metrics_v1 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/io.prometheus.client.rs"));
}
