//! Saying the same thing now and then rather than for every push.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::UnixMillis;

/// Lets one of many through: at most one message in a span of time. What is not said is still counted.
#[derive(Debug)]
pub struct Quiet {
    span: Duration,
    last: AtomicI64,
}

impl Quiet {
    /// One message in every `span`.
    #[must_use]
    pub const fn new(span: Duration) -> Self {
        Self {
            span,
            last: AtomicI64::new(i64::MIN),
        }
    }

    /// Whether it is time to say it again.
    #[must_use]
    pub fn may_speak(&self, now: UnixMillis) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let is_time = last == i64::MIN || now.since(UnixMillis::new(last)) >= self.span || now.get() < last;
        is_time
            && self
                .last
                .compare_exchange(last, now.get(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_in_a_span_is_let_through() {
        let quiet = Quiet::new(Duration::from_secs(10));

        let spoken: Vec<bool> = [0, 1, 9, 10, 11, 25, 5]
            .map(|s| quiet.may_speak(UnixMillis::new(s * 1000)))
            .into();

        assert_eq!(spoken, [true, false, false, true, false, true, true]);
    }
}
