//! The catalogue as bytes and back.
//!
//! ```text
//! byte   4    "FBMC"
//!        1    version, 1
//!        n    postcard: for each family its name, type, help, unit, and when it was mentioned last
//!        4    CRC32C of what stands between version and here, little-endian
//! ```

use super::{Catalogue, State};
use crate::model::{Metadata, MetricType, UnixMillis};

const MAGIC: &[u8; 5] = b"FBMC\x01";

/// Why stored bytes are no catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// They do not begin as one does, or a later version wrote them.
    #[error("is no catalogue of version 1")]
    Unknown,
    /// Their checksum does not hold.
    #[error("checksum mismatch (stored {stored:08x}, computed {computed:08x})")]
    Checksum {
        /// The checksum they carry.
        stored: u32,
        /// The checksum of what they hold.
        computed: u32,
    },
}

type Stored<'s> = (&'s str, u8, &'s str, &'s str, i64);

/// The catalogue at one moment.
#[derive(Debug)]
pub struct Copied {
    /// As it is to be stored.
    pub bytes: Vec<u8>,
    changes: u64,
}

impl Catalogue {
    /// What there is to store; nothing when nothing has changed since the last that was stored.
    #[must_use]
    pub fn unstored(&self) -> Option<Copied> {
        let state = self.state();
        if state.changes == state.stored {
            return None;
        }
        let families: Vec<Stored<'_>> = state
            .families
            .values()
            .map(|known| {
                let said = &known.said;
                let kind = said.kind.number();
                (&*said.family, kind, &*said.help, &*said.unit, known.seen.get())
            })
            .collect();
        // postcard fails only for types that do not know their length, and these do
        let body = postcard::to_allocvec(&families).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        Some(Copied {
            bytes,
            changes: state.changes,
        })
    }

    /// Takes note that these are on disk.
    pub fn stored(&self, copied: &Copied) {
        self.state().stored = copied.changes;
    }

    /// The catalogue that was stored as these bytes.
    ///
    /// # Errors
    /// [`CatalogueError`]: begin with an empty one.
    pub fn restore(bytes: &[u8]) -> Result<Self, CatalogueError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(CatalogueError::Unknown)?;
        let (body, stored) = rest.split_last_chunk::<4>().ok_or(CatalogueError::Unknown)?;
        let (stored, computed) = (u32::from_le_bytes(*stored), crc32c::crc32c(body));
        if stored != computed {
            return Err(CatalogueError::Checksum { stored, computed });
        }
        let families: Vec<Stored<'_>> = postcard::from_bytes(body).map_err(|_| CatalogueError::Unknown)?;
        let mut state = State::default();
        for (family, kind, help, unit, seen) in families {
            let said = Metadata {
                family: family.to_owned().into(),
                kind: MetricType::of(u64::from(kind)),
                help: help.to_owned().into(),
                unit: unit.to_owned().into(),
            };
            state.put(said, UnixMillis::new(seen));
        }
        Ok(Self(state.into()))
    }
}
