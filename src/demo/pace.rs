//! How fast the demo goes: everything follows from the interval at which the simulated processes push.

use std::time::Duration;

/// The spans of the story, all counted in push intervals, so that a faster demo shows the same things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
    spare: Duration,
}

impl Pace {
    /// A demo whose processes push every `interval`; less than 10 ms counts as 10 ms.
    #[must_use]
    pub fn of(interval: Duration) -> Self {
        Self {
            interval: interval.max(Duration::from_millis(10)),
            spare: Duration::from_secs(10),
        }
    }

    /// From one push of a process to its next.
    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    /// The bridge's `jobs.stale_after` that fits: seven and a half intervals, 15 s at the default of 2 s.
    #[must_use]
    pub fn stale_after(self) -> Duration {
        self.interval.mul_f64(7.5)
    }

    /// The quiet between two events, for whoever watches: three intervals.
    pub(super) fn quiet(self) -> Duration {
        self.interval * 3
    }

    /// How long the remote is away: five intervals, 10 s at the default.
    pub(super) fn outage(self) -> Duration {
        self.interval * 5
    }

    /// The same without the time left for a slow machine, for tests of what never comes.
    #[cfg(test)]
    pub(super) const fn impatient(mut self) -> Self {
        self.spare = Duration::ZERO;
        self
    }

    /// How long an effect may take before the story says that it was not seen: `stale_after`, ten intervals, and
    /// 10 s for a slow machine.
    pub(super) fn patience(self) -> Duration {
        self.stale_after() + self.interval * 10 + self.spare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_default_interval_silence_lasts_fifteen_seconds_and_an_outage_ten() {
        let pace = Pace::of(Duration::from_secs(2));

        assert_eq!(pace.stale_after(), Duration::from_secs(15));
        assert_eq!(pace.outage(), Duration::from_secs(10));
    }
}
