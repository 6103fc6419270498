//! What became of every sample of one remote: counts, the last error, the list of rejections.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use crate::model::{Clock, UnixMillis};
use crate::queue::Position;

use super::batch::Batch;
use super::transport::Code;

/// Most rejections kept; the oldest go first. A thousand lines are more than anybody reads.
const MAX_REJECTIONS: usize = 1000;

/// A part of a request that the remote refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The series as PromQL writes it; of several the first.
    pub series: String,
    /// How many samples were refused with it; 1 when the offender was found.
    pub samples: u32,
    /// What is known of them.
    pub extent: Extent,
    /// The status.
    pub status: u16,
    /// The remote's own words, at most 1,024 bytes of them.
    pub words: String,
    /// When.
    pub at: UnixMillis,
}

/// What is known of the samples of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// There is one, and the remote does not want it.
    Alone,
    /// They were refused together and not tried one by one: the status is about the whole request, or the samples that
    /// were tried of them were refused too.
    Unsearched,
    /// They travelled together, and the remote refused some and stored the others without saying which.
    Partial,
}

/// The last thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// The remote's own words, or ours when it said none.
    pub words: String,
    /// When.
    pub at: UnixMillis,
}

/// How one remote fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteStatus {
    /// Its name.
    pub name: String,
    /// Its URL without user, password and query.
    pub url: String,
    /// Samples it accepted.
    pub sent_samples: u64,
    /// Samples it refused for good.
    pub rejected_samples: u64,
    /// Samples that were never offered: the queue overflowed, they grew too old, a rule took them away.
    pub dropped_samples: u64,
    /// Samples in the queue that are none of these yet.
    pub pending_samples: u64,
    /// Time since the oldest of those under way came to the queue; zero when there is none.
    pub oldest_pending: Duration,
    /// Attempts after a failure.
    pub retries: u64,
    /// The last thing that went wrong since the process began.
    pub last_error: Option<LastError>,
    /// Refused for good, the latest last; at most 1,000.
    pub rejections: Vec<Rejection>,
}

/// What became of the samples of a batch. They enter the books when it is acknowledged, all at once, so that sent,
/// rejected, dropped and pending sum up at every moment.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) rejected: BTreeMap<u16, u64>,
    pub(super) dropped: BTreeMap<&'static str, u64>,
    /// Labels that were changed, by what was done to them.
    pub(super) changed: BTreeMap<&'static str, u64>,
}

impl Outcome {
    pub(super) fn change(&mut self, what: &'static str, labels: u32) {
        *self.changed.entry(what).or_default() += u64::from(labels);
    }

    pub(super) fn drop(&mut self, reason: &'static str, samples: u32) {
        if samples > 0 {
            *self.dropped.entry(reason).or_default() += u64::from(samples);
        }
    }

    pub(super) fn reject(&mut self, status: u16, samples: u32) {
        *self.rejected.entry(status).or_default() += u64::from(samples);
    }
}

/// The counts as they stand at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: u64,
    pub(super) rejected: BTreeMap<u16, u64>,
    pub(super) dropped: BTreeMap<&'static str, u64>,
    pub(super) changed: BTreeMap<&'static str, u64>,
    pub(super) requests: BTreeMap<Code, u64>,
    pub(super) retries: u64,
    pub(super) request_bytes: u64,
    pub(super) announced: u64,
    pub(super) not_announced: u64,
    pub(super) pending: u64,
    pub(super) oldest_pending: Duration,
}

#[derive(Default)]
struct State {
    counts: Counts,
    url: String,
    under_way: BTreeMap<Position, UnixMillis>,
    last_error: Option<LastError>,
    rejections: VecDeque<Rejection>,
}

/// The books of one remote.
pub(super) struct Books {
    name: String,
    clock: Arc<dyn Clock>,
    delivery: Histogram,
    state: Mutex<State>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Books {
    pub(super) fn new(name: &str, clock: Arc<dyn Clock>) -> Self {
        // from a quick answer on the same machine to the age at which a queue gives samples up
        let bounds = [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
            1800.0, 7200.0,
        ];
        Self {
            name: name.to_owned(),
            clock,
            delivery: Histogram::new(bounds),
            state: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    pub(super) const fn delivery(&self) -> &Histogram {
        &self.delivery
    }

    /// Begins to keep the books of a forwarder; those of one before it under the same name go on.
    pub(super) fn begin(&self, url: String, pending: u64) {
        let mut state = self.state();
        state.url = url;
        state.counts.pending = pending;
        state.under_way.clear();
    }

    pub(super) fn refresh(&self, pending: u64) {
        self.state().counts.pending = pending;
    }

    pub(super) fn handed_out(&self, position: Position, at: UnixMillis, pending: u64) {
        let mut state = self.state();
        state.counts.pending = pending;
        state.under_way.insert(position, at);
    }

    /// The queue let go of samples before they were handed out.
    pub(super) fn gap(&self, reason: &'static str, samples: u64, pending: u64) {
        let mut state = self.state();
        state.counts.pending = pending;
        *state.counts.dropped.entry(reason).or_default() += samples;
    }

    pub(super) fn attempt(&self, code: Code, body_bytes: usize, attempt: u32) {
        let mut state = self.state();
        *state.counts.requests.entry(code).or_default() += 1;
        state.counts.request_bytes += body_bytes as u64;
        state.counts.retries += u64::from(attempt > 0);
    }

    /// The remote has taken what is known of so many families.
    pub(super) fn announced(&self, families: u64) {
        self.state().counts.announced += families;
    }

    /// It has not.
    pub(super) fn not_announced(&self, families: u64) {
        self.state().counts.not_announced += families;
    }

    pub(super) fn failed(&self, words: &str) {
        let at = self.clock.now();
        self.state().last_error = Some(LastError {
            words: words.to_owned(),
            at,
        });
    }

    pub(super) fn rejected(&self, rejection: Rejection) {
        let mut state = self.state();
        if state.rejections.len() == MAX_REJECTIONS {
            state.rejections.pop_front();
        }
        state.last_error = Some(LastError {
            words: rejection.words.clone(),
            at: rejection.at,
        });
        state.rejections.push_back(rejection);
    }

    /// Books a batch that has been acknowledged.
    pub(super) fn settle(&self, batch: &Batch, outcome: &Outcome, pending: u64) {
        let now = self.clock.now();
        let mut state = self.state();
        for piece in batch.pieces() {
            state.under_way.remove(&piece.handed.position);
            self.delivery
                .observe(now.since(piece.handed.record.at).as_secs_f64());
        }
        state.counts.sent += outcome.sent;
        for (status, samples) in &outcome.rejected {
            *state.counts.rejected.entry(*status).or_default() += samples;
        }
        for (reason, samples) in &outcome.dropped {
            *state.counts.dropped.entry(reason).or_default() += samples;
        }
        for (what, labels) in &outcome.changed {
            *state.counts.changed.entry(what).or_default() += labels;
        }
        state.counts.pending = pending;
    }

    pub(super) fn counts(&self) -> Counts {
        counts(&self.state(), self.clock.now())
    }

    pub(super) fn status(&self) -> RemoteStatus {
        let state = self.state();
        let counts = counts(&state, self.clock.now());
        RemoteStatus {
            name: self.name.clone(),
            url: state.url.clone(),
            sent_samples: counts.sent,
            rejected_samples: counts.rejected.values().sum(),
            dropped_samples: counts.dropped.values().sum(),
            pending_samples: counts.pending,
            oldest_pending: counts.oldest_pending,
            retries: counts.retries,
            last_error: state.last_error.clone(),
            rejections: state.rejections.iter().cloned().collect(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counts(state: &State, now: UnixMillis) -> Counts {
    let oldest = state.under_way.values().next();
    Counts {
        oldest_pending: oldest.map_or(Duration::ZERO, |at| now.since(*at)),
        ..state.counts.clone()
    }
}
