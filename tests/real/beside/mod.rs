//! Two servers that are asked the same: a real Pushgateway, and the bridge in its place.
//!
//! A [`Pair`] sends every request to both and compares what they answer, and what they then show at `GET /metrics` (text
//! and protobuf) and `/api/v1/metrics`. What may differ is in [`Deliberate`], by name; a scenario that names one fails
//! when the difference is not there.

mod deliberate;
mod pair;
mod request;
mod scenarios;
mod shown;

pub(crate) use deliberate::Deliberate;
pub(crate) use pair::{Mode, Pair, Patience, groups};
pub(crate) use request::{Request, Scenario, delete, get, post, put};
pub(crate) use scenarios::chapters;
