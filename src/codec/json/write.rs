//! JSON as Go's `encoding/json` writes it.

use std::io::{self, Write};

use crate::model::UnixMillis;

/// Writes a string, in quotes. What HTML or JavaScript could take for something else is escaped.
///
/// # Errors
/// Those of `out`.
pub fn put_string(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.write_all(plain.as_bytes())?;
        let mut chars = special.chars();
        if let Some(char) = chars.next() {
            put_escape(out, char)?;
        }
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\"")
}

/// Writes an object whose values are strings.
pub(super) fn put_strings<'a>(
    out: &mut impl Write,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> io::Result<()> {
    out.write_all(b"{")?;
    for (at, (name, value)) in pairs.enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        put_string(out, name)?;
        out.write_all(b":")?;
        put_string(out, value)?;
    }
    out.write_all(b"}")
}

/// A time as Go's `time.RFC3339Nano` has it: with as much of a fraction as there is.
pub fn rfc3339(at: UnixMillis) -> String {
    let text = at.to_string();
    let seconds = text
        .trim_end_matches('Z')
        .trim_end_matches('0')
        .trim_end_matches('.');
    format!("{seconds}Z")
}

const fn is_special(char: char) -> bool {
    matches!(
        char,
        '\0'..='\x1f' | '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}'
    )
}

fn put_escape(out: &mut impl Write, char: char) -> io::Result<()> {
    match char {
        '"' => out.write_all(b"\\\""),
        '\\' => out.write_all(b"\\\\"),
        '\n' => out.write_all(b"\\n"),
        '\r' => out.write_all(b"\\r"),
        '\t' => out.write_all(b"\\t"),
        '\x08' => out.write_all(b"\\b"),
        '\x0c' => out.write_all(b"\\f"),
        char => write!(out, "\\u{:04x}", u32::from(char)),
    }
}
