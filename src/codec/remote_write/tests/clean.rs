//! Requests read beside labels that are known to be clean.

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

/// Labels of which [`LABELS`] are known.
fn clean() -> CleanLabels {
    let clean = CleanLabels::new(7);
    clean.learn(&encoded(&LABELS));
    clean
}

fn beside<'a>(body: &'a [u8], clean: &CleanLabels) -> Request<'a> {
    Message::V1
        .decode_beside(body, &Limits::default(), clean)
        .unwrap()
}

#[test]
fn clean_labels_are_handed_on_unread_and_all_others_are_read() {
    let body = body_v1(vec![series_v1(&LABELS), series_v1(&[("__name__", "down")])]);

    let request = beside(&body, &clean());

    let (known, new) = (encoded(&LABELS), encoded(&[("__name__", "down")]));
    let lying: Vec<Encoded<'_>> = request.series.iter().map(|series| series.encoded).collect();
    assert_eq!(lying, [Encoded::Clean(&known), Encoded::Read(&new)]);
    assert_eq!(
        said(&request),
        ["{} 3ff0000000000000@10 h0 ", "down{} 3ff0000000000000@10 h0 "]
    );
}

#[test]
fn labels_in_another_order_or_with_more_further_on_are_not_taken_for_the_clean_ones() {
    let turned = body_v1(vec![series_v1(&[LABELS[1], LABELS[0]])]);
    let with_more = v1::TimeSeries {
        labels: vec![label("zone", "z")],
        ..v1::TimeSeries::default()
    };
    let split = [series_v1(&LABELS).encode_to_vec(), with_more.encode_to_vec()].concat();
    let mut scattered = vec![0x0a, u8::try_from(split.len()).unwrap()];
    scattered.extend(split);

    for (body, expected) in [(turned, "up{job=\"a\"}"), (scattered, "up{job=\"a\",zone=\"z\"}")] {
        let request = beside(&body, &clean());

        assert_eq!(said(&request), [format!("{expected} 3ff0000000000000@10 h0 ")]);
    }
}

/// PRW R2-04: also then the series is named.
#[test]
fn what_is_flawed_beside_clean_labels_is_told_with_them() {
    let body = body_v1(vec![v1::TimeSeries {
        exemplars: vec![v1::Exemplar {
            labels: vec![label("", "a")],
            ..v1::Exemplar::default()
        }],
        ..series_v1(&LABELS)
    }]);

    let request = beside(&body, &clean());

    assert_eq!(problems(&request), problems(&decoded(Message::V1, &body)));
    assert_eq!(request.counts(), decoded(Message::V1, &body).counts());
    assert_eq!(request.flawed.number, 1);
}

#[test]
fn the_bytes_of_clean_labels_count_beside_every_sample() {
    let body = body_v1(vec![series_v1(&LABELS); 10]);
    let limits = Limits {
        max_label_bytes: 10 * encoded(&LABELS).len() - 1,
        ..Limits::default()
    };

    let refused = Message::V1.decode_beside(&body, &limits, &clean()).unwrap_err();

    assert!(matches!(refused, DecodeError::TooMany { .. }), "{refused}");
}
