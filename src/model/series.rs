//! Series as a remote-write request brings them: one set of labels, and all that the request has of it.

use super::{Exemplar, LabelDraft, Metadata, NativeHistogram, UnixMillis};

/// One series of a request, as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenSeries<'a> {
    /// Its labels, unsorted if the sender did not sort them.
    pub labels: LabelDraft<'a>,
    /// The same labels as they lie in the request.
    pub encoded: Encoded<'a>,
    /// Its samples, in the order they were sent.
    pub samples: Vec<WrittenSample>,
    /// Its native histograms, in the order they were sent.
    pub histograms: Vec<WrittenHistogram>,
    /// Its exemplars, in the order they were sent.
    pub exemplars: Vec<Exemplar<'a>>,
    /// What it says of its family; only version 2.0 does.
    pub metadata: Option<Metadata<'a>>,
}

/// Labels of a series as they lie in a request: `Label` messages of remote-write 1.0, each with its tag and length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoded<'a> {
    /// They do not lie like that, or nobody asked.
    #[default]
    Unknown,
    /// Like this.
    Read(&'a [u8]),
    /// Like this, and known by this number: nobody has read them, so that the draft has none.
    Known(&'a [u8], u32),
}

/// A sample with its own time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrittenSample {
    /// Its value, bit for bit: NaNs keep their payload, stale markers above all.
    pub value: f64,
    /// When it was taken.
    pub at: UnixMillis,
    /// Since when its metric counts, if the sender said so (`start_timestamp` of version 2.0, where zero is unset).
    pub created: Option<UnixMillis>,
}

/// A native histogram with its own time.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenHistogram {
    /// What was counted.
    pub histogram: NativeHistogram,
    /// When.
    pub at: UnixMillis,
}
