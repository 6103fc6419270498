//! Encoding series one by one into a block.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::compress::{CHUNK_BYTES, Compressor};
use super::{
    Block, Content, EXEMPLAR, EXEMPLAR_TIMESTAMP, EncodedSeries, HISTOGRAM, HISTOGRAM_TIMESTAMP, SAMPLE,
    SAMPLE_TIMESTAMP, SAMPLE_VALUE, TIMESERIES, field_len, label_len, put_label,
};
use crate::codec::wire::{put_varint, varint_len};
use crate::codec::{exemplar, histogram};
use crate::model::{Exemplar, LabelSet, NativeHistogram, SeriesHash, UnixMillis};

/// Encodes series one by one and compresses them on the way.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    /// What is encoded and not compressed yet: the last series and less than a chunk before it.
    raw: Vec<u8>,
    compressor: Compressor,
    last: Option<Last>,
    samples: u32,
    histograms: u32,
    seed: u64,
}

/// The series appended last, as long as it can be taken back.
#[derive(Debug)]
struct Last {
    /// Where in what is not compressed it begins.
    start: usize,
    /// How many histograms there were before it.
    histograms: u32,
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
        self.begin_series(labels_len(labels), sample_len(at));
        let series = self.put_labels(labels);
        self.put_sample(value, at);
        series
    }

    /// Appends a series with one native histogram and returns its identity.
    pub fn push_histogram(
        &mut self,
        labels: &LabelSet<'_>,
        histogram: &NativeHistogram,
        at: UnixMillis,
    ) -> SeriesHash {
        let mut message = Vec::new();
        histogram::put_remote_write(&mut message, histogram);
        self.push_content(labels, (Content::Histogram(&message), at))
    }

    /// Appends a series with one exemplar, which has the time `at` unless it has its own, and returns its identity.
    pub fn push_exemplar(
        &mut self,
        labels: &LabelSet<'_>,
        exemplar: &Exemplar<'_>,
        at: UnixMillis,
    ) -> SeriesHash {
        let mut message = Vec::new();
        exemplar::put_remote_write(&mut message, exemplar);
        let at = exemplar.at.map_or(at, |at| at.millis());
        self.push_content(labels, (Content::Exemplar(&message), at))
    }

    /// Appends the series of another block with a value and time of its own, whatever it carried there.
    pub fn copy(&mut self, series: &EncodedSeries<'_>, value: f64, at: UnixMillis) {
        self.begin_series(series.labels.len(), sample_len(at));
        self.raw.extend_from_slice(series.labels);
        self.put_sample(value, at);
    }

    /// Appends the series of another block with what it carries, at the time `at`.
    pub fn copy_at(&mut self, series: &EncodedSeries<'_>, at: UnixMillis) {
        self.begin_series(series.labels.len(), content_len(series.content, at));
        self.raw.extend_from_slice(series.labels);
        self.put_content(series.content, at);
    }

    /// Appends what a series of another block carries, at its time, under other labels.
    pub fn copy_as(&mut self, labels: &LabelSet<'_>, series: &EncodedSeries<'_>) {
        self.push_content(labels, (series.content, series.at));
    }

    /// Takes back the series appended last. Once: what was appended before it stays.
    pub fn take_back(&mut self) {
        if let Some(Last { start, histograms }) = self.last.take() {
            self.raw.truncate(start);
            self.samples -= 1;
            self.histograms = histograms;
        }
    }

    /// How many samples have been appended, native histograms and exemplars included.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// How many bytes have been appended, before compression.
    #[must_use]
    pub const fn raw_len(&self) -> usize {
        self.compressor.raw_len() + self.raw.len()
    }

    /// The block of what was appended.
    #[must_use]
    pub fn finish(mut self) -> Block {
        if self.samples == 0 {
            return Block::default();
        }
        self.compress_full_chunks();
        self.compressor.take(&self.raw);
        Block::from_parts(self.samples, self.compressor.finish()).with_histograms(self.histograms)
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

    fn push_content(
        &mut self,
        labels: &LabelSet<'_>,
        (content, at): (Content<'_>, UnixMillis),
    ) -> SeriesHash {
        self.begin_series(labels_len(labels), content_len(content, at));
        let series = self.put_labels(labels);
        self.put_content(content, at);
        series
    }

    fn begin_series(&mut self, labels_len: usize, content_len: usize) {
        self.compress_full_chunks();
        self.last = Some(Last {
            start: self.raw.len(),
            histograms: self.histograms,
        });
        self.samples += 1;
        self.raw.push(TIMESERIES);
        put_varint(&mut self.raw, (labels_len + field_len(content_len)) as u64);
    }

    fn put_labels(&mut self, labels: &LabelSet<'_>) -> SeriesHash {
        let start = self.raw.len();
        for (name, value) in labels.iter() {
            put_label(&mut self.raw, name, value);
        }
        let encoded = self.raw.get(start..).unwrap_or_default();
        SeriesHash(xxh3_64_with_seed(encoded, self.seed))
    }

    fn put_sample(&mut self, value: f64, at: UnixMillis) {
        self.raw.push(SAMPLE);
        put_varint(&mut self.raw, sample_len(at) as u64);
        self.raw.push(SAMPLE_VALUE);
        self.raw.extend_from_slice(&value.to_bits().to_le_bytes());
        self.raw.push(SAMPLE_TIMESTAMP);
        put_varint(&mut self.raw, at.get().cast_unsigned());
    }

    fn put_content(&mut self, content: Content<'_>, at: UnixMillis) {
        let (tag, message, time) = match content {
            Content::Sample(value) => return self.put_sample(value, at),
            Content::Histogram(message) => {
                self.histograms += 1;
                (HISTOGRAM, message, HISTOGRAM_TIMESTAMP)
            }
            Content::Exemplar(message) => (EXEMPLAR, message, EXEMPLAR_TIMESTAMP),
        };
        self.raw.push(tag);
        put_varint(&mut self.raw, content_len(content, at) as u64);
        self.raw.extend_from_slice(message);
        self.raw.push(time);
        put_varint(&mut self.raw, at.get().cast_unsigned());
    }
}

fn labels_len(labels: &LabelSet<'_>) -> usize {
    labels
        .iter()
        .map(|(name, value)| field_len(label_len(name, value)))
        .sum()
}

const fn sample_len(at: UnixMillis) -> usize {
    1 + 8 + 1 + varint_len(at.get().cast_unsigned())
}

/// The length of the message that has this content and time.
const fn content_len(content: Content<'_>, at: UnixMillis) -> usize {
    match content {
        Content::Sample(_) => sample_len(at),
        Content::Histogram(message) | Content::Exemplar(message) => {
            message.len() + 1 + varint_len(at.get().cast_unsigned())
        }
    }
}
