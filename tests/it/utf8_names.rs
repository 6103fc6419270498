//! Names that are any text reach the remote as they are, where the operator takes them.

use prost::Message as _;

use crate::bridge::Bridge;
use crate::http::Answer;
use crate::metrics_v1 as v1;

const PROTOBUF_TYPE: &str =
    "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily";

const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0";

/// One sample of H20, as each format writes it.
const TEXT: &str =
    "# TYPE \"another.metric\" gauge\n{\"another.metric\",\"dotted.label.name\"=\"v\",l=\"w\"} 42\n";
const OPENMETRICS: &str =
    "# TYPE \"another.metric\" gauge\n{\"dotted.label.name\"=\"v\",\"another.metric\",l=\"w\"} 42\n# EOF\n";

const PATH: &str = "/metrics/job/j/U__dotted_2e_group/g";
const SERIES: &str = "another.metric{dotted.group=\"g\",dotted.label.name=\"v\",job=\"j\",l=\"w\"}";

fn protobuf() -> Vec<u8> {
    let label = |name: &str, value: &str| v1::LabelPair {
        name: Some(name.to_owned()),
        value: Some(value.to_owned()),
    };
    let family = v1::MetricFamily {
        name: Some("another.metric".to_owned()),
        r#type: Some(v1::MetricType::Gauge.into()),
        metric: vec![v1::Metric {
            label: vec![label("dotted.label.name", "v"), label("l", "w")],
            gauge: Some(v1::Gauge { value: Some(42.0) }),
            ..Default::default()
        }],
        ..Default::default()
    };
    family.encode_length_delimited_to_vec()
}

#[track_caller]
fn send(bridge: &Bridge, content_type: &str, body: &[u8]) -> Answer {
    let head = format!(
        "PUT {PATH} HTTP/1.1\r\nHost: bridge\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = bridge.send_raw(&[head.as_bytes(), body].concat());
    bridge.leap(std::time::Duration::from_millis(10));
    answer
}

#[test]
fn h20_to_h22_any_name_in_any_format_reaches_the_remote() {
    let bridge = Bridge::with("pushgateway: {utf8_names: true}\n");

    for (content_type, body) in [
        ("text/plain", TEXT.as_bytes()),
        (OPENMETRICS_TYPE, OPENMETRICS.as_bytes()),
        (PROTOBUF_TYPE, &protobuf()),
    ] {
        let answer = send(&bridge, content_type, body);
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
    }

    bridge.remote_has(&[(SERIES, &["42", "42", "42"])]);
}

#[test]
fn h34_h35_a_group_with_any_name_is_deleted_however_its_path_is_written() {
    let bridge = Bridge::with("pushgateway: {utf8_names: true}\n");
    bridge.put(PATH, TEXT);

    bridge.delete("/metrics/job@base64/ag==/U__dotted_2e_group@base64/Zw==");

    bridge.remote_has(&[(SERIES, &["42", "stale"])]);
}

#[test]
fn where_names_are_classic_others_are_refused_in_text_and_go_no_further_in_protobuf() {
    let bridge = Bridge::start();

    for (content_type, body) in [
        ("text/plain", TEXT.as_bytes()),
        (OPENMETRICS_TYPE, OPENMETRICS.as_bytes()),
    ] {
        let answer = send(&bridge, content_type, body);
        assert_eq!(answer.status, 400, "{content_type}");
        assert!(
            answer.text().contains("invalid metric name \"another.metric\""),
            "{}",
            answer.text()
        );
    }

    assert_eq!(send(&bridge, PROTOBUF_TYPE, &protobuf()).status, 200);
    assert_eq!(bridge.metric("flinkbridge_intake_dropped_samples_total"), 1.0);
    bridge.put(PATH, "a 1\n");
    bridge.remote_has(&[("a{U__dotted_2e_group=\"g\",job=\"j\"}", &["1"])]);
}

#[test]
fn a_group_with_any_name_outlives_a_restart_and_a_change_of_mind() {
    let mut bridge = Bridge::with("pushgateway: {utf8_names: true}\njobs: {stale_after: 60s}\n");
    bridge.put(PATH, TEXT);

    bridge.stop();
    bridge.begin();
    bridge
        .reload("pushgateway: {utf8_names: false}\njobs: {stale_after: 60s}\n")
        .unwrap();
    assert_eq!(bridge.send("PUT", PATH, TEXT).status, 400);
    bridge.pass(std::time::Duration::from_secs(62));

    bridge.remote_has(&[(SERIES, &["42", "stale"])]);
}

#[test]
fn rules_see_any_name_as_it_is() {
    let bridge = Bridge::with(
        "pushgateway: {utf8_names: true}
normalise:
  relabel_configs:
    - {action: labelmap, regex: 'dotted\\.label\\.(.+)', replacement: 'label_$1'}
    - {action: labeldrop, regex: 'dotted\\..+'}
    - {source_labels: [__name__], regex: '(.+)\\.metric', target_label: kind}
",
    );

    bridge.put(PATH, TEXT);

    bridge.remote_has(&[(
        "another.metric{job=\"j\",kind=\"another\",l=\"w\",label_name=\"v\"}",
        &["42"],
    )]);
}
