use super::*;
use crate::model::ResetHint;

impl Exposition<'_> {
    /// Its samples a line each, with their families, for comparing.
    pub(in crate::codec) fn lines(&self) -> Vec<String> {
        let line = |sample: &crate::model::Sample<'_>| {
            let family = &self.families[sample.family];
            let at = sample.at.map_or(String::new(), |at| format!(" @{}", at.get()));
            let labels = sample.labels.clone().into_set();
            let native = match sample.histogram() {
                None => "",
                Some(histogram) if histogram.reset == ResetHint::Gauge => " native gauge",
                Some(_) => " native",
            };
            format!(
                "{labels} {:?}{native}{at} [{} {:?}]",
                sample.value, family.name, family.kind
            )
        };
        self.samples.iter().map(line).collect()
    }
}

/// Fails unless `read` is the refusal of `body` at this line and column, with these words in it.
#[track_caller]
pub(in crate::codec) fn refused(
    body: &[u8],
    read: Result<Exposition<'_>, TextError>,
    place: (usize, usize),
    problem: &str,
) {
    let shown = String::from_utf8_lossy(body).into_owned();
    let error = read.err().unwrap_or_else(|| panic!("{shown:?} was read"));
    assert!(error.problem.contains(problem), "{shown:?}: {error}");
    assert_eq!((error.line, error.column), place, "{shown:?}: {error}");
}
use crate::codec::{openmetrics, protobuf, text};
use crate::model::UnixNanos;

/// One registry of Go's client 1.22, written by its own encoders: every type, odd labels and values, exemplars.
const TEXT: &[u8] = include_bytes!("../../../tests/fixtures/client_golang/push.txt");
const OPENMETRICS: &[u8] = include_bytes!("../../../tests/fixtures/client_golang/push.om");
const PROTOBUF: &[u8] = include_bytes!("../../../tests/fixtures/client_golang/push.pb");

/// Series with value bits, and the family each belongs to, in the order of their names.
fn said(exposition: Exposition<'_>) -> Vec<String> {
    let families = exposition.families;
    let mut said: Vec<String> = exposition
        .samples
        .into_iter()
        .map(|sample| {
            let family = &families[sample.family];
            let (name, kind, help) = (&family.name, family.kind, &family.help);
            let bits = sample.value.to_bits();
            format!("{} {bits:x} {name} {kind:?} {help:?}", sample.labels.into_set())
        })
        .collect();
    said.sort_unstable();
    said
}

/// Exemplars, their times to the millisecond as Go's text has no more, by the series they stand beside.
fn noted(exposition: &Exposition<'_>) -> Vec<String> {
    let mut noted: Vec<String> = exposition
        .samples
        .iter()
        .flat_map(|sample| {
            let series = sample.labels.clone().into_set();
            sample.exemplars().iter().map(move |exemplar| {
                let (labels, at) = (
                    exemplar.labels.clone().into_set(),
                    exemplar.at.map(UnixNanos::millis),
                );
                format!("{series} {labels} {:?} {at:?}", exemplar.value)
            })
        })
        .collect();
    noted.sort_unstable();
    noted
}

#[test]
fn what_go_writes_in_protobuf_is_what_it_writes_in_text() {
    let encoded = protobuf::decode(PROTOBUF, 1000).unwrap();
    let written = text::parse(TEXT, 1000).unwrap();

    assert_eq!(encoded.samples.len(), 34);
    assert_eq!(said(encoded), said(written));
}

#[test]
fn what_go_writes_in_openmetrics_is_what_it_writes_in_text() {
    let measured = openmetrics::parse(OPENMETRICS, 1000).unwrap();
    let written = text::parse(TEXT, 1000).unwrap();

    assert_eq!(said(measured), said(written));
}

#[test]
fn the_exemplars_that_go_writes_in_openmetrics_are_those_it_writes_in_protobuf() {
    let measured = openmetrics::parse(OPENMETRICS, 1000).unwrap();
    let encoded = protobuf::decode(PROTOBUF, 1000).unwrap();

    assert_eq!(noted(&measured).len(), 5);
    assert_eq!(noted(&measured), noted(&encoded));
}
