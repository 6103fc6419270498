//! One series of the store: its last samples, and whether a stale marker has ended it.

use std::collections::VecDeque;

use super::{KEPT, MAX_AHEAD, Refusal};
use crate::model::{LabelSet, UnixMillis, is_stale};

/// Most samples kept of a series: an hour at one every two seconds, 29 kB.
const MAX_SAMPLES: usize = 1_800;

/// Samples in the order of their times, stale markers among them.
#[derive(Debug, Default)]
pub(super) struct Series {
    samples: VecDeque<(UnixMillis, f64)>,
    received: u64,
}

/// Why a sample does not fit behind the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    OutOfOrder { at: UnixMillis, last: UnixMillis },
    Duplicate { at: UnixMillis },
    TooOld { at: UnixMillis },
    TooNew { at: UnixMillis },
}

impl Series {
    /// Takes a sample; the last one sent again is taken and changes nothing, as at Prometheus.
    pub(super) fn put(&mut self, value: f64, at: UnixMillis, now: UnixMillis) -> Result<(), Unfit> {
        if now.since(at) > KEPT {
            return Err(Unfit::TooOld { at });
        }
        if at.since(now) > MAX_AHEAD {
            return Err(Unfit::TooNew { at });
        }
        if let Some(&(last, held)) = self.samples.back() {
            if at < last {
                return Err(Unfit::OutOfOrder { at, last });
            }
            if at == last {
                let same = held.to_bits() == value.to_bits();
                return if same {
                    Ok(())
                } else {
                    Err(Unfit::Duplicate { at })
                };
            }
        }
        if self.samples.len() >= MAX_SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((at, value));
        self.received += u64::from(!is_stale(value));
        Ok(())
    }

    /// Forgets what is older than an hour.
    pub(super) fn trim(&mut self, now: UnixMillis) {
        while self.samples.front().is_some_and(|(at, _)| now.since(*at) > KEPT) {
            self.samples.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Whether the last sample is not a stale marker.
    pub(super) fn is_alive(&self) -> bool {
        self.samples.back().is_some_and(|(_, value)| !is_stale(*value))
    }

    /// How many samples ever came, stale markers not counted.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// The last sample that is not a stale marker.
    pub(super) fn last(&self) -> Option<(UnixMillis, f64)> {
        self.samples
            .iter()
            .rev()
            .copied()
            .find(|(_, value)| !is_stale(*value))
    }

    /// The time of the stale marker that ended the series, if it has ended.
    pub(super) fn ended_at(&self) -> Option<UnixMillis> {
        self.samples
            .back()
            .and_then(|(at, value)| is_stale(*value).then_some(*at))
    }

    /// The last `count` values, oldest first, stale markers left out.
    pub(super) fn recent(&self, count: usize) -> Vec<f64> {
        let skip = self.samples.len().saturating_sub(count);
        self.samples
            .iter()
            .skip(skip)
            .map(|(_, value)| *value)
            .filter(|value| !is_stale(*value))
            .collect()
    }
}

impl Unfit {
    /// The refusal as the sender reads it.
    pub(super) fn of(self, labels: &LabelSet<'_>) -> Refusal {
        let series = labels.to_string();
        match self {
            Self::OutOfOrder { at, last } => Refusal::OutOfOrder { series, at, last },
            Self::Duplicate { at } => Refusal::Duplicate { series, at },
            Self::TooOld { at } => Refusal::TooOld { series, at },
            Self::TooNew { at } => Refusal::TooNew { series, at },
        }
    }
}
