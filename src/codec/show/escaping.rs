//! Names that are not classic, for those who read only classic ones.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::is_metric_name;

/// What becomes of a name that is not `[a-zA-Z_:][a-zA-Z0-9_:]*` (prometheus/common, `model.EscapingScheme`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escaping {
    /// It is written in quotes.
    AllowUtf8,
    /// Each character that is not allowed becomes `_`.
    #[default]
    Underscores,
    /// A dot becomes `_dot_`, anything else that is not allowed `__`, and so does `_`.
    Dots,
    /// It begins with `U__`, and each character that is not allowed becomes its number in hexadecimal between two `_`.
    Values,
}

impl Escaping {
    /// The scheme that the parameter `escaping` of a content type names.
    #[must_use]
    pub fn of_parameter(value: &str) -> Option<Self> {
        [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values]
            .into_iter()
            .find(|scheme| scheme.as_str() == value)
    }

    /// As the parameter `escaping` names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// The name as it is shown, of a family or a label.
    pub(super) fn apply(self, name: &str) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || is_metric_name(name) {
            return Cow::Borrowed(name);
        }
        let mut escaped = String::with_capacity(name.len() + 16);
        if self == Self::Values {
            escaped.push_str("U__");
        }
        for (at, character) in name.char_indices() {
            let is_classic = character.is_ascii_alphabetic()
                || matches!(character, '_' | ':')
                || (character.is_ascii_digit() && at > 0);
            match (self, character) {
                (Self::Dots, '.') => escaped.push_str("_dot_"),
                (Self::Dots | Self::Values, '_') => escaped.push_str("__"),
                _ if is_classic => escaped.push(character),
                (Self::Dots, _) => escaped.push_str("__"),
                (Self::Values, _) => {
                    // writing to a string cannot fail
                    let _ = write!(escaped, "_{:x}_", u32::from(character));
                }
                _ => escaped.push('_'),
            }
        }
        Cow::Owned(escaped)
    }
}
