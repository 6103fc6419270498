//! Anchored regular expressions, with short cuts for those that need no engine.

use regex::{Captures, Regex};

use super::re2;

/// A regular expression that has to match the whole text.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// `.*` or `.+`, with or without parentheses around it.
    Anything { least_bytes: usize, groups: usize },
    /// A text without any special character.
    Literal(String),
    /// Everything else.
    Compiled(Regex),
}

/// A match.
#[derive(Debug)]
pub struct Found<'t>(Captured<'t>);

#[derive(Debug)]
enum Captured<'t> {
    /// All of the text; `groups` capture it.
    Whole { text: &'t str, groups: usize },
    /// What the engine captured.
    Groups(Captures<'t>),
}

impl Pattern {
    /// Compiles a pattern in RE2's syntax.
    ///
    /// # Errors
    /// A clause that says why it does not compile.
    pub fn try_new(re2: &str) -> Result<Self, String> {
        Kind::of(re2).map(Self)
    }

    /// Whether all of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Anything { least_bytes, .. } => text.len() >= *least_bytes,
            Kind::Literal(literal) => literal == text,
            Kind::Compiled(regex) => regex.is_match(text),
        }
    }

    /// The match of all of `text`, with what its groups captured.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<Found<'t>> {
        let captured = match &self.0 {
            Kind::Anything { groups, .. } => self.matches(text).then_some(Captured::Whole {
                text,
                groups: *groups,
            }),
            Kind::Literal(_) => self.matches(text).then_some(Captured::Whole { text, groups: 0 }),
            Kind::Compiled(regex) => regex.captures(text).map(Captured::Groups),
        };
        captured.map(Found)
    }
}

impl Kind {
    fn of(re2: &str) -> Result<Self, String> {
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
}

impl<'t> Found<'t> {
    /// What group `index` captured; all of the match for zero, nothing for a group that does not exist.
    #[must_use]
    pub fn group(&self, index: usize) -> &'t str {
        match &self.0 {
            Captured::Whole { text, groups } if index <= *groups => text,
            Captured::Whole { .. } => "",
            Captured::Groups(captures) => captures.get(index).map_or("", |found| found.as_str()),
        }
    }

    /// What the group of that name captured; nothing for one that does not exist.
    #[must_use]
    pub fn named(&self, name: &str) -> &'t str {
        match &self.0 {
            Captured::Whole { .. } => "",
            Captured::Groups(captures) => captures.name(name).map_or("", |found| found.as_str()),
        }
    }
}

/// The parser draws the pattern over several lines; the last one says what is wrong.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
