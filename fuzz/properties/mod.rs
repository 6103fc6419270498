//! What has to hold for any bytes whatsoever. Shared by the targets of cargo-fuzz and by `tests/mutated_bodies.rs`.

mod again;
mod shown;
mod stored;
mod written;

pub(crate) use shown::shape;
pub(crate) use stored::{block, record};
pub(crate) use written::{remote_write_v1, remote_write_v2};

use flinkbridge::codec::exposition::Exposition;
use flinkbridge::codec::{openmetrics, protobuf, text};
use flinkbridge::model::METRIC_NAME;

/// Most samples of a body here.
const MAX_SAMPLES: usize = 200;

/// Text 0.0.4: what is read, written and read again is the same.
pub(crate) fn text(body: &[u8]) {
    let read = match text::parse(body, MAX_SAMPLES) {
        Ok(read) => read,
        Err(error) => return is_a_place(body, error.line, error.column),
    };
    is_sound(&read);
    again::is_the_same_in_text(&read);
    if let Some(fewer) = read.samples.len().checked_sub(1) {
        assert!(
            text::parse(body, fewer).is_err(),
            "the limit of samples was passed"
        );
    }
}

/// OpenMetrics: the same samples come out when they are written as text 0.0.4.
pub(crate) fn openmetrics(body: &[u8]) {
    let read = match openmetrics::parse(body, MAX_SAMPLES) {
        Ok(read) => read,
        Err(error) => return is_a_place(body, error.line, error.column),
    };
    is_sound(&read);
    again::says_the_same_in_text(&read);
    if let Some(fewer) = read.samples.len().checked_sub(1) {
        assert!(
            openmetrics::parse(body, fewer).is_err(),
            "the limit of samples was passed"
        );
    }
}

/// Delimited protobuf: the same samples come out when they are written as text 0.0.4.
pub(crate) fn protobuf(body: &[u8]) {
    let Ok(read) = protobuf::decode(body, MAX_SAMPLES) else {
        return;
    };
    is_sound(&read);
    again::says_the_same_in_text(&read);
    if let Some(fewer) = read.samples.len().checked_sub(1) {
        assert!(
            protobuf::decode(body, fewer).is_err(),
            "the limit of samples was passed"
        );
    }
}

/// Whether an exposition keeps the promises of its type, and can be shown.
fn is_sound(read: &Exposition<'_>) {
    shown::has_all(read);
    assert!(
        read.samples.len() <= MAX_SAMPLES,
        "the limit of samples was passed"
    );
    for sample in &read.samples {
        assert!(sample.family < read.families.len(), "no family: {sample:?}");
        let mut names: Vec<&str> = sample.labels.iter().map(|(name, _)| name).collect();
        assert_eq!(names.first(), Some(&METRIC_NAME), "no name: {sample:?}");
        names.sort_unstable();
        assert!(
            names.is_sorted_by(|one, next| one < next),
            "a label twice: {sample:?}"
        );
        assert!(
            !flinkbridge::model::is_stale(sample.value),
            "a stale marker: {sample:?}"
        );
    }
    let mut families: Vec<&str> = read.families.iter().map(|family| family.name.as_ref()).collect();
    families.sort_unstable();
    assert!(
        families.is_sorted_by(|one, next| one < next),
        "a family twice: {families:?}"
    );
}

/// Whether an error stands within the body that it speaks of.
fn is_a_place(body: &[u8], line: usize, column: usize) {
    let Some(text) = body.split(|byte| *byte == b'\n').nth(line.wrapping_sub(1)) else {
        panic!("line {line} is not in the body");
    };
    assert!(
        (1..=text.len() + 1).contains(&column),
        "column {column} is not in line {line}"
    );
}
