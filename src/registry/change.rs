//! What goes into a plan and what comes out of it.

use std::sync::Arc;

use super::consistency::{Clash, Consistency};
use super::event::{Event, Mode};
use super::lane_key;
use crate::codec::block::Block;
use crate::codec::layer::{Layer, Values};
use crate::codec::record::Record;
use crate::codec::shape::Shape;
use crate::model::{GroupKey, Process, SeriesHash, UnixMillis};

/// A push that has been read, normalised and encoded, and only waits to be judged.
#[derive(Clone, Debug)]
pub struct Push {
    /// Its group.
    pub group: GroupKey,
    /// Its process.
    pub process: Process,
    /// Where it came from.
    pub peer: String,
    /// PUT or POST.
    pub mode: Mode,
    /// When it arrived: the time that the samples in the block carry, but for those that bring their own.
    pub at: UnixMillis,
    /// The samples, the group's own push times last.
    pub samples: Block,
    /// The exemplars beside them: sent once and not kept.
    pub exemplars: Block,
    /// The identity of each sample's series, in the order of the block.
    pub series: Vec<SeriesHash>,
    /// How many of them are the group's own push times.
    pub own: usize,
    /// The push as it was pushed.
    pub shape: Arc<Shape>,
    /// All its values, also of samples that are not in the block.
    pub values: Values,
    /// Which samples are not in the block, by number, ascending.
    pub skipped: Vec<u32>,
    /// Which samples of the block bring a time of their own, by place, ascending.
    pub own_times: Vec<usize>,
    /// Whether it has to agree with what others have pushed.
    pub check: Consistency,
}

/// What a change to one group would do: to the log, to the wire, to the registry.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened.
    pub event: Event,
    /// The samples to send.
    pub samples: Block,
    /// The stale markers to send.
    pub markers: Block,
    /// The exemplars to send.
    pub exemplars: Block,
    /// Whether the record must not overtake, nor be overtaken by, records of other lanes: it takes up a series that
    /// another group has just ended.
    pub fence: bool,
    /// The identities of the samples' series, so that applying need not open the block.
    pub(super) series: Vec<SeriesHash>,
    /// The push as it was pushed.
    pub(super) layer: Option<Arc<Layer>>,
    /// The time of the latest sample.
    pub(super) latest: UnixMillis,
    /// Samples left out because another source owns their series, with their exemplars.
    pub conflicts: u32,
    /// The first of those, named.
    pub conflict: Option<Conflict>,
    /// Samples left out because an earlier one of the same push is the same series after normalisation.
    pub twins: u32,
}

impl Change {
    pub(super) fn new(event: Event) -> Self {
        Self {
            latest: event.at(),
            event,
            samples: Block::default(),
            markers: Block::default(),
            exemplars: Block::default(),
            fence: false,
            series: Vec::new(),
            layer: None,
            conflicts: 0,
            conflict: None,
            twins: 0,
        }
    }

    /// The record that the log is to hold.
    #[must_use]
    pub fn record(&self) -> Record {
        Record {
            event: self.event.encode(),
            samples: self.samples.clone(),
            markers: self.markers.clone(),
            exemplars: self.exemplars.clone(),
        }
    }

    /// The key that keeps the records of a group in order.
    #[must_use]
    pub fn lane_key(&self) -> u64 {
        lane_key(self.event.group())
    }
}

/// Two sources that yield the same series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The series.
    pub series: String,
    /// Who has it and keeps it.
    pub owner: String,
    /// Whose sample was dropped.
    pub other: String,
}

/// Why a push cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// One more group would be one too many.
    #[error(
        "{limit} groups are known, the limit of jobs.max_groups; groups end after jobs.stale_after of silence, or by DELETE"
    )]
    TooManyGroups {
        /// The limit.
        limit: usize,
    },
    /// The group would hold too many series.
    #[error("the group would hold {series} series, over the limit of {limit} (jobs.max_series_per_group)")]
    TooManySeries {
        /// How many it would hold.
        series: usize,
        /// The limit.
        limit: usize,
    },
    /// The push disagrees with what others have pushed.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// The stored block of the group does not open; memory is damaged.
    #[error("the stored state of the group cannot be read: {0}")]
    Damaged(#[from] crate::codec::DecodeError),
}
