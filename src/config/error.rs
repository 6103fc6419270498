//! What can be wrong with a configuration, said so that nobody needs the source to put it right.

use std::fmt;

use thiserror::Error;

/// Where something stands in the file; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One mistake in a configuration.
///
/// Displayed without its position, which the caller puts behind the name of the file
/// (`flinkbridge.yml:12:5: queue.max_bytes: "8 gigs" is no size: write it as 8GiB`). Never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// Where in the file; `None` for what came from a flag.
    pub position: Option<Position>,
    /// The key's path (`remote_write[0].basic_auth.password`), the flag (`--http.listen`), or `the file`.
    pub path: String,
    /// What is wrong and how to put it right.
    pub problem: Problem,
}

/// What is wrong with a key or its value, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The text is no YAML, or uses a part of YAML that has no place here; `0` is the parser's word for it.
    #[error("cannot be read as YAML: {0}")]
    Syntax(String),
    /// Nobody reads this key.
    #[error("unknown key: {way_out}")]
    UnknownKey {
        /// The key that was meant, or all keys that may stand there.
        way_out: String,
    },
    /// The key stands twice in its block.
    #[error("is given twice (first in line {first_line}): remove one of the two")]
    Duplicate {
        /// Where it stands first.
        first_line: usize,
    },
    /// The key has to be there.
    #[error("is missing: {way_out}")]
    Missing {
        /// What to add.
        way_out: String,
    },
    /// A list where a text belongs, and the like.
    #[error("is {found}: {way_out}")]
    WrongShape {
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        way_out: String,
    },
    /// The value breaks a rule.
    #[error("{value} {rule}: {way_out}")]
    BadValue {
        /// The value as typed, in quotes, or `the value` where it is a secret.
        value: String,
        /// The rule it breaks, as the rest of a sentence (`is no size`).
        rule: String,
        /// What to write instead.
        way_out: String,
    },
    /// A relabelling rule that cannot be compiled; the sentence says which rule it breaks and the way out.
    #[error("{0}")]
    Rule(String),
    /// What the value names, such as a certificate, cannot be used; the sentence says why.
    #[error("{0}")]
    Unusable(String),
    /// `${NAME}` names a variable that is not set.
    #[error("environment variable {0} is not set: set it, or give a default as ${{{0}:-default}}")]
    UnsetVariable(String),
    /// The contract knows the key, this version does not.
    #[error("is not supported yet by this version: {0}")]
    NotYet(&'static str),
}

/// Something that is allowed but looks like an oversight, or has no effect here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where in the file; `None` where it is about the whole.
    pub position: Option<Position>,
    /// The key's path.
    pub path: String,
    /// What to know about it.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.text)
    }
}

/// The rule a value breaks and the way out; whoever reads the value knows where it stands and whether to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: String,
    pub(super) way_out: String,
}

impl Fault {
    pub(super) fn new(rule: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            way_out: way_out.into(),
        }
    }

    /// The problem of a value that may be shown.
    pub(super) fn of(self, value: &str) -> Problem {
        Problem::BadValue {
            value: format!("{value:?}"),
            rule: self.rule,
            way_out: self.way_out,
        }
    }

    /// The problem of a value that may not.
    pub(super) fn of_secret(self) -> Problem {
        Problem::BadValue {
            value: "the value".to_owned(),
            rule: self.rule,
            way_out: self.way_out,
        }
    }
}
