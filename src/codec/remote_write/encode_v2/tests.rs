use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::codec::block::{Block, BlockBuilder};
use crate::codec::generated::write_v2 as v2;
use crate::model::{
    Exemplar, HistogramBuckets, HistogramCounts, LabelDraft, LabelSet, MetricType, NativeHistogram,
    ResetHint, UnixNanos, WrittenSample, stale_marker,
};

fn labels<'a>(of: &[(&'a str, &'a str)]) -> LabelSet<'a> {
    of.iter().copied().collect::<LabelDraft<'_>>().into_set()
}

fn named(name: &str) -> LabelSet<'_> {
    labels(&[("__name__", name)])
}

fn sample(value: f64, at: i64) -> WrittenSample {
    WrittenSample {
        value,
        at: UnixMillis::new(at),
        created: None,
    }
}

fn histogram(created: Option<UnixNanos>) -> NativeHistogram {
    NativeHistogram {
        schema: NativeHistogram::CUSTOM,
        zero_threshold: 0.0,
        sum: 1.0,
        counts: HistogramCounts::Whole {
            count: 1,
            zero: 0,
            negative: HistogramBuckets::default(),
            positive: HistogramBuckets::default(),
        },
        reset: ResetHint::Gauge,
        custom_values: vec![0.5, 2.0],
        created,
    }
}

fn exemplar(trace: &str) -> Exemplar<'_> {
    Exemplar {
        labels: [("trace_id", trace)].into_iter().collect(),
        value: 0.25,
        at: None,
    }
}

fn encode(blocks: &[Block]) -> (v2::Request, Encoded) {
    encode_with(&mut Encoder::default(), blocks, &mut |_| None)
}

fn encode_with(
    encoder: &mut Encoder,
    blocks: &[Block],
    describe: &mut Describe<'_>,
) -> (v2::Request, Encoded) {
    let open: Vec<OpenBlock> = blocks.iter().map(|block| block.open().unwrap()).collect();
    let encoded = encoder.encode(&open, describe).unwrap();
    let raw = snap::raw::Decoder::new().decompress_vec(&encoded.body).unwrap();
    (v2::Request::decode(raw.as_slice()).unwrap(), encoded)
}

fn block(build: impl FnOnce(&mut BlockBuilder)) -> Block {
    let mut builder = BlockBuilder::new(7);
    build(&mut builder);
    builder.finish()
}

fn labels_of(request: &v2::Request, refs: &[u32]) -> Vec<(String, String)> {
    let text = |symbol: u32| request.symbols[symbol as usize].clone();
    refs.chunks(2)
        .map(|pair| (text(pair[0]), text(pair[1])))
        .collect()
}

/// PRW S2-07: the table begins with the empty string, says nothing twice, and every reference points into it.
#[track_caller]
fn check_symbols(request: &v2::Request) {
    let symbols = &request.symbols;
    let mut sorted = symbols.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(symbols[0], "");
    assert_eq!(sorted.len(), symbols.len(), "{symbols:?}");
    for series in &request.timeseries {
        let metadata = series.metadata.unwrap_or_default();
        let exemplars = series.exemplars.iter().flat_map(|exemplar| &exemplar.labels_refs);
        let refs = series.labels_refs.iter().chain(exemplars);
        for symbol in refs.chain([&metadata.help_ref, &metadata.unit_ref]) {
            assert!((*symbol as usize) < symbols.len(), "{symbol} in {series:?}");
        }
    }
}

/// PRW S2-08, S2-11: pairs, sorted by name, none twice, nothing empty.
#[track_caller]
fn check_labels(request: &v2::Request) {
    for series in &request.timeseries {
        let labels = labels_of(request, &series.labels_refs);
        assert!(series.labels_refs.len().is_multiple_of(2));
        assert!(labels.is_sorted_by(|a, b| a.0 < b.0), "{labels:?}");
        assert!(
            labels
                .iter()
                .all(|(name, value)| !name.is_empty() && !value.is_empty())
        );
    }
}

/// PRW S2-09, S2-12: samples or histograms, at least one, in the order of time.
#[track_caller]
fn check_contents(request: &v2::Request) {
    for series in &request.timeseries {
        assert_ne!(
            series.samples.is_empty(),
            series.histograms.is_empty(),
            "{series:?}"
        );
        assert!(series.samples.is_sorted_by_key(|sample| sample.timestamp));
        assert!(
            series
                .histograms
                .is_sorted_by_key(|histogram| histogram.timestamp)
        );
    }
}

/// PRW S2-07, S2-08, S2-11.
#[test]
fn strings_are_said_once_and_labels_refer_to_them_in_the_order_of_their_names() {
    let (a, b) = (
        labels(&[("__name__", "a"), ("job", "x"), ("x", "job")]),
        labels(&[("__name__", "b"), ("Job", "x"), ("job", "x")]),
    );
    let block = block(|block| {
        block.push(&a, 1.0, UnixMillis::new(5));
        block.push(&b, 2.0, UnixMillis::new(5));
    });

    let (request, encoded) = encode(&[block]);

    assert_eq!(request.symbols, ["", "__name__", "a", "job", "x", "Job", "b"]);
    let refs: Vec<_> = request
        .timeseries
        .iter()
        .map(|series| series.labels_refs.clone())
        .collect();
    assert_eq!(refs, [vec![1, 2, 3, 4, 4, 3], vec![5, 4, 1, 6, 3, 4]]);
    assert_eq!((encoded.counts.samples, encoded.counts.weight()), (2, 2));
    check_symbols(&request);
    check_labels(&request);
}

/// PRW S2-09, S2-12: one series for each set of labels, its samples in the order of time.
#[test]
fn what_several_records_have_of_a_series_goes_as_one() {
    let at = |block: &mut BlockBuilder, name, value, at| {
        block.push(&named(name), value, UnixMillis::new(at));
    };
    let first = block(|block| {
        at(block, "a", 1.0, 1);
        at(block, "b", 1.0, 1);
    });
    let second = block(|block| {
        at(block, "b", 3.0, 3);
        at(block, "a", 3.0, 3);
    });
    let late = block(|block| at(block, "b", 2.0, 2));

    let (request, encoded) = encode(&[first, second, late]);

    let samples: Vec<Vec<(f64, i64)>> = request
        .timeseries
        .iter()
        .map(|series| {
            series
                .samples
                .iter()
                .map(|sample| (sample.value, sample.timestamp))
                .collect()
        })
        .collect();
    assert_eq!(
        samples,
        [vec![(1.0, 1), (3.0, 3)], vec![(1.0, 1), (2.0, 2), (3.0, 3)]]
    );
    assert_eq!(encoded.counts.samples, 5);
    check_symbols(&request);
}

/// PRW S2-09: a series that has both samples and histograms becomes several.
#[test]
fn samples_and_histograms_never_stand_in_one_series() {
    let block = block(|block| {
        block.push_histogram(&named("a"), &histogram(None), UnixMillis::new(1));
        block.push(&named("a"), stale_marker(), UnixMillis::new(2));
        block.push_histogram(&named("a"), &histogram(None), UnixMillis::new(3));
    });
    let exemplars = self::block(|block| {
        block.push_exemplar(&named("a"), &exemplar("t"), UnixMillis::new(3));
    });

    let (request, encoded) = encode(&[block, exemplars]);

    let shape: Vec<_> = request
        .timeseries
        .iter()
        .map(|series| {
            (
                series.histograms.len(),
                series.samples.len(),
                series.exemplars.len(),
            )
        })
        .collect();
    assert_eq!(shape, [(1, 0, 0), (0, 1, 0), (1, 0, 1)]);
    assert_eq!((encoded.counts.samples, encoded.counts.histograms), (1, 2));
    check_contents(&request);
}

/// PRW S2-13: start times of samples and histograms; a true zero is not written as unset.
#[test]
fn start_times_go_along_and_zero_is_not_lost() {
    let block = block(|block| {
        for (name, created) in [("a", None), ("b", Some(7)), ("c", Some(0))] {
            let created = created.map(UnixMillis::new);
            block.push_written(
                &named(name),
                WrittenSample {
                    created,
                    ..sample(1.0, 9)
                },
            );
        }
        for (name, created) in [("d", None), ("e", Some(7)), ("f", Some(0))] {
            let created = created.map(|millis| UnixNanos::new(millis * 1_000_000));
            block.push_histogram(&named(name), &histogram(created), UnixMillis::new(9));
        }
    });

    let (request, _) = encode(&[block]);

    let starts: Vec<_> = request
        .timeseries
        .iter()
        .map(|series| {
            let samples = series.samples.iter().map(|sample| sample.start_timestamp);
            let histograms = series
                .histograms
                .iter()
                .map(|histogram| histogram.start_timestamp);
            samples.chain(histograms).sum::<i64>()
        })
        .collect();
    assert_eq!(starts, [0, 7, 1, 0, 7, 1]);
}

/// Buckets with bounds of their own are part of 2.0, with all that a histogram says.
#[test]
fn histograms_keep_their_own_bounds_and_hints() {
    let block = block(|block| {
        block.push_histogram(&named("a"), &histogram(None), UnixMillis::new(9));
    });

    let (request, _) = encode(&[block]);

    let [sent] = &request.timeseries[0].histograms[..] else {
        panic!("{request:?}");
    };
    assert_eq!((sent.schema, sent.timestamp, sent.sum), (-53, 9, 1.0));
    assert_eq!(sent.custom_values, [0.5, 2.0]);
    assert_eq!(sent.reset_hint(), v2::histogram::ResetHint::Gauge);
    assert_eq!(sent.count, Some(v2::histogram::Count::CountInt(1)));
}

/// PRW S2-10, S2-15: exemplars with value and time, beside a sample of their series.
#[test]
fn exemplars_go_with_their_series_and_lone_ones_stay_behind() {
    let samples = block(|block| {
        block.push(&named("a"), 1.0, UnixMillis::new(5));
    });
    let exemplars = block(|block| {
        block.push_exemplar(&named("a"), &exemplar("late"), UnixMillis::new(5));
        block.push_exemplar(&named("a"), &exemplar("early"), UnixMillis::new(4));
        block.push_exemplar(&named("b"), &exemplar("lone"), UnixMillis::new(5));
    });

    let (request, encoded) = encode(&[samples, exemplars]);

    let [series] = &request.timeseries[..] else {
        panic!("{request:?}");
    };
    let sent: Vec<_> = series
        .exemplars
        .iter()
        .map(|sent| {
            (
                labels_of(&request, &sent.labels_refs)[0].1.clone(),
                sent.value,
                sent.timestamp,
            )
        })
        .collect();
    assert_eq!(
        sent,
        [("early".to_owned(), 0.25, 4), ("late".to_owned(), 0.25, 5)]
    );
    assert_eq!((encoded.lone_exemplars, encoded.counts.exemplars), (1, 2));
    check_symbols(&request);
}

/// PRW S2-10; PopulateV2TimeSeries of section 2: metadata that is known and such that is not.
#[test]
fn series_have_the_metadata_of_their_families() {
    let block = block(|block| {
        for name in ["a_total", "b", "a_total"] {
            let labels = labels(&[("__name__", name), ("n", "1")]);
            block.push(&labels, 1.0, UnixMillis::new(5));
        }
        block.push(
            &labels(&[("__name__", "a_total"), ("n", "2")]),
            1.0,
            UnixMillis::new(5),
        );
        block.push(&labels(&[("n", "no name")]), 1.0, UnixMillis::new(5));
    });
    let mut asked = Vec::new();
    let mut describe = |name: &str| {
        asked.push(name.to_owned());
        (name == "a_total").then(|| {
            Arc::new(Metadata {
                family: "a".into(),
                kind: MetricType::Counter,
                help: "How often.".into(),
                unit: "".into(),
            })
        })
    };

    let (request, _) = encode_with(&mut Encoder::default(), &[block], &mut describe);

    let said: Vec<_> = request
        .timeseries
        .iter()
        .map(|series| {
            let metadata = series.metadata.unwrap_or_default();
            let text = |symbol: u32| request.symbols[symbol as usize].clone();
            (metadata.r#type, text(metadata.help_ref), text(metadata.unit_ref))
        })
        .collect();
    let counter = (1, "How often.".to_owned(), String::new());
    let unknown = (0, String::new(), String::new());
    assert_eq!(said, [counter.clone(), unknown.clone(), counter, unknown]);
    assert_eq!(asked, ["a_total", "b"]);
}

/// PRW S2-01: what was written before leaves no trace.
#[test]
fn an_encoder_can_be_used_again() {
    let mut encoder = Encoder::default();
    let of = |name: &str| {
        block(|block| {
            block.push(&named(name), 1.0, UnixMillis::new(5));
        })
    };

    encode_with(&mut encoder, &[of("first")], &mut |_| None);
    let (again, _) = encode_with(&mut encoder, &[of("second")], &mut |_| None);

    assert_eq!(again, encode(&[of("second")]).0);
}

#[test]
fn a_block_cut_short_is_an_error_and_never_a_panic() {
    let whole = block(|block| {
        block.push(&labels(&[("__name__", "a"), ("b", "c")]), 1.0, UnixMillis::new(5));
        block.push_exemplar(&named("a"), &exemplar("t"), UnixMillis::new(5));
    });
    let raw = snap::raw::Decoder::new().decompress_vec(whole.bytes()).unwrap();

    for end in 0..raw.len() {
        let cut = snap::raw::Encoder::new().compress_vec(&raw[..end]).unwrap();
        let open = Block::from_parts(2, cut.into()).open().unwrap();
        let encoded = Encoder::default().encode(&[open], &mut |_| None);
        assert!(
            encoded.is_err() || encoded.unwrap().counts.weight() <= 1,
            "cut at {end}"
        );
    }
}

type Content = (u64, i64, Option<i64>);

fn anything() -> impl Strategy<Value = Vec<(usize, Content)>> {
    let values = prop_oneof![
        any::<u64>(),
        Just(stale_marker().to_bits()),
        Just((-0.0_f64).to_bits()),
        Just(0)
    ];
    let content = (values, -3..2_000_000_000_000_i64, proptest::option::of(-3..9_i64));
    prop::collection::vec((0..12_usize, content), 0..60)
}

proptest! {
    /// PRW S2-07 to S2-13 for any blocks, values bit for bit.
    #[test]
    fn a_request_has_what_the_blocks_have(
        said in anything(),
        sets in prop::collection::vec(prop::collection::btree_map("[a-c_]{1,3}", "[a-c]{0,2}|\\PC{1,4}", 0..5), 12),
        cuts in 1..5_usize,
    ) {
        let sets: Vec<LabelSet<'static>> = sets
            .iter()
            .map(|set| set.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<LabelDraft<'_>>().into_set())
            .collect();
        let mut expected: BTreeMap<String, Vec<Content>> = BTreeMap::new();
        let mut builders: Vec<BlockBuilder> = (0..cuts).map(|_| BlockBuilder::new(7)).collect();
        for (place, (of, (bits, at, created))) in said.iter().enumerate() {
            let sample = WrittenSample { value: f64::from_bits(*bits), at: UnixMillis::new(*at), created: created.map(UnixMillis::new) };
            builders[place * cuts / said.len()].push_written(&sets[*of], sample);
            let created = created.map(|created| if created == 0 { 1 } else { created });
            expected.entry(sets[*of].to_string()).or_default().push((*bits, *at, created));
        }
        for contents in expected.values_mut() {
            contents.sort_by_key(|(_, at, _)| *at);
        }
        let blocks: Vec<Block> = builders.into_iter().map(BlockBuilder::finish).collect();

        let (request, encoded) = encode(&blocks);

        let mut sent: BTreeMap<String, Vec<Content>> = BTreeMap::new();
        for series in &request.timeseries {
            let labels = labels_of(&request, &series.labels_refs).into_iter().collect::<LabelDraft<'_>>().into_set();
            let start = |start: i64| Some(start).filter(|start| *start != 0);
            let contents = series.samples.iter().map(|sample| (sample.value.to_bits(), sample.timestamp, start(sample.start_timestamp)));
            prop_assert!(sent.insert(labels.to_string(), contents.collect()).is_none());
        }
        prop_assert_eq!(sent, expected);
        prop_assert_eq!(encoded.counts.samples, said.len() as u64);
        check_symbols(&request);
        check_labels(&request);
        check_contents(&request);
    }
}
