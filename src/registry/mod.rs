//! Which groups exist, who pushes to them, which series each owns - and what ends when.
//!
//! The registry is a fold over events: [`Registry::plan_push`] and its sisters look at the state and say what a change
//! would mean as a [`Change`]; the owner writes that to the log and then calls [`Registry::apply`]. Reading the log
//! from a snapshot on ([`Registry::replay`]) gives the same state again, so a restart, a kill and a failed write are
//! one case. There is no I/O in this folder, and no clock: time comes as an argument.
//!
//! Invariants: a series has at most one owner; a series ends by exactly one stale marker, later than its last sample;
//! the time of a group never goes back.

mod apply;
mod change;
mod config;
mod consistency;
mod event;
mod layers;
mod owners;
mod plan;
mod snapshot;
mod sources;
mod sweep;
mod times;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::block::Block;
use crate::codec::layer::Layer;
use crate::codec::shape::{Shape, ShapeKey};
use crate::model::{GroupKey, SeriesHash, UnixMillis};

pub use change::{Change, Conflict, Push, Refused};
pub use config::RetentionConfig;
use consistency::FamilyIndex;
pub use consistency::{Clash, Consistency, KnownBy, judge_beside_own};
pub use event::{AsPushed, EndReason, Event, Mode};
use owners::Owners;
pub use snapshot::{Snapshot, SnapshotError};
use sources::{Owner, OwnerId, Source};

/// Maps keyed by what is hashed already, or by small integers.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Series, told apart by what is hashed already.
type SeriesSet = HashSet<SeriesHash, foldhash::fast::RandomState>;

/// How long an ended series is remembered at least, so that a new owner in another lane waits for its stale marker.
const RELEASED_FOR: Duration = Duration::from_secs(2 * 3600);

/// Most ended series remembered; beyond it every newly claimed series waits for all lanes.
const MAX_RELEASED: usize = 1_000_000;

/// Most retired groups listed, whatever `jobs.history` says: 100 bytes each.
const MAX_HISTORY: usize = 100_000;

/// Everything known of groups and their series.
#[derive(Debug)]
pub struct Registry {
    config: RetentionConfig,
    seed: u64,
    groups: Map<Arc<GroupKey>, Group>,
    owners: Owners,
    families: FamilyIndex,
    names: Map<OwnerId, Owner>,
    released: Map<SeriesHash, Released>,
    /// How long they are remembered.
    released_for: Duration,
    /// Set when `released` had to forget: until then every claim waits for all lanes.
    forgot_until: Option<UnixMillis>,
    history: VecDeque<Retired>,
    next_owner: u32,
    /// Silence before this moment was ours, not the pushers'.
    awake_since: UnixMillis,
}

/// One pushed label set.
#[derive(Debug)]
struct Group {
    id: OwnerId,
    first_seen: UnixMillis,
    /// The latest time given to any sample of the group.
    last_at: UnixMillis,
    last_push: Option<UnixMillis>,
    last_failure: Option<(UnixMillis, String)>,
    /// `push_time_seconds` and `push_failure_time_seconds` of this group, as forwarded.
    own: Block,
    own_series: Vec<SeriesHash>,
    sources: Vec<Source>,
}

/// Who had a series that ended, and when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Released {
    lane_key: u64,
    at: UnixMillis,
}

/// A group or source that was ended, kept for the list of what was retired.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Retired {
    /// The group.
    pub group: GroupKey,
    /// The source within it; `None` when the whole group ended.
    pub process: Option<crate::model::Process>,
    /// When.
    pub at: UnixMillis,
    /// Why.
    pub why: EndReason,
    /// How many series ended.
    pub series: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Groups known.
    pub groups: usize,
    /// Pushing processes known.
    pub sources: usize,
    /// Series alive, the push times of groups included.
    pub series: usize,
}

/// What is known of one group, for those who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its key.
    pub key: GroupKey,
    /// When it was first pushed to.
    pub first_seen: UnixMillis,
    /// The last push that was taken.
    pub last_push: Option<UnixMillis>,
    /// The last push that was refused after it had been read, and why.
    pub last_failure: Option<(UnixMillis, String)>,
    /// Its processes, each with its learned interval and number of series.
    pub sources: Vec<SourceInfo>,
}

/// A group as it is shown: what was pushed to it, as it was pushed.
#[derive(Clone, Debug)]
pub struct ShownGroup {
    /// Its key.
    pub key: Arc<GroupKey>,
    /// When it was first pushed to.
    pub first_seen: UnixMillis,
    /// The last push that was taken.
    pub last_push: Option<UnixMillis>,
    /// The last push that was refused after it had been read.
    pub last_failure: Option<UnixMillis>,
    /// What its processes have pushed; for each one layer, or after a POST several without a family in common.
    pub layers: Vec<Arc<Layer>>,
}

/// What is known of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The process.
    pub process: crate::model::Process,
    /// Address it last pushed from.
    pub peer: String,
    /// Its last push.
    pub last_push: UnixMillis,
    /// The push interval learned of it; `None` before the second push.
    pub interval: Option<Duration>,
    /// How many series it owns.
    pub series: usize,
}

impl Registry {
    /// An empty registry. `seed` is the data folder's own; `now` is when we began to listen.
    #[must_use]
    pub fn new(config: RetentionConfig, seed: u64, now: UnixMillis) -> Self {
        Self {
            config,
            seed,
            groups: Map::default(),
            owners: Owners::default(),
            families: FamilyIndex::default(),
            names: Map::default(),
            released: Map::default(),
            released_for: RELEASED_FOR,
            forgot_until: None,
            history: VecDeque::new(),
            next_owner: 0,
            awake_since: now,
        }
    }

    /// The seed under which series are identified.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Takes up other bounds; what is known stays known.
    pub fn configure(&mut self, config: RetentionConfig) {
        self.config = config;
    }

    /// Says how long a stale marker may wait in the log (`queue.max_age`): until then its series is remembered, so that
    /// a new owner in another lane waits for it.
    pub fn remember_ended_for(&mut self, span: Duration) {
        self.released_for = span.max(RELEASED_FOR);
    }

    /// Says that we were not listening until `now`: silence before it counts against nobody.
    pub fn forgive_silence(&mut self, now: UnixMillis) {
        self.awake_since = now;
    }

    /// How much there is.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            groups: self.groups.len(),
            sources: self.groups.values().map(|group| group.sources.len()).sum(),
            series: self.owners.len(),
        }
    }

    /// The key of every group, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<GroupKey>> {
        self.groups.keys()
    }

    /// Every group, in no order.
    pub fn groups(&self) -> impl Iterator<Item = GroupInfo> {
        self.groups.iter().map(|(key, group)| GroupInfo {
            key: key.as_ref().clone(),
            first_seen: group.first_seen,
            last_push: group.last_push,
            last_failure: group.last_failure.clone(),
            sources: group.sources.iter().map(Source::info).collect(),
        })
    }

    /// Every group as it is shown, in no order. Costs a pointer for each layer.
    pub fn shown(&self) -> impl Iterator<Item = ShownGroup> {
        self.groups.iter().map(|(key, group)| ShownGroup {
            key: Arc::clone(key),
            first_seen: group.first_seen,
            last_push: group.last_push,
            last_failure: group.last_failure.as_ref().map(|(at, _)| *at),
            layers: group
                .sources
                .iter()
                .flat_map(|source| source.layers.iter().cloned())
                .collect(),
        })
    }

    /// The shape of this key that a process has pushed to a group before, if what it pushed then is still shown.
    #[must_use]
    pub fn shape(
        &self,
        group: &GroupKey,
        process: &crate::model::Process,
        key: ShapeKey,
    ) -> Option<Arc<Shape>> {
        self.groups.get(group)?.source(process)?.shape(key)
    }

    /// The group of this key.
    #[must_use]
    pub fn push_times(&self, key: &GroupKey) -> (Option<UnixMillis>, Option<UnixMillis>) {
        self.groups.get(key).map_or((None, None), |group| {
            (group.last_push, group.last_failure.as_ref().map(|(at, _)| *at))
        })
    }

    /// What was retired, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &Retired> {
        self.history.iter()
    }
}

/// The key that keeps all records of a group in one lane: the same in every process and version.
fn lane_key(group: &GroupKey) -> u64 {
    xxh3_64(&group.to_bytes())
}

#[cfg(test)]
mod tests;
