//! Native histograms in both messages that have them: as clients push them, and as remote-write wants them.

use super::DecodeError;
use super::exemplar::{self, read_timestamp, timestamp};
use super::wire::{
    BYTES, Fields, Value, from_zigzag, put_bytes, put_double, put_number, put_varint, tag, zigzag,
};
use crate::model::{
    BucketSpan, Exemplar, HistogramBuckets, HistogramCounts, MetricKind, NativeHistogram, ResetHint,
    UnixNanos,
};

const WHAT: &str = "native histogram";

/// Most buckets, and most spans, on one side of zero. Clients keep to 160; at the finest resolution this many reach from
/// a nanosecond to some minutes.
const MAX_BUCKETS: usize = 10_000;

/// Most exemplars of one histogram. Go's client keeps ten.
const MAX_EXEMPLARS: usize = 1_000;

/// `Histogram.schema`, `custom_values`, `start_timestamp` (PRW 2.0; the last two are not part of 1.0).
const SCHEMA: u64 = 4;
const CUSTOM_VALUES: u64 = 16;
const START_TIMESTAMP: u64 = 17;

/// `Histogram.exemplars` (metrics.proto): field number 16 and wire type, more than a byte.
const EXEMPLARS: u64 = 16 << 3 | BYTES as u64;

/// Appends the fields of an `io.prometheus.client.Histogram`: sum and counts, creation time, those of the native form,
/// and these exemplars beside it. Classic buckets are another field of the same message and may follow.
pub fn put_pushed(out: &mut Vec<u8>, histogram: &NativeHistogram, exemplars: &[Exemplar<'_>]) {
    match &histogram.counts {
        HistogramCounts::Whole { count, .. } => put_number(out, 1, *count),
        HistogramCounts::Float { count, .. } => put_double(out, 4, *count),
    }
    put_double(out, 2, histogram.sum);
    put_number(out, 5, zigzag(i64::from(histogram.schema)));
    put_double(out, 6, histogram.zero_threshold);
    match &histogram.counts {
        HistogramCounts::Whole {
            zero,
            negative,
            positive,
            ..
        } => {
            put_number(out, 7, *zero);
            for (field, buckets) in [(9, negative), (12, positive)] {
                put_spans(out, field, buckets.spans.iter().copied());
                for delta in &buckets.counts {
                    put_number(out, field + 1, zigzag(*delta));
                }
            }
        }
        HistogramCounts::Float {
            zero,
            negative,
            positive,
            ..
        } => {
            put_double(out, 8, *zero);
            for (field, buckets) in [(9, negative), (12, positive)] {
                put_spans(out, field, buckets.spans.iter().copied());
                for count in &buckets.counts {
                    put_double(out, field + 2, *count);
                }
            }
        }
    }
    if let Some(created) = histogram.created {
        put_bytes(out, tag(15, BYTES), &timestamp(created));
    }
    let mut message = Vec::new();
    for exemplar in exemplars {
        message.clear();
        exemplar::put_pushed(&mut message, exemplar);
        put_varint(out, EXEMPLARS);
        put_varint(out, message.len() as u64);
        out.extend_from_slice(&message);
    }
}

/// Reads the exemplars beside the native form of an `io.prometheus.client.Histogram`.
///
/// # Errors
/// When the bytes are not such a message, or there are more than 1,000.
pub fn read_exemplars(message: &[u8]) -> Result<Vec<Exemplar<'_>>, DecodeError> {
    let mut fields = Fields::of(WHAT, message);
    let mut exemplars = Vec::new();
    while let Some(field) = fields.next()? {
        if let (16, Value::Bytes(message)) = field {
            if exemplars.len() == MAX_EXEMPLARS {
                return Err(invalid("it has more than 1000 exemplars"));
            }
            exemplars.push(exemplar::read_pushed(message)?);
        }
    }
    Ok(exemplars)
}

/// Reads an `io.prometheus.client.Histogram` of a family of type `kind`; `None` when it is a classic one only.
///
/// A histogram is native when it says where a bucket could be, by a span (which may have no bucket, if nothing has been
/// observed) or by a zero bucket; so Prometheus tells the two apart.
///
/// # Errors
/// When the bytes are not such a message, when its resolution is none that stores know, when spans and buckets do not
/// agree, or when there are more than 10,000 on one side of zero. Counts that contradict each other are left to the store.
pub fn read_pushed(message: &[u8], kind: MetricKind) -> Result<Option<NativeHistogram>, DecodeError> {
    let mut read = Pushed::default();
    let mut fields = Fields::of(WHAT, message);
    while let Some(field) = fields.next()? {
        read.take_up(field)?;
    }
    if !read.is_native() {
        return Ok(None);
    }
    if !NativeHistogram::SCHEMAS.contains(&read.schema) {
        return Err(invalid("its schema is none of -4 to 8"));
    }
    let (schema, zero_threshold, created) = (read.schema, read.zero_threshold, read.created);
    Ok(Some(NativeHistogram {
        schema,
        zero_threshold,
        sum: ordinary(read.sum),
        counts: read.counts()?,
        reset: match kind {
            MetricKind::GaugeHistogram => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        },
        custom_values: Vec::new(),
        created,
    }))
}

/// The fields of a pushed histogram, before it is known which of them count.
#[derive(Default)]
struct Pushed {
    count: (u64, f64),
    zero: (u64, f64),
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    negative: Side,
    positive: Side,
    created: Option<UnixNanos>,
}

/// Buckets on one side of zero, in both forms.
#[derive(Default)]
struct Side {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    floats: Vec<f64>,
}

impl Pushed {
    fn take_up(&mut self, (number, value): (u64, Value<'_>)) -> Result<(), DecodeError> {
        match (number, value) {
            (1, Value::Varint(count)) => self.count.0 = count,
            (4, Value::Fixed64(bits)) => self.count.1 = f64::from_bits(bits),
            (2, Value::Fixed64(bits)) => self.sum = f64::from_bits(bits),
            (5, Value::Varint(schema)) => {
                self.schema = i32::try_from(from_zigzag(schema))
                    .map_err(|_| invalid("its schema is none of -4 to 8"))?;
            }
            (6, Value::Fixed64(bits)) => self.zero_threshold = f64::from_bits(bits),
            (7, Value::Varint(count)) => self.zero.0 = count,
            (8, Value::Fixed64(bits)) => self.zero.1 = f64::from_bits(bits),
            (9, Value::Bytes(span)) => add(&mut self.negative.spans, read_span(span)?)?,
            (10, value) => read_deltas(&mut self.negative.deltas, value)?,
            (11, value) => read_floats(&mut self.negative.floats, value)?,
            (12, Value::Bytes(span)) => add(&mut self.positive.spans, read_span(span)?)?,
            (13, value) => read_deltas(&mut self.positive.deltas, value)?,
            (14, value) => read_floats(&mut self.positive.floats, value)?,
            (15, Value::Bytes(created)) => self.created = Some(read_timestamp(created)?),
            _ => {}
        }
        Ok(())
    }

    fn is_native(&self) -> bool {
        !self.negative.spans.is_empty()
            || !self.positive.spans.is_empty()
            || self.zero_threshold > 0.0
            || self.zero.0 > 0
            || self.zero.1 > 0.0
    }

    /// Floats override whole numbers if they are above zero (metrics.proto); buckets tell as well.
    fn is_float(&self) -> bool {
        let has_floats = !self.negative.floats.is_empty() || !self.positive.floats.is_empty();
        let has_deltas = !self.negative.deltas.is_empty() || !self.positive.deltas.is_empty();
        self.count.1 > 0.0 || self.zero.1 > 0.0 || (has_floats && !has_deltas)
    }

    fn counts(self) -> Result<HistogramCounts, DecodeError> {
        Ok(if self.is_float() {
            HistogramCounts::Float {
                count: ordinary(self.count.1),
                zero: ordinary(self.zero.1),
                negative: buckets(self.negative.spans, self.negative.floats)?,
                positive: buckets(self.positive.spans, self.positive.floats)?,
            }
        } else {
            HistogramCounts::Whole {
                count: self.count.0,
                zero: self.zero.0,
                negative: buckets(self.negative.spans, self.negative.deltas)?,
                positive: buckets(self.positive.spans, self.positive.deltas)?,
            }
        })
    }
}

/// Whatever NaN it is: the one that ends a series is ours to send.
const fn ordinary(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

/// Spans and counts that agree.
fn buckets<N>(spans: Vec<BucketSpan>, counts: Vec<N>) -> Result<HistogramBuckets<N>, DecodeError> {
    if spans.iter().skip(1).any(|span| span.offset < 0) {
        return Err(invalid("a span begins before the one in front of it has ended"));
    }
    let spanned: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    if spanned != counts.len() as u64 {
        return Err(invalid("its spans have another number of buckets than there are"));
    }
    Ok(HistogramBuckets { spans, counts })
}

fn read_span(message: &[u8]) -> Result<BucketSpan, DecodeError> {
    let mut fields = Fields::of("bucket span", message);
    let mut span = BucketSpan::default();
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(offset)) => {
                span.offset = i32::try_from(from_zigzag(offset))
                    .map_err(|_| invalid("the offset of a span is too far"))?;
            }
            (2, Value::Varint(length)) => {
                span.length = u32::try_from(length).map_err(|_| invalid("a span is too long"))?;
            }
            _ => {}
        }
    }
    Ok(span)
}

/// One difference, or a packed list of them: a reader has to take both.
fn read_deltas(deltas: &mut Vec<i64>, value: Value<'_>) -> Result<(), DecodeError> {
    match value {
        Value::Varint(delta) => add(deltas, from_zigzag(delta))?,
        Value::Bytes(packed) => {
            let mut packed = Fields::of("bucket differences", packed);
            while let Some(delta) = packed.packed_varint()? {
                add(deltas, from_zigzag(delta))?;
            }
        }
        Value::Fixed64(_) | Value::Fixed32 => {}
    }
    Ok(())
}

fn read_floats(floats: &mut Vec<f64>, value: Value<'_>) -> Result<(), DecodeError> {
    match value {
        Value::Fixed64(bits) => add(floats, f64::from_bits(bits))?,
        Value::Bytes(packed) => {
            let mut packed = Fields::of("bucket counts", packed);
            while let Some(count) = packed.packed_double()? {
                add(floats, count)?;
            }
        }
        Value::Varint(_) | Value::Fixed32 => {}
    }
    Ok(())
}

fn add<N>(list: &mut Vec<N>, next: N) -> Result<(), DecodeError> {
    if list.len() == MAX_BUCKETS {
        return Err(invalid("it has more than 10000 buckets or spans"));
    }
    list.push(next);
    Ok(())
}

const fn invalid(problem: &'static str) -> DecodeError {
    DecodeError::Invalid { what: WHAT, problem }
}

/// Appends the fields of a `prometheus.Histogram` but for its time, the last of them.
pub(super) fn put_remote_write(out: &mut Vec<u8>, histogram: &NativeHistogram) {
    match &histogram.counts {
        HistogramCounts::Whole { count, .. } => put_number(out, 1, *count),
        HistogramCounts::Float { count, .. } => put_double(out, 2, *count),
    }
    put_double(out, 3, histogram.sum);
    put_number(out, 4, zigzag(i64::from(histogram.schema)));
    put_double(out, 5, histogram.zero_threshold);
    match &histogram.counts {
        HistogramCounts::Whole {
            zero,
            negative,
            positive,
            ..
        } => {
            put_number(out, 6, *zero);
            for (field, buckets) in [(8, negative), (11, positive)] {
                put_spans(out, field, filled(&buckets.spans));
                put_packed(out, field + 1, &buckets.counts, |packed, delta| {
                    put_varint(packed, zigzag(*delta));
                });
            }
        }
        HistogramCounts::Float {
            zero,
            negative,
            positive,
            ..
        } => {
            put_double(out, 7, *zero);
            for (field, buckets) in [(8, negative), (11, positive)] {
                put_spans(out, field, filled(&buckets.spans));
                put_packed(out, field + 2, &buckets.counts, |packed, count| {
                    packed.extend_from_slice(&count.to_bits().to_le_bytes());
                });
            }
        }
    }
    if histogram.reset != ResetHint::Unknown {
        put_number(out, 14, histogram.reset as u64);
    }
    if !histogram.custom_values.is_empty() {
        put_varint(out, CUSTOM_VALUES << 3 | u64::from(BYTES));
        put_varint(out, histogram.custom_values.len() as u64 * 8);
        for bound in &histogram.custom_values {
            out.extend_from_slice(&bound.to_bits().to_le_bytes());
        }
    }
    if let Some(created) = histogram.created {
        // zero would say that there is none (PRW S2-13)
        let millis = Some(created.millis().get())
            .filter(|millis| *millis != 0)
            .unwrap_or(1);
        put_varint(out, START_TIMESTAMP << 3);
        put_varint(out, millis.cast_unsigned());
    }
}

/// Whether a `prometheus.Histogram` says more than version 1.0 has words for: bounds of its own, a start time.
pub(super) fn is_extended(message: &[u8]) -> bool {
    let mut fields = Fields::of(WHAT, message);
    while let Ok(Some((number, value))) = fields.next() {
        let is_custom = matches!(value, Value::Varint(schema)
            if number == SCHEMA && from_zigzag(schema) == i64::from(NativeHistogram::CUSTOM));
        if is_custom || number == CUSTOM_VALUES || number == START_TIMESTAMP {
            return true;
        }
    }
    false
}

/// A `prometheus.Histogram` as version 1.0 has words for it, without its start time, which stands last; `None` when its
/// buckets have bounds of their own.
pub(super) fn plain(message: &[u8]) -> Result<Option<&[u8]>, DecodeError> {
    let mut fields = Fields::of(WHAT, message);
    loop {
        let before = message.len() - fields.rest().len();
        match fields.next()? {
            None => return Ok(Some(message)),
            Some((START_TIMESTAMP, _)) => return Ok(message.get(..before)),
            Some((CUSTOM_VALUES, _)) => return Ok(None),
            Some((SCHEMA, Value::Varint(schema)))
                if from_zigzag(schema) == i64::from(NativeHistogram::CUSTOM) =>
            {
                return Ok(None);
            }
            Some(_) => {}
        }
    }
}

/// How many observations a `prometheus.Histogram` has.
pub(super) fn count_of(message: &[u8]) -> Result<f64, DecodeError> {
    let mut fields = Fields::of(WHAT, message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(count)) => return Ok(as_float(count)),
            (2, Value::Fixed64(bits)) => return Ok(f64::from_bits(bits)),
            _ => {}
        }
    }
    Ok(0.0)
}

/// The same buckets without spans that have none, as Prometheus sends them.
fn filled(spans: &[BucketSpan]) -> impl Iterator<Item = BucketSpan> {
    spans
        .iter()
        .scan(0_i32, |gap, span| {
            let offset = gap.saturating_add(span.offset);
            *gap = if span.length == 0 { offset } else { 0 };
            Some(BucketSpan {
                offset,
                length: span.length,
            })
        })
        .filter(|span| span.length > 0)
}

fn put_spans(out: &mut Vec<u8>, field: u8, spans: impl Iterator<Item = BucketSpan>) {
    let mut message = Vec::with_capacity(12);
    for span in spans {
        message.clear();
        put_number(&mut message, 1, zigzag(i64::from(span.offset)));
        put_number(&mut message, 2, u64::from(span.length));
        put_bytes(out, tag(field, BYTES), &message);
    }
}

fn put_packed<N>(out: &mut Vec<u8>, field: u8, numbers: &[N], put: impl Fn(&mut Vec<u8>, &N)) {
    if numbers.is_empty() {
        return;
    }
    let mut packed = Vec::with_capacity(numbers.len());
    for number in numbers {
        put(&mut packed, number);
    }
    put_bytes(out, tag(field, BYTES), &packed);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "samples are floats, as in Prometheus itself"
)]
const fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
