//! Mistakes in label rules, each with a place that the configuration can turn into a line number.

use std::fmt;

use super::relabel::RuleKey;

/// One mistake: where it is and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RuleError {
    /// Where.
    pub field: RuleField,
    /// What is wrong, and the way out.
    pub problem: Problem,
}

/// The place of a mistake within [`super::RulesConfig`] or a list of relabel rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleField {
    /// A row of `aliases`, by its canonical name.
    Canonical(String),
    /// One alias in the row of a canonical name.
    Alias {
        /// The row.
        canonical: String,
        /// The alias as typed.
        alias: String,
    },
    /// `default_job`.
    DefaultJob,
    /// One of `external_labels`, by its name.
    ExternalLabel(String),
    /// A relabel rule, by its index from zero, and the key in it.
    Relabel {
        /// Which rule.
        index: usize,
        /// Which of its keys.
        key: RuleKey,
    },
}

impl fmt::Display for RuleField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(canonical) => write!(f, "aliases.{canonical}"),
            Self::Alias { canonical, alias } => write!(f, "aliases.{canonical}: {alias}"),
            Self::DefaultJob => f.write_str("default_job"),
            Self::ExternalLabel(name) => write!(f, "external_labels.{name}"),
            Self::Relabel { index, key } => write!(f, "relabel rule [{index}].{key}"),
        }
    }
}

/// What is wrong: the value, the rule it breaks, the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A name that no label can have.
    #[error("{0:?} is no label name: use letters, digits and _, not beginning with a digit")]
    BadName(String),
    /// A name that is removed at the end.
    #[error("{0:?} begins with __, which is reserved and removed before sending: choose another name")]
    ReservedName(String),
    /// The same name twice.
    #[error("{0:?} is listed twice: keep one of them")]
    Duplicate(String),
    /// An alias that is canonical itself.
    #[error("{0:?} is a canonical name as well: a name is either canonical or an alias")]
    AliasIsCanonical(String),
    /// A name that a later step makes or takes away, so that a second pass would change the outcome of the first.
    #[error(
        "{name:?} is written by {step} itself and cannot stand here: switch {step} off, or use relabel_configs"
    )]
    MadeHere {
        /// The name.
        name: String,
        /// The key of the step that writes it.
        step: &'static str,
    },
    /// A `default_job` that would be rewritten itself.
    #[error("{0:?} cannot be a job's name: it is empty, has blanks around it, or ends in 32 hex digits")]
    BadDefaultJob(String),
    /// An external label that the steps before would have changed.
    #[error("{value:?} does not stay as it is, normalisation makes {becomes} of it: write that instead")]
    NotNormal {
        /// What was typed.
        value: String,
        /// What becomes of it.
        becomes: String,
    },
    /// No such relabel action.
    #[error(
        "{0:?} is no relabel action: use replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, \
         labelkeep, lowercase or uppercase"
    )]
    UnknownAction(String),
    /// The action cannot do without this key.
    #[error("action {action} needs {needs}: add it")]
    Missing {
        /// The action.
        action: &'static str,
        /// The key, and what is asked of it.
        needs: &'static str,
    },
    /// The action has no use for this key.
    #[error("action {action} takes only {takes}: remove this key")]
    NotTaken {
        /// The action.
        action: &'static str,
        /// The keys it takes.
        takes: &'static str,
    },
    /// A `target_label`, or the `replacement` of a `labelmap`, that cannot become a label name.
    #[error("{value:?} cannot become a label name: {rule}")]
    BadTarget {
        /// What was typed.
        value: String,
        /// What it may consist of.
        rule: &'static str,
    },
    /// A regular expression that does not compile.
    #[error("regular expression {regex:?} does not compile: {cause} (RE2 syntax, anchored at both ends)")]
    BadRegex {
        /// What was typed.
        regex: String,
        /// What the parser says.
        cause: String,
    },
}
