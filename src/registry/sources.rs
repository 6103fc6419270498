//! One pushing process within a group: what it owns and how often it speaks.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::{EndReason, RetentionConfig, SourceInfo};
use crate::codec::DecodeError;
use crate::codec::block::Block;
use crate::codec::layer::Layer;
use crate::codec::shape::{Shape, ShapeKey};
use crate::model::{GroupKey, MetricKind, Process, SeriesHash, UnixMillis};

/// Pushes closer than this are one push sent twice: Java repeats a PUT whose connection broke.
const SAME_PUSH: Duration = Duration::from_millis(100);

/// The interval taken of a source that has pushed only once, when its neighbours in the group have not taught a better
/// one: Tencent's, the longest in common use.
const USUAL_INTERVAL: Duration = Duration::from_secs(60);

/// A number for whoever owns a series: a source, or a group for its push times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct OwnerId(pub(super) u32);

/// Who stands behind an [`OwnerId`].
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) group: Arc<GroupKey>,
    /// `None` for the group itself.
    pub(super) process: Option<Process>,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.process {
            None => write!(f, "group {}", self.group),
            Some(process) => write!(f, "group {} ({process})", self.group),
        }
    }
}

/// The shortest interval by which silence is judged: a burst of pushes is no promise to go on like that.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// What a source has pushed and still owns.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) id: OwnerId,
    pub(super) process: Process,
    pub(super) peer: String,
    pub(super) last_push: UnixMillis,
    pub(super) interval: Option<Duration>,
    pub(super) delete_asked: Option<UnixMillis>,
    /// Its series with their last values; may hold more at its end, which `series` does not list.
    pub(super) block: Block,
    /// The identities of its series, in the order of the block.
    pub(super) series: Vec<SeriesHash>,
    /// What it pushed, as it pushed it: no two layers have a family in common.
    pub(super) layers: Vec<Arc<Layer>>,
}

/// The summaries and histograms of a source, among which series are looked up.
pub(super) struct Composites<'a>(HashSet<&'a str, foldhash::fast::RandomState>);

impl<'a> Composites<'a> {
    pub(super) fn of(layers: &'a [Arc<Layer>]) -> Result<Self, DecodeError> {
        let mut composites = HashSet::default();
        for layer in layers {
            for family in layer.shape().families()? {
                let family = family?;
                if matches!(
                    family.kind,
                    MetricKind::Summary | MetricKind::Histogram | MetricKind::GaugeHistogram
                ) {
                    composites.insert(family.name);
                }
            }
        }
        Ok(Self(composites))
    }

    /// The family a series of the source belongs to, by its name.
    pub(super) fn family_of<'n>(&self, name: &'n str) -> &'n str {
        ["_count", "_sum", "_bucket"]
            .into_iter()
            .find_map(|suffix| name.strip_suffix(suffix).filter(|base| self.0.contains(base)))
            .unwrap_or(name)
    }
}

/// A source as it stands in a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredSource {
    pub(super) process: Process,
    pub(super) peer: String,
    pub(super) last_push: UnixMillis,
    pub(super) interval: Option<Duration>,
    pub(super) delete_asked: Option<UnixMillis>,
    pub(super) samples: u32,
    pub(super) block: Vec<u8>,
    pub(super) series: u32,
    pub(super) layers: Vec<StoredLayer>,
}

/// A layer as it stands in a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredLayer {
    pub(super) key: ShapeKey,
    pub(super) shape: Vec<u8>,
    pub(super) numbers: Vec<f64>,
    pub(super) extras: Vec<(u32, Vec<u8>)>,
    pub(super) at: UnixMillis,
}

impl Source {
    pub(super) const fn new(id: OwnerId, process: Process, at: UnixMillis) -> Self {
        Self {
            id,
            process,
            peer: String::new(),
            last_push: at,
            interval: None,
            delete_asked: None,
            block: Block::from_parts(0, bytes::Bytes::new()),
            series: Vec::new(),
            layers: Vec::new(),
        }
    }

    pub(super) fn info(&self) -> SourceInfo {
        SourceInfo {
            process: self.process.clone(),
            peer: self.peer.clone(),
            last_push: self.last_push,
            interval: self.interval,
            series: self.series.len(),
        }
    }

    /// Takes note of a push: it is alive, and this is how often it speaks.
    pub(super) fn heard(&mut self, at: UnixMillis, is_first: FirstPush) {
        let gap = at.since(self.last_push);
        self.interval = match (is_first, self.interval) {
            (FirstPush::Yes, known) => known,
            (FirstPush::No, known) if gap < SAME_PUSH => known,
            (FirstPush::No, None) => Some(gap),
            // a slow mean: one outage counts as two intervals at most, a new setting is learned within a few pushes
            (FirstPush::No, Some(known)) => Some((known * 3 + gap.min(known * 2)) / 4),
        };
        self.last_push = at;
        self.delete_asked = None;
    }

    /// Whether the source has to end by `now`, and why. `neighbours` is the interval learned of others in its group:
    /// processes of one cluster are set up alike.
    pub(super) fn is_due(
        &self,
        now: UnixMillis,
        (awake_since, neighbours): (UnixMillis, Option<Duration>),
        config: &RetentionConfig,
    ) -> Option<EndReason> {
        let is_over = |asked: UnixMillis| now.since(asked.max(awake_since)) > self.sign_of_life(neighbours);
        if self.delete_asked.is_some_and(is_over) {
            return Some(EndReason::Deleted);
        }
        let patience = match (config.stale_after_intervals, self.interval) {
            (Some(count), Some(interval)) => interval.max(SHORTEST_INTERVAL).saturating_mul(count),
            _ => config.stale_after,
        };
        (now.since(self.last_push.max(awake_since)) > patience).then_some(EndReason::Stale)
    }

    /// Whether the source has been silent for so long that another may take over its series.
    pub(super) fn is_silent(
        &self,
        now: UnixMillis,
        awake_since: UnixMillis,
        neighbours: Option<Duration>,
    ) -> bool {
        now.since(self.last_push.max(awake_since)) > self.sign_of_life(neighbours)
    }

    /// Within how long a living source is heard: two of its intervals.
    fn sign_of_life(&self, neighbours: Option<Duration>) -> Duration {
        self.interval
            .or(neighbours)
            .unwrap_or(USUAL_INTERVAL)
            .saturating_mul(2)
    }

    /// The shape of this key, if a push of it still shows.
    pub(super) fn shape(&self, key: ShapeKey) -> Option<Arc<Shape>> {
        let mut shapes = self.layers.iter().map(|layer| layer.shape());
        shapes.find(|shape| shape.key() == key).cloned()
    }

    /// Whether a push of this shape still shows.
    pub(super) fn has_shape(&self, key: ShapeKey) -> bool {
        self.layers.iter().any(|layer| layer.shape().key() == key)
    }
}

/// Whether a source has just appeared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstPush {
    Yes,
    No,
}
