//! The registry as bytes and back, so that the log need not be read from its beginning.
//!
//! ```text
//! byte   4    "FBRS"
//!        1    version, 1
//!        4    CRC32C of all that follows             numbers little-endian
//!        n    postcard: seed, log position, groups, ended series, history
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sources::{Owner, Source, StoredLayer, StoredSource};
use super::{Group, Registry, Released, RetentionConfig, Retired, layers};
use crate::codec::DecodeError;
use crate::codec::block::Block;
use crate::codec::layer::{Layer, Values};
use crate::codec::shape::Shape;
use crate::model::{GroupKey, SeriesHash, UnixMillis};

const MAGIC: &[u8; 4] = b"FBRS";
const VERSION: u8 = 1;

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

#[derive(Serialize, Deserialize)]
struct Stored {
    seed: u64,
    position: u64,
    groups: Vec<StoredGroup>,
    released: Vec<(SeriesHash, u64, UnixMillis)>,
    history: VecDeque<Retired>,
    forgot_until: Option<UnixMillis>,
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
    /// The state as bytes, together with the log position up to which it has been read.
    #[must_use]
    pub fn snapshot(&self, position: u64) -> Vec<u8> {
        let stored = Stored {
            seed: self.seed,
            position,
            groups: self
                .groups
                .iter()
                .map(|(key, group)| store_group(key, group))
                .collect(),
            released: self
                .released
                .iter()
                .map(|(series, by)| (*series, by.lane_key, by.at))
                .collect(),
            history: self.history.clone(),
            forgot_until: self.forgot_until,
        };
        // postcard fails only for types that do not know their length, and these do
        let body = postcard::to_allocvec(&stored).unwrap_or_default();
        let mut bytes = Vec::with_capacity(body.len() + 9);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
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
        let (stored, body) = rest
            .and_then(|rest| rest.split_first_chunk::<4>())
            .ok_or(SnapshotError::Unknown)?;
        let (stored, computed) = (u32::from_le_bytes(*stored), crc32c::crc32c(body));
        if stored != computed {
            return Err(SnapshotError::Checksum { stored, computed });
        }
        let stored: Stored = postcard::from_bytes(body).map_err(|_| SnapshotError::Unknown)?;
        let mut registry = Self::new(config, stored.seed, now);
        registry.history = stored.history;
        registry.forgot_until = stored.forgot_until;
        registry.released = stored
            .released
            .into_iter()
            .map(|(series, lane_key, at)| (series, Released { lane_key, at }))
            .collect();
        for group in stored.groups {
            registry.restore_group(group)?;
        }
        Ok((registry, stored.position))
    }

    fn restore_group(&mut self, stored: StoredGroup) -> Result<(), SnapshotError> {
        let key = Arc::new(stored.key);
        let id = self.name(Owner {
            group: Arc::clone(&key),
            process: None,
        });
        let own = Block::from_parts(stored.own_samples, stored.own.into());
        let own_series = self.identities(&own, usize::MAX)?;
        self.owners.extend(own_series.iter().map(|series| (*series, id)));
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
            self.owners.extend(series.iter().map(|series| (*series, id)));
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

fn store_group(key: &GroupKey, group: &Group) -> StoredGroup {
    StoredGroup {
        key: key.clone(),
        first_seen: group.first_seen,
        last_at: group.last_at,
        last_push: group.last_push,
        last_failure: group.last_failure.clone(),
        own_samples: group.own.samples(),
        own: group.own.bytes().to_vec(),
        sources: group.sources.iter().map(store_source).collect(),
    }
}

fn store_source(source: &Source) -> StoredSource {
    StoredSource {
        process: source.process.clone(),
        peer: source.peer.clone(),
        last_push: source.last_push,
        interval: source.interval,
        delete_asked: source.delete_asked,
        samples: source.block.samples(),
        block: source.block.bytes().to_vec(),
        series: u32::try_from(source.series.len()).unwrap_or(u32::MAX),
        layers: source.layers.iter().map(|layer| StoredLayer::of(layer)).collect(),
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
