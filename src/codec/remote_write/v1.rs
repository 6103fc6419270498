//! `prometheus.WriteRequest`: each series has its labels beside it.

use std::borrow::Cow;

use super::histogram;
use super::limits::{Budget, Limits};
use super::message::Recall;
use super::request::Request;
use super::series::{Draft, Text, nanos};
use crate::codec::DecodeError;
use crate::codec::block::{read_sample, split_label};
use crate::codec::wire::{Fields, Value, wrong_type};
use crate::model::{Encoded, Exemplar, LabelDraft, Metadata, MetricType, UnixMillis};

const REQUEST: &str = "write request";
const SERIES: &str = "series";
const METADATA: &str = "metadata";

/// Reads a decompressed body, without labels that are known.
pub(super) fn decode<'a>(
    body: &'a [u8],
    limits: &Limits,
    known: Option<Recall<'_>>,
) -> Result<Request<'a>, DecodeError> {
    let mut budget = Budget::of(limits);
    let mut request = Request::default();
    let mut fields = Fields::of(REQUEST, body);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(message)) => {
                read_series(message, &mut budget, known)?.finish(&mut request, &mut budget)?;
            }
            (3, Value::Bytes(message)) => {
                budget.take(3)?;
                request.metadata.push(read_metadata(message)?);
            }
            (1 | 3, _) => return Err(wrong_type(REQUEST)),
            _ => {}
        }
    }
    Ok(request)
}

fn read_series<'a>(
    message: &'a [u8],
    budget: &mut Budget,
    known: Option<Recall<'_>>,
) -> Result<Draft<'a>, DecodeError> {
    let Some(known) = known else {
        return read_fields(message, Draft::new(budget)?, budget);
    };
    let (labels, rest) = leading_labels(message);
    if let Some(number) = known(labels) {
        let draft = read_fields(rest, Draft::known((labels, number), budget)?, budget)?;
        // what is flawed, or has more labels further on, is read as a whole
        if draft.is_still_unread() {
            return Ok(draft);
        }
    }
    let mut draft = read_fields(message, Draft::new(budget)?, budget)?;
    if !has_label(rest) {
        draft.kept.encoded = Encoded::Read(labels);
    }
    Ok(draft)
}

/// The labels at the beginning of a series, where senders write them, and what comes after them.
fn leading_labels(message: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = message;
    while let Some((_, after)) = split_label(rest) {
        rest = after;
    }
    let length = message.len() - rest.len();
    message.split_at_checked(length).unwrap_or((&[], message))
}

/// Whether there is a label among these fields, which can be read.
fn has_label(message: &[u8]) -> bool {
    let mut fields = Fields::of(SERIES, message);
    std::iter::from_fn(|| fields.next().ok().flatten()).any(|(number, _)| number == 1)
}

fn read_fields<'a>(
    message: &'a [u8],
    mut draft: Draft<'a>,
    budget: &mut Budget,
) -> Result<Draft<'a>, DecodeError> {
    let mut fields = Fields::of(SERIES, message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(label)) => {
                budget.take(1)?;
                let (name, value) = read_label(label)?;
                draft.label(name, value);
            }
            (2, Value::Bytes(sample)) => {
                budget.take(1)?;
                draft.kept.samples.push(read_sample(sample)?);
            }
            (3, Value::Bytes(exemplar)) => draft.exemplar(read_exemplar(exemplar, budget)?),
            (4, Value::Bytes(message)) => match histogram::read(message, budget)? {
                Ok(written) => draft.kept.histograms.push(written),
                Err(flaw) => draft.leave_out_histogram(flaw.to_string()),
            },
            (1..=4, _) => return Err(wrong_type(SERIES)),
            _ => {}
        }
    }
    Ok(draft)
}

fn read_label(label: &[u8]) -> Result<(Text<'_>, Text<'_>), DecodeError> {
    let mut fields = Fields::of("label", label);
    let (mut name, mut value) = (Text::Read(""), Text::Read(""));
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => name = Text::Unread(bytes),
            (2, Value::Bytes(bytes)) => value = Text::Unread(bytes),
            (1 | 2, _) => return Err(wrong_type("label")),
            _ => {}
        }
    }
    Ok((name, value))
}

type MaybeExemplar<'a> = Result<Exemplar<'a>, &'static str>;

fn read_exemplar<'a>(message: &'a [u8], budget: &mut Budget) -> Result<MaybeExemplar<'a>, DecodeError> {
    budget.take(2)?;
    let mut fields = Fields::of("exemplar", message);
    let mut labels = LabelDraft::with_capacity(2);
    let (mut value, mut at, mut is_text) = (0.0, 0, true);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(label)) => {
                budget.take(1)?;
                match read_label(label)? {
                    (name, value) if let (Ok(name), Ok(value)) = (name.read(), value.read()) => {
                        labels.push(name, value);
                    }
                    _ => is_text = false,
                }
            }
            (2, Value::Fixed64(bits)) => value = f64::from_bits(bits),
            (3, Value::Varint(millis)) => at = millis.cast_signed(),
            (1..=3, _) => return Err(wrong_type("exemplar")),
            _ => {}
        }
    }
    if !is_text {
        return Ok(Err("a label of an exemplar is not valid UTF-8"));
    }
    Ok(Ok(Exemplar {
        labels,
        value,
        at: Some(nanos(UnixMillis::new(at))),
    }))
}

/// Reads a `prometheus.MetricMetadata`; text that is not UTF-8 is mended, since no sample hangs on it.
fn read_metadata(message: &[u8]) -> Result<Metadata<'_>, DecodeError> {
    let mut fields = Fields::of(METADATA, message);
    let mut metadata = Metadata::default();
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(number)) => metadata.kind = MetricType::of(number),
            (2, Value::Bytes(bytes)) => metadata.family = mended(bytes),
            (4, Value::Bytes(bytes)) => metadata.help = mended(bytes),
            (5, Value::Bytes(bytes)) => metadata.unit = mended(bytes),
            (1 | 2 | 4 | 5, _) => return Err(wrong_type(METADATA)),
            _ => {}
        }
    }
    Ok(metadata)
}

fn mended(bytes: &[u8]) -> Cow<'_, str> {
    Text::Unread(bytes).lossy()
}
