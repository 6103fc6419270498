//! What a remote-write request says, whichever version it is in.

use crate::model::{Metadata, WrittenSeries};

/// A request that can be read: what of it makes sense, and what does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request<'a> {
    /// The series that make sense, in the order they were sent.
    pub series: Vec<WrittenSeries<'a>>,
    /// The series, or parts of them, that do not.
    pub flawed: Vec<Flaw>,
    /// What version 1.0 says of families, apart from any series.
    pub metadata: Vec<Metadata<'a>>,
}

/// Something in a request that cannot be taken, while the rest can (PRW R1-05, R2-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The series, as far as it can be named.
    pub series: String,
    /// What is wrong with it.
    pub problem: String,
    /// What is not taken because of it.
    pub counts: Counts,
}

/// How much there is of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that are floats.
    pub samples: u64,
    /// Native histograms.
    pub histograms: u64,
    /// Exemplars.
    pub exemplars: u64,
}

impl Counts {
    /// All a series has.
    #[must_use]
    pub const fn of(series: &WrittenSeries<'_>) -> Self {
        Self {
            samples: series.samples.len() as u64,
            histograms: series.histograms.len() as u64,
            exemplars: series.exemplars.len() as u64,
        }
    }

    /// What it counts for in the books.
    #[must_use]
    pub const fn weight(self) -> u64 {
        self.samples + self.histograms + self.exemplars
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.histograms += other.histograms;
        self.exemplars += other.exemplars;
    }
}

impl Request<'_> {
    /// How much there is in it, with what makes no sense.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let flawed = self.flawed.iter().map(|flaw| flaw.counts);
        let mut counts = Counts::default();
        for part in self.series.iter().map(Counts::of).chain(flawed) {
            counts += part;
        }
        counts
    }
}
