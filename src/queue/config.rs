//! What an operator can set of the queue.

use std::time::Duration;

/// When an append counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// After the sync that covers it; whoever waits shares one sync (the default).
    Always,
    /// After the write; a sync follows at most this much later. A power cut loses up to that span.
    Interval(Duration),
    /// After the write; the operating system syncs when it likes.
    Never,
}

/// What happens to an append when the queue has reached its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest segment goes, counted as dropped for every reader that had not passed it.
    DropOldest,
    /// The append is refused, and the sender told to come again.
    Refuse,
}

/// Bounds and habits of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// When an append counts as done. Default [`SyncPolicy::Always`].
    pub sync: SyncPolicy,
    /// Most bytes on disk. Default 8 GiB: two hours of 2 M samples a minute at 33 bytes.
    pub max_bytes: u64,
    /// Oldest record worth keeping. Default 2 h: beyond it most stores refuse samples as too old.
    pub max_age: Duration,
    /// What happens when a bound is reached. Default [`WhenFull::DropOldest`].
    pub when_full: WhenFull,
    /// Bytes after which a new segment is begun. Default 64 MiB: the unit in which space comes back.
    pub segment_bytes: u64,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            sync: SyncPolicy::Always,
            max_bytes: 8 << 30,
            max_age: Duration::from_secs(2 * 3600),
            when_full: WhenFull::DropOldest,
            segment_bytes: 64 << 20,
        }
    }
}
