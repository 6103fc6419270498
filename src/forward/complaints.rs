//! What is logged of failures: the first at once, then one a minute, so that an outage does not fill a disk.

use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::batch::LeftOut;

/// Between two lines on one subject. The counts are in the metrics, each rejection in the list.
const QUIET: Duration = Duration::from_secs(60);

/// The voice of one remote.
#[derive(Debug)]
pub(super) struct Complaints {
    remote: String,
    retries: Mutex<Throttle>,
    rejections: Mutex<Throttle>,
    histograms: Once,
    exemplars: Once,
}

impl Complaints {
    pub(super) fn new(remote: &str) -> Self {
        Self {
            remote: remote.to_owned(),
            retries: Mutex::default(),
            rejections: Mutex::default(),
            histograms: Once::new(),
            exemplars: Once::new(),
        }
    }

    /// A request failed and will be tried again after `delay`.
    pub(super) fn retry(&self, words: &str, attempt: u32, delay: Duration) {
        let (remote, delay_ms) = (&self.remote, delay.as_millis());
        match passes(&self.retries) {
            Some(unsaid) => {
                warn!(
                    remote,
                    attempt,
                    delay_ms,
                    unsaid,
                    error = words,
                    "the remote does not take samples, trying again"
                );
            }
            None => debug!(remote, attempt, delay_ms, error = words, "trying again"),
        }
    }

    /// Samples were refused for good.
    pub(super) fn rejection(&self, status: u16, words: &str, series: &str, sample_count: u32) {
        let remote = &self.remote;
        match passes(&self.rejections) {
            Some(unsaid) => {
                error!(
                    remote,
                    status,
                    sample_count,
                    series,
                    unsaid,
                    error = words,
                    "the remote rejected samples"
                );
            }
            None => debug!(remote, status, sample_count, series, error = words, "rejected"),
        }
    }

    /// Something was left out that the remote is not set to take: said once, for the setting may be an oversight.
    pub(super) fn left_out(&self, left_out: LeftOut) {
        let remote = &self.remote;
        if left_out.histograms > 0 {
            let setting = "send_native_histograms";
            self.histograms
                .call_once(|| warn!(remote, setting, "native histograms are dropped"));
        }
        if left_out.exemplars > 0 {
            let setting = "send_exemplars";
            self.exemplars
                .call_once(|| info!(remote, setting, "exemplars are dropped"));
        }
    }

    /// The remote answers again.
    pub(super) fn recovered(&self) {
        let mut retries = self.retries.lock().unwrap_or_else(PoisonError::into_inner);
        if retries.last.is_some() {
            *retries = Throttle::default();
            info!(remote = self.remote, "the remote answers again");
        }
    }
}

#[derive(Debug, Default)]
struct Throttle {
    last: Option<Instant>,
    unsaid: u32,
}

/// How many lines were left unsaid when it is time for one, else `None`.
fn passes(throttle: &Mutex<Throttle>) -> Option<u32> {
    let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
    if throttle.last.is_some_and(|last| last.elapsed() < QUIET) {
        throttle.unsaid += 1;
        return None;
    }
    throttle.last = Some(Instant::now());
    Some(std::mem::take(&mut throttle.unsaid))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// PRW S1-22, S2-16.
    #[test]
    fn the_words_of_a_remote_are_logged_as_they_came() {
        let paper = Paper::default();
        let shared = paper.clone();
        let log = tracing_subscriber::fmt()
            .json()
            .with_writer(move || shared.clone())
            .finish();
        let words = "out of order sample: {\"x\"} ü ".to_owned() + &"y".repeat(1000);

        tracing::subscriber::with_default(log, || {
            Complaints::new("test").rejection(400, &words, "{a=\"b\"}", 1);
        });

        let line: serde_json::Value = serde_json::from_slice(&paper.0.lock().unwrap()).unwrap();
        assert_eq!(line["fields"]["error"], words);
        assert_eq!(line["fields"]["series"], "{a=\"b\"}");
    }
}
