//! Label sets: a draft that may be edited, and the finished set that may not be wrong.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ShownName;

/// The label that carries the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A pair of name and value; borrowed from the request where nothing had to be changed.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Labels on their way to becoming a [`LabelSet`]: any order, empty values allowed, meant to be edited.
///
/// Names are unique when the draft is built by [`LabelDraft::set`]; [`LabelDraft::push`] does not look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelDraft<'a> {
    pairs: Vec<Pair<'a>>,
}

impl<'a> LabelDraft<'a> {
    /// An empty draft.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// An empty draft with room for `count` labels.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self {
            pairs: Vec::with_capacity(count),
        }
    }

    /// Appends a label without looking for one of the same name; see [`LabelDraft::into_set`] for which wins.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// The value of `name`, if the draft has it (it may be empty).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_ref())
    }

    /// Sets `name` to `value`, in place where it exists.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        match self.pairs.iter_mut().find(|(n, _)| *n == name) {
            Some(pair) => pair.1 = value,
            None => self.pairs.push((name, value)),
        }
    }

    /// Takes `name` out and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let at = self.pairs.iter().position(|(n, _)| n == name)?;
        Some(self.pairs.swap_remove(at).1)
    }

    /// Keeps the labels for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.pairs.retain(|(name, value)| keep(name, value));
    }

    /// Name and value of every label, in the order they stand.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Every label, open to change; for steps that edit names or values in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (Cow<'a, str>, Cow<'a, str>)> {
        self.pairs.iter_mut()
    }

    /// How many labels the draft holds, the metric's name and empty ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the draft holds nothing at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Finishes the draft: empty names and values go, names are sorted by byte, of equal names the first stays.
    #[must_use]
    pub fn into_set(self) -> LabelSet<'a> {
        let mut pairs = self.pairs;
        pairs.retain(|(name, value)| !name.is_empty() && !value.is_empty());
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.dedup_by(|later, earlier| later.0 == earlier.0);
        }
        LabelSet { pairs }
    }
}

impl<'a, N: Into<Cow<'a, str>>, V: Into<Cow<'a, str>>> FromIterator<(N, V)> for LabelDraft<'a> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(labels: I) -> Self {
        Self {
            pairs: labels
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// A series' identity: labels sorted by name (bytewise), names unique, no name and no value empty.
///
/// Only [`LabelDraft::into_set`] makes one, so the promise holds wherever one is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelSet<'a> {
    pairs: Vec<Pair<'a>>,
}

impl<'a> LabelSet<'a> {
    /// The value of `name`, if the set has it; never empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok()?;
        self.pairs.get(at).map(|(_, value)| value.as_ref())
    }

    /// Name and value of every label, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many labels the set holds, the metric's name included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the set holds no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Opens the set for editing again.
    #[must_use]
    pub fn into_draft(self) -> LabelDraft<'a> {
        LabelDraft { pairs: self.pairs }
    }

    /// The same set, free of the request it was read from.
    #[must_use]
    pub fn into_owned(self) -> LabelSet<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        LabelSet {
            pairs: self
                .pairs
                .into_iter()
                .map(|(name, value)| (own(name), own(value)))
                .collect(),
        }
    }
}

/// As PromQL writes it: `up{instance="a",job="b"}`, and `{"a.b","c.d"="e"}` with names that are not classic.
impl fmt::Display for LabelSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.get(METRIC_NAME).unwrap_or_default();
        let is_quoted = !metric.is_empty() && !is_metric_name(metric);
        if is_quoted {
            write!(f, "{{{metric:?}")?;
        } else {
            write!(f, "{metric}{{")?;
        }
        for (at, (name, value)) in self.iter().filter(|(name, _)| *name != METRIC_NAME).enumerate() {
            let comma = if at == 0 && !is_quoted { "" } else { "," };
            write!(f, "{comma}{}={value:?}", ShownName(name))?;
        }
        f.write_str("}")
    }
}

/// A series' identity in eight bytes: a seeded hash of its encoded labels, made by `codec::Block`.
///
/// The seed is drawn at random once for each data folder, so nobody can aim at a collision.
///
/// Packed, so that a map from series to four bytes takes 12 bytes an entry instead of 16: it has one for every series.
#[repr(Rust, packed(4))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesHash(pub u64);

/// Whether `name` is a metric name of the classic scheme: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
#[must_use]
pub fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| byte == b':')
}

/// Whether `name` is a label name of the classic scheme: `[a-zA-Z_][a-zA-Z0-9_]*`.
#[must_use]
pub fn is_label_name(name: &str) -> bool {
    is_name(name, |_| false)
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let mut bytes = name.bytes();
    let Some(first) = bytes.next() else { return false };
    (first.is_ascii_alphabetic() || first == b'_' || also(first))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draft(labels: &[(&'static str, &'static str)]) -> LabelDraft<'static> {
        labels.iter().copied().collect()
    }

    #[test]
    fn a_finished_set_reads_as_promql_writes_it() {
        let set = draft(&[("job", "b\"1"), ("__name__", "up"), ("empty", "")]).into_set();

        assert_eq!(set.to_string(), r#"up{job="b\"1"}"#);
    }

    #[test]
    fn names_that_are_not_classic_are_shown_in_quotes() {
        let set = draft(&[("__name__", "a.b"), ("c.d", "e"), ("f", "g")]).into_set();

        assert_eq!(set.to_string(), r#"{"a.b","c.d"="e",f="g"}"#);
    }

    #[test]
    fn of_two_labels_with_one_name_the_first_stays() {
        let set = draft(&[("z", "1"), ("a", "first"), ("a", "second")]).into_set();

        assert_eq!(set, draft(&[("a", "first"), ("z", "1")]).into_set());
    }

    #[test]
    fn classic_names_are_told_from_others() {
        for (name, metric, label) in [
            ("up", true, true),
            ("a:b", true, false),
            ("9up", false, false),
            ("", false, false),
            ("na-me", false, false),
            ("größe", false, false),
            ("_x9", true, true),
        ] {
            assert_eq!(
                (is_metric_name(name), is_label_name(name)),
                (metric, label),
                "{name}"
            );
        }
    }

    proptest! {
        /// PRW S1-12, S1-13, S1-14, S2-11.
    #[test]
        fn a_finished_set_is_sorted_unique_and_without_empties(
            labels in proptest::collection::vec(("[ab]{0,2}", "[xy]{0,2}"), 0..12)
        ) {
            let set = labels.into_iter().collect::<LabelDraft>().into_set();

            let pairs: Vec<_> = set.iter().collect();
            prop_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert!(pairs.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
        }
    }
}
