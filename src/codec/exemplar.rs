//! Exemplars in both messages that have them: as clients push them, and as remote-write wants them.

use super::DecodeError;
use super::block::{put_label, read_label};
use super::wire::{BYTES, Fields, Value, put_bytes, put_double, put_number, tag};
use crate::model::{Exemplar, LabelDraft, UnixNanos};

/// Appends the fields of an `io.prometheus.client.Exemplar`.
pub fn put_pushed(out: &mut Vec<u8>, exemplar: &Exemplar<'_>) {
    for (name, value) in exemplar.labels.iter() {
        put_label(out, name, value);
    }
    put_double(out, 2, exemplar.value);
    if let Some(at) = exemplar.at {
        put_bytes(out, tag(3, BYTES), &timestamp(at));
    }
}

/// Reads an `io.prometheus.client.Exemplar`.
///
/// # Errors
/// When the bytes are not such a message.
pub fn read_pushed(message: &[u8]) -> Result<Exemplar<'_>, DecodeError> {
    let mut fields = Fields::of("exemplar", message);
    let mut exemplar = Exemplar {
        labels: LabelDraft::with_capacity(2),
        ..Exemplar::default()
    };
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(label)) => {
                let (name, value) = read_label(label)?;
                exemplar.labels.push(name, value);
            }
            (2, Value::Fixed64(bits)) => exemplar.value = f64::from_bits(bits),
            (3, Value::Bytes(bytes)) => exemplar.at = Some(read_timestamp(bytes)?),
            _ => {}
        }
    }
    Ok(exemplar)
}

/// Appends the fields of a `prometheus.Exemplar` but for its time, the labels in the order of their names.
pub(super) fn put_remote_write(out: &mut Vec<u8>, exemplar: &Exemplar<'_>) {
    for (name, value) in exemplar.labels.clone().into_set().iter() {
        put_label(out, name, value);
    }
    put_double(out, 2, exemplar.value);
}

/// The fields of a `google.protobuf.Timestamp`.
pub(super) fn timestamp(at: UnixNanos) -> Vec<u8> {
    let (seconds, nanos) = at.parts();
    let mut message = Vec::with_capacity(12);
    put_number(&mut message, 1, seconds.cast_unsigned());
    put_number(&mut message, 2, nanos.cast_unsigned());
    message
}

/// Reads a `google.protobuf.Timestamp`.
pub(super) fn read_timestamp(message: &[u8]) -> Result<UnixNanos, DecodeError> {
    let mut fields = Fields::of("timestamp", message);
    let (mut seconds, mut nanos) = (0, 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(number)) => seconds = number.cast_signed(),
            (2, Value::Varint(number)) => nanos = number.cast_signed(),
            _ => {}
        }
    }
    Ok(UnixNanos::from_parts(seconds, nanos))
}
