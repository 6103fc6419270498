//! What a pass found and did.

use std::time::Duration;

use super::error::SweepError;
use super::sweep::Effect;
use crate::model::UnixMillis;

/// Where the groups were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `/api/v1/metrics`.
    Json,
    /// `/metrics`, of gateways without the JSON API.
    Text,
}

/// What a pass found and did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The gateway's address, without secrets.
    pub url: String,
    /// What was asked for.
    pub effect: Effect,
    /// Silent for longer is stale.
    pub older_than: Duration,
    /// Where the groups were read.
    pub source: Source,
    /// The time that ages are counted from: the gateway's, or ours if it told none.
    pub judged_at: UnixMillis,
    /// How far the gateway's clock is ahead of ours, in milliseconds; behind if negative. `None` when it told no time.
    pub ahead_millis: Option<i64>,
    /// How long reading took.
    pub read_took: Duration,
    /// How long all took.
    pub took: Duration,
    /// Groups that were read.
    pub read: usize,
    /// Groups that the selector left out.
    pub unselected: usize,
    /// Selected groups that are alive, or show no time to judge them by.
    pub alive: usize,
    /// Selected groups that are stale; the oldest first.
    pub groups: Vec<Swept>,
    /// Why not all was done that should have been.
    pub cut_short: Option<SweepError>,
}

/// A group, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The grouping labels, sorted by name.
    pub labels: Vec<(String, String)>,
    /// The paths that are deleted, below the gateway's address: one, or two where `/metrics` does not tell which of
    /// two keys it is; none where no path names it.
    pub paths: Vec<String>,
    /// When a push was taken last.
    pub pushed: Option<UnixMillis>,
    /// When a push was refused last.
    pub failed: Option<UnixMillis>,
    /// How long it has been silent.
    pub age: Duration,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It would be deleted, were this no rehearsal.
    WouldDelete,
    /// The gateway took its deletion.
    Deleted,
    /// It was stale, and was pushed to before its turn came.
    PushedAgain,
    /// Somebody else deleted it before its turn came.
    Gone,
    /// The gateway refused its deletion, or did not answer.
    Failed(String),
    /// The pass ended before its turn came.
    Untried,
    /// It cannot be deleted, and why.
    Impossible(&'static str),
}

impl Outcome {
    /// In one or two words.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::WouldDelete => "would delete",
            Self::Deleted => "deleted",
            Self::PushedAgain => "pushed again",
            Self::Gone => "gone",
            Self::Failed(_) => "failed",
            Self::Untried => "not tried",
            Self::Impossible(_) => "impossible",
        }
    }

    /// Why it was not deleted, if somebody has to be told.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            Self::Impossible(why) => Some(why),
            _ => None,
        }
    }
}

impl Report {
    /// How many groups had an outcome called so.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        let is_so = |group: &&Swept| group.outcome.word() == word;
        self.groups.iter().filter(is_so).count()
    }

    /// How many stale groups can be named, and so deleted.
    #[must_use]
    pub fn deletable(&self) -> usize {
        self.groups.len() - self.count("impossible")
    }

    /// Whether all that was stale is gone, or would be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.cut_short.is_none() && self.count("failed") == 0
    }
}
