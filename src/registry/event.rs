//! What happened to a group, as it stands in the log.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec::DecodeError;
use crate::codec::shape::ShapeKey;
use crate::model::{GroupKey, Process, UnixMillis};

/// How a push treats what its source had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// PUT: everything the source had is replaced.
    Replace,
    /// POST: only families of the same name are.
    Merge,
}

/// Why a group or source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EndReason {
    /// It was deleted by its client.
    Deleted,
    /// It was silent for too long.
    Stale,
    /// Somebody cleaned up.
    Admin,
}

impl EndReason {
    /// The word used in metrics and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Stale => "stale",
            Self::Admin => "admin",
        }
    }
}

/// One change to one group. Which series a push carries and which of them end is told by the record's blocks and by
/// the state before it, so it is not said twice.
///
/// Written with postcard: variants and fields are only ever added at the end, together with a new record version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A push was taken.
    Pushed {
        /// Whose.
        group: GroupKey,
        /// The process within the group.
        process: Process,
        /// Where it came from.
        peer: String,
        /// PUT or POST.
        mode: Mode,
        /// The time of its samples, but for those that bring their own.
        at: UnixMillis,
        /// How many series at the end of the samples are the group's own push times.
        own: u32,
        /// The push as it was pushed.
        pushed: AsPushed,
    },
    /// A push was read and refused; the samples are the group's own push times.
    Failed {
        /// Whose.
        group: GroupKey,
        /// When.
        at: UnixMillis,
        /// What the client was told.
        why: String,
    },
    /// A DELETE that ends each source unless it pushes again soon.
    DeleteAsked {
        /// Of which group.
        group: GroupKey,
        /// When.
        at: UnixMillis,
    },
    /// Sources ended, or the whole group.
    Ended {
        /// Which group.
        group: GroupKey,
        /// Which of its sources; `None` means all of them, and the group with them.
        processes: Option<Vec<Process>>,
        /// When; the time of the stale markers.
        at: UnixMillis,
        /// Why.
        why: EndReason,
    },
}

/// What the samples of a record do not tell of a push as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsPushed {
    /// Which shape it has.
    pub key: ShapeKey,
    /// The bytes of the shape, unless the source has one of this key already.
    pub shape: Option<Vec<u8>>,
    /// Samples that are not in the record, by number, with the bits of their values.
    pub unsent: Vec<(u32, u64)>,
    /// Native histograms and exemplars, by the number of the sample.
    pub extras: Vec<(u32, Vec<u8>)>,
}

impl Event {
    /// The event's bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        // postcard fails only for types that do not know their length, and these do
        postcard::to_allocvec(self).unwrap_or_default().into()
    }

    /// Reads an event back.
    ///
    /// # Errors
    /// When the bytes are no event of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        postcard::from_bytes(bytes).map_err(|_| DecodeError::Invalid {
            what: "event",
            problem: "is no event of a version known here",
        })
    }

    /// The group it happened to.
    #[must_use]
    pub const fn group(&self) -> &GroupKey {
        match self {
            Self::Pushed { group, .. }
            | Self::Failed { group, .. }
            | Self::DeleteAsked { group, .. }
            | Self::Ended { group, .. } => group,
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        match self {
            Self::Pushed { at, .. }
            | Self::Failed { at, .. }
            | Self::DeleteAsked { at, .. }
            | Self::Ended { at, .. } => *at,
        }
    }
}
