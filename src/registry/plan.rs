//! Judging a change against the state, without making it.

use std::sync::Arc;

use hashbrown::HashSet;

use super::change::{Change, Conflict, Push, Refused};
use super::consistency::Consistency;
use super::event::{AsPushed, EndReason, Event, Mode};
use super::sources::{Composites, OwnerId, Source};
use super::times::latest_of_push;
use super::{Group, Registry, SeriesSet, lane_key, layers};
use crate::codec::DecodeError;
use crate::codec::block::{Block, BlockBuilder, EncodedSeries};
use crate::codec::layer::Layer;
use crate::codec::shape::Shape;
use crate::model::{GroupKey, METRIC_NAME, Process, SeriesHash, UnixMillis, stale_marker};

/// What the slow path finds when the set of series has changed.
#[derive(Default)]
struct Difference {
    /// Which samples of the push to leave out, by index, ascending.
    left_out: Vec<usize>,
    conflicts: u32,
    twins: u32,
    first_conflict: Option<(usize, OwnerId)>,
    /// Samples whose series another source owns, or owned until it fell silent.
    owned: Vec<(usize, OwnerId)>,
    /// Samples left out because another process of the same group owns their series, and which.
    of_neighbours: Vec<(usize, OwnerId)>,
    fence: bool,
    /// The samples have to be later than this.
    after: Option<UnixMillis>,
}

/// A group whose process, or all of whose processes, have fallen silent.
struct Silent {
    last_at: UnixMillis,
    lane_key: u64,
}

impl Push {
    /// Whether the push carries what its source carried before, other values apart: the usual case.
    fn repeats(&self, group: Option<&Group>, source: Option<&Source>) -> bool {
        let (of_source, of_group) = self
            .series
            .split_at_checked(self.series.len().saturating_sub(self.own))
            .unwrap_or_default();
        self.mode == Mode::Replace
            && source.is_some_and(|source| source.series == of_source)
            && source.is_some_and(|source| source.shape(self.shape.key()).is_some())
            && group.is_some_and(|group| group.own_series == of_group)
    }
}

impl Difference {
    /// The time of the push's samples: when it arrived, but later than all that its series had before.
    fn time_of(&self, push: &Push, group: Option<&Group>) -> UnixMillis {
        let later_than = [group.map(|group| group.last_at), self.after];
        later_than
            .into_iter()
            .flatten()
            .map(UnixMillis::next)
            .fold(push.at, UnixMillis::max)
    }

    /// How many of the group's own series stay.
    fn own_left(&self, push: &Push) -> u32 {
        let pushed = push.series.len().saturating_sub(push.own);
        let left_out = self.left_out.iter().filter(|index| **index >= pushed).count();
        u32::try_from(push.own.saturating_sub(left_out)).unwrap_or(u32::MAX)
    }
}

impl Registry {
    /// What taking `push` would mean. The cost depends on the push and on what its own source pushed before.
    ///
    /// # Errors
    /// [`Refused`]: a limit is reached; nothing changes.
    pub fn plan_push(&self, mut push: Push) -> Result<Change, Refused> {
        let group = self.groups.get(&push.group);
        if push.series.len() == push.own
            && push.process == Process::default()
            && let Some([only]) = group.map(|group| group.sources.as_slice())
        {
            // an empty body does not say whose it is; where there is only one source it is that one's
            push.process = only.process.clone();
        }
        let source = group.and_then(|group| group.source(&push.process));
        self.check_limits(&push, group, source)?;
        if push.repeats(group, source) {
            self.judge_times(&push, source, &[])?;
            return self.change_of(push, group, Difference::default(), Block::default());
        }
        if group.is_none() && push.check == Consistency::Checked {
            self.judge_new_group(&push.group)?;
        }
        self.judge_families(&push, source)?;
        let found = self.compare(&push, group, source);
        self.judge_duplicates(&push, &found.owned)?;
        let shown_elsewhere = self.shown_by_owners(&push, &found.of_neighbours)?;
        push.hide(&shown_elsewhere);
        self.judge_times(&push, source, &found.owned)?;
        let at = found.time_of(&push, group);
        let mut markers = BlockBuilder::new(self.seed);
        self.end_vanished(&push, group, source, &mut |series| {
            markers.copy(&series, stale_marker(), at)
        })?;
        self.change_of(push, group, found, markers.finish())
    }

    fn change_of(
        &self,
        push: Push,
        group: Option<&Group>,
        found: Difference,
        markers: Block,
    ) -> Result<Change, Refused> {
        let at = found.time_of(&push, group);
        let own = found.own_left(&push);
        let conflict = found
            .first_conflict
            .map(|(index, owner)| self.name_conflict(&push, index, owner));
        let pushed = AsPushed::of(&push, &found.left_out, group);
        let (samples, series) = if found.left_out.is_empty() && at == push.at {
            (push.samples, push.series)
        } else {
            rebuild(
                (push.samples, push.series),
                (&found.left_out, &push.own_times),
                at,
                self.seed,
            )?
        };
        let latest = latest_of_push(&samples, &push.own_times, at)?;
        let exemplars = match found.left_out.as_slice() {
            [] => push.exemplars.clone(),
            _ => beside(&series, &push.exemplars, self.seed)?,
        };
        let lost_exemplars = push.exemplars.samples() - exemplars.samples();
        let Push {
            group,
            process,
            peer,
            mode,
            shape,
            values,
            ..
        } = push;
        let event = Event::Pushed {
            group,
            process,
            peer,
            mode,
            at,
            own,
            pushed,
        };
        let Difference {
            fence,
            conflicts,
            twins,
            ..
        } = found;
        Ok(Change {
            samples,
            series,
            layer: Some(layers::layer(shape, values, at)),
            latest,
            markers,
            exemplars,
            fence,
            conflicts: conflicts + lost_exemplars,
            conflict,
            twins,
            ..Change::new(event)
        })
    }

    /// What a push that was read and then refused leaves behind: its group, if only as a ghost, knows of the failure.
    /// `own` holds the group's push times, with the failure in it, and `series` their identities.
    ///
    /// # Errors
    /// [`Refused`] when the ghost would be one group too many or could not be told from another, or
    /// [`Refused::Damaged`].
    pub fn plan_failure(&self, push: Push, why: String) -> Result<Change, Refused> {
        let group = self.groups.get(&push.group);
        if group.is_none() {
            // a Pushgateway shows both, and nothing can be scraped or pushed from then on
            self.judge_new_group(&push.group)?;
        }
        self.check_limits(&push, group, None)?;
        let found = self.compare(&push, group, None);
        let at = found.time_of(&push, group);
        let mut markers = BlockBuilder::new(self.seed);
        self.end_vanished(&push, group, None, &mut |series| {
            markers.copy(&series, stale_marker(), at)
        })?;
        let (samples, series) = rebuild((push.samples, push.series), (&found.left_out, &[]), at, self.seed)?;
        let Difference {
            fence,
            conflicts,
            twins,
            ..
        } = found;
        let event = Event::Failed {
            group: push.group,
            at,
            why,
        };
        Ok(Change {
            samples,
            series,
            markers: markers.finish(),
            fence,
            conflicts,
            twins,
            ..Change::new(event)
        })
    }

    /// What a DELETE of `group` would mean; `None` when there is no such group.
    ///
    /// # Errors
    /// [`Refused::Damaged`] only.
    pub fn plan_delete(&self, group: &GroupKey, now: UnixMillis) -> Result<Option<Change>, Refused> {
        let Some(known) = self.groups.get(group) else {
            return Ok(None);
        };
        if known.sources.len() > 1 {
            let at = now.max(known.last_at);
            return Ok(Some(Change::new(Event::DeleteAsked {
                group: group.clone(),
                at,
            })));
        }
        self.plan_end(group, None, EndReason::Deleted, now).map(Some)
    }

    /// What ending some sources of a group, or all of it, would mean.
    pub(super) fn plan_end(
        &self,
        key: &GroupKey,
        processes: Option<Vec<Process>>,
        why: EndReason,
        now: UnixMillis,
    ) -> Result<Change, Refused> {
        let mut markers = BlockBuilder::new(self.seed);
        let mut at = now;
        if let Some(group) = self.groups.get(key) {
            at = now.max(group.last_at.next());
            let ends = |source: &&Source| {
                processes
                    .as_ref()
                    .is_none_or(|ending| ending.contains(&source.process))
            };
            for source in group.sources.iter().filter(ends) {
                for series in source.block.open()?.series().take(source.series.len()) {
                    markers.copy(&series?, stale_marker(), at);
                }
            }
            if processes.is_none() {
                for series in group.own.open()?.series() {
                    markers.copy(&series?, stale_marker(), at);
                }
            }
        }
        let event = Event::Ended {
            group: key.clone(),
            processes,
            at,
            why,
        };
        Ok(Change {
            markers: markers.finish(),
            ..Change::new(event)
        })
    }

    fn check_limits(
        &self,
        push: &Push,
        group: Option<&Group>,
        source: Option<&Source>,
    ) -> Result<(), Refused> {
        if group.is_none() && self.groups.len() >= self.config.max_groups {
            return Err(Refused::TooManyGroups {
                limit: self.config.max_groups,
            });
        }
        let limit = self.config.max_series_per_group;
        let pushed = push.series.len().saturating_sub(push.own);
        let before: usize = group.map_or(0, |group| {
            group.sources.iter().map(|source| source.series.len()).sum()
        });
        let replaced = match source {
            None => 0,
            Some(source) if push.mode == Mode::Replace => source.series.len(),
            // what a POST replaces has to be looked for, so only if it matters
            Some(source) if before + pushed > limit => source.replaced_by(push)?,
            Some(_) => 0,
        };
        let series = before - replaced + pushed;
        if series > limit {
            return Err(Refused::TooManySeries { series, limit });
        }
        Ok(())
    }

    /// Looks at every series of the push that its source, or group, does not own yet.
    fn compare(&self, push: &Push, group: Option<&Group>, source: Option<&Source>) -> Difference {
        let lane = lane_key(&push.group);
        let pushed = push.series.len().saturating_sub(push.own);
        let mut found = Difference::default();
        let mut seen = SeriesSet::with_capacity_and_hasher(push.series.len(), Default::default());
        for (index, series) in push.series.iter().enumerate() {
            let claimant = if index < pushed {
                source.map(|source| source.id)
            } else {
                group.map(|group| group.id)
            };
            let owner = self.owners.get(series);
            let other = owner.filter(|owner| Some(*owner) != claimant);
            found
                .owned
                .extend(other.filter(|_| index < pushed).map(|owner| (index, owner)));
            if !seen.insert(*series) {
                found.twins += 1;
                found.left_out.push(index);
            } else if let Some(silent) = other.and_then(|owner| self.silent(owner, push.at)) {
                found.after = found.after.max(Some(silent.last_at));
                found.fence |= silent.lane_key != lane;
            } else if let Some(owner) = other {
                found.conflicts += 1;
                found.left_out.push(index);
                if index < pushed {
                    found.first_conflict.get_or_insert((index, owner));
                }
                let name = self.names.get(&owner);
                if name.is_some_and(|name| *name.group == push.group && name.process.is_some()) {
                    found.of_neighbours.push((index, owner));
                }
            } else if owner.is_none() {
                let released = self.released.get(series);
                found.after = found.after.max(released.map(|released| released.at));
                found.fence |=
                    released.is_some_and(|released| released.lane_key != lane) || self.forgot_until.is_some();
            }
        }
        found
    }

    /// The group of an owner that is not heard any more, so that its series are free for others: a process that was
    /// killed must not stand in the way of the one started in its place.
    fn silent(&self, owner: OwnerId, now: UnixMillis) -> Option<Silent> {
        let owner = self.names.get(&owner)?;
        let group = self.groups.get(&owner.group)?;
        let neighbours = group.sources.iter().filter_map(|source| source.interval).max();
        let mut sources = group.sources.iter().filter(|source| {
            owner
                .process
                .as_ref()
                .is_none_or(|process| source.process == *process)
        });
        let is_silent = sources.all(|source| source.is_silent(now, self.awake_since, neighbours));
        is_silent.then(|| Silent {
            last_at: group.last_at,
            lane_key: lane_key(&owner.group),
        })
    }

    /// Calls `end` for every series that the push leaves behind.
    fn end_vanished(
        &self,
        push: &Push,
        group: Option<&Group>,
        source: Option<&Source>,
        end: &mut dyn FnMut(EncodedSeries<'_>),
    ) -> Result<(), DecodeError> {
        let carried: SeriesSet = push.series.iter().copied().collect();
        if let Some(source) = source {
            let replaced = Replaced::by(&push.shape, push.mode, &source.layers)?;
            let opened = source.block.open()?;
            for (series, hash) in opened.series().zip(&source.series) {
                let series = series?;
                if !carried.contains(hash) && replaced.takes(&series)? {
                    end(series);
                }
            }
        }
        if let Some(group) = group {
            let opened = group.own.open()?;
            for (series, hash) in opened.series().zip(&group.own_series) {
                let series = series?;
                if !carried.contains(hash) {
                    end(series);
                }
            }
        }
        Ok(())
    }

    fn name_conflict(&self, push: &Push, index: usize, owner: OwnerId) -> Conflict {
        let opened = push.samples.open().ok();
        let series =
            opened.and_then(|opened| Some(opened.series().nth(index)?.ok()?.labels().ok()?.to_string()));
        let owner = self
            .names
            .get(&owner)
            .map_or_else(String::new, ToString::to_string);
        let other = format!("group {} ({})", push.group, push.process);
        Conflict {
            series: series.unwrap_or_default(),
            owner,
            other,
        }
    }
}

impl Group {
    pub(super) fn source(&self, process: &Process) -> Option<&Source> {
        self.sources.iter().find(|source| source.process == *process)
    }
}

/// Which series of a source a push replaces, if it does not carry them.
pub(super) enum Replaced<'a> {
    /// All: the push is a PUT.
    Everything,
    /// Those of the families pushed.
    Families {
        names: HashSet<&'a str, foldhash::fast::RandomState>,
        composites: Composites<'a>,
    },
}

impl<'a> Replaced<'a> {
    pub(super) fn by(shape: &'a Shape, mode: Mode, layers: &'a [Arc<Layer>]) -> Result<Self, DecodeError> {
        Ok(match mode {
            Mode::Replace => Self::Everything,
            Mode::Merge => Self::Families {
                names: layers::names(shape)?,
                composites: Composites::of(layers)?,
            },
        })
    }

    /// Whether a series of the source, which the push does not carry, goes.
    pub(super) fn takes(&self, series: &EncodedSeries<'_>) -> Result<bool, DecodeError> {
        let Self::Families { names, composites } = self else {
            return Ok(true);
        };
        let labels = series.labels()?;
        let name = labels.get(METRIC_NAME).unwrap_or_default();
        Ok(names.contains(composites.family_of(name)))
    }
}

/// The same samples without those left out, at another time but for those with their own.
fn rebuild(
    (samples, mut series): (Block, Vec<SeriesHash>),
    (left_out, own_times): (&[usize], &[usize]),
    at: UnixMillis,
    seed: u64,
) -> Result<(Block, Vec<SeriesHash>), DecodeError> {
    let stays = |index: usize| left_out.binary_search(&index).is_err();
    let mut builder = BlockBuilder::new(seed);
    for (index, sample) in samples
        .open()?
        .series()
        .enumerate()
        .filter(|(index, _)| stays(*index))
    {
        let sample = sample?;
        let is_its_own = own_times.binary_search(&index).is_ok();
        builder.copy_at(&sample, if is_its_own { sample.at } else { at });
    }
    let mut index = 0;
    series.retain(|_| {
        index += 1;
        stays(index - 1)
    });
    Ok((builder.finish(), series))
}

/// Those of the exemplars that stand beside one of `series`.
fn beside(series: &[SeriesHash], exemplars: &Block, seed: u64) -> Result<Block, DecodeError> {
    let staying: SeriesSet = series.iter().copied().collect();
    let mut builder = BlockBuilder::new(seed);
    for exemplar in exemplars.open()?.series() {
        let exemplar = exemplar?;
        if staying.contains(&exemplar.hash(seed)) {
            builder.copy_at(&exemplar, exemplar.at);
        }
    }
    Ok(builder.finish())
}
