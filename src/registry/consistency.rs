//! Whether a push agrees with what others have pushed, judged as Pushgateway judges it, by an index instead of by
//! gathering everything that is stored.
//!
//! What was taken is consistent, so a push that repeats its shape is too, and need not be looked at. Of another shape
//! only its own families are looked up, and those series that others have.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashSet;

use super::change::{Push, Refused};
use super::event::Mode;
use super::sources::{OwnerId, Source};
use super::{Map, Registry};
use crate::codec::DecodeError;
use crate::codec::layer::Layer;
use crate::codec::shape::Shape;
use crate::codec::show::{PUSH_FAILURE_TIME, PUSH_TIME};
use crate::model::{GroupKey, INSTANCE, MetricKind, UnixMillis};

/// Families that the group itself pushes, whatever a body says of them (Pushgateway M10).
const OWN: [&str; 2] = [PUSH_TIME, PUSH_FAILURE_TIME];

/// Suffixes of the series that belong to a summary or histogram.
const SUFFIXES: [&str; 3] = ["_count", "_sum", "_bucket"];

/// Whether pushes are compared with what others have pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// They are, and refused when they disagree.
    #[default]
    Checked,
    /// They are not.
    Unchecked,
}

/// How a push disagrees with what is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// A family has another type elsewhere (Pushgateway B16, B23, S41).
    #[error("the metric family {family:?} has type {kind}, but is known as {known}{}", where_known(*.by))]
    Kind {
        /// The family.
        family: String,
        /// Its type in the push.
        kind: MetricKind,
        /// Its type elsewhere.
        known: MetricKind,
        /// Who has it with that type.
        by: KnownBy,
    },
    /// A family has the name of a summary's or histogram's series (Pushgateway B17).
    #[error(
        "the metric family {family:?} collides with {other:?}: one is a series of the other, a summary or histogram"
    )]
    Suffix {
        /// The family in the push.
        family: String,
        /// The family it collides with.
        other: String,
    },
    /// Another group has the same series (Pushgateway S43, B21).
    #[error(
        "the series {series} was pushed before, through the group {group}: give the groups labels that tell them apart"
    )]
    Duplicate {
        /// The series.
        series: String,
        /// The group that has it.
        group: String,
    },
    /// A sample brings a time that its series has left behind.
    #[error(
        "the sample of {series} is of {at}, and that series has come to {earliest}: a series takes no earlier samples, send them in the order of their times"
    )]
    Past {
        /// The series.
        series: String,
        /// The time that the sample brings.
        at: UnixMillis,
        /// The earliest time that would do.
        earliest: UnixMillis,
    },
}

/// Who else knows a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// Other pushes.
    Pushes,
    /// The bridge: it is among its own metrics.
    Ourselves,
}

const fn where_known(by: KnownBy) -> &'static str {
    match by {
        KnownBy::Pushes => " from another push; delete that group, or use another name",
        KnownBy::Ourselves => " among the bridge's own metrics; use another name",
    }
}

/// How many layers hold a family of each type, by name.
#[derive(Debug, Default)]
pub(super) struct FamilyIndex {
    families: Map<Box<str>, Vec<(MetricKind, u32)>>,
}

impl FamilyIndex {
    /// Takes the layers of a source out and others in. Without effect, and nearly free, when they have the same shapes.
    pub(super) fn exchange(
        &mut self,
        before: &[Arc<Layer>],
        after: &[Arc<Layer>],
    ) -> Result<(), DecodeError> {
        let keys =
            |layers: &[Arc<Layer>]| -> Vec<_> { layers.iter().map(|layer| layer.shape().key()).collect() };
        if keys(before) == keys(after) {
            return Ok(());
        }
        for layer in after {
            for family in families_of(layer.shape())? {
                let (name, kind) = family?;
                self.add(name, kind);
            }
        }
        for layer in before {
            for family in families_of(layer.shape())? {
                let (name, kind) = family?;
                self.remove(name, kind);
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, kind: MetricKind) {
        let kinds = self.families.entry(name.into()).or_default();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, layers)) => *layers += 1,
            None => kinds.push((kind, 1)),
        }
    }

    fn remove(&mut self, name: &str, kind: MetricKind) {
        let Some(kinds) = self.families.get_mut(name) else {
            return;
        };
        if let Some((_, layers)) = kinds.iter_mut().find(|(known, _)| *known == kind) {
            *layers = layers.saturating_sub(1);
        }
        kinds.retain(|(_, layers)| *layers > 0);
        if kinds.is_empty() {
            self.families.remove(name);
        }
    }

    /// The types that a family has, each with the number of layers that hold it.
    fn kinds(&self, name: &str) -> &[(MetricKind, u32)] {
        self.families.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Names and types of the families of a shape, but for those that are the group's own.
fn families_of(
    shape: &Shape,
) -> Result<impl Iterator<Item = Result<(&str, MetricKind), DecodeError>>, DecodeError> {
    let families = shape.families()?;
    Ok(families
        .map(|family| family.map(|family| (family.name, family.kind)))
        .filter(|family| !matches!(family, Ok((name, _)) if OWN.contains(name))))
}

/// Whether the families of a shape agree with the bridge's own.
///
/// # Errors
/// The first [`Clash`] with a family of `own`; or the shape is damaged.
pub fn judge_beside_own(shape: &Shape, own: &[(String, MetricKind)]) -> Result<(), Refused> {
    for family in families_of(shape)? {
        let (name, kind) = family?;
        for (known_name, known) in own {
            if known_name == name && !agree(*known, kind) {
                return Err(Clash::Kind {
                    family: name.to_owned(),
                    kind,
                    known: *known,
                    by: KnownBy::Ourselves,
                }
                .into());
            }
            let is_part = |base: (&str, MetricKind), of: &str| {
                let suffix = of.strip_prefix(base.0);
                suffix.is_some_and(|suffix| base.1.has_series(suffix))
            };
            if is_part((known_name, *known), name) || is_part((name, kind), known_name) {
                return Err(Clash::Suffix {
                    family: name.to_owned(),
                    other: known_name.clone(),
                }
                .into());
            }
        }
    }
    Ok(())
}

/// What is stored, as a push will leave it.
struct Others<'a> {
    index: &'a FamilyIndex,
    /// What the push takes away.
    gone: Map<&'a str, Vec<MetricKind>>,
    /// What the push brings.
    pushed: Map<&'a str, MetricKind>,
}

impl<'a> Others<'a> {
    fn new(index: &'a FamilyIndex, push: &'a Push, source: Option<&'a Source>) -> Result<Self, DecodeError> {
        let pushed: Map<&str, MetricKind> = families_of(&push.shape)?.collect::<Result<_, _>>()?;
        let mut gone: Map<&str, Vec<MetricKind>> = Map::default();
        for layer in source.into_iter().flat_map(|source| &source.layers) {
            for family in families_of(layer.shape())? {
                let (name, kind) = family?;
                if push.mode == Mode::Replace || pushed.contains_key(name) {
                    gone.entry(name).or_default().push(kind);
                }
            }
        }
        Ok(Self { index, gone, pushed })
    }

    /// The types of a family that stay after the push, the push's own left out.
    fn staying(&self, name: &str) -> impl Iterator<Item = MetricKind> {
        let gone = self.gone.get(name).map_or(&[] as &[MetricKind], Vec::as_slice);
        self.index.kinds(name).iter().filter_map(|(kind, layers)| {
            let leaving = gone.iter().filter(|gone| *gone == kind).count();
            (*layers as usize > leaving).then_some(*kind)
        })
    }

    /// The types that a family will have.
    fn after(&self, name: &str) -> impl Iterator<Item = MetricKind> {
        self.staying(name).chain(self.pushed.get(name).copied())
    }

    fn judge(&self) -> Result<(), Clash> {
        for (name, kind) in &self.pushed {
            if let Some(known) = self.staying(name).find(|known| !agree(*known, *kind)) {
                return Err(Clash::Kind {
                    family: (*name).to_owned(),
                    kind: *kind,
                    known,
                    by: KnownBy::Pushes,
                });
            }
            self.judge_suffixes(name, *kind)?;
        }
        Ok(())
    }

    fn judge_suffixes(&self, name: &str, kind: MetricKind) -> Result<(), Clash> {
        let collides = |other: String| Clash::Suffix {
            family: name.to_owned(),
            other,
        };
        for suffix in SUFFIXES {
            if let Some(base) = name.strip_suffix(suffix)
                && self.after(base).any(|kind| kind.has_series(suffix))
            {
                return Err(collides(base.to_owned()));
            }
            let part = format!("{name}{suffix}");
            if kind.has_series(suffix) && self.after(&part).next().is_some() {
                return Err(collides(part));
            }
        }
        Ok(())
    }
}

/// Whether families of these types can be shown as one.
fn agree(one: MetricKind, other: MetricKind) -> bool {
    let is_histogram = |kind| matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram);
    one == other || (is_histogram(one) && is_histogram(other))
}

impl Registry {
    /// Whether a new group's push times can be told from those of another: `instance=""` and none are shown alike.
    pub(super) fn judge_new_group(&self, key: &GroupKey) -> Result<(), Refused> {
        match key.shown_alike().filter(|other| self.groups.contains_key(other)) {
            None => Ok(()),
            Some(other) => Err(Clash::Duplicate {
                series: format!("push_time_seconds{key}"),
                group: other.to_string(),
            }
            .into()),
        }
    }

    /// Whether the families of a push agree with those of other pushes.
    pub(super) fn judge_families(&self, push: &Push, source: Option<&Source>) -> Result<(), Refused> {
        if push.check == Consistency::Checked
            && !source.is_some_and(|source| source.has_shape(push.shape.key()))
        {
            Others::new(&self.families, push, source)?.judge()?;
            self.judge_failure_times(push)?;
        }
        Ok(())
    }

    /// Whether a pushed time of failure has the type that those of other groups have.
    fn judge_failure_times(&self, push: &Push) -> Result<(), Refused> {
        let has_others = self.groups.len() > usize::from(self.groups.contains_key(&push.group));
        for family in push.shape.families()?.filter(|_| has_others) {
            let family = family?;
            if family.name == PUSH_FAILURE_TIME && family.kind != MetricKind::Gauge {
                return Err(Clash::Kind {
                    family: family.name.to_owned(),
                    kind: family.kind,
                    known: MetricKind::Gauge,
                    by: KnownBy::Pushes,
                }
                .into());
            }
        }
        Ok(())
    }

    /// Whether none of the series that others own is, as it was pushed, the same that they pushed. Of an owner only the
    /// families of those series are looked at.
    pub(super) fn judge_duplicates(&self, push: &Push, owned: &[(usize, OwnerId)]) -> Result<(), Refused> {
        if push.check == Consistency::Unchecked || owned.is_empty() {
            return Ok(());
        }
        for (owner, mine) in owned_metrics(push, owned)? {
            let source = self.source_of(owner);
            let Some(owner) = self.names.get(&owner).filter(|owner| *owner.group != push.group) else {
                continue;
            };
            for layer in source.into_iter().flat_map(|source| &source.layers) {
                if let Some(series) = first_of(&mine, layer, &owner.group)? {
                    return Err(Clash::Duplicate {
                        series,
                        group: owner.group.to_string(),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }
}

impl Registry {
    /// Of the samples whose series other processes of the group own, given by their places in the block, those that
    /// their owners show just as they were pushed here; the others are the same only after normalisation.
    pub(super) fn shown_by_owners(
        &self,
        push: &Push,
        owned: &[(usize, OwnerId)],
    ) -> Result<Vec<usize>, DecodeError> {
        let owners: Map<usize, OwnerId> = owned.iter().copied().collect();
        let mut theirs: Map<OwnerId, Metrics<'_>> = Map::default();
        for (owner, mine) in owned_metrics(push, owned)? {
            let source = self.source_of(owner);
            for layer in source.into_iter().flat_map(|source| &source.layers) {
                collect_metrics(layer, &mine, theirs.entry(owner).or_default())?;
            }
        }
        let places: Map<u32, usize> = push
            .places()
            .filter_map(|(number, place)| Some((number, place?)))
            .collect();
        let mut shown = Vec::new();
        for family in push.shape.families()? {
            let family = family?;
            for metric in family.metrics() {
                let metric = metric?;
                let labels = metric.labels().collect::<Result<Vec<_>, _>>()?;
                for part in metric.parts() {
                    let place = places.get(&part?.1);
                    let owner = place.and_then(|place| owners.get(place));
                    let theirs = owner.and_then(|owner| theirs.get(owner)?.get(family.name));
                    if theirs.is_some_and(|theirs| theirs.contains(&labels)) {
                        shown.extend(place);
                    }
                }
            }
        }
        shown.sort_unstable();
        Ok(shown)
    }

    fn source_of(&self, owner: OwnerId) -> Option<&Source> {
        let owner = self.names.get(&owner)?;
        self.groups.get(&owner.group)?.source(owner.process.as_ref()?)
    }
}

/// Adds the metrics of a layer that are of the families of `wanted`, each with the labels that were pushed.
fn collect_metrics<'a>(
    layer: &'a Layer,
    wanted: &Metrics<'_>,
    found: &mut Metrics<'a>,
) -> Result<(), DecodeError> {
    for family in layer.shape().families()? {
        let family = family?;
        if !wanted.contains_key(family.name) {
            continue;
        }
        let metrics = found.entry(family.name).or_default();
        for metric in family.metrics() {
            metrics.insert(metric?.labels().collect::<Result<_, _>>()?);
        }
    }
    Ok(())
}

/// Metrics as they were pushed, by their family's name: all labels of each, with those of its group.
type Metrics<'a> = Map<&'a str, HashSet<Vec<(&'a str, &'a str)>, foldhash::fast::RandomState>>;

/// The metrics of a push of which somebody else owns a series, by owner.
fn owned_metrics<'a>(
    push: &'a Push,
    owned: &[(usize, OwnerId)],
) -> Result<BTreeMap<OwnerId, Metrics<'a>>, DecodeError> {
    let owners: Map<usize, OwnerId> = owned.iter().copied().collect();
    let owner_of = |(number, place): (u32, Option<usize>)| Some((number, *owners.get(&place?)?));
    let owners: Map<u32, OwnerId> = push.places().filter_map(owner_of).collect();
    let mut found: BTreeMap<OwnerId, Metrics<'a>> = BTreeMap::new();
    for family in push.shape.families()? {
        let family = family?;
        if OWN.contains(&family.name) {
            continue;
        }
        for metric in family.metrics() {
            let metric = metric?;
            for part in metric.parts() {
                let (_, number) = part?;
                if let Some(owner) = owners.get(&number) {
                    let mut labels = metric.labels().collect::<Result<Vec<_>, _>>()?;
                    push.group.complete(&mut labels);
                    let metrics = found.entry(*owner).or_default();
                    metrics.entry(family.name).or_default().insert(labels);
                }
            }
        }
    }
    Ok(found)
}

/// The first of `mine` that a layer of `group` has, too.
fn first_of(mine: &Metrics<'_>, layer: &Layer, group: &GroupKey) -> Result<Option<String>, DecodeError> {
    let mut labels = Vec::new();
    for family in layer.shape().families()? {
        let family = family?;
        let Some(mine) = mine.get(family.name) else {
            continue;
        };
        for metric in family.metrics() {
            labels.clear();
            for label in metric?.labels() {
                labels.push(label?);
            }
            group.complete(&mut labels);
            if mine.contains(&labels) {
                return Ok(Some(shown(family.name, &labels)));
            }
        }
    }
    Ok(None)
}

fn shown(name: &str, labels: &[(&str, &str)]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .filter(|(name, value)| *name != INSTANCE || !value.is_empty())
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}
