//! What the body of a push says, whichever format it is in.

use crate::model::{Family, Sample};

pub use super::labels::bound_of;

/// What a body says: families in the order of their first mention, samples in the order of theirs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition<'a> {
    /// The families, in text 0.0.4 and protobuf those without any sample included.
    pub families: Vec<Family<'a>>,
    /// The samples; each names its family.
    pub samples: Vec<Sample<'a>>,
    /// Numbers of the samples that the body did not spell out, in order: buckets up to infinity, which protobuf leaves
    /// to whoever reads it.
    pub implied: Vec<u32>,
    /// Numbers of the families that were pushed without a metric and count nevertheless, as they do in protobuf alone
    /// (Pushgateway M04).
    pub bare: Vec<usize>,
    /// The first thing that can be read and makes no sense, such as a label twice. Only protobuf can say such things, and a
    /// Pushgateway finds them once it has read all (M04).
    pub flaw: Option<ProtobufError>,
}

impl Exposition<'_> {
    /// How much it counts for in the books: its samples and their exemplars.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.samples.iter().map(Sample::weight).sum()
    }
}

/// Where a body stops being the text that it should be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text format parsing error in line {line}, column {column}: {problem}")]
pub struct TextError {
    /// The line, counted from 1.
    pub line: usize,
    /// The byte within the line, counted from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub problem: String,
}

/// Where a body stops being the stream of protobuf messages that it should be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protobuf parsing error in metric family {message}: {problem}")]
pub struct ProtobufError {
    /// Which message of the stream, counted from 1.
    pub message: usize,
    /// What is wrong and what was expected.
    pub problem: String,
}

/// The sentence for a body of more than `max_samples` samples.
pub(super) fn too_many_samples(max_samples: usize) -> String {
    format!("more than {max_samples} samples in one push, the limit of pushgateway.max_series")
}

#[cfg(test)]
pub(super) mod tests;
