//! What the messages of summaries and histograms consist of.

use crate::codec::wire::{Fields, Value};
use crate::codec::{DecodeError, exemplar};
use crate::model::Exemplar;

/// A count in both of its forms.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) whole: u64,
    pub(super) float: f64,
}

impl Count {
    /// The float one, if it is above zero (metrics.proto).
    pub(super) fn get(self) -> f64 {
        if self.float > 0.0 {
            self.float
        } else {
            as_float(self.whole)
        }
    }
}

#[derive(Default)]
pub(super) struct Bucket<'a> {
    pub(super) bound: f64,
    pub(super) count: Count,
    pub(super) exemplar: Option<Exemplar<'a>>,
}

impl<'a> Bucket<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of("bucket", message);
        let mut bucket = Self::default();
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Varint(number)) => bucket.count.whole = number,
                (4, Value::Fixed64(bits)) => bucket.count.float = f64::from_bits(bits),
                (2, Value::Fixed64(bits)) => bucket.bound = f64::from_bits(bits),
                (3, Value::Bytes(message)) => bucket.exemplar = Some(exemplar::read_pushed(message)?),
                _ => {}
            }
        }
        Ok(bucket)
    }
}

pub(super) fn read_quantile(quantile: &[u8]) -> Result<(f64, f64), DecodeError> {
    let mut fields = Fields::of("quantile", quantile);
    let (mut bound, mut value) = (0, 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Fixed64(bits)) => bound = bits,
            (2, Value::Fixed64(bits)) => value = bits,
            _ => {}
        }
    }
    Ok((f64::from_bits(bound), f64::from_bits(value)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "samples are floats, as in Prometheus itself"
)]
pub(super) const fn as_float(count: u64) -> f64 {
    count as f64
}
