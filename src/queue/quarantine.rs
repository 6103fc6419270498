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
///
/// # Errors
/// When they could not be copied: they then have to stay where they are.
pub(super) fn quarantine(
    storage: &dyn Storage,
    segment: &Segment,
    from: Position,
    to: Position,
) -> std::io::Result<Option<Quarantined>> {
    let name = format!(
        "{QUARANTINE}/{}.{}-{}",
        segment.id.file_name(),
        segment.offset(from),
        segment.offset(to)
    );
    let bytes = to.bytes_since(from);
    let (file, offset_bytes) = (storage.place(&name), segment.offset(from));
    match read(segment, from, bytes).and_then(|bytes| set_aside(storage, &name, &bytes)) {
        Ok(false) => Ok(None),
        Ok(true) => {
            tracing::error!(
                file,
                offset_bytes,
                "bytes of a segment could not be read and were set aside"
            );
            Ok(Some(Quarantined { file, bytes }))
        }
        Err(error) => {
            tracing::error!(%error, file, offset_bytes, "bytes of a segment could neither be read nor set aside");
            Err(error)
        }
    }
}

fn set_aside(storage: &dyn Storage, name: &str, bytes: &Bytes) -> std::io::Result<bool> {
    let known = storage
        .list(QUARANTINE)?
        .iter()
        .any(|file| name.rsplit('/').next() == Some(file.as_str()));
    if known || bytes.iter().all(|byte| *byte == 0) {
        return Ok(false);
    }
    storage.replace(name, bytes).map(|()| true)
}

/// Moves a whole file aside; `None` when that was not possible and it stays where it is.
pub(super) fn quarantine_file(storage: &dyn Storage, name: &str, bytes: u64) -> Option<Quarantined> {
    match move_aside(storage, name) {
        Ok(file) => {
            tracing::error!(file, "a file could not be read and was set aside");
            Some(Quarantined { file, bytes })
        }
        Err(error) => {
            tracing::error!(%error, file = storage.place(name), "a file could neither be read nor set aside");
            None
        }
    }
}

/// Copies a whole file aside, so that another can take its place.
///
/// # Errors
/// When it could not be copied: it then has to stay where it is.
pub(super) fn quarantine_copy(storage: &dyn Storage, name: &str) -> std::io::Result<Quarantined> {
    let content = storage.read(name)?.unwrap_or_default();
    let kept = free_name(storage, name)?;
    storage.replace(&kept, &content)?;
    let (file, bytes) = (storage.place(&kept), content.len() as u64);
    tracing::error!(file, "a file could not be read; a copy was set aside");
    Ok(Quarantined { file, bytes })
}

fn free_name(storage: &dyn Storage, name: &str) -> std::io::Result<String> {
    let earlier = storage
        .list(QUARANTINE)?
        .iter()
        .filter(|file| file.starts_with(name))
        .count();
    Ok(format!("{QUARANTINE}/{name}.{earlier}"))
}

fn move_aside(storage: &dyn Storage, name: &str) -> std::io::Result<String> {
    let kept = free_name(storage, name)?;
    storage.rename(name, &kept)?;
    storage.sync_folder(QUARANTINE)?;
    storage.sync_folder("")?;
    Ok(storage.place(&kept))
}
