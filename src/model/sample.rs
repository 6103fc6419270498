//! Samples, their families, and the value that ends a series.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Exemplar, LabelDraft, NativeHistogram, UnixMillis, UnixNanos, WrittenSample};

/// The bits of a stale marker (PRW 1.0, "Stale markers"): a NaN with a payload that nothing else may use.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that ends a series.
#[must_use]
pub const fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether `value` is a stale marker, told by its bits (it is a NaN, so `==` cannot tell).
#[must_use]
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// What a family said of its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MetricKind {
    /// No `# TYPE` line, or one that says `untyped`.
    #[default]
    Untyped,
    /// Goes up, restarts at zero.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Classic histogram: `_bucket`, `_sum`, `_count`.
    Histogram,
    /// A histogram whose counts may fall.
    GaugeHistogram,
    /// Quantiles, `_sum`, `_count`.
    Summary,
}

impl MetricKind {
    /// Whether a family of this type takes the series of its name with such a suffix, so that no other family may be
    /// called so (Pushgateway B17, which forgets gauge histograms).
    #[must_use]
    pub fn has_series(self, suffix: &str) -> bool {
        match self {
            Self::Histogram => matches!(suffix, "_bucket" | "_sum" | "_count"),
            Self::Summary => matches!(suffix, "_sum" | "_count"),
            Self::GaugeHistogram | Self::Untyped | Self::Counter | Self::Gauge => false,
        }
    }
}

/// As a `# TYPE` line says it.
impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untyped => "untyped",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
        })
    }
}

/// One metric family of an exposition: what `# HELP` and `# TYPE` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family<'a> {
    /// The name in the `# TYPE` line, without `_count`, `_sum` or `_bucket`.
    pub name: Cow<'a, str>,
    /// What the `# TYPE` line says.
    pub kind: MetricKind,
    /// What the `# HELP` line says, unescaped; empty when there is none.
    pub help: Cow<'a, str>,
    /// What the `# UNIT` line of OpenMetrics says; empty when there is none.
    pub unit: Cow<'a, str>,
}

/// One sample as it was read: a draft of its labels (the metric's name among them) and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Which of the exposition's families it belongs to.
    pub family: usize,
    /// Its labels, `__name__` first.
    pub labels: LabelDraft<'a>,
    /// Its value, bit for bit; of a native histogram how many observations it has.
    pub value: f64,
    /// The time it carries itself, if it does.
    pub at: Option<UnixMillis>,
    /// What it is or has beyond a number; `None` for nearly all.
    pub extra: Option<Box<Extra<'a>>>,
}

/// What few samples have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra<'a> {
    /// The native histogram that the sample is.
    pub histogram: Option<NativeHistogram>,
    /// The exemplars beside it, in the order they were pushed.
    pub exemplars: Vec<Exemplar<'a>>,
    /// Since when its metric counts, if its pusher said so; a native histogram says it itself.
    pub created: Option<UnixNanos>,
}

impl<'a> Sample<'a> {
    /// The native histogram that the sample is, if it is one.
    #[must_use]
    pub fn histogram(&self) -> Option<&NativeHistogram> {
        self.extra.as_ref()?.histogram.as_ref()
    }

    /// What it is for remote-write, at the time `at`.
    #[must_use]
    pub fn written(&self, at: UnixMillis) -> WrittenSample {
        let created = self.extra.as_ref().and_then(|extra| extra.created);
        WrittenSample {
            value: self.value,
            at,
            created: created.map(UnixNanos::millis),
        }
    }

    /// The exemplars beside the sample.
    #[must_use]
    pub fn exemplars(&self) -> &[Exemplar<'a>] {
        self.extra.as_ref().map_or(&[], |extra| &extra.exemplars)
    }

    /// What it counts for in the books: one, and one more for each exemplar.
    #[must_use]
    pub fn weight(&self) -> u64 {
        1 + self.exemplars().len() as u64
    }
}
