//! What the queue, its readers and its threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::whole_story;
use crate::queue::bookmark::BookmarkName;
use crate::queue::log::{Health, Log, Pinned};
use crate::queue::place::{Place, Spot};
use crate::queue::recover::{Opened, Recovered, recover};
use crate::queue::segment::Segment;
use crate::queue::stats::{QueueStats, ReaderStats, Totals};
use crate::queue::storage::Storage;
use crate::queue::window::header_at;
use crate::queue::writer::Tape;
use crate::queue::{Position, QueueConfig, QueueError};

/// Locks are taken in this order: `tape`, a bookmark's slots, `log`. Only `log` is taken by who must not wait.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) config: QueueConfig,
    pub(super) tape: Mutex<Tape>,
    log: Mutex<Log>,
    /// Wakes the writer.
    pub(super) work: Condvar,
    /// Wakes the keeper.
    pub(super) chores: Condvar,
    pub(super) news: watch::Sender<News>,
}

/// What those who wait are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) committed: Position,
    pub(super) mood: Mood,
}

/// [`Health`] without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Failed,
    Closed,
}

impl Core {
    /// Takes up what the storage holds and begins a segment. A disk that cannot be written to does not keep the queue
    /// from opening: it then refuses appends and says so in the report.
    pub(super) fn open(storage: Arc<dyn Storage>, config: QueueConfig) -> Result<(Self, Opened), QueueError> {
        let Recovered {
            segments,
            tail,
            bookmarks,
            mut report,
        } = recover(storage.as_ref())?;
        let mut log = Log::new(segments, tail, &config);
        log.health = Health::Failed(Arc::new(QueueError::Closed));
        for (name, bookmark, progress) in bookmarks {
            let bookmark = Arc::new(bookmark);
            match name {
                BookmarkName::Reader(name) => {
                    let spot = spot(&log, progress.floor(), storage.as_ref())?;
                    let lanes = progress.0.last().map_or(1, |needs| needs.0.len());
                    log.readers
                        .insert(name, Place::new(progress, lanes, spot, bookmark));
                }
                BookmarkName::Pin(name) => {
                    log.pins.insert(
                        name,
                        Pinned {
                            position: progress.floor(),
                            bookmark,
                        },
                    );
                }
            }
        }
        // Where a position could not be synced on loading, it has to be written anew.
        log.unsynced_positions = true;
        let core = Self {
            storage,
            config,
            tape: Mutex::new(Tape::default()),
            log: Mutex::new(log),
            work: Condvar::new(),
            chores: Condvar::new(),
            news: watch::Sender::new(News {
                committed: tail,
                mood: Mood::Good,
            }),
        };
        if let Err(error) = core.resume() {
            tracing::error!(%error, "the queue opened, but cannot be written to");
            report.refusing = Some(error);
        }
        Ok((core, report))
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who waits how far the log is.
    pub(super) fn tell(&self, log: &Log) {
        let mood = match log.health {
            Health::Good => Mood::Good,
            Health::Failed(_) => Mood::Failed,
            Health::Closed => Mood::Closed,
        };
        self.news.send_replace(News {
            committed: log.committed,
            mood,
        });
    }

    pub(super) fn wake_keeper(&self, log: &Log) {
        if !log.doomed.is_empty() {
            self.chores.notify_one();
        }
    }

    /// The place `position` and what lies before it in its segment.
    pub(super) fn spot(&self, position: Position) -> Result<Spot, QueueError> {
        loop {
            let segment = self.log().segment_from(position).cloned();
            let spot = spot_in(segment.as_ref(), position, self.storage.as_ref())?;
            let gone = spot.current.is_some_and(|id| self.log().segment(id).is_none());
            if !gone {
                return Ok(spot);
            }
        }
    }

    pub(super) fn stats(&self) -> QueueStats {
        let log = self.log();
        let reader = |(name, place): (&String, &Place)| ReaderStats {
            name: name.clone(),
            backlog: log.backlog(place),
            acknowledged: place.acknowledged,
            dropped: place.dropped,
        };
        let refusing = match &log.health {
            Health::Good => None,
            Health::Failed(cause) => Some(whole_story(cause.as_ref())),
            Health::Closed => Some(QueueError::Closed.to_string()),
        };
        QueueStats {
            bytes: log.bytes(),
            segments: log.segments.len() as u64,
            waiting_bytes: log.waiting_bytes,
            oldest_at: log.segments.iter().find_map(|segment| segment.oldest_at),
            appended: log.counts.appended,
            appended_bytes: log.counts.appended_bytes,
            failed: log.counts.failed,
            syncs: log.counts.syncs,
            sync_time: log.counts.sync_time,
            position_failures: log.counts.position_failures,
            refusing,
            readers: log.readers.iter().map(reader).collect(),
        }
    }
}

fn spot(log: &Log, position: Position, storage: &dyn Storage) -> Result<Spot, QueueError> {
    spot_in(log.segment_from(position), position, storage)
}

fn spot_in(segment: Option<&Segment>, position: Position, storage: &dyn Storage) -> Result<Spot, QueueError> {
    let Some(segment) = segment else {
        return Ok(Spot {
            read: position,
            current: None,
            seen: Totals::default(),
        });
    };
    let mut seen = Totals::default();
    let mut read = segment.id.first_frame();
    while read < position {
        let header = header_at(segment, read)
            .map_err(|error| QueueError::io("read", storage.place(&segment.id.file_name()), error))?;
        let Some(header) = header else { break };
        seen += Totals::one(header.weight);
        read = read.plus(header.frame_bytes());
    }
    Ok(Spot {
        read: read.max(position),
        current: Some(segment.id),
        seen,
    })
}
