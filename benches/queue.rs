//! What an append costs: from handing a record over until it is done, at 1, 16 and 256 KiB, alone and with 64 others
//! under way, synced and unsynced; and what reading costs.
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot set itself up has nothing to measure"
)]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flinkbridge::model::UnixMillis;
use flinkbridge::queue::{Delivery, FileStorage, Queue, QueueConfig, Reader, Record, Start, SyncPolicy};
use tokio::runtime::Runtime;

const UNDER_WAY: u64 = 64;
const READ_RECORDS: u64 = 1_000;

fn open(folder: &tempfile::TempDir, sync: SyncPolicy) -> Queue {
    let config = QueueConfig {
        sync,
        max_bytes: 1 << 30,
        ..QueueConfig::default()
    };
    Queue::open(Arc::new(FileStorage::open(folder.path()).unwrap()), config)
        .unwrap()
        .0
}

fn record(bytes: usize) -> Record {
    let payload = Bytes::from(
        (0..bytes)
            .map(|index| u8::try_from(index * 31 % 251).unwrap())
            .collect::<Vec<_>>(),
    );
    Record {
        key: 1,
        weight: 1_000,
        fence: false,
        at: UnixMillis::new(1),
        payload,
    }
}

async fn append(queue: &Queue, record: &Record, count: u64) {
    let under_way: Vec<_> = (0..count)
        .map(|_| queue.append(record.clone()).unwrap())
        .collect();
    for appending in under_way {
        appending.await.unwrap();
    }
}

fn appending(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for (policy, sync) in [("always", SyncPolicy::Always), ("never", SyncPolicy::Never)] {
        for count in [1, UNDER_WAY] {
            let mut group = criterion.benchmark_group(format!("append/sync_{policy}/{count}_under_way"));
            group.sample_size(20);
            for kib in [1_usize, 16, 256] {
                let folder = tempfile::tempdir().unwrap();
                let queue = open(&folder, sync);
                let record = record(kib << 10);
                group.throughput(Throughput::Bytes(record.stored_bytes() * count));
                group.bench_function(BenchmarkId::from_parameter(format!("{kib}KiB")), |bencher| {
                    bencher.iter(|| runtime.block_on(append(&queue, &record, count)));
                });
                runtime.block_on(queue.close());
            }
            group.finish();
        }
    }
}

async fn read(reader: &mut Reader) {
    for _ in 0..READ_RECORDS {
        let delivery = reader.next().await.unwrap();
        if let Delivery::Record {
            lane, end, record, ..
        } = black_box(delivery)
        {
            assert!(!record.payload.is_empty());
            reader.ack(lane, end);
        }
    }
}

fn reading(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("read_and_ack");
    group.sample_size(10);
    for kib in [1_usize, 50] {
        let folder = tempfile::tempdir().unwrap();
        let queue = open(&folder, SyncPolicy::Never);
        let mut reader = queue.reader("remote", 4, Start::Newest).unwrap();
        let record = record(kib << 10);
        group.throughput(Throughput::Bytes(record.stored_bytes() * READ_RECORDS));
        group.bench_function(BenchmarkId::from_parameter(format!("{kib}KiB")), |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| {
                        runtime.block_on(append(&queue, &record, READ_RECORDS));
                        let began = std::time::Instant::now();
                        runtime.block_on(read(&mut reader));
                        began.elapsed()
                    })
                    .sum()
            });
        });
        runtime.block_on(queue.close());
    }
    group.finish();
}

criterion_group!(benches, appending, reading);
criterion_main!(benches);
