//! `replacement` and `target_label`: text with references to what the pattern captured, as Go's `Regexp.Expand`
//! understands them.

use std::borrow::Cow;

use crate::model::Found;

/// A text with `$1`, `${1}`, `$name`, `${name}` in it; `$$` is a dollar. A reference is the longest run of letters,
/// digits and `_`, so `$1x` is the group named `1x`; a group that does not exist is empty; a `$` that begins no
/// reference is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
    Named(String),
}

impl Template {
    pub(super) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            push_text(&mut parts, before);
            rest = if let Some(after) = after.strip_prefix('$') {
                push_text(&mut parts, "$");
                after
            } else if let Some((name, after)) = reference(after) {
                parts.push(group(name));
                after
            } else {
                push_text(&mut parts, "$");
                after
            };
        }
        push_text(&mut parts, rest);
        Self { parts }
    }

    /// The text, if it refers to nothing.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with its references filled in; borrowed where it is but one piece.
    pub(super) fn expand<'t>(&'t self, found: &Found<'t>) -> Cow<'t, str> {
        match self.parts.as_slice() {
            [] => Cow::Borrowed(""),
            [part] => Cow::Borrowed(part.fill(found)),
            parts => Cow::Owned(parts.iter().map(|part| part.fill(found)).collect()),
        }
    }
}

impl Part {
    fn fill<'t>(&'t self, found: &Found<'t>) -> &'t str {
        match self {
            Self::Text(text) => text,
            Self::Group(index) => found.group(*index),
            Self::Named(name) => found.named(name),
        }
    }
}

/// Whether a text with references can become a label name: word characters and references, no digit in front.
pub(super) fn may_become_name(text: &str) -> bool {
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let after = rest.strip_prefix(char).unwrap_or_default();
        rest = match char {
            '$' => match reference(after) {
                Some((name, after)) if name.is_ascii() => after,
                _ => return false,
            },
            '0'..='9' if rest.len() == text.len() => return false,
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => after,
            _ => return false,
        };
    }
    !text.is_empty()
}

/// Splits `name` or `{name}` off the text behind a dollar.
fn reference(text: &str) -> Option<(&str, &str)> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let (name, rest) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}')?,
        None => text.split_at_checked(text.find(|char| !is_word(char)).unwrap_or(text.len()))?,
    };
    (!name.is_empty() && name.chars().all(is_word)).then_some((name, rest))
}

/// A number is a group's index, unless it begins with a superfluous zero or is out of all bounds: then it is a name.
fn group(name: &str) -> Part {
    let numeric = name.len() <= 8
        && name.bytes().all(|byte| byte.is_ascii_digit())
        && (name == "0" || !name.starts_with('0'));
    let index = if numeric { name.parse().ok() } else { None };
    index.map_or_else(|| Part::Named(name.to_owned()), Part::Group)
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pattern;

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let pattern = Pattern::try_new(r"(?P<first>\w+)-(\w+)-(\d+)?").unwrap();

        let found = pattern.find("one-two-").unwrap();

        assert_eq!(Template::new(template).expand(&found), expected, "{template}");
    }

    #[test]
    fn references_are_read_as_go_reads_them() {
        check("$1", "one");
        check("${2}", "two");
        check("$0", "one-two-");
        check("a$2b", "a");
        check("a${2}b", "atwob");
        check("$1_x", "");
        check("${1}_x", "one_x");
        check("$first", "one");
        check("${first}", "one");
        check("$nobody", "");
        check("$3$4$99", "");
        check("$01", "");
        check("$1é", "");
        check("$$1", "$1");
        check("100$", "100$");
        check("$-", "$-");
        check("${", "${");
        check("${}", "${}");
        check("${1", "${1");
        check("${a-b}", "${a-b}");
        check("", "");
    }

    #[test]
    fn a_target_may_hold_references_and_word_characters() {
        for good in [
            "label",
            "label${1}",
            "${1}label",
            "$1",
            "asd$2asd",
            "_${1}_",
            "foo${bar}foo",
            "_1",
        ] {
            assert!(may_become_name(good), "{good}");
        }
        for bad in [
            "",
            "-label",
            "${",
            "$",
            "${}",
            "foo${",
            "-foo${1}bar-",
            "0${3}",
            "9",
            "a b",
            "größe",
        ] {
            assert!(!may_become_name(bad), "{bad}");
        }
    }
}
