//! Simulated Flink: clusters of processes that push what a real Flink 1.20 pushes, as it pushes it.
//!
//! - `metrics`: which metrics there are, taken from captures of a real cluster, and how their values move
//! - `cluster`: who runs where: JobManager, TaskManagers, jobs and their attempts
//! - `body`: one process' push as text, byte for byte in Java's manner
//! - `push`: PUT at an interval, DELETE at a shutdown, nothing at a kill

mod body;
mod cast;
mod cluster;
mod metrics;
mod push;

pub use cast::{Cast, CastError};
pub(super) use cast::{Ledger, Player, Which};
#[cfg(test)]
pub(super) use push::client;
