//! When to try again: backoff and `Retry-After`, as arithmetic alone.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::UnixMillis;

/// Longest wait that a remote can ask for. Beyond it a typing error there would hold the backlog until it is too old.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// Shortest pause whatever the settings, so that no setting makes a loop without one.
const SHORTEST: Duration = Duration::from_millis(1);

/// The pause before attempt `attempt` (the first retry is 1): doubled each time from `min` up to `max`, of which
/// `jitter`, between 0 and 1, decides the upper half, so that lanes and agents do not come back as one.
pub(super) fn backoff(attempt: u32, min: Duration, max: Duration, jitter: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let full = min.saturating_mul(1 << doublings).min(max);
    let half = full / 2;
    (half + half.mul_f64(jitter.clamp(0.0, 1.0)))
        .max(min.min(max))
        .max(SHORTEST)
}

/// What a `Retry-After` header asks for: seconds, or a date (RFC 9110, 10.2.3); `None` when it is neither.
///
/// A date that has passed asks for no wait; what exceeds [`MAX_RETRY_AFTER`] is cut to it.
pub(super) fn retry_after(header: &str, now: UnixMillis) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = header.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    let wait = UnixMillis::new(0).after(since_epoch).since(now);
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(30);
    const MAX: Duration = Duration::from_secs(5);

    /// PRW S1-18.
    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u128> = (1..=10)
            .map(|attempt| backoff(attempt, MIN, MAX, 1.0).as_millis())
            .collect();

        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3840, 5000, 5000]);
    }

    #[test]
    fn jitter_takes_off_at_most_half_and_never_goes_below_the_shortest() {
        assert_eq!(backoff(9, MIN, MAX, 0.0), MAX / 2);
        assert_eq!(backoff(1, MIN, MAX, 0.0), MIN);
        assert_eq!(backoff(u32::MAX, MIN, MAX, 0.0), MAX / 2);
    }

    #[test]
    fn no_setting_makes_a_loop_without_a_pause() {
        assert_eq!(backoff(3, Duration::ZERO, Duration::ZERO, 1.0), SHORTEST);
    }

    #[track_caller]
    fn asks(header: &str, seconds: Option<u64>) {
        let now = UnixMillis::new(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(
            retry_after(header, now),
            seconds.map(Duration::from_secs),
            "{header:?}"
        );
    }

    /// PRW S2-17; `client_test.go`, `RetryAfterDuration`.
    #[test]
    fn retry_after_is_seconds_or_a_date_and_garbage_is_nothing() {
        asks("0", Some(0));
        asks(" 120 ", Some(120));
        asks("Sun, 06 Nov 1994 08:50:07 GMT", Some(30));
        asks("Sun, 06 Nov 1994 08:49:07 GMT", Some(0));
        asks("Sat, 06 Nov 2094 08:49:37 GMT", Some(300));
        asks("99999999999999999999999", Some(300));
        asks("1e3", None);
        asks("-1", None);
        asks("soon", None);
        asks("", None);
    }
}
