//! Making a change: the fold from events to state, the same live and when the log is read again.

use std::sync::Arc;

use super::change::Change;
use super::event::{EndReason, Event, Mode};
use super::plan::Replaced;
use super::sources::{FirstPush, Owner, OwnerId, Source};
use super::times::latest_of;
use super::{
    Group, MAX_HISTORY, MAX_RELEASED, Map, Registry, Released, Retired, SeriesSet, lane_key, layers,
};
use crate::codec::DecodeError;
use crate::codec::block::{Block, BlockBuilder, OpenBlock};
use crate::codec::layer::Layer;
use crate::codec::record::Record;
use crate::codec::shape::Shape;
use crate::model::{GroupKey, Process, SeriesHash, UnixMillis};

/// Samples together with the identity of each one's series.
struct Pushed {
    samples: Block,
    series: Vec<SeriesHash>,
    own: usize,
}

impl Registry {
    /// Makes a planned change, once its record is in the log.
    ///
    /// # Errors
    /// When a stored block does not open: memory is damaged, and the state has to be read from the log again.
    pub fn apply(&mut self, change: Change) -> Result<(), DecodeError> {
        let latest = (change.latest, change.layer);
        self.fold(change.event, (change.samples, change.series), latest)
    }

    /// Makes the change that a record of the log tells of; none, if it holds what was received by remote-write.
    ///
    /// # Errors
    /// When the record is damaged or of a later version; nothing has changed then.
    pub fn replay(&mut self, record: &Record) -> Result<(), DecodeError> {
        if record.event.is_empty() {
            return Ok(());
        }
        let event = Event::decode(&record.event)?;
        let opened = record.samples.open()?;
        let series = opened
            .series()
            .map(|series| series.map(|series| series.hash(self.seed)))
            .collect::<Result<_, _>>()?;
        let layer = self.layer_of(&event, &opened)?;
        let latest = latest_of(&opened, event.at())?;
        self.fold(event, (record.samples.clone(), series), (latest, layer))
    }

    /// The push as it was pushed, out of what its record says.
    fn layer_of(&self, event: &Event, samples: &OpenBlock) -> Result<Option<Arc<Layer>>, DecodeError> {
        let Event::Pushed {
            group,
            process,
            at,
            pushed,
            ..
        } = event
        else {
            return Ok(None);
        };
        let source = self.groups.get(group).and_then(|group| group.source(process));
        let shape = pushed.shape(source)?;
        let values = pushed.values(&shape, samples)?;
        Ok(Some(layers::layer(shape, values, *at)))
    }

    fn fold(
        &mut self,
        event: Event,
        (samples, series): (Block, Vec<SeriesHash>),
        (latest, layer): (UnixMillis, Option<Arc<Layer>>),
    ) -> Result<(), DecodeError> {
        match event {
            Event::Pushed {
                group,
                process,
                peer,
                mode,
                at,
                own,
                ..
            } => {
                let key = self.enter(group, at);
                if let Some(group) = self.groups.get_mut(&key) {
                    group.last_at = latest;
                }
                let own = (own as usize).min(series.len());
                let pushed = Pushed { samples, series, own };
                self.fold_own(&key, at, &pushed)?;
                let mut source = self.take_source(&key, process, at);
                source.peer = peer;
                match (mode, &layer) {
                    (Mode::Merge, Some(layer)) => {
                        self.merge(&key, &mut source, pushed, (at, layer.shape()))?
                    }
                    _ => self.replace(&key, &mut source, pushed, at)?,
                }
                if let Some(layer) = layer {
                    self.show(&mut source, layer, mode)?;
                }
                self.put_source(&key, source, at);
            }
            Event::Failed { group, at, why } => {
                let key = self.enter(group, at);
                let own = series.len();
                self.fold_own(&key, at, &Pushed { samples, series, own })?;
                if let Some(group) = self.groups.get_mut(&key) {
                    group.last_failure = Some((at, why));
                }
            }
            Event::DeleteAsked { group, at } => {
                for source in self
                    .groups
                    .get_mut(&group)
                    .into_iter()
                    .flat_map(|group| &mut group.sources)
                {
                    source.delete_asked.get_or_insert(at);
                }
            }
            Event::Ended {
                group,
                processes,
                at,
                why,
            } => self.end(&group, processes, (at, why)),
        }
        Ok(())
    }

    /// The group of `key`, made if it is new, its time moved to `at`.
    fn enter(&mut self, key: GroupKey, at: UnixMillis) -> Arc<GroupKey> {
        if let Some((known, _)) = self.groups.get_key_value(&key) {
            let known = Arc::clone(known);
            if let Some(group) = self.groups.get_mut(&known) {
                group.last_at = at;
            }
            return known;
        }
        let key = Arc::new(key);
        let id = self.name(Owner {
            group: Arc::clone(&key),
            process: None,
        });
        let group = Group {
            id,
            first_seen: at,
            last_at: at,
            last_push: None,
            last_failure: None,
            own: Block::default(),
            own_series: Vec::new(),
            sources: Vec::new(),
        };
        self.groups.insert(Arc::clone(&key), group);
        key
    }

    /// Takes up the group's own push times, the last of the samples, when they are other series than before.
    fn fold_own(&mut self, key: &Arc<GroupKey>, at: UnixMillis, pushed: &Pushed) -> Result<(), DecodeError> {
        let seed = self.seed;
        let Some(group) = self.groups.get_mut(key) else {
            return Ok(());
        };
        let skipped = pushed.series.len() - pushed.own;
        let own_series = pushed.series.get(skipped..).unwrap_or_default();
        if group.own_series == own_series {
            return Ok(());
        }
        let mut own = BlockBuilder::new(seed);
        for series in pushed.samples.open()?.series().skip(skipped) {
            let series = series?;
            own.copy_at(&series, at);
        }
        let before = std::mem::replace(&mut group.own_series, own_series.to_vec());
        group.own = own.finish();
        let id = group.id;
        self.hand_over(key, id, (&before, own_series), at)
    }

    fn take_source(&mut self, key: &Arc<GroupKey>, process: Process, at: UnixMillis) -> Source {
        let group = self.groups.get_mut(key);
        let known = group.and_then(|group| {
            let index = group
                .sources
                .iter()
                .position(|source| source.process == process)?;
            Some(group.sources.swap_remove(index))
        });
        match known {
            Some(mut source) => {
                source.heard(at, FirstPush::No);
                source
            }
            None => {
                let id = self.name(Owner {
                    group: Arc::clone(key),
                    process: Some(process.clone()),
                });
                let mut source = Source::new(id, process, at);
                source.heard(at, FirstPush::Yes);
                source
            }
        }
    }

    /// Takes up a push as it was pushed.
    fn show(&mut self, source: &mut Source, layer: Arc<Layer>, mode: Mode) -> Result<(), DecodeError> {
        let layers = source.layers_with(layer, mode)?;
        self.families.exchange(&source.layers, &layers)?;
        source.layers = layers;
        Ok(())
    }

    fn put_source(&mut self, key: &Arc<GroupKey>, source: Source, at: UnixMillis) {
        if let Some(group) = self.groups.get_mut(key) {
            group.last_push = Some(at);
            group.sources.push(source);
        }
    }

    fn replace(
        &mut self,
        key: &Arc<GroupKey>,
        source: &mut Source,
        mut pushed: Pushed,
        at: UnixMillis,
    ) -> Result<(), DecodeError> {
        pushed.series.truncate(pushed.series.len() - pushed.own);
        source.block = pushed.samples;
        if source.series != pushed.series {
            self.hand_over(key, source.id, (&source.series, &pushed.series), at)?;
            source.series = pushed.series;
            source.series.shrink_to_fit();
        }
        Ok(())
    }

    /// Keeps what the source had, but for the families pushed anew, and adds the push.
    fn merge(
        &mut self,
        key: &Arc<GroupKey>,
        source: &mut Source,
        pushed: Pushed,
        (at, shape): (UnixMillis, &Shape),
    ) -> Result<(), DecodeError> {
        let mut kept = BlockBuilder::new(self.seed);
        let mut series = Vec::new();
        let carried: SeriesSet = pushed.series.iter().copied().collect();
        let replaced = Replaced::by(shape, Mode::Merge, &source.layers)?;
        for (sample, hash) in source.block.open()?.series().zip(&source.series) {
            let sample = sample?;
            if !carried.contains(hash) && !replaced.takes(&sample)? {
                kept.copy_at(&sample, sample.at);
                series.push(*hash);
            }
        }
        let own_begins = pushed.series.len() - pushed.own;
        for (sample, hash) in pushed
            .samples
            .open()?
            .series()
            .zip(&pushed.series)
            .take(own_begins)
        {
            let sample = sample?;
            kept.copy_at(&sample, sample.at);
            series.push(*hash);
        }
        source.block = kept.finish();
        self.hand_over(key, source.id, (&source.series, &series), at)?;
        source.series = series;
        Ok(())
    }

    /// Moves ownership from the series before to those after, also of those that a silent owner had.
    fn hand_over(
        &mut self,
        group: &GroupKey,
        owner: OwnerId,
        (before, after): (&[SeriesHash], &[SeriesHash]),
        at: UnixMillis,
    ) -> Result<(), DecodeError> {
        let mut taken: Map<OwnerId, SeriesSet> = Map::default();
        for series in after {
            self.released.remove(series);
            match self.owners.insert(*series, owner) {
                Some(other) if other != owner => drop(taken.entry(other).or_default().insert(*series)),
                _ => {}
            }
        }
        let after: SeriesSet = after.iter().copied().collect();
        let gone = before.iter().filter(|series| !after.contains(*series));
        self.release(lane_key(group), gone, at);
        taken
            .iter()
            .try_for_each(|(loser, series)| self.take_from(*loser, series))
    }

    /// Takes series from an owner that has fallen silent. They go on, so no marker ends them.
    fn take_from(&mut self, loser: OwnerId, taken: &SeriesSet) -> Result<(), DecodeError> {
        let seed = self.seed;
        let Some(name) = self.names.get(&loser) else {
            return Ok(());
        };
        let Some(group) = self.groups.get_mut(&name.group) else {
            return Ok(());
        };
        let source = group
            .sources
            .iter_mut()
            .find(|source| Some(&source.process) == name.process.as_ref());
        let (block, series) = match source {
            Some(source) => (&mut source.block, &mut source.series),
            None => (&mut group.own, &mut group.own_series),
        };
        let mut kept = BlockBuilder::new(seed);
        for (sample, hash) in block.open()?.series().zip(series.iter()) {
            let sample = sample?;
            if !taken.contains(hash) {
                kept.copy_at(&sample, sample.at);
            }
        }
        *block = kept.finish();
        series.retain(|hash| !taken.contains(hash));
        Ok(())
    }

    fn release<'a>(&mut self, lane_key: u64, series: impl Iterator<Item = &'a SeriesHash>, at: UnixMillis) {
        for series in series {
            self.owners.remove(series);
            if self.released.len() < MAX_RELEASED {
                self.released.insert(*series, Released { lane_key, at });
            } else {
                self.forgot_until = Some(at.after(self.released_for));
            }
        }
    }

    fn end(&mut self, key: &GroupKey, processes: Option<Vec<Process>>, (at, why): (UnixMillis, EndReason)) {
        let Some(group) = self.groups.get_mut(key) else {
            return;
        };
        group.last_at = at;
        let lane = lane_key(key);
        let (ending, staying): (Vec<Source>, Vec<Source>) = std::mem::take(&mut group.sources)
            .into_iter()
            .partition(|source| {
                processes
                    .as_ref()
                    .is_none_or(|ending| ending.contains(&source.process))
            });
        group.sources = staying;
        let mut retired = Vec::new();
        for source in ending {
            self.names.remove(&source.id);
            self.release(lane, source.series.iter(), at);
            // a damaged shape was refused when it came, so this one can be read
            let _ = self.families.exchange(&source.layers, &[]);
            retired.push((Some(source.process), source.series.len() as u64));
        }
        if processes.is_none()
            && let Some(group) = self.groups.remove(key)
        {
            self.names.remove(&group.id);
            self.release(lane, group.own_series.iter(), at);
            let of_sources: u64 = retired.iter().map(|(_, series)| series).sum();
            retired = vec![(None, of_sources + group.own_series.len() as u64)];
        }
        for (process, series) in retired {
            self.history.push_back(Retired {
                group: key.clone(),
                process,
                at,
                why,
                series,
            });
        }
        while self.history.len() > MAX_HISTORY {
            self.history.pop_front();
        }
    }

    /// A number for an owner. Numbers come round after four billion owners; one still in use is passed over.
    pub(super) fn name(&mut self, owner: Owner) -> OwnerId {
        while self.names.contains_key(&OwnerId(self.next_owner)) {
            self.next_owner = self.next_owner.wrapping_add(1);
        }
        let id = OwnerId(self.next_owner);
        self.next_owner = self.next_owner.wrapping_add(1);
        self.names.insert(id, owner);
        id
    }
}
