//! Bodies that are no requests.

use prost::Message as _;

use super::sender::{
    V1, V2, packed, packed_v1, packed_v2, post_with, request_v2, series_v1, series_v2, usual, written,
};
use crate::bridge::Bridge;
use crate::http::Answer;

const UP: [(&str, &str); 1] = [("__name__", "up")];

#[track_caller]
fn refused(bridge: &Bridge, kind: &str, body: &[u8]) -> Answer {
    let answer = post_with(bridge, "/api/v1/write", &usual(kind), body);
    let nothing = (kind == V2).then_some([0, 0, 0]);
    assert_eq!(written(&answer), nothing, "{}", answer.text());
    assert!(
        answer.text().ends_with('\n') && answer.text().len() > 20,
        "{}",
        answer.text()
    );
    answer
}

/// PRW R1-04, R2-05, S1-07.
#[test]
fn what_is_no_snappy_block_or_no_message_is_refused_in_a_sentence() {
    let bridge = Bridge::start();
    let mut framed = snap::write::FrameEncoder::new(Vec::new());
    std::io::Write::write_all(&mut framed, b"something").unwrap();
    let framed = framed.into_inner().unwrap();
    for kind in [V1, V2] {
        for (body, said) in [
            (&b""[..], "the body is empty"),
            (framed.as_slice(), "framed snappy"),
            (b"\x05", "no snappy block"),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "no snappy block"),
            (b"\x80\x80\x40\x00\x00", "no snappy block"),
            (&packed(b"\x2a\xff\xff"), "cut off at byte"),
            (&packed(b"hello"), "the body is no "),
            (&packed(&[0xff; 32]), "the body is no "),
        ] {
            let answer = refused(&bridge, kind, body);

            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(answer.text().contains(said), "{said}: {}", answer.text());
        }
    }
    assert_eq!(bridge.metric("flinkbridge_intake_received_samples_total"), 0.0);
}

/// PRW R1-04: every cut of a request is refused or is a request of fewer series; none is taken by halves.
#[test]
fn a_request_cut_anywhere_is_refused_or_shorter() {
    let bridge = Bridge::start();
    let raw = request_v2(vec![series_v2(&[1, 2, 3, 4], &[(1.0, 1)]); 2]).encode_to_vec();

    for end in 0..raw.len() {
        let answer = post_with(&bridge, "/api/v1/write", &usual(V2), &packed(&raw[..end]));
        let [samples, ..] = written(&answer).unwrap();
        let taken = if answer.status == 204 { samples } else { 0 };
        assert!(matches!(answer.status, 204 | 400), "{end}: {}", answer.text());
        assert!(samples < 2 && samples == taken, "{end}: {samples}");
    }
}

/// The length that a block announces is believed only as far as it can be true, and then only up to the limit.
#[test]
fn what_is_too_long_sent_or_decompressed_is_refused_before_it_takes_memory() {
    let bridge =
        Bridge::with("remote_write_receiver: {max_body_bytes: 64KiB, max_decompressed_bytes: 128KiB}\n");
    let noise: Vec<u8> = (0..80_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_769).to_le_bytes())
        .collect();
    let bomb = packed(&vec![0; 200_000]);
    let liar = [&b"\xff\xff\xff\xff\x0f"[..], b"\x00a"].concat();
    for kind in [V1, V2] {
        for (body, said) in [
            (packed(&noise).as_slice(), "remote_write_receiver.max_body_bytes"),
            (&bomb, "remote_write_receiver.max_decompressed_bytes"),
            (&liar, "remote_write_receiver.max_decompressed_bytes"),
        ] {
            let answer = refused(&bridge, kind, body);

            assert_eq!(answer.status, 413, "{}", answer.text());
            assert!(answer.text().contains(said), "{}", answer.text());
        }
    }
}

/// References make much out of few bytes; each sample stands beside all its labels in the log.
#[test]
fn a_request_that_would_become_too_much_is_refused() {
    let bridge = Bridge::start();
    let mut request = request_v2(vec![series_v2(&[1, 2, 3, 9], &vec![(1.0, 1); 700_000])]);
    request.symbols.push("x".repeat(2_000));

    let answer = refused(&bridge, V2, &packed(&request.encode_to_vec()));

    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains("send less at a time"), "{}", answer.text());
}

#[test]
fn a_short_request_that_says_much_is_taken_once() {
    let bridge = Bridge::start();
    let mut request = request_v2(vec![series_v2(&[1, 2, 3, 9], &vec![(1.0, 1); 20_000])]);
    request.symbols.push("x".repeat(2_000));

    let answer = post_with(&bridge, "/write", &usual(V2), &packed(&request.encode_to_vec()));

    assert_eq!((answer.status, written(&answer)), (204, Some([20_000, 0, 0])));
    assert_eq!(
        bridge.metric("flinkbridge_intake_received_samples_total"),
        20_000.0
    );
}

/// A request of some megabytes goes the same way as one of some bytes, on a thread of its own.
#[test]
fn a_long_request_is_taken_whole() {
    let bridge = Bridge::start();
    let samples: Vec<(f64, i64)> = (0..100_000).map(|at| (1.0, at)).collect();

    let first = post_with(
        &bridge,
        "/write",
        &usual(V1),
        &packed_v1(vec![series_v1(&UP, &samples)]),
    );
    let second = post_with(
        &bridge,
        "/write",
        &usual(V2),
        &packed_v2(vec![series_v2(&[1, 2], &samples)]),
    );

    assert_eq!(
        (first.status, second.status, written(&second)),
        (204, 204, Some([100_000, 0, 0]))
    );
    assert_eq!(
        bridge.metric("flinkbridge_intake_queued_samples_total"),
        200_000.0
    );
}
