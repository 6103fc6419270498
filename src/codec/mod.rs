//! Bytes to samples and back: pure, bounded, without a panic for any input.
//!
//! - [`exposition`]: what a pushed body says, in whichever of the three formats it is
//! - [`text`]: the text exposition 0.0.4, as Flink's Java client and Pushgateway's clients write it
//! - [`openmetrics`]: OpenMetrics 1.0 text
//! - [`protobuf`]: delimited `io.prometheus.client.MetricFamily` messages
//! - [`histogram`], [`exemplar`]: what few samples have, as clients push it and as remote-write wants it
//! - [`block`]: remote-write series, encoded and compressed once; what the queue stores and the wire wants
//! - [`record`]: one queue record: an event for the registry and three blocks for the wire
//! - [`shape`] and [`layer`]: a push as it was pushed, packed, to be shown again
//! - [`show`]: what was pushed, merged and written in the format of a scrape
//! - [`json`]: groups as Pushgateway's JSON API shows them
//! - [`remote_write`]: the remote-write requests of any sender
//! - [`ingest`]: the messages of our own gRPC stream, generated

pub mod block;
mod cursor;
pub mod exemplar;
pub mod exposition;
#[cfg(test)]
pub(crate) mod generated;
pub mod histogram;
pub mod ingest;
pub mod json;
mod labels;
pub mod layer;
mod number;
pub mod openmetrics;
pub mod protobuf;
pub mod record;
pub mod remote_write;
pub mod shape;
pub mod show;
pub mod text;
mod wire;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends inside a field.
    #[error("{what} is cut off at byte {at}")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes from its beginning.
        at: usize,
    },
    /// A field holds what it may not hold.
    #[error("{what}: {problem}")]
    Invalid {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What should be text is none.
    #[error("{what}: is not valid UTF-8")]
    NotUtf8 {
        /// What was being read.
        what: &'static str,
    },
    /// A length is over its limit.
    #[error("{what} of {len} bytes is over the limit of {limit}")]
    TooLarge {
        /// What was being read.
        what: &'static str,
        /// How long it says it is.
        len: usize,
        /// How long it may be.
        limit: usize,
    },
    /// There is more of something than there may be.
    #[error("{what}: more than {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// The snappy block does not decompress.
    #[error("snappy block: {0}")]
    Snappy(#[from] snap::Error),
}
