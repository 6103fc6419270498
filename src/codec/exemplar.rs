//! Exemplars in both messages that have them: as clients push them, and as remote-write wants them; and the times of
//! creation that may stand beside them.

use super::DecodeError;
use super::block::{put_label, read_label};
use super::wire::{BYTES, Fields, Value, put_bytes, put_double, put_number, tag};
use crate::model::{Exemplar, LabelDraft, UnixNanos};

/// When a metric was created, behind the fields of an exemplar, which has none of this number.
const CREATED: u8 = 15;

/// Appends what a number has beside it: the fields of an `io.prometheus.client.Exemplar`, and behind them when its metric
/// was created.
pub fn put_beside(out: &mut Vec<u8>, exemplar: Option<&Exemplar<'_>>, created: Option<UnixNanos>) {
    if let Some(exemplar) = exemplar {
        put_pushed(out, exemplar);
    }
    if let Some(created) = created {
        put_bytes(out, tag(CREATED, BYTES), &timestamp(created));
    }
}

/// What stands beside a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside<'a> {
    /// An encoded `io.prometheus.client.Exemplar`.
    pub exemplar: Option<&'a [u8]>,
    /// When its metric was created: an encoded `google.protobuf.Timestamp`.
    pub created: Option<&'a [u8]>,
}

impl<'a> Beside<'a> {
    /// Reads what [`put_beside`] has written.
    ///
    /// # Errors
    /// When the bytes are no such fields.
    pub fn read(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of("what stands beside a number", message);
        let (mut exemplar, mut created) = (message, None);
        loop {
            let before = message.len() - fields.rest().len();
            match fields.next()? {
                Some((number, Value::Bytes(time))) if number == u64::from(CREATED) => {
                    exemplar = message.get(..before).unwrap_or_default();
                    created = Some(time);
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(Self {
            exemplar: (!exemplar.is_empty()).then_some(exemplar),
            created,
        })
    }
}

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

/// The fields of a `google.protobuf.Timestamp`, without those that are zero.
pub(super) fn timestamp(at: UnixNanos) -> Vec<u8> {
    let (seconds, nanos) = at.parts();
    let mut message = Vec::with_capacity(12);
    for (field, number) in [(1, seconds), (2, nanos)] {
        if number != 0 {
            put_number(&mut message, field, number.cast_unsigned());
        }
    }
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
