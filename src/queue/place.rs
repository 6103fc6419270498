//! Where one reader stands, in the books of the log.

use std::sync::Arc;

use crate::queue::Position;
use crate::queue::bookmark::Bookmark;
use crate::queue::lanes::{Lanes, Progress};
use crate::queue::segment::{Segment, SegmentId};
use crate::queue::stats::{DropReason, Dropped, Totals};

/// A reader that is known: open now, or remembered from before.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) open: bool,
    pub(super) lanes: Lanes,
    /// Everything before was delivered, skipped or dropped.
    pub(super) read: Position,
    /// The segment that `seen` speaks of.
    pub(super) current: Option<SegmentId>,
    /// What of the current segment lies before `read`.
    pub(super) seen: Totals,
    /// Losses that the reader was not told yet.
    pub(super) untold: Dropped,
    pub(super) dropped: Dropped,
    pub(super) acknowledged: Totals,
    pub(super) bookmark: Arc<Bookmark>,
}

/// A place in a segment and what lies before it there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) read: Position,
    pub(super) current: Option<SegmentId>,
    pub(super) seen: Totals,
}

impl Place {
    pub(super) fn new(progress: Progress, lanes: usize, spot: Spot, bookmark: Arc<Bookmark>) -> Self {
        let Spot { read, current, seen } = spot;
        Self {
            open: false,
            lanes: Lanes::resume(progress, lanes),
            read,
            current,
            seen,
            untold: Dropped::default(),
            dropped: Dropped::default(),
            acknowledged: Totals::default(),
            bookmark,
        }
    }

    pub(super) fn floor(&self) -> Position {
        self.lanes.floor(self.read)
    }

    pub(super) fn lose(&mut self, reason: DropReason, totals: Totals) {
        self.untold.add(reason, totals);
        self.dropped.add(reason, totals);
    }

    /// The reader goes on in `segment`. What it did not see of the segment before, it could not read.
    pub(super) fn enter(&mut self, segment: &Segment, left: Option<&Segment>) {
        if self.current == Some(segment.id) {
            return;
        }
        if let Some(left) = left {
            self.lose(DropReason::Damaged, left.totals.without(self.seen));
        }
        self.current = Some(segment.id);
        self.seen = Totals::default();
        self.read = self.read.max(segment.id.first_frame());
    }

    /// `segment` goes away, for `reason` if the reader has not passed it.
    pub(super) fn let_go(&mut self, segment: &Segment, reason: DropReason) {
        let inside = self.current == Some(segment.id);
        let seen = if inside { self.seen } else { Totals::default() };
        if self.read < segment.end {
            self.lose(reason, segment.totals.without(seen));
            self.read = segment.end;
        } else if inside {
            self.lose(DropReason::Damaged, segment.totals.without(seen));
        }
        if inside {
            self.current = None;
            self.seen = Totals::default();
        }
    }
}
