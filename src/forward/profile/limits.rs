//! What one remote takes, and what is done with more.

use std::time::Duration;

use crate::model::NameScheme;

/// What goes first of a series with too many labels: what Flink adds for machines rather than for people, and what a
/// restart of a task changes.
const DROPPED_FIRST: [&str; 3] = ["task_attempt_id", "task_id", "operator_id"];

/// What one remote takes: the limits of its profile, or `limits:` in their place. `None` is no limit.
///
/// Lengths are in bytes also where a provider counts characters: what fits in so many bytes fits in so many characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max_labels`: most labels of a series, its name among them.
    pub max_labels: Option<u32>,
    /// `drop_labels_first`: which go, in this order and no more than needed, before a series with too many is dropped.
    pub drop_labels_first: Vec<String>,
    /// `metric_name`: its length.
    pub metric_name: TextLimit,
    /// `label_name`: the length of each.
    pub label_name: TextLimit,
    /// `label_value`: the length of each, but for the metric's name.
    pub label_value: TextLimit,
    /// `names`: which names metrics and labels may have.
    pub names: NameScheme,
    /// `beyond_names`: what becomes of other names.
    pub beyond_names: BeyondNames,
    /// `max_series_per_send`: most series of a request.
    pub max_series: Option<u32>,
    /// `max_bytes_per_send`: most bytes of a request before compression. A series larger than that goes alone.
    pub max_raw_bytes: Option<u32>,
    /// `max_age`: how far behind our clock a sample may be.
    pub max_age: Option<Duration>,
    /// `max_ahead`: how far ahead of our clock a sample may be.
    pub max_ahead: Option<Duration>,
    /// `refusal`: what a 400 is about.
    pub refusal: Refusal,
}

impl Limits {
    /// No limits; a 400 is taken to refuse the whole request, which takes nobody along whom a remote could still want.
    #[must_use]
    pub fn none() -> Self {
        Self {
            max_labels: None,
            drop_labels_first: DROPPED_FIRST.map(str::to_owned).to_vec(),
            metric_name: TextLimit::none(Beyond::DropSeries),
            label_name: TextLimit::none(Beyond::Truncate),
            label_value: TextLimit::none(Beyond::Truncate),
            names: NameScheme::Utf8,
            beyond_names: BeyondNames::Escape,
            max_series: None,
            max_raw_bytes: None,
            max_age: None,
            max_ahead: None,
            refusal: Refusal::Whole,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::none()
    }
}

/// How long a text may be, and what is done with a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimit {
    /// Most bytes; `None` is no limit. At least [`TextLimit::LEAST`].
    pub max_bytes: Option<u32>,
    /// What is done with more.
    pub beyond: Beyond,
}

impl TextLimit {
    /// The least limit: a truncated text ends in a hash of 17 bytes, and something has to stand before it.
    pub const LEAST: u32 = 32;

    /// No limit.
    #[must_use]
    pub const fn none(beyond: Beyond) -> Self {
        Self {
            max_bytes: None,
            beyond,
        }
    }

    /// At most `bytes`.
    #[must_use]
    pub const fn of(bytes: u32, beyond: Beyond) -> Self {
        Self {
            max_bytes: Some(bytes),
            beyond,
        }
    }

    /// The limit that we keep to; none where it is left to the remote.
    pub(super) fn kept(self) -> usize {
        match (self.max_bytes, self.beyond) {
            (None, _) | (_, Beyond::Leave) => usize::MAX,
            (Some(bytes), _) => usize::try_from(bytes.max(Self::LEAST)).unwrap_or(usize::MAX),
        }
    }
}

/// What is done with a text that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// `truncate`: its end is replaced by a hash of the whole, so that texts that differ still do.
    Truncate,
    /// `drop_label`: the label goes, the series stays.
    DropLabel,
    /// `drop_series`: the series is not sent.
    DropSeries,
    /// `leave`: it is sent as it is; the remote decides.
    Leave,
}

/// What is done with a name that may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeyondNames {
    /// `escape`: it is spelled with `U__` and escapes, as Prometheus does for those who know classic names only.
    Escape,
    /// `drop_series`: the series is not sent.
    DropSeries,
}

/// What a remote that answers 400 has done with the rest of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `whole`: nothing of it is stored; it is taken apart until the offender is alone.
    Whole,
    /// `partial`: the good series are stored; nothing is sent again.
    Partial,
}
