//! Label rules: a draft of labels in, one clean label set or the reason for dropping it out.
//!
//! Everything here is pure, deterministic and idempotent: what [`Rules::apply`] gives out passes through
//! [`Rules::apply_labels`] unchanged, as long as the operator's own relabel rules have that property too. The way of
//! a label set (each step can be switched off in [`RulesConfig`], what it changed is counted in [`Effects`]):
//!
//! 0. the grouping labels come in and hide the body's labels of the same name; blanks around values go;
//! 1. aliases become canonical names;
//! 2. `job_id` becomes 32 lower-case hex digits;
//! 3. Flink's random suffix moves from `job` to `instance`;
//! 4. a YARN `tm_id` gives `container_id` and `application_id`;
//! 5. external labels are added where absent;
//! 6. `relabel_configs` run with Prometheus' exact semantics;
//! 7. reserved labels (`__*` but the metric's name) go, names are checked, limits are kept.
//!
//! Blanks go before step 1 because an alias that differs from its canonical name by a blank says nothing else.

mod alias;
mod config;
mod effects;
mod error;
mod external;
mod finish;
mod grouping;
mod identity;
mod names;
mod order;
mod process;
#[cfg(test)]
mod properties;
mod relabel;
#[cfg(test)]
mod tests;
mod value;
mod yarn;

pub use config::{LabelLimits, RuleConfig, RulesConfig};
pub use effects::Effects;
pub use error::{Problem, RuleError, RuleField};
pub use finish::Dropped;
pub use grouping::Grouping;
pub use relabel::{Relabelling, RuleKey};

use crate::model::{GroupKey, LabelDraft, LabelSet, NameScheme, Process, Sample};

use alias::Aliases;
use identity::Identity;
use process::ProcessLabels;
use relabel::Verdict;

/// The checked and compiled label rules. Sharing it between threads costs nothing; nothing in it changes.
#[derive(Clone, Debug)]
pub struct Rules {
    aliases: Aliases,
    clean_values: bool,
    plus_as_space: bool,
    identity: Option<Identity>,
    yarn: bool,
    external: Vec<(String, String)>,
    relabelling: Relabelling,
    limits: LabelLimits,
    names: NameScheme,
    process: ProcessLabels,
}

/// One step on the way, in a form that can be run, shown and stopped after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Aliases,
    JobId,
    Identity,
    Yarn,
    External,
    Relabel,
}

impl Step {
    const ALL: [Self; 6] = [
        Self::Aliases,
        Self::JobId,
        Self::Identity,
        Self::Yarn,
        Self::External,
        Self::Relabel,
    ];
    /// The steps whose outcome an external label must already have, or a second pass would change it.
    const BEFORE_EXTERNAL: [Self; 4] = [Self::Aliases, Self::JobId, Self::Identity, Self::Yarn];
}

impl Rules {
    /// Checks and compiles what the operator typed.
    ///
    /// # Errors
    /// Every mistake at once, each with its place, the value, the rule it breaks and the way out.
    pub fn try_new(config: &RulesConfig) -> Result<Self, Vec<RuleError>> {
        let mut errors = Vec::new();
        let aliases = Aliases::try_new(config, &mut errors);
        let identity = Identity::try_new(config, &mut errors);
        let relabelling = Relabelling::try_new(&config.relabel).unwrap_or_else(|mistakes| {
            errors.extend(mistakes);
            Relabelling::default()
        });
        let mut rules = Self {
            process: ProcessLabels::new(&aliases),
            aliases,
            clean_values: config.clean_values,
            plus_as_space: config.plus_as_space,
            identity,
            yarn: config.yarn,
            external: Vec::new(),
            relabelling,
            limits: config.limits.clone(),
            names: config.names,
        };
        external::check(&rules, &config.external_labels, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        rules.external = config
            .external_labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .cloned()
            .collect();
        Ok(rules)
    }

    /// Prepares the grouping labels of a push, once for all its samples: blanks, aliases, what they hide.
    #[must_use]
    pub fn grouping(&self, key: &GroupKey) -> Grouping {
        Grouping::new(self, key)
    }

    /// The clean label set of one pushed sample. `effects` grows by what was changed, also when the sample is dropped.
    ///
    /// # Errors
    /// Why the sample is not wanted; the caller counts it under [`Dropped::reason`].
    pub fn apply<'a>(
        &'a self,
        grouping: &'a Grouping,
        mut sample: LabelDraft<'a>,
        effects: &mut Effects,
    ) -> Result<LabelSet<'a>, Dropped> {
        self.trim(&mut sample, effects);
        grouping.join(&mut sample, effects);
        self.clean(sample, effects, self.names)
    }

    /// The clean label set of a series that comes without a group, which may have any names.
    ///
    /// # Errors
    /// Why the series is not wanted; the caller counts it under [`Dropped::reason`].
    pub fn apply_labels<'a>(
        &'a self,
        mut labels: LabelDraft<'a>,
        effects: &mut Effects,
    ) -> Result<LabelSet<'a>, Dropped> {
        self.trim(&mut labels, effects);
        self.clean(labels, effects, NameScheme::Utf8)
    }

    /// The process behind a body: `host` and `tm_id` (or their aliases) if all samples agree on both, values and
    /// absence alike. Otherwise, and for an empty body, the anonymous process.
    #[must_use]
    pub fn process_of(&self, samples: &[Sample<'_>]) -> Process {
        self.process.of(samples)
    }

    fn trim(&self, draft: &mut LabelDraft<'_>, effects: &mut Effects) {
        if self.clean_values {
            value::trim_all(draft, effects);
        }
    }

    fn clean<'a>(
        &'a self,
        draft: LabelDraft<'a>,
        effects: &mut Effects,
        names: NameScheme,
    ) -> Result<LabelSet<'a>, Dropped> {
        // The steps rely on unique names and on "present" meaning "not empty"; rules may see the order, too.
        let mut draft = if self.relabelling.is_empty() && order::is_clean(&draft) {
            draft
        } else {
            order::sorted(draft).into_set().into_draft()
        };
        for step in Step::ALL {
            self.run(step, &mut draft, effects)?;
        }
        finish::finish(draft, &self.limits, names)
    }

    fn run<'a>(
        &'a self,
        step: Step,
        draft: &mut LabelDraft<'a>,
        effects: &mut Effects,
    ) -> Result<(), Dropped> {
        match step {
            Step::Aliases => self.aliases.apply(draft, effects),
            Step::JobId if self.clean_values => value::clean_job_id(draft, effects),
            Step::Identity => self
                .identity
                .iter()
                .for_each(|identity| identity.apply(draft, effects)),
            Step::Yarn if self.yarn => yarn::apply(draft, effects),
            Step::External => external::apply(&self.external, draft, effects),
            Step::Relabel => match self.relabelling.run(draft) {
                Verdict::Unchanged => {}
                Verdict::Changed => effects.relabelled += 1,
                Verdict::Dropped => return Err(Dropped::Relabel),
            },
            Step::JobId | Step::Yarn => {}
        }
        Ok(())
    }
}
