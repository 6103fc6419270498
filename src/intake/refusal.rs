//! Why a change is not taken, told to the client in one sentence.

use std::time::Duration;

use super::Submission;
use crate::codec::exposition::ProtobufError;
use crate::model::UnixMillis;
use crate::queue::QueueError;
use crate::registry::{Clash, Refused};

/// A push that can be read but contradicts itself or the rules of pushing. The group takes note of the failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// A sample carries a time of its own (Pushgateway S40).
    #[error("pushed metrics must not have timestamps: {0} has one; the time of arrival is taken")]
    Timestamp(String),
    /// A sample brings a time that is yet to come.
    #[error(
        "the sample of {series} is of {at}, more than a minute after its arrival at {arrival}: set the clock of one of us"
    )]
    Future {
        /// The series.
        series: String,
        /// The time that the sample brings.
        at: UnixMillis,
        /// When it arrived.
        arrival: UnixMillis,
    },
    /// A label's name is reserved (Pushgateway B15).
    #[error("the label name {0:?} is reserved: names of labels do not begin with __")]
    Reserved(String),
    /// A summary in a group that has the label `quantile`, as client_golang has it.
    #[error(
        "the summary {0} cannot have a grouping label quantile, which tells the samples of summaries apart: give the group another label"
    )]
    Quantile(String),
    /// The body can be read and makes no sense (Pushgateway M04).
    #[error(transparent)]
    Flawed(#[from] ProtobufError),
    /// Two samples are the same series (Pushgateway B12, B20).
    #[error("the series {0} was pushed twice with the same labels in one push")]
    Duplicate(String),
    /// It disagrees with what others have pushed.
    #[error(transparent)]
    Clash(#[from] Clash),
}

/// Why a change is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The push is at fault; sending it again does not help.
    #[error("{why}")]
    Inconsistent {
        /// What is wrong with it.
        why: Inconsistent,
        /// The note of the failure for its group, on its way to the disk; to be settled like any submission.
        noted: Option<Box<Submission>>,
    },
    /// A limit of the registry is reached.
    #[error(transparent)]
    Limit(Refused),
    /// The queue is full and may not drop: come again.
    #[error("{why}; come again in {} s", retry_after.as_secs())]
    Full {
        /// When to come again.
        retry_after: Duration,
        /// What is full, and the way out.
        why: QueueError,
    },
    /// One push is more than the queue takes at once; sending it again does not help.
    #[error("the push is too large: {0}")]
    TooLarge(QueueError),
    /// The change could not be made durable.
    #[error("the push could not be made durable: {0}")]
    NotDurable(QueueError),
    /// We are closing, or reading our state anew.
    #[error("not ready: {0}")]
    NotReady(&'static str),
}

impl Refusal {
    /// Whether the fault is ours: then the sender spoke, and its silence does not count against it.
    pub(super) const fn is_ours(&self) -> bool {
        match self {
            Self::Full { .. } | Self::NotDurable(_) | Self::NotReady(_) => true,
            Self::Inconsistent { .. } | Self::Limit(_) | Self::TooLarge(_) => false,
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Clash(clash) => Inconsistent::from(clash).into(),
            limit => Self::Limit(limit),
        }
    }
}

impl From<Inconsistent> for Refusal {
    fn from(why: Inconsistent) -> Self {
        Self::Inconsistent { why, noted: None }
    }
}
