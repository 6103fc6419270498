//! Anchored regular expressions, with short cuts for those that need no engine.

use regex::{Captures, Regex};

use super::re2;

/// A regular expression that has to match the whole text.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// `.*` or `.+`, with or without parentheses around it.
    Anything { least_bytes: usize, groups: usize },
    /// A text without any special character.
    Literal(String),
    /// Everything else.
    Compiled(Regex),
}

/// A match.
#[derive(Debug)]
pub(super) enum Found<'t> {
    /// All of the text; `groups` capture it.
    Whole { text: &'t str, groups: usize },
    /// What the engine captured.
    Captured(Captures<'t>),
}

impl Pattern {
    /// Compiles a pattern in RE2's syntax; the error is a clause that says why it does not compile.
    pub(super) fn try_new(re2: &str) -> Result<Self, String> {
        match re2 {
            ".*" => {
                return Ok(Self::Anything {
                    least_bytes: 0,
                    groups: 0,
                });
            }
            "(.*)" => {
                return Ok(Self::Anything {
                    least_bytes: 0,
                    groups: 1,
                });
            }
            ".+" => {
                return Ok(Self::Anything {
                    least_bytes: 1,
                    groups: 0,
                });
            }
            "(.+)" => {
                return Ok(Self::Anything {
                    least_bytes: 1,
                    groups: 1,
                });
            }
            literal if !literal.contains(|char| r"\.+*?()|[]{}^$".contains(char)) => {
                return Ok(Self::Literal(literal.to_owned()));
            }
            _ => {}
        }
        let translated = re2::translate(re2).map_err(|problem| problem.to_string())?;
        Regex::new(&format!("^(?s:{translated})$"))
            .map(Self::Compiled)
            .map_err(|error| last_line(&error))
    }

    /// Whether all of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything { least_bytes, .. } => text.len() >= *least_bytes,
            Self::Literal(literal) => literal == text,
            Self::Compiled(regex) => regex.is_match(text),
        }
    }

    /// The match of all of `text`, with what its groups captured.
    pub(super) fn find<'t>(&self, text: &'t str) -> Option<Found<'t>> {
        match self {
            Self::Anything { groups, .. } => self.matches(text).then_some(Found::Whole {
                text,
                groups: *groups,
            }),
            Self::Literal(_) => self.matches(text).then_some(Found::Whole { text, groups: 0 }),
            Self::Compiled(regex) => regex.captures(text).map(Found::Captured),
        }
    }
}

impl<'t> Found<'t> {
    /// What group `index` captured; all of the match for zero, nothing for a group that does not exist.
    pub(super) fn group(&self, index: usize) -> &'t str {
        match self {
            Self::Whole { text, groups } if index <= *groups => text,
            Self::Whole { .. } => "",
            Self::Captured(captures) => captures.get(index).map_or("", |found| found.as_str()),
        }
    }

    /// What the group of that name captured; nothing for one that does not exist.
    pub(super) fn named(&self, name: &str) -> &'t str {
        match self {
            Self::Whole { .. } => "",
            Self::Captured(captures) => captures.name(name).map_or("", |found| found.as_str()),
        }
    }
}

/// The parser draws the pattern over several lines; the last one says what is wrong.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
