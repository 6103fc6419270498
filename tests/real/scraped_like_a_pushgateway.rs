//! One Prometheus scrapes a real Pushgateway and the bridge by the same configuration and finds the same series.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::beside::{Mode, Pair, Request};
use crate::prometheus::{Prometheus, Series};
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// What each of the two says of itself, and what Prometheus says of a scrape.
const OWN: [&str; 7] = [
    "go_",
    "process_",
    "promhttp_",
    "pushgateway_",
    "flinkbridge_",
    "up",
    "scrape_",
];

const PUSHES: [(&str, &str); 6] = [
    (
        "/metrics/job/batch",
        "# TYPE plain gauge\nplain 1\n# TYPE c counter\nc 2\n# TYPE d_total counter\nd_total 3\nu 4\n",
    ),
    (
        "/metrics/job/batch/instance/i",
        "# TYPE plain gauge\nplain{x=\"y\"} 1.5\n",
    ),
    (
        "/metrics/job/hist",
        "# HELP h words\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1e6\"} 2\nh_sum 3\nh_count 4\n",
    ),
    (
        "/metrics/job/flink45b92b4ffe20ca2528b3c0714a8bd0ad",
        "# TYPE s summary\ns_count 2\ns{quantile=\"0.5\",tm_id=\"t\",} NaN\ns{quantile=\"0.999\",tm_id=\"t\",} 7.0\n",
    ),
    (
        "/metrics/job@base64/YS9i/x@base64/=",
        "numbers{a=\"\\\"\\\\\\n\u{e9}\"} 1e-300\n# TYPE stamp gauge\nstamp 1.7e9\n",
    ),
    ("/metrics/job/failed", "late 1 1000\n"),
];

#[test]
fn a_scrape_finds_the_same_series() {
    let pair = Pair::start(Mode::Plain);
    for (path, body) in PUSHES {
        assert_eq!(pair.ask(&Request::new("PUT", path, body)), None);
    }

    let prometheus = Prometheus::scraping(&[
        ("theirs", &pair.theirs().to_string()),
        ("ours", &pair.ours().to_string()),
    ]);

    wait::until("the same series of both", SOON, || {
        let scraped = |whose| series(&prometheus.query(&format!("{{__name__=~\".+\",whose=\"{whose}\"}}")));
        let (theirs, ours) = (scraped("theirs"), scraped("ours"));
        match theirs.symmetric_difference(&ours).next() {
            None if theirs.is_empty() => Err("nothing scraped yet".to_owned()),
            None => Ok(()),
            Some(_) => Err(format!(
                "there only {:#?}\nhere only {:#?}",
                theirs.difference(&ours).collect::<Vec<_>>(),
                ours.difference(&theirs).collect::<Vec<_>>()
            )),
        }
    });
}

/// The series of what was pushed, without the label that says whose they are; times as far as they agree.
fn series(found: &[Series]) -> BTreeSet<String> {
    found
        .iter()
        .filter(|series| !OWN.iter().any(|own| series.label("__name__").starts_with(own)))
        .map(|series| {
            let mut labels = series.labels.clone();
            labels.remove("whose");
            let value = match series.label("__name__") {
                "push_time_seconds" | "push_failure_time_seconds" => f64::from(series.value > 0.0),
                _ => series.value,
            };
            format!("{labels:?} {value:e}")
        })
        .collect()
}
