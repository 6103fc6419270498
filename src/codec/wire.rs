//! Protobuf's few primitives: tags, varints, lengths. Only what remote-write and metric families use.

use super::DecodeError;

/// Wire type of varints.
pub(super) const VARINT: u8 = 0;
/// Wire type of eight fixed bytes.
pub(super) const FIXED64: u8 = 1;
/// Wire type of length-delimited fields.
pub(super) const BYTES: u8 = 2;
/// Wire type of four fixed bytes.
const FIXED32: u8 = 5;

/// Most bytes of a varint.
const MAX_VARINT: usize = 10;

/// How many bytes `value` takes as a varint.
pub(super) const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Appends `value` as a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

const fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// Appends a length-delimited field with a one-byte tag.
pub(super) fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The tag of a field whose number is below 16.
pub(super) const fn tag(field: u8, wire_type: u8) -> u8 {
    field << 3 | wire_type
}

/// Appends a varint field.
pub(super) fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(tag(field, VARINT));
    put_varint(out, value);
}

/// Appends a `double` field.
pub(super) fn put_double(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push(tag(field, FIXED64));
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// A `sint32` or `sint64` as the varint it is written as.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The number that [`zigzag`] has made `varint` of.
pub(super) const fn from_zigzag(varint: u64) -> i64 {
    (varint >> 1).cast_signed() ^ -((varint & 1).cast_signed())
}

/// Takes a varint off `rest`; `None`, and `rest` as it was, when there is none.
pub(super) fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, byte) in rest.iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = rest.get(at + 1..)?;
            return Some(value);
        }
    }
    None
}

/// What a message consists of, field by field.
pub(super) struct Fields<'a> {
    what: &'static str,
    all: usize,
    rest: &'a [u8],
}

/// One field's content.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Fields<'a> {
    /// The fields of `message`; `what` names it in errors.
    pub(super) const fn of(what: &'static str, message: &'a [u8]) -> Self {
        Self {
            what,
            all: message.len(),
            rest: message,
        }
    }

    /// The bytes not read so far.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field's number and value; `None` at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        if tag >> 3 == 0 {
            return Err(DecodeError::Invalid {
                what: self.what,
                problem: "a field has the number 0",
            });
        }
        let value = match low_bits(tag) & 7 {
            VARINT => Value::Varint(self.varint()?),
            FIXED64 => Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            BYTES => {
                let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(len)?)
            }
            FIXED32 => {
                self.fixed::<4>()?;
                Value::Fixed32
            }
            _ => {
                return Err(DecodeError::Invalid {
                    what: self.what,
                    problem: "a field has an unknown wire type",
                });
            }
        };
        Ok(Some((tag >> 3, value)))
    }

    /// The next message of a stream of messages that each follow their length; `None` at the end.
    pub(super) fn delimited(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        self.take(len).map(Some)
    }

    /// The next of a packed list of varints; `None` at the end.
    pub(super) fn packed_varint(&mut self) -> Result<Option<u64>, DecodeError> {
        (!self.rest.is_empty()).then(|| self.varint()).transpose()
    }

    /// The next of a packed list of doubles; `None` at the end.
    pub(super) fn packed_double(&mut self) -> Result<Option<f64>, DecodeError> {
        let read = |fields: &mut Self| {
            fields
                .fixed()
                .map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)))
        };
        (!self.rest.is_empty()).then(|| read(self)).transpose()
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        match take_varint(&mut self.rest) {
            Some(value) => Ok(value),
            None if self.rest.len() >= MAX_VARINT => Err(DecodeError::Invalid {
                what: self.what,
                problem: "a varint is longer than ten bytes",
            }),
            None => Err(self.truncated()),
        }
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let error = self.truncated();
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(error)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(bytes)
    }

    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated {
            what: self.what,
            at: self.all - self.rest.len(),
        }
    }
}

/// A field of `what` has a wire type that is not its own. Passing it over would lose what it says without a word.
pub(super) const fn wrong_type(what: &'static str) -> DecodeError {
    DecodeError::Invalid {
        what,
        problem: "a field has the wire type of another",
    }
}

/// `bytes` as text, or an error that says of what.
pub(super) fn text<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8 { what })
}
