//! The writer: takes everything that waits, writes it at once, syncs once, answers all.
//!
//! After a failed write or sync nothing is written to that file again: the kernel may have forgotten what it could not
//! sync, and a later sync would lie. The log is cut to what was acknowledged and goes on in a new file.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::model::whole_story;
use crate::queue::append::Waiting;
use crate::queue::core::Core;
use crate::queue::log::{Counts, Health, Log};
use crate::queue::segment::{Segment, SegmentId};
use crate::queue::storage::{Storage, StorageFile};
use crate::queue::{Position, QueueError, SyncPolicy};

/// Bytes gathered before they are given to the disk: enough for full speed, little enough to keep.
const WRITE_BYTES: usize = 1 << 20;

/// The file being written.
#[derive(Debug, Default)]
pub(super) struct Tape {
    file: Option<(SegmentId, Arc<dyn StorageFile>)>,
    end: Position,
    buffer: Vec<u8>,
    /// When the first byte was written that is not synced yet.
    unsynced_since: Option<Instant>,
    /// Whether a file was made that its folder does not show for good yet.
    unlisted: bool,
    syncs: u64,
    sync_time: Duration,
}

impl Tape {
    fn write(
        &mut self,
        storage: &dyn Storage,
        policy: SyncPolicy,
        batch: &[Waiting],
    ) -> Result<VecDeque<Segment>, QueueError> {
        let mut begun = VecDeque::new();
        for waiting in batch {
            if let Some(id) = waiting.begins {
                self.flush(storage)?;
                if policy != SyncPolicy::Never {
                    self.sync(storage)?;
                }
                begun.push_back(self.begin(storage, id)?);
            }
            waiting.record.encode(waiting.position, &mut self.buffer);
            if self.buffer.len() >= WRITE_BYTES {
                self.flush(storage)?;
            }
        }
        self.flush(storage)?;
        if policy == SyncPolicy::Always {
            self.sync(storage)?;
        }
        Ok(begun)
    }

    fn begin(&mut self, storage: &dyn Storage, id: SegmentId) -> Result<Segment, QueueError> {
        let name = id.file_name();
        let file = storage
            .create(&name)
            .map_err(|error| QueueError::io("create", storage.place(&name), error))?;
        self.unlisted = true;
        self.end = id.start();
        self.buffer = id.header();
        self.file = Some((id, Arc::clone(&file)));
        Ok(Segment::empty(id, file))
    }

    fn flush(&mut self, storage: &dyn Storage) -> Result<(), QueueError> {
        let Some((id, file)) = self.file.as_ref().filter(|_| !self.buffer.is_empty()) else {
            return Ok(());
        };
        self.unsynced_since.get_or_insert_with(Instant::now);
        file.write_at(&self.buffer, self.end.bytes_since(id.start()))
            .map_err(|error| QueueError::io("write", storage.place(&id.file_name()), error))?;
        self.end = self.end.plus(self.buffer.len() as u64);
        self.buffer.clear();
        self.buffer.shrink_to(2 * WRITE_BYTES);
        Ok(())
    }

    fn sync(&mut self, storage: &dyn Storage) -> Result<(), QueueError> {
        let Some((id, file)) = &self.file else {
            return Ok(());
        };
        if self.unsynced_since.is_some() {
            let began = Instant::now();
            file.sync()
                .map_err(|error| QueueError::io("sync", storage.place(&id.file_name()), error))?;
            self.unsynced_since = None;
            self.syncs += 1;
            self.sync_time += began.elapsed();
        }
        if self.unlisted {
            storage
                .sync_folder("")
                .map_err(|error| QueueError::io("sync", storage.place(""), error))?;
            self.unlisted = false;
        }
        Ok(())
    }

    fn report(&mut self, counts: &mut Counts) {
        counts.syncs += std::mem::take(&mut self.syncs);
        counts.sync_time += std::mem::take(&mut self.sync_time);
    }

    fn discard(&mut self) {
        *self = Self::default();
    }
}

impl Core {
    /// Writes everything that waits. One turn of the writer.
    pub(super) fn write_waiting(&self) {
        let mut tape = self.tape();
        let batch = std::mem::take(&mut self.log().waiting);
        if batch.is_empty() {
            return;
        }
        match tape.write(self.storage.as_ref(), self.config.sync, &batch) {
            Ok(begun) => self.commit(&mut tape, batch, begun),
            Err(cause) => self.fail(&mut tape, batch, cause),
        }
    }

    /// Makes last what was acknowledged without a sync.
    pub(super) fn sync(&self) -> Result<(), QueueError> {
        let mut tape = self.tape();
        if let Err(cause) = tape.sync(self.storage.as_ref()) {
            self.fail(&mut tape, Vec::new(), cause.clone());
            return Err(cause);
        }
        tape.report(&mut self.log().counts);
        Ok(())
    }

    fn commit(&self, tape: &mut Tape, batch: Vec<Waiting>, begun: VecDeque<Segment>) {
        let mut log = self.log();
        log.commit(&batch, begun);
        tape.report(&mut log.counts);
        self.tell(&log);
        self.wake_keeper(&log);
        drop(log);
        for waiting in batch {
            let _ = waiting.done.send(Ok(()));
        }
    }

    fn fail(&self, tape: &mut Tape, batch: Vec<Waiting>, cause: QueueError) {
        tape.discard();
        tracing::error!(
            error = whole_story(&cause),
            "the queue could not be written and refuses appends"
        );
        let cause = Arc::new(cause);
        let mut log = self.log();
        let failed = log.fail(batch, &cause);
        self.tell(&log);
        drop(log);
        for waiting in failed {
            let _ = waiting.done.send(Err(QueueError::Failed {
                cause: Arc::clone(&cause),
            }));
        }
    }

    /// Makes the log hold exactly what was acknowledged, and takes appends again.
    pub(super) fn resume(&self) -> Result<(), QueueError> {
        let mut tape = self.tape();
        let (end, last) = {
            let log = self.log();
            match log.health {
                Health::Good => return Ok(()),
                Health::Closed => return Err(QueueError::Closed),
                Health::Failed(_) => (log.committed, log.segments.back().cloned()),
            }
        };
        let storage = self.storage.as_ref();
        remove_from(storage, end)?;
        // Where cutting fails the new segment's beginning ends the old one all the same; only space is lost.
        if let Some(last) = last.filter(|last| last.file.length().is_ok_and(|length| length > last.bytes()))
            && let Err(error) = last.file.set_length(last.bytes())
        {
            tracing::warn!(%error, segment = last.id.file_name(), "could not cut a segment, its end is left unused");
        }
        let begun = tape
            .begin(storage, SegmentId::beginning_at(end))
            .and_then(|segment| {
                tape.flush(storage)?;
                tape.sync(storage)?;
                Ok(segment)
            });
        let segment = match begun {
            Ok(segment) => segment,
            Err(cause) => {
                tape.discard();
                let mut log = self.log();
                if matches!(log.health, Health::Failed(_)) {
                    log.health = Health::Failed(Arc::new(cause.clone()));
                }
                self.tell(&log);
                return Err(cause);
            }
        };
        let mut log = self.log();
        if matches!(log.health, Health::Closed) {
            return Err(QueueError::Closed);
        }
        log.go_on_in(segment);
        self.tell(&log);
        Ok(())
    }

    /// The writer's life: until the queue is closed and nothing waits.
    pub(super) fn run_writer(&self) {
        loop {
            let (closed, idle) = self.await_work();
            if idle {
                // A failure here shows in the queue's health; there is nobody to answer.
                let _ = self.sync();
            } else {
                self.write_waiting();
                self.sync_when_due();
            }
            if closed && idle {
                return;
            }
        }
    }

    /// Waits until there is something to write, the interval's sync is due, or the queue is closed.
    fn await_work(&self) -> (bool, bool) {
        let due = match self.config.sync {
            SyncPolicy::Interval(interval) => self
                .tape()
                .unsynced_since
                .map(|since| interval.saturating_sub(since.elapsed())),
            SyncPolicy::Always | SyncPolicy::Never => None,
        };
        let mut log = self.log();
        let nothing = |log: &mut Log| log.waiting.is_empty() && !matches!(log.health, Health::Closed);
        log = match due {
            Some(due) => {
                self.work
                    .wait_timeout_while(log, due, nothing)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => self
                .work
                .wait_while(log, nothing)
                .unwrap_or_else(PoisonError::into_inner),
        };
        (matches!(log.health, Health::Closed), log.waiting.is_empty())
    }

    fn sync_when_due(&self) {
        if let SyncPolicy::Interval(interval) = self.config.sync {
            let due = self
                .tape()
                .unsynced_since
                .is_some_and(|since| since.elapsed() >= interval);
            if due {
                let _ = self.sync();
            }
        }
    }
}

/// Takes away the files that begin at or after `end`: they hold nothing that was acknowledged, and one that came back
/// after a loss of power would hide what is written from now on.
fn remove_from(storage: &dyn Storage, end: Position) -> Result<(), QueueError> {
    let names = storage
        .list("")
        .map_err(|error| QueueError::io("list", storage.place(""), error))?;
    let late = names
        .into_iter()
        .filter(|name| SegmentId::parse(name).is_some_and(|id| id.start() >= end));
    for name in late {
        storage
            .remove(&name)
            .map_err(|error| QueueError::io("remove", storage.place(&name), error))?;
    }
    storage
        .sync_folder("")
        .map_err(|error| QueueError::io("sync", storage.place(""), error))
}
