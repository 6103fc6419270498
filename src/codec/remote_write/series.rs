//! A series while it is read: what is kept of it, and what is wrong with it.

use std::borrow::Cow;

use super::limits::Budget;
use super::request::{Counts, Request};
use crate::codec::DecodeError;
use crate::model::{
    Encoded, Exemplar, LabelDraft, METRIC_NAME, Metadata, UnixMillis, UnixNanos, WrittenSeries,
};

/// Parts that a series takes without any label or sample.
const PARTS: usize = 4;

/// Most labels of a series that are read; more than `normalise.limits.max_labels` may allow.
pub(super) const MAX_LABELS: usize = 16 << 10;

/// One flawed thing: what is wrong, and what is not taken.
type Wrong = (String, Counts);

/// A series on its way.
pub(super) struct Draft<'a> {
    pub(super) kept: WrittenSeries<'a>,
    /// What is wrong with all of it.
    problem: Option<String>,
    wrong: Vec<Wrong>,
    metric: Cow<'a, str>,
    label_bytes: usize,
}

impl<'a> Draft<'a> {
    /// One without anything.
    pub(super) fn new(budget: &mut Budget) -> Result<Self, DecodeError> {
        budget.take(PARTS)?;
        Ok(Self {
            kept: WrittenSeries {
                labels: LabelDraft::with_capacity(16),
                ..WrittenSeries::default()
            },
            problem: None,
            wrong: Vec::new(),
            metric: Cow::Borrowed(""),
            label_bytes: 0,
        })
    }

    /// One with labels that need not be read.
    pub(super) fn known((labels, number): (&'a [u8], u32), budget: &mut Budget) -> Result<Self, DecodeError> {
        budget.take(PARTS)?;
        Ok(Self {
            kept: WrittenSeries {
                encoded: Encoded::Known(labels, number),
                ..WrittenSeries::default()
            },
            problem: None,
            wrong: Vec::new(),
            metric: Cow::Borrowed(""),
            label_bytes: labels.len(),
        })
    }

    /// Whether nothing came that its labels are needed for.
    pub(super) const fn is_still_unread(&self) -> bool {
        self.kept.labels.is_empty() && self.wrong.is_empty()
    }

    /// Adds a label.
    pub(super) fn label(&mut self, name: Text<'a>, value: Text<'a>) {
        self.label_bytes = self.label_bytes.saturating_add(name.len() + value.len() + 6);
        let (name, value) = match (name.read(), value.read()) {
            (Ok(name), Ok(value)) => (Cow::Borrowed(name), Cow::Borrowed(value)),
            (name, value) => {
                self.spoil("a label is not valid UTF-8");
                (
                    name.map_or_else(Text::lossy, Cow::Borrowed),
                    value.map_or_else(Text::lossy, Cow::Borrowed),
                )
            }
        };
        if name == METRIC_NAME {
            self.metric.clone_from(&value);
        }
        if self.kept.labels.len() == MAX_LABELS {
            self.spoil(too_many_labels());
            return;
        }
        self.kept.labels.push(name, value);
    }

    /// Says what is wrong with all of it; of several things the first.
    pub(super) fn spoil(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert_with(|| problem.into());
    }

    /// Says what is wrong with one of its histograms, which is left out.
    pub(super) fn leave_out_histogram(&mut self, problem: impl Into<String>) {
        let counts = Counts {
            histograms: 1,
            ..Counts::default()
        };
        self.wrong.push((problem.into(), counts));
    }

    /// Adds an exemplar, unless something is wrong with it.
    pub(super) fn exemplar(&mut self, exemplar: Result<Exemplar<'a>, &'static str>) {
        match exemplar.and_then(checked) {
            Ok(exemplar) => self.kept.exemplars.push(exemplar),
            Err(problem) => {
                let counts = Counts {
                    exemplars: 1,
                    ..Counts::default()
                };
                self.wrong.push((problem.to_owned(), counts));
            }
        }
    }

    /// Says since when everything counts that does not say so itself.
    pub(super) fn created(&mut self, created: UnixMillis) {
        for sample in &mut self.kept.samples {
            sample.created.get_or_insert(created);
        }
        for written in &mut self.kept.histograms {
            written.histogram.created.get_or_insert(nanos(created));
        }
    }

    /// Adds what is said of the family, if anything is.
    pub(super) fn metadata(&mut self, mut metadata: Metadata<'a>) {
        if metadata != Metadata::default() {
            metadata.family.clone_from(&self.metric);
            self.kept.metadata = Some(metadata);
        }
    }

    /// Puts it where it belongs.
    pub(super) fn finish(self, request: &mut Request<'a>, budget: &mut Budget) -> Result<(), DecodeError> {
        let Self {
            kept,
            problem,
            wrong,
            label_bytes,
            ..
        } = self;
        let mut counts = Counts::of(&kept);
        let tell = || kept.labels.clone().into_set().to_string();
        let problem = problem.or_else(|| match kept.encoded {
            Encoded::Known(..) => None,
            Encoded::Unknown | Encoded::Read(_) => problem_of(&kept.labels),
        });
        if let Some(problem) = problem {
            for (_, left_out) in &wrong {
                counts += *left_out;
            }
            request.flawed.add(counts, || (tell(), problem));
            return Ok(());
        }
        for (problem, left_out) in wrong {
            request.flawed.add(left_out, || (tell(), problem));
        }
        let weight = usize::try_from(counts.weight()).unwrap_or(usize::MAX);
        budget.take_labels(label_bytes.saturating_mul(weight))?;
        if weight > 0 || kept.metadata.is_some() {
            request.series.push(kept);
        }
        Ok(())
    }
}

/// What should be text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Text<'a> {
    Unread(&'a [u8]),
    Read(&'a str),
}

impl<'a> Text<'a> {
    const fn len(self) -> usize {
        match self {
            Self::Unread(bytes) => bytes.len(),
            Self::Read(text) => text.len(),
        }
    }

    /// The text, or what it is instead.
    pub(super) fn read(self) -> Result<&'a str, Self> {
        match self {
            Self::Unread(bytes) => std::str::from_utf8(bytes).map_err(|_| self),
            Self::Read(text) => Ok(text),
        }
    }

    /// The text, with signs in place of what is none.
    pub(super) fn lossy(self) -> Cow<'a, str> {
        match self {
            Self::Unread(bytes) => String::from_utf8_lossy(bytes),
            Self::Read(text) => Cow::Borrowed(text),
        }
    }
}

/// What is wrong with the labels of a series (`labels.IsValid`, `HasDuplicateLabelNames`).
fn problem_of(labels: &LabelDraft<'_>) -> Option<String> {
    match labels.get(METRIC_NAME) {
        None => return Some("it has no metric name".to_owned()),
        Some("") => return Some("its metric name is empty".to_owned()),
        Some(_) => {}
    }
    twice_or_nameless(labels)
}

pub(super) fn too_many_labels() -> String {
    format!("it has more than {MAX_LABELS} labels")
}

fn twice_or_nameless(labels: &LabelDraft<'_>) -> Option<String> {
    let names = || labels.iter().map(|(name, _)| name);
    if names().any(str::is_empty) {
        return Some("a label has no name".to_owned());
    }
    if names().is_sorted_by(|one, next| one < next) {
        return None;
    }
    let mut names: Vec<&str> = names().collect();
    names.sort_unstable();
    let mut pairs = names.iter().zip(names.iter().skip(1));
    let twice = pairs.find(|(one, next)| one == next);
    twice.map(|(name, _)| format!("the label {name:?} stands twice"))
}

fn checked(exemplar: Exemplar<'_>) -> Result<Exemplar<'_>, &'static str> {
    if twice_or_nameless(&exemplar.labels).is_some() {
        return Err("a label of an exemplar has no name or stands twice");
    }
    if !exemplar.is_storable() {
        return Err("the labels of an exemplar have more than 128 characters, which no store takes");
    }
    Ok(exemplar)
}

/// The same time in the unit of exemplars and histograms.
pub(super) fn nanos(at: UnixMillis) -> UnixNanos {
    UnixNanos::from_parts(at.get().div_euclid(1_000), at.get().rem_euclid(1_000) * 1_000_000)
}
