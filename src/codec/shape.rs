//! What stays the same when a push is repeated: families, types, help, and labels as they were pushed.
//!
//! Kept for every source, so that what was pushed can be shown as it was pushed. Flink's scopes make the same few label
//! sets come again for each metric, so label sets are written once and referred to: about ten bytes a series. All of
//! it is one run of bytes that is read in place; a family is found without reading the ones before it.
//!
//! ```text
//! byte   4 4 4 4   values, strings, label sets, layouts: how many of each     numbers little-endian
//!        4·n       where each string ends, then each label set, then each layout
//!        n         strings, one after the other
//!        n         label sets: string of the name, string of the value, and so on (varints), sorted by name
//!        n         layouts: for each part a byte what it is, its bound (8 bytes) if it has one, its value (varint)
//!        n         families, sorted by name: name, help (varints), type (byte), length of the metrics (varint), metrics;
//!                  a metric is label set, layout, first value (varints)
//! ```
//!
//! A *layout* says which parts a metric has and where their values are, counted from the metric's first value; a gauge
//! has one part, a histogram one for each bucket and two more. Values stand in the order in which they were pushed
//! ([`super::layer`]).

mod build;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use super::DecodeError;
use super::wire::take_varint;
use crate::model::MetricKind;

pub(super) use build::Builder;
pub use build::ShapeKey;

/// Bytes before the tables: four numbers.
const HEADER: usize = 16;

/// Families and labels of a push, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    key: ShapeKey,
    bytes: Bytes,
}

/// What of a metric a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// The value of a gauge, counter or untyped metric.
    Itself,
    /// A summary's value at this quantile.
    Quantile(f64),
    /// A histogram's count up to this bound.
    Bucket(f64),
    /// The sum of a summary or histogram.
    Sum,
    /// The count of a summary or histogram.
    Count,
    /// A histogram without bounds of its own; it stands among the extras.
    Native,
    /// A histogram's bucket up to infinity that was not pushed: it says what the count says.
    Implied,
    /// A sample that its family has no place for, such as a summary's without a quantile.
    Nothing,
}

/// One family of a shape.
#[derive(Clone, Copy, Debug)]
pub struct ShapedFamily<'a> {
    /// Its name, as in its `# TYPE` line.
    pub name: &'a str,
    /// Its help; empty when there is none.
    pub help: &'a str,
    /// Its type.
    pub kind: MetricKind,
    tables: Tables<'a>,
    metrics: &'a [u8],
}

/// One metric of a family: a label set, and where its values are.
#[derive(Clone, Copy, Debug)]
pub struct ShapedMetric<'a> {
    tables: Tables<'a>,
    set: &'a [u8],
    layout: &'a [u8],
    first_value: u32,
}

/// Strings, label sets and layouts, found by number.
#[derive(Clone, Copy, Debug, Default)]
struct Tables<'a> {
    strings: Table<'a>,
    sets: Table<'a>,
    layouts: Table<'a>,
}

/// Runs of bytes, found by number.
#[derive(Clone, Copy, Debug, Default)]
struct Table<'a> {
    ends: &'a [u8],
    content: &'a [u8],
}

impl Shape {
    /// Takes up bytes that [`Shape::bytes`] once gave away.
    ///
    /// # Errors
    /// When they do not begin as a shape does.
    pub fn from_parts(key: ShapeKey, bytes: Bytes) -> Result<Self, DecodeError> {
        let shape = Self { key, bytes };
        shape.open().map(|_| ())?;
        Ok(shape)
    }

    /// What tells it from other shapes.
    #[must_use]
    pub const fn key(&self) -> ShapeKey {
        self.key
    }

    /// The bytes, for keeping; none at all for the default, a push of nothing.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many values belong to it.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn values(&self) -> Result<u32, DecodeError> {
        if self.bytes.is_empty() {
            return Ok(0);
        }
        number_at(&self.bytes, 0)
    }

    /// Whether it has no family, and so nothing to show.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn is_empty(&self) -> Result<bool, DecodeError> {
        Ok(self.families()?.next().is_none())
    }

    /// The families, sorted by name.
    ///
    /// # Errors
    /// When the bytes are damaged; so for each family.
    pub fn families(
        &self,
    ) -> Result<impl Iterator<Item = Result<ShapedFamily<'_>, DecodeError>> + use<'_>, DecodeError> {
        let (tables, mut rest) = self.open()?;
        Ok(std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let family = read_family(tables, &mut rest);
            if family.is_err() {
                rest = &[];
            }
            Some(family)
        }))
    }

    fn open(&self) -> Result<(Tables<'_>, &[u8]), DecodeError> {
        if self.bytes.is_empty() {
            return Ok((Tables::default(), &[]));
        }
        let mut rest = self.bytes.get(HEADER..).ok_or_else(damaged)?;
        let mut ends = [rest; 3];
        for (index, ends) in ends.iter_mut().enumerate() {
            let count = number_at(&self.bytes, 4 * (index + 1))? as usize;
            let bytes = count.checked_mul(4).ok_or_else(damaged)?;
            (*ends, rest) = rest.split_at_checked(bytes).ok_or_else(damaged)?;
        }
        let [strings, sets, layouts] = ends;
        let tables = Tables {
            strings: Table::take(strings, &mut rest)?,
            sets: Table::take(sets, &mut rest)?,
            layouts: Table::take(layouts, &mut rest)?,
        };
        Ok((tables, rest))
    }
}

fn read_family<'a>(tables: Tables<'a>, rest: &mut &'a [u8]) -> Result<ShapedFamily<'a>, DecodeError> {
    let name = tables.string(number(rest)?)?;
    let help = tables.string(number(rest)?)?;
    let kind = kind_of(take_byte(rest)?)?;
    let len = number(rest)? as usize;
    let (metrics, after) = rest.split_at_checked(len).ok_or_else(damaged)?;
    *rest = after;
    Ok(ShapedFamily {
        name,
        help,
        kind,
        tables,
        metrics,
    })
}

impl<'a> ShapedFamily<'a> {
    /// Whether it has no metrics.
    pub(super) const fn is_bare(&self) -> bool {
        self.metrics.is_empty()
    }

    /// The metrics, in the order in which they were pushed.
    pub fn metrics(&self) -> impl Iterator<Item = Result<ShapedMetric<'a>, DecodeError>> + use<'a> {
        let (tables, mut rest) = (self.tables, self.metrics);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let metric = read_metric(tables, &mut rest);
            if metric.is_err() {
                rest = &[];
            }
            Some(metric)
        })
    }
}

fn read_metric<'a>(tables: Tables<'a>, rest: &mut &'a [u8]) -> Result<ShapedMetric<'a>, DecodeError> {
    let set = tables.sets.get(number(rest)?)?;
    let layout = tables.layouts.get(number(rest)?)?;
    let first_value = number(rest)?;
    Ok(ShapedMetric {
        tables,
        set,
        layout,
        first_value,
    })
}

impl<'a> ShapedMetric<'a> {
    /// Names and values of the labels, sorted by name; a value may be empty. Grouping labels are not among them.
    pub fn labels(&self) -> impl Iterator<Item = Result<(&'a str, &'a str), DecodeError>> + use<'a> {
        let (tables, mut rest) = (self.tables, self.set);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let mut label = || {
                Ok((
                    tables.string(number(&mut rest)?)?,
                    tables.string(number(&mut rest)?)?,
                ))
            };
            let label = label();
            if label.is_err() {
                rest = &[];
            }
            Some(label)
        })
    }

    /// The parts, each with the number of its value.
    pub fn parts(&self) -> impl Iterator<Item = Result<(Part, u32), DecodeError>> + use<'a> {
        let (mut rest, first) = (self.layout, self.first_value);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let part = read_part(&mut rest, first);
            if part.is_err() {
                rest = &[];
            }
            Some(part)
        })
    }
}

fn read_part(rest: &mut &[u8], first: u32) -> Result<(Part, u32), DecodeError> {
    let part = match take_byte(rest)? {
        0 => Part::Itself,
        1 => Part::Quantile(bound(rest)?),
        2 => Part::Bucket(bound(rest)?),
        3 => Part::Sum,
        4 => Part::Count,
        5 => Part::Native,
        6 => Part::Nothing,
        7 => Part::Implied,
        _ => return Err(damaged()),
    };
    let value = first.checked_add(number(rest)?).ok_or_else(damaged)?;
    Ok((part, value))
}

impl<'a> Tables<'a> {
    fn string(&self, number: u32) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.strings.get(number)?).map_err(|_| damaged())
    }
}

impl<'a> Table<'a> {
    /// The table with these ends, whose content begins `rest`.
    fn take(ends: &'a [u8], rest: &mut &'a [u8]) -> Result<Self, DecodeError> {
        let len = match ends.len().checked_sub(4) {
            Some(last) => number_at(ends, last)? as usize,
            None => 0,
        };
        let (content, after) = rest.split_at_checked(len).ok_or_else(damaged)?;
        *rest = after;
        Ok(Self { ends, content })
    }

    fn get(&self, number: u32) -> Result<&'a [u8], DecodeError> {
        let at = 4 * number as usize;
        let begin = match at.checked_sub(4) {
            Some(before) => number_at(self.ends, before)? as usize,
            None => 0,
        };
        let end = number_at(self.ends, at)? as usize;
        self.content.get(begin..end).ok_or_else(damaged)
    }
}

const fn byte_of(kind: MetricKind) -> u8 {
    match kind {
        MetricKind::Untyped => 0,
        MetricKind::Counter => 1,
        MetricKind::Gauge => 2,
        MetricKind::Histogram => 3,
        MetricKind::GaugeHistogram => 4,
        MetricKind::Summary => 5,
    }
}

const fn kind_of(byte: u8) -> Result<MetricKind, DecodeError> {
    Ok(match byte {
        0 => MetricKind::Untyped,
        1 => MetricKind::Counter,
        2 => MetricKind::Gauge,
        3 => MetricKind::Histogram,
        4 => MetricKind::GaugeHistogram,
        5 => MetricKind::Summary,
        _ => return Err(damaged()),
    })
}

fn number_at(bytes: &[u8], at: usize) -> Result<u32, DecodeError> {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    number
        .map(|number| u32::from_le_bytes(*number))
        .ok_or_else(damaged)
}

fn number(rest: &mut &[u8]) -> Result<u32, DecodeError> {
    let number = take_varint(rest).ok_or_else(damaged)?;
    u32::try_from(number).map_err(|_| damaged())
}

fn take_byte(rest: &mut &[u8]) -> Result<u8, DecodeError> {
    let (byte, after) = rest.split_first().ok_or_else(damaged)?;
    *rest = after;
    Ok(*byte)
}

fn bound(rest: &mut &[u8]) -> Result<f64, DecodeError> {
    let (bits, after) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    *rest = after;
    Ok(f64::from_bits(u64::from_le_bytes(*bits)))
}

const fn damaged() -> DecodeError {
    DecodeError::Invalid {
        what: "shape",
        problem: "is damaged",
    }
}
