//! One record of the queue: an event that only the registry reads, and three blocks that only the way out reads.
//!
//! ```text
//! byte   1          version, 3
//!        4          length of the event                        all numbers little-endian
//!        n          event (`registry::Event`)
//!        4 4 4 4 n  samples: how many, how many of them native histograms, how many extended, length, block
//!        4 4 4 4 n  stale markers: the same
//!        4 4 4 4 n  exemplars: the same
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::DecodeError;
use super::block::Block;

const VERSION: u8 = 3;
/// The version before, whose blocks do not say how many of their samples are extended: none were.
const BEFORE_EXTENDED: u8 = 2;

/// What one change to one group means for the registry and for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What happened, in the registry's own words; empty for what was received by remote-write, of which it knows nothing.
    pub event: Bytes,
    /// The samples that go out.
    pub samples: Block,
    /// The stale markers that go out: of other series than `samples`.
    pub markers: Block,
    /// The exemplars that go out, after the samples they stand beside. A block of their own, so that a remote that takes
    /// none gets all the rest as it lies here.
    pub exemplars: Block,
}

impl Record {
    /// How many samples the record sends out, stale markers and exemplars included.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        let samples = self.samples.samples().saturating_add(self.markers.samples());
        samples.saturating_add(self.exemplars.samples())
    }

    const fn blocks(&self) -> [&Block; 3] {
        [&self.samples, &self.markers, &self.exemplars]
    }

    /// The bytes of the record.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let len: usize = self.blocks().iter().map(|block| 16 + block.bytes().len()).sum();
        let mut out = BytesMut::with_capacity(1 + 4 + self.event.len() + len);
        out.put_u8(VERSION);
        put_sized(&mut out, &self.event);
        for block in self.blocks() {
            out.put_u32_le(block.samples());
            out.put_u32_le(block.histograms());
            out.put_u32_le(block.extended());
            put_sized(&mut out, block.bytes());
        }
        out.freeze()
    }

    /// Takes a record apart; its parts share the memory of `bytes`.
    ///
    /// # Errors
    /// When `bytes` are cut off, or another version wrote them.
    pub fn decode(mut bytes: Bytes) -> Result<Self, DecodeError> {
        let version = bytes.try_get_u8().map_err(|_| truncated())?;
        if !(BEFORE_EXTENDED..=VERSION).contains(&version) {
            return Err(DecodeError::Invalid {
                what: "record",
                problem: "was written by another version",
            });
        }
        let event = take_sized(&mut bytes)?;
        let samples = take_block(&mut bytes, version)?;
        let markers = take_block(&mut bytes, version)?;
        let exemplars = take_block(&mut bytes, version)?;
        Ok(Self {
            event,
            samples,
            markers,
            exemplars,
        })
    }
}

fn put_sized(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}

fn take_block(bytes: &mut Bytes, version: u8) -> Result<Block, DecodeError> {
    let samples = bytes.try_get_u32_le().map_err(|_| truncated())?;
    let histograms = bytes.try_get_u32_le().map_err(|_| truncated())?;
    let extended = match version {
        BEFORE_EXTENDED => 0,
        _ => bytes.try_get_u32_le().map_err(|_| truncated())?,
    };
    let block = Block::from_parts(samples, take_sized(bytes)?);
    Ok(block.with_histograms(histograms).with_extended(extended))
}

fn take_sized(bytes: &mut Bytes) -> Result<Bytes, DecodeError> {
    let len = bytes.try_get_u32_le().map_err(|_| truncated())? as usize;
    if len > bytes.len() {
        return Err(truncated());
    }
    Ok(bytes.split_to(len))
}

const fn truncated() -> DecodeError {
    DecodeError::Truncated {
        what: "record",
        at: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_version_before_is_read() {
        let old = [&[2, 0, 0, 0, 0][..], &[0; 12], &[0; 12], &[0; 12]].concat();

        let record = Record::decode(Bytes::from(old)).unwrap();

        assert_eq!(record.weight(), 0);
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_cut_anywhere_is_an_error() {
        let record = Record {
            event: Bytes::from_static(b"event"),
            samples: Block::from_parts(2, Bytes::from_static(b"samples"))
                .with_histograms(1)
                .with_extended(2),
            markers: Block::default(),
            exemplars: Block::from_parts(3, Bytes::from_static(b"exemplars")),
        };

        let bytes = record.encode();

        assert_eq!(Record::decode(bytes.clone()).unwrap(), record);
        for end in 0..bytes.len() {
            assert!(Record::decode(bytes.slice(..end)).is_err(), "cut at {end}");
        }
    }
}
