//! Step 6: Prometheus' relabelling, all actions, with its semantics to the letter.
//!
//! Regular expressions are RE2's, anchored at both ends, and `.` takes line breaks too (as in Prometheus 3). A rule
//! that would make a label of a name outside the classic scheme does nothing, as Prometheus' `replace` does; here
//! that holds for `labelmap` as well, since remote-write 1.0 has no way to send such a name.

mod parse;
mod rule;
mod template;
#[cfg(test)]
mod tests;

pub use parse::RuleKey;

use crate::model::LabelDraft;

use super::{RuleConfig, RuleError, finish};

use rule::Rule;
pub(super) use rule::Verdict;

/// A list of relabel rules, checked and compiled; for `relabel_configs` and for `write_relabel_configs`.
#[derive(Clone, Debug, Default)]
pub struct Relabelling {
    rules: Vec<Rule>,
}

impl Relabelling {
    /// Checks and compiles the rules.
    ///
    /// # Errors
    /// Every mistake in every rule at once; [`super::RuleField::Relabel`] says which rule and which key.
    pub fn try_new(configs: &[RuleConfig]) -> Result<Self, Vec<RuleError>> {
        let mut rules = Vec::with_capacity(configs.len());
        let mut errors = Vec::new();
        for (index, config) in configs.iter().enumerate() {
            match parse::rule(index, config) {
                Ok(rule) => rules.push(rule),
                Err(mistakes) => errors.extend(mistakes),
            }
        }
        if errors.is_empty() {
            Ok(Self { rules })
        } else {
            Err(errors)
        }
    }

    /// Whether there is no rule, so that [`Relabelling::apply`] need not be called.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Runs the rules over `draft`, whose names must be unique, and takes out the reserved labels (`__*` but the
    /// metric's name, type and unit) that rules leave behind. `None` when a rule dropped it.
    #[must_use]
    pub fn apply<'a>(&'a self, mut draft: LabelDraft<'a>) -> Option<LabelDraft<'a>> {
        match self.run(&mut draft) {
            Verdict::Dropped => None,
            Verdict::Unchanged | Verdict::Changed => {
                finish::remove_reserved(&mut draft);
                Some(draft)
            }
        }
    }

    /// Runs the rules and leaves reserved labels alone.
    pub(super) fn run<'a>(&'a self, draft: &mut LabelDraft<'a>) -> Verdict {
        let mut verdict = Verdict::Unchanged;
        for rule in &self.rules {
            match rule.apply(draft) {
                Verdict::Unchanged => {}
                Verdict::Changed => verdict = Verdict::Changed,
                Verdict::Dropped => return Verdict::Dropped,
            }
        }
        verdict
    }
}
