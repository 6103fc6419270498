//! A durable log of byte records with readers that each go at their own pace; knows nothing of metrics.
//!
//! ```text
//!   append ──► waiting ──► writer thread: one write, one sync ──► segments ──► reader "tmp":   lanes, acknowledged ends
//!                └─ position given here, at once                     │    └──► reader "azure": ...
//!                                                                    └─ whole segments go when everybody is past them
//! ```
//!
//! What survives what:
//!
//! | | killed | power lost |
//! |---|---|---|
//! | an append that resolved, `sync: always` | kept | kept |
//! | an append that resolved, `interval` or `never` | kept | the last ones may be lost |
//! | an acknowledgement | kept | the last half second may be undone: records come again |
//!
//! The order of [`Queue::append`] calls is the order of positions, and the order in which every reader sees the records.
//! A failed write or sync fails every append under way, and the queue refuses until [`Queue::resume`] has made the log
//! hold exactly what was acknowledged. Reading and acknowledging go on meanwhile. The bytes on disk are described in
//! `docs/queue-format.md`.

mod append;
mod bookmark;
mod config;
mod core;
mod error;
mod keeper;
mod lanes;
mod log;
mod metrics;
mod place;
mod position;
mod quarantine;
mod reader;
mod record;
mod recover;
mod scan;
mod segment;
mod stats;
mod storage;
#[cfg(test)]
mod tests;
mod window;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use append::Appending;
pub use config::{QueueConfig, SyncPolicy, WhenFull};
pub use error::QueueError;
pub use lanes::MAX_LANES;
pub use metrics::register as register_metrics;
pub use position::Position;
pub use quarantine::Quarantined;
pub use reader::{Delivery, Reader, Start};
pub use record::{MAX_PAYLOAD_BYTES, Record};
pub use recover::Opened;
pub use stats::{Backlog, DropReason, Dropped, QueueStats, ReaderStats, Totals};
pub use storage::{FileStorage, Storage, StorageFile};
#[cfg(test)]
pub(crate) use storage::{PowerStorage, Survives};

use crate::model::UnixMillis;
use bookmark::{Bookmark, BookmarkName};
use core::{Core, Mood};
use lanes::Progress;
use log::{Health, Pinned};
use scan::Scan;

/// The log. Clones are the same log; when the last is dropped its threads end by themselves, but [`Queue::close`] waits
/// for them.
#[derive(Clone, Debug)]
pub struct Queue {
    core: Arc<Core>,
    threads: Arc<Threads>,
}

impl Queue {
    /// Takes up the log that `storage` holds, or begins one, and starts the writer.
    ///
    /// A storage that can be read but not written to opens all the same; the report says so in
    /// [`Opened::refusing`].
    ///
    /// # Errors
    /// [`QueueError::FutureVersion`] for a log of a later program; [`QueueError::Io`] when the storage cannot be read.
    pub fn open(storage: Arc<dyn Storage>, config: QueueConfig) -> Result<(Self, Opened), QueueError> {
        let (core, opened) = Core::open(storage, config)?;
        let core = Arc::new(core);
        let threads = Threads::start(&core)?;
        Ok((
            Self {
                core,
                threads: Arc::new(threads),
            },
            opened,
        ))
    }

    /// Gives `record` its place and hands it to the writer. Never waits for the disk.
    ///
    /// # Errors
    /// [`QueueError::Full`] and [`QueueError::Overloaded`]: the sender comes again later. [`QueueError::TooLarge`]: it
    /// must send less at a time. [`QueueError::Failed`]: see [`Queue::resume`]. [`QueueError::Closed`]: too late.
    pub fn append(&self, record: Record) -> Result<Appending, QueueError> {
        self.core.append(record)
    }

    /// After [`QueueError::Failed`]: cuts the log to exactly what was acknowledged and takes appends again, in a new
    /// segment. Waits for the disk. The caller then rebuilds from [`Queue::scan`] what it keeps of the log.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the disk still refuses (try again when space was freed); [`QueueError::Closed`].
    pub fn resume(&self) -> Result<(), QueueError> {
        self.core.resume()
    }

    /// Makes everything committed last, whatever the [`SyncPolicy`]. Waits for the disk.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the disk refuses; the queue has then failed.
    pub fn sync(&self) -> Result<(), QueueError> {
        self.core.sync()
    }

    /// Everything before this position may be read.
    #[must_use]
    pub fn committed(&self) -> Position {
        self.core.log().committed
    }

    /// Where the next record will stand, beyond [`Queue::committed`] while appends are under way.
    #[must_use]
    pub fn end(&self) -> Position {
        self.core.log().tail
    }

    /// Waits until everything before `position` may be read.
    ///
    /// # Errors
    /// [`QueueError::Failed`] or [`QueueError::Closed`] when that will not be.
    pub async fn wait_committed(&self, position: Position) -> Result<(), QueueError> {
        let mut news = self.core.news.subscribe();
        let last = news
            .wait_for(|news| news.committed >= position || news.mood != Mood::Good)
            .await;
        if last.is_ok_and(|news| news.committed >= position) {
            return Ok(());
        }
        match &self.core.log().health {
            Health::Failed(cause) => Err(QueueError::Failed { cause: cause.clone() }),
            Health::Good | Health::Closed => Err(QueueError::Closed),
        }
    }

    /// Every record committed by now, from `from` on, oldest first. What cannot be read is passed over.
    pub fn scan(
        &self,
        from: Position,
    ) -> impl Iterator<Item = Result<(Position, Record), QueueError>> + use<> {
        Scan::from(&self.core, from)
    }

    /// Opens the reader `name` with `lanes` lanes; one never seen before begins at `start`.
    ///
    /// # Errors
    /// [`QueueError::ReaderBusy`] while one of that name is open; [`QueueError::Lanes`]; [`QueueError::Io`] when a new
    /// position file cannot be made.
    pub fn reader(&self, name: &str, lanes: u32, start: Start) -> Result<Reader, QueueError> {
        self.core.reader(name, lanes, start)
    }

    /// Holds every record from a position of its own on, even from [`WhenFull::DropOldest`] and age, which then
    /// refuse instead. A name never seen before begins with the oldest record. Lasts until it is [advanced](Hold::advance).
    ///
    /// # Errors
    /// [`QueueError::Io`] when a new position file cannot be made.
    pub fn pin(&self, name: &str) -> Result<Hold, QueueError> {
        let known = self.core.log().pins.contains_key(name);
        if !known {
            let position = self.core.oldest();
            let file = BookmarkName::Pin(name.to_owned());
            let bookmark = Arc::new(Bookmark::create(
                self.core.storage.as_ref(),
                &file,
                &Progress::at(position),
            )?);
            self.core
                .log()
                .pins
                .insert(name.to_owned(), Pinned { position, bookmark });
        }
        Ok(Hold {
            core: Arc::clone(&self.core),
            name: name.to_owned(),
        })
    }

    /// Forgets every reader whose name is not among `names`, with its position. Returns the forgotten names and what
    /// they had not acknowledged.
    pub fn forget_readers_except(&self, names: &[&str]) -> Vec<(String, Backlog)> {
        let mut log = self.core.log();
        let strange = |name: &&String| !names.contains(&name.as_str());
        let gone: Vec<String> = log.readers.keys().filter(strange).cloned().collect();
        let mut forgotten = Vec::new();
        for name in gone {
            if let Some(place) = log.readers.remove(&name) {
                forgotten.push((name, log.backlog(&place)));
            }
        }
        log.release();
        self.core.wake_keeper(&log);
        drop(log);
        for (name, _) in &forgotten {
            let file = BookmarkName::Reader(name.clone()).file_name();
            if let Err(error) = self.core.storage.remove(&file) {
                tracing::warn!(%error, file = self.core.storage.place(&file), "could not remove a forgotten position");
            }
        }
        forgotten
    }

    /// Tells the time, so that records grow old even when nothing is appended.
    pub fn expire(&self, now: UnixMillis) {
        let mut log = self.core.log();
        log.now = now;
        log.expire();
        self.core.wake_keeper(&log);
    }

    /// Why appends are refused until [`Queue::resume`], when they are.
    #[must_use]
    pub fn refusing(&self) -> Option<String> {
        match &self.core.log().health {
            Health::Failed(cause) => Some(cause.to_string()),
            Health::Good | Health::Closed => None,
        }
    }

    /// Its bounds and habits.
    #[must_use]
    pub fn config(&self) -> &QueueConfig {
        &self.core.config
    }

    /// The figures of this moment.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.core.stats()
    }

    /// Where the files are; [`Storage::replace`] and [`Storage::read`] serve a snapshot beside the log (name it
    /// `*.snapshot`).
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.core.storage
    }

    /// Refuses further appends, writes and syncs those under way, syncs the readers' positions, and ends the threads.
    pub async fn close(&self) {
        self.threads.end();
        let handles = self.threads.take();
        let joined = tokio::task::spawn_blocking(move || {
            handles.into_iter().map(JoinHandle::join).collect::<Vec<_>>()
        });
        let all = joined
            .await
            .is_ok_and(|results| results.iter().all(Result::is_ok));
        if !all {
            tracing::error!("a thread of the queue did not end as it should");
        }
    }
}

/// A name that holds records back; see [`Queue::pin`].
#[derive(Debug)]
pub struct Hold {
    core: Arc<Core>,
    name: String,
}

impl Hold {
    /// The first position held.
    #[must_use]
    pub fn position(&self) -> Position {
        self.core
            .log()
            .pins
            .get(&self.name)
            .map(|pin| pin.position)
            .unwrap_or_default()
    }

    /// Lets go of what lies before `position`; a position behind the present one changes nothing.
    pub fn advance(&self, position: Position) {
        let mut log = self.core.log();
        if let Some(pin) = log.pins.get_mut(&self.name) {
            pin.position = pin.position.max(position);
        }
        log.release();
        self.core.wake_keeper(&log);
        drop(log);
        self.core.save_pin(&self.name);
    }
}

/// The writer and the keeper.
#[derive(Debug)]
struct Threads {
    core: Arc<Core>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Threads {
    fn start(core: &Arc<Core>) -> Result<Self, QueueError> {
        let threads = Self {
            core: Arc::clone(core),
            handles: Mutex::default(),
        };
        threads.begin("queue-writer", Core::run_writer)?;
        threads.begin("queue-keeper", Core::run_keeper)?;
        Ok(threads)
    }

    fn begin(&self, name: &str, work: fn(&Core)) -> Result<(), QueueError> {
        let core = Arc::clone(&self.core);
        let handle = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&core));
        let handle = handle.map_err(|error| QueueError::io("start thread", name.to_owned(), error))?;
        self.handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
        Ok(())
    }

    fn end(&self) {
        let mut log = self.core.log();
        log.health = Health::Closed;
        self.core.tell(&log);
        drop(log);
        self.core.work.notify_all();
        self.core.chores.notify_all();
    }

    fn take(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
    }
}
