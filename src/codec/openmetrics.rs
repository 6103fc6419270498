//! The OpenMetrics 1.0 text format, for pushes that say so in their content type.
//!
//! Samples keep the names they have, `_total` and `_created` among them, as a scrape by Prometheus keeps them. Families
//! are named as the text format 0.0.4 would name them (a counter with its `_total`, each `_created` by itself), so that
//! a POST in one format replaces what one in the other has pushed. Units are checked, and not shown.

use std::borrow::Cow;
use std::time::Duration;

use hashbrown::HashMap;

use super::cursor::{Cursor, METRIC};
use super::exposition::{Exposition, TextError, too_many_samples};
use super::labels::{Owner, bound_of};
use super::number::parse_float;
use crate::model::{
    Exemplar, Extra, Family, LabelDraft, METRIC_NAME, MetricKind, NameScheme, Sample, UnixMillis, UnixNanos,
};

/// Reads a body of at most `max_samples` samples, whose names are classic; nothing may stand behind `# EOF`.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(body: &[u8], max_samples: usize) -> Result<Exposition<'_>, TextError> {
    parse_named(body, max_samples, NameScheme::Classic)
}

/// Reads a body of at most `max_samples` samples with names of a scheme; nothing may stand behind `# EOF`.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse_named(body: &[u8], max_samples: usize, names: NameScheme) -> Result<Exposition<'_>, TextError> {
    let mut parser = Parser {
        cursor: Cursor::new(body),
        names,
        read: Exposition::default(),
        families: HashMap::default(),
        described: HashMap::default(),
    };
    while parser.line()? == Line::One {
        if parser.read.samples.len() > max_samples {
            return Err(parser.cursor.error(too_many_samples(max_samples)));
        }
    }
    Ok(parser.read)
}

/// What a line was.
#[derive(PartialEq, Eq)]
enum Line {
    One,
    Last,
}

/// The types of OpenMetrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Type {
    #[default]
    Unknown,
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
}

/// What the lines above the samples of a family say of it.
#[derive(Default)]
struct Described<'a> {
    kind: Option<Type>,
    help: Option<Cow<'a, str>>,
    unit: Option<Cow<'a, str>>,
    has_samples: bool,
}

type ByName<'a, T> = HashMap<Cow<'a, str>, T, foldhash::fast::RandomState>;

struct Parser<'a> {
    cursor: Cursor<'a>,
    names: NameScheme,
    read: Exposition<'a>,
    /// Places in `read.families`, by the names that text 0.0.4 gives to families.
    families: ByName<'a, usize>,
    /// By the names that OpenMetrics gives to families.
    described: ByName<'a, Described<'a>>,
}

impl<'a> Parser<'a> {
    fn line(&mut self) -> Result<Line, TextError> {
        match self.cursor.peek() {
            // `# EOF` is required, but Go's push client never writes it; HTTP tells a body that was cut off
            None => Ok(Line::Last),
            Some(b'#') => self.comment(),
            Some(_) => self.sample().map(|()| Line::One),
        }
    }

    fn comment(&mut self) -> Result<Line, TextError> {
        self.cursor.skip(1);
        self.blank()?;
        match self.cursor.token() {
            b"EOF" => return self.end(),
            b"TYPE" => self.kind()?,
            b"HELP" => self.help()?,
            b"UNIT" => self.unit()?,
            _ => {
                return Err(self.cursor.error(
                    "expected TYPE, HELP, UNIT or EOF behind '#': OpenMetrics knows no other comments",
                ));
            }
        }
        self.cursor.end_line().map(|()| Line::One)
    }

    fn end(&mut self) -> Result<Line, TextError> {
        if self.cursor.peek() == Some(b'\n') {
            self.cursor.skip(1);
        }
        match self.cursor.peek() {
            None => Ok(Line::Last),
            Some(_) => Err(self.cursor.error("unexpected data after \"# EOF\"")),
        }
    }

    fn kind(&mut self) -> Result<(), TextError> {
        let name = self.described_name()?;
        let word = self.cursor.rest_of_line();
        let Some(kind) = Type::read(word) else {
            let word = String::from_utf8_lossy(word).into_owned();
            return Err(self.cursor.error(format!(
                "unknown metric type {word:?}: known are counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown"
            )));
        };
        let earlier = self.described.entry(name.clone()).or_default().kind.replace(kind);
        self.once("TYPE", &name, earlier)
    }

    fn help(&mut self) -> Result<(), TextError> {
        let name = self.described_name()?;
        let help = self.cursor.help()?;
        let earlier = self.described.entry(name.clone()).or_default().help.replace(help);
        self.once("HELP", &name, earlier)
    }

    fn unit(&mut self) -> Result<(), TextError> {
        let name = self.described_name()?;
        let unit = String::from_utf8_lossy(self.cursor.rest_of_line());
        let base = name.strip_suffix(unit.as_ref());
        if !unit.is_empty() && !base.is_some_and(|base| base.ends_with('_')) {
            return Err(self.cursor.error(format!(
                "unit {unit:?} is not the end of the metric name {name:?}"
            )));
        }
        let earlier = self.described.entry(name.clone()).or_default().unit.replace(unit);
        self.once("UNIT", &name, earlier)
    }

    /// The name that a TYPE, HELP or UNIT line is about, and the blank behind it.
    fn described_name(&mut self) -> Result<Cow<'a, str>, TextError> {
        self.blank()?;
        let name = self.cursor.any_name(&METRIC)?;
        let name = self.cursor.checked_metric(name, self.names)?;
        if self.cursor.peek() != Some(b'\n') {
            self.blank()?;
        }
        Ok(name)
    }

    /// Refuses what was said before, or is said too late.
    fn once<T>(&self, keyword: &str, name: &str, earlier: Option<T>) -> Result<(), TextError> {
        let is_late = self.described.get(name).is_some_and(|family| family.has_samples);
        if earlier.is_some() || is_late {
            return Err(self.cursor.error(format!(
                "second {keyword} line for metric name {name:?}, or {keyword} reported after samples"
            )));
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<(), TextError> {
        let mut labels = LabelDraft::with_capacity(8);
        // its place, first of all
        labels.push(METRIC_NAME, "");
        let (name, family) = if self.cursor.peek() == Some(b'{') {
            self.name_within(&mut labels)?
        } else {
            self.name_before(&mut labels)?
        };
        self.blank()?;
        let value = self.float("value")?;
        let (at, exemplar) = self.timestamp_and_exemplar(&name)?;
        let extra = exemplar.map(|exemplar| {
            Box::new(Extra {
                exemplars: vec![exemplar],
                ..Extra::default()
            })
        });
        labels.set(METRIC_NAME, name);
        self.read.samples.push(Sample {
            family,
            labels,
            value,
            at,
            extra,
        });
        self.cursor.end_line()
    }

    /// Reads the labels of a sample whose name stands before the braces, if it has any; returns its name and family.
    fn name_before(&mut self, labels: &mut LabelDraft<'a>) -> Result<(Cow<'a, str>, usize), TextError> {
        let name = self.cursor.any_name(&METRIC)?;
        let name = self.cursor.checked_metric(name, self.names)?;
        let (family, kind) = self.enter_family(name.clone());
        let owner = self.owner(&name, bound_of(kind));
        self.labels(owner, labels)?;
        Ok((name, family))
    }

    /// Reads the labels of a sample whose name stands among them; returns its name and family.
    fn name_within(&mut self, labels: &mut LabelDraft<'a>) -> Result<(Cow<'a, str>, usize), TextError> {
        self.cursor.skip(1);
        let name = self.cursor.name_and_labels(self.names, labels)?;
        let (family, kind) = self.enter_family(name.clone());
        if let Some(bound) = bound_of(kind) {
            self.cursor.tidy_bound(bound, &name, labels)?;
        }
        Ok((name, family))
    }

    const fn owner<'n>(&self, metric: &'n str, bound: Option<&'static str>) -> Owner<'n> {
        Owner {
            metric,
            bound,
            names: self.names,
        }
    }

    fn labels(&mut self, owner: Owner<'_>, labels: &mut LabelDraft<'a>) -> Result<(), TextError> {
        if self.cursor.peek() != Some(b'{') {
            return Ok(());
        }
        self.cursor.skip(1);
        self.cursor.labels(owner, labels)
    }

    fn timestamp_and_exemplar(
        &mut self,
        name: &str,
    ) -> Result<(Option<UnixMillis>, Option<Exemplar<'a>>), TextError> {
        let mut at = None;
        if self.cursor.peek() == Some(b' ') {
            self.cursor.skip(1);
            if self.cursor.peek() != Some(b'#') {
                at = Some(self.timestamp()?);
            }
        }
        let exemplar = match self.cursor.peek() {
            Some(b'#') => Some(self.exemplar(name)?),
            Some(b' ') => {
                self.cursor.skip(1);
                Some(self.exemplar(name)?)
            }
            _ => None,
        };
        match self.cursor.peek() {
            Some(b'\n') | None => Ok((at, exemplar)),
            Some(_) => Err(self.cursor.error("expected the end of the line")),
        }
    }

    fn exemplar(&mut self, name: &str) -> Result<Exemplar<'a>, TextError> {
        if self.cursor.peek() != Some(b'#') {
            return Err(self.cursor.error("expected an exemplar or the end of the line"));
        }
        self.cursor.skip(1);
        self.blank()?;
        if self.cursor.peek() != Some(b'{') {
            return Err(self.cursor.error("expected '{' at start of an exemplar's labels"));
        }
        let owner = self.owner(name, None);
        let mut exemplar = Exemplar::default();
        self.labels(owner, &mut exemplar.labels)?;
        self.blank()?;
        exemplar.value = self.float("an exemplar's value")?;
        if self.cursor.peek() == Some(b' ') {
            self.cursor.skip(1);
            exemplar.at = Some(self.exact_timestamp()?);
        }
        Ok(exemplar)
    }

    fn float(&mut self, what: &str) -> Result<f64, TextError> {
        let token = self.cursor.token();
        parse_float(token).ok_or_else(|| {
            let token = String::from_utf8_lossy(token).into_owned();
            self.cursor
                .error(format!("expected float as {what}, got {token:?}"))
        })
    }

    /// Seconds since 1970.
    fn timestamp(&mut self) -> Result<UnixMillis, TextError> {
        let seconds = self.float("timestamp or '#' of an exemplar")?;
        let magnitude = Duration::try_from_secs_f64(seconds.abs());
        let millis = magnitude
            .ok()
            .and_then(|span| i64::try_from(span.as_millis()).ok());
        let millis = millis.map(|millis| if seconds < 0.0 { -millis } else { millis });
        millis
            .map(UnixMillis::new)
            .ok_or_else(|| self.cursor.error(format!("the timestamp {seconds} is no time")))
    }

    /// Seconds since 1970, as exact as they are written.
    fn exact_timestamp(&mut self) -> Result<UnixNanos, TextError> {
        let seconds = self.float("an exemplar's timestamp")?;
        exact_time(seconds).ok_or_else(|| self.cursor.error(format!("the timestamp {seconds} is no time")))
    }

    fn blank(&mut self) -> Result<(), TextError> {
        if self.cursor.peek() != Some(b' ') {
            return Err(self.cursor.error("expected a blank"));
        }
        self.cursor.skip(1);
        Ok(())
    }

    /// The family that text 0.0.4 would have for samples of such a name: its place, and its type.
    fn enter_family(&mut self, name: Cow<'a, str>) -> (usize, MetricKind) {
        let (base, part, kind) =
            self.owner_of(&name)
                .unwrap_or((name.clone(), Part::ByItself, MetricKind::Untyped));
        let family = match part {
            Part::OfFamily => base.clone(),
            Part::ByItself => name,
        };
        let next = self.read.families.len();
        let place = *self.families.entry(family.clone()).or_insert(next);
        if place == next {
            let described = self.described.get(&base);
            let help = described.and_then(|family| family.help.clone());
            let unit = described.and_then(|family| family.unit.clone());
            self.read.families.push(Family {
                name: family,
                kind,
                help: help.unwrap_or_default(),
                unit: unit.unwrap_or_default(),
            });
        }
        (place, kind)
    }

    /// The described family that a sample belongs to, and what it is to it.
    fn owner_of(&mut self, name: &Cow<'a, str>) -> Option<(Cow<'a, str>, Part, MetricKind)> {
        let suffix_at = name.rfind('_').unwrap_or(name.len());
        for end in [name.len(), suffix_at] {
            let (base, suffix) = split(name, end)?;
            let Some(described) = self.described.get_mut(&base) else {
                continue;
            };
            if let Some((part, kind)) = described.kind.unwrap_or_default().part(&suffix) {
                described.has_samples = true;
                return Some((base, part, kind));
            }
        }
        None
    }
}

/// Both sides of a place in a name, borrowed where the name is.
fn split<'a>(name: &Cow<'a, str>, at: usize) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    Some(match name {
        Cow::Borrowed(name) => {
            let (base, suffix) = name.split_at_checked(at)?;
            (Cow::Borrowed(base), Cow::Borrowed(suffix))
        }
        Cow::Owned(name) => {
            let (base, suffix) = name.split_at_checked(at)?;
            (Cow::Owned(base.to_owned()), Cow::Owned(suffix.to_owned()))
        }
    })
}

/// The time that someone meant who wrote so many seconds: by their digits, as a float's own fraction is a little off.
fn exact_time(seconds: f64) -> Option<UnixNanos> {
    let digits = seconds.abs().to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole: i64 = whole.parse().ok()?;
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(if seconds < 0.0 {
        UnixNanos::from_parts(-whole, -nanos)
    } else {
        UnixNanos::from_parts(whole, nanos)
    })
}

/// Whether a sample's family has its name from OpenMetrics, or from the sample.
enum Part {
    OfFamily,
    ByItself,
}

impl Type {
    fn read(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"unknown" => Self::Unknown,
            b"counter" => Self::Counter,
            b"gauge" => Self::Gauge,
            b"histogram" => Self::Histogram,
            b"gaugehistogram" => Self::GaugeHistogram,
            b"summary" => Self::Summary,
            b"info" => Self::Info,
            b"stateset" => Self::StateSet,
            _ => return None,
        })
    }

    /// What a sample with such a suffix is to a family of this type; `None` when it is no part of it.
    fn part(self, suffix: &str) -> Option<(Part, MetricKind)> {
        Some(match (self, suffix) {
            (Self::Unknown, "") => (Part::OfFamily, MetricKind::Untyped),
            // `_total` is required, but Prometheus does not insist
            (Self::Counter, "_total" | "") => (Part::ByItself, MetricKind::Counter),
            (Self::Gauge | Self::StateSet | Self::Info, "") | (Self::Info, "_info") => {
                (Part::ByItself, MetricKind::Gauge)
            }
            (Self::Histogram, "_bucket" | "_sum" | "_count") => (Part::OfFamily, MetricKind::Histogram),
            (Self::GaugeHistogram, "_bucket") => (Part::OfFamily, MetricKind::GaugeHistogram),
            (Self::Summary, "" | "_sum" | "_count") => (Part::OfFamily, MetricKind::Summary),
            (Self::GaugeHistogram, "_gsum" | "_gcount")
            | (Self::Counter | Self::Histogram | Self::Summary, "_created") => {
                (Part::ByItself, MetricKind::Gauge)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
