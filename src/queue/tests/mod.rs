//! The queue's promises, on a disk that can lose power, run full and refuse; the writer is driven by hand.

mod bounds;
mod damage;
mod durability;
mod model;
mod readers;
mod threads;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::model::UnixMillis;
use crate::queue::core::Core;
use crate::queue::scan::Scan;
use crate::queue::{
    Appending, Delivery, Opened, Position, PowerStorage, Queue, QueueConfig, QueueError, Reader, Record,
    Start, Survives, Threads,
};

/// A queue without threads on a disk in memory.
struct Rig {
    disk: PowerStorage,
    config: QueueConfig,
    core: Arc<Core>,
    queue: Queue,
    opened: Opened,
}

impl Rig {
    fn new() -> Self {
        Self::with(QueueConfig {
            segment_bytes: 400,
            ..QueueConfig::default()
        })
    }

    fn with(config: QueueConfig) -> Self {
        Self::on(PowerStorage::default(), config)
    }

    fn on(disk: PowerStorage, config: QueueConfig) -> Self {
        let (core, opened) = Core::open(Arc::new(disk.clone()), config.clone()).unwrap();
        let core = Arc::new(core);
        let threads = Arc::new(Threads {
            core: Arc::clone(&core),
            handles: Mutex::default(),
        });
        let queue = Queue {
            core: Arc::clone(&core),
            threads,
        };
        Self {
            disk,
            config,
            core,
            queue,
            opened,
        }
    }

    /// With a reader that was there once and holds everything.
    fn holding(self) -> Self {
        drop(self.reader(1));
        self
    }

    fn killed(self) -> Self {
        Self::on(self.disk, self.config)
    }

    fn powerless(self, survives: u8) -> Self {
        self.disk.lose_power(Survives(survives));
        Self::on(self.disk, self.config)
    }

    fn append(&self, record: Record) -> Result<Appending, QueueError> {
        self.core.append(record)
    }

    fn stored(&self, number: u64) -> Result<(), QueueError> {
        let appending = self.append(record(number))?;
        self.core.write_waiting();
        now(appending).unwrap()
    }

    fn filled(self, numbers: impl IntoIterator<Item = u64>) -> Self {
        for number in numbers {
            self.stored(number).unwrap();
        }
        self
    }

    fn reader(&self, lanes: u32) -> Reader {
        self.core.reader("remote", lanes, Start::Oldest).unwrap()
    }

    fn scanned(&self) -> Vec<u64> {
        Scan::from(&self.core, Position::default())
            .map(|found| number_of(&found.unwrap().1))
            .collect()
    }

    fn files(&self, suffix: &str) -> BTreeSet<String> {
        use crate::queue::Storage;
        self.disk
            .list("")
            .unwrap()
            .into_iter()
            .filter(|name| name.ends_with(suffix))
            .collect()
    }

    /// The last segment with records in it.
    fn last_segment(&self) -> String {
        let log = self.core.log();
        log.segments
            .iter()
            .rev()
            .find(|segment| !segment.is_empty())
            .unwrap()
            .id
            .file_name()
    }
}

/// A record that is known by its number, which is its key too.
fn record(number: u64) -> Record {
    let payload = [number.to_le_bytes().as_slice(), &[7; 52]].concat();
    Record {
        key: number,
        weight: 10,
        fence: false,
        at: UnixMillis::new(1_000),
        payload: payload.into(),
    }
}

fn sized(number: u64, bytes: usize) -> Record {
    let mut payload = number.to_le_bytes().to_vec();
    payload.resize(bytes.max(8), 1);
    Record {
        payload: Bytes::from(payload),
        ..record(number)
    }
}

fn number_of(record: &Record) -> u64 {
    u64::from_le_bytes(*record.payload.first_chunk::<8>().unwrap())
}

/// What the future says if it has something to say now.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Everything there is to read now, without acknowledging it.
fn read(reader: &mut Reader) -> Vec<Delivery> {
    std::iter::from_fn(|| now(reader.next()))
        .map(Result::unwrap)
        .collect()
}

fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
    let record = |delivery: &Delivery| match delivery {
        Delivery::Record { record, .. } => Some(number_of(record)),
        Delivery::Gap { .. } => None,
    };
    deliveries.iter().filter_map(record).collect()
}

fn acknowledge<'a>(reader: &Reader, deliveries: impl IntoIterator<Item = &'a Delivery>) {
    for delivery in deliveries {
        if let Delivery::Record { lane, end, .. } = delivery {
            reader.ack(*lane, *end);
        }
    }
}

fn drain(reader: &mut Reader) {
    let deliveries = read(reader);
    acknowledge(reader, &deliveries);
}
