//! A bad series takes no good one along, and the answer says exactly what was taken.

use super::sender::{
    exemplar_v2, float_v2, post_v1, post_v2, request_v2, series_v1, series_v2, whole_v2, written,
};
use crate::bridge::Bridge;
use crate::{write_v1 as v1, write_v2 as v2};

/// One bad series between two good ones.
#[track_caller]
fn check_v2(bad: v2::TimeSeries, taken: [u64; 3], said: &str) {
    let bridge = Bridge::sending_all();
    let good = |at| v2::TimeSeries {
        exemplars: vec![exemplar_v2(at)],
        ..series_v2(&[1, 2, 3, 4], &[(1.0, at)])
    };

    let answer = post_v2(&bridge, &request_v2(vec![good(1), bad, good(2)]));

    assert_eq!(answer.status, 400);
    assert_eq!(written(&answer), Some(taken), "{}", answer.text());
    assert!(answer.text().contains(said), "{}", answer.text());
    bridge.delivered();
    let arrived = bridge.seen();
    assert_eq!(arrived["up{job=\"a\"}"][..2], ["1", "1"], "{arrived:?}");
}

/// PRW R2-04, R2-05, R2-06, S2-07, S2-08; Prometheus, `V2Message` (partial writes).
#[test]
fn of_a_request_of_version_2_the_good_series_are_taken_and_counted() {
    let sample = [(1.0, 5)];
    for (references, said) in [
        (&[3, 4][..], "{job=\"a\"}: it has no metric name"),
        (&[1, 0, 3, 4], "its metric name is empty"),
        (&[1, 2, 3, 4, 3, 6], "the label \"job\" stands twice"),
        (&[1, 2, 3], "its labels_refs are 3, an odd number"),
        (
            &[1, 2, 3, 999],
            "its label reference 999 is outside of the 9 symbols",
        ),
    ] {
        check_v2(series_v2(references, &sample), [2, 0, 2], said);
    }
    for (help_ref, unit_ref, said) in [
        (999, 0, "its help_ref 999 is outside of the 9 symbols"),
        (0, 999, "its unit_ref 999 is outside of the 9 symbols"),
    ] {
        let metadata = v2::Metadata {
            r#type: 1,
            help_ref,
            unit_ref,
        };
        let bad = v2::TimeSeries {
            metadata: Some(metadata),
            ..series_v2(&[1, 2], &sample)
        };
        check_v2(bad, [2, 0, 2], said);
    }
}

/// Prometheus, `HistogramValidationErrorHandling`: only the histogram goes, what stands beside it is taken.
#[test]
fn of_a_series_the_good_histograms_are_taken_and_counted() {
    let mismatch = v2::Histogram {
        count: Some(v2::histogram::Count::CountInt(9)),
        ..whole_v2(8)
    };
    let custom = v2::Histogram {
        schema: -53,
        zero_threshold: 0.0,
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountInt(1)),
        custom_values: vec![1.0, 2.0, 3.0],
        ..whole_v2(9)
    };
    for (bad, said) in [
        (mismatch, "counts 9 observations, and its buckets hold 1"),
        (custom, "a histogram with custom bounds has a zero bucket"),
    ] {
        let series = v2::TimeSeries {
            histograms: vec![whole_v2(7), bad, float_v2(10)],
            ..series_v2(&[1, 2, 3, 6], &[(1.0, 5)])
        };
        check_v2(series, [3, 2, 2], said);
    }
}

/// PRW R2-04.
#[test]
fn a_bad_exemplar_is_told_and_its_sample_taken() {
    let bad = v2::Exemplar {
        labels_refs: vec![5],
        ..exemplar_v2(5)
    };
    let series = v2::TimeSeries {
        exemplars: vec![bad, exemplar_v2(6)],
        ..series_v2(&[1, 2, 3, 6], &[(1.0, 5)])
    };

    check_v2(series, [3, 0, 3], "the labels_refs of an exemplar");
}

/// PRW R1-05, which Prometheus does not keep: version 1.0 is told, too.
#[test]
fn of_a_request_of_version_1_the_good_series_are_taken_and_the_bad_ones_told() {
    let bridge = Bridge::start();
    let good = series_v1(&[("__name__", "up"), ("job", "a")], &[(1.0, 1)]);
    let bad = [
        series_v1(&[("job", "a")], &[(1.0, 1), (2.0, 2)]),
        series_v1(&[("__name__", "up"), ("job", "a"), ("job", "b")], &[(1.0, 1)]),
    ];

    let answer = post_v1(&bridge, [vec![good], bad.to_vec()].concat());

    assert_eq!((answer.status, written(&answer)), (400, None));
    assert_eq!(
        answer.text(),
        "not taken: 3 samples, 0 histograms, 0 exemplars, and sending them again does not help; taken: 1 samples, \
         0 histograms, 0 exemplars. {job=\"a\"}: it has no metric name; up{job=\"a\"}: the label \"job\" stands twice\n"
    );
    bridge.remote_has(&[("up{job=\"a\"}", &["1"])]);
}

/// PRW R1-08: our own limits are told like any flaw; what the operator's rules drop is taken.
#[test]
fn a_series_over_a_limit_of_labels_is_told() {
    let bridge = Bridge::with(
        "normalise: {limits: {max_value_bytes: 40}, relabel_configs: [{action: drop, source_labels: [__name__], regex: noise}]}\n",
    );
    let long = series_v1(&[("__name__", "up"), ("job", &"x".repeat(41))], &[(1.0, 1)]);
    let noise = series_v1(&[("__name__", "noise")], &[(1.0, 1)]);
    let good = series_v1(&[("__name__", "up"), ("job", "a")], &[(1.0, 1)]);

    let answer = post_v1(&bridge, vec![long, noise, good]);

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("the limit is 40"), "{}", answer.text());
    assert!(answer.text().contains("taken: 2 samples"), "{}", answer.text());
    bridge.remote_has(&[("up{job=\"a\"}", &["1"])]);
}

/// Series with exemplars or metadata only: Prometheus refuses them, other receivers take them, and so do we.
#[test]
fn series_without_samples_are_taken() {
    let bridge = Bridge::sending_all();
    let metadata = v2::Metadata {
        r#type: 1,
        help_ref: 7,
        unit_ref: 8,
    };
    let request = request_v2(vec![
        v2::TimeSeries {
            exemplars: vec![exemplar_v2(3)],
            ..series_v2(&[1, 2], &[])
        },
        v2::TimeSeries {
            metadata: Some(metadata),
            ..series_v2(&[1, 2], &[])
        },
        series_v2(&[1, 2], &[]),
    ]);

    let answer = post_v2(&bridge, &request);
    bridge.delivered();

    assert_eq!(
        (answer.status, written(&answer)),
        (204, Some([0, 0, 1])),
        "{}",
        answer.text()
    );
    assert_eq!(
        bridge.remote().extras().exemplars["up{}"],
        ["{trace_id=\"a\"} 0.5 @3"]
    );
}

#[test]
fn of_many_bad_series_the_first_are_told_and_all_counted() {
    let bridge = Bridge::start();
    let bad: Vec<v1::TimeSeries> = (0..5_000)
        .map(|_| series_v1(&[("job", &"x".repeat(1_000))], &[(1.0, 1)]))
        .collect();

    let answer = post_v1(&bridge, bad);

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().starts_with("not taken: 5000 samples"),
        "{}",
        answer.text()
    );
    assert!(answer.text().ends_with("; and 4990 more\n"), "{}", answer.text());
    assert!(answer.body.len() < 16_384);
}
