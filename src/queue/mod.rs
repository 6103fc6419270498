//! A durable first-in-first-out log of byte records; knows nothing of metrics.
mod config;
pub use config::{QueueConfig, SyncPolicy, WhenFull};
