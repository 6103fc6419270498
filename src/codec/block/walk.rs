//! Labels of a series as they lie encoded, for whoever only measures them.

use super::EncodedSeries;
use crate::codec::DecodeError;
use crate::codec::wire::{Fields, Value};

impl<'a> EncodedSeries<'a> {
    /// Name and value of each label in their order, as bytes that nobody has looked at yet.
    pub fn encoded_labels(
        &self,
    ) -> impl Iterator<Item = Result<(&'a [u8], &'a [u8]), DecodeError>> + use<'a> {
        let mut fields = Fields::of("labels", self.labels);
        std::iter::from_fn(move || match fields.next() {
            Ok(Some((_, Value::Bytes(label)))) => Some(label_parts(label)),
            Ok(_) => None,
            Err(error) => {
                fields = Fields::of("labels", &[]);
                Some(Err(error))
            }
        })
    }
}

/// Name and value of a `Label` message, as bytes that nobody has looked at yet.
pub(in crate::codec) fn label_parts(label: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let mut fields = Fields::of("label", label);
    let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => name = bytes,
            (2, Value::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((name, value))
}
