//! The seam between what is sent and how.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::codec::remote_write::Counts;

use super::letter::Letter;

/// Takes one request to the remote. Three exist: HTTP, gRPC, and the double of the tests.
pub(super) trait Transport: Send + Sync + 'static {
    /// Sends `letter`; `attempt` counts from 0.
    fn send(&self, letter: &Letter, attempt: u32)
    -> impl Future<Output = Result<Accepted, SendError>> + Send;
}

/// The remote has a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The status.
    pub(super) status: u16,
    /// What it says it has written; of a request of version 2.0 only (PRW S2-20).
    pub(super) written: Option<Counts>,
}

/// Why the remote does not have a request. Whether to try again is told by the variant, never by the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SendError {
    /// May pass: 5xx, 429, a broken or slow network, a secret that cannot be read.
    #[error("{words}")]
    Retry {
        /// What came instead of success.
        code: Code,
        /// The pause that the remote asks for.
        after: Option<Duration>,
        /// The remote's own words, or what is wrong on our side.
        words: String,
    },
    /// 400 and 413: refused as it is; its parts may pass.
    #[error("{words}")]
    Split {
        /// The status.
        status: u16,
        /// The remote's own words.
        words: String,
    },
    /// 415, or success without a word of what was written: it does not understand version 2.0 (PRW S2-18, S2-19).
    #[error("{words}")]
    OtherVersion {
        /// The status.
        status: u16,
        /// The remote's own words, or ours.
        words: String,
    },
    /// 400 to a request of version 2.0 without a word of what was written: refused, or not understood (PRW S2-18).
    #[error("{words}")]
    Unclear {
        /// The status.
        status: u16,
        /// The remote's own words.
        words: String,
    },
    /// A part of a request of version 2.0, or to a bridge, was refused for good, the rest is written (PRW S2-20).
    #[error("{words}")]
    Partial {
        /// The status.
        status: u16,
        /// The remote's own words.
        words: String,
        /// What is written.
        written: Counts,
    },
    /// Can never succeed.
    #[error("{words}")]
    Reject {
        /// The status.
        status: u16,
        /// The remote's own words.
        words: String,
    },
}

impl SendError {
    /// What came instead of success.
    pub(super) const fn code(&self) -> Code {
        match self {
            Self::Retry { code, .. } => *code,
            Self::Split { status, .. }
            | Self::OtherVersion { status, .. }
            | Self::Unclear { status, .. }
            | Self::Partial { status, .. }
            | Self::Reject { status, .. } => Code::Status(*status),
        }
    }
}

/// How an attempt ended, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Code {
    /// The remote answered.
    Status(u16),
    /// It did not within `remote_timeout`.
    Timeout,
    /// No answer came: name, connection, TLS.
    Network,
    /// The request was never sent: a secret cannot be read.
    Local,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Timeout => f.write_str("timeout"),
            Self::Network => f.write_str("network"),
            Self::Local => f.write_str("local"),
        }
    }
}
