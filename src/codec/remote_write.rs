//! The remote-write 1.0 request of any sender: series with their samples, borrowed from the decompressed body.

mod request;

use super::DecodeError;
use super::block::{read_label, read_sample};
use super::wire::{Fields, Value};
use crate::model::{LabelDraft, UnixMillis};

pub use request::{Counts, Flaw, Request};

/// One series of a request: its labels as sent, and its samples in the order they were sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestSeries<'a> {
    /// The labels, unsorted if the sender did not sort them.
    pub labels: LabelDraft<'a>,
    /// Value and time of each sample.
    pub samples: Vec<(f64, UnixMillis)>,
}

/// Reads a decompressed `prometheus.WriteRequest`; fields this version does not know are passed over (PRW R1-06).
///
/// # Errors
/// When the bytes are not such a message.
pub fn decode(body: &[u8]) -> Result<Vec<RequestSeries<'_>>, DecodeError> {
    let mut fields = Fields::of("write request", body);
    let mut request = Vec::new();
    while let Some(field) = fields.next()? {
        if let (1, Value::Bytes(series)) = field {
            request.push(decode_series(series)?);
        }
    }
    Ok(request)
}

fn decode_series(series: &[u8]) -> Result<RequestSeries<'_>, DecodeError> {
    let mut fields = Fields::of("series", series);
    let mut decoded = RequestSeries::default();
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(label)) => {
                let (name, value) = read_label(label)?;
                decoded.labels.push(name, value);
            }
            (2, Value::Bytes(sample)) => decoded
                .samples
                .push(read_sample(sample).map(|sample| (sample.value, sample.at))?),
            _ => {}
        }
    }
    Ok(decoded)
}
