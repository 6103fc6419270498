//! One push as it was pushed: a shape, and the values that belong to it.
//!
//! Whoever shows metrics reads them here, family by family and metric by metric, in the shape that
//! `io.prometheus.client.MetricFamily` gives them. Nothing is kept twice: labels are the shape's, grouping labels are
//! the group's and put in when a metric is shown.

use std::sync::Arc;

use bytes::Bytes;

use super::exemplar::Beside;
use super::shape::{Builder, Part, Shape, ShapedFamily, ShapedMetric};
use super::{DecodeError, exemplar, histogram};
use crate::model::{Extra, GroupKey, MetricKind, Sample, UnixMillis, is_stale};

/// A push as it was pushed, or what later pushes to its group have left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    shape: Arc<Shape>,
    values: Values,
    at: UnixMillis,
}

/// The values of a shape, in the order in which they were pushed.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// One for each sample. A stale marker stands for what is not to be shown, since another process of the group
    /// shows it; nobody can push one.
    pub numbers: Vec<f64>,
    /// What some samples have besides, by the number of the sample: a native histogram as `io.prometheus.client` encodes
    /// it, or an exemplar and a time of creation ([`Beside`]).
    pub extras: Vec<(u32, Bytes)>,
}

/// Values are the same when their bits are.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        let bits = |values: &Self| {
            values
                .numbers
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>()
        };
        bits(self) == bits(other) && self.extras == other.extras
    }
}

/// One family of a layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerFamily<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its help; empty when there is none.
    pub help: &'a str,
    /// Its type.
    pub kind: MetricKind,
    /// When it was pushed.
    pub at: UnixMillis,
    shaped: ShapedFamily<'a>,
    values: &'a Values,
}

/// One metric of a family, as it was pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric<'a> {
    /// Names and values of its labels, sorted by name; a value may be empty. Those of the group are not among them.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Its value or values.
    pub content: Content<'a>,
}

/// The value or values of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'a> {
    /// Of a gauge, counter, or untyped metric.
    Simple {
        /// The value.
        value: f64,
        /// An encoded `io.prometheus.client.Exemplar`.
        exemplar: Option<&'a [u8]>,
        /// When it was created, if that was pushed: an encoded `google.protobuf.Timestamp`.
        created: Option<&'a [u8]>,
    },
    /// Of a summary.
    Summary {
        /// Quantiles and their values, in the order in which they were pushed.
        quantiles: Vec<(f64, f64)>,
        /// Zero when none was pushed.
        sum: f64,
        /// Zero when none was pushed.
        count: f64,
        /// When it was created, if that was pushed: an encoded `google.protobuf.Timestamp`.
        created: Option<&'a [u8]>,
    },
    /// Of a histogram or gauge histogram.
    Histogram {
        /// Classic buckets, in the order in which they were pushed; the one up to infinity may be missing.
        buckets: Vec<Bucket<'a>>,
        /// Zero when none was pushed, as when there is only the native form.
        sum: f64,
        /// Zero when none was pushed, as when there is only the native form.
        count: f64,
        /// When it was created, if that was pushed and it has no native form, which says it itself: an encoded
        /// `google.protobuf.Timestamp`.
        created: Option<&'a [u8]>,
        /// The native form with its sum, count and exemplars, encoded as an `io.prometheus.client.Histogram`.
        native: Option<&'a [u8]>,
    },
}

/// A bucket of a classic histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket<'a> {
    /// Its upper bound.
    pub bound: f64,
    /// How many observations are not above it.
    pub count: f64,
    /// An encoded `io.prometheus.client.Exemplar`.
    pub exemplar: Option<&'a [u8]>,
}

impl Layer {
    /// A push of this shape with these values, at this time.
    #[must_use]
    pub const fn new(shape: Arc<Shape>, values: Values, at: UnixMillis) -> Self {
        Self { shape, values, at }
    }

    /// What its families and labels are.
    #[must_use]
    pub const fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Its values.
    #[must_use]
    pub const fn values(&self) -> &Values {
        &self.values
    }

    /// When it was pushed.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.at
    }

    /// The families, sorted by name.
    ///
    /// # Errors
    /// When the shape is damaged; so for each family.
    pub fn families(
        &self,
    ) -> Result<impl Iterator<Item = Result<LayerFamily<'_>, DecodeError>> + use<'_>, DecodeError> {
        let families = self.shape.families()?;
        Ok(families.map(|family| {
            family.map(|shaped| LayerFamily {
                name: shaped.name,
                help: shaped.help,
                kind: shaped.kind,
                at: self.at,
                shaped,
                values: &self.values,
            })
        }))
    }

    /// What is left of it without the families for which `is_gone` says so; `None` when nothing is.
    ///
    /// # Errors
    /// When the shape is damaged.
    pub fn without(&self, is_gone: impl Fn(&str) -> bool) -> Result<Option<Self>, DecodeError> {
        let mut rewriting = Rewriting::default();
        rewriting.take_up(self, |family| !is_gone(family.name))?;
        Ok(rewriting.finish(self.at))
    }

    /// Two layers as one, at the later one's time, without families that have no metrics: only series are counted, so that
    /// of such families there could be ever more. They have no family in common.
    ///
    /// # Errors
    /// When a shape is damaged.
    pub fn join(&self, other: &Self) -> Result<Self, DecodeError> {
        let mut rewriting = Rewriting::default();
        let has_metrics = |family: &ShapedFamily<'_>| !family.is_bare();
        rewriting.take_up(self, has_metrics)?;
        rewriting.take_up(other, has_metrics)?;
        let at = self.at.max(other.at);
        Ok(rewriting.finish(at).unwrap_or_else(|| self.clone()))
    }
}

/// A layer made of parts of others.
#[derive(Default)]
struct Rewriting<'a> {
    builder: Builder<'a>,
    values: Values,
}

impl<'a> Rewriting<'a> {
    fn take_up(
        &mut self,
        layer: &'a Layer,
        stays: impl Fn(&ShapedFamily<'_>) -> bool,
    ) -> Result<(), DecodeError> {
        for family in layer.shape.families()? {
            let family = family?;
            if !stays(&family) {
                continue;
            }
            let place = self.builder.family(family.name, family.help, family.kind);
            for metric in family.metrics() {
                let metric = metric?;
                let labels = metric.labels().collect::<Result<Vec<_>, _>>()?;
                for part in metric.parts() {
                    let (part, value) = part?;
                    let number = self.take_value(&layer.values, value)?;
                    self.builder.add(place, &labels, (part, number));
                }
            }
        }
        Ok(())
    }

    fn take_value(&mut self, values: &Values, value: u32) -> Result<u32, DecodeError> {
        let number = u32::try_from(self.values.numbers.len()).unwrap_or(u32::MAX);
        self.values.numbers.push(values.number(value)?);
        if let Some(extra) = values.extra_bytes(value) {
            self.values.extras.push((number, extra.clone()));
        }
        Ok(number)
    }

    fn finish(self, at: UnixMillis) -> Option<Layer> {
        let count = u32::try_from(self.values.numbers.len()).unwrap_or(u32::MAX);
        if self.builder.is_empty() {
            return None;
        }
        let shape = Arc::new(self.builder.finish(None, count));
        Some(Layer::new(shape, self.values, at))
    }
}

impl Values {
    /// Those of a push: of a native histogram the number of its observations.
    #[must_use]
    pub fn of(samples: &[Sample<'_>]) -> Self {
        let extra = |(number, sample): (u32, &Sample<'_>)| Some((number, encoded(sample.extra.as_ref()?)?));
        Self {
            numbers: samples.iter().map(|sample| sample.value).collect(),
            extras: (0..).zip(samples).filter_map(extra).collect(),
        }
    }

    fn number(&self, number: u32) -> Result<f64, DecodeError> {
        let value = self.numbers.get(number as usize).copied();
        value.ok_or(DecodeError::Invalid {
            what: "layer",
            problem: "has fewer values than its shape",
        })
    }

    fn extra_bytes(&self, number: u32) -> Option<&Bytes> {
        let at = self.extras.binary_search_by_key(&number, |(of, _)| *of).ok()?;
        self.extras.get(at).map(|(_, extra)| extra)
    }

    fn extra(&self, number: u32) -> Option<&[u8]> {
        self.extra_bytes(number).map(AsRef::as_ref)
    }
}

/// A native histogram with its exemplars, or what another sample has, which is one exemplar at most.
fn encoded(extra: &Extra<'_>) -> Option<Bytes> {
    let mut bytes = Vec::new();
    match &extra.histogram {
        Some(native) => histogram::put_pushed(&mut bytes, native, &extra.exemplars),
        None => exemplar::put_beside(&mut bytes, extra.exemplars.first(), extra.created),
    }
    (!bytes.is_empty()).then(|| bytes.into())
}

impl<'a> LayerFamily<'a> {
    /// Whether it was pushed without a metric.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.shaped.is_bare()
    }

    /// The metrics to show, in the order in which they were pushed.
    pub fn metrics(&self) -> impl Iterator<Item = Result<Metric<'a>, DecodeError>> + use<'a> {
        let (kind, values) = (self.kind, self.values);
        self.shaped.metrics().filter_map(move |metric| {
            metric
                .and_then(|metric| read_metric(&metric, kind, values))
                .transpose()
        })
    }
}

/// A metric, unless none of its parts is to be shown.
fn read_metric<'a>(
    metric: &ShapedMetric<'a>,
    kind: MetricKind,
    values: &'a Values,
) -> Result<Option<Metric<'a>>, DecodeError> {
    let mut content = Content::empty(kind);
    let mut is_shown = false;
    for part in metric.parts() {
        let (part, number) = part?;
        let value = values.number(number)?;
        if !is_stale(value) {
            content.put(part, value, values.extra(number))?;
            is_shown = true;
        }
    }
    let labels = metric.labels().collect::<Result<_, _>>()?;
    Ok(is_shown.then_some(Metric { labels, content }))
}

impl<'a> Content<'a> {
    const fn empty(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Untyped | MetricKind::Counter | MetricKind::Gauge => Self::Simple {
                value: 0.0,
                exemplar: None,
                created: None,
            },
            MetricKind::Summary => Self::Summary {
                quantiles: Vec::new(),
                sum: 0.0,
                count: 0.0,
                created: None,
            },
            MetricKind::Histogram | MetricKind::GaugeHistogram => Self::Histogram {
                buckets: Vec::new(),
                sum: 0.0,
                count: 0.0,
                created: None,
                native: None,
            },
        }
    }

    fn put(&mut self, part: Part, number: f64, extra: Option<&'a [u8]>) -> Result<(), DecodeError> {
        if let (Self::Histogram { native, .. }, Part::Native) = (&mut *self, part) {
            *native = extra;
            return Ok(());
        }
        let beside = extra.map(Beside::read).transpose()?.unwrap_or_default();
        match (self, part) {
            (
                Self::Simple {
                    value,
                    exemplar,
                    created,
                },
                Part::Itself,
            ) => (*value, *exemplar, *created) = (number, beside.exemplar, beside.created),
            (Self::Summary { quantiles, .. }, Part::Quantile(quantile)) => quantiles.push((quantile, number)),
            (Self::Histogram { buckets, .. }, Part::Bucket(bound)) => buckets.push(Bucket {
                bound,
                count: number,
                exemplar: beside.exemplar,
            }),
            (Self::Summary { sum, .. } | Self::Histogram { sum, .. }, Part::Sum) => *sum = number,
            (Self::Summary { count, created, .. } | Self::Histogram { count, created, .. }, Part::Count) => {
                (*count, *created) = (number, beside.created)
            }
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Metric<'a> {
    /// Its labels within `group`, sorted by name: with the group's, and with `instance`, if only an empty one
    /// (Pushgateway S32).
    #[must_use]
    pub fn labels_in<'b>(&self, group: &'b GroupKey) -> Vec<(&'b str, &'b str)>
    where
        'a: 'b,
    {
        let mut labels: Vec<(&'b str, &'b str)> = self.labels.clone();
        group.complete(&mut labels);
        labels
    }
}

#[cfg(test)]
mod tests;
