//! Native histograms of both versions, which have the same fields, judged as Prometheus judges them
//! (`model/histogram`, `Validate`).

use super::limits::Budget;
use super::reduce::{self, Absolute as _};
use super::series::nanos;
use crate::codec::DecodeError;
use crate::codec::wire::{Fields, Value, from_zigzag, wrong_type};
use crate::model::{
    BucketSpan, HistogramBuckets, HistogramCounts, NativeHistogram, ResetHint, UnixMillis, WrittenHistogram,
};

const WHAT: &str = "native histogram";

/// Parts that a histogram takes without any bucket.
const PARTS: usize = 6;

/// The finest resolution that the format may ever have; what is finer than stores know is merged.
const FINEST: i32 = 52;

/// Why a histogram makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(super) enum HistogramFlaw {
    #[error("a histogram has the schema {0}, which is none of -4 to 52 nor -53")]
    Schema(i64),
    #[error("a histogram's {side} spans have {spanned} buckets, and there are {buckets}")]
    Spans {
        side: &'static str,
        spanned: u64,
        buckets: usize,
    },
    #[error("a histogram's {0} spans overlap: the offset of one is negative")]
    Overlap(&'static str),
    #[error("a histogram has a {0} bucket with less than no observation")]
    NegativeBucket(&'static str),
    #[error("a histogram has less than no observation")]
    NegativeCount,
    #[error("a histogram counts {count} observations, and its buckets hold {held}")]
    Count { count: u64, held: u128 },
    #[error("a histogram of an exponential schema has custom bounds")]
    NeedlessBounds,
    #[error("a histogram with custom bounds has {0}, which such have not")]
    NotCustom(&'static str),
    #[error("a histogram's custom bounds are not ascending numbers")]
    Bounds,
    #[error("a histogram's last custom bound is infinite, which it is without being said")]
    InfiniteBound,
    #[error("a histogram has {bounds} custom bounds, and its spans reach to bucket {reach}")]
    FewBounds { bounds: usize, reach: i128 },
}

/// Reads a `Histogram` with its time. What cannot be read is an error, what makes no sense a flaw.
pub(super) fn read(
    message: &[u8],
    budget: &mut Budget,
) -> Result<Result<WrittenHistogram, HistogramFlaw>, DecodeError> {
    budget.take(PARTS)?;
    let mut said = Said::default();
    let mut fields = Fields::of(WHAT, message);
    while let Some(field) = fields.next()? {
        said.take_up(field, budget)?;
    }
    Ok(said.judged())
}

/// The fields, before it is known which of them count.
#[derive(Default)]
struct Said {
    count: Number,
    zero: Number,
    sum: f64,
    schema: i64,
    zero_threshold: f64,
    negative: Side,
    positive: Side,
    reset: u64,
    at: i64,
    custom_values: Vec<f64>,
    created: i64,
}

/// A count: whole, or a float; of both the one said last (`oneof`).
#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Float(f64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Whole(0)
    }
}

/// Buckets on one side of zero, in both forms.
#[derive(Default)]
struct Side {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    floats: Vec<f64>,
}

impl Said {
    fn take_up(&mut self, (number, value): (u64, Value<'_>), budget: &mut Budget) -> Result<(), DecodeError> {
        match (number, value) {
            (1, Value::Varint(count)) => self.count = Number::Whole(count),
            (2, Value::Fixed64(bits)) => self.count = Number::Float(f64::from_bits(bits)),
            (3, Value::Fixed64(bits)) => self.sum = f64::from_bits(bits),
            (4, Value::Varint(schema)) => self.schema = from_zigzag(schema),
            (5, Value::Fixed64(bits)) => self.zero_threshold = f64::from_bits(bits),
            (6, Value::Varint(count)) => self.zero = Number::Whole(count),
            (7, Value::Fixed64(bits)) => self.zero = Number::Float(f64::from_bits(bits)),
            (8, Value::Bytes(span)) => self.negative.spans.push(read_span(span, budget)?),
            (9, value) => read_deltas(&mut self.negative.deltas, value, budget)?,
            (10, value) => read_floats(&mut self.negative.floats, value, budget)?,
            (11, Value::Bytes(span)) => self.positive.spans.push(read_span(span, budget)?),
            (12, value) => read_deltas(&mut self.positive.deltas, value, budget)?,
            (13, value) => read_floats(&mut self.positive.floats, value, budget)?,
            (14, Value::Varint(hint)) => self.reset = hint,
            (15, Value::Varint(millis)) => self.at = millis.cast_signed(),
            (16, value) => read_floats(&mut self.custom_values, value, budget)?,
            (17, Value::Varint(millis)) => self.created = millis.cast_signed(),
            (1..=17, _) => return Err(wrong_type(WHAT)),
            _ => {}
        }
        Ok(())
    }

    fn judged(self) -> Result<WrittenHistogram, HistogramFlaw> {
        let schema = self.checked_schema()?;
        self.check_layout(schema)?;
        let counts = match self.count {
            Number::Whole(count) => whole(count, self.zero, self.sum, [self.negative, self.positive])?,
            Number::Float(count) => float(count, self.zero, [self.negative, self.positive])?,
        };
        let histogram = NativeHistogram {
            schema,
            zero_threshold: self.zero_threshold,
            sum: self.sum,
            counts,
            reset: match self.reset {
                1 => ResetHint::Yes,
                2 => ResetHint::No,
                3 => ResetHint::Gauge,
                _ => ResetHint::Unknown,
            },
            custom_values: self.custom_values,
            created: (self.created != 0).then(|| nanos(UnixMillis::new(self.created))),
        };
        Ok(WrittenHistogram {
            histogram: reduce::to_known(histogram),
            at: UnixMillis::new(self.at),
        })
    }

    fn checked_schema(&self) -> Result<i32, HistogramFlaw> {
        let schema = i32::try_from(self.schema).unwrap_or(i32::MAX);
        let is_known = schema == NativeHistogram::CUSTOM
            || (*NativeHistogram::SCHEMAS.start()..=FINEST).contains(&schema);
        is_known
            .then_some(schema)
            .ok_or(HistogramFlaw::Schema(self.schema))
    }

    /// Whether it has what histograms of its schema have, and nothing else.
    fn check_layout(&self, schema: i32) -> Result<(), HistogramFlaw> {
        if schema != NativeHistogram::CUSTOM {
            return if self.custom_values.is_empty() {
                Ok(())
            } else {
                Err(HistogramFlaw::NeedlessBounds)
            };
        }
        check_bounds(&self.custom_values)?;
        let spans = &self.positive.spans;
        if spans.iter().any(|span| span.offset < 0) {
            return Err(HistogramFlaw::Overlap("positive"));
        }
        let reach = spans
            .iter()
            .map(|span| i128::from(span.offset) + i128::from(span.length))
            .sum();
        let bounds = self.custom_values.len();
        if reach > bounds as i128 + 1 {
            return Err(HistogramFlaw::FewBounds { bounds, reach });
        }
        let zero = match self.zero {
            Number::Whole(zero) => zero != 0,
            Number::Float(zero) => zero != 0.0,
        };
        let needless = [
            (zero, "a zero bucket"),
            (self.zero_threshold != 0.0, "a zero threshold"),
            (!self.negative.spans.is_empty(), "negative spans"),
            (
                !self.negative.deltas.is_empty() || !self.negative.floats.is_empty(),
                "negative buckets",
            ),
        ];
        match needless.iter().find(|(has, _)| *has) {
            Some((_, what)) => Err(HistogramFlaw::NotCustom(what)),
            None => Ok(()),
        }
    }
}

fn check_bounds(bounds: &[f64]) -> Result<(), HistogramFlaw> {
    if bounds.iter().any(|bound| bound.is_nan()) || !bounds.is_sorted_by(|one, next| one < next) {
        return Err(HistogramFlaw::Bounds);
    }
    match bounds.last() {
        Some(last) if *last == f64::INFINITY => Err(HistogramFlaw::InfiniteBound),
        _ => Ok(()),
    }
}

/// Counts in whole numbers: what the buckets hold is what was counted, less only what was not a number.
fn whole(
    count: u64,
    zero: Number,
    sum: f64,
    [negative, positive]: [Side; 2],
) -> Result<HistogramCounts, HistogramFlaw> {
    let zero = match zero {
        Number::Whole(zero) => zero,
        Number::Float(_) => 0,
    };
    let mut held = u128::from(zero);
    for (side, name) in [(&negative, "negative"), (&positive, "positive")] {
        check_spans(&side.spans, side.deltas.len(), name)?;
        for bucket in side.deltas.absolute() {
            held += u128::try_from(bucket).map_err(|_| HistogramFlaw::NegativeBucket(name))?;
        }
    }
    let agrees = if sum.is_nan() {
        held <= u128::from(count)
    } else {
        held == u128::from(count)
    };
    if !agrees {
        return Err(HistogramFlaw::Count { count, held });
    }
    let buckets = |side: Side| HistogramBuckets {
        spans: side.spans,
        counts: side.deltas,
    };
    Ok(HistogramCounts::Whole {
        count,
        zero,
        negative: buckets(negative),
        positive: buckets(positive),
    })
}

/// Counts in floats, which are not added up: rounding would make them differ.
fn float(
    count: f64,
    zero: Number,
    [negative, positive]: [Side; 2],
) -> Result<HistogramCounts, HistogramFlaw> {
    let zero = match zero {
        Number::Whole(_) => 0.0,
        Number::Float(zero) => zero,
    };
    for (side, name) in [(&negative, "negative"), (&positive, "positive")] {
        check_spans(&side.spans, side.floats.len(), name)?;
        if side.floats.iter().any(|bucket| *bucket < 0.0) {
            return Err(HistogramFlaw::NegativeBucket(name));
        }
    }
    if zero < 0.0 {
        return Err(HistogramFlaw::NegativeBucket("zero"));
    }
    if count < 0.0 {
        return Err(HistogramFlaw::NegativeCount);
    }
    let buckets = |side: Side| HistogramBuckets {
        spans: side.spans,
        counts: side.floats,
    };
    Ok(HistogramCounts::Float {
        count,
        zero,
        negative: buckets(negative),
        positive: buckets(positive),
    })
}

fn check_spans(spans: &[BucketSpan], buckets: usize, side: &'static str) -> Result<(), HistogramFlaw> {
    if spans.iter().skip(1).any(|span| span.offset < 0) {
        return Err(HistogramFlaw::Overlap(side));
    }
    let spanned = spans.iter().map(|span| u64::from(span.length)).sum();
    if spanned == buckets as u64 {
        Ok(())
    } else {
        Err(HistogramFlaw::Spans {
            side,
            spanned,
            buckets,
        })
    }
}

fn read_span(message: &[u8], budget: &mut Budget) -> Result<BucketSpan, DecodeError> {
    const SPAN: &str = "bucket span";
    let far = DecodeError::Invalid {
        what: SPAN,
        problem: "offset or length is beyond 32 bits",
    };
    budget.take(1)?;
    let mut fields = Fields::of(SPAN, message);
    let mut span = BucketSpan::default();
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(offset)) => {
                span.offset = i32::try_from(from_zigzag(offset)).map_err(|_| far.clone())?;
            }
            (2, Value::Varint(length)) => span.length = u32::try_from(length).map_err(|_| far.clone())?,
            (1 | 2, _) => return Err(wrong_type(SPAN)),
            _ => {}
        }
    }
    Ok(span)
}

/// One difference, or a packed list of them: a reader has to take both.
fn read_deltas(deltas: &mut Vec<i64>, value: Value<'_>, budget: &mut Budget) -> Result<(), DecodeError> {
    match value {
        Value::Varint(delta) => {
            budget.take(1)?;
            deltas.push(from_zigzag(delta));
        }
        Value::Bytes(packed) => {
            budget.take(packed.len().div_ceil(4))?;
            let mut packed = Fields::of("bucket differences", packed);
            while let Some(delta) = packed.packed_varint()? {
                deltas.push(from_zigzag(delta));
            }
        }
        Value::Fixed64(_) | Value::Fixed32 => return Err(wrong_type(WHAT)),
    }
    Ok(())
}

fn read_floats(floats: &mut Vec<f64>, value: Value<'_>, budget: &mut Budget) -> Result<(), DecodeError> {
    match value {
        Value::Fixed64(bits) => {
            budget.take(1)?;
            floats.push(f64::from_bits(bits));
        }
        Value::Bytes(packed) => {
            budget.take(packed.len().div_ceil(32))?;
            let mut packed = Fields::of("bucket counts", packed);
            while let Some(count) = packed.packed_double()? {
                floats.push(count);
            }
        }
        Value::Varint(_) | Value::Fixed32 => return Err(wrong_type(WHAT)),
    }
    Ok(())
}
