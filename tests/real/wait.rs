//! Waiting for something that another process does: looked for again and again until a deadline, never waited for blindly.

use std::time::{Duration, Instant};

/// Looks until `look` finds what it looks for; `Err` says what it saw instead.
#[track_caller]
pub(crate) fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(instead) if begun.elapsed() > within => panic!("no {what} within {within:?}: {instead}"),
            Err(_) => pause(),
        }
    }
}

/// Looks until `look` says yes.
#[track_caller]
pub(crate) fn until_true(what: &str, within: Duration, mut look: impl FnMut() -> bool) {
    until(what, within, || {
        if look() {
            Ok(())
        } else {
            Err("it stayed away".to_owned())
        }
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "a foreign process cannot be subscribed to, only asked again"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
