//! Native histograms: which make sense, and what becomes of those that are too fine.

use super::*;

type Whole = v2::Histogram;

/// Two observations above zero, one below, one in the zero bucket.
fn whole() -> Whole {
    let span = |offset, length| v2::BucketSpan { offset, length };
    Whole {
        count: Some(v2::histogram::Count::CountInt(4)),
        sum: 10.5,
        schema: 1,
        zero_threshold: 0.25,
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountInt(1)),
        negative_spans: vec![span(-2, 1)],
        negative_deltas: vec![1],
        positive_spans: vec![span(0, 1), span(1, 1)],
        positive_deltas: vec![1, 0],
        timestamp: 10,
        ..Whole::default()
    }
}

fn float() -> Whole {
    Whole {
        count: Some(v2::histogram::Count::CountFloat(4.5)),
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountFloat(1.0)),
        negative_deltas: Vec::new(),
        negative_counts: vec![0.5],
        positive_deltas: Vec::new(),
        positive_counts: vec![1.0, 2.0],
        ..whole()
    }
}

/// With bounds of its own: two buckets of three.
fn custom() -> Whole {
    Whole {
        count: Some(v2::histogram::Count::CountInt(3)),
        schema: -53,
        zero_threshold: 0.0,
        zero_count: None,
        negative_spans: Vec::new(),
        negative_deltas: Vec::new(),
        positive_spans: vec![v2::BucketSpan { offset: 1, length: 2 }],
        positive_deltas: vec![1, 1],
        custom_values: vec![1.0, 2.0],
        ..whole()
    }
}

fn custom_float() -> Whole {
    Whole {
        count: Some(v2::histogram::Count::CountFloat(3.0)),
        positive_deltas: Vec::new(),
        positive_counts: vec![1.0, 2.0],
        ..custom()
    }
}

/// What is read of it, in both versions alike.
#[track_caller]
fn read(histogram: &Whole) -> Result<WrittenHistogram, String> {
    let message = histogram.encode_to_vec();
    let second = body_v2(vec![v2::TimeSeries {
        samples: Vec::new(),
        histograms: vec![histogram.clone()],
        ..series_v2(&[1, 2])
    }]);
    let first = body_v1(vec![v1::TimeSeries {
        samples: Vec::new(),
        histograms: vec![v1::Histogram::decode(message.as_slice()).unwrap()],
        ..series_v1(&[("__name__", "up")])
    }]);
    let (first, second) = (decoded(Message::V1, &first), decoded(Message::V2, &second));
    assert_eq!(format!("{:?}", first.series), format!("{:?}", second.series));
    assert_eq!(first.flawed, second.flawed);
    assert_eq!(first.counts().histograms, 1);
    match first.flawed.first.first() {
        Some(flaw) => Err(flaw.problem.clone()),
        None => Ok(first.series[0].histograms[0].clone()),
    }
}

/// Whole and float, with and without custom bounds; hints and times.
#[test]
fn a_histogram_is_read_field_by_field() {
    for histogram in [whole(), float(), custom(), custom_float()] {
        for (number, hint) in [
            (0, ResetHint::Unknown),
            (1, ResetHint::Yes),
            (2, ResetHint::No),
            (3, ResetHint::Gauge),
            (9, ResetHint::Unknown),
        ] {
            let written = read(&Whole {
                reset_hint: number,
                ..histogram.clone()
            })
            .unwrap();

            let NativeHistogram {
                schema, sum, reset, ..
            } = written.histogram;
            assert_eq!(
                (written.at.get(), schema, sum, reset),
                (10, histogram.schema, 10.5, hint)
            );
            assert_eq!(written.histogram.custom_values, histogram.custom_values);
            assert_eq!(written.histogram.zero_threshold, histogram.zero_threshold);
            assert!([4.0, 4.5, 3.0].contains(&written.histogram.count()));
            assert_eq!(
                matches!(written.histogram.counts, HistogramCounts::Float { .. }),
                matches!(histogram.count, Some(v2::histogram::Count::CountFloat(_)))
            );
        }
    }
}

#[track_caller]
fn is_refused(histogram: Whole, problem: &str) {
    assert_eq!(
        read(&histogram).map_err(|flaw| flaw.contains(problem).then_some(problem).ok_or(flaw)),
        Err(Ok(problem))
    );
}

type Change = fn(&mut Whole);

#[track_caller]
fn each_is_refused(base: &Whole, changes: &[(Change, &str)]) {
    for (change, problem) in changes {
        let mut changed = base.clone();
        change(&mut changed);
        is_refused(changed, problem);
    }
}

fn spans(spans: &[(i32, u32)]) -> Vec<v2::BucketSpan> {
    let span = |(offset, length): &(i32, u32)| v2::BucketSpan {
        offset: *offset,
        length: *length,
    };
    spans.iter().map(span).collect()
}

const fn counted(count: u64) -> Option<v2::histogram::Count> {
    Some(v2::histogram::Count::CountInt(count))
}

/// Prometheus, `model/histogram`: `checkHistogramSpans`.
#[test]
fn a_histogram_whose_spans_and_buckets_disagree_is_refused() {
    each_is_refused(
        &whole(),
        &[
            (
                |h| h.positive_spans = spans(&[(0, 1)]),
                "positive spans have 1 buckets, and there are 2",
            ),
            (
                |h| h.negative_spans = spans(&[(0, 9)]),
                "negative spans have 9 buckets, and there are 1",
            ),
            (
                |h| h.positive_spans = spans(&[(0, u32::MAX); 2]),
                "positive spans have 8589934590",
            ),
            (
                |h| h.positive_spans = spans(&[(0, 1), (-1, 1)]),
                "positive spans overlap",
            ),
            (
                |h| h.custom_values = vec![1.0],
                "an exponential schema has custom bounds",
            ),
        ],
    );
    each_is_refused(
        &float(),
        &[(
            |h| h.positive_counts = vec![1.0],
            "positive spans have 2 buckets, and there are 1",
        )],
    );
}

/// Prometheus, `model/histogram`: `Validate`; `HistogramValidationErrorHandling` (count mismatch).
#[test]
fn a_histogram_of_whole_numbers_that_do_not_add_up_is_refused() {
    each_is_refused(
        &whole(),
        &[
            (
                |h| h.count = counted(5),
                "counts 5 observations, and its buckets hold 4",
            ),
            (
                |h| h.count = counted(3),
                "counts 3 observations, and its buckets hold 4",
            ),
            (
                |h| (h.count, h.sum) = (counted(3), f64::NAN),
                "counts 3 observations",
            ),
            (|h| h.positive_deltas = vec![i64::MAX; 2], "counts 4 observations"),
            (
                |h| h.positive_deltas = vec![1, -2],
                "a positive bucket with less than no observation",
            ),
            (
                |h| h.negative_deltas = vec![-1],
                "a negative bucket with less than no observation",
            ),
        ],
    );
}

/// Prometheus, `model/histogram`: `Validate` of floats, which need not add up.
#[test]
fn a_histogram_of_floats_below_zero_is_refused() {
    use v2::histogram::{Count, ZeroCount};

    each_is_refused(
        &float(),
        &[
            (
                |h| h.positive_counts = vec![1.0, -0.5],
                "a positive bucket with less than no observation",
            ),
            (
                |h| h.negative_counts = vec![-0.5],
                "a negative bucket with less than no observation",
            ),
            (
                |h| h.zero_count = Some(ZeroCount::ZeroCountFloat(-1.0)),
                "a zero bucket with less than no observation",
            ),
            (
                |h| h.count = Some(Count::CountFloat(-1.0)),
                "less than no observation",
            ),
        ],
    );
}

/// Prometheus, `model/histogram`: `checkHistogramCustomBounds`; `HistogramValidationErrorHandling` (custom buckets with a
/// zero count).
#[test]
fn a_histogram_with_bounds_of_its_own_has_nothing_else() {
    use v2::histogram::ZeroCount;

    each_is_refused(
        &custom(),
        &[(
            |h| h.zero_count = Some(ZeroCount::ZeroCountInt(1)),
            "has a zero bucket",
        )],
    );
    each_is_refused(
        &custom_float(),
        &[(
            |h| h.zero_count = Some(ZeroCount::ZeroCountFloat(1.0)),
            "has a zero bucket",
        )],
    );
    for base in [custom(), custom_float()] {
        each_is_refused(
            &base,
            &[
                (|h| h.zero_threshold = 0.5, "has a zero threshold"),
                (|h| h.negative_spans = spans(&[(0, 0)]), "has negative spans"),
                (|h| h.negative_deltas = vec![0], "has negative buckets"),
                (
                    |h| h.custom_values = vec![1.0],
                    "1 custom bounds, and its spans reach to bucket 3",
                ),
                (|h| h.custom_values = vec![2.0, 1.0], "not ascending"),
                (|h| h.custom_values = vec![1.0, 1.0], "not ascending"),
                (|h| h.custom_values = vec![1.0, f64::NAN], "not ascending"),
                (|h| h.custom_values = vec![1.0, f64::INFINITY], "infinite"),
                (|h| h.positive_spans = spans(&[(-1, 2)]), "overlap"),
            ],
        );
    }
}

#[test]
fn a_resolution_that_does_not_exist_is_refused() {
    for schema in [-5, -9, -52, -54, 53, i32::MIN, i32::MAX] {
        let problem = format!("the schema {schema}, which is none of -4 to 52 nor -53");
        is_refused(Whole { schema, ..whole() }, &problem);
    }
    for schema in [-4, 0, 8, 9, 52] {
        assert!(read(&Whole { schema, ..whole() }).is_ok(), "{schema}");
    }
}

/// Native histograms, "Staleness": the sum says it; NaN is counted and in no bucket.
#[test]
fn the_sum_may_be_any_nan_bit_by_bit() {
    for bits in [
        stale_marker().to_bits(),
        0x7ff8_0000_0000_0001,
        0xfff8_dead_beef_0000,
    ] {
        let sum = f64::from_bits(bits);
        let marker = Whole {
            sum,
            timestamp: 10,
            ..Whole::default()
        };
        let more = Whole {
            count: Some(v2::histogram::Count::CountInt(9)),
            sum,
            ..whole()
        };
        for histogram in [marker, more] {
            assert_eq!(read(&histogram).unwrap().histogram.sum.to_bits(), bits);
        }
    }
}

/// Buckets -1 to 2, 4, 5 and 15 above zero, 3 and 4 below.
fn fine() -> Whole {
    Whole {
        count: counted(26),
        schema: 10,
        positive_spans: spans(&[(-1, 4), (1, 2), (9, 1)]),
        positive_deltas: vec![1, 1, 1, 1, 1, 1, -4],
        negative_spans: spans(&[(3, 2)]),
        negative_deltas: vec![1, 0],
        ..whole()
    }
}

fn merged(spans: &[(i32, u32)]) -> Vec<BucketSpan> {
    let span = |(offset, length): &(i32, u32)| BucketSpan {
        offset: *offset,
        length: *length,
    };
    spans.iter().map(span).collect()
}

/// `HistogramsReduction`: schema 10 lands as 8, four buckets in one.
#[test]
fn whole_buckets_finer_than_stores_know_are_merged() {
    let histogram = read(&fine()).unwrap().histogram;

    let HistogramCounts::Whole {
        positive,
        negative,
        count,
        zero,
    } = histogram.counts
    else {
        panic!("whole numbers stay whole");
    };
    assert_eq!((histogram.schema, count, zero), (8, 26, 1));
    assert_eq!(
        (positive.spans, positive.counts),
        (merged(&[(0, 3), (1, 1)]), vec![3, 9, -6, -4])
    );
    assert_eq!((negative.spans, negative.counts), (merged(&[(1, 1)]), vec![2]));
}

/// `HistogramsReduction`.
#[test]
fn float_buckets_finer_than_stores_know_are_merged() {
    let float = Whole {
        count: Some(v2::histogram::Count::CountFloat(26.0)),
        positive_counts: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0],
        negative_counts: vec![1.0, 1.0],
        ..fine()
    };

    let histogram = read(&float).unwrap().histogram;

    let HistogramCounts::Float {
        positive, negative, ..
    } = histogram.counts
    else {
        panic!("floats stay floats");
    };
    assert_eq!(histogram.schema, 8);
    assert_eq!(
        (positive.spans, positive.counts),
        (merged(&[(0, 3), (1, 1)]), vec![3.0, 12.0, 6.0, 2.0])
    );
    assert_eq!((negative.spans, negative.counts), (merged(&[(1, 1)]), vec![2.0]));
}
