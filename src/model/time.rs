//! Time as the bridge counts it: whole milliseconds, from one clock that tests can hold.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// 9999-12-31T23:59:59.999Z.
const LAST_MILLIS: u64 = 253_402_300_799_999;

/// Milliseconds since 1970-01-01T00:00:00Z, the timestamp unit of remote-write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// A point in time from its millisecond count.
    #[must_use]
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// The millisecond count.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with the milliseconds as fraction, the unit of `push_time_seconds`.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds stay below 2^53 for 285,000 years"
        )]
        let millis = self.0 as f64;
        millis / 1000.0
    }

    /// The next millisecond.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// This point plus `span`, saturating.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Nanoseconds since 1970-01-01T00:00:00Z, as exact as clients are with exemplars. Reaches from 1677 to 2262; what lies
/// beyond is held at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(i64);

impl UnixNanos {
    const PER_SECOND: i64 = 1_000_000_000;

    /// A point in time from its nanosecond count.
    #[must_use]
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The nanosecond count.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// So many seconds and nanoseconds after 1970.
    #[must_use]
    pub fn from_parts(seconds: i64, nanos: i64) -> Self {
        let exact = i128::from(seconds) * i128::from(Self::PER_SECOND) + i128::from(nanos);
        let end = if exact < 0 { i64::MIN } else { i64::MAX };
        Self(i64::try_from(exact).unwrap_or(end))
    }

    /// Whole seconds, rounded down, and the nanoseconds beyond them.
    #[must_use]
    pub const fn parts(self) -> (i64, i64) {
        (
            self.0.div_euclid(Self::PER_SECOND),
            self.0.rem_euclid(Self::PER_SECOND),
        )
    }

    /// The millisecond it falls into.
    #[must_use]
    pub const fn millis(self) -> UnixMillis {
        UnixMillis(self.0.div_euclid(1_000_000))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // what senders write may lie outside of the years 1970 to 9999, which are all that RFC 3339 has words for here
        match u64::try_from(self.0) {
            Ok(millis @ ..=LAST_MILLIS) => {
                let at = UNIX_EPOCH.checked_add(Duration::from_millis(millis));
                write!(
                    f,
                    "{}",
                    humantime::format_rfc3339_millis(at.unwrap_or(UNIX_EPOCH))
                )
            }
            _ => write!(f, "{} ms", self.0),
        }
    }
}

/// Where the time comes from. Two exist: the system's, and one that tests move by hand.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now. May jump, as the system's clock may.
    fn now(&self) -> UnixMillis;
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the system's clock"
        )]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved; clones share the same hands.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn at(at: UnixMillis) -> Self {
        Self(Arc::new(AtomicI64::new(at.get())))
    }

    /// Moves the hands forward.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(
            i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_shown() {
        for (millis, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "253402300800000 ms"),
            (-1, "-1 ms"),
            (i64::MAX, "9223372036854775807 ms"),
        ] {
            assert_eq!(UnixMillis::new(millis).to_string(), shown);
        }
    }
}
