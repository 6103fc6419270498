//! Blocks as a 2.0 request: one symbol table, and for each set of labels one series with all that the blocks have of it.
//!
//! The samples of a series stand in the order of their times (PRW S2-12). A series never has both samples and histograms
//! (S2-09): where a set of labels has both, it comes again with each change from one to the other. An exemplar goes
//! with a sample of its series, since a series of the request has at least one (S2-09).

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::{HashMap, HashTable};
use xxhash_rust::xxh3::xxh3_64;

use super::Counts;
use super::symbols::{LabelReader, LabelRefs, METRIC_NAME_SYMBOL, Symbols, leading_labels};
use crate::codec::DecodeError;
use crate::codec::block::{Content, EncodedSeries, OpenBlock};
use crate::codec::wire::{put_bytes, put_varint, varint_len};
use crate::model::{Metadata, UnixMillis};

/// `Request.timeseries`; then the fields of a `TimeSeries` (PRW 2.0): field number and wire type.
const TIMESERIES: u8 = 0x2a;
const LABELS_REFS: u8 = 0x0a;
const SAMPLE: u8 = 0x12;
const HISTOGRAM: u8 = 0x1a;
const EXEMPLAR: u8 = 0x22;
const METADATA: u8 = 0x2a;
/// `Sample.value`, `.timestamp`, `.start_timestamp`.
const SAMPLE_VALUE: u8 = 0x09;
const SAMPLE_TIMESTAMP: u8 = 0x10;
const SAMPLE_START: u8 = 0x18;
/// `Histogram.timestamp`, `Exemplar.timestamp`.
const HISTOGRAM_TIMESTAMP: u8 = 0x78;
const EXEMPLAR_TIMESTAMP: u8 = 0x18;
/// `Metadata.type`, `.help_ref`, `.unit_ref`.
const TYPE: u8 = 0x08;
const HELP: u8 = 0x18;
const UNIT: u8 = 0x20;

/// The end of a chain of items.
const NONE: u32 = u32::MAX;

/// What is known of the family that a series of this name belongs to.
pub type Describe<'d> = dyn FnMut(&str) -> Option<Arc<Metadata<'static>>> + 'd;

/// Writes one request after the other in the same room.
#[derive(Default)]
pub struct Encoder {
    symbols: Symbols,
    series: Vec<u8>,
    message: Vec<u8>,
    part: Vec<u8>,
    described: HashMap<u32, Described, foldhash::fast::RandomState>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// An encoded request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// An `io.prometheus.write.v2.Request`, compressed as a raw snappy block.
    pub body: Bytes,
    /// What is in it.
    pub counts: Counts,
    /// Exemplars that are not in it, because no sample of their series is.
    pub lone_exemplars: u32,
}

/// What a series' metadata says, by symbols.
#[derive(Clone, Copy, Default)]
struct Described {
    kind: u8,
    help: u32,
    unit: u32,
}

/// All that the blocks have of one set of labels.
struct Slot<'a> {
    labels: &'a [u8],
    first: u32,
    last: u32,
}

/// One sample, histogram or exemplar.
#[derive(Clone, Copy)]
struct Item<'a> {
    content: Content<'a>,
    at: UnixMillis,
    created: Option<UnixMillis>,
    next: u32,
}

impl Item<'_> {
    const fn is_histogram(&self) -> bool {
        matches!(self.content, Content::Histogram(_))
    }
}

impl Encoder {
    /// The request that has all of `blocks`; `describe` knows the families.
    ///
    /// # Errors
    /// When a block is damaged.
    pub fn encode(
        &mut self,
        blocks: &[OpenBlock],
        describe: &mut Describe<'_>,
    ) -> Result<Encoded, DecodeError> {
        self.symbols.clear();
        self.described.clear();
        self.series.clear();
        let gathered = Gathered::of(blocks)?;
        let mut encoded = Encoded::default();
        let mut labels = LabelReader::default();
        let mut run = Run::default();
        for slot in &gathered.slots {
            labels.read(slot.labels, &mut self.symbols)?;
            run.fill(&gathered.items, slot.first);
            if run.items.is_empty() {
                encoded.lone_exemplars += u32::try_from(run.exemplars.len()).unwrap_or(u32::MAX);
                continue;
            }
            let metadata = self.describe(&labels, describe);
            self.put_slot(&labels, metadata, &run)?;
            run.count(&mut encoded.counts);
        }
        let mut raw = Vec::with_capacity(self.symbols.encoded().len() + self.series.len());
        raw.extend_from_slice(self.symbols.encoded());
        raw.extend_from_slice(&self.series);
        encoded.body = snap::raw::Encoder::new().compress_vec(&raw)?.into();
        Ok(encoded)
    }

    /// What is known of the family of these labels, its strings among the symbols.
    fn describe(&mut self, labels: &LabelReader<'_>, describe: &mut Describe<'_>) -> Described {
        let name = labels.refs().find(|(name, _)| *name == METRIC_NAME_SYMBOL);
        let Some((_, name)) = name else {
            return Described::default();
        };
        if let Some(known) = self.described.get(&name) {
            return *known;
        }
        let text = std::str::from_utf8(self.symbols.text(name)).unwrap_or_default();
        let metadata = describe(text);
        let described = metadata.map_or_else(Described::default, |metadata| Described {
            kind: metadata.kind.number(),
            help: self.symbols.intern(metadata.help.as_bytes()),
            unit: self.symbols.intern(metadata.unit.as_bytes()),
        });
        self.described.insert(name, described);
        described
    }

    /// Writes a set of labels as one series, or as several in turn where samples and histograms follow each other.
    fn put_slot(
        &mut self,
        labels: &LabelReader<'_>,
        metadata: Described,
        run: &Run<'_>,
    ) -> Result<(), DecodeError> {
        let mut chunks = run
            .items
            .chunk_by(|a, b| a.is_histogram() == b.is_histogram())
            .peekable();
        while let Some(items) = chunks.next() {
            self.message.clear();
            put_refs(&mut self.message, labels.refs());
            for item in items {
                put_item(&mut self.message, item);
            }
            if chunks.peek().is_none() {
                for exemplar in &run.exemplars {
                    self.put_exemplar(exemplar)?;
                }
            }
            put_metadata(&mut self.message, metadata);
            put_bytes(&mut self.series, TIMESERIES, &self.message);
        }
        Ok(())
    }

    fn put_exemplar(&mut self, item: &Item<'_>) -> Result<(), DecodeError> {
        let Content::Exemplar(message) = item.content else {
            return Ok(());
        };
        let mut refs = Vec::new();
        let behind = leading_labels(message, &mut self.symbols, &mut refs)?;
        self.part.clear();
        put_refs(&mut self.part, refs.into_iter());
        self.part.extend_from_slice(behind);
        self.part.push(EXEMPLAR_TIMESTAMP);
        put_varint(&mut self.part, item.at.get().cast_unsigned());
        put_bytes(&mut self.message, EXEMPLAR, &self.part);
        Ok(())
    }
}

/// The series of several blocks by their labels, in the order of their first mention.
struct Gathered<'a> {
    slots: Vec<Slot<'a>>,
    items: Vec<Item<'a>>,
}

impl<'a> Gathered<'a> {
    fn of(blocks: &'a [OpenBlock]) -> Result<Self, DecodeError> {
        let mut gathered = Self {
            slots: Vec::new(),
            items: Vec::new(),
        };
        let mut known: HashTable<u32> = HashTable::new();
        for block in blocks {
            for series in block.series() {
                gathered.take_up(&series?, &mut known);
            }
        }
        Ok(gathered)
    }

    fn take_up(&mut self, series: &EncodedSeries<'a>, known: &mut HashTable<u32>) {
        let number = u32::try_from(self.items.len()).unwrap_or(NONE);
        self.items.push(Item {
            content: series.content,
            at: series.at,
            created: series.created,
            next: NONE,
        });
        let labels = series.raw_labels();
        let hash = xxh3_64(labels);
        let labels_of =
            |slots: &[Slot<'a>], at: u32| slots.get(at as usize).map_or(&[][..], |slot| slot.labels);
        let found = known
            .find(hash, |at| labels_of(&self.slots, *at) == labels)
            .copied();
        if let Some(slot) = found.and_then(|at| self.slots.get_mut(at as usize)) {
            if let Some(last) = self.items.get_mut(slot.last as usize) {
                last.next = number;
            }
            slot.last = number;
            return;
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot {
            labels,
            first: number,
            last: number,
        });
        let slots = &self.slots;
        known.insert_unique(hash, slot, |at| xxh3_64(labels_of(slots, *at)));
    }
}

/// What one set of labels has: samples and histograms in the order of their times, exemplars apart.
#[derive(Default)]
struct Run<'a> {
    items: Vec<Item<'a>>,
    exemplars: Vec<Item<'a>>,
}

impl<'a> Run<'a> {
    fn fill(&mut self, items: &[Item<'a>], first: u32) {
        self.items.clear();
        self.exemplars.clear();
        let mut next = first;
        while let Some(item) = items.get(next as usize) {
            match item.content {
                Content::Exemplar(_) => self.exemplars.push(*item),
                Content::Sample(_) | Content::Histogram(_) => self.items.push(*item),
            }
            next = item.next;
        }
        for list in [&mut self.items, &mut self.exemplars] {
            if !list.is_sorted_by_key(|item| item.at) {
                list.sort_by_key(|item| item.at);
            }
        }
    }

    fn count(&self, counts: &mut Counts) {
        let histograms = self.items.iter().filter(|item| item.is_histogram()).count() as u64;
        counts.samples += self.items.len() as u64 - histograms;
        counts.histograms += histograms;
        counts.exemplars += self.exemplars.len() as u64;
    }
}

fn put_refs(out: &mut Vec<u8>, refs: impl Iterator<Item = LabelRefs> + Clone) {
    let len: usize = refs
        .clone()
        .map(|(name, value)| varint_len(u64::from(name)) + varint_len(u64::from(value)))
        .sum();
    if len == 0 {
        return;
    }
    out.push(LABELS_REFS);
    put_varint(out, len as u64);
    for (name, value) in refs {
        put_varint(out, u64::from(name));
        put_varint(out, u64::from(value));
    }
}

fn put_item(out: &mut Vec<u8>, item: &Item<'_>) {
    let at = item.at.get().cast_unsigned();
    match item.content {
        Content::Sample(value) => put_sample(out, value, at, item.created),
        Content::Histogram(message) => {
            out.push(HISTOGRAM);
            put_varint(out, (message.len() + 1 + varint_len(at)) as u64);
            out.extend_from_slice(message);
            out.push(HISTOGRAM_TIMESTAMP);
            put_varint(out, at);
        }
        Content::Exemplar(_) => {}
    }
}

fn put_sample(out: &mut Vec<u8>, value: f64, at: u64, created: Option<UnixMillis>) {
    let created = created.map(|created| created.get().cast_unsigned());
    // by the bits: a negative zero is not what an absent field says
    let value = Some(value.to_bits()).filter(|bits| *bits != 0);
    let len =
        value.map_or(0, |_| 9) + 1 + varint_len(at) + created.map_or(0, |created| 1 + varint_len(created));
    out.push(SAMPLE);
    put_varint(out, len as u64);
    if let Some(bits) = value {
        out.push(SAMPLE_VALUE);
        out.extend_from_slice(&bits.to_le_bytes());
    }
    out.push(SAMPLE_TIMESTAMP);
    put_varint(out, at);
    if let Some(created) = created {
        out.push(SAMPLE_START);
        put_varint(out, created);
    }
}

fn put_metadata(out: &mut Vec<u8>, described: Described) {
    let fields = [
        (TYPE, u64::from(described.kind)),
        (HELP, u64::from(described.help)),
        (UNIT, u64::from(described.unit)),
    ];
    let said = fields.iter().filter(|(_, number)| *number != 0);
    let len: usize = said.clone().map(|(_, number)| 1 + varint_len(*number)).sum();
    if len == 0 {
        return;
    }
    out.push(METADATA);
    put_varint(out, len as u64);
    for (tag, number) in said {
        out.push(*tag);
        put_varint(out, *number);
    }
}

#[cfg(test)]
mod tests;
