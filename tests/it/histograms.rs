//! Native histograms and exemplars reach a remote that asks for them, and only such a one.

use prost::Message as _;

use crate::bodies::{PROTOBUF_TYPE, send};
use crate::bridge::Bridge;
use crate::metrics_v1 as v1;
use crate::write_v1::Histogram;
use crate::write_v1::histogram::{Count, ZeroCount};

/// One registry of Go's client in every format, and one with native histograms.
const TEXT: &[u8] = include_bytes!("../fixtures/client_golang/push.txt");
const OPENMETRICS: &[u8] = include_bytes!("../fixtures/client_golang/push.om");
const PROTOBUF: &[u8] = include_bytes!("../fixtures/client_golang/push.pb");
const NATIVE: &[u8] = include_bytes!("../fixtures/client_golang/native.pb");

const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[track_caller]
fn pushes(bridge: &Bridge, method: &str, content_type: &str, body: &[u8]) {
    let headers = format!("Content-Type: {content_type}\r\n");
    let answer = send(bridge, method, &headers, body);
    assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
}

/// A family of one native histogram with so many observations in its zero bucket.
fn native(count: u64) -> Vec<u8> {
    let family = v1::MetricFamily {
        name: Some("n".to_owned()),
        r#type: Some(v1::MetricType::Histogram.into()),
        metric: vec![v1::Metric {
            histogram: Some(v1::Histogram {
                sample_count: Some(count),
                zero_threshold: Some(0.1),
                zero_count: Some(count),
                exemplars: vec![v1::Exemplar {
                    value: Some(0.5),
                    ..Default::default()
                }],
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    };
    family.encode_length_delimited_to_vec()
}

/// Observations and time of each histogram that the remote has of a series.
fn counts(bridge: &Bridge, series: &str) -> Vec<(u64, i64)> {
    let count = |histogram: &Histogram| match histogram.count {
        Some(Count::CountInt(count)) => (count, histogram.timestamp),
        _ => panic!("{histogram:?}"),
    };
    let histograms = bridge.remote().extras().histograms;
    histograms
        .get(series)
        .map(|all| all.iter().map(count).collect())
        .unwrap_or_default()
}

#[test]
fn one_registry_of_gos_client_is_the_same_series_in_every_format() {
    let mut arrived = Vec::new();
    for (content_type, body) in [
        ("text/plain; version=0.0.4", TEXT),
        (OPENMETRICS_TYPE, OPENMETRICS),
        (PROTOBUF_TYPE, PROTOBUF),
    ] {
        let bridge = Bridge::sending_all();

        pushes(&bridge, "PUT", content_type, body);

        bridge.delivered();
        arrived.push((bridge.seen(), bridge.remote().extras().exemplars));
    }
    let [text, openmetrics, protobuf] = arrived.try_into().unwrap();
    assert_eq!(text.0.len(), 34);
    assert_eq!((&text.0, &text.0), (&openmetrics.0, &protobuf.0));
    assert_eq!(openmetrics.1.len(), 5);
    assert_eq!(openmetrics.1, protobuf.1);
}

#[test]
fn native_histograms_of_gos_client_arrive_with_their_exemplars() {
    let bridge = Bridge::sending_all();

    pushes(&bridge, "PUT", PROTOBUF_TYPE, NATIVE);

    bridge.delivered();
    let extras = bridge.remote().extras();
    let names: Vec<&str> = extras.histograms.keys().map(String::as_str).collect();
    let expected = [
        "both_seconds",
        "empty_seconds",
        "native_seconds",
        "signed_celsius",
    ];
    assert_eq!(names, expected.map(|name| format!("{name}{{job=\"j\"}}")));
    let signed = &extras.histograms["signed_celsius{job=\"j\"}"][0];
    assert_eq!(
        (signed.count, signed.zero_count),
        (Some(Count::CountInt(6)), Some(ZeroCount::ZeroCountInt(2)))
    );
    assert_eq!(signed.negative_deltas, [1, -1, 0, 1]);
    assert_eq!(signed.negative_deltas, signed.positive_deltas);
    assert!(
        extras.histograms["empty_seconds{job=\"j\"}"][0]
            .positive_spans
            .is_empty()
    );
    assert_eq!(extras.exemplars["native_seconds{job=\"j\"}"].len(), 2);
    assert_eq!(
        extras.exemplars["both_seconds_bucket{job=\"j\",le=\"1\"}"].len(),
        1
    );
    let classic: Vec<String> = bridge.seen().into_keys().collect();
    let of = |name: &str| classic.iter().filter(|series| series.starts_with(name)).count();
    assert_eq!(
        [of("both_seconds"), of("native_seconds"), classic.len()],
        [6, 3, 15],
        "beside each native histogram stand the sum, the count and the bucket up to infinity that text has"
    );
}

#[test]
fn a_histogram_lives_and_ends_like_any_series() {
    let bridge = Bridge::sending_all();
    pushes(&bridge, "PUT", PROTOBUF_TYPE, &native(1));
    bridge.post("/metrics/job/j", "other 1\n");

    pushes(&bridge, "POST", PROTOBUF_TYPE, &native(2));
    bridge.delete("/metrics/job/j");

    bridge.remote_has(&[
        ("n_bucket{job=\"j\",le=\"+Inf\"}", &["1", "2", "stale"]),
        ("n_count{job=\"j\"}", &["1", "2", "stale"]),
        ("n_sum{job=\"j\"}", &["0", "0", "stale"]),
        ("n{job=\"j\"}", &["stale"]),
        ("other{job=\"j\"}", &["1", "stale"]),
    ]);
    let counts = counts(&bridge, "n{job=\"j\"}");
    assert_eq!(counts.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [1, 2]);
    assert!(counts[0].1 < counts[1].1, "{counts:?}");
    assert_eq!(bridge.remote().extras().exemplars["n{job=\"j\"}"].len(), 2);
}

#[test]
fn a_remote_that_did_not_ask_gets_neither_and_the_books_say_so() {
    let bridge = Bridge::start();
    let body = [native(1), PROTOBUF.to_vec()].concat();

    pushes(&bridge, "PUT", PROTOBUF_TYPE, &body);

    bridge.delivered();
    let extras = bridge.remote().extras();
    assert!(extras.histograms.is_empty() && extras.exemplars.is_empty());
    assert_eq!(bridge.seen().len(), 34 + 3);
    let dropped = bridge.metric("flinkbridge_forward_dropped_samples_total");
    assert_eq!(dropped, 1.0 + 6.0);
    let sent = bridge.metric("flinkbridge_forward_sent_samples_total");
    assert_eq!(sent, 34.0 + 3.0 + 2.0);
    assert_eq!(
        bridge.metric("flinkbridge_queue_appended_samples_total"),
        sent + dropped
    );
    assert_eq!(
        bridge.metric("flinkbridge_intake_received_samples_total"),
        34.0 + 3.0 + 1.0 + 6.0
    );
}

#[test]
fn an_exemplar_with_more_words_than_stores_take_is_dropped_and_counted() {
    let bridge = Bridge::sending_all();
    let labels = |length: usize| format!("{{trace_id=\"{}\"}}", "é".repeat(length));
    let body = format!(
        "# TYPE a counter\na_total 1 # {} 1 5\n# TYPE b counter\nb_total 2 # {} 2 5\n# EOF\n",
        labels(120),
        labels(121)
    );

    pushes(&bridge, "PUT", OPENMETRICS_TYPE, body.as_bytes());

    bridge.delivered();
    let exemplars = bridge.remote().extras().exemplars;
    let expected = format!("{} 1 @5000", labels(120));
    assert_eq!(exemplars["a_total{job=\"j\"}"], [expected]);
    assert_eq!(exemplars.len(), 1);
    assert_eq!(bridge.metric("flinkbridge_intake_dropped_samples_total"), 1.0);
    assert_eq!(bridge.seen().len(), 2);
}
