//! A sender of both versions, byte-exact.

use prost::Message as _;

use crate::bridge::Bridge;
use crate::http::Answer;
use crate::{write_v1 as v1, write_v2 as v2};

pub(super) const V1: &str = "application/x-protobuf";
pub(super) const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/// Content type and encoding as all senders have them, but for the content type.
pub(super) fn usual(content_type: &str) -> String {
    format!(
        "Content-Type: {content_type}\r\nContent-Encoding: snappy\r\nUser-Agent: sender/1.0\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n"
    )
}

/// POSTs a body with these header lines.
#[track_caller]
pub(super) fn post_with(bridge: &Bridge, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: bridge\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    bridge.send_raw(&request)
}

/// POSTs a request of version 1.0.
#[track_caller]
pub(super) fn post_v1(bridge: &Bridge, series: Vec<v1::TimeSeries>) -> Answer {
    post_with(bridge, "/api/v1/write", &usual(V1), &packed_v1(series))
}

/// POSTs a request of version 2.0.
#[track_caller]
pub(super) fn post_v2(bridge: &Bridge, request: &v2::Request) -> Answer {
    post_with(
        bridge,
        "/api/v1/write",
        &usual(V2),
        &packed(&request.encode_to_vec()),
    )
}

pub(super) fn packed(raw: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(raw).unwrap()
}

pub(super) fn packed_v1(series: Vec<v1::TimeSeries>) -> Vec<u8> {
    let request = v1::WriteRequest {
        timeseries: series,
        metadata: Vec::new(),
    };
    packed(&request.encode_to_vec())
}

pub(super) fn packed_v2(series: Vec<v2::TimeSeries>) -> Vec<u8> {
    packed(&request_v2(series).encode_to_vec())
}

/// A series of version 1.0, its samples as value and time.
pub(super) fn series_v1(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> v1::TimeSeries {
    v1::TimeSeries {
        labels: labels
            .iter()
            .map(|(name, value)| v1::Label {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            })
            .collect(),
        samples: samples
            .iter()
            .map(|(value, timestamp)| v1::Sample {
                value: *value,
                timestamp: *timestamp,
            })
            .collect(),
        ..v1::TimeSeries::default()
    }
}

/// The table that series of version 2.0 refer to here.
const SYMBOLS: [&str; 9] = [
    "",
    "__name__",
    "up",
    "job",
    "a",
    "trace_id",
    "b",
    "what it is",
    "seconds",
];

pub(super) fn request_v2(series: Vec<v2::TimeSeries>) -> v2::Request {
    v2::Request {
        symbols: SYMBOLS.map(str::to_owned).to_vec(),
        timeseries: series,
    }
}

/// A series of version 2.0, its samples as value and time.
pub(super) fn series_v2(labels_refs: &[u32], samples: &[(f64, i64)]) -> v2::TimeSeries {
    v2::TimeSeries {
        labels_refs: labels_refs.to_vec(),
        samples: samples
            .iter()
            .map(|(value, timestamp)| v2::Sample {
                value: *value,
                timestamp: *timestamp,
                start_timestamp: 0,
            })
            .collect(),
        ..v2::TimeSeries::default()
    }
}

pub(super) fn exemplar_v2(timestamp: i64) -> v2::Exemplar {
    v2::Exemplar {
        labels_refs: vec![5, 4],
        value: 0.5,
        timestamp,
    }
}

/// One observation, in whole numbers.
pub(super) fn whole_v2(timestamp: i64) -> v2::Histogram {
    v2::Histogram {
        count: Some(v2::histogram::Count::CountInt(1)),
        sum: 1.5,
        schema: 2,
        zero_threshold: 0.001,
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountInt(0)),
        positive_spans: vec![v2::BucketSpan { offset: 2, length: 1 }],
        positive_deltas: vec![1],
        timestamp,
        ..v2::Histogram::default()
    }
}

/// One observation, in floats.
pub(super) fn float_v2(timestamp: i64) -> v2::Histogram {
    v2::Histogram {
        count: Some(v2::histogram::Count::CountFloat(1.0)),
        zero_count: Some(v2::histogram::ZeroCount::ZeroCountFloat(0.0)),
        positive_deltas: Vec::new(),
        positive_counts: vec![1.0],
        ..whole_v2(timestamp)
    }
}

/// The same histogram in the message of version 1.0, whose fields have the same numbers.
pub(super) fn as_v1(histogram: &v2::Histogram) -> v1::Histogram {
    v1::Histogram::decode(histogram.encode_to_vec().as_slice()).unwrap()
}

/// What a version 2.0 answer says was written: samples, histograms, exemplars; `None` when it says nothing.
pub(super) fn written(answer: &Answer) -> Option<[u64; 3]> {
    let all = ["samples", "histograms", "exemplars"].map(|kind| {
        answer
            .header(&format!("x-prometheus-remote-write-{kind}-written"))
            .map(|count| count.parse().unwrap())
    });
    let [Some(samples), Some(histograms), Some(exemplars)] = all else {
        assert_eq!(all, [None; 3]);
        return None;
    };
    Some([samples, histograms, exemplars])
}
