//! Paths, methods, content types.

use super::sender::{V1, V2, packed_v1, packed_v2, post_with, series_v1, series_v2, usual, written};
use crate::bridge::Bridge;

const UP: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];

/// PRW R1-01, R1-02, R2-03.
#[test]
fn remote_write_is_taken_at_the_paths_of_all_senders() {
    let bridge = Bridge::with("http: {listen: '127.0.0.1:0', path_prefixes: [/agent]}\n");
    let paths = [
        "/api/v1/write",
        "/write",
        "/api/v1/prom/write",
        "/api/v1/push",
        "/agent/api/v1/write",
        "/api/v1/write?a=b",
    ];

    for (at, path) in (1..).zip(paths) {
        let body = packed_v1(vec![series_v1(&UP, &[(f64::from(at), i64::from(at))])]);
        let answer = post_with(&bridge, path, &usual(V1), &body);
        assert_eq!((answer.status, answer.body.as_slice()), (204, &b""[..]), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }

    bridge.remote_has(&[("up{job=\"a\"}", &["1", "2", "3", "4", "5", "6"])]);
}

#[test]
fn only_post_writes() {
    let bridge = Bridge::start();

    for (method, status) in [("GET", 405), ("PUT", 405), ("DELETE", 405), ("OPTIONS", 200)] {
        let answer = bridge.send(method, "/api/v1/write", "");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (status, Some("POST, OPTIONS")),
            "{method}"
        );
    }
}

#[test]
fn a_receiver_that_is_off_says_how_to_switch_it_on() {
    let bridge = Bridge::with("remote_write_receiver: {enabled: false}\n");

    let answer = post_with(&bridge, "/api/v1/write", &usual(V1), &packed_v1(Vec::new()));

    assert_eq!(answer.status, 404);
    assert!(
        answer.text().contains("remote_write_receiver.enabled"),
        "{}",
        answer.text()
    );
}

#[track_caller]
fn check_v1(headers: &str, status: u16) {
    let bridge = Bridge::start();

    let answer = post_with(
        &bridge,
        "/api/v1/write",
        headers,
        &packed_v1(vec![series_v1(&UP, &[(1.0, 1)])]),
    );

    assert_eq!(answer.status, status, "{headers}: {}", answer.text());
    assert_eq!(written(&answer), None);
    let taken = u8::from(status == 204);
    assert_eq!(
        bridge.metric("flinkbridge_intake_queued_samples_total"),
        f64::from(taken)
    );
}

/// PRW R1-02, R1-06, R1-07; Prometheus, `HeadersHandling_V1`. No answer has a version header, as at Prometheus.
#[test]
fn version_1_is_known_by_its_headers_or_their_absence() {
    let snappy = "Content-Encoding: snappy\r\n";
    let typed = |kind: &str| format!("Content-Type: {kind}\r\n{snappy}");
    check_v1(&usual(V1), 204);
    check_v1(&typed(V1), 204);
    check_v1(
        &format!("{}X-Prometheus-Remote-Write-Version: 2.0.0\r\n", typed(V1)),
        204,
    );
    check_v1("", 204);
    check_v1(snappy, 204);
    check_v1(&format!("Content-Type: {V1}\r\n"), 204);
    check_v1(
        &typed("application/x-protobuf;proto=prometheus.WriteRequest"),
        204,
    );
    check_v1(&typed("yolo"), 415);
    check_v1(&typed("application/x-protobuf;proto=yolo"), 415);
    check_v1(&format!("Content-Type: {V1}\r\nContent-Encoding: zstd\r\n"), 415);
    check_v1(
        &format!("Content-Type: {V1}\r\nContent-Encoding: identity\r\n"),
        415,
    );
}

#[track_caller]
fn check_v2(headers: &str, status: u16) {
    let bridge = Bridge::start();

    let answer = post_with(
        &bridge,
        "/api/v1/write",
        headers,
        &packed_v2(vec![series_v2(&[1, 2], &[(1.0, 1)])]),
    );

    assert_eq!(answer.status, status, "{headers}: {}", answer.text());
    assert_eq!(written(&answer), (status == 204).then_some([1, 0, 0]));
    assert_eq!(answer.header("x-prometheus-remote-write-version"), None);
    let taken = u8::from(status == 204);
    assert_eq!(
        bridge.metric("flinkbridge_intake_queued_samples_total"),
        f64::from(taken)
    );
}

/// PRW R2-01, R2-02, R2-05; Prometheus, `HeadersHandling_V2`.
#[test]
fn version_2_is_known_by_its_content_type_alone() {
    check_v2(&usual(V2), 204);
    check_v2(&format!("Content-Type: {V2}\r\n"), 204);
    check_v2(
        &format!("Content-Type: {V2}\r\nContent-Encoding: snappy\r\n"),
        204,
    );
    check_v2(&format!("Content-Type: {V2}\r\nContent-Encoding: zstd\r\n"), 415);
    check_v2(
        &format!("Content-Type: {V2}x\r\nContent-Encoding: snappy\r\n"),
        415,
    );
}

/// PRW S2-18, S2-19: a request of 2.0 under the headers of 1.0 is an empty one; that nothing says how much was written
/// tells its sender.
#[test]
fn a_request_of_version_2_under_the_headers_of_version_1_says_nothing() {
    let bridge = Bridge::start();

    let answer = post_with(
        &bridge,
        "/api/v1/write",
        &usual(V1),
        &packed_v2(vec![series_v2(&[1, 2], &[(1.0, 1)])]),
    );

    assert_eq!((answer.status, written(&answer)), (204, None));
    assert_eq!(bridge.metric("flinkbridge_intake_received_samples_total"), 0.0);
}
