//! The text exposition format 0.0.4, to the letter of prometheus/common's parser (`reference` cases P00 - P66).
//!
//! One pass over the bytes; names and values are borrowed from the body, only escaped text is copied. Names may always
//! stand in quotes, a metric's within the braces too; the scheme says only which names there are. What a sample may not
//! have for other reasons than syntax (a timestamp, a twin) is not judged here.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::cursor::{Cursor, METRIC};
use super::exposition::{Exposition, TextError, too_many_samples};
use super::labels::{Owner, bound_of};
use super::number::parse_float;
use crate::model::{Family, LabelDraft, METRIC_NAME, MetricKind, NameScheme, Sample, UnixMillis};

/// Reads a body of at most `max_samples` samples, whose names are classic.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(body: &[u8], max_samples: usize) -> Result<Exposition<'_>, TextError> {
    parse_named(body, max_samples, NameScheme::Classic)
}

/// Reads a body of at most `max_samples` samples with names of a scheme.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse_named(body: &[u8], max_samples: usize, names: NameScheme) -> Result<Exposition<'_>, TextError> {
    let mut parser = Parser {
        cursor: Cursor::new(body),
        names,
        read: Exposition::default(),
        states: Vec::new(),
        by_name: HashMap::default(),
        current: 0,
        labels_hint: 8,
    };
    while parser.line()? {
        if parser.read.samples.len() > max_samples {
            return Err(parser.cursor.error(too_many_samples(max_samples)));
        }
    }
    Ok(parser.read)
}

/// What of a family's header has been seen.
#[derive(Clone, Copy, Default)]
struct FamilyState {
    has_help: bool,
    has_type: bool,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    names: NameScheme,
    read: Exposition<'a>,
    states: Vec<FamilyState>,
    by_name: HashMap<Cow<'a, str>, usize, foldhash::fast::RandomState>,
    current: usize,
    labels_hint: usize,
}

impl<'a> Parser<'a> {
    /// Reads one line; false at the end of the body.
    fn line(&mut self) -> Result<bool, TextError> {
        self.cursor.skip_blanks();
        match self.cursor.peek() {
            None if self.cursor.at_line_start() => Ok(false),
            None => Err(self
                .cursor
                .error("unexpected end of input stream: the last line has no line feed")),
            Some(b'\n') => self.cursor.end_line().map(|()| true),
            Some(b'#') => self.comment().map(|()| true),
            Some(_) => self.sample().map(|()| true),
        }
    }

    fn comment(&mut self) -> Result<(), TextError> {
        self.cursor.skip(1);
        self.cursor.skip_blanks();
        let keyword = self.cursor.token();
        if self.cursor.peek() == Some(b'\n') || !matches!(keyword, b"HELP" | b"TYPE") {
            return self.cursor.skip_line();
        }
        self.cursor.skip_blanks();
        let name = self.cursor.any_name(&METRIC)?;
        match self.cursor.peek() {
            // nothing is said of it, so the name does not matter
            Some(b'\n') => return self.cursor.end_line(),
            Some(b' ' | b'\t') => {}
            _ => return Err(self.cursor.error("invalid metric name in comment")),
        }
        let name = self.cursor.checked_metric(name, self.names)?;
        self.enter_family(name);
        self.cursor.skip_blanks();
        if self.cursor.peek() == Some(b'\n') {
            return self.cursor.end_line();
        }
        if keyword == b"HELP" {
            self.help()
        } else {
            self.kind()
        }
    }

    fn help(&mut self) -> Result<(), TextError> {
        let (family, state) = self.current();
        if state.has_help {
            let problem = format!("second HELP line for metric name {:?}", family.name);
            return Err(self.cursor.error(problem));
        }
        let help = self.cursor.help()?;
        let (family, state) = self.current();
        state.has_help = true;
        family.help = help;
        self.cursor.end_line()
    }

    fn kind(&mut self) -> Result<(), TextError> {
        let (family, state) = self.current();
        if state.has_type {
            let name = family.name.clone();
            return Err(self.cursor.error(format!(
                "second TYPE line for metric name {name:?}, or TYPE reported after samples"
            )));
        }
        let word = self.cursor.rest_of_line();
        let Some(kind) = parse_kind(word) else {
            let word = String::from_utf8_lossy(word).into_owned();
            return Err(self.cursor.error(format!(
                "unknown metric type {word:?}: known are counter, gauge, histogram, gaugehistogram, summary, untyped"
            )));
        };
        let (family, state) = self.current();
        state.has_type = true;
        family.kind = kind;
        self.cursor.end_line()
    }

    fn sample(&mut self) -> Result<(), TextError> {
        let mut labels = LabelDraft::with_capacity(self.labels_hint);
        let name = if self.cursor.peek() == Some(b'{') {
            self.name_within(&mut labels)?
        } else {
            self.name_before(&mut labels)?
        };
        self.labels_hint = labels.len();
        let value = self.value(&name)?;
        let at = self.timestamp()?;
        self.read.samples.push(Sample {
            family: self.current,
            labels,
            value,
            at,
            extra: None,
        });
        self.cursor.end_line()
    }

    /// Reads the labels of a sample whose name stands before the braces, if it has any.
    fn name_before(&mut self, labels: &mut LabelDraft<'a>) -> Result<Cow<'a, str>, TextError> {
        let name = self.cursor.any_name(&METRIC)?;
        let name = self.cursor.checked_metric(name, self.names)?;
        let bound = self.enter_sample(name.clone());
        labels.push(METRIC_NAME, name.clone());
        self.cursor.skip_blanks();
        if self.cursor.peek() == Some(b'{') {
            self.cursor.skip(1);
            let owner = Owner {
                metric: &name,
                bound,
                names: self.names,
            };
            self.cursor.labels(owner, labels)?;
        }
        Ok(name)
    }

    /// Reads the labels of a sample whose name stands among them.
    fn name_within(&mut self, labels: &mut LabelDraft<'a>) -> Result<Cow<'a, str>, TextError> {
        self.cursor.skip(1);
        // its place, first of all
        labels.push(METRIC_NAME, "");
        let name = self.cursor.name_and_labels(self.names, labels)?;
        labels.set(METRIC_NAME, name.clone());
        if let Some(bound) = self.enter_sample(name.clone()) {
            self.cursor.tidy_bound(bound, &name, labels)?;
        }
        Ok(name)
    }

    /// Makes the family of a sample current, its type settled by that; returns which label is a bound.
    fn enter_sample(&mut self, name: Cow<'a, str>) -> Option<&'static str> {
        self.enter_family(name);
        let (family, state) = self.current();
        state.has_type = true;
        bound_of(family.kind)
    }

    fn value(&mut self, name: &str) -> Result<f64, TextError> {
        self.cursor.skip_blanks();
        let token = self.cursor.token();
        let Some(value) = parse_float(token) else {
            let token = String::from_utf8_lossy(token).into_owned();
            return Err(self
                .cursor
                .error(format!("expected float as value, got {token:?}")));
        };
        let (family, _) = self.current();
        let counts = matches!(family.kind, MetricKind::Histogram | MetricKind::GaugeHistogram)
            && matches!(
                name.strip_prefix(family.name.as_ref()),
                Some("_count" | "_bucket")
            );
        if counts && value < 0.0 {
            return Err(self
                .cursor
                .error(format!("negative value for a count of histogram {name:?}")));
        }
        Ok(value)
    }

    fn timestamp(&mut self) -> Result<Option<UnixMillis>, TextError> {
        if matches!(self.cursor.peek(), Some(b'\n') | None) {
            return Ok(None);
        }
        self.cursor.skip_blanks();
        let token = self.cursor.token();
        let Some(millis) = std::str::from_utf8(token)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
        else {
            let token = String::from_utf8_lossy(token).into_owned();
            return Err(self.cursor.error(format!(
                "expected integer as timestamp or end of line, got {token:?}"
            )));
        };
        if matches!(self.cursor.peek(), Some(b' ' | b'\t')) {
            return Err(self.cursor.error("spurious string after timestamp"));
        }
        Ok(Some(UnixMillis::new(millis)))
    }

    /// Makes the family current that a line about `name` belongs to: its own, that of the summary or histogram whose
    /// part it is, or a new one.
    fn enter_family(&mut self, name: Cow<'a, str>) {
        if self
            .read
            .families
            .get(self.current)
            .is_some_and(|family| family.name == name)
        {
            return;
        }
        self.current = match self.find_family(&name) {
            Some(known) => known,
            None => {
                let new = self.read.families.len();
                self.read.families.push(Family {
                    name: name.clone(),
                    kind: MetricKind::Untyped,
                    help: Cow::Borrowed(""),
                    unit: Cow::Borrowed(""),
                });
                self.states.push(FamilyState::default());
                self.by_name.insert(name, new);
                new
            }
        };
    }

    fn find_family(&self, name: &str) -> Option<usize> {
        if let Some(known) = self.by_name.get(name) {
            return Some(*known);
        }
        let (base, suffix) = name.split_at_checked(name.rfind('_')?)?;
        let known = *self.by_name.get(base)?;
        let has_part = match self.read.families.get(known)?.kind {
            MetricKind::Summary => matches!(suffix, "_count" | "_sum"),
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                matches!(suffix, "_count" | "_sum" | "_bucket")
            }
            _ => false,
        };
        has_part.then_some(known)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "`current` is set by enter_family, which makes the family it names"
    )]
    fn current(&mut self) -> (&mut Family<'a>, &mut FamilyState) {
        (
            &mut self.read.families[self.current],
            &mut self.states[self.current],
        )
    }
}

/// The type a `# TYPE` line names, in any case.
fn parse_kind(word: &[u8]) -> Option<MetricKind> {
    let word = std::str::from_utf8(word).ok()?;
    let known = [
        ("counter", MetricKind::Counter),
        ("gauge", MetricKind::Gauge),
        ("summary", MetricKind::Summary),
        ("histogram", MetricKind::Histogram),
        ("gaugehistogram", MetricKind::GaugeHistogram),
        ("gauge_histogram", MetricKind::GaugeHistogram),
        ("untyped", MetricKind::Untyped),
    ];
    known
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests;
