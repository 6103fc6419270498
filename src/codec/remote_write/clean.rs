//! Label sets that came before and were as they should be, told by their bytes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Hashes in a bucket: what the processor fetches at once.
const BUCKET: usize = 8;
const MIN_BUCKETS: usize = 128;
/// 8 MiB: room for a million series.
const MAX_BUCKETS: usize = 1 << 17;

/// Remembers encoded labels that normalisation leaves as they are, so that they need not be read when they come again:
/// nearly all that a sender sends it has sent before.
///
/// Eight bytes a series. What is asked for too much forgets, and what is forgotten is read again. Nobody who does not know
/// the seed can make it take one label set for another; if two had the same hash by chance, the second would pass as it was
/// sent, not as the first.
pub struct CleanLabels {
    seed: u64,
    table: ArcSwap<Table>,
    learnt: AtomicUsize,
}

impl fmt::Debug for CleanLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanLabels")
            .field("learnt", &self.learnt)
            .finish_non_exhaustive()
    }
}

impl CleanLabels {
    /// One that knows nothing, and takes no memory before it does; `seed` is random.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            table: ArcSwap::from_pointee(Table::default()),
            learnt: AtomicUsize::new(0),
        }
    }

    /// Whether these labels came before.
    #[must_use]
    pub fn hold(&self, encoded: &[u8]) -> bool {
        self.table.load().holds(self.hash(encoded))
    }

    /// Remembers these labels.
    pub fn learn(&self, encoded: &[u8]) {
        let learnt = self.learnt.fetch_add(1, Ordering::Relaxed);
        let table = self.table.load();
        let buckets = table.0.len();
        // half full at most, as long as it may grow
        if learnt >= buckets * BUCKET / 2 && buckets < MAX_BUCKETS {
            let larger = Table::new((2 * buckets).max(MIN_BUCKETS));
            table.hashes().for_each(|hash| larger.insert(hash));
            self.table.store(Arc::new(larger));
        }
        self.table.load().insert(self.hash(encoded));
    }

    /// Zero stands for nothing in a table.
    fn hash(&self, encoded: &[u8]) -> u64 {
        xxh3_64_with_seed(encoded, self.seed).max(1)
    }
}

/// Hashes, each in the bucket that it says itself.
#[derive(Default)]
struct Table(Box<[[AtomicU64; BUCKET]]>);

impl Table {
    fn new(buckets: usize) -> Self {
        Self(std::iter::repeat_with(Default::default).take(buckets).collect())
    }

    fn bucket(&self, hash: u64) -> Option<&[AtomicU64; BUCKET]> {
        let place = hash.checked_rem(self.0.len() as u64)?;
        self.0.get(usize::try_from(place).ok()?)
    }

    fn holds(&self, hash: u64) -> bool {
        let is_it = |slot: &AtomicU64| slot.load(Ordering::Relaxed) == hash;
        self.bucket(hash).is_some_and(|bucket| bucket.iter().any(is_it))
    }

    /// Puts it into a free slot of its bucket, or in place of another.
    fn insert(&self, hash: u64) {
        let Some(bucket) = self.bucket(hash) else { return };
        let is_free = |slot: &&AtomicU64| [0, hash].contains(&slot.load(Ordering::Relaxed));
        let victim = (hash >> 60) as usize % BUCKET;
        if let Some(slot) = bucket.iter().find(is_free).or_else(|| bucket.get(victim)) {
            slot.store(hash, Ordering::Relaxed);
        }
    }

    fn hashes(&self) -> impl Iterator<Item = u64> {
        let slots = self.0.iter().flatten();
        slots
            .map(|slot| slot.load(Ordering::Relaxed))
            .filter(|hash| *hash != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_known_while_there_is_room() {
        let clean = CleanLabels::new(7);
        let labels: Vec<String> = (0..20_000).map(|number| format!("label{number}")).collect();

        assert!(!labels.iter().any(|labels| clean.hold(labels.as_bytes())));
        labels.iter().for_each(|labels| clean.learn(labels.as_bytes()));

        let known = labels
            .iter()
            .filter(|labels| clean.hold(labels.as_bytes()))
            .count();
        assert!(known > 19_000, "{known}");
        assert!(!clean.hold(b"another"));
    }

    #[test]
    fn a_table_that_may_not_grow_forgets_and_still_takes_what_is_new() {
        let table = Table::new(1);

        (1..=100).for_each(|hash| table.insert(hash));

        assert_eq!(table.hashes().count(), BUCKET);
        assert!(table.holds(100));
        assert!(!table.holds(1 << 63));
    }
}
