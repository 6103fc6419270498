//! Everything that real clusters sent, sent again: taken, shown at Prometheus, and ended at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::capture::{self, Captured};
use crate::exposition::{self, Line};
use crate::http::{Answer, Connection};
use crate::prometheus::{Prometheus, Series};
use crate::wait;

const PREFIX: &str = "/api/v1/push/tok123";
const SOON: Duration = Duration::from_secs(30);

#[test]
fn every_captured_request_is_answered_as_it_deserves() {
    let prometheus = Prometheus::start();
    let url = prometheus.write_url();
    let bridge = Bridge::start(&Settings {
        path_prefix: Some(PREFIX),
        ..Settings::forwarding_to(&url)
    });

    let mut wrong = Vec::new();
    for scenario in capture::scenarios() {
        for request in capture::requests(&scenario) {
            let status = replay(&bridge, &request).status;
            if !deserved(request.path()).contains(&status) {
                wrong.push(format!(
                    "{}: {} {} got {status}",
                    request.file,
                    request.method(),
                    request.path()
                ));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_last_values_of_a_capture_are_what_prometheus_shows() {
    for scenario in capture::scenarios() {
        let prometheus = Prometheus::start();
        let url = prometheus.write_url();
        let bridge = Bridge::start(&Settings {
            path_prefix: Some(PREFIX),
            // replayed within a second, processes of a shared group teach no interval: what said goodbye ends by silence
            stale_after: "10s",
            ..Settings::forwarding_to(&url)
        });
        let requests: Vec<Captured> = capture::requests(&scenario)
            .into_iter()
            .filter(is_welcome)
            .collect();
        let last_put = requests
            .iter()
            .rposition(|request| request.method() == "PUT")
            .expect("a PUT");
        let (living, goodbyes) = requests.split_at(last_put + 1);

        living.iter().for_each(|request| drop(replay(&bridge, request)));
        let last = last_lines(living);

        wait::until(&format!("sight of all last values of {scenario}"), SOON, || {
            let stored = everything(&prometheus);
            let missing: Vec<_> = last
                .iter()
                .filter(|(path, line)| !shown(&stored, path, line))
                .collect();
            match missing.first() {
                None => Ok(()),
                Some(first) => Err(format!(
                    "{} of {} are missing, first {first:?}",
                    missing.len(),
                    last.len()
                )),
            }
        });
        goodbyes.iter().for_each(|request| drop(replay(&bridge, request)));
        for path in goodbyes.iter().map(Captured::path) {
            prometheus.forgets(&group(path), SOON);
        }
    }
}

/// A pushing process: the group's path, and who within the group (`tm_id`, or nothing for a JobManager).
type Source = (String, String);

/// The lines of the last push of every source that has not said goodbye.
fn last_lines(requests: &[Captured]) -> Vec<(String, Line)> {
    let mut last: BTreeMap<Source, Vec<Line>> = BTreeMap::new();
    for request in requests {
        let path = request.path().to_owned();
        if request.method() == "DELETE" {
            last.retain(|(of, _), _| *of != path);
            continue;
        }
        let lines = exposition::read(request.body());
        let tm_id = lines
            .iter()
            .find_map(|line| line.labels.get("tm_id").cloned())
            .unwrap_or_default();
        last.insert((path, tm_id), lines);
    }
    last.into_iter()
        .flat_map(|((path, _), lines)| lines.into_iter().map(move |line| (path.clone(), line)))
        .collect()
}

/// What Prometheus holds, by metric name.
fn everything(prometheus: &Prometheus) -> BTreeMap<String, Vec<Series>> {
    let mut stored: BTreeMap<String, Vec<Series>> = BTreeMap::new();
    for series in prometheus.query("{__name__=~\".+\"}") {
        stored
            .entry(series.label("__name__").to_owned())
            .or_default()
            .push(series);
    }
    stored
}

/// Whether a line's value is there, under its group's labels and at least the labels that the line had.
fn shown(stored: &BTreeMap<String, Vec<Series>>, path: &str, line: &Line) -> bool {
    let (job, instance) = capture::identity(path);
    let same = |got: f64| got.to_bits() == line.value.to_bits() || (got.is_nan() && line.value.is_nan());
    stored.get(&line.name).into_iter().flatten().any(|found| {
        found.label("job") == job
            && instance
                .as_deref()
                .is_none_or(|suffix| found.label("instance") == suffix)
            && line
                .labels
                .iter()
                .all(|(name, value)| found.label(name) == value.trim())
            && same(found.value)
    })
}

/// The series of a group, as a selector.
fn group(path: &str) -> String {
    match capture::identity(path) {
        (job, Some(instance)) => format!("{{job={job:?},instance={instance:?}}}"),
        (job, None) => format!("{{job={job:?}}}"),
    }
}

/// The answers that a request may get: all are taken but what no label can be made of, and what no push is.
fn deserved(path: &str) -> std::ops::RangeInclusive<u16> {
    match path {
        path if path.contains(' ') || path.contains("/na-me/") => 400..=400,
        "/elsewhere" => 404..=405,
        _ => 200..=202,
    }
}

fn is_welcome(request: &Captured) -> bool {
    deserved(request.path()).contains(&200)
}

/// Sends a capture on a connection of its own, as Flink does at its default interval.
#[track_caller]
fn replay(bridge: &Bridge, request: &Captured) -> Answer {
    Connection::open(bridge.address())
        .and_then(|mut connection| connection.exchange(&request.bytes))
        .unwrap_or_else(|error| panic!("{}: no answer: {error}", request.file))
}
