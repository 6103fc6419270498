//! Pass after pass, until a signal.

use std::time::Duration;

use super::error::SweepError;
use super::report::Report;
use super::sweep::Sweep;

/// The pause after a first failure, doubled with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Longest pause after failures, unless passes are further apart anyway.
const LONGEST_RETRY: Duration = Duration::from_secs(5 * 60);

/// How much of a pause is left to chance, so that several sweeps do not come as one.
const CHANCE: f64 = 0.2;

impl Sweep {
    /// Makes a pass every so often, and sooner after a failure; `done` gets what came of each. Ends when `stop` becomes
    /// true.
    pub async fn rounds(&self, every: Duration, mut done: impl FnMut(&Result<Report, SweepError>)) {
        let mut stop = self.stop.clone();
        let mut failures = 0;
        while !*stop.borrow() {
            let pass = self.pass().await;
            if matches!(pass, Err(SweepError::Interrupted)) {
                return;
            }
            failures = match &pass {
                Ok(report) if report.cut_short.as_ref().is_none_or(|error| !error.may_pass()) => 0,
                _ => failures + 1,
            };
            done(&pass);
            drop(pass);
            tokio::select! {
                Ok(_) = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause(failures, every, rand::random())) => {}
            }
        }
    }
}

/// The pause after so many failures in a row; `chance` is between 0 and 1.
fn pause(failures: u32, every: Duration, chance: f64) -> Duration {
    let regular = match failures {
        0 => every,
        some => {
            let doubled = FIRST_RETRY.saturating_mul(1 << (some - 1).min(16));
            doubled.min(LONGEST_RETRY).min(every)
        }
    };
    regular.mul_f64(1.0 - CHANCE / 2.0 + CHANCE * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_a_tenth_sooner_or_later_than_asked_and_soon_again_after_failures() {
        let every = Duration::from_secs(60);
        let pauses: Vec<u128> = (0..9)
            .map(|failures| pause(failures, every, 0.5).as_millis())
            .collect();

        assert_eq!(
            pauses,
            [60_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
        assert_eq!(pause(0, every, 0.0), Duration::from_secs(54));
        assert_eq!(pause(0, every, 1.0), Duration::from_secs(66));
        assert_eq!(pause(99, Duration::from_secs(3600), 0.5), LONGEST_RETRY);
    }
}
