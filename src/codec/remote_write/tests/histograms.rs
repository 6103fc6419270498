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

/// Prometheus, `model/histogram`: `Validate`; `HistogramValidationErrorHandling` (count mismatch, custom buckets with a
/// zero count).
#[test]
fn a_histogram_that_contradicts_itself_is_refused() {
    let span = |offset, length| v2::BucketSpan { offset, length };
    let count = |count| Some(v2::histogram::Count::CountInt(count));
    is_refused(
        Whole {
            count: count(5),
            ..whole()
        },
        "counts 5 observations, and its buckets hold 4",
    );
    is_refused(
        Whole {
            count: count(3),
            ..whole()
        },
        "counts 3 observations, and its buckets hold 4",
    );
    is_refused(
        Whole {
            count: count(3),
            sum: f64::NAN,
            ..whole()
        },
        "counts 3 observations",
    );
    is_refused(
        Whole {
            positive_spans: vec![span(0, 1)],
            ..whole()
        },
        "positive spans have 1 buckets, and there are 2",
    );
    is_refused(
        Whole {
            negative_spans: vec![span(0, 9)],
            ..whole()
        },
        "negative spans have 9 buckets, and there are 1",
    );
    is_refused(
        Whole {
            positive_spans: vec![span(0, u32::MAX), span(0, u32::MAX)],
            ..whole()
        },
        "positive spans have 8589934590",
    );
    is_refused(
        Whole {
            positive_spans: vec![span(0, 1), span(-1, 1)],
            ..whole()
        },
        "positive spans overlap",
    );
    is_refused(
        Whole {
            positive_deltas: vec![1, -2],
            ..whole()
        },
        "a positive bucket with less than no observation",
    );
    is_refused(
        Whole {
            negative_deltas: vec![-1],
            ..whole()
        },
        "a negative bucket with less than no observation",
    );
    is_refused(
        Whole {
            positive_deltas: vec![i64::MAX, i64::MAX],
            ..whole()
        },
        "counts 4 observations",
    );
    is_refused(
        Whole {
            positive_counts: vec![1.0, -0.5],
            ..float()
        },
        "a positive bucket with less than no observation",
    );
    is_refused(
        Whole {
            negative_counts: vec![-0.5],
            ..float()
        },
        "a negative bucket with less than no observation",
    );
    is_refused(
        Whole {
            positive_counts: vec![1.0],
            ..float()
        },
        "positive spans have 2 buckets, and there are 1",
    );
    is_refused(
        Whole {
            zero_count: Some(v2::histogram::ZeroCount::ZeroCountFloat(-1.0)),
            ..float()
        },
        "a zero bucket with less than no observation",
    );
    is_refused(
        Whole {
            count: Some(v2::histogram::Count::CountFloat(-1.0)),
            ..float()
        },
        "less than no observation",
    );
    is_refused(
        Whole {
            custom_values: vec![1.0],
            ..whole()
        },
        "an exponential schema has custom bounds",
    );
}

/// Prometheus, `model/histogram`: `checkHistogramCustomBounds`.
#[test]
fn a_histogram_with_bounds_of_its_own_has_nothing_else() {
    let span = |offset, length| v2::BucketSpan { offset, length };
    for base in [custom(), custom_float()] {
        let zero_count = match base.count {
            Some(v2::histogram::Count::CountFloat(_)) => v2::histogram::ZeroCount::ZeroCountFloat(1.0),
            _ => v2::histogram::ZeroCount::ZeroCountInt(1),
        };
        is_refused(
            Whole {
                zero_count: Some(zero_count),
                ..base.clone()
            },
            "has a zero bucket",
        );
        is_refused(
            Whole {
                zero_threshold: 0.5,
                ..base.clone()
            },
            "has a zero threshold",
        );
        is_refused(
            Whole {
                negative_spans: vec![span(0, 0)],
                ..base.clone()
            },
            "has negative spans",
        );
        is_refused(
            Whole {
                negative_deltas: vec![0],
                ..base.clone()
            },
            "has negative buckets",
        );
        is_refused(
            Whole {
                custom_values: vec![1.0],
                ..base.clone()
            },
            "1 custom bounds, and its spans reach to bucket 3",
        );
        is_refused(
            Whole {
                custom_values: vec![2.0, 1.0],
                ..base.clone()
            },
            "not ascending",
        );
        is_refused(
            Whole {
                custom_values: vec![1.0, 1.0],
                ..base.clone()
            },
            "not ascending",
        );
        is_refused(
            Whole {
                custom_values: vec![1.0, f64::NAN],
                ..base.clone()
            },
            "not ascending",
        );
        is_refused(
            Whole {
                custom_values: vec![1.0, f64::INFINITY],
                ..base.clone()
            },
            "infinite",
        );
        is_refused(
            Whole {
                positive_spans: vec![span(-1, 2)],
                ..base.clone()
            },
            "overlap",
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

/// `HistogramsReduction`: schema 10 lands as 8, four buckets in one.
#[test]
fn buckets_finer_than_stores_know_are_merged() {
    let span = |offset, length| v2::BucketSpan { offset, length };
    let fine = Whole {
        count: Some(v2::histogram::Count::CountInt(26)),
        schema: 10,
        positive_spans: vec![span(-1, 4), span(1, 2), span(9, 1)],
        positive_deltas: vec![1, 1, 1, 1, 1, 1, -4],
        negative_spans: vec![span(3, 2)],
        negative_deltas: vec![1, 0],
        ..whole()
    };
    let fine_float = Whole {
        count: Some(v2::histogram::Count::CountFloat(26.0)),
        positive_deltas: Vec::new(),
        positive_counts: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0],
        negative_deltas: Vec::new(),
        negative_counts: vec![1.0, 1.0],
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountFloat(0.0)),
        ..fine.clone()
    };
    let spans = |spans: &[(i32, u32)]| -> Vec<BucketSpan> {
        let span = |(offset, length): &(i32, u32)| BucketSpan {
            offset: *offset,
            length: *length,
        };
        spans.iter().map(span).collect()
    };

    let (merged, merged_float) = (
        read(&fine).unwrap().histogram,
        read(&fine_float).unwrap().histogram,
    );

    assert_eq!((merged.schema, merged_float.schema), (8, 8));
    let HistogramCounts::Whole {
        positive,
        negative,
        count,
        zero,
    } = merged.counts
    else {
        panic!("whole numbers stay whole");
    };
    assert_eq!((count, zero), (26, 1));
    assert_eq!(
        (positive.spans, positive.counts),
        (spans(&[(0, 3), (1, 1)]), vec![3, 9, -6, -4])
    );
    assert_eq!((negative.spans, negative.counts), (spans(&[(1, 1)]), vec![2]));
    let HistogramCounts::Float {
        positive, negative, ..
    } = merged_float.counts
    else {
        panic!("floats stay floats");
    };
    assert_eq!(
        (positive.spans, positive.counts),
        (spans(&[(0, 3), (1, 1)]), vec![3.0, 12.0, 6.0, 2.0])
    );
    assert_eq!((negative.spans, negative.counts), (spans(&[(1, 1)]), vec![2.0]));
}
