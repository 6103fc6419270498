//! One framed record: what is stored of it, byte by byte, and how it is known to be whole.
//!
//! The bytes are described in `docs/queue-format.md`.

use bytes::Bytes;

use crate::model::UnixMillis;
use crate::queue::Position;

/// Most bytes of one payload, so that a damaged length never makes us allocate more.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;

/// Bytes before the payload of a frame.
pub(super) const FRAME_HEADER_BYTES: usize = 40;

/// Bytes of the frame's header that its checksum covers, and the least its length can be.
const CHECKED_HEADER_BYTES: usize = 32;

/// Bytes before those that the checksum covers.
const UNCHECKED_BYTES: usize = FRAME_HEADER_BYTES - CHECKED_HEADER_BYTES;

const FENCE: u32 = 1;

/// What the queue stores: bytes, and the little that the queue must know of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Records of one key stay in one lane and thus in order.
    pub key: u64,
    /// What a loss is counted in: samples.
    pub weight: u32,
    /// Must not overtake, nor be overtaken by, records of other lanes. The queue keeps the mark; the reader obeys it.
    pub fence: bool,
    /// When it came; its age is measured from here.
    pub at: UnixMillis,
    /// The bytes themselves; at most [`MAX_PAYLOAD_BYTES`].
    pub payload: Bytes,
}

impl Record {
    /// Bytes this record takes on disk.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        (FRAME_HEADER_BYTES + self.payload.len()) as u64
    }

    /// Appends the frame of this record at `position` to `out`.
    pub(super) fn encode(&self, position: Position, out: &mut Vec<u8>) {
        let mut header = Vec::with_capacity(CHECKED_HEADER_BYTES);
        header.extend_from_slice(&position.get().to_le_bytes());
        header.extend_from_slice(&self.key.to_le_bytes());
        header.extend_from_slice(&self.at.get().to_le_bytes());
        header.extend_from_slice(&self.weight.to_le_bytes());
        header.extend_from_slice(&if self.fence { FENCE } else { 0 }.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header), &self.payload);
        let length = u32::try_from(CHECKED_HEADER_BYTES + self.payload.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.payload);
    }
}

/// The fixed part of a frame, believed as far as a header alone can be: right place, possible length.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    length: u32,
    crc: u32,
    key: u64,
    pub(super) at: UnixMillis,
    pub(super) weight: u32,
    flags: u32,
}

impl FrameHeader {
    /// Reads the header of a frame that stands at `position` and ends within `room` bytes; `None` when it cannot be one.
    pub(super) fn parse(mut bytes: &[u8], position: Position, room: u64) -> Option<Self> {
        let length = u32::from_le_bytes(take(&mut bytes)?);
        let crc = u32::from_le_bytes(take(&mut bytes)?);
        let written_at = u64::from_le_bytes(take(&mut bytes)?);
        let key = u64::from_le_bytes(take(&mut bytes)?);
        let at = UnixMillis::new(i64::from_le_bytes(take(&mut bytes)?));
        let weight = u32::from_le_bytes(take(&mut bytes)?);
        let flags = u32::from_le_bytes(take(&mut bytes)?);
        let header = Self {
            length,
            crc,
            key,
            at,
            weight,
            flags,
        };
        let possible =
            (CHECKED_HEADER_BYTES..=CHECKED_HEADER_BYTES + MAX_PAYLOAD_BYTES).contains(&(length as usize));
        (written_at == position.get() && possible && header.frame_bytes() <= room).then_some(header)
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(self) -> u64 {
        UNCHECKED_BYTES as u64 + u64::from(self.length)
    }

    /// The record, when the checksum over `frame` (header and payload) says that it is whole.
    pub(super) fn record(self, frame: &Bytes) -> Option<Record> {
        (crc32c::crc32c(frame.get(UNCHECKED_BYTES..)?) == self.crc).then(|| Record {
            key: self.key,
            weight: self.weight,
            fence: self.flags & FENCE != 0,
            at: self.at,
            payload: frame.slice(FRAME_HEADER_BYTES..),
        })
    }
}

/// Cuts the first `N` bytes off `bytes`.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            key: 7,
            weight: 3,
            fence: true,
            at: UnixMillis::new(-5),
            payload: Bytes::from_static(b"hello"),
        }
    }

    fn frame(position: Position) -> Vec<u8> {
        let mut bytes = Vec::new();
        record().encode(position, &mut bytes);
        bytes
    }

    fn decode(bytes: &[u8], position: Position) -> Option<Record> {
        let header = FrameHeader::parse(bytes, position, bytes.len() as u64)?;
        header.record(&Bytes::copy_from_slice(
            &bytes[..usize::try_from(header.frame_bytes()).unwrap()],
        ))
    }

    #[test]
    fn a_record_comes_back_as_it_was_stored() {
        let bytes = frame(Position::new(99));

        let decoded = decode(&bytes, Position::new(99));

        assert_eq!(decoded, Some(record()));
    }

    #[test]
    fn a_frame_is_not_believed_at_another_place_than_its_own() {
        let bytes = frame(Position::new(99));

        let decoded = decode(&bytes, Position::new(100));

        assert_eq!(decoded, None);
    }

    #[test]
    fn no_single_flipped_bit_goes_unnoticed() {
        let whole = frame(Position::new(99));

        let believed: Vec<usize> = (0..whole.len() * 8)
            .filter(|bit| {
                let mut damaged = whole.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                decode(&damaged, Position::new(99)).is_some()
            })
            .collect();

        assert_eq!(believed, Vec::<usize>::new());
    }
}
