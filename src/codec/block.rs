//! Blocks: series with one sample each, as a remote-write 1.0 body, compressed once on the way in. In place of the
//! sample a series may have a native histogram, or an exemplar, which then stands for itself, as Prometheus sends it.
//!
//! The bytes of a block are a whole raw-snappy body. Several blocks become one request body without decompressing:
//! snappy's copies reach only backwards within what their own block wrote, so the element streams stand one after
//! the other under a new length ([`join`]). Within a block each series' labels are encoded first and in order, hence
//! equal label sets have equal bytes, which is what [`SeriesHash`] hashes.

mod build;
mod compress;
mod plain;
mod walk;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::wire::{Fields, Value, put_bytes, put_varint, take_varint, text, varint_len, wrong_type};
use super::{DecodeError, histogram};
use crate::model::{LabelDraft, LabelSet, SeriesHash, UnixMillis, WrittenSample};

pub use build::{BlockBuilder, encode_labels};
pub(super) use walk::label_parts;

/// `WriteRequest.timeseries`, then `labels`, `samples`, `exemplars`, `histograms` of a `TimeSeries` (PRW 1.0): field number
/// and wire type.
const TIMESERIES: u8 = 0x0a;
const LABEL: u8 = 0x0a;
const SAMPLE: u8 = 0x12;
const EXEMPLAR: u8 = 0x1a;
const HISTOGRAM: u8 = 0x22;
/// `Label.name`, `Label.value`.
const NAME: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// `Sample.value`, `Sample.timestamp`; then `Sample.start_timestamp`, which is of version 2.0.
const SAMPLE_VALUE: u8 = 0x09;
const SAMPLE_TIMESTAMP: u8 = 0x10;
const SAMPLE_START: u8 = 0x18;
/// `Exemplar.timestamp`, `Histogram.timestamp`: the last field of each, so that another time can be put in its place.
const EXEMPLAR_TIMESTAMP: u8 = 0x18;
const HISTOGRAM_TIMESTAMP: u8 = 0x78;

/// Longest decompressed block. A push of 200,000 series of 632 bytes is half of it.
const MAX_RAW_BYTES: usize = 256 << 20;

/// Compressed series, each with one sample, native histogram or exemplar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    bytes: Bytes,
    samples: u32,
    histograms: u32,
    extended: u32,
}

impl Block {
    /// Takes up bytes that [`Block::bytes`] once gave away; they are checked when they are opened.
    #[must_use]
    pub const fn from_parts(samples: u32, bytes: Bytes) -> Self {
        Self {
            bytes,
            samples,
            histograms: 0,
            extended: 0,
        }
    }

    /// The same block, known to have so many native histograms among its samples.
    #[must_use]
    pub const fn with_histograms(mut self, histograms: u32) -> Self {
        self.histograms = histograms;
        self
    }

    /// The same block, known to have so many samples that say more than version 1.0 has words for.
    #[must_use]
    pub const fn with_extended(mut self, extended: u32) -> Self {
        self.extended = extended;
        self
    }

    /// The raw-snappy bytes, length preamble included; empty when the block holds nothing.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many samples, and so how many series, the block holds; a native histogram is one, so is an exemplar.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// How many of the samples are native histograms, as the builder counted them: whoever cannot take any need not
    /// open the block to know that there are none.
    #[must_use]
    pub const fn histograms(&self) -> u32 {
        self.histograms
    }

    /// How many of the samples say more than version 1.0 has words for, a start time or buckets with bounds of their
    /// own, as the builder counted them: the others may go out by 1.0 as they lie here.
    #[must_use]
    pub const fn extended(&self) -> u32 {
        self.extended
    }

    /// How long the block is decompressed, by its own word.
    ///
    /// # Errors
    /// When the length preamble is damaged.
    pub fn raw_len(&self) -> Result<usize, DecodeError> {
        if self.bytes.is_empty() {
            return Ok(0);
        }
        Ok(snap::raw::decompress_len(&self.bytes)?)
    }

    /// Whether the block holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Decompresses the block.
    ///
    /// # Errors
    /// When the bytes are not a snappy block or claim more than 256 MiB.
    pub fn open(&self) -> Result<OpenBlock, DecodeError> {
        if self.bytes.is_empty() {
            return Ok(OpenBlock { raw: Vec::new() });
        }
        let len = snap::raw::decompress_len(&self.bytes)?;
        if len > MAX_RAW_BYTES {
            return Err(DecodeError::TooLarge {
                what: "decompressed block",
                len,
                limit: MAX_RAW_BYTES,
            });
        }
        Ok(OpenBlock {
            raw: snap::raw::Decoder::new().decompress_vec(&self.bytes)?,
        })
    }
}

/// A decompressed block.
#[derive(Clone, Debug)]
pub struct OpenBlock {
    raw: Vec<u8>,
}

impl OpenBlock {
    /// The series in the order they were written.
    pub fn series(&self) -> impl Iterator<Item = Result<EncodedSeries<'_>, DecodeError>> {
        let mut fields = Fields::of("block", &self.raw);
        std::iter::from_fn(move || {
            loop {
                match fields.next() {
                    Ok(Some((1, Value::Bytes(series)))) => return Some(EncodedSeries::read(series)),
                    Ok(Some(_)) => {}
                    Ok(None) => return None,
                    Err(error) => {
                        fields = Fields::of("block", &[]);
                        return Some(Err(error));
                    }
                }
            }
        })
    }
}

/// One series of a block, its labels still encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncodedSeries<'a> {
    labels: &'a [u8],
    /// What it carries.
    pub content: Content<'a>,
    /// The time of that.
    pub at: UnixMillis,
    /// Since when a sample's metric counts, if that is known; a native histogram says it itself.
    pub created: Option<UnixMillis>,
}

/// What a series of a block carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Content<'a> {
    /// A sample: its value, bit for bit.
    Sample(f64),
    /// A native histogram, encoded but for its time.
    Histogram(&'a [u8]),
    /// An exemplar, encoded but for its time.
    Exemplar(&'a [u8]),
}

impl Content<'_> {
    /// A sample's value, how many observations a histogram has, zero for an exemplar.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn number(self) -> Result<f64, DecodeError> {
        match self {
            Self::Sample(value) => Ok(value),
            Self::Histogram(message) => histogram::count_of(message),
            Self::Exemplar(_) => Ok(0.0),
        }
    }
}

impl<'a> EncodedSeries<'a> {
    /// The identity of the series under this process' seed.
    #[must_use]
    pub fn hash(&self, seed: u64) -> SeriesHash {
        SeriesHash(xxh3_64_with_seed(self.labels, seed))
    }

    /// The labels as they lie in the block: `Label` messages (PRW 1.0), each with its tag and length.
    #[must_use]
    pub const fn raw_labels(&self) -> &'a [u8] {
        self.labels
    }

    /// The labels, decoded.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn labels(&self) -> Result<LabelSet<'a>, DecodeError> {
        let mut fields = Fields::of("labels", self.labels);
        let mut draft = LabelDraft::new();
        while let Some((_, Value::Bytes(label))) = fields.next()? {
            let (name, value) = read_label(label)?;
            draft.push(name, value);
        }
        Ok(draft.into_set())
    }

    fn read(series: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of("series", series);
        loop {
            let labels_end = series.len() - fields.rest().len();
            let (content, at, created) = match fields.next()? {
                Some((1, _)) => continue,
                Some((2, Value::Bytes(sample))) => {
                    let WrittenSample { value, at, created } = read_sample(sample)?;
                    (Content::Sample(value), at, created)
                }
                Some((3, Value::Bytes(exemplar))) => {
                    let (exemplar, at) = split_time("exemplar", exemplar)?;
                    (Content::Exemplar(exemplar), at, None)
                }
                Some((4, Value::Bytes(histogram))) => {
                    let (histogram, at) = split_time("histogram", histogram)?;
                    (Content::Histogram(histogram), at, None)
                }
                _ => {
                    return Err(DecodeError::Invalid {
                        what: "series",
                        problem: "has no sample after its labels",
                    });
                }
            };
            let labels = series.get(..labels_end).unwrap_or_default();
            return Ok(Self {
                labels,
                content,
                at,
                created,
            });
        }
    }
}

/// A message without the time that is its last field, and that time.
fn split_time<'a>(what: &'static str, message: &'a [u8]) -> Result<(&'a [u8], UnixMillis), DecodeError> {
    let mut fields = Fields::of(what, message);
    loop {
        let before = message.len() - fields.rest().len();
        let field = fields.next()?;
        if let Some((_, Value::Varint(millis))) = field
            && fields.rest().is_empty()
        {
            let timeless = message.get(..before).unwrap_or_default();
            return Ok((timeless, UnixMillis::new(millis.cast_signed())));
        }
        if field.is_none() {
            return Err(DecodeError::Invalid {
                what,
                problem: "does not end with its time",
            });
        }
    }
}

/// The first of encoded labels, and what is behind it; `None` when that is no label.
#[must_use]
pub fn split_label(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&LABEL, mut rest) = encoded.split_first()? else {
        return None;
    };
    let len = usize::try_from(take_varint(&mut rest)?).ok()?;
    let behind = rest.get(len..)?;
    encoded.split_at_checked(encoded.len() - behind.len())
}

/// Reads a `Label` message.
pub(super) fn read_label(label: &[u8]) -> Result<(&str, &str), DecodeError> {
    let mut fields = Fields::of("label", label);
    let (mut name, mut value) = ("", "");
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => name = text("label name", bytes)?,
            (2, Value::Bytes(bytes)) => value = text("label value", bytes)?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// Reads a `Sample` message of either version; a start time of zero is none (PRW R2-10).
pub(super) fn read_sample(sample: &[u8]) -> Result<WrittenSample, DecodeError> {
    let mut fields = Fields::of("sample", sample);
    let (mut value, mut at, mut created) = (0, 0, 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Fixed64(bits)) => value = bits,
            (2, Value::Varint(millis)) => at = millis.cast_signed(),
            (3, Value::Varint(millis)) => created = millis.cast_signed(),
            (1..=3, _) => return Err(wrong_type("sample")),
            _ => {}
        }
    }
    Ok(WrittenSample {
        value: f64::from_bits(value),
        at: UnixMillis::new(at),
        created: (created != 0).then(|| UnixMillis::new(created)),
    })
}

/// Appends a `Label` message as the first field of another, which is its place in `TimeSeries` and in every exemplar.
pub(super) fn put_label(out: &mut Vec<u8>, name: &str, value: &str) {
    let len = label_len(name, value);
    if let (Ok(len @ ..=0x7f), Ok(name_len), Ok(value_len)) = (
        u8::try_from(len),
        u8::try_from(name.len()),
        u8::try_from(value.len()),
    ) {
        // all three lengths are varints of one byte, as nearly always
        out.extend_from_slice(&[LABEL, len, NAME, name_len]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&[VALUE, value_len]);
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(LABEL);
    put_varint(out, len as u64);
    put_bytes(out, NAME, name.as_bytes());
    put_bytes(out, VALUE, value.as_bytes());
}

fn label_len(name: &str, value: &str) -> usize {
    field_len(name.len()) + field_len(value.len())
}

/// A length-delimited field of `len` bytes with its one-byte tag.
const fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// One raw-snappy body out of several blocks, without decompressing any.
///
/// # Errors
/// When a block's length preamble is damaged.
pub fn join<'a>(blocks: impl IntoIterator<Item = &'a Block> + Clone) -> Result<Vec<u8>, DecodeError> {
    let (mut raw_len, mut room) = (0_u64, 10);
    for block in blocks.clone().into_iter().filter(|block| !block.is_empty()) {
        raw_len += snap::raw::decompress_len(&block.bytes)? as u64;
        room += block.bytes.len();
    }
    let mut body = Vec::with_capacity(room);
    put_varint(&mut body, raw_len);
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        let preamble = varint_len(snap::raw::decompress_len(&block.bytes)? as u64);
        body.extend_from_slice(block.bytes.get(preamble..).unwrap_or_default());
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
