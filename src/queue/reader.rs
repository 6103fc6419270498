//! One reader of the log: everything committed, in order, each record until it is acknowledged in its lane.

use std::sync::Arc;

use tokio::sync::watch;

use crate::queue::bookmark::{Bookmark, BookmarkName};
use crate::queue::core::{Core, Mood, News};
use crate::queue::lanes::{MAX_LANES, Progress};
use crate::queue::place::Place;
use crate::queue::quarantine::quarantine;
use crate::queue::segment::{Segment, SegmentId};
use crate::queue::stats::{Backlog, DropReason, Totals};
use crate::queue::window::{Frame, Window};
use crate::queue::{Position, QueueError, Record};

/// Old records passed over before the reader is told of them, so that others get their turn.
const MAX_UNTOLD: u64 = 1024;

/// Where a reader begins that was never seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record held.
    Oldest,
    /// With the next record that is appended.
    Newest,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A record; it comes again after a restart unless `lane` is acknowledged up to `end`.
    Record {
        /// The record's key modulo the number of lanes.
        lane: u32,
        /// Where it begins.
        position: Position,
        /// Where it ends: what to acknowledge.
        end: Position,
        /// The record.
        record: Record,
    },
    /// Records before the next one are lost to this reader.
    Gap {
        /// How many.
        records: u64,
        /// The sum of their weights.
        weight: u64,
        /// Why.
        reason: DropReason,
    },
}

/// A reader. There is one at a time of each name; another can be opened when this is dropped.
#[derive(Debug)]
pub struct Reader {
    core: Arc<Core>,
    name: String,
    window: Window,
    windowed: Option<SegmentId>,
    news: watch::Receiver<News>,
}

enum Step {
    Found(Delivery),
    Again,
    Wait,
}

impl Reader {
    /// The next delivery, when there is one. Nothing is lost when the future is dropped before it resolves.
    ///
    /// Reads from the page cache or the disk in place, at most 256 KiB (or one record) at a time.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the disk cannot be read: the same record is tried again on the next call.
    /// [`QueueError::Closed`] when all is delivered and no more can come. [`QueueError::ReaderGone`] after
    /// [`Queue::forget_readers_except`](super::Queue::forget_readers_except).
    pub async fn next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            let closed = self.news.borrow_and_update().mood == Mood::Closed;
            match self.step()? {
                Step::Found(delivery) => return Ok(delivery),
                Step::Again => {}
                Step::Wait if closed => return Err(QueueError::Closed),
                Step::Wait => self.news.changed().await.map_err(|_| QueueError::Closed)?,
            }
        }
    }

    /// Everything delivered in `lane` up to `end` is done and will not come again.
    ///
    /// Written down at once, synced within half a second.
    pub fn ack(&self, lane: u32, end: Position) {
        let mut log = self.core.log();
        let Some(place) = log.readers.get_mut(&self.name) else {
            return;
        };
        let done = place.lanes.acknowledge(lane, end);
        if done.is_zero() {
            return;
        }
        place.acknowledged += done;
        log.release();
        self.core.wake_keeper(&log);
        drop(log);
        self.core.save_reader(&self.name);
    }

    /// What is not acknowledged yet.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        let log = self.core.log();
        log.readers
            .get(&self.name)
            .map(|place| log.backlog(place))
            .unwrap_or_default()
    }

    /// The name it was opened by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn step(&mut self) -> Result<Step, QueueError> {
        let Some((segment, position)) = self.locate()? else {
            return Ok(self.tell_losses().unwrap_or(Step::Wait));
        };
        if self.windowed.replace(segment.id) != Some(segment.id) {
            self.window = Window::default();
        }
        let read = self.window.frame(&segment, position);
        match read.map_err(|error| self.unreadable(&segment, error))? {
            Frame::Whole { record, end } => Ok(self.book(position, end, record)),
            Frame::Damaged => self.skip_damage(&segment, position),
        }
    }

    /// The segment and the place to read next; `None` when nothing is committed beyond what was read.
    fn locate(&self) -> Result<Option<(Segment, Position)>, QueueError> {
        let mut guard = self.core.log();
        let log = &mut *guard;
        let place = log
            .readers
            .get_mut(&self.name)
            .ok_or_else(|| QueueError::ReaderGone {
                name: self.name.clone(),
            })?;
        let passed = log.segments.partition_point(|segment| segment.end <= place.read);
        let mut ahead = log.segments.iter().skip(passed);
        let Some(segment) = ahead.find(|segment| !segment.is_empty()) else {
            return Ok(None);
        };
        let left = place
            .current
            .and_then(|id| log.segments.iter().find(|segment| segment.id == id));
        place.enter(segment, left);
        Ok(Some((segment.clone(), place.read)))
    }

    fn book(&self, position: Position, end: Position, record: Record) -> Step {
        let mut guard = self.core.log();
        let log = &mut *guard;
        let old = log.too_old(record.at);
        let Some(place) = log
            .readers
            .get_mut(&self.name)
            .filter(|place| place.read == position)
        else {
            return Step::Again;
        };
        let done = place.lanes.acknowledged(position, record.key);
        let untold = DropReason::ALL
            .iter()
            .map(|reason| place.untold.of(*reason).records)
            .sum::<u64>();
        if untold >= MAX_UNTOLD || (untold > 0 && !done && !old) {
            drop(guard);
            return self.tell_losses().unwrap_or(Step::Again);
        }
        place.read = end;
        place.seen += Totals::one(record.weight);
        if done {
            return Step::Again;
        }
        if old {
            place.lose(DropReason::TooOld, Totals::one(record.weight));
            return Step::Again;
        }
        place.lanes.deliver(record.key, position, end, record.weight);
        let lane = place.lanes.lane(record.key);
        Step::Found(Delivery::Record {
            lane,
            position,
            end,
            record,
        })
    }

    fn tell_losses(&self) -> Option<Step> {
        let mut log = self.core.log();
        let (reason, Totals { records, weight }) = log.readers.get_mut(&self.name)?.untold.take_one()?;
        log.release();
        self.core.wake_keeper(&log);
        drop(log);
        self.core.save_reader(&self.name);
        tracing::error!(
            remote = self.name,
            records,
            weight,
            reason = reason.as_str(),
            "records were dropped before they were forwarded"
        );
        Some(Step::Found(Delivery::Gap {
            records,
            weight,
            reason,
        }))
    }

    fn skip_damage(&mut self, segment: &Segment, damaged: Position) -> Result<Step, QueueError> {
        let next = self
            .window
            .next_whole(segment, damaged)
            .map_err(|error| self.unreadable(segment, error))?;
        let next = next.unwrap_or(segment.end);
        // Where it cannot be copied the segment is all there is, and stays until everybody is past it.
        let _ = quarantine(self.core.storage.as_ref(), segment, damaged, next);
        let mut log = self.core.log();
        if let Some(place) = log
            .readers
            .get_mut(&self.name)
            .filter(|place| place.read == damaged)
        {
            place.read = next;
        }
        Ok(Step::Again)
    }

    fn unreadable(&self, segment: &Segment, error: std::io::Error) -> QueueError {
        QueueError::io("read", self.core.storage.place(&segment.id.file_name()), error)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(place) = self.core.log().readers.get_mut(&self.name) {
            place.open = false;
        }
    }
}

impl Core {
    /// Opens the reader `name`, from where it was left or from `start`.
    pub(super) fn reader(
        self: &Arc<Self>,
        name: &str,
        lanes: u32,
        start: Start,
    ) -> Result<Reader, QueueError> {
        if lanes == 0 || lanes > MAX_LANES {
            return Err(QueueError::Lanes {
                name: name.to_owned(),
                lanes,
                max_lanes: MAX_LANES,
            });
        }
        let known = {
            let mut log = self.log();
            match log.readers.get_mut(name) {
                Some(place) if place.open => {
                    return Err(QueueError::ReaderBusy {
                        name: name.to_owned(),
                    });
                }
                Some(place) => Some((place.lanes.progress(place.read), Arc::clone(&place.bookmark))),
                None => None,
            }
        };
        let (progress, bookmark) = match known {
            Some(known) => known,
            None => self.new_bookmark(name, start)?,
        };
        let spot = self.spot(progress.floor())?;
        let mut place = Place::new(progress, lanes as usize, spot, bookmark);
        place.open = true;
        let mut log = self.log();
        if log.readers.get(name).is_some_and(|before| before.open) {
            return Err(QueueError::ReaderBusy {
                name: name.to_owned(),
            });
        }
        if let Some(before) = log.readers.remove(name) {
            place.dropped = before.dropped;
            place.untold = before.untold;
            place.acknowledged = before.acknowledged;
        }
        log.readers.insert(name.to_owned(), place);
        drop(log);
        let news = self.news.subscribe();
        Ok(Reader {
            core: Arc::clone(self),
            name: name.to_owned(),
            window: Window::default(),
            windowed: None,
            news,
        })
    }

    fn new_bookmark(&self, name: &str, start: Start) -> Result<(Progress, Arc<Bookmark>), QueueError> {
        let progress = Progress::at(match start {
            Start::Oldest => self.oldest(),
            Start::Newest => self.log().committed,
        });
        let bookmark = Bookmark::create(
            self.storage.as_ref(),
            &BookmarkName::Reader(name.to_owned()),
            &progress,
        )?;
        Ok((progress, Arc::new(bookmark)))
    }

    /// Where the oldest segment begins.
    pub(super) fn oldest(&self) -> Position {
        let log = self.log();
        log.segments
            .front()
            .map_or(log.committed, |oldest| oldest.id.first_frame())
    }
}
