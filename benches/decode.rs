//! What it costs to read and write the formats, at 1, 100 and 10,000 series of 11 labels.
//!
//! | group | one element is |
//! |---|---|
//! | `text` | a sample read from a pushed body; `captured` is what a real Flink 1.20 pushed |
//! | `block/encode` | a finished label set encoded, hashed, and compressed with the rest of its block |
//! | `block/open` | a series found in a compressed block and hashed, as when the log is read again |
//! | `join` | a sample in one of the blocks of 1,000 samples that become one request |
//! | `version_2` | a sample in one of the blocks of 1,000 samples that become one request of version 2.0; it says how long that is |
//! | `remote_write` | a series of a decompressed remote-write request |

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

mod flink_like;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use flink_like::Body;
use flinkbridge::codec::block::{Block, BlockBuilder, join};
use flinkbridge::codec::remote_write::{self, Limits, Message};
use flinkbridge::codec::text;
use flinkbridge::model::{LabelSet, Metadata, MetricType, UnixMillis};

const SIZES: [usize; 3] = [1, 100, 10_000];
const SEED: u64 = 7;
const AT: UnixMillis = UnixMillis::new(1_800_000_000_000);

/// A push of a TaskManager with a running job: request head, empty line, body.
const CAPTURED: &[u8] = include_bytes!("../tests/fixtures/flink/1.20.5/base/0001.req");

fn texts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("text");
    for series in SIZES {
        let body = Body::new(series);
        group.throughput(Throughput::Elements(series as u64));
        group.bench_function(BenchmarkId::new("flink_like", series), |bencher| {
            bencher.iter(|| text::parse(black_box(body.text()), usize::MAX).expect("a body"));
        });
    }
    let (_, captured) = split_head(CAPTURED);
    let samples = text::parse(captured, usize::MAX).expect("a body").samples.len();
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function(BenchmarkId::new("captured", samples), |bencher| {
        bencher.iter(|| text::parse(black_box(captured), usize::MAX).expect("a body"));
    });
    group.finish();
}

fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("block");
    for series in SIZES {
        let body = Body::new(series);
        let sets = label_sets(&body);
        let block = block_of(&sets);
        group.throughput(Throughput::Elements(series as u64));
        group.bench_function(BenchmarkId::new("encode", series), |bencher| {
            bencher.iter(|| block_of(black_box(&sets)));
        });
        group.bench_function(BenchmarkId::new("open", series), |bencher| {
            bencher.iter(|| {
                let opened = black_box(&block).open().expect("a block");
                let hashes = opened
                    .series()
                    .map(|series| series.expect("a series").hash(SEED).0);
                hashes.fold(0, u64::wrapping_add)
            });
        });
    }
    group.finish();
}

fn requests(criterion: &mut Criterion) {
    let body = Body::new(1_000);
    let block = block_of(&label_sets(&body));
    let mut group = criterion.benchmark_group("join");
    for blocks in [1, 10] {
        let blocks = vec![block.clone(); blocks];
        group.throughput(Throughput::Elements(1_000 * blocks.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(blocks.len() * 1_000), |bencher| {
            bencher.iter(|| join(black_box(&blocks)).expect("a request"));
        });
    }
    group.finish();
    version_2(criterion, &body);
    let mut group = criterion.benchmark_group("remote_write");
    for series in SIZES {
        let body = Body::new(series);
        let compressed = block_of(&label_sets(&body));
        let request = snap::raw::Decoder::new()
            .decompress_vec(compressed.bytes())
            .expect("a request");
        let limits = Limits::default();
        group.throughput(Throughput::Elements(series as u64));
        group.bench_function(BenchmarkId::from_parameter(series), |bencher| {
            bencher.iter(|| {
                Message::V1
                    .decode(black_box(&request), &limits)
                    .expect("a request")
            });
        });
    }
    group.finish();
}

fn version_2(criterion: &mut Criterion, body: &Body) {
    let block = block_of(&label_sets(body));
    let mut encoder = remote_write::Encoder::default();
    let mut encode = |blocks: &[Block]| {
        let open: Vec<_> = blocks
            .iter()
            .map(|block| block.open().expect("a block"))
            .collect();
        encoder.encode(&open, &mut described).expect("a request")
    };
    let mut group = criterion.benchmark_group("version_2");
    for (name, blocks) in [("one_record", 1), ("backlog_of_two", 2), ("backlog_of_ten", 10)] {
        let blocks: Vec<Block> = (0..blocks).map(|round| later(&block, round)).collect();
        let samples = 1_000 * blocks.len();
        let bytes = encode(&blocks).body.len() / samples;
        group.throughput(Throughput::Elements(samples as u64));
        let name = BenchmarkId::new(name, format!("{bytes} bytes a sample"));
        group.bench_function(name, |bencher| {
            bencher.iter(|| encode(black_box(&blocks)));
        });
    }
    group.finish();
}

/// What is known of the family of any series.
#[expect(clippy::unnecessary_wraps, reason = "as the encoder asks")]
fn described(series: &str) -> Option<Arc<Metadata<'static>>> {
    Some(Arc::new(Metadata {
        family: series.to_owned().into(),
        kind: MetricType::Gauge,
        help: "measure (scope: taskmanager_job_task_operator)".into(),
        unit: "".into(),
    }))
}

/// The same series some time later, with the values of [`Body`].
fn later(block: &Block, round: u32) -> Block {
    let mut builder = BlockBuilder::new(SEED);
    let at = UnixMillis::new(AT.get() + 30_000 * i64::from(round));
    let open = block.open().expect("a block");
    for (index, series) in (0_u32..).zip(open.series()) {
        let value = 1_000_000 + (index * 7_919 + round * (31 + index % 17)) % 9_000_000;
        builder.copy(&series.expect("a series"), f64::from(value), at);
    }
    builder.finish()
}

fn label_sets(body: &Body) -> Vec<LabelSet<'_>> {
    let read = text::parse(body.text(), usize::MAX).expect("a body");
    let labels = read.samples.into_iter().map(|sample| sample.labels.into_set());
    labels.collect()
}

fn block_of(sets: &[LabelSet<'_>]) -> Block {
    let mut builder = BlockBuilder::new(SEED);
    let mut value = 0.0;
    for labels in sets {
        builder.push(labels, value, AT);
        value += 1.5;
    }
    builder.finish()
}

fn split_head(request: &[u8]) -> (&[u8], &[u8]) {
    let end = request
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("a head");
    let (head, rest) = request.split_at(end);
    (head, rest.split_at(4).1)
}

criterion_group!(benches, texts, blocks, requests);
criterion_main!(benches);
