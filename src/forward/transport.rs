//! The seam between what is sent and how.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;

/// Takes one request body to the remote. Three exist: HTTP, gRPC, and the double of the tests.
pub(super) trait Transport: Send + Sync + 'static {
    /// Sends `body`, a snappy-compressed `WriteRequest`; `attempt` counts from 0. Returns the status of success.
    fn send(&self, body: Bytes, attempt: u32) -> impl Future<Output = Result<u16, SendError>> + Send;
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
    /// Accepted but for some samples, which can never be.
    #[error("{words}")]
    Partly {
        /// The status.
        status: u16,
        /// How many samples were refused.
        refused: u32,
        /// The remote's own words.
        words: String,
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
            Self::Split { status, .. } | Self::Partly { status, .. } | Self::Reject { status, .. } => {
                Code::Status(*status)
            }
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
