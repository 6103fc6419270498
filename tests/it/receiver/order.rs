//! `remote_write_receiver.enforce_order`: samples that do not come after the last of their series are refused.

use super::sender::{post_v1, post_v2, request_v2, series_v1, series_v2, whole_v2, written};
use crate::bridge::Bridge;
use crate::write_v2 as v2;

const NOW: i64 = 1_795_000_000_000;
const ENFORCED: &str = "remote_write_receiver: {enforce_order: true}\n";
const UP: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];

#[track_caller]
fn check_v1(samples: &[(f64, i64)], said: &str) {
    let bridge = Bridge::with(ENFORCED);
    assert_eq!(post_v1(&bridge, vec![series_v1(&UP, &[(1.0, NOW)])]).status, 204);

    let answer = post_v1(&bridge, vec![series_v1(&UP, samples)]);

    assert_eq!(answer.status, 400);
    assert!(answer.text().contains(said), "{}", answer.text());
    bridge.remote_has(&[("up{job=\"a\"}", &["1"])]);
}

/// Prometheus, `OutOfOrderSample_V1`: historic and future.
#[test]
fn a_sample_that_is_not_later_than_the_last_is_refused() {
    check_v1(&[(2.0, 0)], "out of order sample");
    check_v1(&[(2.0, NOW - 1)], "out of order sample");
    check_v1(&[(2.0, NOW)], "duplicate sample for timestamp");
    check_v1(&[(2.0, i64::MAX)], "out of bounds");
    check_v1(&[(2.0, NOW + 600_001)], "out of bounds");
}

/// Prometheus, `V2Message`: out-of-order and duplicate samples and histograms, the rest taken and counted.
#[test]
fn what_comes_in_order_is_taken_and_counted_beside_what_does_not() {
    let bridge = Bridge::with(ENFORCED);
    let other = v2::Histogram {
        sum: 7.5,
        ..whole_v2(NOW)
    };
    let request = request_v2(vec![
        series_v2(&[1, 2], &[(1.0, NOW), (2.0, NOW), (3.0, NOW - 5), (4.0, NOW + 1)]),
        v2::TimeSeries {
            histograms: vec![whole_v2(NOW), other, whole_v2(NOW - 1), whole_v2(NOW + 1)],
            ..series_v2(&[1, 6], &[])
        },
    ]);

    let answer = post_v2(&bridge, &request);

    assert_eq!((answer.status, written(&answer)), (400, Some([2, 2, 0])));
    for said in [
        "up{}: duplicate sample for timestamp",
        "up{}: out of order sample",
        "b{}: duplicate sample for timestamp",
        "b{}: out of order sample",
    ] {
        assert!(answer.text().contains(said), "{}", answer.text());
    }
    bridge.remote_has(&[("up{}", &["1", "4"])]);
}

/// As at Prometheus: a sender that repeats a request whose answer was lost is not told off. PRW R2-07.
#[test]
fn the_last_sample_may_be_repeated() {
    let bridge = Bridge::with(ENFORCED);

    let answers = [(); 2].map(|()| post_v1(&bridge, vec![series_v1(&UP, &[(f64::NAN, NOW)])]).status);

    assert_eq!(answers, [204, 204]);
}

#[test]
fn each_series_has_its_own_order() {
    let bridge = Bridge::with(ENFORCED);
    let other = [("__name__", "up"), ("job", "b")];

    let answers = [
        post_v1(&bridge, vec![series_v1(&UP, &[(1.0, NOW)])]).status,
        post_v1(
            &bridge,
            vec![
                series_v1(&other, &[(1.0, NOW - 9)]),
                series_v1(&UP, &[(2.0, NOW + 1)]),
            ],
        )
        .status,
    ];

    assert_eq!(answers, [204, 204]);
}
