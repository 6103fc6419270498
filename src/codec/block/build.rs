//! Encoding series one by one into a block.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::compress::{CHUNK_BYTES, Compressor};
use super::{
    Block, Content, EXEMPLAR, EXEMPLAR_TIMESTAMP, EncodedSeries, HISTOGRAM, HISTOGRAM_TIMESTAMP, SAMPLE,
    SAMPLE_START, SAMPLE_TIMESTAMP, SAMPLE_VALUE, TIMESERIES, field_len, label_len, put_label,
};
use crate::codec::wire::{put_varint, varint_len};
use crate::codec::{exemplar, histogram};
use crate::model::{Exemplar, LabelSet, NativeHistogram, SeriesHash, UnixMillis, WrittenSample};

/// Encodes series one by one and compresses them on the way.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    /// What is encoded and not compressed yet: the last series and less than a chunk before it.
    raw: Vec<u8>,
    compressor: Compressor,
    last: Option<Last>,
    samples: u32,
    histograms: u32,
    extended: u32,
    seed: u64,
}

/// The series appended last, as long as it can be taken back.
#[derive(Debug)]
struct Last {
    /// Where in what is not compressed it begins.
    start: usize,
    /// How many histograms there were before it.
    histograms: u32,
    /// How many extended ones there were before it.
    extended: u32,
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
        self.push_written(
            labels,
            WrittenSample {
                value,
                at,
                created: None,
            },
        )
    }

    /// Appends a series with a sample that may have a start time, and returns its identity.
    pub fn push_written(&mut self, labels: &LabelSet<'_>, sample: WrittenSample) -> SeriesHash {
        self.begin_series(labels_len(labels), sample_len(sample.at, sample.created));
        let series = self.put_labels(labels);
        self.put_sample(sample);
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
        self.push_content(labels, (Content::Histogram(&message), at, None))
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
        self.push_content(labels, (Content::Exemplar(&message), at, None))
    }

    /// Appends a series whose labels are encoded already ([`encode_labels`]), with a sample.
    pub fn copy_written(&mut self, labels: &[u8], sample: WrittenSample) {
        self.begin_series(labels.len(), sample_len(sample.at, sample.created));
        self.raw.extend_from_slice(labels);
        self.put_sample(sample);
    }

    /// Appends a series whose labels are encoded already, with a native histogram.
    pub fn copy_histogram(&mut self, labels: &[u8], histogram: &NativeHistogram, at: UnixMillis) {
        let mut message = Vec::new();
        histogram::put_remote_write(&mut message, histogram);
        self.copy_content(labels, (Content::Histogram(&message), at, None));
    }

    /// Appends a series whose labels are encoded already, with an exemplar, which has the time `at` unless it has its own.
    pub fn copy_exemplar(&mut self, labels: &[u8], exemplar: &Exemplar<'_>, at: UnixMillis) {
        let mut message = Vec::new();
        exemplar::put_remote_write(&mut message, exemplar);
        let at = exemplar.at.map_or(at, |at| at.millis());
        self.copy_content(labels, (Content::Exemplar(&message), at, None));
    }

    /// Appends the series of another block with a value and time of its own, whatever it carried there.
    pub fn copy(&mut self, series: &EncodedSeries<'_>, value: f64, at: UnixMillis) {
        let created = None;
        self.copy_written(series.labels, WrittenSample { value, at, created });
    }

    /// Appends the series of another block with what it carries, at the time `at`.
    pub fn copy_at(&mut self, series: &EncodedSeries<'_>, at: UnixMillis) {
        self.copy_content(series.labels, (series.content, at, series.created));
    }

    /// Appends what a series of another block carries, at its time, under other labels.
    pub fn copy_as(&mut self, labels: &LabelSet<'_>, series: &EncodedSeries<'_>) {
        self.push_content(labels, (series.content, series.at, series.created));
    }

    /// Takes back the series appended last. Once: what was appended before it stays.
    pub fn take_back(&mut self) {
        if let Some(last) = self.last.take() {
            self.raw.truncate(last.start);
            self.samples -= 1;
            self.histograms = last.histograms;
            self.extended = last.extended;
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
        Block::from_parts(self.samples, self.compressor.finish())
            .with_histograms(self.histograms)
            .with_extended(self.extended)
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

    fn copy_content(&mut self, labels: &[u8], content: Timed<'_>) {
        self.begin_series(labels.len(), content_len(content));
        self.raw.extend_from_slice(labels);
        self.put_content(content);
    }

    fn push_content(&mut self, labels: &LabelSet<'_>, content: Timed<'_>) -> SeriesHash {
        self.begin_series(labels_len(labels), content_len(content));
        let series = self.put_labels(labels);
        self.put_content(content);
        series
    }

    fn begin_series(&mut self, labels_len: usize, content_len: usize) {
        self.compress_full_chunks();
        self.last = Some(Last {
            start: self.raw.len(),
            histograms: self.histograms,
            extended: self.extended,
        });
        self.samples += 1;
        self.raw.push(TIMESERIES);
        put_varint(&mut self.raw, (labels_len + field_len(content_len)) as u64);
    }

    fn put_labels(&mut self, labels: &LabelSet<'_>) -> SeriesHash {
        let start = self.raw.len();
        encode_labels(&mut self.raw, labels);
        let encoded = self.raw.get(start..).unwrap_or_default();
        SeriesHash(xxh3_64_with_seed(encoded, self.seed))
    }

    fn put_sample(&mut self, WrittenSample { value, at, created }: WrittenSample) {
        let created = created.map(said_start);
        self.raw.push(SAMPLE);
        put_varint(&mut self.raw, sample_len(at, created) as u64);
        self.raw.push(SAMPLE_VALUE);
        self.raw.extend_from_slice(&value.to_bits().to_le_bytes());
        self.raw.push(SAMPLE_TIMESTAMP);
        put_varint(&mut self.raw, at.get().cast_unsigned());
        if let Some(created) = created {
            self.extended += 1;
            self.raw.push(SAMPLE_START);
            put_varint(&mut self.raw, created.get().cast_unsigned());
        }
    }

    fn put_content(&mut self, (content, at, created): Timed<'_>) {
        let (tag, message, time) = match content {
            Content::Sample(value) => return self.put_sample(WrittenSample { value, at, created }),
            Content::Histogram(message) => {
                self.histograms += 1;
                self.extended += u32::from(histogram::is_extended(message));
                (HISTOGRAM, message, HISTOGRAM_TIMESTAMP)
            }
            Content::Exemplar(message) => (EXEMPLAR, message, EXEMPLAR_TIMESTAMP),
        };
        self.raw.push(tag);
        put_varint(&mut self.raw, content_len((content, at, created)) as u64);
        self.raw.extend_from_slice(message);
        self.raw.push(time);
        put_varint(&mut self.raw, at.get().cast_unsigned());
    }
}

/// What a series carries, its time, and since when that counts.
type Timed<'a> = (Content<'a>, UnixMillis, Option<UnixMillis>);

/// Appends labels as they lie in a block; equal sets have equal bytes.
pub fn encode_labels(out: &mut Vec<u8>, labels: &LabelSet<'_>) {
    for (name, value) in labels.iter() {
        put_label(out, name, value);
    }
}

fn labels_len(labels: &LabelSet<'_>) -> usize {
    labels
        .iter()
        .map(|(name, value)| field_len(label_len(name, value)))
        .sum()
}

/// A start time as it is written: zero would say that there is none (PRW S2-13).
const fn said_start(created: UnixMillis) -> UnixMillis {
    match created.get() {
        0 => UnixMillis::new(1),
        _ => created,
    }
}

const fn sample_len(at: UnixMillis, created: Option<UnixMillis>) -> usize {
    let start = match created {
        Some(created) => 1 + varint_len(said_start(created).get().cast_unsigned()),
        None => 0,
    };
    1 + 8 + 1 + varint_len(at.get().cast_unsigned()) + start
}

/// The length of the message that has this content and these times.
const fn content_len((content, at, created): Timed<'_>) -> usize {
    match content {
        Content::Sample(_) => sample_len(at, created),
        Content::Histogram(message) | Content::Exemplar(message) => {
            message.len() + 1 + varint_len(at.get().cast_unsigned())
        }
    }
}
