use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::codec::generated::{client, write_v1};

const SPANS: [(i32, u32); 4] = [(-3, 2), (1, 0), (4, 1), (0, 0)];

fn spans(spans: &[(i32, u32)]) -> Vec<client::BucketSpan> {
    let span = |(offset, length): &(i32, u32)| client::BucketSpan {
        offset: Some(*offset),
        length: Some(*length),
    };
    spans.iter().map(span).collect()
}

fn whole() -> client::Histogram {
    client::Histogram {
        sample_count: Some(11),
        sample_sum: Some(-2.5),
        schema: Some(-4),
        zero_threshold: Some(1e-128),
        zero_count: Some(2),
        positive_span: spans(&SPANS),
        positive_delta: vec![3, -2, 4],
        negative_span: spans(&[(0, 1)]),
        negative_delta: vec![0],
        ..Default::default()
    }
}

fn float() -> client::Histogram {
    client::Histogram {
        sample_count_float: Some(1.5),
        zero_count_float: Some(0.5),
        positive_span: spans(&[(0, 2)]),
        positive_count: vec![0.75, -0.25],
        ..Default::default()
    }
}

fn native(histogram: &client::Histogram) -> NativeHistogram {
    let read = read_pushed(&histogram.encode_to_vec(), MetricKind::Histogram);
    read.unwrap_or_else(|error| panic!("{error}")).unwrap()
}

fn sent(histogram: &NativeHistogram) -> write_v1::Histogram {
    let mut message = Vec::new();
    put_remote_write(&mut message, histogram);
    write_v1::Histogram::decode(message.as_slice()).unwrap()
}

#[track_caller]
fn refuses(histogram: &client::Histogram, problem: &str) {
    let error = read_pushed(&histogram.encode_to_vec(), MetricKind::Histogram).unwrap_err();
    assert!(error.to_string().contains(problem), "{error}");
}

#[test]
fn whole_numbers_are_sent_as_differences_without_spans_that_have_no_bucket() {
    let sent = sent(&native(&whole()));

    let span = |offset, length| write_v1::BucketSpan { offset, length };
    let expected = write_v1::Histogram {
        count: Some(write_v1::histogram::Count::CountInt(11)),
        sum: -2.5,
        schema: -4,
        zero_threshold: 1e-128,
        zero_count: Some(write_v1::histogram::ZeroCount::ZeroCountInt(2)),
        positive_spans: vec![span(-3, 2), span(5, 1)],
        positive_deltas: vec![3, -2, 4],
        negative_spans: vec![span(0, 1)],
        negative_deltas: vec![0],
        ..Default::default()
    };
    assert_eq!(sent, expected);
}

#[test]
fn floats_are_sent_as_they_are_and_a_gauge_says_that_it_may_fall() {
    let pushed = float().encode_to_vec();

    let gauge = read_pushed(&pushed, MetricKind::GaugeHistogram).unwrap().unwrap();

    let expected = write_v1::Histogram {
        count: Some(write_v1::histogram::Count::CountFloat(1.5)),
        zero_count: Some(write_v1::histogram::ZeroCount::ZeroCountFloat(0.5)),
        positive_spans: vec![write_v1::BucketSpan { offset: 0, length: 2 }],
        positive_counts: vec![0.75, -0.25],
        reset_hint: write_v1::histogram::ResetHint::Gauge.into(),
        ..Default::default()
    };
    assert_eq!(sent(&gauge), expected);
    assert_eq!(sent(&native(&float())).reset_hint, 0);
}

#[test]
fn a_histogram_is_native_when_it_says_where_a_bucket_could_be() {
    let empty = client::Histogram {
        positive_span: spans(&[(0, 0)]),
        ..Default::default()
    };
    let classic = client::Histogram {
        sample_count: Some(1),
        schema: Some(3),
        ..Default::default()
    };

    assert_eq!(native(&empty).count(), 0.0);
    assert_eq!(
        read_pushed(&classic.encode_to_vec(), MetricKind::Histogram),
        Ok(None)
    );
    for zero in [
        client::Histogram {
            zero_threshold: Some(0.1),
            ..Default::default()
        },
        client::Histogram {
            zero_count: Some(1),
            ..Default::default()
        },
        client::Histogram {
            zero_count_float: Some(0.1),
            ..Default::default()
        },
    ] {
        assert_eq!(native(&zero).schema, 0);
    }
}

#[test]
fn packed_lists_are_read_like_others() {
    let mut packed = vec![0x62, 2, 0x10, 3, 0x6a, 4];
    packed.extend([6, 3, 0xac, 0x02]);

    let read = read_pushed(&packed, MetricKind::Histogram).unwrap().unwrap();

    let HistogramCounts::Whole { positive, .. } = read.counts else {
        panic!("{read:?}");
    };
    assert_eq!(positive.counts, [3, -2, 150]);
}

#[test]
fn what_cannot_be_carried_is_refused_and_what_only_contradicts_itself_is_not() {
    let with = |change: &dyn Fn(&mut client::Histogram)| {
        let mut histogram = whole();
        change(&mut histogram);
        histogram
    };

    refuses(&with(&|h| h.schema = Some(9)), "none of -4 to 8");
    refuses(&with(&|h| h.schema = Some(-53)), "none of -4 to 8");
    refuses(
        &with(&|h| h.positive_delta.truncate(2)),
        "another number of buckets",
    );
    refuses(&with(&|h| h.negative_delta.push(1)), "another number of buckets");
    refuses(
        &with(&|h| h.positive_span[2].offset = Some(-1)),
        "a span begins before",
    );
    refuses(
        &with(&|h| h.sample_count_float = Some(1.0)),
        "another number of buckets",
    );
    native(&with(&|h| h.sample_count = Some(0)));
    native(&with(&|h| h.positive_delta[0] = -9));
}

#[test]
fn a_sum_that_would_end_the_series_becomes_the_one_nan_that_text_has() {
    let mut histogram = whole();
    histogram.sample_sum = Some(crate::model::stale_marker());

    let read = native(&histogram);

    assert!(read.sum.is_nan() && !crate::model::is_stale(read.sum));
}

fn any_spans() -> impl Strategy<Value = Vec<BucketSpan>> + Clone {
    let span = |offset: std::ops::Range<i32>| {
        (offset, 0..4_u32).prop_map(|(offset, length)| BucketSpan { offset, length })
    };
    let spans = (span(-9..9), proptest::collection::vec(span(0..9), 0..3));
    spans.prop_map(|(first, others)| [vec![first], others].concat())
}

fn any_buckets<N: std::fmt::Debug + Clone>(
    number: impl Strategy<Value = N> + Clone + 'static,
) -> impl Strategy<Value = HistogramBuckets<N>> {
    any_spans().prop_flat_map(move |spans| {
        let count = spans.iter().map(|span| span.length as usize).sum::<usize>();
        let counts = proptest::collection::vec(number.clone(), count);
        counts.prop_map(move |counts| HistogramBuckets {
            spans: spans.clone(),
            counts,
        })
    })
}

fn any_counts() -> impl Strategy<Value = HistogramCounts> {
    let buckets = || any_buckets(any::<i64>());
    let whole = (any::<u64>(), any::<u64>(), buckets(), buckets());
    let whole = whole.prop_map(|(count, zero, negative, positive)| HistogramCounts::Whole {
        count,
        zero,
        negative,
        positive,
    });
    let buckets = || any_buckets(-1e9..1e9_f64);
    let float = (1.0..1e9_f64, -1e9..1e9_f64, buckets(), buckets());
    let float = float.prop_map(|(count, zero, negative, positive)| HistogramCounts::Float {
        count,
        zero,
        negative,
        positive,
    });
    prop_oneof![whole, float]
}

fn any_histogram() -> impl Strategy<Value = NativeHistogram> {
    let shape = (NativeHistogram::SCHEMAS, 0.0..1.0_f64, -1e9..1e9_f64);
    (shape, any_counts(), any::<bool>(), any::<Option<i64>>()).prop_map(
        |((schema, zero_threshold, sum), counts, is_gauge, created)| NativeHistogram {
            schema,
            zero_threshold,
            sum,
            counts,
            reset: if is_gauge {
                ResetHint::Gauge
            } else {
                ResetHint::Unknown
            },
            custom_values: Vec::new(),
            created: created.map(UnixNanos::new),
        },
    )
}

fn any_exemplar() -> impl Strategy<Value = Exemplar<'static>> {
    let labels = proptest::collection::vec((".{0,9}", ".{0,200}"), 0..4);
    (labels, -1e9..1e9_f64, any::<Option<i64>>()).prop_map(|(labels, value, at)| Exemplar {
        labels: labels.into_iter().collect(),
        value,
        at: at.map(UnixNanos::new),
    })
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back_and_means_the_same_to_another_decoder(
        histogram in any_histogram(),
        exemplars in proptest::collection::vec(any_exemplar(), 0..3),
    ) {
        let kind = if histogram.reset == ResetHint::Gauge { MetricKind::GaugeHistogram } else { MetricKind::Histogram };
        let mut bytes = Vec::new();

        put_pushed(&mut bytes, &histogram, &exemplars);

        let again = client::Histogram::decode(bytes.as_slice()).unwrap().encode_to_vec();
        for bytes in [bytes, again] {
            prop_assert_eq!(read_pushed(&bytes, kind), Ok(Some(histogram.clone())));
            prop_assert_eq!(read_exemplars(&bytes), Ok(exemplars.clone()));
        }
    }

    #[test]
    fn what_is_sent_has_as_many_buckets_as_its_spans_say(histogram in any_histogram()) {
        let sent = sent(&histogram);

        for (spans, counts) in [
            (&sent.positive_spans, sent.positive_deltas.len() + sent.positive_counts.len()),
            (&sent.negative_spans, sent.negative_deltas.len() + sent.negative_counts.len()),
        ] {
            prop_assert_eq!(spans.iter().map(|span| span.length as usize).sum::<usize>(), counts);
            prop_assert!(spans.iter().all(|span| span.length > 0));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_pushed(&bytes, MetricKind::Histogram);
        let _ = read_exemplars(&bytes);
        let _ = exemplar::read_pushed(&bytes);
    }
}
