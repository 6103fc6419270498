//! The demo: what the bridge does, shown without anything else installed.
//!
//! - [`Store`] and [`StoreServer`]: a remote-write store in memory, with a page and JSON, as strict as Prometheus
//! - [`Cast`]: simulated Flink clusters that push over HTTP as Flink's own reporter does
//! - [`Story`]: what happens to them, and what of it was then really seen at the store
//!
//! Everything here is on loopback and in memory. Nothing in this folder knows the bridge's inside: it is pushed to,
//! and what it forwards is looked at, as any Flink and any Prometheus would.

mod flink;
mod pace;
mod store;
mod story;

pub use flink::{Cast, CastError};
pub use pace::Pace;
pub use store::{Census, Selector, Store, StoreServer};
pub use story::{Story, Summary};
