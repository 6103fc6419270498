//! What is read is what the generated messages say.

use proptest::prelude::*;

use super::*;
use crate::model::Metadata;

/// PRW S1-08, S1-09, S1-13: labels in any order, times of any sign, NaN bits and stale markers as they are.
#[test]
fn a_request_of_version_1_is_read_bit_by_bit() {
    let series = v1::TimeSeries {
        samples: vec![
            sample_v1(f64::from_bits(0x7ff8_dead_beef_0001), -5),
            sample_v1(stale_marker(), i64::MAX),
            sample_v1(f64::NEG_INFINITY, 0),
        ],
        exemplars: vec![v1::Exemplar {
            labels: vec![label("trace_id", "x")],
            value: 0.5,
            timestamp: 7,
        }],
        ..series_v1(&[("z", "ü"), ("__name__", "größe.x"), ("empty", "")])
    };

    let body = body_v1(vec![series]);
    let request = decoded(Message::V1, &body);

    assert_eq!(
        said(&request),
        [
            "{\"größe.x\",z=\"ü\"} 7ff8deadbeef0001@-5,7ff0000000000002@9223372036854775807,fff0000000000000@0 \
             h0 {trace_id=\"x\"}0.5@7"
        ]
    );
}

/// PRW S2-10, S2-13, R2-10: a start time of zero is none, and what drafts called `created_timestamp` stands in for it.
#[test]
fn start_times_are_read_wherever_they_stand() {
    let sample = |start_timestamp| v2::Sample {
        value: 1.0,
        timestamp: 10,
        start_timestamp,
    };
    let histogram = |start_timestamp| v2::Histogram {
        timestamp: 10,
        start_timestamp,
        ..v2::Histogram::default()
    };
    let series = v2::TimeSeries {
        samples: vec![sample(0), sample(-1)],
        histograms: vec![histogram(0), histogram(5)],
        ..series_v2(&[1, 2])
    };
    let plain = v2::Request {
        symbols: SYMBOLS.map(str::to_owned).to_vec(),
        ..v2::Request::default()
    };
    let mut message = series.encode_to_vec();
    let started = |request: &Request<'_>| {
        let series = &request.series[0];
        let samples = series
            .samples
            .iter()
            .map(|sample| sample.created.map(UnixMillis::get));
        let histograms = series
            .histograms
            .iter()
            .map(|written| written.histogram.created.map(|created| created.millis().get()));
        samples.chain(histograms).collect::<Vec<_>>()
    };
    let with = |message: &[u8]| {
        let mut body = plain.encode_to_vec();
        crate::codec::wire::put_bytes(&mut body, 5 << 3 | 2, message);
        body
    };

    let (today, draft) = (with(&message), {
        message.extend([6 << 3, 3]);
        with(&message)
    });

    assert_eq!(
        started(&decoded(Message::V2, &today)),
        [None, Some(-1), None, Some(5)]
    );
    assert_eq!(
        started(&decoded(Message::V2, &draft)),
        [Some(3), Some(-1), Some(3), Some(5)]
    );
}

/// PRW S2-10.
#[test]
fn metadata_is_read_in_both_versions() {
    let kind = v1::metric_metadata::MetricType::Counter;
    let first = v1::WriteRequest {
        metadata: vec![v1::MetricMetadata {
            r#type: kind.into(),
            metric_family_name: "up".to_owned(),
            help: "what it is".to_owned(),
            unit: "seconds".to_owned(),
        }],
        ..v1::WriteRequest::default()
    };
    let second = body_v2(vec![v2::TimeSeries {
        metadata: Some(v2::Metadata {
            r#type: 1,
            help_ref: 7,
            unit_ref: 8,
        }),
        ..series_v2(&[3, 4, 1, 2])
    }]);
    let expected = Metadata {
        family: "up".into(),
        kind: MetricType::Counter,
        help: "what it is".into(),
        unit: "seconds".into(),
    };

    let first = first.encode_to_vec();
    let (first, second) = (decoded(Message::V1, &first), decoded(Message::V2, &second));

    assert_eq!(first.metadata.as_slice(), std::slice::from_ref(&expected));
    assert_eq!(second.series[0].metadata, Some(expected));
}

/// PRW R1-06, R2-10.
#[test]
fn fields_that_are_not_known_are_passed_over() {
    let unknown = [0xf8, 0x01, 0x05, 0xfa, 0x01, 0x01, b'x', 0xfd, 0x01, 1, 2, 3, 4];
    let series = [series_v1(&[("__name__", "up")]).encode_to_vec(), unknown.to_vec()].concat();
    let mut body = unknown.to_vec();
    crate::codec::wire::put_bytes(&mut body, 0x0a, &series);

    let request = decoded(Message::V1, &body);

    assert_eq!(said(&request), ["up{} 3ff0000000000000@10 h0 "]);
}

/// PRW S2-19: version 2.0 reserves the fields of 1.0, so that either reads as an empty request of the other.
#[test]
fn a_request_of_one_version_is_empty_in_the_other() {
    let (first, second) = (
        body_v1(vec![series_v1(&[("__name__", "up")])]),
        body_v2(vec![series_v2(&[1, 2])]),
    );

    assert_eq!(decoded(Message::V2, &first), Request::default());
    assert_eq!(decoded(Message::V1, &second), Request::default());
}

/// PRW S2-07: the table may stand behind what refers to it, and references need not be packed.
#[test]
fn the_order_of_fields_does_not_matter() {
    let series = [1 << 3, 1, 1 << 3, 2, 2 << 3 | 2, 2, 2 << 3, 9];
    let mut body = Vec::new();
    crate::codec::wire::put_bytes(&mut body, 5 << 3 | 2, &series);
    body.extend(body_v2(Vec::new()));

    let request = decoded(Message::V2, &body);

    assert_eq!(said(&request), ["up{} 0@9 h0 "]);
}

/// Any but minus zero, which the generated messages leave out as if it were zero.
fn written_bits() -> impl Strategy<Value = u64> {
    any::<u64>().prop_filter("minus zero", |bits| *bits != (-0.0_f64).to_bits())
}

prop_compose! {
    fn any_series()(
        labels in proptest::collection::btree_map("[a-zé._]{1,6}", "[a-z ü]{0,6}", 0..6),
        samples in proptest::collection::vec((written_bits(), any::<i64>()), 0..4),
        exemplars in proptest::collection::vec(("[a-z]{0,9}", written_bits().prop_map(f64::from_bits), -9_000_000_000_000_i64..9_000_000_000_000), 0..3),
    ) -> (Vec<(String, String)>, Vec<(u64, i64)>, Vec<(String, f64, i64)>) {
        (labels.into_iter().collect(), samples, exemplars)
    }
}

fn table(text: &str, symbols: &mut Vec<String>) -> u32 {
    let at = symbols
        .iter()
        .position(|symbol| symbol == text)
        .unwrap_or_else(|| {
            symbols.push(text.to_owned());
            symbols.len() - 1
        });
    u32::try_from(at).unwrap()
}

proptest! {
    /// Both versions say the same, and it is what was written.
    #[test]
    fn both_versions_say_the_same(all in proptest::collection::vec(any_series(), 0..5)) {
        let (mut first, mut second) = (v1::WriteRequest::default(), v2::Request::default());
        second.symbols.push(String::new());
        let mut expected = Vec::new();
        for (labels, samples, exemplars) in &all {
            let all_labels = [("__name__".to_owned(), "m".to_owned())].into_iter().chain(labels.clone());
            let all_labels: Vec<_> = all_labels.collect();
            let mut refs = |text: &str| table(text, &mut second.symbols);
            let labels_refs = all_labels.iter().flat_map(|(name, value)| [refs(name), refs(value)]).collect();
            let exemplars_v2 = exemplars.iter().map(|(id, value, at)| v2::Exemplar {
                labels_refs: vec![refs("id"), refs(id)], value: *value, timestamp: *at,
            }).collect();
            first.timeseries.push(v1::TimeSeries {
                labels: all_labels.iter().map(|(name, value)| label(name, value)).collect(),
                samples: samples.iter().map(|(bits, at)| sample_v1(f64::from_bits(*bits), *at)).collect(),
                exemplars: exemplars.iter().map(|(id, value, at)| v1::Exemplar {
                    labels: vec![label("id", id)], value: *value, timestamp: *at,
                }).collect(),
                ..v1::TimeSeries::default()
            });
            second.timeseries.push(v2::TimeSeries {
                labels_refs,
                samples: samples.iter().map(|(bits, timestamp)| v2::Sample {
                    value: f64::from_bits(*bits), timestamp: *timestamp, start_timestamp: 0,
                }).collect(),
                exemplars: exemplars_v2,
                ..v2::TimeSeries::default()
            });
            if !samples.is_empty() || !exemplars.is_empty() {
                let set = all_labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let set = set.collect::<crate::model::LabelDraft<'_>>().into_set();
                let samples: Vec<_> = samples.iter().map(|(bits, at)| format!("{bits:x}@{at}")).collect();
                let exemplars: Vec<_> = exemplars.iter().map(|(id, value, at)| {
                    let labels = if id.is_empty() { String::new() } else { format!("id={id:?}") };
                    format!("{{{labels}}}{value}@{at}")
                }).collect();
                expected.push(format!("{set} {} h0 {}", samples.join(","), exemplars.join(",")));
            }
        }

        let (first, second) = (first.encode_to_vec(), second.encode_to_vec());
        let (first, second) = (decoded(Message::V1, &first), decoded(Message::V2, &second));

        prop_assert_eq!(said(&first), expected.clone());
        prop_assert_eq!(said(&second), expected);
        prop_assert!(first.flawed.is_empty() && second.flawed.is_empty());
    }
}
