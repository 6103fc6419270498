//! The books of the log: which segments there are, who needs them, what has to go. Pure; the disk is elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::model::UnixMillis;
use crate::queue::append::Waiting;
use crate::queue::bookmark::Bookmark;
use crate::queue::place::Place;
use crate::queue::segment::{Segment, SegmentId};
use crate::queue::stats::{Backlog, DropReason, Totals};
use crate::queue::{Position, QueueConfig, QueueError, WhenFull};

/// How long a sender refused for want of space should stay away: about what it takes to send off one segment.
const RETRY_AFTER_FULL: Duration = Duration::from_secs(5);

/// Segments in which the bound on bytes is divided at least, so that dropping one is not dropping all.
const MIN_SEGMENTS: u64 = 8;

/// Whether appends are taken.
#[derive(Clone, Debug)]
pub(super) enum Health {
    Good,
    Failed(Arc<QueueError>),
    Closed,
}

/// A name that holds segments back for its own sake.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) position: Position,
    pub(super) bookmark: Arc<Bookmark>,
}

/// Counts since the queue was opened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) appended: Totals,
    pub(super) appended_bytes: u64,
    pub(super) failed: Totals,
    pub(super) syncs: u64,
    pub(super) sync_time: Duration,
    pub(super) position_failures: u64,
}

/// Everything that the queue knows, behind one lock that is never held over I/O.
#[derive(Debug)]
pub(super) struct Log {
    /// Oldest first. The last is being written to and never goes.
    pub(super) segments: VecDeque<Segment>,
    /// Readers may see what lies before.
    pub(super) committed: Position,
    /// Where the next frame will stand; beyond `committed` while appends wait.
    pub(super) tail: Position,
    /// The segment that the next frame goes to, begun or to be begun by a waiting append.
    pub(super) filling: SegmentId,
    pub(super) waiting: Vec<Waiting>,
    /// Bytes accepted and not yet committed.
    pub(super) waiting_bytes: u64,
    pub(super) health: Health,
    /// The time as last told.
    pub(super) now: UnixMillis,
    pub(super) readers: BTreeMap<String, Place>,
    pub(super) pins: BTreeMap<String, Pinned>,
    /// Segments whose files have to go.
    pub(super) doomed: Vec<Segment>,
    /// Whether positions were written since they were last synced.
    pub(super) unsynced_positions: bool,
    pub(super) counts: Counts,
    bounds: Bounds,
}

#[derive(Debug)]
struct Bounds {
    max_bytes: u64,
    max_age: Duration,
    when_full: WhenFull,
    segment_bytes: u64,
}

impl Log {
    pub(super) fn new(segments: VecDeque<Segment>, tail: Position, config: &QueueConfig) -> Self {
        let bounds = Bounds {
            max_bytes: config.max_bytes,
            max_age: config.max_age,
            when_full: config.when_full,
            segment_bytes: config.segment_bytes.min(config.max_bytes / MIN_SEGMENTS),
        };
        Self {
            segments,
            committed: tail,
            tail,
            filling: SegmentId::beginning_at(tail),
            waiting: Vec::new(),
            waiting_bytes: 0,
            health: Health::Good,
            now: UnixMillis::default(),
            readers: BTreeMap::new(),
            pins: BTreeMap::new(),
            doomed: Vec::new(),
            unsynced_positions: false,
            counts: Counts::default(),
            bounds,
        }
    }

    /// The segment with something at or after `position`; else the last, into which more will come.
    pub(super) fn segment_from(&self, position: Position) -> Option<&Segment> {
        let passed = self.segments.partition_point(|segment| segment.end <= position);
        self.segments.get(passed).or(self.segments.back())
    }

    pub(super) fn segment(&self, id: SegmentId) -> Option<&Segment> {
        self.segments
            .binary_search_by_key(&id, |segment| segment.id)
            .ok()
            .and_then(|index| self.segments.get(index))
    }

    /// Where the next frame of `bytes` goes, and the segment it has to begin if the present one is full.
    pub(super) fn place_frame(&mut self, bytes: u64) -> (Position, Option<SegmentId>) {
        let filled = self.tail.bytes_since(self.filling.start());
        let begins = (self.tail > self.filling.first_frame()
            && filled.saturating_add(bytes) > self.bounds.segment_bytes)
            .then(|| SegmentId::beginning_at(self.tail));
        if let Some(id) = begins {
            self.filling = id;
            self.tail = id.first_frame();
        }
        let position = self.tail;
        self.tail = position.plus(bytes);
        (position, begins)
    }

    /// Makes the log ready for a frame of `bytes`, by dropping where that is allowed.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<(), QueueError> {
        self.expire();
        loop {
            let held_bytes = self.bytes().saturating_add(self.waiting_bytes);
            if held_bytes.saturating_add(bytes) <= self.bounds.max_bytes {
                return Ok(());
            }
            let last = self.segments.len() <= 1;
            let pinned = self
                .segments
                .front()
                .is_some_and(|oldest| oldest.end > self.lowest_pin());
            match self.bounds.when_full {
                WhenFull::DropOldest if last => return Ok(()),
                WhenFull::DropOldest if !pinned => self.remove_oldest(DropReason::Full),
                WhenFull::DropOldest | WhenFull::Refuse => {
                    let max_bytes = self.bounds.max_bytes;
                    return Err(QueueError::Full {
                        held_bytes,
                        max_bytes,
                        retry_after: RETRY_AFTER_FULL,
                    });
                }
            }
        }
    }

    /// Drops the segments in which nothing is young enough any more.
    pub(super) fn expire(&mut self) {
        while self.segments.len() > 1
            && self.segments.front().is_some_and(|oldest| {
                oldest.newest_at.is_none_or(|at| self.too_old(at)) && oldest.end <= self.lowest_pin()
            })
        {
            self.remove_oldest(DropReason::TooOld);
        }
    }

    pub(super) fn too_old(&self, at: UnixMillis) -> bool {
        self.now.since(at) > self.bounds.max_age
    }

    /// Lets go of the segments that nobody needs.
    pub(super) fn release(&mut self) {
        let readers = self.readers.values().map(Place::floor);
        let needed = readers
            .chain(self.pins.values().map(|pin| pin.position))
            .min()
            .unwrap_or(self.committed);
        while self.segments.len() > 1 && self.segments.front().is_some_and(|oldest| oldest.end <= needed) {
            self.remove_oldest(DropReason::Damaged);
        }
    }

    /// Takes what was written into the books.
    pub(super) fn commit(&mut self, batch: &[Waiting], mut begun: VecDeque<Segment>) {
        for waiting in batch {
            if waiting.begins.is_some() {
                self.segments.extend(begun.pop_front());
            }
            if let Some(segment) = self.segments.back_mut() {
                segment.count(waiting.end, waiting.record.weight, waiting.record.at);
            }
            self.committed = waiting.end;
            let bytes = waiting.record.stored_bytes();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
            self.counts.appended += Totals::one(waiting.record.weight);
            self.counts.appended_bytes = self.counts.appended_bytes.saturating_add(bytes);
        }
        self.release();
    }

    /// Takes appends that failed out of the books, together with those that still wait, and refuses what comes.
    pub(super) fn fail(&mut self, mut batch: Vec<Waiting>, cause: &Arc<QueueError>) -> Vec<Waiting> {
        batch.append(&mut self.waiting);
        for waiting in &batch {
            self.counts.failed += Totals::one(waiting.record.weight);
        }
        self.waiting_bytes = 0;
        self.tail = self.committed;
        if !matches!(self.health, Health::Closed) {
            self.health = Health::Failed(Arc::clone(cause));
        }
        batch
    }

    /// Goes on in a segment of its own.
    pub(super) fn go_on_in(&mut self, segment: Segment) {
        self.filling = segment.id;
        self.tail = segment.end;
        self.committed = segment.end;
        self.segments.push_back(segment);
        self.health = Health::Good;
    }

    /// Bytes on disk that someone may need.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum()
    }

    pub(super) fn backlog(&self, place: &Place) -> Backlog {
        let mut backlog = place.lanes.outstanding();
        let unread = self.segments.iter().filter(|segment| segment.end > place.read);
        for segment in unread {
            let seen = if place.current == Some(segment.id) {
                place.seen
            } else {
                Totals::default()
            };
            backlog.totals += segment.totals.without(seen);
            backlog.bytes += segment.end.bytes_since(place.read.max(segment.id.first_frame()));
        }
        for reason in DropReason::ALL {
            backlog.totals += place.untold.of(reason);
        }
        backlog
    }

    fn lowest_pin(&self) -> Position {
        self.pins
            .values()
            .map(|pin| pin.position)
            .min()
            .unwrap_or(Position::new(u64::MAX))
    }

    fn remove_oldest(&mut self, reason: DropReason) {
        let Some(segment) = self.segments.pop_front() else {
            return;
        };
        for place in self.readers.values_mut() {
            place.let_go(&segment, reason);
        }
        self.doomed.push(segment);
    }
}
