//! What keeping to a remote's limits did to the samples of a record.

use std::collections::BTreeMap;

/// Why a sample is not offered to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::forward) enum Dropped {
    /// Its series has too many labels, also without those that may go.
    TooManyLabels,
    /// The metric's name is too long.
    MetricName,
    /// A label's name is too long.
    LabelName,
    /// A label's value is too long.
    LabelValue,
    /// A name is not classic.
    NameNotClassic,
    /// It is too old.
    TooOld,
    /// It is too far ahead.
    TooFarAhead,
    /// Another series of the record has the same labels now.
    MadeEqual,
}

impl Dropped {
    /// The `reason` of the metric.
    pub(in crate::forward) const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyLabels => "too_many_labels",
            Self::MetricName => "metric_name_too_long",
            Self::LabelName => "label_name_too_long",
            Self::LabelValue => "label_value_too_long",
            Self::NameNotClassic => "name_not_classic",
            Self::TooOld => "older_than_remote_takes",
            Self::TooFarAhead => "ahead_of_remote",
            Self::MadeEqual => "made_equal",
        }
    }
}

/// What was done to a label so that a remote takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::forward) enum Changed {
    /// A value was cut.
    ValueTruncated,
    /// A name was cut.
    NameTruncated,
    /// A name was spelled with escapes.
    NameEscaped,
    /// The label was left out.
    LabelDropped,
}

impl Changed {
    /// The `change` of the metric.
    pub(in crate::forward) const fn as_str(self) -> &'static str {
        match self {
            Self::ValueTruncated => "value_truncated",
            Self::NameTruncated => "name_truncated",
            Self::NameEscaped => "name_escaped",
            Self::LabelDropped => "label_dropped",
        }
    }
}

/// How many, and one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::forward) struct Affected {
    /// Samples, or labels.
    pub(in crate::forward) count: u32,
    /// The first series, as it was before.
    pub(in crate::forward) example: String,
}

/// Everything that was done to one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::forward) struct Effects {
    /// Samples that are not offered.
    pub(in crate::forward) dropped: BTreeMap<Dropped, Affected>,
    /// Labels that were changed.
    pub(in crate::forward) changed: BTreeMap<Changed, Affected>,
}

impl Effects {
    /// Notes a sample that is not offered.
    pub(in crate::forward) fn drop(&mut self, why: Dropped, series: impl FnOnce() -> String) {
        note(self.dropped.entry(why).or_default(), series);
    }

    /// Notes a label that was changed.
    pub(in crate::forward) fn change(&mut self, what: Changed, series: impl FnOnce() -> String) {
        note(self.changed.entry(what).or_default(), series);
    }

    /// How many samples are not offered.
    pub(in crate::forward) fn dropped_samples(&self) -> u32 {
        self.dropped.values().map(|affected| affected.count).sum()
    }
}

fn note(affected: &mut Affected, series: impl FnOnce() -> String) {
    if affected.count == 0 {
        affected.example = series();
    }
    affected.count += 1;
}
