//! What the rules changed, counted.

use std::ops::AddAssign;

/// How many labels (for `relabelled`: label sets) were changed and how; for the caller's metrics, once per batch.
///
/// A change of a grouping label counts once for each sample it comes with, as if it stood in the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Effects {
    /// Labels that got their canonical name, or went because the canonical label says the same.
    pub aliased: u64,
    /// Aliases that disagree with their canonical label: kept in a body, hidden by a grouping label.
    pub alias_conflicts: u64,
    /// Values that lost blanks around them, or got back those that Flink's client sends as `+`.
    pub values_trimmed: u64,
    /// `job_id`s brought into 32 lower-case hex digits.
    pub job_ids_cleaned: u64,
    /// `job_id`s that cannot be; kept as they were.
    pub invalid_job_ids: u64,
    /// Random suffixes and reporter ids taken out of the labels.
    pub suffixes_split: u64,
    /// `container_id` and `application_id` labels taken from a YARN `tm_id`.
    pub yarn_ids: u64,
    /// External labels added.
    pub external_labels: u64,
    /// Label sets that a relabel rule changed.
    pub relabelled: u64,
}

impl Effects {
    /// Every counter with the name it has in metrics.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("aliased", self.aliased),
            ("alias_conflict", self.alias_conflicts),
            ("value_trimmed", self.values_trimmed),
            ("job_id_cleaned", self.job_ids_cleaned),
            ("job_id_invalid", self.invalid_job_ids),
            ("suffix_split", self.suffixes_split),
            ("yarn_id", self.yarn_ids),
            ("external_label", self.external_labels),
            ("relabelled", self.relabelled),
        ]
    }
}

impl AddAssign for Effects {
    fn add_assign(&mut self, more: Self) {
        self.aliased += more.aliased;
        self.alias_conflicts += more.alias_conflicts;
        self.values_trimmed += more.values_trimmed;
        self.job_ids_cleaned += more.job_ids_cleaned;
        self.invalid_job_ids += more.invalid_job_ids;
        self.suffixes_split += more.suffixes_split;
        self.yarn_ids += more.yarn_ids;
        self.external_labels += more.external_labels;
        self.relabelled += more.relabelled;
    }
}
