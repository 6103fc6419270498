//! Labels that came before, and what became of them: nearly all that a remote-write sender sends it has sent before, so
//! that most labels need not be read.

use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::codec::block::split_label;
use crate::model::SeriesHash;
use crate::normalise::Effects;

/// What takes 14 MiB at most; then all is forgotten, and learnt again.
const MAX_SERIES: usize = 900_000;
/// Most different patches, and the longest that is kept: 10 MiB. Rules that do something else to each series have more;
/// what is left over is read each time.
const MAX_PATCHES: usize = 10_000;
const MAX_PATCH_BYTES: usize = 1_024;

/// What the rules in force do to labels, by the labels' bytes as they come.
///
/// Nobody who does not know the seed can aim at the hash of another series.
#[derive(Debug)]
pub(super) struct KnownLabels {
    seed: u64,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    series: HashMap<SeriesHash, u32, FixedState>,
    /// Never fewer: a number stays valid.
    patches: Vec<Arc<Patch>>,
    numbers: HashMap<Arc<Patch>, u32, FixedState>,
}

/// What normalisation does to a series: the same for all series of a process, since it is told by labels' places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Patch {
    /// What is behind the last step stays.
    steps: Vec<Step>,
    pub(super) effects: Effects,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// So many labels stay.
    Keep(usize),
    /// So many labels go.
    Skip(usize),
    /// These come.
    Put(Vec<u8>),
}

impl KnownLabels {
    /// One that knows nothing; `seed` is random.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            known: RwLock::default(),
        }
    }

    /// The number of the patch for these labels, if they came before.
    pub(super) fn recall(&self, encoded: &[u8]) -> Option<u32> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.series.get(&self.hash(encoded)).copied()
    }

    /// The patch of this number.
    pub(super) fn patch(&self, number: u32) -> Option<Arc<Patch>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.patches.get(usize::try_from(number).ok()?).cloned()
    }

    /// Remembers what became of labels.
    pub(super) fn learn(&self, before: &[u8], after: &[u8], effects: Effects) {
        let patch = Patch::between(before, after, effects);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known.number_of(patch) {
            if known.series.len() >= MAX_SERIES {
                known.series.clear();
            }
            known.series.insert(self.hash(before), number);
        }
    }

    fn hash(&self, encoded: &[u8]) -> SeriesHash {
        SeriesHash(xxh3_64_with_seed(encoded, self.seed))
    }
}

impl Known {
    fn number_of(&mut self, patch: Patch) -> Option<u32> {
        if let Some(number) = self.numbers.get(&patch) {
            return Some(*number);
        }
        if self.patches.len() >= MAX_PATCHES || patch.bytes() > MAX_PATCH_BYTES {
            return None;
        }
        let number = u32::try_from(self.patches.len()).ok()?;
        let patch = Arc::new(patch);
        self.patches.push(Arc::clone(&patch));
        self.numbers.insert(patch, number);
        Some(number)
    }
}

impl Patch {
    /// What makes `after` of `before`.
    fn between(before: &[u8], after: &[u8], effects: Effects) -> Self {
        let before: Vec<&[u8]> = labels(before).collect();
        let mut patch = Self {
            steps: Vec::new(),
            effects,
        };
        let mut rest = before.as_slice();
        for label in labels(after) {
            match rest.iter().position(|other| *other == label) {
                Some(skipped) => {
                    patch.add(Step::Skip(skipped));
                    patch.add(Step::Keep(1));
                    rest = rest.get(skipped + 1..).unwrap_or_default();
                }
                None => patch.add(Step::Put(label.to_vec())),
            }
        }
        patch.add(Step::Skip(rest.len()));
        if let Some(Step::Keep(_)) = patch.steps.last() {
            patch.steps.pop();
        }
        patch
    }

    fn add(&mut self, step: Step) {
        match (self.steps.last_mut(), step) {
            (_, Step::Skip(0)) => {}
            (Some(Step::Keep(count)), Step::Keep(more)) => *count += more,
            (Some(Step::Put(bytes)), Step::Put(more)) => bytes.extend(more),
            (_, step) => self.steps.push(step),
        }
    }

    /// Appends what becomes of `before`.
    pub(super) fn apply(&self, before: &[u8], after: &mut Vec<u8>) {
        let mut rest = before;
        for step in &self.steps {
            match step {
                Step::Put(labels) => after.extend_from_slice(labels),
                Step::Skip(count) => rest = split(rest, *count).1,
                Step::Keep(count) => {
                    let (kept, behind) = split(rest, *count);
                    after.extend_from_slice(kept);
                    rest = behind;
                }
            }
        }
        after.extend_from_slice(rest);
    }

    fn bytes(&self) -> usize {
        let of_step = |step: &Step| match step {
            Step::Put(labels) => size_of::<Step>() + labels.len(),
            Step::Keep(_) | Step::Skip(_) => size_of::<Step>(),
        };
        self.steps.iter().map(of_step).sum()
    }
}

fn labels(mut encoded: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (label, rest) = split_label(encoded)?;
        encoded = rest;
        Some(label)
    })
}

/// The first `count` labels, and the others.
fn split(encoded: &[u8], count: usize) -> (&[u8], &[u8]) {
    let length = labels(encoded).take(count).map(<[u8]>::len).sum();
    encoded.split_at_checked(length).unwrap_or((encoded, &[]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::block::encode_labels;
    use crate::model::LabelDraft;

    fn encoded(labels: Vec<(String, String)>) -> Vec<u8> {
        let mut out = Vec::new();
        encode_labels(&mut out, &LabelDraft::from_iter(labels).into_set());
        out
    }

    fn one(name: &str, value: &str) -> Vec<u8> {
        encoded(vec![(name.to_owned(), value.to_owned())])
    }

    proptest! {
        #[test]
        fn a_patch_makes_of_labels_what_became_of_them(
            before in proptest::collection::vec(("[a-e]", "[xy]{1,200}"), 0..8),
            after in proptest::collection::vec(("[a-e]", "[xy]{1,2}"), 0..8),
            kept in 0..8_usize,
        ) {
            let after = before.iter().take(kept).cloned().chain(after).collect();
            let (before, after) = (encoded(before), encoded(after));

            let mut made = Vec::new();
            Patch::between(&before, &after, Effects::default()).apply(&before, &mut made);

            prop_assert_eq!(made, after);
        }
    }

    #[test]
    fn series_to_which_the_same_is_done_share_one_patch() {
        let known = KnownLabels::new(7);
        let labels = |metric: &str| [one("a", metric), one("tmId", "t")].concat();
        for metric in ["x", "a much longer one"] {
            known.learn(
                &labels(metric),
                &[one("a", metric), one("tm_id", "t")].concat(),
                Effects::default(),
            );
        }
        known.learn(&one("a", "x"), &one("a", "x"), Effects::default());

        let numbers = ["x", "a much longer one"].map(|metric| known.recall(&labels(metric)));

        assert_eq!(numbers, [Some(0), Some(0)]);
        assert_eq!(known.recall(&one("a", "x")), Some(1));
        assert_eq!(*known.patch(1).unwrap(), Patch::default());
        assert_eq!(known.recall(&one("a", "y")), None);
    }

    #[test]
    fn what_is_done_to_one_series_only_takes_bounded_memory() {
        let known = KnownLabels::new(7);

        for number in 0..MAX_PATCHES + 10 {
            known.learn(&one("a", "x"), &one("b", &number.to_string()), Effects::default());
        }
        known.learn(&one("c", "x"), &one("c", &"y".repeat(2_000)), Effects::default());

        assert_eq!(known.known.read().unwrap().patches.len(), MAX_PATCHES);
        assert_eq!(known.recall(&one("c", "x")), None);
    }
}
