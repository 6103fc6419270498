//! The order of what is written, for who wants it looked at here: the last time of each series, and what does not come
//! after it.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{UnixMillis, WrittenHistogram, WrittenSample};

/// How far ahead of us a sample may be, as at Prometheus.
const MAX_AHEAD: Duration = Duration::from_secs(10 * 60);

/// Series whose last time is remembered: at least half as many as this, those that were written last. Each takes some 40
/// bytes.
const MAX_SERIES: usize = 2_000_000;

/// What is done with samples that are not later than the last of their series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// They are passed on as they came; the remote decides.
    #[default]
    AsSent,
    /// They are refused, unless they repeat the last one; and so are samples of more than ten minutes from now.
    Enforced,
}

/// Why a sample does not stand behind the last of its series, in Prometheus' terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misplaced {
    #[error("out of order sample: it is of {at}, before the last one at {last}")]
    OutOfOrder { at: UnixMillis, last: UnixMillis },
    #[error("duplicate sample for timestamp: another one of {0} has another value")]
    Duplicate(UnixMillis),
    #[error("out of bounds: it is of {at}, more than ten minutes from now ({now})")]
    Ahead { at: UnixMillis, now: UnixMillis },
}

/// The last sample of a series: its time, and enough of its value to tell it from another.
pub(super) type Last = (UnixMillis, u64);

/// The last sample of each series that was written lately. Forgets all when the disk fails, since what was remembered may
/// have to be sent again.
#[derive(Debug, Default)]
pub(super) struct LastTimes {
    recent: HashMap<u64, Last>,
    older: HashMap<u64, Last>,
}

impl LastTimes {
    /// The last sample of the series of this hash.
    pub(super) fn last(&self, series: u64) -> Option<Last> {
        self.recent
            .get(&series)
            .or_else(|| self.older.get(&series))
            .copied()
    }

    /// Takes up what a request has brought.
    pub(super) fn remember(&mut self, brought: HashMap<u64, Last>) {
        self.remember_of(brought, MAX_SERIES);
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn remember_of(&mut self, brought: HashMap<u64, Last>, max_series: usize) {
        for (series, last) in brought {
            if self.recent.len() >= max_series / 2 && !self.recent.contains_key(&series) {
                self.older = std::mem::take(&mut self.recent);
            }
            self.recent.insert(series, last);
        }
    }
}

/// Whether a sample may follow `last`; then it is the last.
pub(super) fn place(last: &mut Option<Last>, sample: Last, now: UnixMillis) -> Result<(), Misplaced> {
    let (at, value) = sample;
    if at > now.after(MAX_AHEAD) {
        return Err(Misplaced::Ahead { at, now });
    }
    match *last {
        Some((last, _)) if at < last => Err(Misplaced::OutOfOrder { at, last }),
        Some((last, held)) if at == last && held != value => Err(Misplaced::Duplicate(at)),
        _ => {
            *last = Some(sample);
            Ok(())
        }
    }
}

/// A sample as [`place`] wants it.
pub(super) const fn of_sample(sample: &WrittenSample) -> Last {
    (sample.at, sample.value.to_bits())
}

/// A histogram as [`place`] wants it: told from another by its sum and its count.
pub(super) const fn of_histogram(written: &WrittenHistogram) -> Last {
    let histogram = &written.histogram;
    (
        written.at,
        histogram.sum.to_bits().rotate_left(1) ^ histogram.count().to_bits(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_series_those_written_last_are_remembered() {
        let mut times = LastTimes::default();
        let at = |at| (UnixMillis::new(at), 0);
        for series in 0..10 {
            times.remember_of(HashMap::from([(series, at(1))]), 4);
        }

        let known: Vec<u64> = (0..10).filter(|series| times.last(*series).is_some()).collect();

        assert_eq!(known, [6, 7, 8, 9]);
    }
}
