//! What can go wrong with an existing Pushgateway.

use std::io;
use std::path::PathBuf;

/// Why a Pushgateway cannot be reached as it was asked for: wrong usage.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The address is none.
    #[error("--pushgateway {url:?} {problem}; it reads like http://host:9091 or https://host/prefix")]
    Url {
        /// The address, without secrets.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file cannot be read.
    #[error("{flag} {}: cannot be read: {source}", path.display())]
    File {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{flag} {}: {problem}", path.display())]
    Content {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There are no certificates of the system to trust, or the certificate and its key do not fit.
    #[error(
        "cannot set up TLS: {0}; --ca-file says whom to trust, --cert-file and --key-file belong together"
    )]
    Tls(String),
}

/// Why a pass failed, or what ended it early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// A file with a secret cannot be used any more.
    #[error("{0}")]
    Secret(String),
    /// No answer; it may come back.
    #[error("{url} does not answer: {story}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why not.
        story: String,
    },
    /// It wants to know who we are, or does not let us.
    #[error("{url} answered {status}: {way_out}")]
    Denied {
        /// What was asked.
        url: String,
        /// 401, 403 or 407.
        status: u16,
        /// What to do.
        way_out: &'static str,
    },
    /// It lives elsewhere.
    #[error("{url} answered {status}, a redirect to {to}: give --pushgateway the address behind it")]
    Moved {
        /// What was asked.
        url: String,
        /// 3xx.
        status: u16,
        /// Where it leads.
        to: String,
    },
    /// It answered with something that is no success.
    #[error("{url} answered {status}: {words}")]
    Status {
        /// What was asked.
        url: String,
        /// Neither 2xx nor one of those above.
        status: u16,
        /// The beginning of the answer.
        words: String,
    },
    /// It answers, but not as a Pushgateway.
    #[error("{url} is no Pushgateway: {problem}")]
    NotOne {
        /// What was asked.
        url: String,
        /// What was expected and what came.
        problem: String,
    },
    /// It has more groups than can be held.
    #[error("{url} has more than {limit} groups, more than one pass can hold")]
    TooManyGroups {
        /// What was asked.
        url: String,
        /// The most.
        limit: usize,
    },
    /// More groups are stale than may be deleted at once.
    #[error(
        "{stale} groups are stale, and --max-groups allows {limit} in a pass: nothing was deleted; look at them by --dry-run, then raise it"
    )]
    TooManyStale {
        /// How many are.
        stale: usize,
        /// How many may be.
        limit: usize,
    },
    /// So many deletions failed one after another that the rest was not tried.
    #[error("{failures} deletions failed one after another, the last because {last}")]
    Failing {
        /// How many.
        failures: usize,
        /// What was said to the last.
        last: String,
    },
    /// A signal asked for the end.
    #[error("interrupted")]
    Interrupted,
}

impl SweepError {
    /// Whether the same request may succeed a moment later.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// Whether it is about what was asked only, so that the next request may fare better.
    pub(super) const fn is_of_one_request(&self) -> bool {
        matches!(self, Self::Status { .. })
    }
}
