//! A reader's position on disk: one small file that is written at every acknowledgement and synced now and then.
//!
//! The file has four slots. A write never touches the slot synced last (power may fail), nor the one being synced, nor
//! the one written last (we may be killed), so that a whole and recent position is always there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::queue::lanes::{Needs, Progress};
use crate::queue::record::take;
use crate::queue::storage::{Storage, StorageFile};
use crate::queue::{Position, QueueError};

const MAGIC: u32 = u32::from_le_bytes(*b"FLBP");
const SLOTS: usize = 4;
/// Room for [`MAX_LANES`](crate::queue::MAX_LANES) needs of every lane count that is remembered.
const SLOT_BYTES: usize = 16_384;
/// Magic, checksum and length, which the checksum does not cover.
const PREFIX_BYTES: usize = 12;

/// Whose position it is: the only place that knows how position files are called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BookmarkName {
    Reader(String),
    Pin(String),
}

impl BookmarkName {
    pub(super) fn file_name(&self) -> String {
        let (kind, name) = match self {
            Self::Reader(name) => ("reader", name),
            Self::Pin(name) => ("pin", name),
        };
        let escaped = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        format!("{kind}-{escaped}.position")
    }

    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let (kind, escaped) = file_name.strip_suffix(".position")?.split_once('-')?;
        let name = percent_encoding::percent_decode_str(escaped)
            .decode_utf8()
            .ok()?
            .into_owned();
        match kind {
            "reader" => Some(Self::Reader(name)),
            "pin" => Some(Self::Pin(name)),
            _ => None,
        }
    }
}

/// An open position file.
#[derive(Debug)]
pub(super) struct Bookmark {
    place: String,
    file: Arc<dyn StorageFile>,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    sequence: u64,
    latest: Option<usize>,
    syncing: Option<usize>,
    synced: Option<usize>,
    written: Option<Progress>,
}

impl Bookmark {
    /// Makes the file, durably, with `progress` in it. All its bytes are there from the start, so that a full disk does
    /// not keep a position from being written.
    pub(super) fn create(
        storage: &dyn Storage,
        name: &BookmarkName,
        progress: &Progress,
    ) -> Result<Self, QueueError> {
        let file_name = name.file_name();
        let place = storage.place(&file_name);
        let mut bytes = encode(1, progress);
        bytes.resize(SLOTS * SLOT_BYTES, 0);
        let failed = |error| QueueError::io("create", place.clone(), error);
        storage.replace(&file_name, &bytes).map_err(failed)?;
        let file = storage.open(&file_name).map_err(failed)?;
        let slots = Slots {
            sequence: 1,
            latest: Some(0),
            synced: Some(0),
            written: Some(progress.clone()),
            ..Slots::default()
        };
        Ok(Self {
            place,
            file,
            slots: Mutex::new(slots),
        })
    }

    /// Opens the file and reads the newest whole slot; `None` when no slot is whole.
    pub(super) fn load(
        storage: &dyn Storage,
        name: &BookmarkName,
    ) -> Result<Option<(Self, Progress)>, QueueError> {
        let file_name = name.file_name();
        let place = storage.place(&file_name);
        let failed = |error| QueueError::io("read", place.clone(), error);
        let bytes = storage.read(&file_name).map_err(failed)?.unwrap_or_default();
        let whole = bytes
            .chunks(SLOT_BYTES)
            .enumerate()
            .filter_map(|(slot, bytes)| Some((slot, decode(bytes)?)));
        let Some((slot, (sequence, progress))) = whole.max_by_key(|(_, (sequence, _))| *sequence) else {
            return Ok(None);
        };
        let file = storage.open(&file_name).map_err(failed)?;
        // What we read may never have been synced; as long as it is not, no other slot may be given up for it.
        let synced = file.sync().is_ok().then_some(slot);
        let slots = Slots {
            sequence,
            latest: Some(slot),
            synced,
            written: synced.map(|_| progress.clone()),
            ..Slots::default()
        };
        Ok(Some((
            Self {
                place,
                file,
                slots: Mutex::new(slots),
            },
            progress,
        )))
    }

    /// Writes what `progress` says now, if it changed. Not synced. Returns whether something was written.
    pub(super) fn write(&self, progress: impl FnOnce() -> Option<Progress>) -> Result<bool, QueueError> {
        let mut slots = self.slots();
        let Some(progress) = progress().filter(|progress| slots.written.as_ref() != Some(progress)) else {
            return Ok(false);
        };
        let taken = [slots.latest, slots.syncing, slots.synced];
        let free = (0..SLOTS).find(|slot| !taken.contains(&Some(*slot))).unwrap_or(0);
        let bytes = encode(slots.sequence + 1, &progress);
        let offset = (free * SLOT_BYTES) as u64;
        self.file
            .write_at(&bytes, offset)
            .map_err(|error| QueueError::io("write", self.place.clone(), error))?;
        slots.sequence += 1;
        slots.latest = Some(free);
        slots.written = Some(progress);
        Ok(true)
    }

    /// Makes the latest write last. Writes go on meanwhile.
    pub(super) fn sync(&self) -> Result<(), QueueError> {
        let syncing = {
            let mut slots = self.slots();
            if slots.latest == slots.synced {
                return Ok(());
            }
            slots.syncing = slots.latest;
            slots.latest
        };
        let result = self.file.sync();
        let mut slots = self.slots();
        slots.syncing = None;
        if let Err(error) = result {
            // What could not be synced may be forgotten by the kernel, so it has to be written anew.
            slots.written = None;
            return Err(QueueError::io("sync", self.place.clone(), error));
        }
        slots.synced = syncing;
        Ok(())
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode(sequence: u64, progress: &Progress) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    body.extend_from_slice(&sequence.to_le_bytes());
    body.extend_from_slice(&count(progress.0.len()));
    for needs in &progress.0 {
        body.extend_from_slice(&count(needs.0.len()));
        for need in &needs.0 {
            body.extend_from_slice(&need.get().to_le_bytes());
        }
    }
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + body.len());
    bytes.extend_from_slice(&MAGIC.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    bytes.extend_from_slice(&count(body.len()));
    bytes.extend_from_slice(&body);
    bytes
}

fn count(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn decode(mut bytes: &[u8]) -> Option<(u64, Progress)> {
    let magic = u32::from_le_bytes(take(&mut bytes)?);
    let crc = u32::from_le_bytes(take(&mut bytes)?);
    let length = u32::from_le_bytes(take(&mut bytes)?) as usize;
    let mut body = bytes.get(..length)?;
    if magic != MAGIC || crc32c::crc32c(body) != crc {
        return None;
    }
    let sequence = u64::from_le_bytes(take(&mut body)?);
    let mut all = Vec::new();
    for _ in 0..u32::from_le_bytes(take(&mut body)?) {
        let mut needs = Vec::new();
        for _ in 0..u32::from_le_bytes(take(&mut body)?) {
            needs.push(Position::new(u64::from_le_bytes(take(&mut body)?)));
        }
        all.push(Needs(needs));
    }
    (!all.is_empty()).then_some((sequence, Progress(all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::storage::{PowerStorage, Survives};

    fn name() -> BookmarkName {
        BookmarkName::Reader("tmp/eu".to_owned())
    }

    fn written(storage: &PowerStorage, offsets: impl IntoIterator<Item = u64>) -> Bookmark {
        let bookmark = Bookmark::create(storage, &name(), &Progress::at(Position::new(0))).unwrap();
        for offset in offsets {
            bookmark
                .write(|| Some(Progress::at(Position::new(offset))))
                .unwrap();
        }
        bookmark
    }

    fn loaded(storage: &PowerStorage) -> u64 {
        let (_, progress) = Bookmark::load(storage, &name()).unwrap().unwrap();
        progress.floor().get()
    }

    #[test]
    fn a_name_is_found_again_by_its_file_name() {
        let file_name = name().file_name();

        let parsed = BookmarkName::parse(&file_name);

        assert_eq!(
            (file_name.as_str(), parsed),
            ("reader-tmp%2Feu.position", Some(name()))
        );
    }

    #[test]
    fn the_last_written_position_is_read_without_a_sync() {
        let storage = PowerStorage::default();
        written(&storage, 1..=9);

        let offset = loaded(&storage);

        assert_eq!(offset, 9);
    }

    #[test]
    fn a_write_torn_anywhere_leaves_the_one_before() {
        let storage = PowerStorage::default();
        written(&storage, 1..=9);
        let before = storage.read(&name().file_name()).unwrap().unwrap();
        let bookmark = Bookmark::load(&storage, &name()).unwrap().unwrap().0;
        bookmark.write(|| Some(Progress::at(Position::new(10)))).unwrap();
        let after = storage.read(&name().file_name()).unwrap().unwrap();
        let changed: Vec<usize> = (0..after.len())
            .filter(|index| before[*index] != after[*index])
            .collect();

        let read: Vec<u64> = (changed[0]..=changed[changed.len() - 1])
            .map(|torn| {
                let mixed = [&after[..torn], &before[torn..]].concat();
                storage.damage(&name().file_name(), |bytes| *bytes = mixed);
                loaded(&storage)
            })
            .collect();

        assert_eq!(read, vec![9; read.len()]);
    }

    #[test]
    fn a_synced_position_outlives_a_loss_of_power() {
        let survivors: Vec<u64> = (0..=255)
            .map(|survives| {
                let storage = PowerStorage::default();
                let bookmark = written(&storage, 1..=5);
                bookmark.sync().unwrap();
                for offset in 6..=9 {
                    bookmark
                        .write(|| Some(Progress::at(Position::new(offset))))
                        .unwrap();
                }
                storage.lose_power(Survives(survives));
                loaded(&storage)
            })
            .collect();

        assert!(survivors.iter().all(|offset| *offset >= 5), "{survivors:?}");
    }

    #[test]
    fn a_full_disk_does_not_keep_a_position_from_being_written() {
        let storage = PowerStorage::default();
        let bookmark = written(&storage, []);
        storage.leave_room(0);

        for offset in 1..9 {
            bookmark
                .write(|| Some(Progress::at(Position::new(offset))))
                .unwrap();
        }

        assert_eq!(loaded(&storage), 8);
    }

    #[test]
    fn a_file_without_a_whole_slot_is_told_from_one_with() {
        let storage = PowerStorage::default();
        written(&storage, [1]);
        storage.damage(&name().file_name(), |bytes| bytes.fill(0xff));

        let loaded = Bookmark::load(&storage, &name()).unwrap();

        assert!(loaded.is_none());
    }
}
