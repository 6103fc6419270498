//! Which names metrics and labels may have, and the spelling of others where only classic ones fit.

use std::borrow::Cow;
use std::fmt;

use super::{is_label_name, is_metric_name};

/// What a name begins with that is spelled with escapes (Prometheus, "UTF-8 escaping schemes": values).
const ESCAPED: &str = "U__";

/// Most hex digits of an escaped character: those of the last one that Unicode has.
const MAX_DIGITS: usize = 6;

/// Which names metrics and labels may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameScheme {
    /// Letters, digits and `_`, in a metric's name also `:`; no digit first.
    #[default]
    Classic,
    /// Any UTF-8 text that is not empty.
    Utf8,
}

impl NameScheme {
    /// Whether a metric may have this name.
    #[must_use]
    pub fn allows_metric(self, name: &str) -> bool {
        match self {
            Self::Classic => is_metric_name(name),
            Self::Utf8 => !name.is_empty(),
        }
    }

    /// Whether a label may have this name.
    #[must_use]
    pub fn allows_label(self, name: &str) -> bool {
        match self {
            Self::Classic => is_label_name(name),
            Self::Utf8 => !name.is_empty(),
        }
    }

    /// The rule for names of metrics, for people.
    #[must_use]
    pub const fn metric_rule(self) -> &'static str {
        match self {
            Self::Classic => "it matches [a-zA-Z_:][a-zA-Z0-9_:]*",
            Self::Utf8 => {
                "it is not empty, and in text stands in quotes unless it matches [a-zA-Z_:][a-zA-Z0-9_:]*"
            }
        }
    }
}

/// The name that `U__` and escapes stand for: `U__a_2e_b` for `a.b`, `__` for a `_`. `None` when `text` is no such
/// spelling, and so a name as it stands.
#[must_use]
pub fn unescape_name(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix(ESCAPED)?;
    let mut name = String::with_capacity(rest.len());
    while let Some((plain, escaped)) = rest.split_once('_') {
        name.push_str(plain);
        let (digits, behind) = escaped.split_once('_')?;
        name.push(if digits.is_empty() {
            '_'
        } else {
            character(digits)?
        });
        rest = behind;
    }
    name.push_str(rest);
    Some(name)
}

/// `name` spelled with `U__` and escapes where it is not classic, or could be taken for such a spelling.
#[must_use]
pub fn escape_name(name: &str) -> Cow<'_, str> {
    if is_label_name(name) && !name.starts_with(ESCAPED) {
        return Cow::Borrowed(name);
    }
    let mut escaped = ESCAPED.to_owned();
    for char in name.chars() {
        match char {
            '_' => escaped.push_str("__"),
            plain if plain.is_ascii_alphanumeric() => escaped.push(plain),
            other => escaped.push_str(&format!("_{:x}_", u32::from(other))),
        }
    }
    Cow::Owned(escaped)
}

fn character(digits: &str) -> Option<char> {
    // a sign is fine for the standard library, not here
    let is_number = digits.len() <= MAX_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| is_number)
        .and_then(char::from_u32)
}

/// A label's name as PromQL writes it: quoted when it is not classic.
#[derive(Clone, Copy, Debug)]
pub struct ShownName<'a>(pub &'a str);

impl fmt::Display for ShownName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_label_name(self.0) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Prometheus' clients escape label names.
    fn escape(name: &str) -> String {
        let escaped = |(place, char): (usize, char)| match char {
            '_' => "__".to_owned(),
            'a'..='z' | 'A'..='Z' | ':' => char.to_string(),
            '0'..='9' if place > 0 => char.to_string(),
            other => format!("_{:x}_", u32::from(other)),
        };
        format!(
            "{ESCAPED}{}",
            name.char_indices().map(escaped).collect::<String>()
        )
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(unescape_name(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn h49_escaped_names_are_read() {
        check("U__label_2e_name2", Some("label.name2"));
        check("U__dotted_2E_label_2e_name", Some("dotted.label.name"));
        check("U__a__b", Some("a_b"));
        check("U___20__1F600_", Some(" \u{1f600}"));
        check("U__", Some(""));
        check("U__plain", Some("plain"));
        check("U__größe", Some("größe"));
        check("U____a", Some("_a"));
    }

    #[test]
    fn what_is_no_escaped_name_is_a_name_itself() {
        for text in [
            "",
            "a",
            "U_",
            "u__a_2e_b",
            "U__a_",
            "U__a_2e",
            "U__a_2g_",
            "U__a_+2_",
            "U__a_d800_",
            "U__a_110000_",
            "U__a_0000041_",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn names_are_judged_by_the_scheme() {
        for (name, classic, utf8) in [("a", true, true), ("a.b", false, true), ("", false, false)] {
            assert_eq!(NameScheme::Classic.allows_metric(name), classic, "{name}");
            assert_eq!(NameScheme::Classic.allows_label(name), classic, "{name}");
            assert_eq!(NameScheme::Utf8.allows_metric(name), utf8, "{name}");
            assert_eq!(NameScheme::Utf8.allows_label(name), utf8, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_and_unescaped_comes_back(name in any::<String>()) {
            prop_assert_eq!(unescape_name(&escape(&name)), Some(name));
        }
    }
}
