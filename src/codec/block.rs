//! Blocks: series with one sample each, as a remote-write 1.0 body, compressed once on the way in.
//!
//! The bytes of a block are a whole raw-snappy body. Several blocks become one request body without decompressing:
//! snappy's copies reach only backwards within what their own block wrote, so the element streams stand one after
//! the other under a new length ([`join`]). Within a block each series' labels are encoded first and in order, hence
//! equal label sets have equal bytes, which is what [`SeriesHash`] hashes.

mod compress;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::DecodeError;
use super::wire::{Fields, Value, put_bytes, put_varint, text, varint_len};
use crate::model::{LabelDraft, LabelSet, SeriesHash, UnixMillis};
use compress::{CHUNK_BYTES, Compressor};

/// `WriteRequest.timeseries`, `TimeSeries.labels`, `TimeSeries.samples` (PRW 1.0): field number and wire type.
const TIMESERIES: u8 = 0x0a;
const LABEL: u8 = 0x0a;
const SAMPLE: u8 = 0x12;
/// `Label.name`, `Label.value`.
const NAME: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// `Sample.value`, `Sample.timestamp`.
const SAMPLE_VALUE: u8 = 0x09;
const SAMPLE_TIMESTAMP: u8 = 0x10;

/// Longest decompressed block. A push of 200,000 series of 632 bytes is half of it.
const MAX_RAW_BYTES: usize = 256 << 20;

/// Compressed series, one sample each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    bytes: Bytes,
    samples: u32,
}

impl Block {
    /// Takes up bytes that [`Block::bytes`] once gave away; they are checked when they are opened.
    #[must_use]
    pub const fn from_parts(samples: u32, bytes: Bytes) -> Self {
        Self { bytes, samples }
    }

    /// The raw-snappy bytes, length preamble included; empty when the block holds nothing.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many samples, and so how many series, the block holds.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
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
    /// The sample's value, bit for bit.
    pub value: f64,
    /// The sample's time.
    pub at: UnixMillis,
}

impl<'a> EncodedSeries<'a> {
    /// The identity of the series under this process' seed.
    #[must_use]
    pub fn hash(&self, seed: u64) -> SeriesHash {
        SeriesHash(xxh3_64_with_seed(self.labels, seed))
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
            match fields.next()? {
                Some((1, _)) => {}
                Some((2, Value::Bytes(sample))) => {
                    let labels = series.get(..labels_end).unwrap_or_default();
                    let (value, at) = read_sample(sample)?;
                    return Ok(Self { labels, value, at });
                }
                _ => {
                    return Err(DecodeError::Invalid {
                        what: "series",
                        problem: "has no sample after its labels",
                    });
                }
            }
        }
    }
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

/// Reads a `Sample` message.
pub(super) fn read_sample(sample: &[u8]) -> Result<(f64, UnixMillis), DecodeError> {
    let mut fields = Fields::of("sample", sample);
    let (mut value, mut at) = (0, 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Fixed64(bits)) => value = bits,
            (2, Value::Varint(millis)) => at = millis.cast_signed(),
            _ => {}
        }
    }
    Ok((f64::from_bits(value), UnixMillis::new(at)))
}

/// Encodes series one by one and compresses them on the way.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    /// What is encoded and not compressed yet: the last series and less than a chunk before it.
    raw: Vec<u8>,
    compressor: Compressor,
    /// Where in `raw` the last series begins, as long as it can be taken back.
    last: Option<usize>,
    samples: u32,
    seed: u64,
}

impl BlockBuilder {
    /// An empty builder; `seed` is the one of this process.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Appends a series with one sample and returns its identity.
    pub fn push(&mut self, labels: &LabelSet<'_>, value: f64, at: UnixMillis) -> SeriesHash {
        let labels_len: usize = labels
            .iter()
            .map(|(name, value)| field_len(label_len(name, value)))
            .sum();
        self.begin_series(labels_len, at);
        let start = self.raw.len();
        for (name, value) in labels.iter() {
            self.put_label(name, value);
        }
        let hash = xxh3_64_with_seed(self.raw.get(start..).unwrap_or_default(), self.seed);
        self.put_sample(value, at);
        SeriesHash(hash)
    }

    /// Appends the series of another block with a value and time of its own.
    pub fn copy(&mut self, series: &EncodedSeries<'_>, value: f64, at: UnixMillis) {
        self.begin_series(series.labels.len(), at);
        self.raw.extend_from_slice(series.labels);
        self.put_sample(value, at);
    }

    /// Takes back the series appended last. Once: what was appended before it stays.
    pub fn take_back(&mut self) {
        if let Some(start) = self.last.take() {
            self.raw.truncate(start);
            self.samples -= 1;
        }
    }

    /// How many samples have been appended.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// The block of what was appended.
    #[must_use]
    pub fn finish(mut self) -> Block {
        if self.samples == 0 {
            return Block::default();
        }
        self.compress_full_chunks();
        self.compressor.take(&self.raw);
        Block {
            bytes: self.compressor.finish(),
            samples: self.samples,
        }
    }

    /// Compresses what can no longer be taken back, chunk by chunk.
    fn compress_full_chunks(&mut self) {
        while let Some((chunk, rest)) = self.raw.split_at_checked(CHUNK_BYTES) {
            self.compressor.take(chunk);
            let rest = rest.len();
            self.raw.copy_within(CHUNK_BYTES.., 0);
            self.raw.truncate(rest);
        }
    }

    fn begin_series(&mut self, labels_len: usize, at: UnixMillis) {
        self.compress_full_chunks();
        self.last = Some(self.raw.len());
        let sample_len = 1 + 8 + 1 + varint_len(at.get().cast_unsigned());
        self.raw.push(TIMESERIES);
        put_varint(&mut self.raw, (labels_len + field_len(sample_len)) as u64);
    }

    fn put_label(&mut self, name: &str, value: &str) {
        let len = label_len(name, value);
        if let (Ok(len @ ..=0x7f), Ok(name_len), Ok(value_len)) = (
            u8::try_from(len),
            u8::try_from(name.len()),
            u8::try_from(value.len()),
        ) {
            // all three lengths are varints of one byte, as nearly always
            self.raw.extend_from_slice(&[LABEL, len, NAME, name_len]);
            self.raw.extend_from_slice(name.as_bytes());
            self.raw.extend_from_slice(&[VALUE, value_len]);
            self.raw.extend_from_slice(value.as_bytes());
            return;
        }
        self.raw.push(LABEL);
        put_varint(&mut self.raw, len as u64);
        put_bytes(&mut self.raw, NAME, name.as_bytes());
        put_bytes(&mut self.raw, VALUE, value.as_bytes());
    }

    fn put_sample(&mut self, value: f64, at: UnixMillis) {
        let millis = at.get().cast_unsigned();
        self.raw.push(SAMPLE);
        put_varint(&mut self.raw, (1 + 8 + 1 + varint_len(millis)) as u64);
        self.raw.push(SAMPLE_VALUE);
        self.raw.extend_from_slice(&value.to_bits().to_le_bytes());
        self.raw.push(SAMPLE_TIMESTAMP);
        put_varint(&mut self.raw, millis);
        self.samples += 1;
    }
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
