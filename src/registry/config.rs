//! What an operator can set of groups and their end.

use std::time::Duration;

/// The `jobs:` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// A source silent for longer is retired. Default 10 min: ten pushes at Tencent's interval of one minute.
    pub stale_after: Duration,
    /// When set, a source is retired after this many of its own learned intervals instead; `stale_after` still
    /// holds while no interval is learned.
    pub stale_after_intervals: Option<u32>,
    /// How long a retired group stays listed. Default 24 h.
    pub history: Duration,
    /// Most groups known at once; a push that would make one more is refused. Default 100,000.
    pub max_groups: usize,
    /// Most series a group may hold. Default 1,000,000: a Flink process sends at most some ten thousand.
    pub max_series_per_group: usize,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            stale_after: Duration::from_secs(600),
            stale_after_intervals: None,
            history: Duration::from_secs(24 * 3600),
            max_groups: 100_000,
            max_series_per_group: 1_000_000,
        }
    }
}
