//! The bridge among real parts: Prometheus behind it, Flink before it, `kill -9` in between.
//!
//! `tests/run` brings what is needed and says where it is (`FLINKBRIDGE_PROMETHEUS`, `FLINKBRIDGE_PROMETHEUS_3`,
//! `FLINKBRIDGE_VICTORIA_METRICS`, `FLINKBRIDGE_VMAGENT`, `FLINKBRIDGE_FLINK`, `FLINKBRIDGE_PUSHGATEWAY`, `FLINKBRIDGE_CLIENTS`); it asks for this binary by name, so that a plain `cargo test` needs
//! none of them. One test at a time: `--test-threads=1`.
//!
//! Instruments first, then one file a promise:
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test says what it expects by failing; the settings in clippy.toml do not reach its instruments"
)]

mod beside;
mod bridge;
mod capture;
mod cutter;
mod exposition;
mod flink;
mod http;
mod page;
mod process;
mod prometheus;
mod pushgateway;
mod recorder;
mod remote;
mod storm;
mod victoria;
mod wait;

mod agent_and_forwarder;
mod any_sequence_of_pushes;
mod beside_a_pushgateway;
mod clients_notice_nothing;
mod endings_at_prometheus;
mod flink_clusters;
mod histograms_at_prometheus;
mod instruments_are_true;
mod nothing_acknowledged_is_lost;
mod remote_write_in;
mod remote_write_out;
mod replayed_captures;
mod scraped_like_a_pushgateway;
mod swept_pushgateway;
mod values_at_prometheus;

/// Remote-write 1.0 as Prometheus defines it, generated from `proto/`.
mod write_v1 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/prometheus.rs"));
}

/// Prometheus' data model as clients push it, generated from `proto/`.
mod metrics_v1 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/io.prometheus.client.rs"));
}
