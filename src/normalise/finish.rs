//! Step 7: reserved labels go, names are checked, limits are kept.

use crate::model::{LabelDraft, LabelSet, METRIC_NAME, NameScheme};

use super::names::is_label_name;
use super::{LabelLimits, order};

/// Why a label set is not wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// A relabel rule dropped it.
    #[error("dropped by relabel_configs")]
    Relabel,
    /// After all rules it has no `__name__`, or one that is no metric name.
    #[error("{0:?} is no metric name: it matches [a-zA-Z_:][a-zA-Z0-9_:]*")]
    NoMetricName(String),
    /// A label's name is not classic, where only such names pass. Without the label it might be taken for another series, so the
    /// whole set goes.
    #[error("{0:?} is no label name: it matches [a-zA-Z_][a-zA-Z0-9_]*")]
    BadLabelName(String),
    /// More labels than `max_labels`.
    #[error("{count} labels, the limit is {limit}: raise limits.max_labels or drop some by relabel_configs")]
    TooManyLabels {
        /// How many it has, the metric's name included.
        count: usize,
        /// `max_labels`.
        limit: usize,
    },
    /// A label name longer than `max_name_bytes`.
    #[error("label name {name}... has {bytes} bytes, the limit is {limit}: raise limits.max_name_bytes")]
    NameTooLong {
        /// How the name begins.
        name: String,
        /// How long it is.
        bytes: usize,
        /// `max_name_bytes`.
        limit: usize,
    },
    /// A label value longer than `max_value_bytes`.
    #[error(
        "the value of label {name} has {bytes} bytes, the limit is {limit}: raise limits.max_value_bytes"
    )]
    ValueTooLong {
        /// The label's name.
        name: String,
        /// How long its value is.
        bytes: usize,
        /// `max_value_bytes`.
        limit: usize,
    },
}

impl Dropped {
    /// The reason in one word, for metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Relabel => "relabel",
            Self::NoMetricName(_) => "metric_name",
            Self::BadLabelName(_) => "label_name",
            Self::TooManyLabels { .. } => "label_count",
            Self::NameTooLong { .. } => "label_name_length",
            Self::ValueTooLong { .. } => "label_value_length",
        }
    }
}

/// Makes the set.
pub(super) fn finish<'a>(
    mut draft: LabelDraft<'a>,
    limits: &LabelLimits,
    names: NameScheme,
) -> Result<LabelSet<'a>, Dropped> {
    remove_reserved(&mut draft);
    let set = order::sorted(draft).into_set();
    let name = set.get(METRIC_NAME).unwrap_or_default();
    // nearly every metric's name has no colon, and then the quicker look is enough
    if !is_label_name(name) && !names.allows_metric(name) {
        return Err(Dropped::NoMetricName(beginning(name)));
    }
    if exceeds(set.len(), limits.max_labels) {
        return Err(Dropped::TooManyLabels {
            count: set.len(),
            limit: limits.max_labels,
        });
    }
    for (name, value) in set.iter() {
        let beginning = || beginning(name);
        if exceeds(name.len(), limits.max_name_bytes) {
            let (bytes, limit) = (name.len(), limits.max_name_bytes);
            return Err(Dropped::NameTooLong {
                name: beginning(),
                bytes,
                limit,
            });
        }
        if !is_label_name(name) && !names.allows_label(name) {
            return Err(Dropped::BadLabelName(beginning()));
        }
        if exceeds(value.len(), limits.max_value_bytes) {
            let (bytes, limit) = (value.len(), limits.max_value_bytes);
            return Err(Dropped::ValueTooLong {
                name: beginning(),
                bytes,
                limit,
            });
        }
    }
    Ok(set)
}

/// Labels that begin with `__` and are part of a series all the same: two series may differ by type and unit alone
/// (Prometheus, `type-and-unit-labels`). No push can have the last two, since pushed names do not begin so.
const KEPT: [&str; 3] = [METRIC_NAME, "__type__", "__unit__"];

/// Removes the labels that must not leave the house: names that begin with `__`, but those of [`KEPT`].
pub(super) fn remove_reserved(draft: &mut LabelDraft<'_>) {
    draft.retain(|name, _| !name.starts_with("__") || KEPT.contains(&name));
}

const fn exceeds(size: usize, limit: usize) -> bool {
    limit != 0 && size > limit
}

/// Enough of a name to know it again, and not a megabyte of it in a log.
fn beginning(name: &str) -> String {
    name.chars().take(128).collect()
}
