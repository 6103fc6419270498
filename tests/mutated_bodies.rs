//! Bodies changed at random: what the targets of `fuzz/` assert, without libFuzzer and the same in every run.
//!
//! `FLINKBRIDGE_MUTATIONS=10000000 cargo test --release --test mutated_bodies` looks longer; see `docs/fuzzing.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test says what it expects by failing"
)]

#[path = "../fuzz/mutation.rs"]
mod mutation;
#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::path::Path;

use flinkbridge::codec::exposition::Exposition;
use flinkbridge::codec::{openmetrics, protobuf, text};

#[test]
fn text_is_read_alike_again_or_refused() {
    mutation::shake("text", properties::text);
}

#[test]
fn openmetrics_says_the_same_in_text_or_is_refused() {
    mutation::shake("openmetrics", properties::openmetrics);
}

#[test]
fn protobuf_says_the_same_in_text_or_is_refused() {
    mutation::shake("protobuf", properties::protobuf);
}

#[test]
fn blocks_are_encoded_alike_again_or_refused() {
    mutation::shake("block", properties::block);
}

#[test]
fn records_are_encoded_alike_again_or_refused() {
    mutation::shake("record", properties::record);
}

#[test]
fn requests_of_version_1_are_written_alike_or_refused() {
    mutation::shake("remote_write_v1", properties::remote_write_v1);
}

#[test]
fn requests_of_version_2_are_written_alike_or_refused() {
    mutation::shake("remote_write_v2", properties::remote_write_v2);
}

#[test]
fn shapes_are_read_to_their_end_or_refused() {
    mutation::shake("shape", properties::shape);
}

#[test]
fn text_cut_anywhere_is_refused_or_says_what_its_whole_lines_say() {
    for whole in bodies("text") {
        let Ok(said) = text::parse(&whole, usize::MAX) else {
            continue;
        };
        for end in 0..whole.len() {
            if let Ok(cut) = text::parse(&whole[..end], usize::MAX) {
                begins(&said, &cut, &whole[..end]);
                assert!(
                    is_at_line_end(&whole[..end]),
                    "b\"{}\"",
                    whole[..end].escape_ascii()
                );
            }
        }
    }
}

#[test]
fn openmetrics_cut_within_a_line_is_refused() {
    for whole in bodies("openmetrics") {
        if openmetrics::parse(&whole, usize::MAX).is_err() {
            continue;
        }
        let end_of_text = whole.strip_suffix(b"\n").unwrap_or(&whole).len();
        for end in (0..end_of_text).filter(|end| !is_at_line_end(&whole[..*end])) {
            let cut = openmetrics::parse(&whole[..end], usize::MAX);
            assert!(cut.is_err(), "b\"{}\"", whole[..end].escape_ascii());
        }
    }
}

#[test]
fn protobuf_is_refused_when_it_is_cut_within_a_message() {
    for whole in bodies("protobuf") {
        if protobuf::decode(&whole, usize::MAX).is_err() {
            continue;
        }
        let boundaries = boundaries(&whole);
        for end in 0..whole.len() {
            let cut = protobuf::decode(&whole[..end], usize::MAX);
            assert_eq!(
                cut.is_ok(),
                boundaries.contains(&end),
                "b\"{}\"",
                whole[..end].escape_ascii()
            );
        }
    }
}

/// Where the messages of a stream begin.
fn boundaries(stream: &[u8]) -> Vec<usize> {
    let (mut rest, mut begins) = (stream, Vec::new());
    while !rest.is_empty() {
        begins.push(stream.len() - rest.len());
        let length = prost::decode_length_delimiter(&mut rest).unwrap();
        rest = &rest[length..];
    }
    begins
}

fn bodies(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    mutation::corpus(&folder.join(target))
}

/// A body may end in a line without anything in it.
fn is_at_line_end(body: &[u8]) -> bool {
    let last = body.rsplit(|byte| *byte == b'\n').next().unwrap();
    last.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

#[track_caller]
fn begins(whole: &Exposition<'_>, cut: &Exposition<'_>, body: &[u8]) {
    let shown = body.escape_ascii();
    let samples = cut.samples.iter().zip(&whole.samples);
    assert!(cut.samples.len() <= whole.samples.len(), "b\"{shown}\"");
    for (one, other) in samples {
        assert_eq!(one.labels, other.labels, "b\"{shown}\"");
        assert_eq!(one.value.to_bits(), other.value.to_bits(), "b\"{shown}\"");
    }
    let families = cut.families.iter().zip(&whole.families);
    assert!(
        families.into_iter().all(|(one, other)| one.name == other.name),
        "b\"{shown}\""
    );
}
