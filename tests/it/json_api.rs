//! Pushgateway's JSON API, for whoever reads from it what was pushed (cases A01 to A05).

use prost::Message as _;
use serde_json::{Value, json};

use crate::bodies::{PROTOBUF_TYPE, send};
use crate::bridge::Bridge;
use crate::metrics_v1 as v1;

#[track_caller]
fn read(bridge: &Bridge, path: &str) -> Value {
    let answer = bridge.send("GET", path, "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// The jobs of the groups listed.
#[track_caller]
fn jobs(listed: &Value) -> Vec<&str> {
    let groups = listed["data"].as_array().unwrap();
    groups
        .iter()
        .map(|group| group["labels"]["job"].as_str().unwrap())
        .collect()
}

#[test]
fn a01_the_status_has_flags_build_and_start() {
    let bridge = Bridge::with("pushgateway: {lifecycle: true}\n");

    let status = read(&bridge, "/api/v1/status");

    assert_eq!(status["status"], "success");
    assert_eq!(status["data"]["flags"]["web.enable-lifecycle"], "true");
    assert_eq!(status["data"]["flags"]["web.enable-admin-api"], "false");
    for key in [
        "version",
        "revision",
        "branch",
        "buildUser",
        "buildDate",
        "goVersion",
    ] {
        assert!(status["data"]["build_information"][key].is_string(), "{key}");
    }
    assert_eq!(status["data"]["start_time"], "2026-11-18T11:06:40Z");
}

#[test]
fn a01_a_reload_shows_in_the_flags() {
    let mut bridge = Bridge::start();

    bridge.reload("pushgateway: {admin_api: true}\n").unwrap();

    let status = read(&bridge, "/api/v1/status");
    assert_eq!(status["data"]["flags"]["web.enable-admin-api"], "true");
}

#[test]
fn a02_an_empty_store_is_an_empty_list() {
    let bridge = Bridge::start();

    let answer = bridge.send("GET", "/api/v1/metrics", "");

    assert_eq!(answer.text(), r#"{"status":"success","data":[]}"#);
    let kind = answer.headers.iter().find(|(name, _)| name == "content-type");
    assert_eq!(kind.unwrap().1, "application/json");
}

#[test]
fn a03_what_was_pushed_is_listed_as_it_was_pushed_also_after_a_restart() {
    let mut bridge = Bridge::start();
    bridge.put(
        "/metrics/job/Bj%C3%B6rn/tm_id/TM%3C1%3E",
        "# TYPE s summary\ns_count 0\ns_sum 0\n# HELP g quite\n# TYPE g gauge\ng{jobId=\"X\"} 1583781848.025745\n",
    );

    let before = read(&bridge, "/api/v1/metrics");
    bridge.stop();
    bridge.begin();
    let after = read(&bridge, "/api/v1/metrics");

    let group = &before["data"][0];
    assert_eq!(group["labels"], json!({"job": "Björn", "tm_id": "TM<1>"}));
    assert_eq!(group["last_push_successful"], true);
    assert_eq!(
        group["g"],
        json!({
            "time_stamp": "2026-11-18T11:06:40Z",
            "type": "GAUGE",
            "help": "quite",
            "metrics": [{
                "labels": {"instance": "", "job": "Björn", "tm_id": "TM<1>", "jobId": "X"},
                "value": "1.583781848025745e+09",
            }],
        })
    );
    assert_eq!(group["s"]["metrics"][0]["quantiles"], json!({}));
    assert_eq!(group["push_time_seconds"]["metrics"][0]["value"], "1.795e+09");
    assert_eq!(before, after);
}

fn spans(spans: &[(i32, u32)]) -> Vec<v1::BucketSpan> {
    let span = |(offset, length): &(i32, u32)| v1::BucketSpan {
        offset: Some(*offset),
        length: Some(*length),
    };
    spans.iter().map(span).collect()
}

/// A family of histograms, told apart by a label, as protobuf.
fn family(histograms: [(&str, v1::Histogram); 2]) -> Vec<u8> {
    let family = v1::MetricFamily {
        name: Some("n".to_owned()),
        r#type: Some(v1::MetricType::Histogram.into()),
        metric: histograms
            .map(|(kind, histogram)| v1::Metric {
                label: vec![v1::LabelPair {
                    name: Some("kind".to_owned()),
                    value: Some(kind.to_owned()),
                }],
                histogram: Some(histogram),
                ..Default::default()
            })
            .into(),
        ..Default::default()
    };
    family.encode_length_delimited_to_vec()
}

#[test]
fn a03_native_histograms_are_listed_bucket_by_bucket() {
    let whole = v1::Histogram {
        sample_count: Some(20),
        sample_sum: Some(99.23),
        schema: Some(1),
        negative_span: spans(&[(0, 2), (0, 2)]),
        negative_delta: vec![0, 2, -2, 0],
        positive_span: spans(&[(0, 2), (0, 2)]),
        positive_delta: vec![0, 2, -2, 0],
        ..Default::default()
    };
    let float = v1::Histogram {
        sample_count_float: Some(20.0),
        sample_sum: Some(99.23),
        schema: Some(1),
        negative_span: spans(&[(0, 2), (0, 2)]),
        negative_count: vec![2.0, 2.0, -2.0, 0.0],
        positive_span: spans(&[(0, 2), (0, 2)]),
        positive_count: vec![2.0, 2.0, -2.0, 0.0],
        ..Default::default()
    };
    let body = family([("whole", whole), ("float", float)]);
    let bridge = Bridge::start();
    let kind = format!("Content-Type: {PROTOBUF_TYPE}\r\n");

    let pushed = send(&bridge, "PUT", &kind, &body);

    assert_eq!(pushed.status, 200, "{}", pushed.text());
    let listed = read(&bridge, "/api/v1/metrics");
    let metrics = &listed["data"][0]["n"]["metrics"];
    assert_eq!(
        (&metrics[0]["count"], &metrics[0]["sum"]),
        (&json!("20"), &json!("99.23"))
    );
    assert_eq!(
        metrics[0]["buckets"],
        json!([
            [1, "-1.414213562373095", "-1", "2"],
            [0, "1", "1.414213562373095", "2"]
        ])
    );
    assert_eq!(
        metrics[1]["buckets"],
        json!([
            [1, "-2", "-1.414213562373095", "-2"],
            [1, "-1.414213562373095", "-1", "2"],
            [1, "-1", "-0.7071067811865475", "2"],
            [0, "0.7071067811865475", "1", "2"],
            [0, "1", "1.414213562373095", "2"],
            [0, "1.414213562373095", "2", "-2"],
        ])
    );
}

#[test]
fn a04_a_failed_push_shows() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\n");

    bridge.send("PUT", "/metrics/job/j", "a 1 1000\n");

    let listed = read(&bridge, "/api/v1/metrics");
    assert_eq!(listed["data"][0]["last_push_successful"], false);
    assert_eq!(listed["data"][0]["a"]["metrics"][0]["value"], "1");
}

#[test]
fn a05_pages_of_other_origins_may_read_the_answers() {
    let bridge = Bridge::start();

    for (method, path, status) in [
        ("GET", "/api/v1/metrics", 200),
        ("GET", "/api/v1/status", 200),
        ("OPTIONS", "/api/v1/metrics", 200),
        ("OPTIONS", "/api/v1/whatever/there/is", 200),
    ] {
        let answer = bridge.send(method, path, "");

        assert_eq!(answer.status, status, "{method} {path}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, POST, DELETE, OPTIONS"),
            (
                "access-control-allow-headers",
                "Accept, Authorization, Content-Type, Origin",
            ),
            ("access-control-expose-headers", "Date"),
            ("cache-control", "no-cache, no-store, must-revalidate"),
        ] {
            let header = (name.to_owned(), value.to_owned());
            assert!(answer.headers.contains(&header), "{method} {path}: {name}");
        }
    }
}

#[test]
fn a05_what_is_no_answer_of_the_api_says_nothing_of_other_origins() {
    let bridge = Bridge::with("pushgateway: {admin_api: true}\n");

    for (method, path, status) in [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/metrics", 405),
        ("PUT", "/api/v1/admin/wipe", 202),
    ] {
        let answer = bridge.send(method, path, "");

        assert_eq!(answer.status, status, "{method} {path}");
        let origins = answer
            .headers
            .iter()
            .find(|(name, _)| name.starts_with("access-control-"));
        assert_eq!(origins, None, "{method} {path}");
    }
}

#[test]
fn selectors_choose_groups_and_their_metrics() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/a", "up{x=\"1\"} 1\nup{x=\"2\"} 2\ndown 3\n");
    bridge.put("/metrics/job/b", "up{x=\"3\"} 1\n");

    let listed = read(
        &bridge,
        "/api/v1/metrics?match[]=up%7Bx%3D~%22[12]%22%7D&match[]=missing",
    );

    assert_eq!(jobs(&listed), ["a"]);
    assert_eq!(listed["data"][0]["up"]["metrics"].as_array().unwrap().len(), 2);
    assert_eq!(listed["data"][0]["last_push_successful"], true);
    for left_out in ["down", "push_time_seconds"] {
        assert!(listed["data"][0][left_out].is_null(), "{left_out}");
    }
}

#[test]
fn long_lists_come_page_by_page_whatever_happens_between() {
    let bridge = Bridge::start();
    for job in ["a", "b", "c", "d", "e"] {
        bridge.put(&format!("/metrics/job/{job}"), "x 1\n");
    }

    let first = read(&bridge, "/api/v1/metrics?limit=2");
    bridge.delete("/metrics/job/b");
    bridge.delete("/metrics/job/c");
    bridge.put("/metrics/job/cc", "x 1\n");
    let token = first["next_page_token"].as_str().unwrap();
    let second = read(&bridge, &format!("/api/v1/metrics?limit=2&page_token={token}"));
    let token = second["next_page_token"].as_str().unwrap();
    let third = read(&bridge, &format!("/api/v1/metrics?limit=2&page_token={token}"));

    assert_eq!(jobs(&first), ["a", "b"]);
    assert_eq!(jobs(&second), ["cc", "d"]);
    assert_eq!(jobs(&third), ["e"]);
    assert!(third["next_page_token"].is_null());
}

#[test]
fn a_question_that_is_not_understood_is_bad_data() {
    let bridge = Bridge::start();

    let answer = bridge.send("GET", "/api/v1/metrics?match[]=up%7B", "");

    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(said["status"], "error");
    assert_eq!(said["errorType"], "bad_data");
    assert!(said["error"].as_str().unwrap().contains("character 4"), "{said}");
}

#[test]
fn a_long_answer_arrives_whole() {
    let bridge = Bridge::start();
    let many: String = (0..20_000)
        .map(|index| format!("a{{i=\"{index}\"}} {index}\n"))
        .collect();
    bridge.put("/metrics/job/j", &many);

    let listed = read(&bridge, "/api/v1/metrics");

    assert_eq!(
        listed["data"][0]["a"]["metrics"].as_array().unwrap().len(),
        20_000
    );
}
