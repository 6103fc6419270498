//! In whichever format and encoding a push comes, the remote gets the same series.

use std::io::Write as _;

use prost::Message as _;

use crate::bridge::Bridge;
use crate::http::Answer;
use crate::metrics_v1 as v1;

const TEXT: &str = "# TYPE c_total counter
c_total{a=\"b\"} 3
# TYPE h histogram
h_bucket{le=\"0.50\"} 1
h_bucket{le=\"1e6\"} 2
h_bucket{le=\"+Inf\"} 2
h_sum 2.5
h_count 2
# TYPE s summary
s{quantile=\"0.0\"} 1
s{quantile=\"1.0\"} 2
s_sum 3
s_count 2
";

const OPENMETRICS: &str = "# TYPE c counter
c_total{a=\"b\"} 3.0 # {trace_id=\"x\"} 1.0 1520879607.789
# TYPE h histogram
h_bucket{le=\"0.5\"} 1
h_bucket{le=\"1000000.0\"} 2
h_bucket{le=\"+Inf\"} 2
h_sum 2.5
h_count 2
# TYPE s summary
s{quantile=\"0.0\"} 1
s{quantile=\"1.0\"} 2
s_sum 3
s_count 2
# EOF
";

/// What the three bodies say, and what the remote has when it was said so many times.
const SERIES: [(&str, &str); 10] = [
    ("c_total{a=\"b\",job=\"j\"}", "3"),
    ("h_bucket{job=\"j\",le=\"+Inf\"}", "2"),
    ("h_bucket{job=\"j\",le=\"0.5\"}", "1"),
    ("h_bucket{job=\"j\",le=\"1e+06\"}", "2"),
    ("h_count{job=\"j\"}", "2"),
    ("h_sum{job=\"j\"}", "2.5"),
    ("s{job=\"j\",quantile=\"0\"}", "1"),
    ("s{job=\"j\",quantile=\"1\"}", "2"),
    ("s_count{job=\"j\"}", "2"),
    ("s_sum{job=\"j\"}", "3"),
];

pub(crate) const PROTOBUF_TYPE: &str =
    "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily";

fn counter() -> v1::Metric {
    v1::Metric {
        label: vec![v1::LabelPair {
            name: Some("a".to_owned()),
            value: Some("b".to_owned()),
        }],
        counter: Some(v1::Counter {
            value: Some(3.0),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn histogram() -> v1::Metric {
    let bucket = |upper_bound, count| v1::Bucket {
        upper_bound: Some(upper_bound),
        cumulative_count: Some(count),
        ..Default::default()
    };
    v1::Metric {
        histogram: Some(v1::Histogram {
            sample_count: Some(2),
            sample_sum: Some(2.5),
            bucket: vec![bucket(0.5, 1), bucket(1e6, 2)],
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn summary() -> v1::Metric {
    let quantile = |quantile, value| v1::Quantile {
        quantile: Some(quantile),
        value: Some(value),
    };
    v1::Metric {
        summary: Some(v1::Summary {
            sample_count: Some(2),
            sample_sum: Some(3.0),
            quantile: vec![quantile(0.0, 1.0), quantile(1.0, 2.0)],
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn protobuf() -> Vec<u8> {
    let family = |name: &str, kind: v1::MetricType, metric| v1::MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        metric: vec![metric],
        ..Default::default()
    };
    [
        family("c_total", v1::MetricType::Counter, counter()),
        family("h", v1::MetricType::Histogram, histogram()),
        family("s", v1::MetricType::Summary, summary()),
    ]
    .iter()
    .flat_map(v1::MetricFamily::encode_length_delimited_to_vec)
    .collect()
}

/// A native histogram of a resolution that no store knows.
fn too_fine() -> Vec<u8> {
    let native = v1::Histogram {
        zero_threshold: Some(0.1),
        schema: Some(9),
        ..Default::default()
    };
    let family = v1::MetricFamily {
        name: Some("n".to_owned()),
        r#type: Some(v1::MetricType::Histogram.into()),
        metric: vec![v1::Metric {
            histogram: Some(native),
            ..Default::default()
        }],
        ..Default::default()
    };
    family.encode_length_delimited_to_vec()
}

/// `plain` in each encoding, by the name that the header has for it.
fn packed(plain: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use flate2::Compression;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    gzip.write_all(plain).unwrap();
    zlib.write_all(plain).unwrap();
    deflate.write_all(plain).unwrap();
    snappy.write_all(plain).unwrap();
    vec![
        ("identity", plain.to_vec()),
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        (
            "zstd",
            ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest),
        ),
        ("snappy", snappy.into_inner().unwrap()),
    ]
}

/// Sends a request with these header lines besides those that frame it.
#[track_caller]
pub(crate) fn send(bridge: &Bridge, method: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "{method} /metrics/job/j HTTP/1.1\r\nHost: b\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = bridge.send_raw(&[head.as_bytes(), body].concat());
    bridge.leap(std::time::Duration::from_millis(10));
    answer
}

#[track_caller]
fn remote_has_it_times(bridge: &Bridge, times: usize) {
    let values: Vec<Vec<&str>> = SERIES.iter().map(|(_, value)| vec![*value; times]).collect();
    let expected: Vec<(&str, &[&str])> = SERIES
        .iter()
        .zip(&values)
        .map(|((series, _), values)| (*series, values.as_slice()))
        .collect();
    bridge.remote_has(&expected);
}

#[test]
fn every_format_gives_the_same_series() {
    let bridge = Bridge::start();

    for (content_type, body) in [
        ("text/plain; version=0.0.4", TEXT.as_bytes().to_vec()),
        (PROTOBUF_TYPE, protobuf()),
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            OPENMETRICS.as_bytes().to_vec(),
        ),
    ] {
        for method in ["PUT", "POST"] {
            let answer = send(
                &bridge,
                method,
                &format!("Content-Type: {content_type}\r\n"),
                &body,
            );
            assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
        }
    }

    remote_has_it_times(&bridge, 6);
}

#[test]
fn every_encoding_gives_the_same_series() {
    let bridge = Bridge::start();

    let mut pushes = 0;
    for (content_type, plain) in [
        ("text/plain", TEXT.as_bytes().to_vec()),
        (PROTOBUF_TYPE, protobuf()),
    ] {
        for (encoding, body) in packed(&plain) {
            let headers = format!("Content-Type: {content_type}\r\nContent-Encoding: {encoding}\r\n");
            let answer = send(&bridge, "PUT", &headers, &body);
            assert_eq!(answer.status, 200, "{encoding}: {}", answer.text());
            pushes += 1;
        }
    }

    remote_has_it_times(&bridge, pushes);
}

#[test]
fn a_post_replaces_a_family_in_whichever_format_it_was_pushed() {
    let bridge = Bridge::start();

    let first = send(
        &bridge,
        "PUT",
        "",
        b"# TYPE c_total counter\nc_total{x=\"1\"} 1\nother 1\n",
    );
    let second = send(
        &bridge,
        "POST",
        "Content-Type: application/openmetrics-text\r\n",
        b"# TYPE c counter\nc_total{x=\"2\"} 2\n# EOF\n",
    );

    assert_eq!((first.status, second.status), (200, 200));
    bridge.remote_has(&[
        ("c_total{job=\"j\",x=\"1\"}", &["1", "stale"]),
        ("c_total{job=\"j\",x=\"2\"}", &["2"]),
        ("other{job=\"j\"}", &["1"]),
    ]);
}

#[test]
fn b30_a_body_that_is_not_packed_as_it_says_is_refused() {
    let bridge = Bridge::start();
    let status = |encoding: &str, body: &[u8]| {
        let headers = format!("Content-Encoding: {encoding}\r\n");
        send(&bridge, "PUT", &headers, body).status
    };
    let block = snap::raw::Encoder::new().compress_vec(b"a 1\n").unwrap();

    for encoding in ["gzip", "deflate", "zstd", "snappy"] {
        assert_eq!(status(encoding, b"a 1\n"), 400, "{encoding}");
    }
    for (encoding, body) in packed(b"a 1\n").into_iter().skip(1) {
        assert_eq!(status(encoding, &body[..body.len() - 1]), 400, "{encoding}");
    }
    assert_eq!(status("snappy", &block), 400);
    for encoding in ["br", "gzip, gzip", "identity, gzip"] {
        assert_eq!(status(encoding, b"a 1\n"), 415, "{encoding}");
    }
    assert_eq!(bridge.app().intake().summary().groups, 0);
}

#[test]
fn a_bomb_is_stopped_in_every_encoding() {
    let bridge = Bridge::with("pushgateway: {max_body_bytes: 64KiB}\n");
    let long = "# a comment\n".repeat(8 << 10);

    for (encoding, bomb) in packed(long.as_bytes()).into_iter().skip(1) {
        let answer = send(
            &bridge,
            "PUT",
            &format!("Content-Encoding: {encoding}\r\n"),
            &bomb,
        );
        assert_eq!(answer.status, 413, "{encoding}: {}", answer.text());
    }
}

#[test]
fn what_is_wrong_with_a_format_is_said_with_its_place() {
    let bridge = Bridge::start();
    let openmetrics = "application/openmetrics-text";
    let half = &protobuf()[..60];

    for (content_type, body, sentence) in [
        (PROTOBUF_TYPE, half, "protobuf parsing error in metric family 2"),
        (
            PROTOBUF_TYPE,
            &too_fine(),
            "\"n\": native histogram: its schema is none of -4 to 8",
        ),
        (
            openmetrics,
            b"# EOF\na 1\n",
            "line 2, column 1: unexpected data after \"# EOF\"",
        ),
        (openmetrics, b"a 1 5\n# EOF\n", "must not have timestamps"),
        (
            "application/json",
            b"{}\n",
            "line 1, column 3: invalid metric name",
        ),
    ] {
        let answer = send(&bridge, "PUT", &format!("Content-Type: {content_type}\r\n"), body);
        assert_eq!(answer.status, 400, "{content_type}");
        assert!(answer.text().contains(sentence), "{}", answer.text());
    }
}
