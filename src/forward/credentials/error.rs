//! Why a request has no credentials.

use std::path::PathBuf;

/// Why a request has no credentials, and so is not sent. Never holds a secret. All of it may pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::forward) enum AuthError {
    #[error("cannot read the secret in {}: {problem}", path.display())]
    Unreadable { path: PathBuf, problem: String },
    #[error("the secret in {} has {len} bytes, more than {}", path.display(), super::secret::most_bytes())]
    TooLong { path: PathBuf, len: usize },
    #[error("{} {problem}", path.display())]
    BadFile { path: PathBuf, problem: String },
    #[error("the credentials hold characters that no header may hold, such as a line break")]
    NoHeader,
    #[error("no answer from {what} at {url}: {problem}")]
    Unanswered {
        what: &'static str,
        url: String,
        problem: String,
    },
    #[error("{what} at {url} refused with {status}: {words}")]
    Refused {
        what: &'static str,
        url: String,
        status: u16,
        words: String,
    },
    #[error("{what} at {url} gave an answer that is of no use: {problem}")]
    Useless {
        what: &'static str,
        url: String,
        problem: String,
    },
    #[error("the credentials had expired when they came; look at this machine's clock")]
    Expired,
    #[error("{0}")]
    Nowhere(String),
}
