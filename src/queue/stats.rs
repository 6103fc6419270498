//! What the queue tells of itself.

use std::ops::{AddAssign, SubAssign};
use std::time::Duration;

use crate::model::UnixMillis;

/// How much: in records, and in what a loss is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of records.
    pub records: u64,
    /// Sum of their weights (samples).
    pub weight: u64,
}

impl Totals {
    /// Nothing at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.records == 0 && self.weight == 0
    }

    pub(super) fn one(weight: u32) -> Self {
        Self {
            records: 1,
            weight: u64::from(weight),
        }
    }

    /// What is left of this without `part`; zero where `part` is larger.
    pub(super) fn without(mut self, part: Self) -> Self {
        self -= part;
        self
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.records = self.records.saturating_add(other.records);
        self.weight = self.weight.saturating_add(other.weight);
    }
}

impl SubAssign for Totals {
    fn sub_assign(&mut self, other: Self) {
        self.records = self.records.saturating_sub(other.records);
        self.weight = self.weight.saturating_sub(other.weight);
    }
}

/// Why a reader will never see a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The bound on bytes was reached and the oldest segment went.
    Full,
    /// It was older than the bound on age.
    TooOld,
    /// Its bytes on disk are not what was written.
    Damaged,
}

impl DropReason {
    /// Every reason there is.
    pub const ALL: [Self; 3] = [Self::Full, Self::TooOld, Self::Damaged];

    /// The word for it in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "queue_full",
            Self::TooOld => "too_old",
            Self::Damaged => "damaged",
        }
    }
}

/// Losses by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// See [`DropReason::Full`].
    pub full: Totals,
    /// See [`DropReason::TooOld`].
    pub too_old: Totals,
    /// See [`DropReason::Damaged`].
    pub damaged: Totals,
}

impl Dropped {
    /// The losses for one reason.
    #[must_use]
    pub const fn of(&self, reason: DropReason) -> Totals {
        match reason {
            DropReason::Full => self.full,
            DropReason::TooOld => self.too_old,
            DropReason::Damaged => self.damaged,
        }
    }

    pub(super) fn add(&mut self, reason: DropReason, totals: Totals) {
        *self.slot(reason) += totals;
    }

    /// Hands out one non-zero loss and forgets it here.
    pub(super) fn take_one(&mut self) -> Option<(DropReason, Totals)> {
        let reason = DropReason::ALL
            .into_iter()
            .find(|reason| !self.of(*reason).is_zero())?;
        Some((reason, std::mem::take(self.slot(reason))))
    }

    fn slot(&mut self, reason: DropReason) -> &mut Totals {
        match reason {
            DropReason::Full => &mut self.full,
            DropReason::TooOld => &mut self.too_old,
            DropReason::Damaged => &mut self.damaged,
        }
    }
}

/// What a reader has not acknowledged yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Records and their weight: delivered and unacknowledged ones included, and those that were dropped until the
    /// reader is told.
    pub totals: Totals,
    /// The same in bytes on disk.
    pub bytes: u64,
}

/// One reader's part of the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderStats {
    /// The reader's name.
    pub name: String,
    /// What it has not acknowledged yet.
    pub backlog: Backlog,
    /// What it acknowledged since the queue was opened.
    pub acknowledged: Totals,
    /// What it will never see, since the queue was opened.
    pub dropped: Dropped,
}

/// The figures of the queue at one moment. Counts begin when the queue is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Bytes of all segments that someone may still need.
    pub bytes: u64,
    /// Number of those segments.
    pub segments: u64,
    /// Bytes accepted and not yet on disk.
    pub waiting_bytes: u64,
    /// When the oldest record held came; `None` when the log is empty.
    pub oldest_at: Option<UnixMillis>,
    /// Records that became durable.
    pub appended: Totals,
    /// Their bytes on disk.
    pub appended_bytes: u64,
    /// Records that were accepted and then failed with the disk; their senders were told.
    pub failed: Totals,
    /// Syncs of segments.
    pub syncs: u64,
    /// Time those syncs took.
    pub sync_time: Duration,
    /// Times that a reader's position could not be written; it then lags and records may be delivered again.
    pub position_failures: u64,
    /// Why appends are refused, when they are.
    pub refusing: Option<String>,
    /// One entry for each known reader, by name.
    pub readers: Vec<ReaderStats>,
}
