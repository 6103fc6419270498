mod alike;
mod flaws;
mod histograms;
mod hostile;
mod known;

use prost::Message as _;

use super::*;
use crate::codec::DecodeError;
use crate::codec::generated::{write_v1 as v1, write_v2 as v2};
use crate::model::{
    BucketSpan, HistogramCounts, MetricType, NativeHistogram, ResetHint, UnixMillis, WrittenHistogram,
    stale_marker,
};

/// The series of a request as text: labels, samples, histograms, exemplars.
fn said(request: &Request<'_>) -> Vec<String> {
    let series = request.series.iter().map(|series| {
        let labels = series.labels.clone().into_set();
        let samples: Vec<String> = series
            .samples
            .iter()
            .map(|sample| match sample.created {
                None => format!("{:x}@{}", sample.value.to_bits(), sample.at.get()),
                Some(created) => {
                    format!(
                        "{:x}@{}>{}",
                        sample.value.to_bits(),
                        sample.at.get(),
                        created.get()
                    )
                }
            })
            .collect();
        let exemplars: Vec<String> = series
            .exemplars
            .iter()
            .map(|exemplar| {
                let at = exemplar.at.unwrap_or_default().millis().get();
                format!("{}{}@{at}", exemplar.labels.clone().into_set(), exemplar.value)
            })
            .collect();
        let histograms = series.histograms.len();
        format!(
            "{labels} {} h{histograms} {}",
            samples.join(","),
            exemplars.join(",")
        )
    });
    series.collect()
}

fn label(name: &str, value: &str) -> v1::Label {
    v1::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn sample_v1(value: f64, timestamp: i64) -> v1::Sample {
    v1::Sample { value, timestamp }
}

fn series_v1(labels: &[(&str, &str)]) -> v1::TimeSeries {
    v1::TimeSeries {
        labels: labels.iter().map(|(name, value)| label(name, value)).collect(),
        samples: vec![sample_v1(1.0, 10)],
        ..v1::TimeSeries::default()
    }
}

fn body_v1(series: Vec<v1::TimeSeries>) -> Vec<u8> {
    let request = v1::WriteRequest {
        timeseries: series,
        ..v1::WriteRequest::default()
    };
    request.encode_to_vec()
}

/// A series that refers to the table of [`body_v2`].
fn series_v2(references: &[u32]) -> v2::TimeSeries {
    v2::TimeSeries {
        labels_refs: references.to_vec(),
        samples: vec![v2::Sample {
            value: 1.0,
            timestamp: 10,
            start_timestamp: 0,
        }],
        ..v2::TimeSeries::default()
    }
}

const SYMBOLS: [&str; 9] = [
    "",
    "__name__",
    "up",
    "job",
    "a",
    "instance",
    "b",
    "what it is",
    "seconds",
];

fn body_v2(series: Vec<v2::TimeSeries>) -> Vec<u8> {
    let request = v2::Request {
        symbols: SYMBOLS.map(str::to_owned).to_vec(),
        timeseries: series,
    };
    request.encode_to_vec()
}

#[track_caller]
fn decoded(message: Message, body: &[u8]) -> Request<'_> {
    message.decode(body, &Limits::default()).unwrap()
}

fn problems(request: &Request<'_>) -> Vec<String> {
    let first = request.flawed.first.iter();
    first
        .map(|flaw| format!("{}: {}", flaw.series, flaw.problem))
        .collect()
}
