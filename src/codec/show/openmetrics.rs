//! OpenMetrics 1.0, as near to text 0.0.4 as it can be.
//!
//! Every series has the name and labels that the text format gives it: bounds are written as there (`le="1"`), and a
//! counter keeps its name. One that does not end in `_total`, or whose name without it belongs to another family, is of
//! type `unknown`, since OpenMetrics knows no such counters. A histogram whose counts may fall is a histogram, as in
//! text; OpenMetrics would call its parts otherwise.

use std::io::{self, Write as _};

use super::Escaping;
use super::histogram::{Histogram, is_whole, summary_count};
use super::merge::{Family, TOTAL};
use super::page::{Opening, Page, Quotes, put_comment, put_escaped};
use crate::codec::DecodeError;
use crate::codec::layer::{Content, Metric};
use crate::codec::number::put_shortest;
use crate::codec::wire::{Fields, Value, text};
use crate::model::MetricKind;

/// Most characters of an exemplar's labels (OpenMetrics 1.0, "Exemplars").
const MAX_EXEMPLAR: usize = 128;

/// Writes a family; the number of its parts that cannot be read.
pub(super) fn write(family: &Family<'_>, page: &mut Page<'_>) -> io::Result<u64> {
    let name = page.escaping.apply(family.name);
    let base = match name.strip_suffix(TOTAL) {
        Some(base) if is_counter(family) => base,
        _ => &name,
    };
    if !family.help.is_empty() {
        put_comment(&mut page.bytes, "HELP", base);
        put_escaped(&mut page.bytes, family.help, Quotes::Escaped);
        page.bytes.push(b'\n');
    }
    put_comment(&mut page.bytes, "TYPE", base);
    page.bytes.extend_from_slice(word(family));
    page.bytes.push(b'\n');
    let mut opening = Opening::new(&name);
    let mut unreadable = 0;
    let has_exemplars = is_counter(family);
    let damaged = family.each(|mut metric| {
        opening.set_labels(&metric.labels, page.escaping);
        if let (Content::Simple { exemplar, .. }, false) = (&mut metric.content, has_exemplars) {
            *exemplar = None;
        }
        let put = put_metric(&mut page.bytes, (&opening, page.escaping), metric);
        unreadable += u64::from(put.is_err());
        page.turn()
    })?;
    Ok(damaged + unreadable)
}

/// Whether it is a counter to OpenMetrics as well.
fn is_counter(family: &Family<'_>) -> bool {
    family.kind == MetricKind::Counter && family.has_base
}

fn word(family: &Family<'_>) -> &'static [u8] {
    match family.kind {
        MetricKind::Counter if is_counter(family) => b"counter",
        MetricKind::Counter | MetricKind::Untyped => b"unknown",
        MetricKind::Gauge => b"gauge",
        MetricKind::Summary => b"summary",
        MetricKind::Histogram | MetricKind::GaugeHistogram => b"histogram",
    }
}

fn put_metric(
    bytes: &mut Vec<u8>,
    (opening, escaping): (&Opening, Escaping),
    metric: Metric<'_>,
) -> Result<(), DecodeError> {
    let mut line =
        |suffix: &str, bound: Option<(&str, f64)>, (put, value): Number, exemplar: Option<&[u8]>| {
            opening.begin(bytes, suffix, bound);
            put(bytes, value);
            let exemplar = exemplar.map_or(Ok(()), |exemplar| put_exemplar(bytes, exemplar, escaping));
            bytes.push(b'\n');
            exemplar
        };
    match metric.content {
        Content::Simple { value, exemplar, .. } => line("", None, (put_float, value), exemplar)?,
        Content::Summary {
            quantiles,
            sum,
            count,
            ..
        } => {
            for (quantile, value) in quantiles {
                line("", Some(("quantile", quantile)), (put_float, value), None)?;
            }
            line("_sum", None, (put_float, sum), None)?;
            line("_count", None, (put_count, summary_count(count)), None)?;
        }
        Content::Histogram {
            buckets,
            sum,
            count,
            native,
            ..
        } => {
            let histogram = Histogram::of(buckets, (sum, count), native)?;
            for bucket in &histogram.buckets {
                let bound = Some(("le", bucket.bound));
                line("_bucket", bound, (put_count, bucket.count), bucket.exemplar)?;
            }
            if histogram.is_open() {
                let bound = Some(("le", f64::INFINITY));
                line("_bucket", bound, (put_count, histogram.count), None)?;
            }
            line("_sum", None, (put_float, histogram.sum), None)?;
            line("_count", None, (put_count, histogram.count), None)?;
        }
    }
    Ok(())
}

/// A number and how it is written.
type Number = (fn(&mut Vec<u8>, f64), f64);

/// Writes a number so that it is not taken for a whole one.
fn put_float(bytes: &mut Vec<u8>, value: f64) {
    let begin = bytes.len();
    if value == 0.0 {
        bytes.push(b'0');
    } else {
        put_shortest(bytes, value);
    }
    let written = bytes.get(begin..).unwrap_or_default();
    if value.is_finite() && !written.iter().any(|byte| matches!(byte, b'.' | b'e')) {
        bytes.extend_from_slice(b".0");
    }
}

/// Writes a count, in digits alone if it is whole.
fn put_count(bytes: &mut Vec<u8>, count: f64) {
    if is_whole(count) {
        // writing to a vector cannot fail; a negative zero has a sign, its magnitude has none
        let _ = write!(bytes, "{}", count.abs());
    } else {
        put_float(bytes, count);
    }
}

/// Writes an encoded `io.prometheus.client.Exemplar`, unless it is longer than it may be.
fn put_exemplar(bytes: &mut Vec<u8>, message: &[u8], escaping: Escaping) -> Result<(), DecodeError> {
    let (mut labels, mut value, mut at) = (Vec::new(), 0.0, None);
    let mut fields = Fields::of("exemplar", message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(label)) => labels.push(read_label(label)?),
            (2, Value::Fixed64(bits)) => value = f64::from_bits(bits),
            (3, Value::Bytes(timestamp)) => at = Some(read_timestamp(timestamp)?),
            _ => {}
        }
    }
    let characters = |text: &str| text.chars().count();
    let len: usize = labels
        .iter()
        .map(|(name, value)| characters(name) + characters(value))
        .sum();
    if labels.is_empty() || len > MAX_EXEMPLAR {
        return Ok(());
    }
    let mut opening = Opening::new("_");
    opening.set_labels(&labels, escaping);
    bytes.extend_from_slice(b" # ");
    opening.put_labels(bytes);
    bytes.push(b' ');
    put_float(bytes, value);
    if let Some((seconds, nanos)) = at {
        // writing to a vector cannot fail
        let _ = write!(bytes, " {seconds}.{nanos:09}");
    }
    Ok(())
}

fn read_label(message: &[u8]) -> Result<(&str, &str), DecodeError> {
    let (mut name, mut value) = ("", "");
    let mut fields = Fields::of("exemplar label", message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => name = text("exemplar label", bytes)?,
            (2, Value::Bytes(bytes)) => value = text("exemplar label", bytes)?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// Seconds and nanoseconds of a `google.protobuf.Timestamp`.
fn read_timestamp(message: &[u8]) -> Result<(i64, u64), DecodeError> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut fields = Fields::of("exemplar time", message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(number)) => seconds = number.cast_signed(),
            (2, Value::Varint(number)) => nanos = number,
            _ => {}
        }
    }
    Ok((seconds, nanos))
}
