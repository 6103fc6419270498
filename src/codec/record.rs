//! One record of the queue: an event that only the registry reads, and two blocks that only the way out reads.
//!
//! ```text
//! byte   1        version, 1
//!        4        length of the event                          all numbers little-endian
//!        n        event (`registry::Event`)
//!        4 4 n    samples: how many, length, block
//!        4 4 n    stale markers: how many, length, block
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::DecodeError;
use super::block::Block;

const VERSION: u8 = 1;

/// What one change to one group means for the registry and for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What happened, in the registry's own words.
    pub event: Bytes,
    /// The samples that go out.
    pub samples: Block,
    /// The stale markers that go out: of other series than `samples`.
    pub markers: Block,
}

impl Record {
    /// How many samples the record sends out, stale markers included.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.samples.samples().saturating_add(self.markers.samples())
    }

    /// The bytes of the record.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let len = self.event.len() + self.samples.bytes().len() + self.markers.bytes().len() + 21;
        let mut out = BytesMut::with_capacity(len);
        out.put_u8(VERSION);
        put_sized(&mut out, &self.event);
        for block in [&self.samples, &self.markers] {
            out.put_u32_le(block.samples());
            put_sized(&mut out, block.bytes());
        }
        out.freeze()
    }

    /// Takes a record apart; its parts share the memory of `bytes`.
    ///
    /// # Errors
    /// When `bytes` are cut off, or a later version wrote them.
    pub fn decode(mut bytes: Bytes) -> Result<Self, DecodeError> {
        let version = bytes.try_get_u8().map_err(|_| truncated())?;
        if version != VERSION {
            return Err(DecodeError::Invalid {
                what: "record",
                problem: "was written by a later version",
            });
        }
        let event = take_sized(&mut bytes)?;
        let samples = take_block(&mut bytes)?;
        let markers = take_block(&mut bytes)?;
        Ok(Self {
            event,
            samples,
            markers,
        })
    }
}

fn put_sized(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}

fn take_block(bytes: &mut Bytes) -> Result<Block, DecodeError> {
    let samples = bytes.try_get_u32_le().map_err(|_| truncated())?;
    Ok(Block::from_parts(samples, take_sized(bytes)?))
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
    fn a_record_comes_back_as_it_was_and_cut_anywhere_is_an_error() {
        let record = Record {
            event: Bytes::from_static(b"event"),
            samples: Block::from_parts(2, Bytes::from_static(b"samples")),
            markers: Block::default(),
        };

        let bytes = record.encode();

        assert_eq!(Record::decode(bytes.clone()).unwrap(), record);
        for end in 0..bytes.len() {
            assert!(Record::decode(bytes.slice(..end)).is_err(), "cut at {end}");
        }
    }
}
