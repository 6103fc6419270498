use proptest::prelude::*;
use prost::Message as _;

use super::compress::CHUNK_BYTES;
use super::*;
use crate::codec::generated::write_v1 as v1;
use crate::codec::remote_write::{Limits, Message};
use crate::model::{Exemplar, HistogramBuckets, HistogramCounts, NativeHistogram, ResetHint, UnixNanos};

fn set<'a>(labels: &[(&'a str, &'a str)]) -> LabelSet<'a> {
    labels.iter().copied().collect::<LabelDraft>().into_set()
}

fn block_of(series: &[(LabelSet<'_>, f64, i64)]) -> (Block, Vec<SeriesHash>) {
    let mut builder = BlockBuilder::new(7);
    let hashes = series
        .iter()
        .map(|(labels, value, at)| builder.push(labels, *value, UnixMillis::new(*at)))
        .collect();
    (builder.finish(), hashes)
}

fn series_of(body: &[u8]) -> Vec<(String, u64, i64)> {
    let raw = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = Message::V1.decode(&raw, &Limits::default()).unwrap();
    request
        .series
        .into_iter()
        .flat_map(|series| {
            let labels = series.labels.into_set().to_string();
            series
                .samples
                .into_iter()
                .map(move |sample| (labels.clone(), sample.value.to_bits(), sample.at.get()))
        })
        .collect()
}

#[test]
fn a_series_has_the_same_identity_in_every_block() {
    let (a, b) = (set(&[("__name__", "a"), ("job", "x")]), set(&[("__name__", "b")]));

    let (_, first) = block_of(&[(a.clone(), 1.0, 1), (b.clone(), 2.0, 1)]);
    let (second, hashes) = block_of(&[(b, 3.0, 2_000_000_000_000), (a, f64::NAN, -1)]);

    assert_eq!(hashes, [first[1], first[0]]);
    let opened = second.open().unwrap();
    let again: Vec<_> = opened.series().map(|series| series.unwrap().hash(7)).collect();
    assert_eq!(again, hashes);
}

#[test]
fn a_block_cut_anywhere_is_an_error_or_shorter_but_never_a_panic() {
    let (block, _) = of_all_kinds();
    let raw = block.open().unwrap().raw;
    let whole: Vec<_> = block
        .open()
        .unwrap()
        .series()
        .map(|series| format!("{series:?}"))
        .collect();

    for end in 0..raw.len() {
        let cut = OpenBlock {
            raw: raw[..end].to_vec(),
        };
        let read: Vec<_> = cut
            .series()
            .take_while(Result::is_ok)
            .map(|series| format!("{series:?}"))
            .collect();
        assert!(
            read.len() < whole.len() && read == whole[..read.len()],
            "cut at {end}"
        );
    }
}

#[test]
fn a_block_of_many_chunks_has_the_bytes_of_one_compression() {
    let values: Vec<String> = (0..3_000)
        .map(|at| format!("{:x}", at * 2_654_435_761_u64))
        .collect();
    let series: Vec<_> = values
        .iter()
        .map(|value| {
            (
                set(&[("__name__", "a"), ("instance", value), ("job", "x")]),
                1.0,
                1_795_167_715_372,
            )
        })
        .collect();

    let (block, _) = block_of(&series);

    let raw = block.open().unwrap().raw;
    assert!(raw.len() > 2 * CHUNK_BYTES);
    assert_eq!(
        block.bytes(),
        &snap::raw::Encoder::new().compress_vec(&raw).unwrap()
    );
}

#[test]
fn only_the_last_series_can_be_taken_back_and_only_once() {
    let (a, b) = (set(&[("__name__", "a")]), set(&[("__name__", "b")]));
    let (expected, _) = block_of(&[(a.clone(), 1.0, 1)]);
    let mut builder = BlockBuilder::new(7);
    builder.push(&a, 1.0, UnixMillis::new(1));
    builder.push(&b, 2.0, UnixMillis::new(1));

    builder.take_back();
    builder.take_back();

    assert_eq!(builder.finish(), expected);
}

fn histogram(sum: f64) -> NativeHistogram {
    NativeHistogram {
        schema: 3,
        zero_threshold: 0.5,
        sum,
        counts: HistogramCounts::Float {
            count: 2.0,
            zero: 2.0,
            negative: HistogramBuckets::default(),
            positive: HistogramBuckets::default(),
        },
        reset: ResetHint::Unknown,
        custom_values: Vec::new(),
        created: None,
    }
}

fn exemplar(at: Option<i64>) -> Exemplar<'static> {
    Exemplar {
        labels: [("trace_id", "x"), ("a", "b")].into_iter().collect(),
        value: 0.5,
        at: at.map(UnixNanos::new),
    }
}

/// A block of a sample, a native histogram and two exemplars, and the identities of its series.
fn of_all_kinds() -> (Block, Vec<SeriesHash>) {
    let (labels, at) = (
        set(&[("__name__", "a"), ("job", "x")]),
        UnixMillis::new(1_795_167_715_372),
    );
    let mut builder = BlockBuilder::new(7);
    let hashes = vec![
        builder.push(&labels, 1.5, at),
        builder.push_histogram(&labels, &histogram(0.25), at),
        builder.push_exemplar(&labels, &exemplar(None), at),
        builder.push_exemplar(&labels, &exemplar(Some(-1)), at),
    ];
    (builder.finish(), hashes)
}

fn request_of(block: &Block) -> v1::WriteRequest {
    let raw = snap::raw::Decoder::new().decompress_vec(block.bytes()).unwrap();
    v1::WriteRequest::decode(raw.as_slice()).unwrap()
}

/// PRW S1-08, S1-09, S1-10, S1-11, S1-13.
#[test]
fn a_series_has_a_sample_or_a_histogram_or_an_exemplar_as_remote_write_has_them() {
    let (block, hashes) = of_all_kinds();

    let series = request_of(&block).timeseries;

    assert_eq!((block.samples(), block.histograms()), (4, 1));
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
    assert_eq!(series[0].samples[0].value, 1.5);
    let native = &series[1].histograms[0];
    assert_eq!((native.sum, native.timestamp), (0.25, 1_795_167_715_372));
    let noted = |index: usize| &series[index].exemplars[0];
    let labels: Vec<&str> = noted(2).labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(labels, ["a", "trace_id"]);
    assert_eq!((noted(2).value, noted(2).timestamp), (0.5, 1_795_167_715_372));
    assert_eq!(noted(3).timestamp, -1);
    for series in &series {
        let contents = series.samples.len() + series.histograms.len() + series.exemplars.len();
        assert_eq!(contents, 1, "{series:?}");
    }
}

#[test]
fn what_a_series_carries_survives_copies_at_other_times_and_under_other_labels() {
    let (block, hashes) = of_all_kinds();
    let (other, at) = (set(&[("__name__", "b")]), UnixMillis::new(5));
    let mut later = BlockBuilder::new(7);
    let mut renamed = BlockBuilder::new(7);
    let mut ended = BlockBuilder::new(7);

    for series in block.open().unwrap().series() {
        let series = series.unwrap();
        later.copy_at(&series, at);
        renamed.copy_as(&other, &series);
        ended.copy(&series, 0.0, at);
    }

    let (later, renamed, ended) = (later.finish(), renamed.finish(), ended.finish());
    assert_eq!(
        [later.histograms(), renamed.histograms(), ended.histograms()],
        [1, 1, 0]
    );
    let mut expected = request_of(&block);
    for series in &mut expected.timeseries {
        series.samples.iter_mut().for_each(|sample| sample.timestamp = 5);
        series
            .histograms
            .iter_mut()
            .for_each(|histogram| histogram.timestamp = 5);
        series
            .exemplars
            .iter_mut()
            .for_each(|exemplar| exemplar.timestamp = 5);
    }
    assert_eq!(request_of(&later), expected);
    let mut expected = request_of(&block);
    for series in &mut expected.timeseries {
        series.labels.truncate(1);
        series.labels[0].value = "b".to_owned();
    }
    assert_eq!(request_of(&renamed), expected);
    let ended: Vec<_> = ended
        .open()
        .unwrap()
        .series()
        .map(|series| series.unwrap().hash(7))
        .collect();
    assert_eq!(ended, hashes);
}

#[test]
fn a_histogram_that_is_taken_back_is_not_counted() {
    let labels = set(&[("__name__", "a")]);
    let mut builder = BlockBuilder::new(7);
    builder.push(&labels, 1.0, UnixMillis::new(1));
    builder.push_histogram(&labels, &histogram(1.0), UnixMillis::new(1));

    builder.take_back();

    let block = builder.finish();
    assert_eq!((block.samples(), block.histograms()), (1, 0));
}

proptest! {
    /// PRW S1-07, S1-08, S1-10: joined without decompressing, it is still one message in one snappy block.
    #[test]
    fn joined_blocks_decompress_to_the_series_of_all(
        blocks in proptest::collection::vec(
            proptest::collection::vec(("[a-c]{1,3}", ".{1,40}", any::<u64>(), any::<i64>()), 0..20), 0..6)
    ) {
        let expected: Vec<_> = blocks.iter().flatten().map(|(name, value, bits, at)| {
            (set(&[("__name__", name), ("label", value)]), f64::from_bits(*bits), *at)
        }).collect();
        let encoded: Vec<Block> = blocks.iter().map(|series| {
            let series: Vec<_> = series.iter().map(|(name, value, bits, at)| {
                (set(&[("__name__", name), ("label", value)]), f64::from_bits(*bits), *at)
            }).collect();
            block_of(&series).0
        }).collect();

        let body = join(&encoded).unwrap();

        let expected: Vec<_> =
            expected.into_iter().map(|(labels, value, at)| (labels.to_string(), value.to_bits(), at)).collect();
        prop_assert_eq!(series_of(&body), expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Block::from_parts(3, bytes.clone().into()).open().map(|open| open.series().count());
        for series in (OpenBlock { raw: bytes }).series() {
            let _ = series.and_then(|series| series.labels().map(|labels| labels.len()));
        }
    }
}
