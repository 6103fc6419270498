//! Samples keep the times they bring, where the operator wants that, and no series goes back in time.

use std::time::Duration;

use crate::bridge::Bridge;
use crate::remote::{Arrival, STALE, out_of_order};

/// When the clock of a bridge starts.
const START: i64 = 1_795_000_000_000;

const SETTINGS: &str = "pushgateway: {honor_timestamps: true}\n";

/// The body of one sample of `a`, so many seconds from the start.
fn a(value: i32, seconds: i64) -> String {
    format!("a {value} {}\n", START + seconds * 1000)
}

/// What the remote has of `a`: seconds from the start, and `None` for a stale marker.
fn arrived(bridge: &Bridge) -> Vec<(f64, Option<f64>)> {
    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    let seen = &arrivals["a{job=\"j\"}"];
    assert_eq!(out_of_order(seen), Vec::<Arrival>::new());
    seen.iter()
        .map(|(at, bits)| {
            let value = (*bits != STALE).then(|| f64::from_bits(*bits));
            (
                Duration::from_millis((at - START).unsigned_abs()).as_secs_f64()
                    * (at - START).signum() as f64,
                value,
            )
        })
        .collect()
}

#[track_caller]
fn refused(bridge: &Bridge, body: &str, why: &str) {
    let answer = bridge.send("PUT", "/metrics/job/j", body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains(why), "{}", answer.text());
}

#[test]
fn a_sample_keeps_the_time_it_brings_and_others_get_that_of_their_arrival() {
    let bridge = Bridge::with(SETTINGS);

    bridge.put("/metrics/job/j", &format!("{}b 5\n", a(1, -3600)));
    bridge.put("/metrics/job/j", &a(2, -60));

    assert_eq!(arrived(&bridge), [(-3600.0, Some(1.0)), (-60.0, Some(2.0))]);
    assert_eq!(bridge.remote().arrivals()["b{job=\"j\"}"][0].0, START);
}

#[test]
fn times_are_kept_in_every_text_format() {
    let bridge = Bridge::with(SETTINGS);
    let body = "a 1 1794999999.5\n# EOF\n";
    let head = format!(
        "PUT /metrics/job/j HTTP/1.1\r\nHost: bridge\r\nContent-Type: application/openmetrics-text\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );

    let answer = bridge.send_raw(format!("{head}{body}").as_bytes());

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(arrived(&bridge), [(-0.5, Some(1.0))]);
}

#[test]
fn a_time_that_goes_back_is_refused_and_an_equal_one_passes() {
    let bridge = Bridge::with(SETTINGS);
    bridge.put("/metrics/job/j", &a(1, -10));

    refused(
        &bridge,
        &a(2, -11),
        "the sample of a{job=\"j\"} is of 2026-11-18T11:06:29.000Z, and that series has come to 2026-11-18T11:06:30.000Z",
    );
    bridge.put("/metrics/job/j", &a(1, -10));
    bridge.put("/metrics/job/j", &a(3, -9));

    let values: Vec<_> = arrived(&bridge).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [Some(1.0), Some(1.0), Some(3.0)]);
}

#[test]
fn a_time_more_than_a_minute_ahead_is_refused() {
    let bridge = Bridge::with(SETTINGS);

    refused(&bridge, &a(1, 61), "more than a minute after its arrival");
    bridge.put("/metrics/job/j", &a(1, 60));

    assert_eq!(arrived(&bridge), [(60.0, Some(1.0))]);
}

#[test]
fn a_series_that_is_ahead_ends_later_than_its_last_sample() {
    let bridge = Bridge::with(SETTINGS);
    bridge.put("/metrics/job/j", &a(1, 30));

    bridge.delete("/metrics/job/j");

    assert_eq!(arrived(&bridge), [(30.0, Some(1.0)), (30.001, None)]);
}

#[test]
fn what_is_known_of_times_outlives_a_restart() {
    let mut bridge = Bridge::with(SETTINGS);
    bridge.put("/metrics/job/j", &a(1, 30));

    bridge.stop();
    bridge.begin();
    refused(&bridge, &a(2, 29), "that series has come to");
    bridge.put("/metrics/job/j", "a 3\n");
    bridge.delete("/metrics/job/j");
    refused(&bridge, &a(4, 30), "that series has come to");

    let ended: Vec<_> = arrived(&bridge);
    assert_eq!(ended.first(), Some(&(30.0, Some(1.0))));
    assert_eq!(ended.len(), 3);
}

#[test]
fn a_post_keeps_the_times_of_what_it_leaves_alone() {
    let bridge = Bridge::with(SETTINGS);
    bridge.post("/metrics/job/j", &a(1, -10));
    bridge.post("/metrics/job/j", "b 1\n");

    refused(&bridge, &a(2, -11), "that series has come to");
    bridge.post("/metrics/job/j", &a(2, -9));

    assert_eq!(arrived(&bridge), [(-10.0, Some(1.0)), (-9.0, Some(2.0))]);
}

#[test]
fn s40_h17_without_the_switch_any_time_is_refused() {
    let mut bridge = Bridge::with(SETTINGS);
    bridge.put("/metrics/job/j", &a(1, -10));

    bridge.reload("").unwrap();

    refused(&bridge, &a(2, -9), "pushed metrics must not have timestamps: a{}");
    assert_eq!(arrived(&bridge), [(-10.0, Some(1.0))]);
}
