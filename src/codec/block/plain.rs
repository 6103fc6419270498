//! Blocks for remotes of version 1.0, which knows neither start times nor buckets with bounds of their own.

use super::{Block, BlockBuilder, Content};
use crate::codec::{DecodeError, histogram};

impl Block {
    /// The block without what version 1.0 has no words for, and how many samples are missing for want of them: native
    /// histograms with bounds of their own. Costs nothing when there is nothing of that.
    ///
    /// # Errors
    /// When the block is damaged.
    pub fn plain(&self) -> Result<(Self, u32), DecodeError> {
        if self.extended() == 0 {
            return Ok((self.clone(), 0));
        }
        let (mut builder, mut missing) = (BlockBuilder::default(), 0);
        let open = self.open()?;
        for series in open.series() {
            let mut series = series?;
            series.created = None;
            if let Content::Histogram(message) = series.content {
                let Some(plain) = histogram::plain(message)? else {
                    missing += 1;
                    continue;
                };
                series.content = Content::Histogram(plain);
            }
            builder.copy_at(&series, series.at);
        }
        Ok((builder.finish(), missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        HistogramBuckets, HistogramCounts, LabelDraft, LabelSet, NativeHistogram, ResetHint, UnixMillis,
        UnixNanos, WrittenSample,
    };

    fn named(name: &str) -> LabelSet<'_> {
        LabelDraft::from_iter([("__name__", name)]).into_set()
    }

    fn histogram(schema: i32, created: Option<UnixNanos>) -> NativeHistogram {
        NativeHistogram {
            schema,
            zero_threshold: 0.0,
            sum: 1.0,
            counts: HistogramCounts::Whole {
                count: 1,
                zero: 0,
                negative: HistogramBuckets::default(),
                positive: HistogramBuckets::default(),
            },
            reset: ResetHint::Unknown,
            custom_values: if schema == NativeHistogram::CUSTOM {
                vec![1.0, 2.0]
            } else {
                Vec::new()
            },
            created,
        }
    }

    fn sample(created: Option<i64>) -> WrittenSample {
        WrittenSample {
            value: 1.0,
            at: UnixMillis::new(5_000),
            created: created.map(UnixMillis::new),
        }
    }

    #[test]
    fn a_plain_block_has_neither_start_times_nor_bounds_of_its_own() {
        let at = UnixMillis::new(5_000);
        let mut builder = BlockBuilder::new(7);
        builder.push_written(&named("a"), sample(Some(4_000)));
        builder.push_histogram(&named("b"), &histogram(3, Some(UnixNanos::from_parts(4, 0))), at);
        builder.push_histogram(&named("c"), &histogram(NativeHistogram::CUSTOM, None), at);
        let mut expected = BlockBuilder::new(7);
        expected.push_written(&named("a"), sample(None));
        expected.push_histogram(&named("b"), &histogram(3, None), at);

        let (plain, missing) = builder.finish().plain().unwrap();

        assert_eq!((plain, missing), (expected.finish(), 1));
    }

    #[test]
    fn a_block_with_nothing_of_that_stays_as_it_lies() {
        let mut builder = BlockBuilder::new(7);
        builder.push_written(&named("a"), sample(None));
        let block = builder.finish();

        let (plain, missing) = block.plain().unwrap();

        assert_eq!((plain.bytes().as_ptr(), missing), (block.bytes().as_ptr(), 0));
    }
}
