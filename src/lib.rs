//! flinkbridge takes metrics that are pushed, gives them one clean set of labels, stores them durably, forwards them
//! by remote-write, and ends the series of what has gone.
//!
//! ```text
//!   Flink, curl, any Pushgateway client                                     a managed Prometheus
//!        │ PUT POST DELETE                                                        ▲ remote-write
//!        ▼                                                                        │
//!   api ──► codec ──► intake ──────────────► queue (disk) ──────────────────► forward
//!           text      normalise: labels        one log,                        lanes, retries
//!                     registry: who, endings   one position a remote
//! ```
//!
//! A sample's walk, in reading order: `api/push.rs` (socket), `codec/text.rs` (bytes to samples), `intake/mod.rs`
//! (labels, plan, queue), `queue/mod.rs` (on disk), `forward/mod.rs` (off disk), `forward/remote_write.rs` (wire).
//! `normalise`, `registry` and `codec/block.rs` are side rooms: one call each.
//!
//! Modules stand on floors and use only lower ones (`tests/architecture.rs` checks it):

// 7
pub mod cli;
pub mod demo;
// 6
pub mod app;
// 5
pub mod config;
// 4
pub mod api;
pub mod sweep;
// 3
pub mod forward;
pub mod gateway;
pub mod intake;
// 2
pub mod catalogue;
pub mod registry;
// 1
pub mod codec;
pub mod normalise;
pub mod queue;
// 0
pub mod model;
