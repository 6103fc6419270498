//! Opening: what is on disk becomes the books of the log. A torn tail is cut, what cannot be read is set aside.

use std::collections::VecDeque;

use crate::queue::bookmark::{Bookmark, BookmarkName};
use crate::queue::lanes::Progress;
use crate::queue::quarantine::{Quarantined, quarantine, quarantine_copy, quarantine_file};
use crate::queue::record::{FRAME_HEADER_BYTES, FrameHeader};
use crate::queue::segment::{FORMAT_VERSION, HeaderState, SEGMENT_HEADER_BYTES, Segment, SegmentId};
use crate::queue::stats::Totals;
use crate::queue::storage::{LOCK, Storage};
use crate::queue::window::{Frame, Window, header_at, read};
use crate::queue::{Position, QueueError};

/// What opening found.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Segments found.
    pub segments: u64,
    /// Records in them and their weight.
    pub found: Totals,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of an unfinished append at the end, which nobody was told is durable.
    pub cut_bytes: u64,
    /// Bytes of the log that no file holds: segments were removed or cut by others than us, or lost with the power where
    /// [`SyncPolicy`](super::SyncPolicy) allows it. What stood there is lost and, being unknown, in no count.
    pub missing_bytes: u64,
    /// Readers that stood before the oldest record held, and by how many bytes. What lies between was dropped when the
    /// log was full or old, unless it had arrived and we were killed before that was written down.
    pub overtaken: Vec<(String, u64)>,
    /// Damage found now (not that which earlier openings found).
    pub quarantined: Vec<Quarantined>,
    /// Files that are not the queue's; they are left alone. Names that end in `.snapshot` are not mentioned.
    pub unknown_files: Vec<String>,
    /// Names of the readers known from before.
    pub readers: Vec<String>,
    /// Why appends are refused, when the disk cannot be written to; reading works. See
    /// [`Queue::resume`](super::Queue::resume).
    pub refusing: Option<QueueError>,
}

/// What recovery hands to the queue.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) segments: VecDeque<Segment>,
    /// Where the log goes on: after all that is stored and all that any reader has seen.
    pub(super) tail: Position,
    pub(super) bookmarks: Vec<(BookmarkName, Bookmark, Progress)>,
    pub(super) report: Opened,
}

/// How much of a frame is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// All bytes: for the segment that was being written.
    Checksums,
    /// The headers, to count; damage to payloads is found when they are read.
    Headers,
}

pub(super) fn recover(storage: &dyn Storage) -> Result<Recovered, QueueError> {
    let mut report = Opened::default();
    let (ids, names) = sort_files(storage, &mut report)?;
    let mut segments = VecDeque::new();
    let followers = ids.iter().skip(1).map(|next| Some(next.start())).chain([None]);
    for (id, next) in ids.iter().zip(followers) {
        segments.extend(recover_segment(storage, *id, next, &mut report)?);
    }
    report.missing_bytes = missing_bytes(storage, &segments)?;
    // What readers are shown must last, whoever wrote it and was killed before the sync.
    if let Some(Err(error)) = segments.back().map(|last| last.file.sync()) {
        tracing::error!(%error, "could not sync the last segment; what nobody was told of may be lost");
    }
    let mut bookmarks = Vec::new();
    for name in names {
        bookmarks.push(recover_bookmark(storage, name, &mut report)?);
    }
    report.overtaken = overtaken(&segments, &bookmarks);
    let seen = bookmarks.iter().map(|(_, _, progress)| progress.highest());
    let tail = seen
        .chain(segments.back().map(|last: &Segment| last.end))
        .max()
        .unwrap_or_default();
    for segment in &segments {
        report.segments += 1;
        report.found += segment.totals;
        report.bytes += segment.bytes();
    }
    Ok(Recovered {
        segments,
        tail,
        bookmarks,
        report,
    })
}

fn sort_files(
    storage: &dyn Storage,
    report: &mut Opened,
) -> Result<(Vec<SegmentId>, Vec<BookmarkName>), QueueError> {
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for file in storage
        .list("")
        .map_err(|error| QueueError::io("list", storage.place(""), error))?
    {
        if let Some(id) = SegmentId::parse(&file) {
            ids.push(id);
        } else if let Some(name) = BookmarkName::parse(&file) {
            names.push(name);
        } else if file != LOCK && !file.ends_with(".tmp") && !file.ends_with(".snapshot") {
            tracing::warn!(
                file = storage.place(&file),
                "a file in the queue's folder is not the queue's; left alone"
            );
            report.unknown_files.push(file);
        }
    }
    ids.sort_unstable();
    names.sort_unstable();
    Ok((ids, names))
}

fn recover_segment(
    storage: &dyn Storage,
    id: SegmentId,
    next: Option<Position>,
    report: &mut Opened,
) -> Result<Option<Segment>, QueueError> {
    let name = id.file_name();
    let failed = |error| QueueError::io("read", storage.place(&name), error);
    let file = storage.open(&name).map_err(failed)?;
    let length = file.length().map_err(failed)?;
    if length < SEGMENT_HEADER_BYTES as u64 {
        if next.is_some() {
            report.quarantined.extend(quarantine_file(storage, &name, length));
        } else {
            // It is taken away before the next segment begins, as every file from the tail on.
            report.cut_bytes += length;
        }
        return Ok(None);
    }
    let limit = id
        .start()
        .plus(length)
        .min(next.unwrap_or(Position::new(u64::MAX)));
    let extent = Segment {
        end: limit,
        ..Segment::empty(id, file)
    };
    check_header(storage, &extent, report)?;
    let check = if next.is_none() {
        Check::Checksums
    } else {
        Check::Headers
    };
    let (mut segment, mut damaged) = count(&extent, check).map_err(failed)?;
    if check == Check::Headers && !damaged.is_empty() {
        // A damaged length leads past good frames, so headers alone are not to be believed here.
        (segment, damaged) = count(&extent, Check::Checksums).map_err(failed)?;
    }
    for (from, to) in damaged {
        if next.is_none() && to == limit && torn(&extent, from).map_err(failed)? {
            tracing::warn!(
                segment = name,
                offset_bytes = extent.offset(from),
                "cut an unfinished append"
            );
            report.cut_bytes += to.bytes_since(from);
            continue;
        }
        match quarantine(storage, &extent, from, to) {
            Ok(aside) => report.quarantined.extend(aside),
            Err(_) => segment.end = segment.end.max(to),
        }
    }
    Ok(Some(segment))
}

/// Each segment begins where the one before ends: what lies between is missing.
fn missing_bytes(storage: &dyn Storage, segments: &VecDeque<Segment>) -> Result<u64, QueueError> {
    let mut missing = 0;
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        let (name, begins) = (segment.id.file_name(), next.id.start());
        let length = segment.file.length();
        let length = length.map_err(|error| QueueError::io("read", storage.place(&name), error))?;
        let bytes = begins.bytes_since(segment.id.start().plus(length));
        if bytes > 0 {
            tracing::error!(
                segment = name,
                bytes,
                "bytes of the log are missing after a segment; what stood there is lost and not counted"
            );
        }
        missing += bytes;
    }
    Ok(missing)
}

/// Drops are counted when they happen, but not of what was then in flight, in memory alone.
fn overtaken(
    segments: &VecDeque<Segment>,
    bookmarks: &[(BookmarkName, Bookmark, Progress)],
) -> Vec<(String, u64)> {
    let mut overtaken = Vec::new();
    let Some(oldest) = segments.front().map(|segment| segment.id.start()) else {
        return overtaken;
    };
    for (name, _, progress) in bookmarks {
        let floor = progress.floor();
        if let BookmarkName::Reader(remote) = name
            && floor > Position::default()
            && floor < oldest
        {
            let bytes = oldest.bytes_since(floor);
            tracing::warn!(
                remote,
                bytes,
                "the log no longer holds what a remote had not confirmed; it was dropped, or we were ended before we \
                 wrote down that it had arrived"
            );
            overtaken.push((remote.clone(), bytes));
        }
    }
    overtaken
}

fn check_header(storage: &dyn Storage, extent: &Segment, report: &mut Opened) -> Result<(), QueueError> {
    let id = extent.id;
    let place = storage.place(&id.file_name());
    let header = read(extent, id.start(), SEGMENT_HEADER_BYTES as u64)
        .map_err(|error| QueueError::io("read", place.clone(), error))?;
    match id.check_header(&header) {
        HeaderState::Whole => {}
        HeaderState::Damaged => {
            let aside = quarantine(storage, extent, id.start(), id.first_frame());
            report.quarantined.extend(aside.ok().flatten());
        }
        HeaderState::Future(version) => {
            return Err(QueueError::FutureVersion {
                place,
                version,
                supported: FORMAT_VERSION,
            });
        }
    }
    Ok(())
}

/// Counts what `extent` holds, and names the stretches in which nothing can be read.
fn count(extent: &Segment, check: Check) -> std::io::Result<(Segment, Vec<(Position, Position)>)> {
    let mut segment = Segment::empty(extent.id, extent.file.clone());
    let mut window = Window::default();
    let mut damaged = Vec::new();
    let mut at = segment.end;
    while at < extent.end {
        let frame = match check {
            Check::Headers => {
                header_at(extent, at)?.map(|header| (at.plus(header.frame_bytes()), header.weight, header.at))
            }
            Check::Checksums => match window.frame(extent, at)? {
                Frame::Whole { record, end } => Some((end, record.weight, record.at)),
                Frame::Damaged => None,
            },
        };
        if let Some((end, weight, came)) = frame {
            segment.count(end, weight, came);
            at = end;
        } else {
            let next = window.next_whole(extent, at)?.unwrap_or(extent.end);
            damaged.push((at, next));
            at = next;
        }
    }
    Ok((segment, damaged))
}

/// Whether what begins at `from` is an append that was never finished, rather than one that was damaged later.
fn torn(extent: &Segment, from: Position) -> std::io::Result<bool> {
    let left = extent.end.bytes_since(from);
    let bytes = read(extent, from, left)?;
    let longer = FrameHeader::parse(&bytes, from, u64::MAX).is_some_and(|header| header.frame_bytes() > left);
    let short = bytes.len() < FRAME_HEADER_BYTES;
    Ok(longer || short || bytes.iter().all(|byte| *byte == 0))
}

fn recover_bookmark(
    storage: &dyn Storage,
    name: BookmarkName,
    report: &mut Opened,
) -> Result<(BookmarkName, Bookmark, Progress), QueueError> {
    let (bookmark, progress) = match Bookmark::load(storage, &name)? {
        Some(found) => found,
        // Without a position nobody knows what was acknowledged: better all of it again than any of it never.
        None => begin_anew(storage, &name, report)?,
    };
    if let BookmarkName::Reader(name) = &name {
        report.readers.push(name.clone());
    }
    Ok((name, bookmark, progress))
}

/// Keeps a copy of what cannot be read, and puts a position before everything in its place. The file is replaced last,
/// so that where this fails the next opening finds the same damage, and not a reader that was never there.
fn begin_anew(
    storage: &dyn Storage,
    name: &BookmarkName,
    report: &mut Opened,
) -> Result<(Bookmark, Progress), QueueError> {
    let file = name.file_name();
    let aside = quarantine_copy(storage, &file)
        .map_err(|error| QueueError::io("set aside", storage.place(&file), error))?;
    report.quarantined.push(aside);
    let progress = Progress::at(Position::default());
    let bookmark = Bookmark::create(storage, name, &progress)?;
    Ok((bookmark, progress))
}
