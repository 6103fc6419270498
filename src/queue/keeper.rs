//! The keeper: takes away files that nobody needs and makes readers' positions last, beside the writer, so that no
//! append waits for either.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::queue::bookmark::Bookmark;
use crate::queue::core::Core;
use crate::queue::lanes::Progress;
use crate::queue::log::{Health, Log};
use crate::queue::segment::Segment;
use crate::queue::{Position, QueueError};
use std::sync::Arc;

/// Longest time for which a loss of power may set readers back.
const SYNC_POSITIONS_EVERY: Duration = Duration::from_millis(500);

impl Core {
    /// Takes away the files of segments that left the log, oldest first and one by one: a segment must never come back
    /// without the one after it, whose beginning may be what ends it.
    pub(super) fn remove_doomed(&self) {
        let doomed = std::mem::take(&mut self.log().doomed);
        for Segment { id, .. } in doomed {
            let name = id.file_name();
            let gone = self
                .storage
                .remove(&name)
                .and_then(|()| self.storage.sync_folder(""));
            if let Err(error) = gone {
                tracing::warn!(%error, file = self.storage.place(&name), "could not remove a segment that nobody needs");
            }
        }
    }

    /// Makes the positions that were written last.
    pub(super) fn sync_positions(&self) {
        let (readers, pins) = {
            let mut log = self.log();
            if !std::mem::take(&mut log.unsynced_positions) {
                return;
            }
            let readers: Vec<String> = log.readers.keys().cloned().collect();
            let pins: Vec<String> = log.pins.keys().cloned().collect();
            (readers, pins)
        };
        let saved = readers.iter().map(|name| self.save_reader(name));
        let saved: Vec<Arc<Bookmark>> = saved
            .chain(pins.iter().map(|name| self.save_pin(name)))
            .flatten()
            .collect();
        for bookmark in saved {
            if let Err(error) = bookmark.sync() {
                self.note_position_failure(&error);
            }
        }
    }

    /// Writes down where the reader `name` stands.
    pub(super) fn save_reader(&self, name: &str) -> Option<Arc<Bookmark>> {
        let bookmark = self
            .log()
            .readers
            .get(name)
            .map(|place| Arc::clone(&place.bookmark))?;
        self.save(&bookmark, || {
            let mut log = self.log();
            let place = log.readers.get_mut(name)?;
            Some(place.lanes.progress(place.read))
        });
        Some(bookmark)
    }

    /// Writes down the position of the pin `name`.
    pub(super) fn save_pin(&self, name: &str) -> Option<Arc<Bookmark>> {
        let bookmark = self.log().pins.get(name).map(|pin| Arc::clone(&pin.bookmark))?;
        self.save(&bookmark, || {
            let position: Option<Position> = self.log().pins.get(name).map(|pin| pin.position);
            position.map(Progress::at)
        });
        Some(bookmark)
    }

    fn save(&self, bookmark: &Bookmark, progress: impl FnOnce() -> Option<Progress>) {
        match bookmark.write(progress) {
            Ok(true) => {
                let mut log = self.log();
                if !std::mem::replace(&mut log.unsynced_positions, true) {
                    self.chores.notify_one();
                }
            }
            Ok(false) => {}
            Err(error) => self.note_position_failure(&error),
        }
    }

    fn note_position_failure(&self, error: &QueueError) {
        tracing::warn!(%error, "a reader's position could not be written; after a restart records may come again");
        let mut log = self.log();
        log.counts.position_failures += 1;
        log.unsynced_positions = true;
    }

    /// The keeper's life: until the queue is closed.
    pub(super) fn run_keeper(&self) {
        let mut synced = Instant::now();
        loop {
            let closed = self.await_chores(SYNC_POSITIONS_EVERY.saturating_sub(synced.elapsed()));
            self.remove_doomed();
            if closed || synced.elapsed() >= SYNC_POSITIONS_EVERY {
                self.sync_positions();
                synced = Instant::now();
            }
            if closed {
                return;
            }
        }
    }

    /// Waits for something to remove, for positions to have waited long enough, or for the end.
    fn await_chores(&self, patience: Duration) -> bool {
        let closed = |log: &Log| matches!(log.health, Health::Closed);
        let urgent = |log: &Log| !log.doomed.is_empty() || closed(log);
        let idle = self
            .chores
            .wait_while(self.log(), |log| !urgent(log) && !log.unsynced_positions);
        let log = idle.unwrap_or_else(PoisonError::into_inner);
        if urgent(&log) {
            return closed(&log);
        }
        let waited = self.chores.wait_timeout_while(log, patience, |log| !urgent(log));
        closed(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}
