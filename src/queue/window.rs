//! Reads frames of a segment through one large read ahead, so that a busy reader makes no call per record.

use std::io;

use bytes::Bytes;

use crate::queue::Position;
use crate::queue::record::{FRAME_HEADER_BYTES, FrameHeader, Record};
use crate::queue::segment::Segment;

/// Bytes read at once.
const READ_AHEAD_BYTES: u64 = 256 << 10;

/// Bytes looked through at once for the next whole frame.
const SEARCH_BYTES: u64 = 1 << 20;

/// A payload that is smaller than this part of the window is copied, so that it does not keep the whole window alive.
const SLICE_FROM_PART: usize = 4;

/// What stands at a position.
pub(super) enum Frame {
    Whole { record: Record, end: Position },
    Damaged,
}

/// The bytes of a segment from `at` on.
#[derive(Debug, Default)]
pub(super) struct Window {
    at: Position,
    bytes: Bytes,
}

impl Window {
    /// The frame at `position`, which must lie within `segment`.
    pub(super) fn frame(&mut self, segment: &Segment, position: Position) -> io::Result<Frame> {
        let room = segment.end.bytes_since(position);
        if room < FRAME_HEADER_BYTES as u64 {
            return Ok(Frame::Damaged);
        }
        let head = self.bytes(segment, position, FRAME_HEADER_BYTES as u64)?;
        let Some(header) = FrameHeader::parse(&head, position, room) else {
            return Ok(Frame::Damaged);
        };
        let frame = self.bytes(segment, position, header.frame_bytes())?;
        let Some(mut record) = header.record(&frame) else {
            return Ok(Frame::Damaged);
        };
        if record.payload.len().saturating_mul(SLICE_FROM_PART) < self.bytes.len() {
            record.payload = Bytes::copy_from_slice(&record.payload);
        }
        Ok(Frame::Whole {
            record,
            end: position.plus(header.frame_bytes()),
        })
    }

    /// The first place after `damaged` where a whole frame stands.
    pub(super) fn next_whole(
        &mut self,
        segment: &Segment,
        damaged: Position,
    ) -> io::Result<Option<Position>> {
        const PLACE: usize = 8;
        let mut from = damaged.plus(1);
        while segment.end.bytes_since(from) >= FRAME_HEADER_BYTES as u64 {
            let length = SEARCH_BYTES.min(segment.end.bytes_since(from));
            let chunk = read(segment, from, length)?;
            for (index, bytes) in chunk.windows(2 * PLACE).enumerate() {
                let candidate = from.plus(index as u64);
                let claimed = bytes
                    .last_chunk::<PLACE>()
                    .map(|place| u64::from_le_bytes(*place));
                if claimed == Some(candidate.get())
                    && matches!(self.frame(segment, candidate)?, Frame::Whole { .. })
                {
                    return Ok(Some(candidate));
                }
            }
            from = from.plus(length + 1 - 2 * PLACE as u64);
        }
        Ok(None)
    }

    fn bytes(&mut self, segment: &Segment, position: Position, wanted: u64) -> io::Result<Bytes> {
        let held = self.at.plus(self.bytes.len() as u64);
        if position < self.at || position.plus(wanted) > held {
            let length = wanted.max(READ_AHEAD_BYTES.min(segment.end.bytes_since(position)));
            self.bytes = read(segment, position, length)?;
            self.at = position;
        }
        let start = usize::try_from(position.bytes_since(self.at)).map_err(io::Error::other)?;
        let length = usize::try_from(wanted).map_err(io::Error::other)?;
        Ok(self.bytes.slice(start..start + length))
    }
}

/// Walks the frames' headers alone: cheap, and enough to count what a segment holds.
pub(super) fn header_at(segment: &Segment, position: Position) -> io::Result<Option<FrameHeader>> {
    let room = segment.end.bytes_since(position);
    if room < FRAME_HEADER_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = [0; FRAME_HEADER_BYTES];
    segment.file.read_at(&mut bytes, segment.offset(position))?;
    Ok(FrameHeader::parse(&bytes, position, room))
}

/// The bytes of `segment` from `position` on.
pub(super) fn read(segment: &Segment, position: Position, length: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    segment.file.read_at(&mut bytes, segment.offset(position))?;
    Ok(bytes.into())
}
