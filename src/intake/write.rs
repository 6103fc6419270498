//! Series that bring their own times and belong to no group: what remote-write senders send.
//!
//! They are normalised as every series, written to the log and passed on as they came; whether a sample is too old, a
//! duplicate or out of order is for the remote to judge, which knows what it has. The registry does not hear of them.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::known::{KnownLabels, Patch};
use super::order::{self, Last, LastTimes, Order};
use super::refusal::Refusal;
use super::{Inner, Intake, Lost, Submission, Tally};
use crate::codec::block::{BlockBuilder, encode_labels, split_label};
use crate::codec::record::Record;
use crate::codec::remote_write::{Counts, Flaws, Request};
use crate::model::{Encoded, Exemplar, LabelSet, UnixMillis, WrittenHistogram, WrittenSeries};
use crate::normalise::{Dropped, Effects, Rules};

/// Into how many records a request is cut. A series always goes into the same one, and a record's key decides its lane,
/// so this is how many lanes of a remote can share what comes by remote-write, in order per series.
const STRIPES: usize = 8;

/// How long the samples of a record may become before they are compressed: some requests to a remote. Labels stand
/// beside each sample there, so that few bytes of a request can become many.
const MAX_RECORD_BYTES: usize = 8 << 20;

/// About what a sample takes beside its labels.
const SAMPLE_BYTES: usize = 32;

/// Rules, and what they are known to do.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) rules: Rules,
    known: KnownLabels,
}

impl InForce {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            known: KnownLabels::new(rand::random()),
        }
    }
}

/// The rules under which a request is read and written, also when they change meanwhile.
#[derive(Clone, Debug)]
pub struct Reading {
    in_force: Arc<InForce>,
    order: Order,
}

impl Reading {
    /// The number by which encoded labels are known, so that the request can be read without them. None are when its order
    /// is looked at.
    #[must_use]
    pub fn recall(&self, encoded: &[u8]) -> Option<u32> {
        match self.order {
            Order::AsSent => self.in_force.known.recall(encoded),
            Order::Enforced => None,
        }
    }

    /// Remembers what became of labels, if they may be known.
    fn learn(&self, before: Encoded<'_>, after: &[u8], effects: Effects) {
        if let (Encoded::Read(before), Order::AsSent) = (before, self.order) {
            self.in_force.known.learn(before, after, effects);
        }
    }
}

/// What became of a request.
#[derive(Debug)]
#[must_use = "a request is durable only once its submission has been settled"]
pub struct Written {
    /// What is on its way to the disk; nothing when nothing was left to write.
    pub submission: Option<Submission>,
    /// What is taken once that is durable: also what the operator's own rules drop.
    pub taken: Counts,
    /// What is not taken, and why.
    pub flawed: Flaws,
}

impl Intake {
    /// What a request that comes now is read under, and its samples judged by `order`.
    #[must_use]
    pub fn reading(&self, order: Order) -> Reading {
        Reading {
            in_force: self.0.rules.load_full(),
            order,
        }
    }

    /// Hands the series of a request to the log. The work is in proportion to the request; it does not wait for the
    /// disk. What makes no sense is left out, and told.
    ///
    /// # Errors
    /// [`Refusal`]: nothing of the request is promised; its sender sends it again.
    pub fn write(&self, request: Request<'_>, reading: &Reading) -> Result<Written, Refusal> {
        let mut sorting = Sorting::of(&request);
        self.0.families.received(&request.metadata);
        let mut watch = match reading.order {
            Order::AsSent => None,
            Order::Enforced => Some(Watch::on(&self.0)),
        };
        let InForce { rules, known } = &*reading.in_force;
        let mut unread = Unread::of(known);
        let (mut effects, mut encoded) = (Effects::default(), Vec::new());
        for mut series in request.series {
            let counts = Counts::of(&series);
            encoded.clear();
            if let Encoded::Known(labels, number) = series.encoded {
                effects += unread.normalise((labels, number), &mut encoded);
                sorting.taken += counts;
                sorting.stripes.push(&encoded, &series);
                continue;
            }
            let mut changes = Effects::default();
            match rules.apply_labels(series.labels.clone(), &mut changes) {
                Ok(labels) => {
                    self.0.families.received_with(&labels, series.metadata.as_ref());
                    if let Some(watch) = &mut watch {
                        watch.keep_order(&labels, &mut series, &mut sorting.flawed);
                    }
                    sorting.taken += Counts::of(&series);
                    encode_labels(&mut encoded, &labels);
                    reading.learn(series.encoded, &encoded, changes);
                    sorting.stripes.push(&encoded, &series);
                }
                Err(dropped @ Dropped::Relabel) => {
                    sorting.tally.dropped.push((dropped.reason(), counts.weight()));
                    sorting.taken += counts;
                }
                Err(dropped) => sorting.flawed.add(counts, || {
                    (series.labels.into_set().to_string(), dropped.to_string())
                }),
            }
            effects += changes;
        }
        self.0.books.changed(&effects);
        let Sorting {
            stripes,
            mut tally,
            taken,
            flawed,
        } = sorting;
        tally.lost.push((Lost::Refused, flawed.counts.weight()));
        let submission = self.0.pass_on(stripes, tally)?;
        let is_whole = submission.as_ref().is_none_or(Submission::is_whole);
        if let Some(watch) = watch.filter(|_| is_whole) {
            watch.remember();
        }
        Ok(Written {
            submission,
            taken,
            flawed,
        })
    }
}

/// Normalises labels that nobody has read.
struct Unread<'a> {
    known: &'a KnownLabels,
    /// The patch of the series before, which is mostly that of the next.
    last: (u32, Arc<Patch>),
}

impl<'a> Unread<'a> {
    fn of(known: &'a KnownLabels) -> Self {
        Self {
            known,
            last: (u32::MAX, Arc::default()),
        }
    }

    /// Appends what becomes of labels, and says what was changed.
    fn normalise(&mut self, (labels, number): (&[u8], u32), out: &mut Vec<u8>) -> Effects {
        if self.last.0 != number
            && let Some(patch) = self.known.patch(number)
        {
            self.last = (number, patch);
        }
        let (_, patch) = &self.last;
        patch.apply(labels, out);
        patch.effects
    }
}

/// A request while its series are told apart.
struct Sorting {
    stripes: Stripes,
    tally: Tally,
    taken: Counts,
    flawed: Flaws,
}

impl Sorting {
    fn of(request: &Request<'_>) -> Self {
        Self {
            stripes: Stripes::new(),
            tally: Tally {
                received: request.counts().weight(),
                ..Tally::default()
            },
            taken: Counts::default(),
            flawed: request.flawed.clone(),
        }
    }
}

/// Looks at the order of samples. Requests that want it are taken one after the other.
struct Watch<'a> {
    known: MutexGuard<'a, LastTimes>,
    brought: HashMap<u64, Last>,
    seed: u64,
    now: UnixMillis,
}

impl<'a> Watch<'a> {
    fn on(inner: &'a Inner) -> Self {
        let seed = inner.ledger().registry().seed();
        Self {
            known: inner.last_times(),
            brought: HashMap::new(),
            seed,
            now: inner.clock.now(),
        }
    }

    /// Leaves out what does not follow.
    fn keep_order(&mut self, labels: &LabelSet<'_>, series: &mut WrittenSeries<'_>, flawed: &mut Flaws) {
        let mut encoded = Vec::new();
        encode_labels(&mut encoded, labels);
        let hash = xxh3_64_with_seed(&encoded, self.seed);
        let mut last = self.brought.get(&hash).copied().or_else(|| self.known.last(hash));
        let now = self.now;
        let mut judge = |sample, counts| match order::place(&mut last, sample, now) {
            Ok(()) => true,
            Err(misplaced) => {
                flawed.add(counts, || (labels.to_string(), misplaced.to_string()));
                false
            }
        };
        let (one_sample, one_histogram) = (
            Counts {
                samples: 1,
                ..Counts::default()
            },
            Counts {
                histograms: 1,
                ..Counts::default()
            },
        );
        series
            .samples
            .retain(|sample| judge(order::of_sample(sample), one_sample));
        series
            .histograms
            .retain(|written| judge(order::of_histogram(written), one_histogram));
        if let Some(last) = last {
            self.brought.insert(hash, last);
        }
    }

    /// What was brought has its place in the log.
    fn remember(mut self) {
        self.known.remember(self.brought);
    }
}

impl Inner {
    /// The last sample of each series. A panic while it was held cannot have left it half changed.
    pub(super) fn last_times(&self) -> MutexGuard<'_, LastTimes> {
        self.last_times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the stripes. One that finds no room stops those behind it; those before it go their way, and again when
    /// the sender repeats the request, which gives the remote the same samples twice.
    fn pass_on(&self, stripes: Stripes, tally: Tally) -> Result<Option<Submission>, Refusal> {
        let mut committed = Vec::new();
        let mut refusal = None;
        let mut ledger = self.ledger();
        for (key, record) in stripes.records() {
            match ledger.pass_on(&record, key) {
                Ok(one) => committed.push(one),
                Err(why) => {
                    refusal = Some(why);
                    break;
                }
            }
        }
        drop(ledger);
        if let Some(refusal) = &refusal {
            self.put_off(refusal);
        }
        match (committed.is_empty(), refusal) {
            (true, Some(refusal)) => {
                self.enter_refused(&refusal, &tally);
                Err(refusal)
            }
            (true, None) => {
                self.enter(tally);
                Ok(None)
            }
            (false, refusal) => Ok(Some(Submission {
                committed,
                tally,
                refusal,
            })),
        }
    }
}

/// A request cut by series.
struct Stripes(Vec<Stripe>);

/// What goes into records of one key.
#[derive(Default)]
struct Stripe {
    full: Vec<Record>,
    samples: BlockBuilder,
    exemplars: BlockBuilder,
    /// How long both are about, before they are compressed.
    raw_bytes: usize,
}

impl Stripe {
    fn push(&mut self, labels: &[u8], series: &WrittenSeries<'_>) {
        let labels_bytes = labels.len();
        for sample in &series.samples {
            self.samples.copy_written(labels, *sample);
            self.grow(labels_bytes + SAMPLE_BYTES);
        }
        for WrittenHistogram { histogram, at } in &series.histograms {
            self.samples.copy_histogram(labels, histogram, *at);
            self.grow(labels_bytes + SAMPLE_BYTES + 8 * histogram.parts());
        }
        for exemplar in &series.exemplars {
            let at = exemplar.at.map_or_else(Default::default, |at| at.millis());
            self.exemplars.copy_exemplar(labels, exemplar, at);
            self.grow(labels_bytes + SAMPLE_BYTES + Exemplar::MAX_LABEL_CHARS);
        }
    }

    /// Begins another record when this one is long enough.
    fn grow(&mut self, bytes: usize) {
        self.raw_bytes += bytes;
        if self.raw_bytes >= MAX_RECORD_BYTES {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.raw_bytes = 0;
        let record = Record {
            event: bytes::Bytes::new(),
            samples: std::mem::take(&mut self.samples).finish(),
            markers: Default::default(),
            exemplars: std::mem::take(&mut self.exemplars).finish(),
        };
        if record.weight() > 0 {
            self.full.push(record);
        }
    }
}

impl Stripes {
    fn new() -> Self {
        Self(std::iter::repeat_with(Stripe::default).take(STRIPES).collect())
    }

    /// Appends a series to its stripe.
    fn push(&mut self, labels: &[u8], series: &WrittenSeries<'_>) {
        let place = usize::try_from(place_of(labels)).ok();
        if let Some(stripe) = place.and_then(|place| self.0.get_mut(place)) {
            stripe.push(labels, series);
        }
    }

    /// The records of each stripe that has anything, with its key.
    fn records(self) -> impl Iterator<Item = (u64, Record)> {
        (0..).zip(self.0).flat_map(|(key, mut stripe)| {
            stripe.cut();
            stripe.full.into_iter().map(move |record| (key, record))
        })
    }
}

/// The stripe of a series, the same in every process and version: what waits in the log is followed by what comes after
/// a restart. The metric's name has no say, so that what is measured at one place stays together: the series of a stripe
/// resemble each other, and take a tenth less when they are compressed.
fn place_of(labels: &[u8]) -> u64 {
    const NAME: &[u8] = b"\x0a\x08__name__";
    // behind the tag and the length of the label, which are two bytes or three
    let is_name =
        |label: &[u8]| (2..=3).any(|at| label.get(at..).is_some_and(|field| field.starts_with(NAME)));
    let place = match split_label(labels) {
        Some((label, rest)) if is_name(label) => rest,
        _ => labels,
    };
    xxh3_64_with_seed(place, 0) % STRIPES as u64
}
