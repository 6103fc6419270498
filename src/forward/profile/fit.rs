//! Makes a series fit a remote's limits, or says why it cannot.

use std::borrow::Cow;
use std::time::Duration;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::{Beyond, BeyondNames, Changed, Dropped, Limits};
use crate::codec::DecodeError;
use crate::codec::block::EncodedSeries;
use crate::model::{LabelSet, METRIC_NAME, NameScheme, UnixMillis, escape_name};

/// `_` and 16 hex digits: what a truncated text ends in.
const SUFFIX_BYTES: usize = 17;

/// The limits on a series, at one moment.
#[derive(Clone, Copy, Debug)]
pub(in crate::forward) struct Bounds<'a> {
    limits: &'a Limits,
    max_labels: usize,
    metric_name: Length,
    label_name: Length,
    label_value: Length,
    now: UnixMillis,
    max_age: Duration,
    newest: UnixMillis,
}

/// How long a text may be, what is done with a longer one, and as what either counts.
#[derive(Clone, Copy, Debug)]
struct Length {
    most: usize,
    beyond: Beyond,
    cut: Changed,
    dropped: Dropped,
}

impl<'a> Bounds<'a> {
    /// The bounds that `limits` set at `now`; `None` when they set none, so that no record need be looked at.
    pub(in crate::forward) fn of(limits: &'a Limits, now: UnixMillis) -> Option<Self> {
        let length = |limit: super::TextLimit, cut, dropped| Length {
            most: limit.kept(),
            beyond: limit.beyond,
            cut,
            dropped,
        };
        let bounds = Self {
            limits,
            max_labels: limits
                .max_labels
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(usize::MAX),
            metric_name: length(limits.metric_name, Changed::NameTruncated, Dropped::MetricName),
            label_name: length(limits.label_name, Changed::NameTruncated, Dropped::LabelName),
            label_value: length(limits.label_value, Changed::ValueTruncated, Dropped::LabelValue),
            now,
            max_age: limits.max_age.unwrap_or(Duration::MAX),
            newest: limits
                .max_ahead
                .map_or(UnixMillis::new(i64::MAX), |ahead| now.after(ahead)),
        };
        let lengths = [bounds.metric_name, bounds.label_name, bounds.label_value];
        let is_bounded = lengths.iter().any(|length| length.most < usize::MAX)
            || bounds.max_labels < usize::MAX
            || limits.max_age.is_some()
            || limits.max_ahead.is_some()
            || limits.names == NameScheme::Classic;
        is_bounded.then_some(bounds)
    }

    /// Whether the series goes out as it is. Looks at lengths, copies nothing.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub(in crate::forward) fn pass(&self, series: &EncodedSeries<'_>) -> Result<bool, DecodeError> {
        if self.time(series.at).is_err() {
            return Ok(false);
        }
        let is_classic = self.limits.names == NameScheme::Classic;
        let mut count = 0;
        for label in series.encoded_labels() {
            let (name, value) = label?;
            count += 1;
            let passes = if name == METRIC_NAME.as_bytes() {
                value.len() <= self.metric_name.most && (!is_classic || is_name(value, Colon::May))
            } else {
                name.len() <= self.label_name.most
                    && value.len() <= self.label_value.most
                    && (!is_classic || is_name(name, Colon::MayNot))
            };
            if !passes {
                return Ok(false);
            }
        }
        Ok(count <= self.max_labels)
    }

    /// Whether a sample of this time is taken.
    ///
    /// # Errors
    /// Why not.
    pub(in crate::forward) fn time(&self, at: UnixMillis) -> Result<(), Dropped> {
        if self.now.since(at) > self.max_age {
            return Err(Dropped::TooOld);
        }
        if at > self.newest {
            return Err(Dropped::TooFarAhead);
        }
        Ok(())
    }

    /// The series as the remote takes it, and what was done to its labels: nothing, when it passes as it is. The same
    /// labels become the same labels always, and what has been made to fit stays as it is.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub(in crate::forward) fn fit<'l>(
        &self,
        labels: LabelSet<'l>,
    ) -> Result<(LabelSet<'l>, Vec<Changed>), Dropped> {
        let mut changes = Vec::new();
        let mut draft = labels.into_draft();
        for (name, value) in draft.iter_mut() {
            if name == METRIC_NAME {
                self.spell(value, Colon::May, &mut changes)?;
                self.metric_name.shorten(value, &mut changes)?;
                continue;
            }
            self.spell(name, Colon::MayNot, &mut changes)?;
            self.label_name.shorten(name, &mut changes)?;
            self.label_value.shorten(value, &mut changes)?;
        }
        draft.retain(|name, value| !name.is_empty() && !value.is_empty());
        for name in &self.limits.drop_labels_first {
            if draft.len() <= self.max_labels {
                break;
            }
            if draft.remove(name).is_some() {
                changes.push(Changed::LabelDropped);
            }
        }
        if draft.len() > self.max_labels {
            return Err(Dropped::TooManyLabels);
        }
        Ok((draft.into_set(), changes))
    }

    /// Spells a name so that the remote takes it.
    fn spell(
        &self,
        name: &mut Cow<'_, str>,
        colon: Colon,
        changes: &mut Vec<Changed>,
    ) -> Result<(), Dropped> {
        if self.limits.names == NameScheme::Utf8 || is_name(name.as_bytes(), colon) {
            return Ok(());
        }
        match self.limits.beyond_names {
            BeyondNames::DropSeries => Err(Dropped::NameNotClassic),
            BeyondNames::Escape => {
                *name = Cow::Owned(escape_name(name).into_owned());
                changes.push(Changed::NameEscaped);
                Ok(())
            }
        }
    }
}

impl Length {
    /// Makes a text fit; an empty one stands for a label that is to go.
    fn shorten(&self, text: &mut Cow<'_, str>, changes: &mut Vec<Changed>) -> Result<(), Dropped> {
        if text.len() <= self.most {
            return Ok(());
        }
        match self.beyond {
            Beyond::Leave => {}
            Beyond::DropSeries => return Err(self.dropped),
            Beyond::DropLabel => {
                *text = Cow::Borrowed("");
                changes.push(Changed::LabelDropped);
            }
            Beyond::Truncate => {
                *text = Cow::Owned(truncated(text, self.most));
                changes.push(self.cut);
            }
        }
        Ok(())
    }
}

/// As much of `text` as leaves room for a hash of all of it.
fn truncated(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most.saturating_sub(SUFFIX_BYTES));
    let kept = text.get(..end).unwrap_or_default();
    format!("{kept}_{:016x}", xxh3_64(text.as_bytes()))
}

/// Whether a name may have colons: a metric's may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Colon {
    May,
    MayNot,
}

/// Whether a name is classic; on bytes, for no name of other characters is.
fn is_name(name: &[u8], colon: Colon) -> bool {
    let may_stand =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b':' && colon == Colon::May);
    let Some(first) = name.first() else { return false };
    !first.is_ascii_digit() && name.iter().all(|byte| may_stand(*byte))
}

/// What tells label sets of one record apart. Names and values cannot run into each other: no UTF-8 text has the byte
/// between them.
pub(in crate::forward) fn identity(labels: &LabelSet<'_>) -> u64 {
    let mut hash = Xxh3Default::new();
    for (name, value) in labels.iter() {
        for text in [name, value] {
            hash.update(text.as_bytes());
            hash.update(&[0xff]);
        }
    }
    hash.digest()
}

#[cfg(test)]
mod tests;
