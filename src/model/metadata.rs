//! What a family is: its type, its help, its unit, apart from any sample.

use std::borrow::Cow;

use super::MetricKind;

/// The types of remote-write, with the numbers that both versions give them (PRW 1.0 and 2.0, `MetricType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MetricType {
    /// Unknown, or not said.
    #[default]
    Unknown = 0,
    /// Goes up, restarts at zero.
    Counter = 1,
    /// Goes up and down.
    Gauge = 2,
    /// Counts in buckets, classic or native.
    Histogram = 3,
    /// A histogram whose counts may fall.
    GaugeHistogram = 4,
    /// Quantiles, `_sum`, `_count`.
    Summary = 5,
    /// Labels that describe something, with the value 1.
    Info = 6,
    /// Booleans, of which each says whether a state holds.
    StateSet = 7,
}

impl MetricType {
    /// The type of this number; [`MetricType::Unknown`] for numbers that no version has.
    #[must_use]
    pub const fn of(number: u64) -> Self {
        match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::GaugeHistogram,
            5 => Self::Summary,
            6 => Self::Info,
            7 => Self::StateSet,
            _ => Self::Unknown,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl From<MetricKind> for MetricType {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Untyped => Self::Unknown,
            MetricKind::Counter => Self::Counter,
            MetricKind::Gauge => Self::Gauge,
            MetricKind::Histogram => Self::Histogram,
            MetricKind::GaugeHistogram => Self::GaugeHistogram,
            MetricKind::Summary => Self::Summary,
        }
    }
}

/// What is known of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The family's name. Version 2.0 says it by the series it stands beside: then it is the name of that.
    pub family: Cow<'a, str>,
    /// Its type.
    pub kind: MetricType,
    /// What it means; empty when nobody said.
    pub help: Cow<'a, str>,
    /// Its unit; empty when it has none.
    pub unit: Cow<'a, str>,
}
