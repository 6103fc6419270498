//! From samples as they were read to a push that the registry can judge: labels, identities, one compressed block.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::families::Names;
use super::refusal::Inconsistent;
use crate::codec::block::BlockBuilder;
use crate::codec::exposition::{Exposition, bound_of};
use crate::codec::layer::Values;
use crate::codec::shape::Shape;
use crate::codec::show::{PUSH_FAILURE_TIME, PUSH_TIME};
use crate::model::{
    Exemplar, GroupKey, INSTANCE, LabelDraft, LabelSet, METRIC_NAME, MetricKind, Process, Sample, SeriesHash,
    UnixMillis, UnixNanos,
};
use crate::normalise::{Effects, Grouping, Rules};
use crate::registry::{Consistency, Mode, Push};

/// The label of a summary's quantiles.
const QUANTILE: &str = "quantile";

/// The names of the group's own series, as Pushgateway shows them.
const OWN_NAMES: [&str; 2] = [PUSH_TIME, PUSH_FAILURE_TIME];

/// How far ahead of its arrival a sample may be: clocks of machines differ by less, and nothing later can be written to
/// the series until then.
const MOST_AHEAD: Duration = Duration::from_secs(60);

/// What becomes of times that samples bring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamps {
    /// A push with any is refused; samples get the time of their arrival.
    #[default]
    Refused,
    /// They stay with their samples; the others get the time of their arrival.
    Kept,
}

/// A push as a door hands it in.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The group that the path names.
    pub group: GroupKey,
    /// PUT or POST.
    pub mode: Mode,
    /// Where it came from.
    pub peer: String,
    /// What the body says.
    pub exposition: Exposition<'a>,
    /// Whether it has to agree with itself and with what others have pushed.
    pub check: Consistency,
    /// What becomes of times that samples bring.
    pub timestamps: Timestamps,
    /// Families that the bridge shows of itself; only those needed of which the push could have one too.
    pub own: Vec<(String, MetricKind)>,
}

/// A push ready to be judged, and what became of its samples on the way.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) push: Push,
    pub(super) effects: Effects,
    /// Samples that the rules dropped, and exemplars that no store takes, by reason.
    pub(super) dropped: Vec<(&'static str, u64)>,
    /// Samples whose series is another's only after normalisation.
    pub(super) twins: u64,
    /// What its families are called now, if that is wanted.
    pub(super) names: Option<Names>,
}

/// When the group was pushed to, for its own series.
#[derive(Clone, Copy, Debug)]
pub(super) struct PushTimes {
    pub(super) pushed: Option<UnixMillis>,
    pub(super) failed: Option<UnixMillis>,
}

/// Prepares one push for the time `at`.
pub(super) struct Preparation<'a> {
    rules: &'a Rules,
    group: &'a GroupKey,
    grouping: &'a Grouping,
    at: UnixMillis,
    block: BlockBuilder,
    exemplars: BlockBuilder,
    series: Vec<SeriesHash>,
    effects: Effects,
    dropped: Vec<(&'static str, u64)>,
    twins: u64,
    check: Consistency,
    names: Option<Names>,
    /// Samples that are not in the block, by number.
    skipped: Vec<u32>,
    /// Samples that bring their time, by place in the block.
    own_times: Vec<usize>,
}

impl<'a> Preparation<'a> {
    pub(super) fn new(
        rules: &'a Rules,
        (group, grouping): (&'a GroupKey, &'a Grouping),
        (at, check): (UnixMillis, Consistency),
        seed: u64,
    ) -> Self {
        Self {
            rules,
            group,
            grouping,
            at,
            block: BlockBuilder::new(seed),
            exemplars: BlockBuilder::new(seed),
            series: Vec::new(),
            effects: Effects::default(),
            dropped: Vec::new(),
            twins: 0,
            check,
            names: None,
            skipped: Vec::new(),
            own_times: Vec::new(),
        }
    }

    /// Has it note what becomes of the names of families.
    pub(super) fn note_names(&mut self) {
        self.names = Some(Names::default());
    }

    /// Encodes the samples.
    ///
    /// # Errors
    /// [`Inconsistent`] when a sample has a time that it may not have, or two are the same series as pushed.
    pub(super) fn samples(
        &mut self,
        exposition: &Exposition<'_>,
        timestamps: Timestamps,
    ) -> Result<(), Inconsistent> {
        let samples = &exposition.samples;
        self.judge_times(samples, timestamps)?;
        self.judge_quantile(exposition)?;
        let mut seen: HashMap<SeriesHash, usize, foldhash::fast::RandomState> =
            HashMap::with_capacity_and_hasher(samples.len(), foldhash::fast::RandomState::default());
        let push_time = self.push_time_in(samples);
        let mut draft = LabelDraft::new();
        for (index, sample) in samples.iter().enumerate() {
            for (name, value) in sample.labels.iter() {
                if name.starts_with("__") && name != METRIC_NAME {
                    return Err(Inconsistent::Reserved(name.to_owned()));
                }
                draft.push(name, value);
            }
            let labels = match self
                .rules
                .apply(self.grouping, std::mem::take(&mut draft), &mut self.effects)
            {
                Ok(labels) => labels,
                Err(dropped) => {
                    self.count_dropped(dropped.reason(), sample.weight());
                    self.skip(index);
                    continue;
                }
            };
            if let Some(names) = &mut self.names {
                names.note(exposition, sample, &labels);
            }
            let at = sample.at.unwrap_or(self.at);
            let series = match sample.histogram() {
                None => self.block.push_written(&labels, sample.written(at)),
                Some(histogram) => self.block.push_histogram(&labels, histogram, at),
            };
            if Some(series) == push_time {
                self.block.take_back();
                self.count_dropped("push_time", sample.weight());
                self.skip(index);
            } else {
                match seen.entry(series) {
                    Entry::Vacant(free) => {
                        free.insert(index);
                        if sample.at.is_some() {
                            self.own_times.push(self.series.len());
                        }
                        self.series.push(series);
                        self.exemplars(&labels, sample);
                    }
                    Entry::Occupied(earlier) => {
                        self.block.take_back();
                        self.judge_twin(exposition, samples.get(*earlier.get()), sample)?;
                        self.twins += sample.weight();
                        self.skip(index);
                    }
                }
            }
            draft = emptied(labels);
        }
        Ok(())
    }

    fn judge_times(&self, samples: &[Sample<'_>], timestamps: Timestamps) -> Result<(), Inconsistent> {
        let latest = self.at.after(MOST_AHEAD);
        for (sample, at) in samples.iter().filter_map(|sample| Some((sample, sample.at?))) {
            let series = || sample.labels.clone().into_set().to_string();
            if timestamps == Timestamps::Refused {
                return Err(Inconsistent::Timestamp(series()));
            }
            if at > latest {
                return Err(Inconsistent::Future {
                    series: series(),
                    at,
                    arrival: self.at,
                });
            }
        }
        Ok(())
    }

    /// Encodes the exemplars beside a sample, in the order of their times, as stores take them.
    fn exemplars(&mut self, labels: &LabelSet<'_>, sample: &Sample<'_>) {
        if sample.exemplars().is_empty() {
            return;
        }
        let at = sample.at.unwrap_or(self.at);
        let time = |exemplar: &Exemplar<'_>| exemplar.at.map_or(at, UnixNanos::millis);
        let mut exemplars: Vec<&Exemplar<'_>> = sample.exemplars().iter().collect();
        exemplars.sort_by_key(|exemplar| time(exemplar));
        for exemplar in exemplars {
            if exemplar.is_storable() {
                self.exemplars.push_exemplar(labels, exemplar, at);
            } else {
                self.count_dropped("exemplar_length", 1);
            }
        }
    }

    /// The identity of the group's push time, if that may be among the samples.
    fn push_time_in(&mut self, samples: &[Sample<'_>]) -> Option<SeriesHash> {
        let is_push_time = |sample: &Sample<'_>| sample.labels.get(METRIC_NAME) == OWN_NAMES.first().copied();
        samples
            .iter()
            .any(is_push_time)
            .then(|| self.push_time())
            .flatten()
    }

    /// The identity of the group's push time; it is ours to write, whoever pushes one (Pushgateway M10).
    fn push_time(&mut self) -> Option<SeriesHash> {
        let [name, _] = OWN_NAMES;
        let draft: LabelDraft<'_> = [(METRIC_NAME, name)].into_iter().collect();
        let labels = self
            .rules
            .apply(self.grouping, draft, &mut Effects::default())
            .ok()?;
        let identity = self.block.push(&labels, 0.0, self.at);
        self.block.take_back();
        Some(identity)
    }

    /// Adds the group's own series.
    pub(super) fn push_times(&mut self, times: PushTimes) -> usize {
        let mut own = 0;
        for (name, at) in OWN_NAMES.into_iter().zip([times.pushed, times.failed]) {
            let draft: LabelDraft<'_> = [(METRIC_NAME, name)].into_iter().collect();
            let Ok(labels) = self.rules.apply(self.grouping, draft, &mut Effects::default()) else {
                continue;
            };
            let value = at.map_or(0.0, UnixMillis::as_seconds);
            let series = self.block.push(&labels, value, self.at);
            if self.series.contains(&series) {
                self.block.take_back();
            } else {
                self.series.push(series);
                own += 1;
            }
        }
        own
    }

    /// Refuses summaries in a group that has the label which tells their samples apart.
    fn judge_quantile(&self, exposition: &Exposition<'_>) -> Result<(), Inconsistent> {
        if self.check == Consistency::Unchecked || !self.group.iter().any(|(name, _)| name == QUANTILE) {
            return Ok(());
        }
        let is_summary = |sample: &&Sample<'_>| {
            let family = exposition.families.get(sample.family);
            family.is_some_and(|family| family.kind == MetricKind::Summary)
        };
        match exposition.samples.iter().find(is_summary) {
            None => Ok(()),
            Some(sample) => Err(Inconsistent::Quantile(
                sample.labels.clone().into_set().to_string(),
            )),
        }
    }

    fn skip(&mut self, index: usize) {
        self.skipped.extend(u32::try_from(index));
    }

    /// The push, with what it looked like; its own push times are the last `own` series of the block.
    pub(super) fn finish(self, own: usize, incoming: &Incoming<'_>, shape: Arc<Shape>) -> Prepared {
        let push = Push {
            group: self.group.clone(),
            process: Process::default(),
            peer: incoming.peer.clone(),
            mode: incoming.mode,
            at: self.at,
            samples: self.block.finish(),
            exemplars: self.exemplars.finish(),
            series: self.series,
            own,
            shape,
            values: Values::of(&incoming.exposition.samples),
            skipped: self.skipped,
            own_times: self.own_times,
            check: self.check,
        };
        Prepared {
            push,
            effects: self.effects,
            dropped: self.dropped,
            twins: self.twins,
            names: self.names,
        }
    }

    /// Two samples came out as one series: a mistake of the pusher when they were one before, else of our rules.
    fn judge_twin(
        &self,
        exposition: &Exposition<'_>,
        earlier: Option<&Sample<'_>>,
        later: &Sample<'_>,
    ) -> Result<(), Inconsistent> {
        // of a summary or histogram a part may be said twice, but not one metric in two ways (Pushgateway B20)
        let kind = exposition.families.get(later.family).map(|family| family.kind);
        let is_part = kind.is_some_and(|kind| bound_of(kind).is_some());
        let is_same = earlier.is_some_and(|earlier| as_written(earlier) == as_written(later));
        if self.check == Consistency::Unchecked || (is_part && is_same) {
            return Ok(());
        }
        let pushed = earlier.map(|earlier| self.as_pushed(earlier));
        if pushed.is_some_and(|earlier| earlier == self.as_pushed(later)) {
            let group: LabelDraft<'_> = later.labels.iter().chain(self.group.iter()).collect();
            return Err(Inconsistent::Duplicate(group.into_set().to_string()));
        }
        Ok(())
    }

    /// A sample's labels as Pushgateway would store them: grouping labels override, empty values count, and there is
    /// always an `instance`.
    fn as_pushed<'s>(&self, sample: &'s Sample<'_>) -> Vec<(&'s str, &'s str)> {
        let is_grouping = |name: &str| self.group.iter().any(|(grouping, _)| grouping == name);
        let mut labels: Vec<_> = sample
            .labels
            .iter()
            .filter(|(name, _)| !is_grouping(name))
            .collect();
        if !is_grouping(INSTANCE) && !labels.iter().any(|(name, _)| *name == INSTANCE) {
            labels.push((INSTANCE, ""));
        }
        labels.sort_unstable();
        labels
    }

    fn count_dropped(&mut self, reason: &'static str, weight: u64) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += weight,
            None => self.dropped.push((reason, weight)),
        }
    }
}

/// A sample's labels as its line has them, sorted; an empty value is one, too.
fn as_written<'s>(sample: &'s Sample<'_>) -> Vec<(&'s str, &'s str)> {
    let mut labels: Vec<_> = sample.labels.iter().collect();
    labels.sort_unstable();
    labels
}

/// An empty draft with the room of a set that has been used: one allocation serves all samples of a push.
fn emptied(labels: LabelSet<'_>) -> LabelDraft<'_> {
    let mut draft = labels.into_draft();
    draft.retain(|_, _| false);
    draft
}
