//! The grouping labels of a push, prepared once for all its samples.

use std::borrow::Cow;

use crate::model::{GroupKey, LabelDraft};

use super::{Effects, Rules, value};

/// The labels that a group's key adds to each sample, under their canonical names.
///
/// A grouping label hides the body's label of the name it came with and of its canonical name, also when its value is
/// empty: at a Pushgateway that is how a pusher says that there is no such label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    labels: Vec<GroupLabel>,
    /// Names that hide a body's label without giving one: empty labels, and aliases that were renamed.
    hidden: Vec<String>,
    effects: Effects,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupLabel {
    name: String,
    value: String,
    /// Whether it came under an alias; then a body's label of its name may disagree without the pusher knowing.
    renamed: bool,
}

impl Grouping {
    pub(super) fn new(rules: &Rules, key: &GroupKey) -> Self {
        let mut effects = Effects::default();
        let mut draft: LabelDraft = key.iter().collect();
        if rules.plus_as_space {
            restore_blanks(&mut draft, &mut effects);
        }
        rules.trim(&mut draft, &mut effects);
        let mut draft = draft.into_set().into_draft();
        rules.aliases.apply(&mut draft, &mut effects);
        // Aliases that stay are met again, and counted then, with each sample.
        effects.alias_conflicts = 0;
        let pushed = |name: &str| key.iter().any(|(pushed, _)| pushed == name);
        let labels: Vec<GroupLabel> = draft
            .iter()
            .map(|(name, value)| GroupLabel {
                name: name.to_owned(),
                value: value.to_owned(),
                renamed: !pushed(name),
            })
            .collect();
        let hidden = key
            .iter()
            .map(|(name, _)| name)
            .filter(|name| labels.iter().all(|label| label.name != *name));
        Self {
            hidden: hidden.map(str::to_owned).collect(),
            labels,
            effects,
        }
    }

    /// Puts the grouping labels into a sample's draft and takes out what they hide.
    pub(super) fn join<'a>(&'a self, draft: &mut LabelDraft<'a>, effects: &mut Effects) {
        *effects += self.effects;
        draft.retain(|name, value| {
            if let Some(label) = self.labels.iter().find(|label| label.name == name) {
                let conflict = label.renamed && !value.is_empty() && !value::agree(name, &label.value, value);
                effects.alias_conflicts += u64::from(conflict);
                return false;
            }
            !self.hidden.iter().any(|hidden| hidden == name)
        });
        for label in &self.labels {
            draft.push(label.name.as_str(), label.value.as_str());
        }
    }
}

/// Flink's client form-encodes what belongs into a path, so its blanks arrive as `+` (and its `+` as `%2B`).
fn restore_blanks(draft: &mut LabelDraft<'_>, effects: &mut Effects) {
    for (_, value) in draft.iter_mut() {
        if value.contains('+') {
            *value = Cow::Owned(value.replace('+', " "));
            effects.values_trimmed += 1;
        }
    }
}
