//! What is written and not yet handed on, and how names, labels and numbers are written in both text formats.

use std::io;

use super::Escaping;
use crate::codec::number::put_shortest;
use crate::model::is_metric_name;

/// Handed on when it has got so long: few calls, little memory.
const FULL: usize = 16 << 10;

/// What is written and not yet handed on.
pub(super) struct Page<'o> {
    pub(super) bytes: Vec<u8>,
    pub(super) escaping: Escaping,
    out: &'o mut dyn io::Write,
}

impl<'o> Page<'o> {
    pub(super) fn new(escaping: Escaping, out: &'o mut dyn io::Write) -> Self {
        Self {
            bytes: Vec::with_capacity(2 * FULL),
            escaping,
            out,
        }
    }

    /// Hands on what is written, once it is worth it.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        if self.bytes.len() >= FULL {
            self.out.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    /// Hands on the rest.
    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.bytes)
    }
}

/// How a line of a metric begins: the name, with a place for a suffix, and its labels.
pub(super) struct Opening {
    is_quoted: bool,
    name: Vec<u8>,
    labels: Vec<u8>,
}

impl Opening {
    /// The opening of the lines of a family, which has been escaped.
    pub(super) fn new(name: &str) -> Self {
        let mut opening = Self {
            is_quoted: !is_metric_name(name),
            name: Vec::new(),
            labels: Vec::new(),
        };
        if opening.is_quoted {
            put_escaped(&mut opening.name, name, Quotes::Escaped);
        } else {
            opening.name.extend_from_slice(name.as_bytes());
        }
        opening
    }

    /// Takes up the labels of the next metric.
    pub(super) fn set_labels(&mut self, labels: &[(&str, &str)], escaping: Escaping) {
        self.labels.clear();
        for (at, (name, value)) in labels.iter().enumerate() {
            if at > 0 {
                self.labels.push(b',');
            }
            put_name(&mut self.labels, &escaping.apply(name));
            self.labels.extend_from_slice(b"=\"");
            put_escaped(&mut self.labels, value, Quotes::Escaped);
            self.labels.push(b'"');
        }
    }

    /// Begins a line, up to the blank before the value.
    pub(super) fn begin(&self, bytes: &mut Vec<u8>, suffix: &str, bound: Option<(&str, f64)>) {
        if self.is_quoted {
            bytes.extend_from_slice(b"{\"");
        }
        bytes.extend_from_slice(&self.name);
        bytes.extend_from_slice(suffix.as_bytes());
        if self.is_quoted {
            bytes.push(b'"');
        }
        let mut separator = if self.is_quoted { b',' } else { b'{' };
        if !self.labels.is_empty() {
            bytes.push(separator);
            separator = b',';
            bytes.extend_from_slice(&self.labels);
        }
        if let Some((name, bound)) = bound {
            bytes.push(separator);
            separator = b',';
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b"=\"");
            put_float(bytes, bound);
            bytes.push(b'"');
        }
        if separator == b',' {
            bytes.push(b'}');
        }
        bytes.push(b' ');
    }

    /// Writes the labels alone.
    pub(super) fn put_labels(&self, bytes: &mut Vec<u8>) {
        bytes.push(b'{');
        bytes.extend_from_slice(&self.labels);
        bytes.push(b'}');
    }
}

/// Writes `# HELP` or `# TYPE`, the name, and a blank.
pub(super) fn put_comment(bytes: &mut Vec<u8>, keyword: &str, name: &str) {
    bytes.extend_from_slice(b"# ");
    bytes.extend_from_slice(keyword.as_bytes());
    bytes.push(b' ');
    put_name(bytes, name);
    bytes.push(b' ');
}

/// What becomes of quotes in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Escaped,
    Plain,
}

/// Writes a text with `\`, the line feed, and perhaps `"` escaped.
pub(super) fn put_escaped(bytes: &mut Vec<u8>, text: &str, quotes: Quotes) {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr3(b'\\', b'\n', b'"', rest) {
        let (plain, special) = rest.split_at(at);
        bytes.extend_from_slice(plain);
        if let Some((byte, after)) = special.split_first() {
            match byte {
                b'\n' => bytes.extend_from_slice(b"\\n"),
                b'"' if quotes == Quotes::Plain => bytes.push(b'"'),
                byte => bytes.extend_from_slice(&[b'\\', *byte]),
            }
            rest = after;
        }
    }
    bytes.extend_from_slice(rest);
}

/// Writes a name, in quotes unless it is classic.
fn put_name(bytes: &mut Vec<u8>, name: &str) {
    if is_metric_name(name) {
        bytes.extend_from_slice(name.as_bytes());
    } else {
        bytes.push(b'"');
        put_escaped(bytes, name, Quotes::Escaped);
        bytes.push(b'"');
    }
}

/// Writes a number as text 0.0.4 has it.
pub(super) fn put_float(bytes: &mut Vec<u8>, value: f64) {
    // a negative zero too
    if value == 0.0 {
        bytes.push(b'0');
    } else {
        put_shortest(bytes, value);
    }
}
