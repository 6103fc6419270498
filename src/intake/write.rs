//! Series that bring their own times and belong to no group: what remote-write senders send.
//!
//! They are normalised as every series, written to the log and passed on as they came; whether a sample is too old, a
//! duplicate or out of order is for the remote to judge, which knows what it has. The registry does not hear of them.

use xxhash_rust::xxh3::xxh3_64;

use super::refusal::Refusal;
use super::{Inner, Intake, Lost, Submission, Tally};
use crate::codec::block::BlockBuilder;
use crate::codec::record::Record;
use crate::codec::remote_write::{Counts, Flaw, Request};
use crate::model::{LabelSet, WrittenSeries};
use crate::normalise::{Dropped, Effects};

/// Into how many records a request is cut. A series always goes into the same one, and a record's key decides its lane,
/// so this is how many lanes of a remote can share what comes by remote-write, in order per series.
const STRIPES: usize = 8;

/// What became of a request.
#[derive(Debug)]
#[must_use = "a request is durable only once its submission has been settled"]
pub struct Written {
    /// What is on its way to the disk; nothing when nothing was left to write.
    pub submission: Option<Submission>,
    /// What is taken once that is durable: also what the operator's own rules drop.
    pub taken: Counts,
    /// What is not taken, and why.
    pub flawed: Vec<Flaw>,
}

impl Intake {
    /// Hands the series of a request to the log. The work is in proportion to the request; it does not wait for the
    /// disk. What makes no sense is left out, and told.
    ///
    /// # Errors
    /// [`Refusal`]: nothing of the request is promised; its sender sends it again.
    pub fn write(&self, request: Request<'_>) -> Result<Written, Refusal> {
        let mut stripes = Stripes::new();
        let mut tally = Tally {
            received: request.counts().weight(),
            ..Tally::default()
        };
        let flawed_weight = |flaws: &[Flaw]| flaws.iter().map(|flaw| flaw.counts.weight()).sum();
        let mut taken = Counts::default();
        let mut flawed = request.flawed;
        let mut effects = Effects::default();
        let rules = self.0.rules.load();
        for series in request.series {
            let counts = Counts::of(&series);
            match rules.apply_labels(series.labels.clone(), &mut effects) {
                Ok(labels) => {
                    stripes.push(&labels, &series);
                    taken += counts;
                }
                Err(dropped @ Dropped::Relabel) => {
                    tally.dropped.push((dropped.reason(), counts.weight()));
                    taken += counts;
                }
                Err(dropped) => flawed.push(Flaw {
                    series: series.labels.into_set().to_string(),
                    problem: dropped.to_string(),
                    counts,
                }),
            }
        }
        tally.lost.push((Lost::Refused, flawed_weight(&flawed)));
        self.0.books.changed(&effects);
        let submission = self.0.pass_on(stripes, tally)?;
        Ok(Written {
            submission,
            taken,
            flawed,
        })
    }
}

impl Inner {
    /// Appends the stripes. One that finds no room stops those behind it; those before it go their way, and again when
    /// the sender repeats the request, which gives the remote the same samples twice.
    fn pass_on(&self, stripes: Stripes, mut tally: Tally) -> Result<Option<Submission>, Refusal> {
        let mut appendings = Vec::new();
        let mut ledger = self.ledger();
        for (key, record) in stripes.records() {
            match ledger.pass_on(&record, key) {
                Ok(committed) => {
                    tally.queued += committed.weight;
                    appendings.push(committed.appending);
                }
                Err(refusal) => {
                    drop(ledger);
                    let left = tally.received.saturating_sub(tally.queued);
                    self.books.received(tally.queued);
                    self.books.queued(tally.queued);
                    self.turned_away(&refusal, left);
                    return Err(refusal);
                }
            }
        }
        drop(ledger);
        if appendings.is_empty() {
            self.enter(tally);
            return Ok(None);
        }
        Ok(Some(Submission { appendings, tally }))
    }
}

/// A request cut by series.
struct Stripes {
    stripes: Vec<Stripe>,
    scratch: Vec<u8>,
}

#[derive(Default)]
struct Stripe {
    samples: BlockBuilder,
    exemplars: BlockBuilder,
}

impl Stripes {
    fn new() -> Self {
        Self {
            stripes: std::iter::repeat_with(Stripe::default).take(STRIPES).collect(),
            scratch: Vec::new(),
        }
    }

    fn push(&mut self, labels: &LabelSet<'_>, series: &WrittenSeries<'_>) {
        let place = self.place_of(labels);
        let Some(stripe) = self.stripes.get_mut(place) else {
            return;
        };
        for sample in &series.samples {
            stripe.samples.push_written(labels, *sample);
        }
        for written in &series.histograms {
            stripe
                .samples
                .push_histogram(labels, &written.histogram, written.at);
        }
        for exemplar in &series.exemplars {
            let at = exemplar.at.map_or_else(Default::default, |at| at.millis());
            stripe.exemplars.push_exemplar(labels, exemplar, at);
        }
    }

    /// The same in every process and version: what waits in the log is followed by what comes after a restart.
    fn place_of(&mut self, labels: &LabelSet<'_>) -> usize {
        self.scratch.clear();
        for (name, value) in labels.iter() {
            for part in [name, value] {
                self.scratch.extend_from_slice(part.as_bytes());
                self.scratch.push(0xff);
            }
        }
        usize::try_from(xxh3_64(&self.scratch) % STRIPES as u64).unwrap_or_default()
    }

    /// A record for each stripe that has anything, with its key.
    fn records(self) -> impl Iterator<Item = (u64, Record)> {
        (0..).zip(self.stripes).filter_map(|(key, stripe)| {
            let record = Record {
                event: bytes::Bytes::new(),
                samples: stripe.samples.finish(),
                markers: Default::default(),
                exemplars: stripe.exemplars.finish(),
            };
            (record.weight() > 0).then_some((key, record))
        })
    }
}
