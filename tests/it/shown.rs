//! What was pushed is shown at `/metrics`, as a Pushgateway shows it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use prost::Message as _;

use crate::bridge::Bridge;
use crate::http::Answer;
use crate::metrics_v1 as v1;
use crate::wait;

const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// One registry of Go's client, written by its own encoders.
const PUSHED: [(&str, &[u8]); 3] = [
    (
        "text/plain; version=0.0.4",
        include_bytes!("../fixtures/client_golang/push.txt"),
    ),
    (
        "application/openmetrics-text; version=1.0.0",
        include_bytes!("../fixtures/client_golang/push.om"),
    ),
    (
        "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily",
        include_bytes!("../fixtures/client_golang/push.pb"),
    ),
];

fn get(bridge: &Bridge, headers: &str) -> Answer {
    bridge.send_raw(format!("GET /metrics HTTP/1.1\r\nHost: bridge\r\n{headers}\r\n").as_bytes())
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// Pushes a body of this content type; the status.
fn push(bridge: &Bridge, path: &str, (content_type, body): (&str, &[u8])) -> u16 {
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: bridge\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    bridge.send_raw(&[head.as_bytes(), body].concat()).status
}

/// The families of an answer in protobuf.
fn families(answer: &Answer) -> Vec<v1::MetricFamily> {
    let (mut rest, mut families) = (answer.body.as_slice(), Vec::new());
    while !rest.is_empty() {
        families.push(v1::MetricFamily::decode_length_delimited(&mut rest).unwrap());
    }
    families
}

/// The lines of what is shown, without those about the bridge itself.
fn lines(text: &str) -> Vec<&str> {
    let is_own = |line: &&str| {
        line.split([' ', '{'])
            .any(|word| word.starts_with("flinkbridge_"))
    };
    text.lines().filter(|line| !is_own(line)).collect()
}

#[test]
fn s02_groups_are_shown_with_their_push_times() {
    let bridge = Bridge::start();
    bridge.put(
        "/metrics/job/a/instance/1",
        "# HELP m Help.\n# TYPE m counter\nm{job=\"x\",b=\"c\"} 1\n",
    );
    bridge.post("/metrics/job/a/instance/1", "z 2\n");

    bridge.put("/metrics/job/b", "# TYPE m counter\nm 3\n");
    bridge.send("PUT", "/metrics/job/c", "m 1 1000\n");

    let answer = get(&bridge, "");
    assert_eq!(answer.status, 200);
    assert_eq!(
        header(&answer, "content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    );
    assert_eq!(
        lines(&answer.text()),
        [
            "# HELP m Help.",
            "# TYPE m counter",
            "m{b=\"c\",instance=\"1\",job=\"a\"} 1",
            "m{instance=\"\",job=\"b\"} 3",
            "# HELP push_failure_time_seconds Last Unix time when changing this group in the Pushgateway failed.",
            "# TYPE push_failure_time_seconds gauge",
            "push_failure_time_seconds{instance=\"1\",job=\"a\"} 0",
            "push_failure_time_seconds{instance=\"\",job=\"b\"} 0",
            "push_failure_time_seconds{instance=\"\",job=\"c\"} 1.79500000003e+09",
            "# HELP push_time_seconds Last Unix time when changing this group in the Pushgateway succeeded.",
            "# TYPE push_time_seconds gauge",
            "push_time_seconds{instance=\"1\",job=\"a\"} 1.79500000001e+09",
            "push_time_seconds{instance=\"\",job=\"b\"} 1.79500000002e+09",
            "push_time_seconds{instance=\"\",job=\"c\"} 0",
            "# TYPE z untyped",
            "z{instance=\"1\",job=\"a\"} 2",
        ]
    );
}

#[test]
fn a_deleted_group_is_shown_no_more() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/a", "m 1\n");
    assert!(get(&bridge, "").text().contains("m{instance=\"\",job=\"a\"} 1\n"));

    bridge.delete("/metrics/job/a");

    assert_eq!(lines(&get(&bridge, "").text()), [""; 0]);
}

#[test]
fn in_whichever_format_a_push_comes_each_format_shows_the_same() {
    let bridge = Bridge::start();
    let mut shown = Vec::new();

    for (content_type, body) in PUSHED {
        assert_eq!(push(&bridge, "/metrics/job/j", (content_type, body)), 200);
        bridge.leap(std::time::Duration::from_millis(10));
        let text = get(&bridge, "").text();
        let series =
            |line: &&str| !line.contains("push_") && !line.contains("_created") && !line.starts_with('#');
        let mut text: Vec<String> = lines(&text)
            .into_iter()
            .filter(series)
            .map(str::to_owned)
            .collect();
        text.sort();
        shown.push(text);
    }

    assert!(shown[0].len() > 20);
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[0], shown[2]);
}

#[test]
fn b33_the_format_is_the_one_that_accept_asks_for() {
    let bridge = Bridge::start();
    bridge.put(
        "/metrics/job/j",
        "# TYPE c_total counter\nc_total 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 3\nh_count 2\n",
    );

    let openmetrics = get(
        &bridge,
        "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n",
    );
    let protobuf = get(&bridge, &format!("Accept: {PROTOBUF}\r\n"));

    assert_eq!(
        header(&openmetrics, "content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores")
    );
    let text = openmetrics.text();
    assert!(
        text.contains("# TYPE c counter\nc_total{instance=\"\",job=\"j\"} 1.0\n"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let families = families(&protobuf);
    let histogram = families.iter().find(|family| family.name() == "h").unwrap();
    let value = histogram.metric[0].histogram.as_ref().unwrap();
    assert_eq!((value.sample_count(), value.sample_sum()), (2, 3.0));
    assert_eq!(
        (value.bucket[0].cumulative_count(), value.bucket[0].upper_bound()),
        (2, 1.0)
    );
}

#[test]
fn b33_what_is_shown_is_packed_for_those_who_take_gzip() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/j", "m 1\n");

    let packed = get(&bridge, "Accept-Encoding: gzip, deflate\r\n");

    assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.body.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(lines(&text), lines(&get(&bridge, "").text()));
    assert_eq!(header(&get(&bridge, ""), "content-encoding"), None);
}

#[test]
fn b32_nothing_but_get_is_allowed() {
    let bridge = Bridge::start();

    for (method, status) in [
        ("HEAD", 405),
        ("PUT", 405),
        ("POST", 405),
        ("DELETE", 405),
        ("PATCH", 405),
        ("OPTIONS", 200),
    ] {
        let request = format!("{method} /metrics HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(bridge.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{method}: {answer}"
        );
        assert!(answer.contains("allow: GET, OPTIONS\r\n"), "{method}: {answer}");
    }
}

#[test]
fn s02_a_restart_changes_nothing_that_is_shown() {
    let mut bridge = Bridge::start();
    for (content_type, body) in PUSHED {
        let path = format!("/metrics/job/j/format/{}", content_type.len());
        assert_eq!(push(&bridge, &path, (content_type, body)), 200);
    }
    let before = get(&bridge, "").text();

    bridge.stop();
    bridge.begin();

    assert_eq!(lines(&get(&bridge, "").text()), lines(&before));
}

#[test]
fn s44_our_own_metrics_are_shown_among_the_pushed_ones_with_our_help() {
    let bridge = Bridge::start();
    let body = "# HELP flinkbridge_registry_groups Theirs.\n# TYPE flinkbridge_registry_groups gauge\nflinkbridge_registry_groups 7\n";
    bridge.put("/metrics/job/j", body);
    bridge.sweep();

    let text = get(&bridge, "").text();

    let own: Vec<_> = text
        .lines()
        .filter(|line| line.contains("flinkbridge_registry_groups"))
        .collect();
    assert_eq!(own.len(), 4, "{own:?}");
    assert!(
        own[0].starts_with("# HELP") && !own[0].contains("Theirs"),
        "{own:?}"
    );
    assert!(own[2].starts_with("flinkbridge_registry_groups "), "{own:?}");
    assert_eq!(own[3], "flinkbridge_registry_groups{instance=\"\",job=\"j\"} 7");
}

#[test]
fn pushes_that_disagree_never_make_a_scrape_fail_and_what_is_left_out_is_counted() {
    let bridge = Bridge::with("pushgateway: {consistency_check: false}\n");
    bridge.put(
        "/metrics/job/a",
        "# TYPE m gauge\nm 1\n# TYPE h histogram\nh_count 1\n",
    );
    bridge.put("/metrics/job/b", "# TYPE m counter\nm 2\nh_count 5\n");

    let text = get(&bridge, "").text();

    assert!(text.contains("m{instance=\"\",job=\"a\"} 1\n"), "{text}");
    assert!(!text.contains("m{instance=\"\",job=\"b\"}"), "{text}");
    wait::until_true(
        "a scrape in the books",
        std::time::Duration::from_secs(10),
        || {
            let counted = get(&bridge, "").text();
            counted.contains("flinkbridge_http_not_shown{reason=\"clashing\"} 2\n")
        },
    );
}

#[test]
fn a_scrape_that_nobody_reads_to_its_end_stops_nobody() {
    let bridge = Bridge::start();
    let long = "more than all the sockets on the way hold ".repeat(25);
    let series: String = (0..12_000)
        .map(|n| format!("m{{n=\"{n}\",l=\"{long}\"}} {n}\n"))
        .collect();
    bridge.put("/metrics/job/j", &series);

    let unread: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(bridge.address()).unwrap();
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: bridge\r\n\r\n")
                .unwrap();
            let mut begin = [0; 12];
            stream.read_exact(&mut begin).unwrap();
            assert_eq!(&begin, b"HTTP/1.1 200");
            stream
        })
        .collect();
    bridge.put("/metrics/job/k", "a 1\n");
    let answer = get(&bridge, "");

    assert_eq!(
        lines(&answer.text())
            .iter()
            .filter(|line| line.starts_with("m{"))
            .count(),
        12_000
    );
    drop(unread);
    wait::until_true(
        "an end of the unread scrapes",
        std::time::Duration::from_secs(10),
        || bridge.metric("flinkbridge_http_broken_scrapes_total") >= 1.0,
    );
}

#[test]
fn b18_a_bucket_up_to_infinity_that_was_not_pushed_is_shown_in_text_alone() {
    let bridge = Bridge::start();
    let histogram = v1::MetricFamily {
        name: Some("h".to_owned()),
        r#type: Some(v1::MetricType::Histogram.into()),
        metric: vec![v1::Metric {
            histogram: Some(v1::Histogram {
                sample_count: Some(3),
                bucket: vec![v1::Bucket {
                    cumulative_count: Some(2),
                    upper_bound: Some(0.5),
                    ..v1::Bucket::default()
                }],
                ..v1::Histogram::default()
            }),
            ..v1::Metric::default()
        }],
        ..v1::MetricFamily::default()
    };
    assert_eq!(
        push(
            &bridge,
            "/metrics/job/j",
            (PUSHED[2].0, &histogram.encode_length_delimited_to_vec())
        ),
        200
    );

    let text = get(&bridge, "").text();
    let protobuf = families(&get(&bridge, &format!("Accept: {PROTOBUF}\r\n")));

    assert!(
        text.contains("h_bucket{instance=\"\",job=\"j\",le=\"+Inf\"} 3\n"),
        "{text}"
    );
    let shown = protobuf.iter().find(|family| family.name() == "h").unwrap();
    assert_eq!(shown.metric[0].histogram.as_ref().unwrap().bucket.len(), 1);
}

/// A counter, a histogram and a summary that say since when they count.
fn created() -> [v1::MetricFamily; 3] {
    let at = |seconds, nanos| {
        Some(v1::Timestamp {
            seconds: Some(seconds),
            nanos,
        })
    };
    let counter = v1::Counter {
        value: Some(1.0),
        exemplar: Some(v1::Exemplar {
            value: Some(0.5),
            ..v1::Exemplar::default()
        }),
        created_timestamp: at(1_700_000_000, Some(5)),
    };
    let histogram = v1::Histogram {
        sample_count: Some(4),
        sample_sum: Some(5.0),
        created_timestamp: at(1_700_000_001, None),
        ..v1::Histogram::default()
    };
    let summary = v1::Summary {
        sample_count: Some(2),
        sample_sum: Some(3.0),
        created_timestamp: at(1_700_000_002, None),
        ..v1::Summary::default()
    };
    let family = |name: &str, kind: v1::MetricType| v1::MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        metric: vec![v1::Metric::default()],
        ..v1::MetricFamily::default()
    };
    let mut families = [
        family("c", v1::MetricType::Counter),
        family("h", v1::MetricType::Histogram),
        family("s", v1::MetricType::Summary),
    ];
    families[0].metric[0].counter = Some(counter);
    families[1].metric[0].histogram = Some(histogram);
    families[2].metric[0].summary = Some(summary);
    families
}

#[test]
fn times_of_creation_are_shown_in_protobuf_as_they_were_pushed_also_after_a_restart() {
    let mut bridge = Bridge::start();
    let pushed = created();
    let body: Vec<u8> = pushed
        .iter()
        .flat_map(v1::MetricFamily::encode_length_delimited_to_vec)
        .collect();
    assert_eq!(push(&bridge, "/metrics/job/j", (PUSHED[2].0, &body)), 200);

    let before = families(&get(&bridge, &format!("Accept: {PROTOBUF}\r\n")));
    bridge.stop();
    bridge.begin();
    let after = families(&get(&bridge, &format!("Accept: {PROTOBUF}\r\n")));

    for shown in [before, after] {
        for family in &pushed {
            let shown = shown.iter().find(|shown| shown.name() == family.name());
            let mut shown = shown.unwrap().clone();
            shown.metric[0].label.clear();
            assert_eq!(shown, *family);
        }
    }
}
