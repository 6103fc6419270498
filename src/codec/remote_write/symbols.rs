//! The symbol table of a 2.0 request: each string once, and who says which by number.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::codec::DecodeError;
use crate::codec::block::label_parts;
use crate::codec::wire::{Fields, Value, put_bytes};

/// `Request.symbols` (PRW 2.0): field number and wire type.
const SYMBOL: u8 = 0x22;
/// `TimeSeries.labels` of version 1.0, in which blocks have their labels.
const LABEL: u8 = 0x0a;

/// The number of the label name `__name__`, in every table.
pub(super) const METRIC_NAME_SYMBOL: u32 = 1;

/// Two symbols that make a label: its name, its value.
pub(super) type LabelRefs = (u32, u32);

/// Strings in the order in which they were first said (PRW S2-07).
pub(super) struct Symbols {
    /// As they go out.
    encoded: Vec<u8>,
    /// Where each begins and ends there.
    places: Vec<(usize, usize)>,
    strings: HashTable<u32>,
    labels: HashTable<LabelRefs>,
    hasher: RandomState,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self {
            encoded: Vec::new(),
            places: Vec::new(),
            strings: HashTable::new(),
            labels: HashTable::new(),
            hasher: RandomState::default(),
        };
        symbols.clear();
        symbols
    }
}

impl Symbols {
    /// Begins a new table in the room of the old one: the empty string, then `__name__`.
    pub(super) fn clear(&mut self) {
        self.encoded.clear();
        self.places.clear();
        self.strings.clear();
        self.labels.clear();
        put_bytes(&mut self.encoded, SYMBOL, &[]);
        self.places.push((self.encoded.len(), self.encoded.len()));
        self.intern(crate::model::METRIC_NAME.as_bytes());
    }

    /// The table as it goes out.
    pub(super) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The string of this number; empty when there is none.
    pub(super) fn text(&self, symbol: u32) -> &[u8] {
        text(&self.encoded, &self.places, symbol)
    }

    /// The number of a string.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> u32 {
        if bytes.is_empty() {
            return 0;
        }
        let hash = self.hasher.hash_one(bytes);
        let is_it = |known: &u32| text(&self.encoded, &self.places, *known) == bytes;
        if let Some(known) = self.strings.find(hash, is_it) {
            return *known;
        }
        let symbol = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        put_bytes(&mut self.encoded, SYMBOL, bytes);
        self.places
            .push((self.encoded.len() - bytes.len(), self.encoded.len()));
        let (encoded, places, hasher) = (&self.encoded, &self.places, &self.hasher);
        let rehash = |known: &u32| hasher.hash_one(text(encoded, places, *known));
        self.strings.insert_unique(hash, symbol, rehash);
        symbol
    }

    /// The numbers of a label, of which `message` is the `Label` message of version 1.0.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub(super) fn label(&mut self, message: &[u8]) -> Result<LabelRefs, DecodeError> {
        let (name, value) = label_parts(message)?;
        let hash = self.hasher.hash_one((name, value));
        let (encoded, places) = (&self.encoded, &self.places);
        let is_it = |known: &LabelRefs| {
            text(encoded, places, known.1) == value && text(encoded, places, known.0) == name
        };
        if let Some(known) = self.labels.find(hash, is_it) {
            return Ok(*known);
        }
        let refs = (self.intern(name), self.intern(value));
        let (encoded, places, hasher) = (&self.encoded, &self.places, &self.hasher);
        let rehash = |known: &LabelRefs| {
            hasher.hash_one((text(encoded, places, known.0), text(encoded, places, known.1)))
        };
        self.labels.insert_unique(hash, refs, rehash);
        Ok(refs)
    }
}

fn text<'t>(encoded: &'t [u8], places: &[(usize, usize)], symbol: u32) -> &'t [u8] {
    let place = places.get(symbol as usize).copied();
    place
        .and_then(|(start, end)| encoded.get(start..end))
        .unwrap_or_default()
}

/// The labels of one series after the other as numbers. Neighbours share most labels, at the same places: what the one
/// before has at a place is looked at first, and it is a comparison of bytes then.
#[derive(Default)]
pub(super) struct LabelReader<'a> {
    /// The labels of the series before: tag, length and message of each, and its numbers.
    before: Vec<(&'a [u8], LabelRefs)>,
    now: Vec<(&'a [u8], LabelRefs)>,
}

impl<'a> LabelReader<'a> {
    /// Reads `labels`, `Label` messages as a block has them.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub(super) fn read(&mut self, labels: &'a [u8], symbols: &mut Symbols) -> Result<(), DecodeError> {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        let mut rest = labels;
        while !rest.is_empty() {
            let known = self.before.get(self.now.len()).copied();
            if let Some((bytes, refs)) = known
                && let Some(behind) = rest.strip_prefix(bytes)
            {
                self.now.push((bytes, refs));
                rest = behind;
                continue;
            }
            let mut fields = Fields::of("labels", rest);
            let Some((_, Value::Bytes(message))) = fields.next()? else {
                return Err(DecodeError::Invalid {
                    what: "labels",
                    problem: "hold something else",
                });
            };
            let behind = fields.rest();
            let bytes = rest.get(..rest.len() - behind.len()).unwrap_or_default();
            self.now.push((bytes, symbols.label(message)?));
            rest = behind;
        }
        Ok(())
    }

    /// The numbers of the labels read last.
    pub(super) fn refs(&self) -> impl Iterator<Item = LabelRefs> + Clone {
        self.now.iter().map(|(_, refs)| *refs)
    }
}

/// The `Label` messages at the beginning of a message, as numbers; what stands behind them.
///
/// # Errors
/// When the bytes are damaged.
pub(super) fn leading_labels<'a>(
    message: &'a [u8],
    symbols: &mut Symbols,
    refs: &mut Vec<LabelRefs>,
) -> Result<&'a [u8], DecodeError> {
    let mut rest = message;
    while rest.first() == Some(&LABEL) {
        let mut fields = Fields::of("exemplar", rest);
        if let Some((_, Value::Bytes(label))) = fields.next()? {
            refs.push(symbols.label(label)?);
        }
        rest = fields.rest();
    }
    Ok(rest)
}
