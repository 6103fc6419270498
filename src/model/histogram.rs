//! Native histograms: all of a distribution as one sample, its buckets on an exponential scale.

use super::UnixNanos;

/// A native histogram as it was pushed, its buckets in agreement with their spans.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeHistogram {
    /// The resolution: each bucket is wider than the one before by the factor 2^(2^-schema); or
    /// [`NativeHistogram::CUSTOM`].
    pub schema: i32,
    /// Up to which distance from zero the zero bucket reaches.
    pub zero_threshold: f64,
    /// The sum of what was observed.
    pub sum: f64,
    /// How often what was observed.
    pub counts: HistogramCounts,
    /// What is known of the counts before it.
    pub reset: ResetHint,
    /// The upper bounds of its buckets, ascending, without the last, which is infinite; of [`NativeHistogram::CUSTOM`]
    /// only.
    pub custom_values: Vec<f64>,
    /// Since when it counts, if its pusher said so.
    pub created: Option<UnixNanos>,
}

/// What a histogram says of the counts of its series before it (PRW `ResetHint`, same numbers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ResetHint {
    /// Nothing: whoever reads it has to compare.
    #[default]
    Unknown = 0,
    /// They began anew.
    Yes = 1,
    /// They went on.
    No = 2,
    /// They may fall: it is a gauge histogram.
    Gauge = 3,
}

/// The counts of a histogram, in whole numbers or in floats.
#[derive(Clone, Debug, PartialEq)]
pub enum HistogramCounts {
    /// Whole numbers; those of the buckets as differences, the first to zero, each other to the bucket before it.
    Whole {
        /// All observations.
        count: u64,
        /// Those in the zero bucket.
        zero: u64,
        /// Those below zero, from zero downwards.
        negative: HistogramBuckets<i64>,
        /// Those above zero.
        positive: HistogramBuckets<i64>,
    },
    /// Floats; those of the buckets as they are.
    Float {
        /// All observations.
        count: f64,
        /// Those in the zero bucket.
        zero: f64,
        /// Those below zero, from zero downwards.
        negative: HistogramBuckets<f64>,
        /// Those above zero.
        positive: HistogramBuckets<f64>,
    },
}

/// Buckets on one side of zero: which there are, and how much is in each.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramBuckets<N> {
    /// Runs of buckets that are there.
    pub spans: Vec<BucketSpan>,
    /// A number for each of these buckets.
    pub counts: Vec<N>,
}

impl<N> Default for HistogramBuckets<N> {
    fn default() -> Self {
        Self {
            spans: Vec::new(),
            counts: Vec::new(),
        }
    }
}

impl<N> HistogramBuckets<N> {
    const fn parts(&self) -> usize {
        self.spans.len() + self.counts.len()
    }
}

/// A run of buckets without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketSpan {
    /// Buckets left out since the span before; of the first span the number of its first bucket, which may be negative.
    pub offset: i32,
    /// How many buckets it has.
    pub length: u32,
}

impl NativeHistogram {
    /// The resolutions that stores know (Prometheus, "Native histograms").
    pub const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

    /// The schema of a histogram whose buckets are [`NativeHistogram::custom_values`] (Prometheus, "Native histograms").
    pub const CUSTOM: i32 = -53;

    /// How many buckets and spans it consists of: what it takes in memory.
    #[must_use]
    pub const fn parts(&self) -> usize {
        match &self.counts {
            HistogramCounts::Whole {
                negative, positive, ..
            } => negative.parts() + positive.parts(),
            HistogramCounts::Float {
                negative, positive, ..
            } => negative.parts() + positive.parts(),
        }
    }

    /// How many observations there are.
    #[must_use]
    pub const fn count(&self) -> f64 {
        match self.counts {
            #[expect(
                clippy::cast_precision_loss,
                reason = "samples are floats, as in Prometheus itself"
            )]
            HistogramCounts::Whole { count, .. } => count as f64,
            HistogramCounts::Float { count, .. } => count,
        }
    }
}
