//! The way of a record into the log, up to the moment it is durable.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::queue::core::Core;
use crate::queue::log::Health;
use crate::queue::record::MAX_PAYLOAD_BYTES;
use crate::queue::segment::SegmentId;
use crate::queue::{Position, QueueError, Record};

/// Most bytes that may wait for the disk: what a stalled disk costs in memory.
const MAX_WAITING_BYTES: u64 = 128 << 20;

/// A record that has its place and waits for the writer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: Record,
    pub(super) position: Position,
    pub(super) end: Position,
    /// The segment that this record is the first of.
    pub(super) begins: Option<SegmentId>,
    pub(super) done: oneshot::Sender<Result<(), QueueError>>,
}

/// An append under way: resolves when the record is durable, as far as [`SyncPolicy`](super::SyncPolicy) promises.
///
/// Dropping it takes nothing back.
#[derive(Debug)]
#[must_use = "an append is only done when this has resolved"]
pub struct Appending {
    position: Position,
    end: Position,
    done: oneshot::Receiver<Result<(), QueueError>>,
}

impl Appending {
    /// Where the record stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where the record ends: what [`Queue::committed`](super::Queue::committed) reaches when it is durable.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }
}

impl Future for Appending {
    type Output = Result<(), QueueError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.done)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(QueueError::Closed)))
    }
}

impl Core {
    /// Gives the record its place and leaves it to the writer.
    pub(super) fn append(&self, record: Record) -> Result<Appending, QueueError> {
        let bytes = record.stored_bytes();
        let max_bytes = (self.config.max_bytes / 2).min(MAX_PAYLOAD_BYTES as u64);
        if record.payload.len() as u64 > max_bytes {
            return Err(QueueError::TooLarge { bytes, max_bytes });
        }
        let (answer, done) = oneshot::channel();
        let mut log = self.log();
        match &log.health {
            Health::Good => {}
            Health::Failed(cause) => return Err(QueueError::Failed { cause: cause.clone() }),
            Health::Closed => return Err(QueueError::Closed),
        }
        let waiting_bytes = log.waiting_bytes;
        if waiting_bytes > 0 && waiting_bytes.saturating_add(bytes) > MAX_WAITING_BYTES {
            return Err(QueueError::Overloaded {
                waiting_bytes,
                max_bytes: MAX_WAITING_BYTES,
            });
        }
        log.now = record.at;
        let room = log.make_room(bytes);
        self.wake_keeper(&log);
        room?;
        let (position, begins) = log.place_frame(bytes);
        let end = position.plus(bytes);
        let first = log.waiting.is_empty();
        log.waiting_bytes = waiting_bytes.saturating_add(bytes);
        log.waiting.push(Waiting {
            record,
            position,
            end,
            begins,
            done: answer,
        });
        drop(log);
        if first {
            self.work.notify_one();
        }
        Ok(Appending { position, end, done })
    }
}
