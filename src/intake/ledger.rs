//! Registry and log as one: a change is in both or in neither.
//!
//! A change is planned, appended and applied under one lock, so that the order of the log is the order of the state.
//! The registry thus runs ahead of the disk by what is being written. When a write fails, what ran ahead is undone the
//! simplest way: the state is read again from snapshot and log, by the code that runs at every start.

use std::sync::Arc;

use tracing::{error, info, warn};

use super::refusal::Refusal;
use crate::codec::record::Record;
use crate::model::{Clock, UnixMillis};
use crate::queue::{self, Appending, Hold, Position, Queue, QueueError};
use crate::registry::{self, Change, Registry, RetentionConfig};

/// The file that holds the registry's snapshot, in the queue's folder.
const SNAPSHOT: &str = "registry.snapshot";

/// Bytes of log that are read again at a start without a thought: a tenth of a second.
const MIN_SNAPSHOT_GAP: u64 = 16 << 20;

/// What the last snapshot covers, and how big it was.
#[derive(Clone, Copy, Debug)]
struct Covered {
    position: Position,
    bytes: u64,
    at: UnixMillis,
    recoveries: u64,
}

/// The registry, its log, and the snapshot that saves reading the log from its beginning.
#[derive(Debug)]
pub(super) struct Ledger {
    queue: Queue,
    pin: Hold,
    /// Where the log ends, what is being written included.
    end: Position,
    registry: Registry,
    covered: Covered,
    is_damaged: bool,
    /// How often the state has been read again: positions given before the last time may mean something else now.
    recoveries: u64,
    clock: Arc<dyn Clock>,
}

/// The state, and the position up to which it holds; to be stored once the log is durable up to there.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) position: Position,
    state: registry::Snapshot,
    recoveries: u64,
}

/// What was stored of a snapshot.
#[derive(Debug)]
pub(super) struct Stored {
    position: Position,
    bytes: u64,
    recoveries: u64,
}

/// A change that is being written; durable once `appending` resolves.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) appending: Appending,
    pub(super) weight: u64,
}

impl Ledger {
    /// Reads the state from snapshot and log.
    pub(super) fn open(
        queue: Queue,
        config: RetentionConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, QueueError> {
        let pin = queue.pin("registry")?;
        let (registry, covered) = read_state(&queue, config, clock.now())?;
        let end = queue.committed();
        Ok(Self {
            queue,
            pin,
            end,
            registry,
            covered,
            is_damaged: false,
            recoveries: 0,
            clock,
        })
    }

    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) const fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Writes a change to the log and makes it.
    pub(super) fn commit(&mut self, change: Change) -> Result<Committed, Refusal> {
        let committed = self.append(&change.record(), (change.lane_key(), change.fence))?;
        if let Err(error) = self.registry.apply(change) {
            error!(%error, "the stored state of a group cannot be read; all state is read again");
            self.is_damaged = true;
            return Err(Refusal::NotReady("the stored state is being read again"));
        }
        Ok(committed)
    }

    /// Writes what changes nothing in the registry.
    pub(super) fn pass_on(&mut self, record: &Record, key: u64) -> Result<Committed, Refusal> {
        self.append(record, (key, false))
    }

    fn append(&mut self, record: &Record, (key, fence): (u64, bool)) -> Result<Committed, Refusal> {
        let weight = record.weight();
        let appending = self.queue.append(queue::Record {
            key,
            weight,
            fence,
            at: self.clock.now(),
            payload: record.encode(),
        })?;
        self.end = appending.end();
        Ok(Committed {
            appending,
            weight: u64::from(weight),
        })
    }

    /// Whether the state is not what the log says: a write failed, or memory was damaged.
    pub(super) fn needs_recovery(&self) -> bool {
        self.is_damaged || self.queue.refusing().is_some()
    }

    /// Cuts the log back to what is durable, if a write failed, and reads the state again. Blocks on the disk.
    pub(super) fn recover(&mut self, config: RetentionConfig) -> Result<(), QueueError> {
        if !self.needs_recovery() {
            return Ok(());
        }
        if self.queue.refusing().is_some() {
            self.queue.resume()?;
        }
        // what is on its way to the disk is part of the state; nothing can join it while this is borrowed
        tokio::runtime::Handle::current()
            .block_on(self.queue.wait_committed(self.end.min(self.queue.end())))?;
        let (registry, covered) = read_state(&self.queue, config, self.clock.now())?;
        self.registry = registry;
        self.covered = covered;
        self.end = self.queue.committed();
        self.is_damaged = false;
        self.recoveries += 1;
        info!("all state is read again; pushes are taken");
        Ok(())
    }

    /// Whether enough has been written since the last snapshot to make a new one worth its bytes: as much as two
    /// snapshots, at least 16 MiB, or anything at all after ten minutes. Neither a small queue nor a full disk can
    /// wait for that: what the snapshot does not cover is what neither `when_full: drop_oldest` nor a remote's
    /// acknowledgement can free.
    pub(super) fn wants_snapshot(&self) -> bool {
        let since = self.end.bytes_since(self.covered.position);
        let worth = (self.covered.bytes * 2)
            .max(MIN_SNAPSHOT_GAP)
            .min(self.queue.config().max_bytes / 4);
        let is_cramped = self.recoveries > self.covered.recoveries && since > 0;
        let is_old = self.clock.now().since(self.covered.at).as_secs() > 600;
        is_cramped || since > worth || (is_old && since > 0)
    }

    /// The state as it is now.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            position: self.end,
            state: self.registry.snapshot(self.end.get()),
            recoveries: self.recoveries,
        }
    }

    /// Whether the state has not been read again since the snapshot was taken, which could hold what then was undone.
    pub(super) const fn agrees_with(&self, snapshot: &Snapshot) -> bool {
        self.recoveries == snapshot.recoveries
    }

    /// Takes note that a snapshot is on disk, so that the log before it may go.
    pub(super) fn snapshot_stored(&mut self, stored: &Stored) {
        self.pin.advance(stored.position);
        self.covered = Covered {
            position: stored.position,
            bytes: stored.bytes,
            at: self.clock.now(),
            recoveries: stored.recoveries,
        };
    }
}

impl Snapshot {
    /// Puts it in place of the one before; blocks on the disk. The log is synced first, whatever `queue.sync` says: a
    /// snapshot that outlived its log would hide what is written at the same positions later.
    pub(super) fn store(self, queue: &Queue) -> Result<Stored, QueueError> {
        queue.sync()?;
        let storage = queue.storage();
        let bytes = storage
            .replace_by(SNAPSHOT, &mut self.state.pieces())
            .map_err(|error| QueueError::io("store", storage.place(SNAPSHOT), error))?;
        Ok(Stored {
            position: self.position,
            bytes,
            recoveries: self.recoveries,
        })
    }
}

fn read_state(
    queue: &Queue,
    config: RetentionConfig,
    now: UnixMillis,
) -> Result<(Registry, Covered), QueueError> {
    let storage = queue.storage();
    let stored = storage
        .read(SNAPSHOT)
        .map_err(|error| QueueError::io("read", storage.place(SNAPSHOT), error))?;
    let bytes = stored.as_ref().map_or(0, |stored| stored.len() as u64);
    let restored = stored.and_then(|stored| match Registry::restore(config.clone(), &stored, now) {
        Ok(restored) => Some(restored),
        Err(error) => {
            error!(%error, file = SNAPSHOT, "the registry's snapshot cannot be used: groups that have not pushed since the log's beginning are forgotten, and their series will not be ended");
            None
        }
    });
    let (mut registry, from) = restored.unwrap_or_else(|| (Registry::new(config, rand::random(), now), 0));
    registry.remember_ended_for(queue.config().max_age);
    let (mut replayed, mut skipped) = (0_u64, 0_u64);
    for scanned in queue.scan(Position::new(from)) {
        let (position, stored) = scanned?;
        match Record::decode(stored.payload).and_then(|record| registry.replay(&record)) {
            Ok(()) => replayed += 1,
            Err(error) => {
                skipped += 1;
                warn!(%error, position = position.get(), "a record says nothing that this version understands");
            }
        }
    }
    let summary = registry.summary();
    info!(
        replayed,
        skipped,
        groups = summary.groups,
        series = summary.series,
        "the registry knows what it knew"
    );
    Ok((
        registry,
        Covered {
            position: Position::new(from),
            bytes,
            at: now,
            recoveries: 0,
        },
    ))
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Full { retry_after, .. } => Self::Full {
                retry_after,
                why: error,
            },
            QueueError::TooLarge { .. } => Self::TooLarge(error),
            other => Self::NotDurable(other),
        }
    }
}
