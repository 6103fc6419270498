//! Bodies that cannot be read, and bodies that ask for too much.

use super::*;

fn of_all_kinds() -> (Vec<u8>, Vec<u8>) {
    let first = v1::TimeSeries {
        exemplars: vec![v1::Exemplar {
            labels: vec![label("id", "x")],
            value: 1.0,
            timestamp: 1,
        }],
        histograms: vec![v1::Histogram {
            positive_spans: vec![v1::BucketSpan { offset: 1, length: 2 }],
            positive_deltas: vec![0, 0],
            timestamp: 1,
            ..v1::Histogram::default()
        }],
        ..series_v1(&[("__name__", "up"), ("job", "a")])
    };
    let second = v2::TimeSeries {
        metadata: Some(v2::Metadata {
            r#type: 1,
            help_ref: 7,
            unit_ref: 8,
        }),
        ..series_v2(&[1, 2, 3, 4])
    };
    (body_v1(vec![first; 2]), body_v2(vec![second; 2]))
}

/// PRW R1-04: what is cut off within a message is refused whole.
#[test]
fn a_body_cut_anywhere_is_refused_or_ends_with_a_whole_series() {
    let (first, second) = of_all_kinds();
    for (message, body) in [(Message::V1, first), (Message::V2, second)] {
        let whole = said(&decoded(message, &body));
        for end in 0..body.len() {
            if let Ok(cut) = message.decode(&body[..end], &Limits::default()) {
                let cut = said(&cut);
                assert!(whole.starts_with(&cut), "{message:?} cut at {end}: {cut:?}");
                assert!(cut.len() < whole.len(), "{message:?} cut at {end}");
            }
        }
    }
}

/// PRW R1-04: truncated and overlong varints, huge lengths, wrong wire types, the field number 0.
#[test]
fn a_body_that_is_no_message_is_refused_whole() {
    let good = body_v1(vec![series_v1(&[("__name__", "up")])]);
    for (bad, problem) in [
        (&[0x0a][..], "write request is cut off at byte 32"),
        (&[0x0a, 0xff], "write request is cut off at byte 32"),
        (
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "write request is cut off at byte 37",
        ),
        (&[0xff; 11], "write request: a varint is longer than ten bytes"),
        (&[0x0a, 0x01, 0x0a], "series is cut off at byte 1"),
        (
            &[0x0a, 0x02, 0x10, 0x01],
            "series: a field has the wire type of another",
        ),
        (
            &[0x08, 0x01],
            "write request: a field has the wire type of another",
        ),
        (
            &[0x0a, 0x04, 0x12, 0x02, 0x08, 0x01],
            "sample: a field has the wire type of another",
        ),
        (&[0x0b], "write request: a field has an unknown wire type"),
        (&[0x00, 0x00], "write request: a field has the number 0"),
    ] {
        let body = [&good, bad].concat();

        let refused = Message::V1.decode(&body, &Limits::default()).unwrap_err();

        assert_eq!(refused.to_string(), problem, "{bad:?}");
    }
}

#[test]
fn a_request_may_not_become_more_than_the_limits() {
    let few = Limits {
        max_parts: 100,
        max_label_bytes: 1_000,
    };
    let many_samples = v1::TimeSeries {
        samples: vec![sample_v1(1.0, 1); 200],
        ..series_v1(&[("__name__", "up")])
    };
    let long_labels = v1::TimeSeries {
        samples: vec![sample_v1(1.0, 1); 20],
        ..series_v1(&[("__name__", "up"), ("job", &"x".repeat(100))])
    };
    let many_buckets = v1::TimeSeries {
        histograms: vec![v1::Histogram {
            positive_deltas: vec![0; 1_000],
            ..v1::Histogram::default()
        }],
        ..series_v1(&[("__name__", "up")])
    };
    let symbols = v2::Request {
        symbols: vec![String::new(); 101],
        ..v2::Request::default()
    };
    let bodies = [
        (Message::V1, body_v1(vec![many_samples])),
        (Message::V1, body_v1(vec![long_labels])),
        (Message::V1, body_v1(vec![many_buckets])),
        (Message::V1, body_v1(vec![v1::TimeSeries::default(); 101])),
        (Message::V2, body_v2(vec![series_v2(&[1; 200])])),
        (Message::V2, symbols.encode_to_vec()),
    ];
    for (message, body) in bodies {
        assert!(message.decode(&body, &Limits::default()).is_ok());

        let refused = message.decode(&body, &few);

        assert!(matches!(refused, Err(DecodeError::TooMany { .. })), "{refused:?}");
    }
}

/// Text and lists of a series' labels would take gigabytes of some hundred kilobytes that were sent.
#[test]
fn a_series_of_very_many_labels_is_left_out_without_being_spelled() {
    let names: Vec<String> = (0..20_000).map(|number| format!("n{number}")).collect();
    let labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let first = body_v1(vec![series_v1(&labels), series_v1(&[("__name__", "up")])]);
    let second = body_v2(vec![series_v2(&[3; 40_000]), series_v2(&[1, 2])]);

    for (message, body) in [(Message::V1, first), (Message::V2, second)] {
        let request = decoded(message, &body);

        assert_eq!(request.series.len(), 1, "{message:?}");
        assert!(
            problems(&request)[0].ends_with("it has more than 16384 labels"),
            "{:?}",
            problems(&request)
        );
    }
}
