//! What cannot be read is copied aside, never deleted, so that a human may look.

use bytes::Bytes;

use crate::queue::Position;
use crate::queue::segment::Segment;
use crate::queue::storage::{QUARANTINE, Storage};
use crate::queue::window::read;

/// Bytes that could not be read, and where they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The file, as an operator would find it.
    pub file: String,
    /// How many bytes it holds.
    pub bytes: u64,
}

/// Copies the bytes from `from` up to `to` aside; `None` when that was done before, or there is nothing but zeros.
pub(super) fn quarantine(
    storage: &dyn Storage,
    segment: &Segment,
    from: Position,
    to: Position,
) -> Option<Quarantined> {
    let name = format!(
        "{QUARANTINE}/{}.{}-{}",
        segment.id.file_name(),
        segment.offset(from),
        segment.offset(to)
    );
    let bytes = to.bytes_since(from);
    let copied = read(segment, from, bytes).and_then(|bytes| set_aside(storage, &name, &bytes));
    let file = storage.place(&name);
    match copied {
        Ok(Some(())) => {
            tracing::error!(
                file,
                offset_bytes = segment.offset(from),
                "bytes of a segment could not be read and were set aside"
            );
            Some(Quarantined { file, bytes })
        }
        Ok(None) => None,
        Err(error) => {
            tracing::error!(%error, file, "bytes of a segment could not be read, nor set aside; they stay where they are");
            None
        }
    }
}

fn set_aside(storage: &dyn Storage, name: &str, bytes: &Bytes) -> std::io::Result<Option<()>> {
    let known = storage
        .list(QUARANTINE)?
        .iter()
        .any(|file| name.rsplit('/').next() == Some(file.as_str()));
    if known || bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    storage.replace(name, bytes).map(Some)
}

/// Moves a whole file aside.
pub(super) fn quarantine_file(storage: &dyn Storage, name: &str, bytes: u64) -> std::io::Result<Quarantined> {
    let kept = format!("{QUARANTINE}/{name}");
    storage.rename(name, &kept)?;
    storage.sync_folder(QUARANTINE)?;
    storage.sync_folder("")?;
    let file = storage.place(&kept);
    tracing::error!(file, "a file could not be read and was set aside");
    Ok(Quarantined { file, bytes })
}
