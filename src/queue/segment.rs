//! One file of the log: its name, its header, and what is known of its records.

use std::sync::Arc;

use crate::model::UnixMillis;
use crate::queue::Position;
use crate::queue::record::take;
use crate::queue::stats::Totals;
use crate::queue::storage::StorageFile;

/// The newest segment format this program writes and reads.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Bytes before the first frame of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 32;

const MAGIC: [u8; 8] = *b"FLBRLOG\0";
const SUFFIX: &str = ".log";
const DIGITS: usize = 20;

/// Which segment: the position at which it begins. The only place that knows how its file is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentId(Position);

impl SegmentId {
    pub(super) fn beginning_at(start: Position) -> Self {
        Self(start)
    }

    /// The segment a file name speaks of; `None` for every other file.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(SUFFIX)?;
        let plain = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
        plain
            .then(|| digits.parse().ok().map(|start| Self(Position::new(start))))
            .flatten()
    }

    pub(super) fn file_name(self) -> String {
        format!("{:0DIGITS$}{SUFFIX}", self.0.get())
    }

    /// Where the file's first byte stands in the log.
    pub(super) fn start(self) -> Position {
        self.0
    }

    /// Where the first frame stands in the log.
    pub(super) fn first_frame(self) -> Position {
        self.0.plus(SEGMENT_HEADER_BYTES as u64)
    }

    pub(super) fn header(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&self.0.get().to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn check_header(self, bytes: &[u8]) -> HeaderState {
        let Some((checked, crc)) = bytes.split_last_chunk::<4>() else {
            return HeaderState::Damaged;
        };
        if bytes.len() != SEGMENT_HEADER_BYTES || crc32c::crc32c(checked) != u32::from_le_bytes(*crc) {
            return HeaderState::Damaged;
        }
        match fields(checked) {
            Some((MAGIC, version, _)) if version > FORMAT_VERSION => HeaderState::Future(version),
            Some((MAGIC, FORMAT_VERSION, start)) if start == self.0.get() => HeaderState::Whole,
            _ => HeaderState::Damaged,
        }
    }
}

fn fields(mut bytes: &[u8]) -> Option<([u8; 8], u32, u64)> {
    let magic = take(&mut bytes)?;
    let version = u32::from_le_bytes(take(&mut bytes)?);
    let _reserved: [u8; 4] = take(&mut bytes)?;
    let start = u64::from_le_bytes(take(&mut bytes)?);
    Some((magic, version, start))
}

/// What a segment's header turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderState {
    Whole,
    Damaged,
    Future(u32),
}

/// A segment with records that readers may see: those before `end`.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) end: Position,
    pub(super) totals: Totals,
    pub(super) oldest_at: Option<UnixMillis>,
    pub(super) newest_at: Option<UnixMillis>,
    pub(super) file: Arc<dyn StorageFile>,
}

impl Segment {
    pub(super) fn empty(id: SegmentId, file: Arc<dyn StorageFile>) -> Self {
        let end = id.first_frame();
        Self {
            id,
            end,
            totals: Totals::default(),
            oldest_at: None,
            newest_at: None,
            file,
        }
    }

    /// Takes a record that ends at `end` into the books.
    pub(super) fn count(&mut self, end: Position, weight: u32, at: UnixMillis) {
        self.end = end;
        self.totals += Totals::one(weight);
        self.oldest_at = Some(self.oldest_at.map_or(at, |oldest| oldest.min(at)));
        self.newest_at = Some(self.newest_at.map_or(at, |newest| newest.max(at)));
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end.bytes_since(self.id.start())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end <= self.id.first_frame()
    }

    /// Where `position` stands in the file.
    pub(super) fn offset(&self, position: Position) -> u64 {
        position.bytes_since(self.id.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_found_again_by_its_file_name() {
        let id = SegmentId::beginning_at(Position::new(u64::MAX));

        let parsed = SegmentId::parse(&id.file_name());

        assert_eq!(parsed, Some(id));
    }

    #[test]
    fn other_names_are_no_segments() {
        let names = [
            "0.log",
            "0000000000000000000x.log",
            "99999999999999999999.log",
            "00000000000000000001",
            "",
        ];

        let parsed: Vec<_> = names.into_iter().filter_map(SegmentId::parse).collect();

        assert_eq!(parsed, []);
    }

    #[test]
    fn a_header_is_whole_only_in_its_own_segment() {
        let id = SegmentId::beginning_at(Position::new(4096));

        let elsewhere = SegmentId::beginning_at(Position::new(8192)).check_header(&id.header());

        assert_eq!(
            (id.check_header(&id.header()), elsewhere),
            (HeaderState::Whole, HeaderState::Damaged)
        );
    }

    #[test]
    fn a_later_version_is_told_from_damage() {
        let id = SegmentId::beginning_at(Position::new(0));
        let mut bytes = id.header();
        bytes[8] = 9;
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());

        let state = id.check_header(&bytes);

        assert_eq!(state, HeaderState::Future(9));
    }
}
