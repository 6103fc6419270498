//! Step 5: labels that every series gets where it has none of the name.

use crate::model::LabelDraft;

use super::alias::bad_name;
use super::{Effects, Problem, RuleError, RuleField, Rules, Step};

/// Adds each label that `draft` lacks.
pub(super) fn apply<'a>(labels: &'a [(String, String)], draft: &mut LabelDraft<'a>, effects: &mut Effects) {
    for (name, value) in labels {
        if draft.get(name).is_none() {
            draft.push(name.as_str(), value.as_str());
            effects.external_labels += 1;
        }
    }
}

/// Checks the labels as typed. One that the steps before would change is a mistake: it would be added as typed in the
/// first pass and changed in a second one.
pub(super) fn check(rules: &Rules, labels: &[(String, String)], errors: &mut Vec<RuleError>) {
    for (at, (name, value)) in labels.iter().enumerate() {
        let twice = labels.iter().take(at).any(|(earlier, _)| earlier == name);
        let problem = bad_name(name)
            .or_else(|| twice.then(|| Problem::Duplicate(name.clone())))
            .or_else(|| not_normal(rules, name, value));
        if let Some(problem) = problem {
            errors.push(RuleError {
                field: RuleField::ExternalLabel(name.clone()),
                problem,
            });
        }
    }
}

fn not_normal(rules: &Rules, name: &str, value: &str) -> Option<Problem> {
    let typed: LabelDraft = [(name, value)].into_iter().collect();
    let mut draft = typed.clone();
    let mut effects = Effects::default();
    rules.trim(&mut draft, &mut effects);
    let mut draft = draft.into_set().into_draft();
    for step in Step::BEFORE_EXTERNAL {
        rules.run(step, &mut draft, &mut effects).ok()?;
    }
    let becomes = draft.into_set();
    (becomes != typed.into_set()).then(|| Problem::NotNormal {
        value: value.to_owned(),
        becomes: becomes.to_string(),
    })
}
