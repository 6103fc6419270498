//! A remote-write store in memory: the last hour of every series, and whether it is alive or ended.
//!
//! It is as strict as Prometheus where a mistake of the sender would show: samples out of order, two values for one
//! time, labels unsorted or twice are refused with 400 and a sentence, while the good rest of the request is kept.

mod query;
mod series;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use self::series::Series;
pub use self::{query::Census, query::Selector, server::StoreServer};
use crate::codec::DecodeError;
use crate::codec::remote_write::{Flaws, Limits, Message};
use crate::model::{Clock, LabelDraft, LabelSet, METRIC_NAME, UnixMillis, WrittenSeries};

/// How long a sample is kept.
const KEPT: Duration = Duration::from_secs(3600);
/// How far ahead of the store's clock a sample may be, as Prometheus 3 has it.
const MAX_AHEAD: Duration = Duration::from_secs(600);
/// Most series held: an hour of the demo's churn is some 15,000.
const MAX_SERIES: usize = 50_000;
/// Longest decompressed request: a thousand times what the bridge sends at once.
const MAX_RAW_BYTES: usize = 64 << 20;

/// A store that remote-write requests are put into; clones of the `Arc` share it.
#[derive(Debug)]
pub struct Store {
    clock: Arc<dyn Clock>,
    max_series: usize,
    held: Mutex<Held>,
    revision: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Held {
    series: BTreeMap<LabelSet<'static>, Series>,
    totals: Totals,
    away: Away,
    swept: UnixMillis,
}

/// What the store has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    requests: u64,
    samples: u64,
    refused: u64,
}

/// Whether the store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Away {
    #[default]
    Here,
    Away,
}

/// Why a request was not taken, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// The store plays dead.
    #[error("the store is away for a while (this is part of the demo)")]
    Away,
    /// The body is not what it should be.
    #[error(transparent)]
    Body(#[from] DecodeError),
    /// Some samples were refused, the others are kept.
    #[error("{count} of the request's samples were refused, the first: {first}")]
    Refused {
        /// How many samples.
        count: usize,
        /// Why the first was.
        first: Refusal,
    },
}

/// Why one sample was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("out of order sample for {series}: {at} is before the last, {last}")]
    OutOfOrder {
        series: String,
        at: UnixMillis,
        last: UnixMillis,
    },
    #[error("duplicate sample for timestamp {at} of {series}: another value is there already")]
    Duplicate { series: String, at: UnixMillis },
    #[error("out of bounds: {at} of {series} is older than an hour")]
    TooOld { series: String, at: UnixMillis },
    #[error("out of bounds: {at} of {series} is more than ten minutes ahead")]
    TooNew { series: String, at: UnixMillis },
    #[error("labels of {series} are not sorted, not unique, empty, or without a name")]
    BadLabels { series: String },
    #[error("the store is full: {series} would be one more than {limit} series")]
    Full { series: String, limit: usize },
}

impl Store {
    /// An empty store that tells the age of samples by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::bounded(clock, MAX_SERIES)
    }

    fn bounded(clock: Arc<dyn Clock>, max_series: usize) -> Arc<Self> {
        Arc::new(Self {
            clock,
            max_series,
            held: Mutex::default(),
            revision: watch::Sender::new(0),
        })
    }

    /// Plays dead: every write is answered with 503 until [`Store::come_back`].
    pub fn go_away(&self) {
        self.hold().away = Away::Away;
    }

    /// Takes writes again.
    pub fn come_back(&self) {
        self.hold().away = Away::Here;
    }

    /// Counts the requests taken in; whoever holds the receiver is woken by each of them.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Takes a remote-write 1.0 body as it came off the wire: raw snappy.
    pub(super) fn write(&self, body: &[u8]) -> Result<(), StoreError> {
        let raw = decompress(body)?;
        let request = Message::V1.decode(&raw, &Limits::default())?;
        let now = self.clock.now();
        let outcome = {
            let mut held = self.hold();
            if held.away == Away::Away {
                return Err(StoreError::Away);
            }
            held.sweep(now);
            held.totals.requests += 1;
            let mut refusals = Vec::new();
            refuse(&request.flawed, &mut refusals);
            for series in request.series {
                held.put(series, now, self.max_series, &mut refusals);
            }
            held.totals.refused += refusals.len() as u64;
            refusals
        };
        self.revision.send_modify(|revision| *revision += 1);
        let count = outcome.len();
        match outcome.into_iter().next() {
            None => Ok(()),
            Some(first) => Err(StoreError::Refused { count, first }),
        }
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn put(
        &mut self,
        request: WrittenSeries<'_>,
        now: UnixMillis,
        max_series: usize,
        refusals: &mut Vec<Refusal>,
    ) {
        let count = request.samples.len();
        let Some(labels) = finished(request.labels.clone()) else {
            let series = request.labels.into_set().to_string();
            refusals.extend(vec![Refusal::BadLabels { series }; count]);
            return;
        };
        if self.series.len() >= max_series && !self.series.contains_key(&labels) {
            let (series, limit) = (labels.to_string(), max_series);
            refusals.extend(vec![Refusal::Full { series, limit }; count]);
            return;
        }
        let series = self.series.entry(labels.clone()).or_default();
        for sample in request.samples {
            match series.put(sample.value, sample.at, now) {
                Ok(()) => self.totals.samples += 1,
                Err(unfit) => refusals.push(unfit.of(&labels)),
            }
        }
        if series.is_empty() {
            self.series.remove(&labels);
        }
    }

    /// Forgets what is older than an hour, at most once a minute: it walks over everything.
    fn sweep(&mut self, now: UnixMillis) {
        if now.since(self.swept) < Duration::from_secs(60) {
            return;
        }
        self.swept = now;
        self.series.retain(|_, series| {
            series.trim(now);
            !series.is_empty()
        });
    }
}

fn decompress(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let len = snap::raw::decompress_len(body)?;
    if len > MAX_RAW_BYTES {
        return Err(DecodeError::TooLarge {
            what: "decompressed write request",
            len,
            limit: MAX_RAW_BYTES,
        });
    }
    Ok(snap::raw::Decoder::new().decompress_vec(body)?)
}

/// What makes no sense is refused sample by sample; the first of it says which series.
fn refuse(flaws: &Flaws, refusals: &mut Vec<Refusal>) {
    let Some(first) = flaws.first.first() else { return };
    let series = first.series.clone();
    let count = usize::try_from(flaws.counts.samples).unwrap_or(usize::MAX);
    refusals.extend(std::iter::repeat_n(Refusal::BadLabels { series }, count));
}

/// The labels as a set, if they came as a set has them: a sender that leaves sorting to the store is caught here.
fn finished(labels: LabelDraft<'_>) -> Option<LabelSet<'static>> {
    let sorted = labels
        .iter()
        .zip(labels.iter().skip(1))
        .all(|(earlier, later)| earlier.0 < later.0);
    let whole = labels
        .iter()
        .all(|(name, value)| !name.is_empty() && !value.is_empty());
    let named = labels.get(METRIC_NAME).is_some();
    (sorted && whole && named).then(|| labels.into_set().into_owned())
}

#[cfg(test)]
mod tests;
