//! Who owns which series.
//!
//! One entry for each series there is. A single map would double at once, a stall for everybody and half of it empty
//! afterwards; this one is sixteen, whose shares of the series differ just so that they double one after the other.

use super::Map;
use super::sources::OwnerId;
use crate::model::SeriesHash;

const PARTS: usize = 16;

/// How many of 256 hashes each part has: by a sixteenth of a doubling more than the part before.
const SHARES: [u8; PARTS] = [11, 12, 12, 13, 13, 14, 15, 15, 16, 17, 17, 18, 19, 20, 21, 23];

/// Series and their owners.
#[derive(Debug, Default)]
pub(super) struct Owners {
    parts: [Map<SeriesHash, OwnerId>; PARTS],
}

impl Owners {
    pub(super) fn get(&self, series: &SeriesHash) -> Option<OwnerId> {
        self.parts.get(part_of(*series))?.get(series).copied()
    }

    /// Gives a series to an owner, and tells whose it was.
    pub(super) fn insert(&mut self, series: SeriesHash, owner: OwnerId) -> Option<OwnerId> {
        self.parts.get_mut(part_of(series))?.insert(series, owner)
    }

    pub(super) fn remove(&mut self, series: &SeriesHash) {
        if let Some(part) = self.parts.get_mut(part_of(*series)) {
            part.remove(series);
            // what many series have left is given back when a quarter is in use
            if part.len() < part.capacity() / 4 {
                part.shrink_to(part.len() * 2);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(Map::len).sum()
    }
}

fn part_of(series: SeriesHash) -> usize {
    let [.., first] = series.0.to_le_bytes();
    let mut end = 0;
    SHARES
        .iter()
        .position(|share| {
            end += u32::from(*share);
            u32::from(first) < end
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_all_there_is() {
        let all: u32 = SHARES.iter().map(|share| u32::from(*share)).sum();

        assert_eq!(all, 256);
    }

    #[test]
    fn what_was_given_is_found_until_it_is_taken() {
        let series = |number: u64| SeriesHash(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut owners = Owners::default();

        for number in 0..5000 {
            assert_eq!(owners.insert(series(number), OwnerId(1)), None);
        }
        assert_eq!(owners.insert(series(7), OwnerId(2)), Some(OwnerId(1)));
        assert_eq!((owners.len(), owners.get(&series(7))), (5000, Some(OwnerId(2))));

        for number in 0..4990 {
            owners.remove(&series(number));
        }
        assert_eq!((owners.len(), owners.get(&series(7))), (10, None));
        assert_eq!(owners.get(&series(4999)), Some(OwnerId(1)));
        assert!(owners.parts.iter().map(Map::capacity).sum::<usize>() < 500);
    }
}
