//! Exemplars: single measurements that stand beside a sample, mostly with the trace they belong to.

use super::{LabelDraft, UnixNanos};

/// One exemplar of a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exemplar<'a> {
    /// What it says besides its value, `trace_id` above all; as pushed, in no order.
    pub labels: LabelDraft<'a>,
    /// What was measured.
    pub value: f64,
    /// When; `None` where the pusher did not say.
    pub at: Option<UnixNanos>,
}

impl Exemplar<'_> {
    /// Most characters that its labels may have, names and values together, for a store to take it (OpenMetrics 1.0,
    /// "Exemplars").
    pub const MAX_LABEL_CHARS: usize = 128;

    /// Whether stores take labels of such a length.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        let chars = |(name, value): (&str, &str)| name.chars().count() + value.chars().count();
        self.labels.iter().map(chars).sum::<usize>() <= Self::MAX_LABEL_CHARS
    }
}
