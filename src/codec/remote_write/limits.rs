//! How much of memory and disk a request may ask for, whatever its length.

use crate::codec::DecodeError;

/// What a decoder keeps to. References make much out of few bytes, in memory and more so in the log, where each sample
/// stands beside all its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most labels, samples, buckets, symbols and the like together; each takes about 50 bytes. Default 4 million: two
    /// hundred thousand series with a dozen labels.
    pub max_parts: usize,
    /// Most bytes of labels beside all samples together. Default 512 MiB: a million samples of Flink.
    pub max_label_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_parts: 4_000_000,
            max_label_bytes: 512 << 20,
        }
    }
}

/// What is left of the limits of one request.
pub(super) struct Budget {
    limits: Limits,
    parts: usize,
    label_bytes: usize,
}

impl Budget {
    pub(super) const fn of(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            parts: limits.max_parts,
            label_bytes: limits.max_label_bytes,
        }
    }

    /// Takes so many parts off it.
    pub(super) fn take(&mut self, parts: usize) -> Result<(), DecodeError> {
        self.parts = self.parts.checked_sub(parts).ok_or(DecodeError::TooMany {
            what: "the write request: labels, samples and buckets",
            limit: self.limits.max_parts,
        })?;
        Ok(())
    }

    /// Takes labels of so many bytes off it.
    pub(super) fn take_labels(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.label_bytes = self.label_bytes.checked_sub(bytes).ok_or(DecodeError::TooMany {
            what: "the write request: bytes of labels beside all its samples",
            limit: self.limits.max_label_bytes,
        })?;
        Ok(())
    }
}
