//! Merging the buckets of a histogram into those of the finest resolution that stores know.

use crate::model::{BucketSpan, HistogramBuckets, HistogramCounts, NativeHistogram};

/// Buckets whose absolute counts can be told, and written again.
pub(super) trait Absolute: Sized {
    type Count: Copy + std::ops::AddAssign;

    /// How much each bucket holds.
    fn absolute(&self) -> impl Iterator<Item = Self::Count>;

    /// The form of buckets that hold so much.
    fn of(absolute: Vec<Self::Count>) -> Self;
}

/// Differences; of any, so the counts may be below zero, and beyond 64 bits.
impl Absolute for Vec<i64> {
    type Count = i128;

    fn absolute(&self) -> impl Iterator<Item = i128> {
        self.iter().scan(0, |count, delta| {
            *count += i128::from(*delta);
            Some(*count)
        })
    }

    fn of(absolute: Vec<i128>) -> Self {
        let before = std::iter::once(0).chain(absolute.iter().copied());
        let deltas = absolute.iter().zip(before).map(|(count, before)| count - before);
        // what was checked against a count of 64 bits has differences that nearly always fit
        deltas
            .map(|delta| i64::try_from(delta).unwrap_or(if delta < 0 { i64::MIN } else { i64::MAX }))
            .collect()
    }
}

impl Absolute for Vec<f64> {
    type Count = f64;

    fn absolute(&self) -> impl Iterator<Item = f64> {
        self.iter().copied()
    }

    fn of(absolute: Vec<f64>) -> Self {
        absolute
    }
}

/// The same histogram in a resolution that stores know, its spans and counts in agreement.
pub(super) fn to_known(mut histogram: NativeHistogram) -> NativeHistogram {
    let finest = *NativeHistogram::SCHEMAS.end();
    let steps = histogram.schema.saturating_sub(finest);
    if steps <= 0 {
        return histogram;
    }
    histogram.schema = finest;
    match &mut histogram.counts {
        HistogramCounts::Whole {
            negative, positive, ..
        } => [negative, positive]
            .into_iter()
            .for_each(|side| merge(side, steps)),
        HistogramCounts::Float {
            negative, positive, ..
        } => [negative, positive]
            .into_iter()
            .for_each(|side| merge(side, steps)),
    }
    histogram
}

/// Each step makes one bucket of two: those numbered `2n - 1` and `2n` become `n`.
fn merge<N>(side: &mut HistogramBuckets<N>, steps: i32)
where
    Vec<N>: Absolute,
{
    let mut merged: Vec<(i64, <Vec<N> as Absolute>::Count)> = Vec::new();
    for (number, count) in numbers(&side.spans).zip(side.counts.absolute()) {
        let number = ((number - 1) >> steps) + 1;
        match merged.last_mut() {
            Some((last, sum)) if *last == number => *sum += count,
            _ => merged.push((number, count)),
        }
    }
    side.spans = spans(merged.iter().map(|(number, _)| *number));
    side.counts = Vec::of(merged.into_iter().map(|(_, count)| count).collect());
}

/// The numbers of the buckets that spans have.
fn numbers(spans: &[BucketSpan]) -> impl Iterator<Item = i64> {
    let mut next = 0;
    spans.iter().flat_map(move |span| {
        let first = next + i64::from(span.offset);
        next = first + i64::from(span.length);
        first..next
    })
}

/// The spans that buckets of these numbers have, which ascend.
fn spans(numbers: impl Iterator<Item = i64>) -> Vec<BucketSpan> {
    let mut spans: Vec<BucketSpan> = Vec::new();
    let mut next = 0;
    for number in numbers {
        match spans.last_mut() {
            Some(span) if number == next => span.length += 1,
            _ => spans.push(BucketSpan {
                // half as far as it was in 32 bits, or less
                offset: i32::try_from(number - next).unwrap_or(i32::MAX),
                length: 1,
            }),
        }
        next = number + 1;
    }
    spans
}
