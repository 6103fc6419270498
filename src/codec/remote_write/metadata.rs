//! What version 1.0 says of families.

use std::borrow::Cow;

use super::series::Text;
use crate::codec::DecodeError;
use crate::codec::wire::{Fields, Value, wrong_type};
use crate::model::{Metadata, MetricType};

const WHAT: &str = "metadata";

/// Reads a `prometheus.MetricMetadata`; text that is not UTF-8 is mended, since no sample hangs on it.
pub(super) fn read(message: &[u8]) -> Result<Metadata<'_>, DecodeError> {
    let mut fields = Fields::of(WHAT, message);
    let mut metadata = Metadata::default();
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(number)) => metadata.kind = MetricType::of(number),
            (2, Value::Bytes(bytes)) => metadata.family = mended(bytes),
            (4, Value::Bytes(bytes)) => metadata.help = mended(bytes),
            (5, Value::Bytes(bytes)) => metadata.unit = mended(bytes),
            (1 | 2 | 4 | 5, _) => return Err(wrong_type(WHAT)),
            _ => {}
        }
    }
    Ok(metadata)
}

fn mended(bytes: &[u8]) -> Cow<'_, str> {
    Text::Unread(bytes).lossy()
}
