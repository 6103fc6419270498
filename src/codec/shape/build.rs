//! From samples to a shape.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Part, Shape, byte_of};
use crate::codec::exposition::Exposition;
use crate::codec::labels::bound_of;
use crate::codec::number::parse_float;
use crate::codec::wire::put_varint;
use crate::model::{Family, GroupKey, METRIC_NAME, MetricKind, Sample};

/// Maps keyed by what a push says.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A hash of all that a shape says, which two pushes of one source share when only values differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeKey(pub u64);

impl ShapeKey {
    /// The key of what a push says. Costs a tenth of what building the shape does.
    #[must_use]
    pub fn of(exposition: &Exposition<'_>) -> Self {
        let mut hasher = Xxh3::new();
        let mut line = Vec::with_capacity(1024);
        for family in &exposition.families {
            line.clear();
            for text in [&family.name, &family.help] {
                put_text(&mut line, text);
            }
            line.push(byte_of(family.kind));
            hasher.update(&line);
        }
        for sample in &exposition.samples {
            line.clear();
            put_varint(&mut line, sample.family as u64);
            for (name, value) in sample.labels.iter() {
                put_text(&mut line, name);
                put_text(&mut line, value);
            }
            // behind every sample, so that labels are not taken for samples
            line.push(if sample.histogram().is_some() { 0xfe } else { 0xff });
            hasher.update(&line);
        }
        for number in &exposition.implied {
            hasher.update(&number.to_le_bytes());
        }
        for family in &exposition.bare {
            line.clear();
            line.push(0xfd);
            put_varint(&mut line, *family as u64);
            hasher.update(&line);
        }
        Self(hasher.digest())
    }
}

fn put_text(line: &mut Vec<u8>, text: &str) {
    put_varint(line, text.len() as u64);
    line.extend_from_slice(text.as_bytes());
}

impl Shape {
    /// The shape of what was pushed to `group`, whose labels stand in for those of the same name.
    #[must_use]
    pub fn of(exposition: &Exposition<'_>, group: &GroupKey, key: ShapeKey) -> Self {
        let is_grouping = |name: &str| group.iter().any(|(grouping, _)| grouping == name);
        Self::without(exposition, key, is_grouping)
    }

    /// The shape of what belongs to no group.
    #[must_use]
    pub fn ungrouped(exposition: &Exposition<'_>, key: ShapeKey) -> Self {
        Self::without(exposition, key, |_| false)
    }

    fn without(exposition: &Exposition<'_>, key: ShapeKey, is_grouping: impl Fn(&str) -> bool) -> Self {
        let mut builder = Builder::default();
        let mut families: Vec<Option<usize>> = vec![None; exposition.families.len()];
        let mut labels = Vec::new();
        for (value, sample) in (0..).zip(&exposition.samples) {
            let (Some(family), Some(place)) = (
                exposition.families.get(sample.family),
                families.get_mut(sample.family),
            ) else {
                continue;
            };
            let place = *place.get_or_insert_with(|| builder.family(&family.name, &family.help, family.kind));
            let bound = bound_of(family.kind);
            labels.clear();
            labels.extend(
                sample
                    .labels
                    .iter()
                    .filter(|(name, _)| *name != METRIC_NAME && Some(*name) != bound && !is_grouping(name)),
            );
            labels.sort_unstable();
            let part = match exposition.implied.binary_search(&value) {
                Ok(_) => Part::Implied,
                Err(_) => part_of(family, sample),
            };
            builder.add(place, &labels, (part, value));
        }
        for family in exposition
            .bare
            .iter()
            .filter_map(|place| exposition.families.get(*place))
        {
            builder.family(&family.name, &family.help, family.kind);
        }
        let values = u32::try_from(exposition.samples.len()).unwrap_or(u32::MAX);
        builder.finish(Some(key), values)
    }
}

/// What a sample is to its family (as prometheus/common's text parser has it: a bound makes a bucket, whatever the name).
fn part_of(family: &Family<'_>, sample: &Sample<'_>) -> Part {
    let Some(bound_name) = bound_of(family.kind) else {
        return Part::Itself;
    };
    if sample.histogram().is_some() {
        return Part::Native;
    }
    let name = sample.labels.get(METRIC_NAME).unwrap_or_default();
    match name.strip_prefix(family.name.as_ref()) {
        Some("_count") => return Part::Count,
        Some("_sum") => return Part::Sum,
        _ => {}
    }
    let bound = sample
        .labels
        .get(bound_name)
        .and_then(|bound| parse_float(bound.as_bytes()));
    match (bound, family.kind) {
        (None, _) => Part::Nothing,
        (Some(quantile), MetricKind::Summary) => Part::Quantile(quantile),
        (Some(bound), _) => Part::Bucket(bound),
    }
}

/// Builds a shape metric by metric.
#[derive(Default)]
pub(in crate::codec) struct Builder<'a> {
    strings: Map<&'a str, u32>,
    ordered: Vec<&'a str>,
    sets: Map<Box<[u32]>, u32>,
    ordered_sets: Vec<Box<[u32]>>,
    families: Vec<FamilyDraft<'a>>,
    by_name: Map<&'a str, usize>,
    /// Metrics of summaries and histograms, by family and label set.
    composites: Map<(usize, u32), usize>,
}

struct FamilyDraft<'a> {
    name: &'a str,
    help: &'a str,
    kind: MetricKind,
    metrics: Vec<MetricDraft>,
}

struct MetricDraft {
    set: u32,
    first: (Part, u32),
    more: Vec<(Part, u32)>,
}

impl<'a> Builder<'a> {
    /// The place of the family of this name; the first to name it says its help and type.
    pub(in crate::codec) fn family(&mut self, name: &'a str, help: &'a str, kind: MetricKind) -> usize {
        let next = self.families.len();
        let place = *self.by_name.entry(name).or_insert(next);
        if place == next {
            self.families.push(FamilyDraft {
                name,
                help,
                kind,
                metrics: Vec::new(),
            });
        }
        place
    }

    /// Whether no family was added.
    pub(in crate::codec) const fn is_empty(&self) -> bool {
        self.families.is_empty()
    }

    /// Adds one part of a metric: `labels` sorted by name, and the number of its value.
    pub(in crate::codec) fn add(&mut self, place: usize, labels: &[(&'a str, &'a str)], part: (Part, u32)) {
        let set = self.set(labels);
        let Some(family) = self.families.get_mut(place) else {
            return;
        };
        let next = family.metrics.len();
        if bound_of(family.kind).is_some() {
            let metric = *self.composites.entry((place, set)).or_insert(next);
            if let Some(metric) = family.metrics.get_mut(metric) {
                metric.more.push(part);
                return;
            }
        }
        family.metrics.push(MetricDraft {
            set,
            first: part,
            more: Vec::new(),
        });
    }

    /// The shape of what was added. Without a key of a push it gets one from its bytes.
    pub(in crate::codec) fn finish(mut self, key: Option<ShapeKey>, values: u32) -> Shape {
        let mut families = std::mem::take(&mut self.families);
        families.sort_by_key(|family| family.name);
        let mut layouts: Map<Vec<u8>, u32> = Map::default();
        let mut ordered_layouts = Vec::new();
        let mut written = Vec::new();
        for family in &families {
            let mut metrics = Vec::new();
            for metric in &family.metrics {
                let (layout, first) = metric.layout();
                let next = count(ordered_layouts.len());
                let layout = *layouts.entry_ref(&layout).or_insert_with(|| {
                    ordered_layouts.push(layout.clone());
                    next
                });
                for number in [metric.set, layout, first] {
                    put_varint(&mut metrics, u64::from(number));
                }
            }
            for text in [family.name, family.help] {
                let number = self.string(text);
                put_varint(&mut written, u64::from(number));
            }
            written.push(byte_of(family.kind));
            put_varint(&mut written, metrics.len() as u64);
            written.extend_from_slice(&metrics);
        }
        let sets: Vec<Vec<u8>> = self.ordered_sets.iter().map(|set| varints(set)).collect();
        let bytes = assemble(values, (&self.ordered, &sets, &ordered_layouts), &written);
        let key = key.unwrap_or_else(|| ShapeKey(xxh3_64(&bytes)));
        Shape {
            key,
            bytes: bytes.into(),
        }
    }

    fn set(&mut self, labels: &[(&'a str, &'a str)]) -> u32 {
        let numbers: Vec<u32> = labels
            .iter()
            .flat_map(|(name, value)| [*name, *value])
            .map(|text| self.string(text))
            .collect();
        if let Some(known) = self.sets.get(numbers.as_slice()) {
            return *known;
        }
        let next = count(self.ordered_sets.len());
        let numbers = numbers.into_boxed_slice();
        self.ordered_sets.push(numbers.clone());
        self.sets.insert(numbers, next);
        next
    }

    fn string(&mut self, text: &'a str) -> u32 {
        let next = count(self.ordered.len());
        let number = *self.strings.entry(text).or_insert(next);
        if number == next {
            self.ordered.push(text);
        }
        number
    }
}

impl MetricDraft {
    fn parts(&self) -> impl Iterator<Item = &(Part, u32)> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// The bytes of its layout, and its first value.
    fn layout(&self) -> (Vec<u8>, u32) {
        let first = self.parts().map(|(_, value)| *value).min().unwrap_or(0);
        let mut layout = Vec::with_capacity(2 + self.more.len() * 10);
        for (part, value) in self.parts() {
            let (mark, bound) = match part {
                Part::Itself => (0, None),
                Part::Quantile(bound) => (1, Some(bound)),
                Part::Bucket(bound) => (2, Some(bound)),
                Part::Sum => (3, None),
                Part::Count => (4, None),
                Part::Native => (5, None),
                Part::Nothing => (6, None),
                Part::Implied => (7, None),
            };
            layout.push(mark);
            if let Some(bound) = bound {
                layout.extend_from_slice(&bound.to_bits().to_le_bytes());
            }
            put_varint(&mut layout, u64::from(value - first));
        }
        (layout, first)
    }
}

fn varints(numbers: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len() * 2);
    for number in numbers {
        put_varint(&mut bytes, u64::from(*number));
    }
    bytes
}

fn assemble(
    values: u32,
    (strings, sets, layouts): (&[&str], &[Vec<u8>], &[Vec<u8>]),
    families: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [
        values,
        count(strings.len()),
        count(sets.len()),
        count(layouts.len()),
    ] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    put_ends(&mut bytes, strings.iter().map(|text| text.len()));
    put_ends(&mut bytes, sets.iter().map(Vec::len));
    put_ends(&mut bytes, layouts.iter().map(Vec::len));
    for text in strings {
        bytes.extend_from_slice(text.as_bytes());
    }
    for run in sets.iter().chain(layouts) {
        bytes.extend_from_slice(run);
    }
    bytes.extend_from_slice(families);
    bytes.shrink_to_fit();
    bytes
}

fn put_ends(bytes: &mut Vec<u8>, lengths: impl Iterator<Item = usize>) {
    let mut end = 0;
    for len in lengths {
        end += len;
        bytes.extend_from_slice(&count(end).to_le_bytes());
    }
}

/// As the format counts. A body is 64 MiB at most, so nothing in it is more than that.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
