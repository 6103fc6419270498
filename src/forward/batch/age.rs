//! `sample_age_limit`: what has grown too old is taken out of a parcel before each attempt to send it.

use std::time::Duration;

use crate::codec::DecodeError;
use crate::codec::block::BlockBuilder;
use crate::model::UnixMillis;

use super::{Parcel, Slab};

/// A limit of age, and how near one parcel is to it.
pub(in crate::forward) struct AgeLimit {
    limit: Option<Duration>,
    /// The time of the parcel's oldest sample, once it has been looked for.
    oldest: Option<UnixMillis>,
}

impl AgeLimit {
    /// The limit for a parcel that has not been looked into; `None` lets samples grow as old as they like.
    pub(in crate::forward) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, oldest: None }
    }

    /// Takes out of `parcel`, always the same one, what is older than the limit at `now`. Returns how many samples
    /// that were. Blocks are opened to look for the oldest sample, and when it has to go.
    ///
    /// # Errors
    /// When a block is damaged; the parcel is then as it was.
    pub(in crate::forward) fn take_out(
        &mut self,
        parcel: &mut Parcel,
        now: UnixMillis,
    ) -> Result<u32, DecodeError> {
        let Some(limit) = self.limit else { return Ok(0) };
        let is_old = |at: UnixMillis| now.since(at) > limit;
        let oldest = match self.oldest {
            Some(oldest) => Some(oldest),
            None => parcel.oldest()?,
        };
        self.oldest = oldest;
        if !oldest.is_some_and(is_old) {
            return Ok(0);
        }
        let young = parcel.without(is_old)?;
        let left_out = parcel.samples() - young.samples();
        *parcel = young;
        self.oldest = None;
        Ok(left_out)
    }
}

impl Parcel {
    fn oldest(&self) -> Result<Option<UnixMillis>, DecodeError> {
        let mut oldest: Option<UnixMillis> = None;
        for slab in &self.slabs {
            for series in slab.block.open()?.series() {
                let at = series?.at;
                oldest = Some(oldest.map_or(at, |known| known.min(at)));
            }
        }
        Ok(oldest)
    }

    fn without(&self, is_old: impl Fn(UnixMillis) -> bool) -> Result<Self, DecodeError> {
        let mut slabs = Vec::new();
        for slab in &self.slabs {
            let mut builder = BlockBuilder::default();
            for series in slab.block.open()?.series() {
                let series = series?;
                if !is_old(series.at) {
                    builder.copy_at(&series, series.at);
                }
            }
            if builder.samples() > 0 {
                slabs.push(Slab {
                    piece: slab.piece,
                    block: builder.finish(),
                });
            }
        }
        Ok(Self { slabs })
    }
}
