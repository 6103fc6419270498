//! Requests read beside labels that are known.

use super::*;
use crate::codec::block::encode_labels;
use crate::model::{Encoded, LabelDraft};

const LABELS: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];

fn encoded(labels: &[(&'static str, &'static str)]) -> Vec<u8> {
    let mut encoded = Vec::new();
    encode_labels(
        &mut encoded,
        &LabelDraft::from_iter(labels.iter().copied()).into_set(),
    );
    encoded
}

/// The number of [`LABELS`], which are all that is known.
fn recall(labels: &[u8]) -> Option<u32> {
    (labels == encoded(&LABELS)).then_some(5)
}

fn beside(body: &[u8]) -> Request<'_> {
    Message::V1
        .decode_beside(body, &Limits::default(), &recall)
        .unwrap()
}

#[test]
fn known_labels_are_handed_on_unread_and_all_others_are_read() {
    let body = body_v1(vec![series_v1(&LABELS), series_v1(&[("__name__", "down")])]);

    let request = beside(&body);

    let (known, new) = (encoded(&LABELS), encoded(&[("__name__", "down")]));
    let lying: Vec<Encoded<'_>> = request.series.iter().map(|series| series.encoded).collect();
    assert_eq!(lying, [Encoded::Known(&known, 5), Encoded::Read(&new)]);
    assert_eq!(
        said(&request),
        ["{} 3ff0000000000000@10 h0 ", "down{} 3ff0000000000000@10 h0 "]
    );
}

/// Whether the labels may be known from now on by how they lie.
fn is_read_whole(request: &Request<'_>) -> bool {
    matches!(request.series[0].encoded, Encoded::Read(_))
}

#[test]
fn labels_in_another_order_or_with_more_further_on_are_not_taken_for_the_known_ones() {
    let turned = body_v1(vec![series_v1(&[LABELS[1], LABELS[0]])]);
    let with_more = v1::TimeSeries {
        labels: vec![label("zone", "z")],
        ..v1::TimeSeries::default()
    };
    let split = [series_v1(&LABELS).encode_to_vec(), with_more.encode_to_vec()].concat();
    let mut scattered = vec![0x0a, u8::try_from(split.len()).unwrap()];
    scattered.extend(split);

    for (body, expected) in [(turned, "up{job=\"a\"}"), (scattered, "up{job=\"a\",zone=\"z\"}")] {
        let request = beside(&body);

        assert_eq!(said(&request), [format!("{expected} 3ff0000000000000@10 h0 ")]);
        assert_eq!(is_read_whole(&request), expected.starts_with("up{job=\"a\"}"));
    }
}

/// PRW R2-04: also then the series is named.
#[test]
fn what_is_flawed_beside_known_labels_is_told_with_them() {
    let body = body_v1(vec![v1::TimeSeries {
        exemplars: vec![v1::Exemplar {
            labels: vec![label("", "a")],
            ..v1::Exemplar::default()
        }],
        ..series_v1(&LABELS)
    }]);

    let request = beside(&body);

    assert_eq!(problems(&request), problems(&decoded(Message::V1, &body)));
    assert_eq!(request.counts(), decoded(Message::V1, &body).counts());
    assert_eq!(request.flawed.number, 1);
}

#[test]
fn the_bytes_of_known_labels_count_beside_every_sample() {
    let body = body_v1(vec![series_v1(&LABELS); 10]);
    let limits = Limits {
        max_label_bytes: 10 * encoded(&LABELS).len() - 1,
        ..Limits::default()
    };

    let refused = Message::V1.decode_beside(&body, &limits, &recall).unwrap_err();

    assert!(matches!(refused, DecodeError::TooMany { .. }), "{refused}");
}
