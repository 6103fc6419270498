//! The registry as bytes and back, so that the log need not be read from its beginning.
//!
//! A [`Snapshot`] shares the state's memory and is written group by group, off the lock: with a million series its bytes
//! are as many as half of the state's.
//!
//! ```text
//! byte   4    "FBRS"
//!        1    version, 2
//!        n    postcard: seed, log position, number of groups; each group; ended series, history
//!        4    CRC32C of what stands between version and here, little-endian
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sources::{Owner, Source, StoredLayer, StoredSource};
use super::{Group, Registry, Released, RetentionConfig, Retired, layers};
use crate::codec::DecodeError;
use crate::codec::block::Block;
use crate::codec::layer::{Layer, Values};
use crate::codec::shape::Shape;
use crate::model::{GroupKey, Process, SeriesHash, UnixMillis};

const MAGIC: &[u8; 4] = b"FBRS";
const VERSION: u8 = 2;

/// Why a snapshot cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It does not begin as a snapshot does, or a later version wrote it.
    #[error("is no registry snapshot of version {VERSION}")]
    Unknown,
    /// Its checksum does not hold.
    #[error("checksum mismatch (stored {stored:08x}, computed {computed:08x})")]
    Checksum {
        /// The checksum it carries.
        stored: u32,
        /// The checksum of what it holds.
        computed: u32,
    },
    /// It holds a block that does not open.
    #[error(transparent)]
    Block(#[from] DecodeError),
}

/// What stands before the groups: seed, log position, how many groups.
type Head = (u64, u64, u32);

/// What stands behind the groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rest {
    released: Vec<(SeriesHash, u64, UnixMillis)>,
    history: VecDeque<Retired>,
    forgot_until: Option<UnixMillis>,
}

/// The state at one position of the log, ready to be written.
#[derive(Debug)]
pub struct Snapshot {
    head: Head,
    groups: Vec<GroupAsItWas>,
    rest: Rest,
}

/// A group that shares the memory of the one in the registry.
#[derive(Debug)]
struct GroupAsItWas {
    key: Arc<GroupKey>,
    first_seen: UnixMillis,
    last_at: UnixMillis,
    last_push: Option<UnixMillis>,
    last_failure: Option<(UnixMillis, String)>,
    own: Block,
    sources: Vec<SourceAsItWas>,
}

/// A source that shares the memory of the one in the registry.
#[derive(Debug)]
struct SourceAsItWas {
    process: Process,
    peer: String,
    last_push: UnixMillis,
    interval: Option<Duration>,
    delete_asked: Option<UnixMillis>,
    block: Block,
    series: u32,
    layers: Vec<Arc<Layer>>,
}

#[derive(Serialize, Deserialize)]
struct StoredGroup {
    key: GroupKey,
    first_seen: UnixMillis,
    last_at: UnixMillis,
    last_push: Option<UnixMillis>,
    last_failure: Option<(UnixMillis, String)>,
    own_samples: u32,
    own: Vec<u8>,
    sources: Vec<StoredSource>,
}

impl Registry {
    /// The state as it is now, which is what the log says up to `position`. Costs a few pointers for each source.
    #[must_use]
    pub fn snapshot(&self, position: u64) -> Snapshot {
        let groups: Vec<GroupAsItWas> = self
            .groups
            .iter()
            .map(|(key, group)| as_it_was(key, group))
            .collect();
        let released = self.released.iter();
        Snapshot {
            head: (
                self.seed,
                position,
                u32::try_from(groups.len()).unwrap_or(u32::MAX),
            ),
            groups,
            rest: Rest {
                released: released
                    .map(|(series, by)| (*series, by.lane_key, by.at))
                    .collect(),
                history: self.history.clone(),
                forgot_until: self.forgot_until,
            },
        }
    }

    /// The state that [`Registry::snapshot`] wrote, and the log position from which to go on. Silence before `now`
    /// counts against nobody.
    ///
    /// # Errors
    /// [`SnapshotError`]: the bytes are damaged or of a later version.
    pub fn restore(
        config: RetentionConfig,
        bytes: &[u8],
        now: UnixMillis,
    ) -> Result<(Self, u64), SnapshotError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.strip_prefix(&[VERSION]));
        let (body, stored) = rest
            .and_then(|rest| rest.split_last_chunk::<4>())
            .ok_or(SnapshotError::Unknown)?;
        let (stored, computed) = (u32::from_le_bytes(*stored), crc32c::crc32c(body));
        if stored != computed {
            return Err(SnapshotError::Checksum { stored, computed });
        }
        let ((seed, position, groups), mut body): (Head, _) = take(body)?;
        let mut registry = Self::new(config, seed, now);
        for _ in 0..groups {
            let (group, after) = take(body)?;
            registry.restore_group(group)?;
            body = after;
        }
        let (rest, _): (Rest, _) = take(body)?;
        registry.history = rest.history;
        registry.forgot_until = rest.forgot_until;
        registry.released = rest
            .released
            .into_iter()
            .map(|(series, lane_key, at)| (series, Released { lane_key, at }))
            .collect();
        Ok((registry, position))
    }

    fn restore_group(&mut self, stored: StoredGroup) -> Result<(), SnapshotError> {
        let key = Arc::new(stored.key);
        let id = self.name(Owner {
            group: Arc::clone(&key),
            process: None,
        });
        let own = Block::from_parts(stored.own_samples, stored.own.into());
        let own_series = self.identities(&own, usize::MAX)?;
        for series in &own_series {
            self.owners.insert(*series, id);
        }
        let mut sources = Vec::with_capacity(stored.sources.len());
        for stored in stored.sources {
            let id = self.name(Owner {
                group: Arc::clone(&key),
                process: Some(stored.process.clone()),
            });
            let block = Block::from_parts(stored.samples, stored.block.into());
            let series = self.identities(&block, stored.series as usize)?;
            let layers = stored
                .layers
                .into_iter()
                .map(StoredLayer::restore)
                .collect::<Result<Vec<_>, _>>()?;
            self.families.exchange(&[], &layers)?;
            for series in &series {
                self.owners.insert(*series, id);
            }
            sources.push(Source {
                peer: stored.peer,
                last_push: stored.last_push,
                interval: stored.interval,
                delete_asked: stored.delete_asked,
                block,
                series,
                layers,
                ..Source::new(id, stored.process, stored.last_push)
            });
        }
        let group = Group {
            id,
            first_seen: stored.first_seen,
            last_at: stored.last_at,
            last_push: stored.last_push,
            last_failure: stored.last_failure,
            own,
            own_series,
            sources,
        };
        self.groups.insert(key, group);
        Ok(())
    }

    fn identities(&self, block: &Block, count: usize) -> Result<Vec<SeriesHash>, DecodeError> {
        block
            .open()?
            .series()
            .take(count)
            .map(|series| series.map(|series| series.hash(self.seed)))
            .collect()
    }
}

impl Snapshot {
    /// Its bytes, piece by piece.
    pub fn pieces(self) -> impl Iterator<Item = Vec<u8>> {
        let Self { head, groups, rest } = self;
        let mut checksum = 0;
        let mut summed = move |piece: Vec<u8>| {
            checksum = crc32c::crc32c_append(checksum, &piece);
            (piece, checksum)
        };
        let opening = std::iter::once([MAGIC.as_slice(), &[VERSION]].concat());
        let groups = groups.into_iter().map(|group| written(&group.stored()));
        let body = std::iter::once_with(move || written(&head))
            .chain(groups)
            .chain(std::iter::once_with(move || written(&rest)));
        let mut body = body.peekable();
        let closed = std::iter::from_fn(move || {
            let (mut piece, checksum) = summed(body.next()?);
            if body.peek().is_none() {
                piece.extend_from_slice(&checksum.to_le_bytes());
            }
            Some(piece)
        });
        opening.chain(closed)
    }
}

/// As postcard writes it, which fails only for types that do not know their length, and these do.
fn written(value: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn take<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), SnapshotError> {
    postcard::take_from_bytes(bytes).map_err(|_| SnapshotError::Unknown)
}

fn as_it_was(key: &Arc<GroupKey>, group: &Group) -> GroupAsItWas {
    let of_source = |source: &Source| SourceAsItWas {
        process: source.process.clone(),
        peer: source.peer.clone(),
        last_push: source.last_push,
        interval: source.interval,
        delete_asked: source.delete_asked,
        block: source.block.clone(),
        series: u32::try_from(source.series.len()).unwrap_or(u32::MAX),
        layers: source.layers.clone(),
    };
    GroupAsItWas {
        key: Arc::clone(key),
        first_seen: group.first_seen,
        last_at: group.last_at,
        last_push: group.last_push,
        last_failure: group.last_failure.clone(),
        own: group.own.clone(),
        sources: group.sources.iter().map(of_source).collect(),
    }
}

impl GroupAsItWas {
    fn stored(self) -> StoredGroup {
        StoredGroup {
            key: self.key.as_ref().clone(),
            first_seen: self.first_seen,
            last_at: self.last_at,
            last_push: self.last_push,
            last_failure: self.last_failure,
            own_samples: self.own.samples(),
            own: self.own.bytes().to_vec(),
            sources: self.sources.into_iter().map(SourceAsItWas::stored).collect(),
        }
    }
}

impl SourceAsItWas {
    fn stored(self) -> StoredSource {
        StoredSource {
            process: self.process,
            peer: self.peer,
            last_push: self.last_push,
            interval: self.interval,
            delete_asked: self.delete_asked,
            samples: self.block.samples(),
            block: self.block.bytes().to_vec(),
            series: self.series,
            layers: self.layers.iter().map(|layer| StoredLayer::of(layer)).collect(),
        }
    }
}

impl StoredLayer {
    fn of(layer: &Layer) -> Self {
        let Values { numbers, extras } = layer.values();
        Self {
            key: layer.shape().key(),
            shape: layer.shape().bytes().to_vec(),
            numbers: numbers.clone(),
            extras: extras.iter().map(|(of, bytes)| (*of, bytes.to_vec())).collect(),
            at: layer.at(),
        }
    }

    fn restore(self) -> Result<Arc<Layer>, DecodeError> {
        let shape = Arc::new(Shape::from_parts(self.key, self.shape.into())?);
        let extras = self.extras.into_iter().map(|(of, bytes)| (of, bytes.into()));
        let values = Values {
            numbers: self.numbers,
            extras: extras.collect(),
        };
        Ok(layers::layer(shape, values, self.at))
    }
}
