//! Whatever is wrong gets a 4xx with a sentence, is counted, and changes nothing else.

use crate::bridge::Bridge;

/// Everything wrong, and what its answer has to say.
const WRONG: [(&str, &str, &str, u16, &str); 14] = [
    (
        "PUT",
        "/metrics/job/j/a",
        "a 1\n",
        400,
        "odd number of components in label string \"/a\"",
    ),
    (
        "PUT",
        "/metrics/job/j/na-me/v",
        "a 1\n",
        400,
        "improper label name \"na-me\"",
    ),
    (
        "PUT",
        "/metrics/job/j/__x/v",
        "a 1\n",
        400,
        "improper label name \"__x\"",
    ),
    (
        "PUT",
        "/metrics/job/j/a@base64/+++",
        "a 1\n",
        400,
        "invalid base64 encoding of the value of \"a\"",
    ),
    ("PUT", "/metrics/job/%FF", "a 1\n", 400, "not valid UTF-8"),
    (
        "PUT",
        "/metrics/job/j/a@base64/_w",
        "a 1\n",
        400,
        "not valid UTF-8",
    ),
    ("DELETE", "/metrics/job/j/a", "", 400, "odd number"),
    (
        "PUT",
        "/metrics/job/j",
        "a 1",
        400,
        "line 1, column 4: unexpected end of input stream",
    ),
    (
        "PUT",
        "/metrics/job/j",
        "a 1\r\n",
        400,
        "line 1, column 5: expected float as value, got \"1\\r\"",
    ),
    (
        "PUT",
        "/metrics/job/j",
        "a 1\nb{c=d} 1\n",
        400,
        "line 2, column 5: expected '\"'",
    ),
    (
        "PUT",
        "/metrics/job/j",
        "a one\n",
        400,
        "line 1, column 6: expected float as value, got \"one\"",
    ),
    (
        "PUT",
        "/metrics/job/j",
        "{\"a.b\"} 1\n",
        400,
        "line 1, column 7: invalid metric name \"a.b\"",
    ),
    (
        "POST",
        "/metrics/job/j",
        "# TYPE a foo\n",
        400,
        "unknown metric type \"foo\"",
    ),
    (
        "POST",
        "/metrics/job/j",
        "a{b=\"1\",b=\"2\"} 1\n",
        400,
        "duplicate label name \"b\"",
    ),
];

#[test]
fn what_is_wrong_is_said_and_changes_nothing() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/j", "good 1\n");

    for (method, path, body, status, sentence) in WRONG {
        let answer = bridge.send(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {body:?}");
        assert!(
            answer.text().contains(sentence),
            "{method} {path} {body:?}: {}",
            answer.text()
        );
    }

    bridge.put("/metrics/job/j", "good 2\n");
    bridge.remote_has(&[("good{job=\"j\"}", &["1", "2"])]);
    assert_eq!(bridge.app().intake().summary().groups, 1);
    assert_eq!(bridge.metric("flinkbridge_http_requests_total"), 16.0);
}

#[test]
fn a_blank_within_the_path_is_explained_to_whoever_reads_flinks_log() {
    let bridge = Bridge::start();

    let answer = bridge.send_raw(
        b"PUT /metrics/job/empty/k2 /+v2/env/prod HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\na 1\n",
    );

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("remove the blanks around '=' and ';'"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_body_that_is_too_long_is_refused_in_either_form() {
    use std::io::Write as _;
    let bridge = Bridge::with("pushgateway: {max_body_bytes: 64KiB}\n");
    let long = "# a comment\n".repeat(8 << 10);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(long.as_bytes()).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 64 << 10);

    let plain = bridge.send("PUT", "/metrics/job/j", &long);
    let head = format!(
        "PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let packed = bridge.send_raw(&[head.as_bytes(), &bomb].concat());

    assert_eq!((plain.status, packed.status), (413, 413));
    assert!(
        packed.text().contains("decompresses to more than 65536 bytes"),
        "{}",
        packed.text()
    );
}

#[test]
fn a_push_with_too_many_series_is_refused() {
    let bridge = Bridge::with("pushgateway: {max_series: 2}\n");

    let answer = bridge.send("PUT", "/metrics/job/j", "a 1\nb 1\nc 1\n");

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("pushgateway.max_series"),
        "{}",
        answer.text()
    );
}

#[test]
fn one_group_too_many_is_told_to_come_again() {
    let bridge = Bridge::with("jobs: {max_groups: 1}\n");
    bridge.put("/metrics/job/first", "a 1\n");

    let answer = bridge.send("PUT", "/metrics/job/second", "b 1\n");

    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("jobs.max_groups"), "{}", answer.text());
}

#[test]
fn connections_that_speak_no_http_harm_nobody() {
    use std::io::Write as _;
    let bridge = Bridge::start();

    let mut idle = Vec::new();
    for words in [
        &b"\x16\x03\x01 nonsense\r\n\r\n"[..],
        b"",
        b"GET",
        b"\r\n\r\n\r\n",
        b"PUT /metrics/job/j HTTP/1.1\r\n",
    ] {
        let mut stream = std::net::TcpStream::connect(bridge.address()).unwrap();
        stream.write_all(words).unwrap();
        idle.push(stream);
    }

    bridge.put("/metrics/job/j", "a 1\n");
    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
}
