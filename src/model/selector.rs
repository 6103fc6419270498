//! What selects series: a selector as PromQL writes it, `up{job="a",instance=~"b.*"}`.
//!
//! The syntax is that of Prometheus 3: names may be quoted, `{"metric.name","label.name"="v"}`; strings stand in
//! double quotes, single quotes or backticks, with Go's escapes; regular expressions are RE2's and match the whole
//! value; a label that is not there is empty. A selector that would take everything there is, such as `{}`, is refused,
//! as Prometheus refuses it.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use super::{METRIC_NAME, Pattern};

/// Selects series by their labels: all of its matchers have to match.
#[derive(Clone, Debug)]
pub struct Selector {
    matchers: Vec<Matcher>,
}

/// What one label has to be.
#[derive(Clone, Debug)]
struct Matcher {
    name: String,
    test: Test,
    /// The value or the regular expression as it was written.
    value: String,
}

#[derive(Clone, Debug)]
enum Test {
    Equal,
    NotEqual,
    Like(Pattern),
    NotLike(Pattern),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Something else stands where this was expected.
    #[error("selector {text:?}, character {at}: expected {expected}, found {found}")]
    Syntax {
        /// The selector.
        text: String,
        /// Where, in characters from 1.
        at: usize,
        /// What could stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A regular expression does not compile.
    #[error("selector {text:?}, character {at}: the regular expression {regex:?} does not compile: {cause}")]
    Regex {
        /// The selector.
        text: String,
        /// Where the expression begins, in characters from 1.
        at: usize,
        /// The expression.
        regex: String,
        /// Why not.
        cause: String,
    },
    /// The name of the metric is said twice.
    #[error(
        "selector {text:?}: the name of the metric is given twice, as {first:?} and {second:?}: write it once"
    )]
    TwoNames {
        /// The selector.
        text: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// It would take everything.
    #[error(
        "selector {text:?} would select everything: at least one matcher has to ask for a value that is not empty, as {{job=\"a\"}} or {{job=~\".+\"}} does"
    )]
    Everything {
        /// The selector.
        text: String,
    },
    /// It is longer than anybody writes.
    #[error("a selector of {len} bytes is too long: at most {limit}")]
    TooLong {
        /// Its length.
        len: usize,
        /// The longest that is read.
        limit: usize,
    },
}

impl Selector {
    /// Whether a series is selected. `value_of` gives the value of a label, empty for one that is not there; the name
    /// of the metric is that of `__name__`.
    pub fn selects<'a>(&self, value_of: impl Fn(&str) -> &'a str) -> bool {
        self.matchers
            .iter()
            .all(|matcher| matcher.matches(value_of(&matcher.name)))
    }
}

impl Matcher {
    fn matches(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal => value == self.value,
            Test::NotEqual => value != self.value,
            Test::Like(pattern) => pattern.matches(value),
            Test::NotLike(pattern) => !pattern.matches(value),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let matchers = parse::matchers(text)?;
        if matchers.iter().all(|matcher| matcher.matches("")) {
            let text = text.to_owned();
            return Err(SelectorError::Everything { text });
        }
        Ok(Self { matchers })
    }
}

/// As PromQL writes it, the metric's name among the others: `{__name__="up",job="a"}`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, matcher) in self.matchers.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let sign = match matcher.test {
                Test::Equal => "=",
                Test::NotEqual => "!=",
                Test::Like(_) => "=~",
                Test::NotLike(_) => "!~",
            };
            if super::is_label_name(&matcher.name) {
                write!(f, "{comma}{}{sign}", matcher.name)?;
            } else {
                write!(f, "{comma}{}{sign}", parse::Quoted(&matcher.name))?;
            }
            write!(f, "{}", parse::Quoted(&matcher.value))?;
        }
        f.write_str("}")
    }
}

/// The matcher that a metric's name stands for.
fn of_name(name: String) -> Matcher {
    Matcher {
        name: METRIC_NAME.to_owned(),
        test: Test::Equal,
        value: name,
    }
}
