//! Walking over the bytes of a body, and knowing the place for an error.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr2, memchr3};

use super::exposition::TextError;

/// Which bytes a name may have behind its first: a table, since half of a body is names.
pub(super) struct NameBytes([bool; 256]);

impl NameBytes {
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated when compiled, where a panic is an error"
    )]
    const fn with(also: u8) -> Self {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == also;
            byte += 1;
        }
        Self(table)
    }

    fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)) == Some(&true)
    }
}

/// Those of label names.
pub(super) static LABEL: NameBytes = NameBytes::with(b'_');

/// Those of metric names.
pub(super) static METRIC: NameBytes = NameBytes::with(b':');

/// What stands in quotes.
#[derive(Clone, Copy)]
pub(super) enum Quoted<'n> {
    /// A name.
    Name,
    /// The value of the label of this name.
    ValueOf(&'n str),
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a quoted name"),
            Self::ValueOf(label) => write!(f, "the value of label {label:?}"),
        }
    }
}

/// A name, and how it is written.
pub(super) enum Name<'a> {
    /// Plainly, so that it is classic; or not at all, and empty.
    Plain(&'a str),
    /// In quotes, at least its end.
    Quoted(Cow<'a, str>),
}

impl Name<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Plain(name) => name,
            Self::Quoted(name) => name,
        }
    }
}

pub(super) struct Cursor<'a> {
    body: &'a [u8],
    /// The body up to its first byte that is no UTF-8: checked in one go, which is much faster than piece by piece.
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        let text = match std::str::from_utf8(body) {
            Ok(text) => text,
            Err(error) => {
                let valid = body.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        Self { body, text, at: 0 }
    }

    /// The body from `start` to where the cursor is, if that is UTF-8.
    fn text_since(&self, start: usize) -> Option<&'a str> {
        self.text
            .get(start..self.at)
            .or_else(|| std::str::from_utf8(self.body.get(start..self.at)?).ok())
    }

    fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    pub(super) const fn skip(&mut self, count: usize) {
        self.at += count;
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let taken = self.rest().get(..count).unwrap_or_else(|| self.rest());
        self.at += taken.len();
        taken
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self
            .rest()
            .iter()
            .position(|byte| !keep(*byte))
            .unwrap_or_else(|| self.rest().len());
        self.take(count)
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Whether nothing has been read of the line; blanks before the end of the body count as nothing.
    pub(super) fn at_line_start(&self) -> bool {
        let read = self.body.get(..self.at).unwrap_or_default();
        read.iter()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t'))
            .is_none_or(|byte| *byte == b'\n')
    }

    /// The bytes up to the next blank or line feed.
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n'))
    }

    /// The longest run of bytes that a name may have; empty when the first may not begin one.
    pub(super) fn name(&mut self, bytes: &NameBytes) -> &'a str {
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return "";
        }
        let start = self.at;
        self.take_while(|byte| bytes.has(byte));
        self.text_since(start).unwrap_or_default()
    }

    /// A name that is written plainly, in quotes, or with its end in quotes, as prometheus/common reads it.
    pub(super) fn any_name(&mut self, bytes: &NameBytes) -> Result<Name<'a>, TextError> {
        let plain = self.name(bytes);
        if self.peek() != Some(b'"') {
            return Ok(Name::Plain(plain));
        }
        self.skip(1);
        let quoted = self.quoted(Quoted::Name)?;
        Ok(Name::Quoted(if plain.is_empty() {
            quoted
        } else {
            Cow::Owned(format!("{plain}{quoted}"))
        }))
    }

    pub(super) fn rest_of_line(&mut self) -> &'a [u8] {
        let count = memchr(b'\n', self.rest()).unwrap_or_else(|| self.rest().len());
        self.take(count)
    }

    pub(super) fn skip_line(&mut self) -> Result<(), TextError> {
        self.rest_of_line();
        self.end_line()
    }

    /// Takes the line feed that has to come now.
    pub(super) fn end_line(&mut self) -> Result<(), TextError> {
        match self.peek() {
            Some(b'\n') => {
                self.skip(1);
                Ok(())
            }
            _ => Err(self.error("unexpected end of input stream: the last line has no line feed")),
        }
    }

    /// What stands behind an opening quote, up to and with the closing one.
    pub(super) fn quoted(&mut self, what: Quoted<'_>) -> Result<Cow<'a, str>, TextError> {
        let start = self.at;
        let mut copied: Option<Vec<u8>> = None;
        loop {
            let Some(stop) = memchr3(b'"', b'\\', b'\n', self.rest()) else {
                self.at = self.body.len();
                return Err(self.error(format!("unexpected end of input stream in {what}")));
            };
            let plain = self.take(stop);
            if let Some(copied) = &mut copied {
                copied.extend_from_slice(plain);
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let before = self.body.get(start..self.at).unwrap_or_default();
                    let byte = self.escape()?;
                    copied.get_or_insert_with(|| before.to_vec()).push(byte);
                }
                _ => {
                    return Err(self.error(format!("{what} contains an unescaped line feed")));
                }
            }
        }
        let text = match copied {
            Some(copied) => String::from_utf8(copied).ok().map(Cow::Owned),
            None => self.text_since(start).map(Cow::Borrowed),
        };
        let text = text.ok_or_else(|| self.error(format!("invalid UTF-8 in {what}")))?;
        self.skip(1);
        Ok(text)
    }

    /// The rest of a HELP line, unescaped. Bytes that are no UTF-8 are replaced, as help is for reading only.
    pub(super) fn help(&mut self) -> Result<Cow<'a, str>, TextError> {
        let start = self.at;
        let mut copied: Option<Vec<u8>> = None;
        while let Some(stop) = memchr2(b'\\', b'\n', self.rest()) {
            let plain = self.take(stop);
            if let Some(copied) = &mut copied {
                copied.extend_from_slice(plain);
            }
            if self.peek() == Some(b'\n') {
                let whole = self.body.get(start..self.at).unwrap_or_default();
                return Ok(match copied {
                    Some(copied) => Cow::Owned(String::from_utf8_lossy(&copied).into_owned()),
                    None => String::from_utf8_lossy(whole),
                });
            }
            let before = self.body.get(start..self.at).unwrap_or_default();
            let byte = self.escape()?;
            copied.get_or_insert_with(|| before.to_vec()).push(byte);
        }
        self.at = self.body.len();
        Err(self.error("unexpected end of input stream: the last line has no line feed"))
    }

    /// The byte that an escape sequence stands for.
    fn escape(&mut self) -> Result<u8, TextError> {
        self.skip(1);
        let byte = match self.peek() {
            Some(b'n') => b'\n',
            Some(b'\\') => b'\\',
            Some(b'"') => b'"',
            other => {
                let shown = other.map_or(String::new(), |byte| {
                    char::from(byte).escape_default().to_string()
                });
                return Err(self.error(format!("invalid escape sequence '\\{shown}'")));
            }
        };
        self.skip(1);
        Ok(byte)
    }

    /// An error at the byte that would be read next.
    pub(super) fn error(&self, problem: impl Into<String>) -> TextError {
        let read = self.body.get(..self.at.min(self.body.len())).unwrap_or_default();
        let line_start = read
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let line = 1 + memchr::memchr_iter(b'\n', read).count();
        TextError {
            line,
            column: read.len() - line_start + 1,
            problem: problem.into(),
        }
    }
}
