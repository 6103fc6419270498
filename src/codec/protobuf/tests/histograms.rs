use super::*;

#[test]
fn a_classic_histogram_gets_its_last_bucket_from_its_count() {
    let whole = v1::Histogram {
        sample_count: Some(3),
        sample_sum: Some(4.5),
        bucket: vec![bucket(0.25, 1), bucket(1e6, 2)],
        ..Default::default()
    };
    let complete = v1::Histogram {
        sample_count: Some(3),
        bucket: vec![bucket(f64::INFINITY, 3)],
        ..Default::default()
    };

    reads(
        &[
            family("h", v1::MetricType::Histogram, vec![histogram(whole)]),
            family("g", v1::MetricType::GaugeHistogram, vec![histogram(complete)]),
        ],
        &[
            "h_bucket{le=\"0.25\"} 1.0 [h Histogram]",
            "h_bucket{le=\"1e+06\"} 2.0 [h Histogram]",
            "h_bucket{le=\"+Inf\"} 3.0 [h Histogram]",
            "h_sum{} 4.5 [h Histogram]",
            "h_count{} 3.0 [h Histogram]",
            "g_bucket{le=\"+Inf\"} 3.0 [g GaugeHistogram]",
            "g_sum{} 0.0 [g GaugeHistogram]",
            "g_count{} 3.0 [g GaugeHistogram]",
        ],
    );
}

#[test]
fn float_counts_override_whole_ones_when_above_zero() {
    let float = v1::Histogram {
        sample_count: Some(1),
        sample_count_float: Some(2.5),
        bucket: vec![
            v1::Bucket {
                upper_bound: Some(1.0),
                cumulative_count_float: Some(0.5),
                ..Default::default()
            },
            v1::Bucket {
                upper_bound: Some(2.0),
                cumulative_count: Some(1),
                cumulative_count_float: Some(0.0),
                ..Default::default()
            },
        ],
        ..Default::default()
    };

    reads(
        &[family("h", v1::MetricType::Histogram, vec![histogram(float)])],
        &[
            "h_bucket{le=\"1\"} 0.5 [h Histogram]",
            "h_bucket{le=\"2\"} 1.0 [h Histogram]",
            "h_bucket{le=\"+Inf\"} 2.5 [h Histogram]",
            "h_sum{} 0.0 [h Histogram]",
            "h_count{} 2.5 [h Histogram]",
        ],
    );
}

#[test]
fn a_native_histogram_is_one_sample_beside_the_classic_form_that_text_has() {
    let native = v1::Histogram {
        sample_count: Some(1),
        sample_sum: Some(0.5),
        schema: Some(1),
        positive_span: vec![v1::BucketSpan {
            offset: Some(0),
            length: Some(1),
        }],
        positive_delta: vec![1],
        ..Default::default()
    };
    let both = v1::Histogram {
        bucket: vec![bucket(f64::INFINITY, 1)],
        ..native.clone()
    };

    reads(
        &[
            family("n", v1::MetricType::Histogram, vec![histogram(native)]),
            family("b", v1::MetricType::GaugeHistogram, vec![histogram(both)]),
        ],
        &[
            "n{} 1.0 native [n Histogram]",
            "n_bucket{le=\"+Inf\"} 1.0 [n Histogram]",
            "n_sum{} 0.5 [n Histogram]",
            "n_count{} 1.0 [n Histogram]",
            "b_bucket{le=\"+Inf\"} 1.0 [b GaugeHistogram]",
            "b{} 1.0 native gauge [b GaugeHistogram]",
            "b_sum{} 0.5 [b GaugeHistogram]",
            "b_count{} 1.0 [b GaugeHistogram]",
        ],
    );
}

#[test]
fn a_native_histogram_that_cannot_be_carried_is_refused_by_name() {
    let coarse = v1::Histogram {
        schema: Some(-5),
        zero_threshold: Some(0.1),
        ..Default::default()
    };

    refuses(
        &[
            family("g", v1::MetricType::Gauge, vec![gauge(1.0)]),
            family("h", v1::MetricType::Histogram, vec![histogram(coarse)]),
        ],
        2,
        "\"h\": native histogram: its schema is none of -4 to 8",
    );
}

#[test]
fn a_native_histogram_that_would_take_too_much_memory_is_refused() {
    let deltas = |count: u32| v1::Histogram {
        positive_span: vec![v1::BucketSpan {
            offset: Some(0),
            length: Some(count),
        }],
        positive_delta: vec![0; count as usize],
        ..Default::default()
    };
    let exemplars = |count| v1::Histogram {
        zero_threshold: Some(0.1),
        exemplars: vec![v1::Exemplar::default(); count],
        ..Default::default()
    };
    let of = |all: Vec<v1::Histogram>| {
        let metrics = all.into_iter().map(histogram).collect();
        [family("h", v1::MetricType::Histogram, metrics)]
    };

    refuses(&of(vec![deltas(10_001)]), 1, "more than 10000 buckets");
    refuses(&of(vec![exemplars(1_001)]), 1, "more than 1000 exemplars");
    assert!(decode(&stream(&of(vec![deltas(999), exemplars(10)])), 10).is_ok());
    assert!(decode(&stream(&of(vec![deltas(599); 2])), 10).is_err());
    assert!(decode(&stream(&of(vec![exemplars(6); 2])), 10).is_err());
}

#[test]
fn exemplars_stand_beside_counters_buckets_and_native_histograms() {
    let exemplar = |value| v1::Exemplar {
        label: labels(&[("trace_id", "x")]),
        value: Some(value),
        timestamp: Some(v1::Timestamp {
            seconds: Some(1),
            nanos: Some(2),
        }),
    };
    let counter = v1::Metric {
        counter: Some(v1::Counter {
            value: Some(2.0),
            exemplar: Some(exemplar(1.0)),
            created_timestamp: None,
        }),
        ..Default::default()
    };
    let both = v1::Histogram {
        zero_threshold: Some(0.1),
        bucket: vec![v1::Bucket {
            exemplar: Some(exemplar(2.0)),
            ..bucket(f64::INFINITY, 1)
        }],
        exemplars: vec![exemplar(3.0), exemplar(4.0)],
        ..Default::default()
    };
    let body = stream(&[
        family("c", v1::MetricType::Counter, vec![counter]),
        family("h", v1::MetricType::Histogram, vec![histogram(both)]),
    ]);

    let read = decode(&body, 10).unwrap();

    let values = |sample: &Sample<'_>| sample.exemplars().iter().map(|exemplar| exemplar.value).collect();
    let values: Vec<Vec<f64>> = read.samples.iter().map(values).collect();
    assert_eq!(values, [vec![1.0], vec![2.0], vec![3.0, 4.0], vec![], vec![]]);
    let first = &read.samples[0].exemplars()[0];
    assert_eq!(first.labels.get("trace_id"), Some("x"));
    assert_eq!(first.at.unwrap().get(), 1_000_000_002);
    assert_eq!(read.weight(), 9);
}
