//! One relabel rule: a variant for each action, with exactly the fields it needs.

use std::borrow::Cow;
use std::num::NonZeroU64;

use md5::{Digest, Md5};

use crate::model::{LabelDraft, Pattern, is_label_name};

use super::template::Template;

/// A rule, checked and compiled.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Replace {
        sources: Sources,
        pattern: Pattern,
        target: Template,
        replacement: Template,
    },
    Keep {
        sources: Sources,
        pattern: Pattern,
    },
    Drop {
        sources: Sources,
        pattern: Pattern,
    },
    KeepEqual {
        sources: Sources,
        target: String,
    },
    DropEqual {
        sources: Sources,
        target: String,
    },
    HashMod {
        sources: Sources,
        modulus: NonZeroU64,
        target: String,
    },
    LabelMap {
        pattern: Pattern,
        replacement: Template,
    },
    LabelDrop {
        pattern: Pattern,
    },
    LabelKeep {
        pattern: Pattern,
    },
    Lowercase {
        sources: Sources,
        target: String,
    },
    Uppercase {
        sources: Sources,
        target: String,
    },
}

/// What became of a label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::normalise) enum Verdict {
    Unchanged,
    Changed,
    Dropped,
}

/// The labels whose values a rule looks at, joined by a separator; an absent label is an empty value.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) names: Vec<String>,
    pub(super) separator: String,
}

impl Rule {
    /// Edits `draft`, whose names are unique.
    pub(super) fn apply<'a>(&'a self, draft: &mut LabelDraft<'a>) -> Verdict {
        match self {
            Self::Replace {
                sources,
                pattern,
                target,
                replacement,
            } => replace(&sources.value(draft), pattern, target, replacement)
                .map_or(Verdict::Unchanged, |(name, value)| put(draft, name, value)),
            Self::Keep { sources, pattern } if pattern.matches(&sources.value(draft)) => Verdict::Unchanged,
            Self::Drop { sources, pattern } if !pattern.matches(&sources.value(draft)) => Verdict::Unchanged,
            Self::KeepEqual { sources, target } if sources.equal(draft, target) => Verdict::Unchanged,
            Self::DropEqual { sources, target } if !sources.equal(draft, target) => Verdict::Unchanged,
            Self::Keep { .. } | Self::Drop { .. } | Self::KeepEqual { .. } | Self::DropEqual { .. } => {
                Verdict::Dropped
            }
            Self::HashMod {
                sources,
                modulus,
                target,
            } => {
                let shard = hash(&sources.value(draft)) % modulus.get();
                put(draft, Cow::Borrowed(target), Cow::Owned(shard.to_string()))
            }
            Self::LabelMap { pattern, replacement } => map_names(draft, pattern, replacement),
            Self::LabelDrop { pattern } => retain(draft, |name| !pattern.matches(name)),
            Self::LabelKeep { pattern } => retain(draft, |name| pattern.matches(name)),
            Self::Lowercase { sources, target } => {
                let value = sources.value(draft).chars().map(lower).collect();
                put(draft, Cow::Borrowed(target), Cow::Owned(value))
            }
            Self::Uppercase { sources, target } => {
                let value = sources.value(draft).chars().map(upper).collect();
                put(draft, Cow::Borrowed(target), Cow::Owned(value))
            }
        }
    }
}

impl Sources {
    /// The joined value; a copy of the label's own where there is but one, which costs nothing if that is borrowed.
    fn value<'a>(&self, draft: &mut LabelDraft<'a>) -> Cow<'a, str> {
        if let [name] = self.names.as_slice() {
            let label = draft.iter_mut().find(|(label, _)| label == name);
            return label.map_or(Cow::Borrowed(""), |(_, value)| value.clone());
        }
        let mut joined = String::new();
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                joined.push_str(&self.separator);
            }
            joined.push_str(draft.get(name).unwrap_or_default());
        }
        Cow::Owned(joined)
    }

    fn equal(&self, draft: &mut LabelDraft<'_>, target: &str) -> bool {
        let value = self.value(draft);
        draft.get(target).unwrap_or_default() == value
    }
}

/// Sets a label; an empty value deletes it, since to Prometheus the two are the same.
fn put<'a>(draft: &mut LabelDraft<'a>, name: Cow<'a, str>, value: Cow<'a, str>) -> Verdict {
    if draft.get(&name).unwrap_or_default() == value {
        return Verdict::Unchanged;
    }
    if value.is_empty() {
        draft.remove(&name);
    } else {
        draft.set(name, value);
    }
    Verdict::Changed
}

type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

fn replace<'a>(
    value: &Cow<'a, str>,
    pattern: &Pattern,
    target: &'a Template,
    replacement: &'a Template,
) -> Option<Label<'a>> {
    match value {
        Cow::Borrowed(text) => expand(text, pattern, target, replacement),
        Cow::Owned(text) => {
            let (name, value) = expand(text, pattern, target, replacement)?;
            Some((Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned())))
        }
    }
}

fn expand<'t>(
    text: &'t str,
    pattern: &Pattern,
    target: &'t Template,
    replacement: &'t Template,
) -> Option<Label<'t>> {
    if let (Some(name), Some(value)) = (target.constant(), replacement.constant()) {
        return pattern
            .matches(text)
            .then_some((Cow::Borrowed(name), Cow::Borrowed(value)));
    }
    let found = pattern.find(text)?;
    let name = target.expand(&found);
    // A constant name was checked when the rule was.
    if target.constant().is_none() && !is_label_name(&name) {
        return None;
    }
    Some((name, replacement.expand(&found)))
}

fn map_names<'a>(draft: &mut LabelDraft<'a>, pattern: &Pattern, replacement: &'a Template) -> Verdict {
    let mut mapped: Vec<(Cow<'a, str>, Label<'a>)> = Vec::new();
    for (name, value) in draft.iter_mut() {
        let Some(found) = pattern.find(name) else { continue };
        let new = replacement.expand(&found);
        if is_label_name(&new) {
            mapped.push((name.clone(), (Cow::Owned(new.into_owned()), value.clone())));
        }
    }
    // Where several names become one the last wins, so the order may not depend on how the labels arrived.
    mapped.sort_by(|(one, _), (other, _)| one.cmp(other));
    mapped
        .into_iter()
        .fold(Verdict::Unchanged, |verdict, (_, (name, value))| {
            match put(draft, name, value) {
                Verdict::Unchanged => verdict,
                changed => changed,
            }
        })
}

fn retain(draft: &mut LabelDraft<'_>, keep: impl Fn(&str) -> bool) -> Verdict {
    let before = draft.len();
    draft.retain(|name, _| keep(name));
    if draft.len() == before {
        Verdict::Unchanged
    } else {
        Verdict::Changed
    }
}

/// The last eight bytes of the MD5 sum, the first being the most significant.
#[expect(
    clippy::big_endian_bytes,
    reason = "the order in which Prometheus reads the sum"
)]
fn hash(value: &str) -> u64 {
    let sum = Md5::digest(value.as_bytes());
    let (_, tail) = sum.as_slice().split_last_chunk::<8>().unwrap_or((&[], &[0; 8]));
    u64::from_be_bytes(*tail)
}

/// Unicode's simple mapping, one character for one, as Go has it.
fn lower(char: char) -> char {
    let mut mapped = char.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ if char == 'İ' => 'i',
        _ => char,
    }
}

/// As [`lower`]; the Greek letters with an iota below have their capitals eight or nine places on.
fn upper(char: char) -> char {
    let mut mapped = char.to_uppercase();
    if let (Some(single), None) = (mapped.next(), mapped.next()) {
        return single;
    }
    let ahead = match char {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(char) + ahead).unwrap_or(char)
}
