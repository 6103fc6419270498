//! Groups as Pushgateway's `/api/v1/metrics` shows them: one JSON object a group, its families among the keys.
//!
//! Keys are sorted, as Go writes its maps; numbers are strings, as Go prints them; a count is a whole number unless its
//! histogram has a fraction somewhere. Everything is written as it is read, so that a group takes no more memory than
//! one of its metrics.

mod entries;
mod metric;
mod native;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::sync::Arc;

use super::DecodeError;
use super::layer::{Content, Layer};
use crate::model::{GroupKey, Selector, UnixMillis};

use entries::{Entries, Entry};

pub use write::{put_string, rfc3339};

/// What is written of a group.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// Its grouping labels.
    pub key: &'a GroupKey,
    /// What was pushed to it and still shows.
    pub layers: &'a [Arc<Layer>],
    /// When it was first heard of.
    pub first_seen: UnixMillis,
    /// The last push that was taken; `None` while there was none.
    pub last_push: Option<UnixMillis>,
    /// The last push that was refused after it had been read.
    pub last_failure: Option<UnixMillis>,
}

/// Why a group could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What is kept of it is damaged.
    #[error(transparent)]
    Damaged(#[from] DecodeError),
    /// Whoever reads does not take it.
    #[error(transparent)]
    Unread(#[from] io::Error),
}

impl Group<'_> {
    /// Whether a metric of the group, its push times among them, is selected by one of `selectors`; without any, every
    /// group is.
    ///
    /// # Errors
    /// When a layer is damaged.
    pub fn is_selected(&self, selectors: &[Selector]) -> Result<bool, DecodeError> {
        if selectors.is_empty() {
            return Ok(true);
        }
        let mut entries = Entries::of(*self)?;
        while let Some(entry) = entries.next()? {
            if let Entry::Family(family) = entry
                && family.is_selected(self.key, selectors)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the group as an object, with those of its metrics that one of `selectors` selects; without any, with all.
    ///
    /// # Errors
    /// [`WriteError`]: what has been written by then is cut off somewhere.
    pub fn write(&self, out: &mut impl io::Write, selectors: &[Selector]) -> Result<(), WriteError> {
        let mut entries = Entries::of(*self)?;
        let mut comma = "{";
        while let Some(entry) = entries.next()? {
            if let Entry::Family(family) = &entry
                && !selectors.is_empty()
                && !family.is_selected(self.key, selectors)?
            {
                continue;
            }
            out.write_all(comma.as_bytes())?;
            comma = ",";
            match entry {
                Entry::Labels => {
                    out.write_all(b"\"labels\":")?;
                    write::put_strings(out, self.key.iter())?;
                }
                Entry::LastPushSuccessful => {
                    write!(out, "\"last_push_successful\":{}", self.last_push_was_taken()?)?;
                }
                Entry::Family(family) => family.write(out, self.key, selectors)?,
            }
        }
        out.write_all(b"}")?;
        Ok(())
    }

    /// Whether no push has failed since the last that was taken, by the push times as they are shown.
    fn last_push_was_taken(&self) -> Result<bool, DecodeError> {
        let seconds = |at: Option<UnixMillis>| at.map_or(0.0, UnixMillis::as_seconds);
        let mut failed = seconds(self.last_failure);
        if let Some(family) = self.pushed_failure_time()?
            && let Some(metric) = family.metrics().next()
        {
            failed = match metric?.content {
                Content::Simple { value, .. } => value,
                Content::Summary { .. } | Content::Histogram { .. } => 0.0,
            };
        }
        Ok(failed <= seconds(self.last_push))
    }
}
