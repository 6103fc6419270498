//! Delimited `io.prometheus.client.MetricFamily` messages, as clients push them to a Pushgateway (H18, M03, M04).
//!
//! The samples come out as the text format would have brought them: a summary as quantiles, `_sum` and `_count`, a
//! classic histogram as buckets up to `+Inf`, `_sum` and `_count`. A native histogram is one sample, named as its family;
//! the classic form is beside it only if it has buckets. Fields that are absent have their default, as in any protobuf;
//! a creation time stands beside the counter, or the count, that it belongs to. Every NaN becomes the one that text has.

mod values;

use std::borrow::Cow;

use hashbrown::HashMap;

use super::DecodeError;
use super::block::read_label;
use super::exemplar::read_timestamp;
use super::exposition::{Exposition, ProtobufError, too_many_samples};
use super::labels::{Seen, bound_of};
use super::number::shortest;
use super::wire::{Fields, Value, text};
use super::{exemplar, histogram};
use crate::model::{
    Exemplar, Extra, Family, LabelDraft, METRIC_NAME, MetricKind, NameScheme, Sample, UnixMillis, UnixNanos,
};
use values::{Bucket, Count, as_float, read_quantile};

/// Buckets and spans that a native histogram may have on average: fewer than the most that clients keep.
const PARTS_OF_A_HISTOGRAM: usize = 100;

/// Reads a body of at most `max_samples` samples and as many families, whose names are classic. Of two families of one
/// name the last counts.
///
/// # Errors
/// The first thing that is wrong, with the number of its message; what can be read and makes no sense too.
pub fn decode(body: &[u8], max_samples: usize) -> Result<Exposition<'_>, ProtobufError> {
    let read = decode_named(body, max_samples, NameScheme::Classic)?;
    match read.flaw {
        None => Ok(read),
        Some(flaw) => Err(flaw),
    }
}

/// Reads a body of at most `max_samples` samples and as many families, with names of a scheme. Of two families of one
/// name the last counts. What can be read and makes no sense is its flaw.
///
/// # Errors
/// The first thing that cannot be read, with the number of its message.
pub fn decode_named(
    body: &[u8],
    max_samples: usize,
    names: NameScheme,
) -> Result<Exposition<'_>, ProtobufError> {
    let families = read_families(body, max_samples, names)?;
    let last: HashMap<&str, usize, foldhash::fast::RandomState> = families
        .iter()
        .enumerate()
        .map(|(index, family)| (family.name, index))
        .collect();
    let mut decoder = Decoder {
        read: Exposition::default(),
        flaw: None,
        exemplars: 0,
        parts: 0,
        max_samples,
        names,
    };
    for (index, family) in families.iter().enumerate() {
        let samples = decoder.read.samples.len();
        let decoded = decoder.family(family);
        decoded.map_err(|problem| problem.of_message(index + 1))?;
        let flaw = decoder.flaw.take();
        if last.get(family.name) == Some(&index) {
            let first = decoder.read.flaw.take();
            decoder.read.flaw = first.or_else(|| Some(flaw?.of_message(index + 1)));
            if decoder.read.samples.len() == samples {
                decoder.read.bare.push(decoder.read.families.len() - 1);
            }
        } else {
            decoder.read.samples.truncate(samples);
            let is_left = |number: &u32| (*number as usize) < samples;
            decoder.read.implied.retain(is_left);
            decoder.read.families.pop();
        }
    }
    Ok(decoder.read)
}

/// What is wrong with a message.
struct Problem(String);

impl Problem {
    fn of_message(self, message: usize) -> ProtobufError {
        ProtobufError {
            message,
            problem: self.0,
        }
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        Self(error.to_string())
    }
}

/// A family whose metrics are still encoded.
struct RawFamily<'a> {
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricKind,
    message: &'a [u8],
}

fn read_families(
    body: &[u8],
    max_families: usize,
    names: NameScheme,
) -> Result<Vec<RawFamily<'_>>, ProtobufError> {
    let mut stream = Fields::of("the stream of metric families", body);
    let mut families = Vec::new();
    loop {
        let number = families.len() + 1;
        let next = stream.delimited().map_err(Problem::from);
        let Some(message) = next.map_err(|problem| problem.of_message(number))? else {
            return Ok(families);
        };
        if number > max_families {
            let limit = Problem(format!(
                "more than {max_families} metric families in one push, the limit of pushgateway.max_series"
            ));
            return Err(limit.of_message(number));
        }
        let family = RawFamily::read(message, names);
        families.push(family.map_err(|problem| problem.of_message(number))?);
    }
}

impl<'a> RawFamily<'a> {
    fn read(message: &'a [u8], names: NameScheme) -> Result<Self, Problem> {
        let mut fields = Fields::of("metric family", message);
        let (mut name, mut help, mut unit, mut kind) = ("", "", "", 0);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Bytes(bytes)) => name = text("metric name", bytes)?,
                (2, Value::Bytes(bytes)) => help = text("help", bytes)?,
                (3, Value::Varint(number)) => kind = number,
                (5, Value::Bytes(bytes)) => unit = text("unit", bytes)?,
                _ => {}
            }
        }
        if !names.allows_metric(name) {
            let rule = names.metric_rule();
            return Err(Problem(format!("invalid metric name {name:?}: {rule}")));
        }
        let kind = match kind {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Summary,
            3 => MetricKind::Untyped,
            4 => MetricKind::Histogram,
            5 => MetricKind::GaugeHistogram,
            other => {
                return Err(Problem(format!(
                    "{name:?} has the unknown metric type {other}: known are 0 to 5"
                )));
            }
        };
        Ok(Self {
            name,
            help,
            unit,
            kind,
            message,
        })
    }
}

/// One metric, its value still encoded.
struct Metric<'a> {
    name: &'a str,
    labels: LabelDraft<'a>,
    content: &'a [u8],
    at: Option<UnixMillis>,
}

struct Decoder<'a> {
    read: Exposition<'a>,
    /// The first of the family that makes no sense.
    flaw: Option<Problem>,
    /// Exemplars, and parts of native histograms, that have been read: they take memory besides the samples.
    exemplars: usize,
    parts: usize,
    max_samples: usize,
    names: NameScheme,
}

impl<'a> Decoder<'a> {
    fn family(&mut self, family: &RawFamily<'a>) -> Result<(), Problem> {
        self.read.families.push(Family {
            name: Cow::Borrowed(family.name),
            kind: family.kind,
            help: Cow::Borrowed(family.help),
            unit: Cow::Borrowed(family.unit),
        });
        let mut fields = Fields::of("metric family", family.message);
        while let Some(field) = fields.next()? {
            let (4, Value::Bytes(message)) = field else {
                continue;
            };
            let metric = self.metric(family, message)?;
            match family.kind {
                MetricKind::Counter | MetricKind::Gauge | MetricKind::Untyped => self.single(&metric)?,
                MetricKind::Summary => self.summary(&metric)?,
                MetricKind::Histogram | MetricKind::GaugeHistogram => {
                    self.histogram(&metric, family.kind)?;
                }
            }
        }
        Ok(())
    }

    fn metric(&mut self, family: &RawFamily<'a>, message: &'a [u8]) -> Result<Metric<'a>, Problem> {
        let (wanted, what) = content_of(family.kind);
        let mut fields = Fields::of("metric", message);
        let (mut labels, mut content, mut at) = (LabelDraft::with_capacity(8), None, None);
        let mut seen = Seen::default();
        // its place, first of all; the name itself differs from sample to sample
        labels.push(METRIC_NAME, "");
        while let Some(field) = fields.next()? {
            match field {
                // they are compared with each other, which is not to be done for nothing
                (1, Value::Bytes(_)) if self.flaw.is_some() => {}
                (1, Value::Bytes(label)) => {
                    let read = self.label(family, label, (&mut seen, &labels))?;
                    if let Some((name, value)) = read {
                        labels.push(name, value);
                    }
                }
                (6, Value::Varint(millis)) => at = Some(UnixMillis::new(millis.cast_signed())),
                (number, Value::Bytes(bytes)) if number == wanted => content = Some(bytes),
                _ => {}
            }
        }
        if content.is_none() {
            let name = family.name;
            self.blame(format!(
                "a metric of {name:?} has no {what}, which is its family's type"
            ));
        }
        Ok(Metric {
            name: family.name,
            labels,
            content: content.unwrap_or_default(),
            at,
        })
    }

    /// A label, unless it makes no sense beside those before it.
    fn label(
        &mut self,
        family: &RawFamily<'_>,
        label: &'a [u8],
        (seen, before): (&mut Seen, &LabelDraft<'a>),
    ) -> Result<Option<(&'a str, &'a str)>, Problem> {
        let (name, value) = match read_label(label) {
            Ok(label) => label,
            Err(error @ DecodeError::NotUtf8 { .. }) => {
                self.blame(error.to_string());
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if let Err(Problem(problem)) = check_label(family, name, self.names) {
            self.blame(problem);
            return Ok(None);
        }
        match seen.note(name, before, family.name) {
            Ok(()) => Ok(Some((name, value))),
            Err(problem) if before.get(name).is_some() => {
                self.blame(problem);
                Ok(None)
            }
            Err(too_many) => Err(Problem(too_many)),
        }
    }

    /// Takes note of what can be read and makes no sense.
    fn blame(&mut self, problem: String) {
        self.flaw.get_or_insert(Problem(problem));
    }

    fn single(&mut self, metric: &Metric<'a>) -> Result<(), Problem> {
        let mut fields = Fields::of("value", metric.content);
        let (mut value, mut exemplar, mut created) = (0.0, None, None);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                // only counters have such fields
                (2, Value::Bytes(message)) => exemplar = Some(exemplar::read_pushed(message)?),
                (3, Value::Bytes(message)) => created = Some(read_timestamp(message)?),
                _ => {}
            }
        }
        self.sample(metric, Part::Itself, value)?;
        self.annotate(exemplar, created);
        Ok(())
    }

    fn summary(&mut self, metric: &Metric<'a>) -> Result<(), Problem> {
        let mut fields = Fields::of("summary", metric.content);
        let (mut count, mut sum, mut created) = (0, 0.0, None);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Varint(number)) => count = number,
                (2, Value::Fixed64(bits)) => sum = f64::from_bits(bits),
                (3, Value::Bytes(quantile)) => {
                    let (quantile, value) = read_quantile(quantile)?;
                    self.sample(metric, Part::Quantile(quantile), value)?;
                }
                (4, Value::Bytes(message)) => created = Some(read_timestamp(message)?),
                _ => {}
            }
        }
        self.sample(metric, Part::Sum, sum)?;
        self.sample(metric, Part::Count, as_float(count))?;
        self.annotate(None, created);
        Ok(())
    }

    fn histogram(&mut self, metric: &Metric<'a>, kind: MetricKind) -> Result<(), Problem> {
        let mut fields = Fields::of("histogram", metric.content);
        let (mut count, mut sum, mut created) = (Count::default(), 0.0, None);
        let (mut has_infinity, mut may_be_native) = (false, false);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Varint(number)) => count.whole = number,
                (4, Value::Fixed64(bits)) => count.float = f64::from_bits(bits),
                (2, Value::Fixed64(bits)) => sum = f64::from_bits(bits),
                (3, Value::Bytes(bucket)) => {
                    let bucket = Bucket::read(bucket)?;
                    has_infinity |= bucket.bound == f64::INFINITY;
                    self.sample(metric, Part::Bucket(bucket.bound), bucket.count.get())?;
                    self.annotate(bucket.exemplar, None);
                }
                (15, Value::Bytes(message)) => created = Some(read_timestamp(message)?),
                (5..=14, _) => may_be_native = true,
                _ => {}
            }
        }
        if may_be_native && self.native(metric, kind)? {
            // it is there already
            created = None;
        }
        // beside a native histogram without classic buckets too: so the text format has it, and a store that takes none
        // has at least sum and count
        if !has_infinity {
            let number = u32::try_from(self.read.samples.len()).unwrap_or(u32::MAX);
            self.read.implied.push(number);
            self.sample(metric, Part::Bucket(f64::INFINITY), count.get())?;
        }
        self.sample(metric, Part::Sum, sum)?;
        self.sample(metric, Part::Count, count.get())?;
        self.annotate(None, created);
        Ok(())
    }

    /// Reads the native form of a histogram, and tells whether there is one.
    fn native(&mut self, metric: &Metric<'a>, kind: MetricKind) -> Result<bool, Problem> {
        let of_metric = |error| Problem(format!("{:?}: {error}", metric.name));
        let Some(native) = histogram::read_pushed(metric.content, kind).map_err(of_metric)? else {
            return Ok(false);
        };
        let exemplars = histogram::read_exemplars(metric.content)?;
        self.exemplars += exemplars.len();
        self.parts += native.parts();
        if self.exemplars > self.max_samples || self.parts / PARTS_OF_A_HISTOGRAM > self.max_samples {
            return Err(Problem(format!(
                "more than {} exemplars of native histograms in one push, the limit of pushgateway.max_series, or {PARTS_OF_A_HISTOGRAM} times as many buckets",
                self.max_samples
            )));
        }
        self.sample(metric, Part::Itself, native.count())?;
        if let Some(sample) = self.read.samples.last_mut() {
            let histogram = Some(native);
            sample.extra = Some(Box::new(Extra {
                histogram,
                exemplars,
                created: None,
            }));
        }
        Ok(true)
    }

    /// Puts beside the last sample what there is.
    fn annotate(&mut self, exemplar: Option<Exemplar<'a>>, created: Option<UnixNanos>) {
        if exemplar.is_none() && created.is_none() {
            return;
        }
        if let Some(sample) = self.read.samples.last_mut() {
            sample.extra = Some(Box::new(Extra {
                histogram: None,
                exemplars: exemplar.into_iter().collect(),
                created,
            }));
        }
    }

    fn sample(&mut self, metric: &Metric<'a>, part: Part, value: f64) -> Result<(), Problem> {
        if self.read.samples.len() >= self.max_samples {
            return Err(Problem(too_many_samples(self.max_samples)));
        }
        let named = |suffix: &str| Cow::Owned(format!("{}{suffix}", metric.name));
        let (name, bound) = match part {
            Part::Itself => (Cow::Borrowed(metric.name), None),
            Part::Quantile(quantile) => (Cow::Borrowed(metric.name), Some(("quantile", quantile))),
            Part::Bucket(bound) => (named("_bucket"), Some(("le", bound))),
            Part::Sum => (named("_sum"), None),
            Part::Count => (named("_count"), None),
        };
        let mut labels = metric.labels.clone();
        labels.set(METRIC_NAME, name);
        if let Some((name, bound)) = bound {
            labels.push(name, shortest(bound));
        }
        self.read.samples.push(Sample {
            family: self.read.families.len().saturating_sub(1),
            labels,
            // whatever NaN it is: the one that ends a series is ours to send
            value: if value.is_nan() { f64::NAN } else { value },
            at: metric.at,
            extra: None,
        });
        Ok(())
    }
}

fn check_label(family: &RawFamily<'_>, name: &str, names: NameScheme) -> Result<(), Problem> {
    let metric = family.name;
    if !names.allows_label(name) {
        return Err(Problem(format!(
            "invalid label name {name:?} for metric {metric:?}"
        )));
    }
    if bound_of(family.kind) == Some(name) || name == METRIC_NAME {
        return Err(Problem(format!(
            "label name {name:?} is reserved for metric {metric:?}"
        )));
    }
    Ok(())
}

/// What of a metric a sample is.
#[derive(Clone, Copy)]
enum Part {
    Itself,
    Quantile(f64),
    Bucket(f64),
    Sum,
    Count,
}

/// The field of `Metric` that has the value of a family of such a type, and its name.
const fn content_of(kind: MetricKind) -> (u64, &'static str) {
    match kind {
        MetricKind::Gauge => (2, "gauge"),
        MetricKind::Counter => (3, "counter"),
        MetricKind::Summary => (4, "summary"),
        MetricKind::Untyped => (5, "untyped"),
        MetricKind::Histogram | MetricKind::GaugeHistogram => (7, "histogram"),
    }
}

#[cfg(test)]
mod tests;
