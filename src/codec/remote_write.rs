//! Remote-write requests of any sender, in either version of the protocol: series borrowed from the decompressed body. And
//! ours, written, where a block is not the request as it lies: [`Encoder`], [`encode_metadata`].
//!
//! A body that cannot be read is an error, and nothing of it is taken. One that can be read may still have series, or
//! parts of series, that make no sense: those become [`Flaws`] with exact counts, and the rest is kept. What makes sense
//! is judged as Prometheus judges it (`storage/remote/write_handler.go`, `model/histogram`).
//!
//! - Labels may come in any order. A label without a value is none; one without a name, twice the same name, and text that
//!   is not UTF-8 are flaws of the whole series, and so is having no metric name.
//! - Histograms are checked whole; those of a resolution finer than stores know are merged into the finest they know.
//! - Series with exemplars or metadata only are fine. Times may be any; their order is not looked at.
//! - Fields this version does not know are passed over (PRW R1-06, R2-10).

mod encode_v2;
mod histogram;
mod limits;
mod message;
mod metadata;
mod reduce;
mod request;
mod series;
mod symbols;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

pub use encode_v2::{Describe, Encoded, Encoder};
pub use limits::Limits;
pub use message::{Message, Recall};
pub use metadata::encode_metadata;
pub use request::{Counts, Flaw, Flaws, Request};
