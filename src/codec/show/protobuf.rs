//! Delimited `io.prometheus.client.MetricFamily` messages.
//!
//! A message stands behind its length, which has to be known first. So a family is encoded twice, metric by metric: to
//! learn its length, and to write it. That costs time and no memory.

use std::convert::Infallible;
use std::io;

use super::Escaping;
use super::histogram::{Counts, Histogram, is_whole};
use super::merge::Family;
use super::page::Page;
use crate::codec::DecodeError;
use crate::codec::exemplar::Beside;
use crate::codec::layer::{Bucket, Content, Metric};
use crate::codec::number::whole_as_in_go;
use crate::codec::wire::{BYTES, FIXED64, VARINT, put_bytes, put_varint, varint_len};
use crate::model::MetricKind;

/// The NaN that Go has, and Prometheus for one that is no stale marker.
const NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// The tag of a field.
const fn tag(field: u8, wire: u8) -> u8 {
    field << 3 | wire
}

/// Writes a family; the number of its parts that cannot be read.
pub(super) fn write(family: &Family<'_>, page: &mut Page<'_>) -> io::Result<u64> {
    let mut encoder = Encoder {
        escaping: page.escaping,
        kind: family.kind,
        metric: Vec::new(),
        value: Vec::new(),
        part: Vec::new(),
    };
    let mut head = Vec::new();
    put_bytes(
        &mut head,
        tag(1, BYTES),
        page.escaping.apply(family.name).as_bytes(),
    );
    if !family.help.is_empty() {
        put_bytes(&mut head, tag(2, BYTES), family.help.as_bytes());
    }
    put_number(&mut head, tag(3, VARINT), type_number(family.kind));
    let mut len = head.len();
    let mut unreadable = 0;
    let Ok(damaged) = family.each(|metric| {
        match encoder.encode(metric) {
            Ok(metric) => len += 1 + varint_len(metric.len() as u64) + metric.len(),
            Err(_) => unreadable += 1,
        }
        Ok::<(), Infallible>(())
    });
    put_varint(&mut page.bytes, len as u64);
    page.bytes.extend_from_slice(&head);
    family.each(|metric| {
        if let Ok(metric) = encoder.encode(metric) {
            put_bytes(&mut page.bytes, tag(4, BYTES), metric);
        }
        page.turn()
    })?;
    Ok(damaged + unreadable)
}

const fn type_number(kind: MetricKind) -> u64 {
    match kind {
        MetricKind::Counter => 0,
        MetricKind::Gauge => 1,
        MetricKind::Summary => 2,
        MetricKind::Untyped => 3,
        MetricKind::Histogram => 4,
        MetricKind::GaugeHistogram => 5,
    }
}

/// Encodes the metrics of a family, one after the other in the same memory.
struct Encoder {
    escaping: Escaping,
    kind: MetricKind,
    metric: Vec<u8>,
    value: Vec<u8>,
    part: Vec<u8>,
}

impl Encoder {
    /// The `Metric` message.
    fn encode(&mut self, metric: Metric<'_>) -> Result<&[u8], DecodeError> {
        self.metric.clear();
        self.value.clear();
        for (name, value) in &metric.labels {
            self.part.clear();
            put_bytes(
                &mut self.part,
                tag(1, BYTES),
                self.escaping.apply(name).as_bytes(),
            );
            put_bytes(&mut self.part, tag(2, BYTES), value.as_bytes());
            put_bytes(&mut self.metric, tag(1, BYTES), &self.part);
        }
        let field = match metric.content {
            Content::Simple {
                value,
                exemplar,
                created,
            } => self.simple(value, Beside { exemplar, created }),
            Content::Summary {
                quantiles,
                sum,
                count,
                created,
            } => self.summary(&quantiles, (sum, count), created),
            Content::Histogram {
                buckets,
                sum,
                count,
                created,
                native,
            } => self.histogram(&Histogram::of(buckets, (sum, count), native)?, created),
        };
        put_bytes(&mut self.metric, tag(field, BYTES), &self.value);
        Ok(&self.metric)
    }

    fn simple(&mut self, value: f64, beside: Beside<'_>) -> u8 {
        put_double(&mut self.value, tag(1, FIXED64), value);
        match self.kind {
            MetricKind::Gauge => 2,
            MetricKind::Counter => {
                if let Some(exemplar) = beside.exemplar {
                    put_bytes(&mut self.value, tag(2, BYTES), exemplar);
                }
                self.created(3, beside.created);
                3
            }
            _ => 5,
        }
    }

    fn summary(&mut self, quantiles: &[(f64, f64)], (sum, count): (f64, f64), created: Option<&[u8]>) -> u8 {
        put_number(&mut self.value, tag(1, VARINT), whole_as_in_go(count));
        put_double(&mut self.value, tag(2, FIXED64), sum);
        for (quantile, value) in quantiles {
            self.part.clear();
            put_double(&mut self.part, tag(1, FIXED64), *quantile);
            put_double(&mut self.part, tag(2, FIXED64), *value);
            put_bytes(&mut self.value, tag(3, BYTES), &self.part);
        }
        self.created(4, created);
        4
    }

    fn histogram(&mut self, histogram: &Histogram<'_>, created: Option<&[u8]>) -> u8 {
        let counts = histogram.counts();
        if counts == Counts::Whole {
            put_number(&mut self.value, tag(1, VARINT), whole(histogram.count));
        }
        put_double(&mut self.value, tag(2, FIXED64), histogram.sum);
        for bucket in &histogram.buckets {
            self.part.clear();
            put_bucket(&mut self.part, bucket, counts);
            put_bytes(&mut self.value, tag(3, BYTES), &self.part);
        }
        if counts == Counts::Float {
            put_double(&mut self.value, tag(4, FIXED64), histogram.count);
        }
        for field in histogram.native.iter().flat_map(|native| &native.fields) {
            self.value.extend_from_slice(field);
        }
        self.created(15, created);
        7
    }

    fn created(&mut self, field: u8, created: Option<&[u8]>) {
        if let Some(created) = created {
            put_bytes(&mut self.value, tag(field, BYTES), created);
        }
    }
}

fn put_bucket(out: &mut Vec<u8>, bucket: &Bucket<'_>, counts: Counts) {
    if counts == Counts::Whole {
        put_number(out, tag(1, VARINT), whole(bucket.count));
    }
    put_double(out, tag(2, FIXED64), bucket.bound);
    if let Some(exemplar) = bucket.exemplar {
        put_bytes(out, tag(3, BYTES), exemplar);
    }
    if counts == Counts::Float {
        put_double(out, tag(4, FIXED64), bucket.count);
    }
}

fn put_number(out: &mut Vec<u8>, tag: u8, number: u64) {
    out.push(tag);
    put_varint(out, number);
}

fn put_double(out: &mut Vec<u8>, tag: u8, value: f64) {
    let bits = if value.is_nan() { NAN_BITS } else { value.to_bits() };
    out.push(tag);
    out.extend_from_slice(&bits.to_le_bytes());
}

/// A count as protobuf has it; of what is no count, nothing.
fn whole(count: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and within the bounds of the type"
    )]
    let number = if is_whole(count) { count as u64 } else { 0 };
    number
}
