//! The labels of a sample in braces, the same in both text formats but for what they belong to.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::exposition::{TextError, Twins};
use super::number::canonical_bound;
use crate::model::{LabelDraft, METRIC_NAME, MetricKind, is_label_name};

/// The label that tells the parts of such a family apart by a number.
pub(super) const fn bound_of(kind: MetricKind) -> Option<&'static str> {
    match kind {
        MetricKind::Summary => Some("quantile"),
        MetricKind::Histogram | MetricKind::GaugeHistogram => Some("le"),
        MetricKind::Counter | MetricKind::Gauge | MetricKind::Untyped => None,
    }
}

/// What labels are read for: the metric's name for errors, and which label is a bound.
#[derive(Clone, Copy)]
pub(super) struct Owner<'n> {
    pub(super) metric: &'n str,
    pub(super) bound: Option<&'static str>,
}

impl<'a> Cursor<'a> {
    /// Reads what stands behind an opening brace, up to and with the closing one, into `labels`.
    pub(super) fn labels(
        &mut self,
        owner: Owner<'_>,
        twins: &mut Twins<'a>,
        labels: &mut LabelDraft<'a>,
    ) -> Result<(), TextError> {
        loop {
            self.skip_blanks();
            if self.peek() == Some(b'}') {
                self.skip(1);
                return Ok(());
            }
            let name = self.label_name(owner.metric)?;
            if twins.has(labels, name) {
                return Err(self.error(format!(
                    "duplicate label name {name:?} for metric {:?}",
                    owner.metric
                )));
            }
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
        let name = self.name(None);
        if !is_label_name(name) {
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
