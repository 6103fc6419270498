//! The labels of a sample in braces, the same in both text formats but for what they belong to.

use std::borrow::Cow;

use super::cursor::{Cursor, LABEL, Name, Quoted};
use super::exposition::TextError;
use super::number::canonical_bound;
use crate::model::{LabelDraft, METRIC_NAME, MetricKind, NameScheme};

/// Most labels of one sample. Each is compared with all before it; Flink sends 15, stores take 20 to 64.
const MAX_LABELS: usize = 1000;

/// The label that tells the parts of such a family apart by a number.
#[must_use]
pub const fn bound_of(kind: MetricKind) -> Option<&'static str> {
    match kind {
        MetricKind::Summary => Some("quantile"),
        MetricKind::Histogram | MetricKind::GaugeHistogram => Some("le"),
        MetricKind::Counter | MetricKind::Gauge | MetricKind::Untyped => None,
    }
}

/// The names of one sample's labels, one bit of 64 for each: names with different bits differ, so that most need not be
/// compared with all before them.
#[derive(Default)]
pub(super) struct Seen(u64);

impl Seen {
    /// Takes note of a label that is about to join `labels`, or says why it may not.
    pub(super) fn note(&mut self, name: &str, labels: &LabelDraft<'_>, metric: &str) -> Result<(), String> {
        let mark = mark_of(name);
        if self.0 & mark != 0 && labels.get(name).is_some() {
            return Err(format!("duplicate label name {name:?} for metric {metric:?}"));
        }
        if labels.len() > MAX_LABELS {
            return Err(format!(
                "more than {MAX_LABELS} labels on one sample of metric {metric:?}"
            ));
        }
        self.0 |= mark;
        Ok(())
    }
}

fn mark_of(name: &str) -> u64 {
    let end = |byte: Option<u8>| u64::from(byte.unwrap_or_default());
    let mut bytes = name.bytes();
    let mixed = end(bytes.next()) + 7 * end(bytes.next_back()) + 5 * name.len() as u64;
    1 << (mixed % 64)
}

/// What labels are read for: the metric's name for errors, which label is a bound, and which names labels may have.
#[derive(Clone, Copy)]
pub(super) struct Owner<'n> {
    pub(super) metric: &'n str,
    pub(super) bound: Option<&'static str>,
    pub(super) names: NameScheme,
}

impl<'a> Cursor<'a> {
    /// Reads what stands behind an opening brace, up to and with the closing one, into `labels`.
    pub(super) fn labels(&mut self, owner: Owner<'_>, labels: &mut LabelDraft<'a>) -> Result<(), TextError> {
        let mut seen = Seen::default();
        while let Some(name) = self.name_in_braces(owner.metric)? {
            if self.peek() != Some(b'=') {
                let name = name.text();
                return Err(self.error(format!("expected '=' after label name {name:?}")));
            }
            self.label(name, owner, (&mut seen, labels))?;
        }
        Ok(())
    }

    /// Reads what stands behind an opening brace, where one name without a value is the metric's; returns that name.
    /// Bounds stay as they are written, since their family is only known by the name.
    pub(super) fn name_and_labels(
        &mut self,
        names: NameScheme,
        labels: &mut LabelDraft<'a>,
    ) -> Result<Cow<'a, str>, TextError> {
        let mut seen = Seen::default();
        let mut metric: Option<Cow<'a, str>> = None;
        while let Some(name) = self.name_in_braces(metric.as_deref().unwrap_or_default())? {
            match (self.peek(), &metric) {
                (Some(b'='), _) => {
                    let owner = Owner {
                        metric: metric.as_deref().unwrap_or_default(),
                        bound: None,
                        names,
                    };
                    self.label(name, owner, (&mut seen, labels))?;
                    continue;
                }
                (_, Some(first)) => {
                    let name = name.text();
                    return Err(self.error(format!("multiple metric names: {name:?} behind {first:?}")));
                }
                (Some(b',' | b'}'), None) => {}
                (_, None) => {
                    let name = name.text();
                    return Err(self.error(format!(
                        "unexpected end of metric name {name:?}: expected ',' or '}}' behind it"
                    )));
                }
            }
            metric = Some(self.checked_metric(name, names)?);
            if self.peek() == Some(b',') {
                self.skip(1);
            }
        }
        metric.ok_or_else(|| self.error(format!("invalid metric name: {}", names.metric_rule())))
    }

    /// Refuses a metric name that the scheme does not have.
    pub(super) fn checked_metric(
        &self,
        name: Name<'a>,
        names: NameScheme,
    ) -> Result<Cow<'a, str>, TextError> {
        match name {
            Name::Plain(name) if !name.is_empty() => Ok(Cow::Borrowed(name)),
            Name::Quoted(name) if names.allows_metric(&name) => Ok(name),
            name => {
                let (name, rule) = (name.text(), names.metric_rule());
                Err(self.error(format!("invalid metric name {name:?}: {rule}")))
            }
        }
    }

    /// Writes a bound that was read as it is written as Pushgateway shows it.
    pub(super) fn tidy_bound(
        &self,
        bound: &str,
        metric: &str,
        labels: &mut LabelDraft<'a>,
    ) -> Result<(), TextError> {
        for (name, value) in labels.iter_mut().filter(|(name, _)| name == bound) {
            *value = self.bound(metric, name, value)?;
        }
        Ok(())
    }

    /// The next name, behind which neither blank nor tab is; nothing when the brace is closed instead, and behind it.
    fn name_in_braces(&mut self, metric: &str) -> Result<Option<Name<'a>>, TextError> {
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.skip(1);
            return Ok(None);
        }
        let name = self.any_name(&LABEL)?;
        if name.text().is_empty() {
            return Err(self.error(format!("invalid label name for metric {metric:?}")));
        }
        self.skip_blanks();
        Ok(Some(name))
    }

    /// Takes up a label from its `=` to what parts it from the next.
    fn label(
        &mut self,
        name: Name<'a>,
        owner: Owner<'_>,
        (seen, labels): (&mut Seen, &mut LabelDraft<'a>),
    ) -> Result<(), TextError> {
        if name.text() == METRIC_NAME {
            return Err(self.error("label name \"__name__\" is reserved"));
        }
        let name = match name {
            Name::Plain(name) => Cow::Borrowed(name),
            Name::Quoted(name) if owner.names.allows_label(&name) => name,
            Name::Quoted(name) => {
                return Err(self.error(format!(
                    "invalid label name {name:?} for metric {:?}: it matches [a-zA-Z_][a-zA-Z0-9_]*",
                    owner.metric
                )));
            }
        };
        seen.note(&name, labels, owner.metric)
            .map_err(|problem| self.error(problem))?;
        self.skip(1);
        let value = self.label_value(owner, &name)?;
        self.skip_blanks();
        match self.peek() {
            Some(b',') => self.skip(1),
            Some(b'}') => {}
            _ => {
                return Err(self.error(format!(
                    "unexpected end of label value of {name:?}: expected ',' or '}}' behind it"
                )));
            }
        }
        labels.push(name, value);
        Ok(())
    }

    fn label_value(&mut self, owner: Owner<'_>, name: &str) -> Result<Cow<'a, str>, TextError> {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err(self.error(format!("expected '\"' at start of the value of label {name:?}")));
        }
        self.skip(1);
        let value = self.quoted(Quoted::ValueOf(name))?;
        if owner.bound != Some(name) {
            return Ok(value);
        }
        self.bound(owner.metric, name, &value)
    }

    fn bound(&self, metric: &str, name: &str, value: &Cow<'a, str>) -> Result<Cow<'a, str>, TextError> {
        canonical_bound(value).ok_or_else(|| {
            self.error(format!(
                "expected float as value for {name:?} label of metric {metric:?}, got {value:?}"
            ))
        })
    }
}
