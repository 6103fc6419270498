//! The labels of a sample in braces, the same in both text formats but for what they belong to.

use std::borrow::Cow;

use super::cursor::{Cursor, LABEL};
use super::exposition::TextError;
use super::number::canonical_bound;
use crate::model::{LabelDraft, METRIC_NAME, MetricKind};

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

/// What labels are read for: the metric's name for errors, and which label is a bound.
#[derive(Clone, Copy)]
pub(super) struct Owner<'n> {
    pub(super) metric: &'n str,
    pub(super) bound: Option<&'static str>,
}

impl<'a> Cursor<'a> {
    /// Reads what stands behind an opening brace, up to and with the closing one, into `labels`.
    pub(super) fn labels(&mut self, owner: Owner<'_>, labels: &mut LabelDraft<'a>) -> Result<(), TextError> {
        let mut seen = Seen::default();
        loop {
            self.skip_blanks();
            if self.peek() == Some(b'}') {
                self.skip(1);
                return Ok(());
            }
            let name = self.label_name(owner.metric)?;
            seen.note(name, labels, owner.metric)
                .map_err(|problem| self.error(problem))?;
            self.skip(1);
            let value = self.label_value(owner, name)?;
            labels.push(name, value);
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
        }
    }

    /// The name before the `=`, which is the next byte then.
    fn label_name(&mut self, metric: &str) -> Result<&'a str, TextError> {
        let name = self.name(&LABEL);
        if name.is_empty() {
            return Err(self.error(format!("invalid label name for metric {metric:?}")));
        }
        if name == METRIC_NAME {
            return Err(self.error("label name \"__name__\" is reserved"));
        }
        self.skip_blanks();
        if self.peek() != Some(b'=') {
            return Err(self.error(format!("expected '=' after label name {name:?}")));
        }
        Ok(name)
    }

    fn label_value(&mut self, owner: Owner<'_>, name: &str) -> Result<Cow<'a, str>, TextError> {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err(self.error(format!("expected '\"' at start of the value of label {name:?}")));
        }
        self.skip(1);
        let value = self.quoted(name)?;
        if owner.bound != Some(name) {
            return Ok(value);
        }
        canonical_bound(&value).ok_or_else(|| {
            self.error(format!(
                "expected float as value for {name:?} label of metric {:?}, got {value:?}",
                owner.metric
            ))
        })
    }
}
