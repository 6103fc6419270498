//! Samples that bring times of their own: whether each is later than what its series had before.

use super::change::{Push, Refused};
use super::consistency::Clash;
use super::sources::{OwnerId, Source};
use super::{Map, Registry};
use crate::codec::DecodeError;
use crate::codec::block::{Block, OpenBlock};
use crate::model::{SeriesHash, UnixMillis};

/// When series had their last samples.
type LastTimes = Map<SeriesHash, UnixMillis>;

impl Registry {
    /// Whether time goes back in no series of the push. `owned` are those samples whose series others own, or owned
    /// until they fell silent. A push without times of its own costs nothing.
    pub(super) fn judge_times(
        &self,
        push: &Push,
        source: Option<&Source>,
        owned: &[(usize, OwnerId)],
    ) -> Result<(), Refused> {
        if push.own_times.is_empty() {
            return Ok(());
        }
        let last = self.last_times(source, owned)?;
        let opened = push.samples.open()?;
        for (index, (sample, series)) in opened.series().zip(&push.series).enumerate() {
            let sample = sample?;
            if push.own_times.binary_search(&index).is_err() {
                continue;
            }
            // a marker ended it, and of one time a series has one value
            let released = self.released.get(series).map(|released| released.at.next());
            let earliest = last.get(series).copied().max(released);
            if let Some(earliest) = earliest.filter(|earliest| sample.at < *earliest) {
                return Err(Clash::Past {
                    series: sample.labels()?.to_string(),
                    at: sample.at,
                    earliest,
                }
                .into());
            }
        }
        Ok(())
    }

    fn last_times(
        &self,
        source: Option<&Source>,
        owned: &[(usize, OwnerId)],
    ) -> Result<LastTimes, DecodeError> {
        let mut last = LastTimes::default();
        let mut owners: Vec<OwnerId> = owned.iter().map(|(_, owner)| *owner).collect();
        owners.sort_unstable();
        owners.dedup();
        let others = owners.iter().filter_map(|owner| {
            let name = self.names.get(owner)?;
            self.groups.get(&name.group)?.source(name.process.as_ref()?)
        });
        for source in source.into_iter().chain(others) {
            for (sample, series) in source.block.open()?.series().zip(&source.series) {
                last.insert(*series, sample?.at);
            }
        }
        Ok(last)
    }
}

/// The latest time of samples, not before `at`.
pub(super) fn latest_of(samples: &OpenBlock, at: UnixMillis) -> Result<UnixMillis, DecodeError> {
    samples
        .series()
        .try_fold(at, |latest, sample| Ok(latest.max(sample?.at)))
}

/// The latest time of a push's samples. Only times of their own are later than `at`.
pub(super) fn latest_of_push(
    samples: &Block,
    own_times: &[usize],
    at: UnixMillis,
) -> Result<UnixMillis, DecodeError> {
    if own_times.is_empty() {
        return Ok(at);
    }
    latest_of(&samples.open()?, at)
}
