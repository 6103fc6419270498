//! Hands the records of the log to the lanes, within a bound, and takes back what they have settled.
//!
//! One task does both, so the books and the log's position move together: what is sent, rejected, dropped and pending
//! sums up whenever somebody looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{error, info, warn};

use crate::queue::{Delivery, Position, QueueError, Record};

use super::families::announce;
use super::lane::{Lane, Route, Settled};
use super::piece::Handed;
use super::source::Source;
use super::transport::Transport;

/// Room for records under way, over all lanes of a remote: more than a second of a million samples a second.
const MAX_BYTES_UNDER_WAY: u32 = 64 << 20;
/// What a record takes beside its payload; it bounds the number of records.
const BYTES_PER_RECORD: u32 = 512;
/// Settled batches that may wait to be acknowledged; then their lanes wait too.
const MAX_SETTLED: usize = 64;
/// How long a request under way may take to end when the forwarder stops. Then it is given up, and sent again later.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How old the count of pending samples may be while a remote takes nothing.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at a queue that cannot be read.
const PAUSE_AFTER_QUEUE_ERROR: Duration = Duration::from_secs(1);

/// The way of one remote: from `source` through the lanes to `route.transport`.
pub(super) struct Dispatcher<S, T> {
    pub(super) source: S,
    pub(super) route: Arc<Route<T>>,
}

/// A record that was read and waits for room.
struct Read {
    lane: u32,
    position: Position,
    end: Position,
    record: Record,
}

/// What happens next.
enum Event {
    Settled(Settled),
    Read(Result<Delivery, QueueError>),
    Room(OwnedSemaphorePermit),
    Refresh,
}

impl<S: Source, T: Transport> Dispatcher<S, T> {
    /// Delivers until `stop` resolves; then lets requests under way end, within a grace.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let (settling, mut settled) = mpsc::channel(MAX_SETTLED);
        let mut lanes = JoinSet::new();
        let mut doors = Vec::new();
        for number in 0..self.route.config.lanes.max(1) {
            let (door, waiting) = mpsc::channel((MAX_BYTES_UNDER_WAY / BYTES_PER_RECORD) as usize);
            let lane = Lane::new(number, Arc::clone(&self.route), waiting, stopped.clone());
            doors.push(door);
            lanes.spawn(lane.run(settling.clone()));
        }
        drop(settling);
        lanes.spawn(announce(Arc::clone(&self.route), stopped));
        tokio::select! {
            biased;
            () = stop => {}
            () = self.hand_out(&doors, &mut settled) => {}
        }
        stopping.send_replace(true);
        let ended = timeout(STOP_GRACE, async {
            while let Some(batch) = settled.recv().await {
                self.settle(&batch);
            }
        });
        let remote = self.route.books.name();
        match ended.await {
            Ok(()) => info!(remote, "forwarding has stopped"),
            Err(_) => warn!(
                remote,
                "forwarding has stopped in the middle of a request; it will be sent again"
            ),
        }
    }

    /// Takes from the log, gives to the lanes, acknowledges; ends only when no more can come.
    ///
    /// Whoever is under way holds its room until it is acknowledged, so a fence is a record that takes all the room:
    /// it waits for everything before it, and everything behind it waits for it.
    async fn hand_out(&mut self, doors: &[mpsc::Sender<Handed>], settled: &mut mpsc::Receiver<Settled>) {
        let room = Arc::new(Semaphore::new(MAX_BYTES_UNDER_WAY as usize));
        let mut refresh = interval(REFRESH_EVERY);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read: Option<Read> = None;
        loop {
            let wanted = read.as_ref().map_or(0, |read| room_for(&read.record));
            let event = tokio::select! {
                biased;
                Some(batch) = settled.recv() => Event::Settled(batch),
                Ok(room) = Arc::clone(&room).acquire_many_owned(wanted), if read.is_some() => Event::Room(room),
                delivery = self.source.next(), if read.is_none() => Event::Read(delivery),
                _ = refresh.tick() => Event::Refresh,
            };
            match event {
                Event::Settled(batch) => self.settle(&batch),
                Event::Refresh => self.route.books.refresh(self.source.pending_samples()),
                Event::Room(room) => {
                    if let Some(read) = read.take()
                        && !self.give(doors, read, room)
                    {
                        return;
                    }
                }
                Event::Read(Ok(Delivery::Record {
                    lane,
                    position,
                    end,
                    record,
                })) => {
                    read = Some(Read {
                        lane,
                        position,
                        end,
                        record,
                    });
                }
                Event::Read(Ok(Delivery::Gap { weight, reason, .. })) => {
                    let pending = self.source.pending_samples();
                    self.route.books.gap(reason.as_str(), weight, pending);
                }
                Event::Read(Err(QueueError::Closed | QueueError::ReaderGone { .. })) => {
                    info!(remote = self.route.books.name(), "the queue has closed");
                    return;
                }
                Event::Read(Err(error)) => {
                    error!(remote = self.route.books.name(), %error, "cannot read the queue");
                    sleep(PAUSE_AFTER_QUEUE_ERROR).await;
                }
            }
        }
    }

    /// Whether the lane took it, which it does unless it has died.
    fn give(&self, doors: &[mpsc::Sender<Handed>], read: Read, room: OwnedSemaphorePermit) -> bool {
        let Read {
            lane,
            position,
            end,
            record,
        } = read;
        let pending = self.source.pending_samples();
        self.route.books.handed_out(position, record.at, pending);
        let handed = Handed {
            position,
            end,
            record,
            room,
        };
        let door = doors.get(lane as usize);
        let given = door.is_some_and(|door| door.try_send(handed).is_ok());
        if !given {
            let remote = self.route.books.name();
            error!(
                remote,
                lane, "a lane has ended; nothing more is forwarded until a restart"
            );
        }
        given
    }

    fn settle(&self, settled: &Settled) {
        if let Some(last) = settled.batch.pieces().last() {
            self.source.ack(settled.lane, last.handed.end);
        }
        let pending = self.source.pending_samples();
        self.route.books.settle(&settled.batch, &settled.outcome, pending);
    }
}

fn room_for(record: &Record) -> u32 {
    if record.fence {
        return MAX_BYTES_UNDER_WAY;
    }
    let payload = u32::try_from(record.payload.len()).unwrap_or(u32::MAX);
    payload.saturating_add(BYTES_PER_RECORD).min(MAX_BYTES_UNDER_WAY)
}

#[cfg(test)]
mod tests;
