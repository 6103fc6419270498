//! A histogram, whichever forms it has.

use crate::codec::DecodeError;
use crate::codec::layer::Bucket;
use crate::codec::number::{TOO_MANY, whole_as_in_go};
use crate::codec::wire::{Fields, Value};

/// A histogram as its forms together have it.
pub(super) struct Histogram<'a> {
    pub(super) buckets: Vec<Bucket<'a>>,
    pub(super) sum: f64,
    pub(super) count: f64,
    /// The native form, without what both forms have.
    pub(super) native: Option<Native<'a>>,
}

/// What the counts of a histogram are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Whole,
    Float,
}

/// The native form of a histogram.
#[derive(Default)]
pub(super) struct Native<'a> {
    /// Its fields, encoded.
    pub(super) fields: Vec<&'a [u8]>,
    sum: Option<f64>,
    count: Option<f64>,
    is_float: bool,
}

impl<'a> Histogram<'a> {
    /// Puts the forms together. A histogram that is only native has its sum and count there.
    pub(super) fn of(
        buckets: Vec<Bucket<'a>>,
        (sum, count): (f64, f64),
        native: Option<&'a [u8]>,
    ) -> Result<Self, DecodeError> {
        let native = native.map(Native::read).transpose()?;
        let only_native = native.as_ref().filter(|_| buckets.is_empty());
        Ok(Self {
            sum: only_native.and_then(|native| native.sum).unwrap_or(sum),
            count: only_native.and_then(|native| native.count).unwrap_or(count),
            buckets,
            native,
        })
    }

    /// What its counts are: one that is no whole number makes all of them such.
    pub(super) fn counts(&self) -> Counts {
        let is_native_whole = self.native.as_ref().is_none_or(|native| !native.is_float);
        let mut counts = self.buckets.iter().map(|bucket| bucket.count);
        if is_native_whole && is_whole(self.count) && counts.all(is_whole) {
            Counts::Whole
        } else {
            Counts::Float
        }
    }

    /// Whether no bucket reaches to infinity.
    pub(super) fn is_open(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.bound != f64::INFINITY)
    }
}

impl<'a> Native<'a> {
    fn read(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut native = Self::default();
        let mut fields = Fields::of("native histogram", message);
        loop {
            let before = fields.rest();
            let Some((number, value)) = fields.next()? else {
                return Ok(native);
            };
            match (number, value) {
                (1, Value::Varint(count)) => native.count = native.count.or(Some(as_float(count))),
                (2, Value::Fixed64(sum)) => native.sum = Some(f64::from_bits(sum)),
                (4, Value::Fixed64(count)) => {
                    (native.count, native.is_float) = (Some(f64::from_bits(count)), true);
                }
                (3, _) => {}
                _ => {
                    native.is_float |= matches!(number, 8 | 11 | 14);
                    let len = before.len() - fields.rest().len();
                    native.fields.extend(before.get(..len));
                }
            }
        }
    }
}

/// Whether a count can be a whole number of protobuf.
pub(super) fn is_whole(count: f64) -> bool {
    (0.0..TOO_MANY).contains(&count) && count.fract() == 0.0
}

/// The count of a summary, which Pushgateway keeps as a whole number.
pub(super) fn summary_count(count: f64) -> f64 {
    as_float(whole_as_in_go(count))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts are floats in a layer, as in Prometheus itself"
)]
const fn as_float(count: u64) -> f64 {
    count as f64
}
