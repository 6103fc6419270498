//! What is logged of failures: the first at once, then one a minute, so that an outage does not fill a disk.

use std::collections::BTreeMap;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::books::Rejection;
use super::piece::LeftOut;
use super::profile::Effects;

/// Between two lines on one subject. The counts are in the metrics, each rejection in the list.
const QUIET: Duration = Duration::from_secs(60);

/// The voice of one remote.
#[derive(Debug)]
pub(super) struct Complaints {
    remote: String,
    retries: Mutex<Throttle>,
    rejections: Mutex<Throttle>,
    metadata: Mutex<Throttle>,
    effects: Mutex<BTreeMap<&'static str, Throttle>>,
    histograms: Once,
    exemplars: Once,
}

impl Complaints {
    pub(super) fn new(remote: &str) -> Self {
        Self {
            remote: remote.to_owned(),
            retries: Mutex::default(),
            rejections: Mutex::default(),
            metadata: Mutex::default(),
            effects: Mutex::default(),
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
    pub(super) fn rejection(&self, rejection: &Rejection) {
        let remote = &self.remote;
        let Rejection {
            series,
            samples: sample_count,
            extent,
            status,
            words,
            ..
        } = rejection;
        match passes(&self.rejections) {
            Some(unsaid) => {
                error!(
                    remote,
                    status,
                    sample_count,
                    ?extent,
                    series,
                    unsaid,
                    error = words,
                    "the remote rejected samples"
                );
            }
            None => debug!(
                remote,
                status,
                sample_count,
                ?extent,
                series,
                error = words,
                "rejected"
            ),
        }
    }

    /// What is known of families was not taken.
    pub(super) fn metadata(&self, words: &str, families: u64) {
        let remote = &self.remote;
        match passes(&self.metadata) {
            Some(unsaid) => warn!(
                remote,
                families,
                unsaid,
                error = words,
                "the remote does not take metadata; metadata_config.send: false stops it"
            ),
            None => debug!(remote, families, error = words, "metadata was not taken"),
        }
    }

    /// Limits of the remote kept samples from it, or changed their labels; a line for each kind.
    pub(super) fn effects(&self, effects: &Effects) {
        let remote = &self.remote;
        for (why, affected) in &effects.dropped {
            if let Some(unsaid) = self.passes(why.as_str()) {
                let (reason, sample_count, series) = (why.as_str(), affected.count, &affected.example);
                warn!(
                    remote,
                    reason,
                    sample_count,
                    series,
                    unsaid,
                    "samples are over a limit of the remote and dropped"
                );
            }
        }
        for (what, affected) in &effects.changed {
            if let Some(unsaid) = self.passes(what.as_str()) {
                let (change, label_count, series) = (what.as_str(), affected.count, &affected.example);
                warn!(
                    remote,
                    change,
                    label_count,
                    series,
                    unsaid,
                    "labels are changed to keep to a limit of the remote"
                );
            }
        }
    }

    fn passes(&self, subject: &'static str) -> Option<u32> {
        let mut effects = self.effects.lock().unwrap_or_else(PoisonError::into_inner);
        effects.entry(subject).or_default().pass()
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

impl Throttle {
    /// How many lines were left unsaid when it is time for one, else `None`.
    fn pass(&mut self) -> Option<u32> {
        if self.last.is_some_and(|last| last.elapsed() < QUIET) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

fn passes(throttle: &Mutex<Throttle>) -> Option<u32> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner).pass()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;
    use crate::forward::books::Extent;
    use crate::forward::profile::Changed;
    use crate::model::UnixMillis;

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
            Complaints::new("test").rejection(&Rejection {
                series: "{a=\"b\"}".to_owned(),
                samples: 1,
                extent: Extent::Alone,
                status: 400,
                words: words.clone(),
                at: UnixMillis::new(0),
            });
        });

        let line: serde_json::Value = serde_json::from_slice(&paper.0.lock().unwrap()).unwrap();
        assert_eq!(line["fields"]["error"], words);
        assert_eq!(line["fields"]["series"], "{a=\"b\"}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_limit_does_is_said_once_a_minute_with_an_example() {
        let paper = Paper::default();
        let shared = paper.clone();
        let log = tracing_subscriber::fmt()
            .json()
            .with_writer(move || shared.clone())
            .finish();
        let complaints = Complaints::new("test");
        let mut effects = Effects::default();
        effects.change(Changed::ValueTruncated, || "{a=\"long\"}".to_owned());

        let _guard = tracing::subscriber::set_default(log);
        complaints.effects(&effects);
        complaints.effects(&effects);
        tokio::time::advance(QUIET).await;
        complaints.effects(&effects);

        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["fields"]["series"], "{a=\"long\"}");
        assert_eq!(lines[0]["fields"]["change"], "value_truncated");
        assert_eq!(lines[1]["fields"]["unsaid"], 1);
    }
}
