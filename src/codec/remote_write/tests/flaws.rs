//! What makes no sense, beside what does.

use super::*;

const GOOD: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];

/// One bad series between two good ones.
#[track_caller]
fn check_v1(bad: v1::TimeSeries, problem: &str) {
    let body = body_v1(vec![series_v1(&GOOD), bad, series_v1(&GOOD)]);

    let request = decoded(Message::V1, &body);

    assert_eq!(problems(&request), [problem]);
    assert_eq!(request.series.len(), 2);
    assert_eq!((request.flawed.number, request.flawed.counts.samples), (1, 1));
    assert_eq!(request.counts().samples, 3);
}

#[track_caller]
fn check_v2(bad: v2::TimeSeries, problem: &str) {
    let counts = Counts {
        samples: bad.samples.len() as u64,
        histograms: bad.histograms.len() as u64,
        exemplars: bad.exemplars.len() as u64,
    };
    let body = body_v2(vec![series_v2(&[1, 2, 3, 4]), bad, series_v2(&[1, 2, 3, 4])]);

    let request = decoded(Message::V2, &body);

    assert_eq!(problems(&request), [problem]);
    assert_eq!(request.series.len(), 2);
    assert_eq!((request.flawed.number, request.flawed.counts), (1, counts));
}

/// PRW R1-05, S1-11, S1-12, S1-14; `ValidateLabelsAndMetricName`.
#[test]
fn a_series_of_version_1_with_wrong_labels_takes_no_other_along() {
    for (labels, problem) in [
        (&[("job", "a")][..], "{job=\"a\"}: it has no metric name"),
        (&[], "{}: it has no metric name"),
        (
            &[("__name__", ""), ("job", "a")],
            "{job=\"a\"}: its metric name is empty",
        ),
        (&[("__name__", "up"), ("", "a")], "up{}: a label has no name"),
        (
            &[("__name__", "up"), ("job", "a"), ("a", "x"), ("job", "b")],
            "up{a=\"x\",job=\"a\"}: the label \"job\" stands twice",
        ),
        (
            &[("__name__", "up"), ("job", ""), ("job", "b")],
            "up{job=\"b\"}: the label \"job\" stands twice",
        ),
        (
            &[("__name__", "up"), ("__name__", "down")],
            "up{}: the label \"__name__\" stands twice",
        ),
    ] {
        check_v1(series_v1(labels), problem);
    }
}

/// PRW S1-15: values are UTF-8. What is not is a flaw of its series, not of the request, as at Prometheus.
#[test]
fn text_that_is_none_is_a_flaw_of_its_series() {
    let good = body_v1(vec![series_v1(&GOOD)]);
    let mut bad = body_v1(vec![series_v1(&[("__name__", "up"), ("job", "zz")])]);
    let at = bad.windows(2).position(|two| two == b"zz").unwrap();
    bad[at] = 0xff;

    let body = [bad, good].concat();
    let request = decoded(Message::V1, &body);

    assert_eq!(
        problems(&request),
        ["up{job=\"\u{fffd}z\"}: a label is not valid UTF-8"]
    );
    assert_eq!(request.series.len(), 1);
}

/// PRW S2-07, S2-08, S2-11; `V2Message`: no name, empty name, duplicate label, odd refs, ref out of the table.
#[test]
fn a_series_of_version_2_with_wrong_references_takes_no_other_along() {
    for (references, problem) in [
        (&[3, 4][..], "{job=\"a\"}: it has no metric name"),
        (&[], "{}: it has no metric name"),
        (&[1, 0, 3, 4], "{job=\"a\"}: its metric name is empty"),
        (&[1, 2, 0, 4], "up{}: a label has no name"),
        (
            &[1, 2, 3, 4, 3, 4],
            "up{job=\"a\"}: the label \"job\" stands twice",
        ),
        (&[1, 2, 3], "{}: its labels_refs are 3, an odd number"),
        (
            &[1, 2, 3, 9],
            "{}: its label reference 9 is outside of the 9 symbols",
        ),
        (
            &[1, 2, 3, u32::MAX],
            "{}: its label reference 4294967295 is outside of the 9 symbols",
        ),
    ] {
        check_v2(series_v2(references), problem);
    }
}

/// PRW S2-07; `V2Message`: help_ref out, unit_ref out. All of the series goes, as at Prometheus.
#[test]
fn metadata_outside_of_the_table_is_a_flaw_of_its_series() {
    for (help_ref, unit_ref, problem) in [
        (9, 0, "up{}: its help_ref 9 is outside of the 9 symbols"),
        (0, 9, "up{}: its unit_ref 9 is outside of the 9 symbols"),
    ] {
        let metadata = v2::Metadata {
            help_ref,
            unit_ref,
            ..v2::Metadata::default()
        };
        let exemplars = vec![v2::Exemplar::default(); 2];
        check_v2(
            v2::TimeSeries {
                metadata: Some(metadata),
                exemplars,
                ..series_v2(&[1, 2])
            },
            problem,
        );
    }
}

/// PRW R2-04, S1-07: an exemplar that no store takes is not passed over in silence; its sample is kept.
#[test]
fn a_bad_exemplar_takes_no_sample_along() {
    let long = "x".repeat(127);
    for (labels, problem) in [
        (
            vec![label("id", &long)],
            "the labels of an exemplar have more than 128 characters, which no store takes",
        ),
        (
            vec![label("id", "a"), label("id", "b")],
            "a label of an exemplar has no name or stands twice",
        ),
        (
            vec![label("", "a")],
            "a label of an exemplar has no name or stands twice",
        ),
    ] {
        let bad = v1::Exemplar {
            labels,
            value: 1.0,
            timestamp: 10,
        };
        let good = v1::Exemplar {
            labels: vec![label("trace_id", "a")],
            ..bad.clone()
        };
        let body = body_v1(vec![v1::TimeSeries {
            exemplars: vec![good, bad],
            ..series_v1(&GOOD)
        }]);

        let request = decoded(Message::V1, &body);

        assert_eq!(
            said(&request),
            ["up{job=\"a\"} 3ff0000000000000@10 h0 {trace_id=\"a\"}1@10"]
        );
        assert_eq!(problems(&request), [format!("up{{job=\"a\"}}: {problem}")]);
        assert_eq!(request.flawed.counts.exemplars, 1);
    }
}

/// PRW R2-04, S2-07.
#[test]
fn an_exemplar_with_wrong_references_takes_no_sample_along() {
    for references in [vec![3], vec![3, 99]] {
        let exemplar = v2::Exemplar {
            labels_refs: references,
            value: 1.0,
            timestamp: 10,
        };
        let body = body_v2(vec![v2::TimeSeries {
            exemplars: vec![exemplar],
            ..series_v2(&[1, 2])
        }]);

        let request = decoded(Message::V2, &body);

        assert_eq!(said(&request), ["up{} 3ff0000000000000@10 h0 "]);
        assert_eq!(
            problems(&request),
            ["up{}: the labels_refs of an exemplar are odd in number, or outside of the symbols"]
        );
    }
}

#[test]
fn of_many_flaws_the_first_are_told_and_all_are_counted() {
    let body = body_v1(vec![series_v1(&[("job", &"x".repeat(10_000))]); 1_000]);

    let request = decoded(Message::V1, &body);

    assert_eq!(
        (request.flawed.number, request.flawed.counts.samples),
        (1_000, 1_000)
    );
    assert_eq!(request.flawed.first.len(), Flaws::TOLD);
    assert!(request.flawed.first.iter().all(|flaw| flaw.series.len() < 600));
}

/// Remote-write of Prometheus is lenient here, and so are we: `V2Message` (exemplar-only series apart), S2-09.
#[test]
fn series_with_both_kinds_or_neither_are_taken() {
    let exemplar = v2::Exemplar {
        labels_refs: vec![3, 4],
        value: 2.0,
        timestamp: 11,
    };
    let histogram = v2::Histogram {
        timestamp: 12,
        ..v2::Histogram::default()
    };
    let metadata = v2::Metadata {
        r#type: 1,
        help_ref: 7,
        unit_ref: 8,
    };
    let empty = v2::TimeSeries {
        labels_refs: vec![1, 2],
        ..v2::TimeSeries::default()
    };
    let body = body_v2(vec![
        v2::TimeSeries {
            histograms: vec![histogram],
            ..series_v2(&[1, 2])
        },
        v2::TimeSeries {
            exemplars: vec![exemplar],
            ..empty.clone()
        },
        v2::TimeSeries {
            metadata: Some(metadata),
            ..empty.clone()
        },
        empty,
    ]);

    let request = decoded(Message::V2, &body);

    assert!(request.flawed.is_empty(), "{:?}", request.flawed);
    assert_eq!(
        said(&request),
        [
            "up{} 3ff0000000000000@10 h1 ",
            "up{}  h0 {job=\"a\"}2@11",
            "up{}  h0 "
        ]
    );
}
