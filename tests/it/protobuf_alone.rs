//! What only protobuf can say means what it means to a Pushgateway.

use prost::Message as _;
use serde_json::Value;

use crate::bodies::PROTOBUF_TYPE;
use crate::bridge::Bridge;
use crate::metrics_v1 as v1;

const UNCHECKED: &str = "pushgateway: {consistency_check: false}\n";

/// A gauge with a label twice.
fn flawed() -> Vec<u8> {
    let label = |value: &str| v1::LabelPair {
        name: Some("a".to_owned()),
        value: Some(value.to_owned()),
    };
    let metric = v1::Metric {
        label: vec![label("b"), label("c")],
        gauge: Some(v1::Gauge { value: Some(1.0) }),
        ..v1::Metric::default()
    };
    family("g", v1::MetricType::Gauge, vec![metric])
}

fn family(name: &str, kind: v1::MetricType, metric: Vec<v1::Metric>) -> Vec<u8> {
    let family = v1::MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        metric,
        ..v1::MetricFamily::default()
    };
    family.encode_length_delimited_to_vec()
}

fn push(bridge: &Bridge, method: &str, body: &[u8]) -> u16 {
    let head = format!(
        "{method} /metrics/job/j HTTP/1.1\r\nHost: bridge\r\nContent-Type: {PROTOBUF_TYPE}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    bridge.send_raw(&[head.as_bytes(), body].concat()).status
}

/// The only group, as the JSON API shows it.
fn group(bridge: &Bridge) -> Value {
    let answer = bridge.send_raw(b"GET /api/v1/metrics HTTP/1.1\r\nHost: bridge\r\n\r\n");
    let shown: Value = serde_json::from_slice(&answer.body).unwrap();
    shown["data"][0].clone()
}

#[test]
fn m04_the_failure_of_a_push_that_makes_no_sense_is_known() {
    let bridge = Bridge::start();

    let status = push(&bridge, "PUT", &flawed());

    assert_eq!(status, 400);
    let group = group(&bridge);
    assert_eq!(group["last_push_successful"], false);
    assert_eq!(group["push_time_seconds"]["metrics"][0]["value"], "0");
    assert_eq!(
        group["push_failure_time_seconds"]["metrics"][0]["value"],
        "1.795e+09"
    );
    assert_eq!(group["g"], Value::Null);
}

#[test]
fn m06_without_the_check_a_push_that_makes_no_sense_fails_behind_the_pushers_back() {
    let bridge = Bridge::with(UNCHECKED);

    let status = push(&bridge, "PUT", &flawed());

    assert_eq!(status, 202);
    assert_eq!(group(&bridge)["last_push_successful"], false);
}

#[test]
fn m04_a_family_without_metrics_is_listed_as_such_and_shown_by_nothing_else_also_after_a_restart() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\nb 2\n");

    let status = push(&bridge, "POST", &family("a", v1::MetricType::Gauge, vec![]));

    assert_eq!(status, 200);
    let before = group(&bridge);
    assert_eq!(before["a"]["type"], "GAUGE");
    assert_eq!(before["a"]["metrics"], Value::Array(vec![]));
    assert_eq!(before["b"]["metrics"][0]["value"], "2");
    let scraped = bridge.send_raw(b"GET /metrics HTTP/1.1\r\nHost: bridge\r\n\r\n");
    assert!(!scraped.text().contains("# TYPE a "), "{}", scraped.text());
    bridge.stop();
    bridge.begin();
    assert_eq!(group(&bridge), before);
    bridge.remote_has(&[("a{job=\"j\"}", &["1", "stale"]), ("b{job=\"j\"}", &["2"])]);
}

#[test]
fn a_family_without_metrics_has_its_type_nevertheless() {
    let bridge = Bridge::start();
    push(&bridge, "PUT", &family("a", v1::MetricType::Gauge, vec![]));

    let answer = bridge.send("PUT", "/metrics/job/k", "# TYPE a counter\na 1\n");

    assert_eq!(answer.status, 400);
}
