//! Native histograms, bucket by bucket, as Prometheus' own API lists them.

use std::io::{self, Write};

use crate::codec::number::shortest;
use crate::model::{HistogramBuckets, HistogramCounts, NativeHistogram};

/// A bucket with something in it.
struct Bucket {
    lower: f64,
    upper: f64,
    count: String,
}

/// How many observations there are, as it is written.
pub(super) fn count_of(histogram: &NativeHistogram) -> String {
    match &histogram.counts {
        HistogramCounts::Whole { count, .. } => count.to_string(),
        HistogramCounts::Float { count, .. } => shortest(*count),
    }
}

/// Whether it says where buckets could be; without that it is listed like a classic one.
pub(super) fn has_spans(histogram: &NativeHistogram) -> bool {
    match &histogram.counts {
        HistogramCounts::Whole {
            negative, positive, ..
        } => !negative.spans.is_empty() || !positive.spans.is_empty(),
        HistogramCounts::Float {
            negative, positive, ..
        } => !negative.spans.is_empty() || !positive.spans.is_empty(),
    }
}

/// Writes the buckets that are not empty, from the lowest on: which bounds belong to it, both bounds, the count.
pub(super) fn put_buckets(out: &mut impl Write, histogram: &NativeHistogram) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, bucket) in buckets(histogram).iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let rule = match (bucket.lower_belongs(), bucket.upper_belongs()) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        write!(
            out,
            "{comma}[{rule},\"{}\",\"{}\",\"{}\"]",
            shortest(bucket.lower),
            shortest(bucket.upper),
            bucket.count
        )?;
    }
    out.write_all(b"]")
}

impl Bucket {
    fn lower_belongs(&self) -> bool {
        self.lower < 0.0 || self.is_around_zero()
    }

    fn upper_belongs(&self) -> bool {
        self.upper > 0.0 || self.is_around_zero()
    }

    fn is_around_zero(&self) -> bool {
        self.lower.to_bits() == (-self.upper).to_bits()
    }
}

fn buckets(histogram: &NativeHistogram) -> Vec<Bucket> {
    let (below, zero, above) = match &histogram.counts {
        HistogramCounts::Whole {
            zero,
            negative,
            positive,
            ..
        } => {
            // a count below zero is nonsense, and shown as Go shows it
            let count = |count: i64| (count != 0).then(|| count.cast_unsigned().to_string());
            (
                numbered(negative, sums(negative), count),
                (*zero != 0).then(|| zero.to_string()),
                numbered(positive, sums(positive), count),
            )
        }
        HistogramCounts::Float {
            zero,
            negative,
            positive,
            ..
        } => {
            let count = |count: f64| (count != 0.0).then(|| shortest(count));
            (
                numbered(negative, negative.counts.iter().copied(), count),
                (*zero != 0.0).then(|| shortest(*zero)),
                numbered(positive, positive.counts.iter().copied(), count),
            )
        }
    };
    let bounds = |number: i64| {
        (
            bound(histogram.schema, number - 1),
            bound(histogram.schema, number),
        )
    };
    let below = below.into_iter().rev().map(|(number, count)| {
        let (near, far) = bounds(number);
        Bucket {
            lower: -far,
            upper: -near,
            count,
        }
    });
    let zero = zero.map(|count| Bucket {
        lower: -histogram.zero_threshold,
        upper: histogram.zero_threshold,
        count,
    });
    let above = above.into_iter().map(|(number, count)| {
        let (lower, upper) = bounds(number);
        Bucket { lower, upper, count }
    });
    below.chain(zero).chain(above).collect()
}

/// The counts, each the one before and a difference.
fn sums(buckets: &HistogramBuckets<i64>) -> impl Iterator<Item = i64> {
    buckets.counts.iter().scan(0_i64, |sum, difference| {
        *sum = sum.wrapping_add(*difference);
        Some(*sum)
    })
}

/// The counts that are written, each with the number of its bucket.
fn numbered<N>(
    buckets: &HistogramBuckets<N>,
    counts: impl Iterator<Item = N>,
    written: impl Fn(N) -> Option<String>,
) -> Vec<(i64, String)> {
    let mut next = 0_i64;
    let numbers = buckets.spans.iter().flat_map(|span| {
        let begin = next.saturating_add(i64::from(span.offset));
        next = begin.saturating_add(i64::from(span.length));
        begin..next
    });
    numbers
        .zip(counts)
        .filter_map(|(number, count)| Some((number, written(count)?)))
        .collect()
}

/// The upper bound of a bucket: 2^(number · 2^-schema), with the very digits that Prometheus has for it. The largest
/// bucket of finite numbers ends at the largest of them.
fn bound(schema: i32, number: i64) -> f64 {
    let (fraction, exponent) = if schema < 0 {
        let step = 1_i64.checked_shl(schema.unsigned_abs()).unwrap_or(i64::MAX);
        (0.5, number.saturating_mul(step).saturating_add(1))
    } else {
        let within = 1_i64.checked_shl(schema.unsigned_abs()).unwrap_or(i64::MAX);
        (
            fraction(schema.unsigned_abs(), number.rem_euclid(within)),
            number.div_euclid(within).saturating_add(1),
        )
    };
    if fraction.to_bits() == 0.5_f64.to_bits() && exponent == 1025 {
        return f64::MAX;
    }
    scaled(fraction, exponent)
}

/// Where a step within a doubling lies, between one half and one. Those of a coarser scale are taken from there, and
/// the first from a root of two that is rounded down, as Prometheus' table was made.
fn fraction(schema: u32, step: i64) -> f64 {
    if step == 0 || schema == 0 {
        return 0.5;
    }
    if step % 2 == 0 {
        return fraction(schema - 1, step / 2);
    }
    let factor = match schema {
        1 => std::f64::consts::SQRT_2.next_down(),
        schema => (0..schema).fold(2.0_f64, |factor, _| factor.sqrt()),
    };
    fraction(schema, step - 1) * factor
}

/// `value` times two to the power of `exponent`, rounded once.
fn scaled(value: f64, exponent: i64) -> f64 {
    let first = exponent.clamp(-1000, 1000);
    let rest = (exponent - first).clamp(-200, 200);
    value * power_of_two(first) * power_of_two(rest)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BucketSpan, ResetHint};

    fn spans(spans: &[(i32, u32)]) -> Vec<BucketSpan> {
        spans
            .iter()
            .map(|(offset, length)| BucketSpan {
                offset: *offset,
                length: *length,
            })
            .collect()
    }

    fn histogram(schema: i32, counts: HistogramCounts) -> NativeHistogram {
        NativeHistogram {
            schema,
            zero_threshold: 0.25,
            sum: 0.0,
            counts,
            reset: ResetHint::Unknown,
            custom_values: Vec::new(),
            created: None,
        }
    }

    fn written(histogram: &NativeHistogram) -> String {
        let mut out = Vec::new();
        put_buckets(&mut out, histogram).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a03_whole_buckets_are_listed_without_the_empty_ones() {
        let side = HistogramBuckets {
            spans: spans(&[(0, 2), (2, 2)]),
            counts: vec![0, 2, -2, 0],
        };
        let counts = HistogramCounts::Whole {
            count: 4,
            zero: 0,
            negative: side.clone(),
            positive: side,
        };

        assert_eq!(
            written(&histogram(1, counts)),
            r#"[[1,"-1.414213562373095","-1","2"],[0,"1","1.414213562373095","2"]]"#
        );
    }

    #[test]
    fn a03_float_buckets_may_have_less_than_nothing_in_them() {
        let side = HistogramBuckets {
            spans: spans(&[(-1, 2), (1, 2)]),
            counts: vec![2.0, 2.5, -2.0, 0.0],
        };
        let counts = HistogramCounts::Float {
            count: 5.0,
            zero: 1.0,
            negative: HistogramBuckets::default(),
            positive: side,
        };

        assert_eq!(
            written(&histogram(0, counts)),
            r#"[[3,"-0.25","0.25","1"],[0,"0.25","0.5","2"],[0,"0.5","1","2.5"],[0,"2","4","-2"]]"#
        );
    }

    #[test]
    fn bounds_have_the_digits_of_prometheus() {
        for (schema, number, expected) in [
            (0, 0, "1"),
            (0, 1024, "1.7976931348623157e+308"),
            (0, 1025, "+Inf"),
            (0, -1074, "5e-324"),
            (0, -1076, "0"),
            (-4, 64, "1.7976931348623157e+308"),
            (-4, -1, "1.52587890625e-05"),
            (-2, 3, "4096"),
            (1, 1, "1.414213562373095"),
            (2, 3, "1.6817928305074288"),
            (3, -5, "0.6484197773255048"),
            (8, 1, "1.0027112750502025"),
            (8, 255, "1.9945921121709396"),
        ] {
            assert_eq!(shortest(bound(schema, number)), expected, "{schema} {number}");
        }
    }

    #[test]
    fn the_bounds_within_a_doubling_are_those_of_prometheus_to_the_bit() {
        let bits = (0..256).map(|step| fraction(8, step).to_bits());

        let sum = bits.fold(0_u64, |sum, bits| sum.rotate_left(1) ^ bits);

        assert_eq!(sum, SUM_OF_THE_TABLE);
    }

    /// Of `exponentialBounds[8]` in Prometheus 3.11.
    const SUM_OF_THE_TABLE: u64 = 0x736a_0826_1d34_c906;
}
