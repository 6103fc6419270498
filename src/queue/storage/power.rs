//! A storage in memory that can lose power, run full and refuse, for tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::queue::storage::{Storage, StorageFile, folder_of};

/// Clones are the same disk. What was not synced is gone, or torn, after [`PowerStorage::lose_power`].
#[derive(Clone, Debug, Default)]
pub(crate) struct PowerStorage(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    files: Vec<Contents>,
    room: Option<u64>,
    syncs: u64,
    failing_syncs: bool,
    failing_cuts: bool,
}

#[derive(Debug, Default, Clone)]
struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
}

/// How much of each file survives a loss of power as it was last written, in 256ths; the rest is as it was last synced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survives(pub(crate) u8);

impl PowerStorage {
    /// Forgets what was not synced, but for a first part of each file.
    pub(crate) fn lose_power(&self, survives: Survives) {
        let mut disk = self.disk();
        disk.live = disk.durable.clone();
        for file in &mut disk.files {
            let kept = file.live.len() * usize::from(survives.0) / 256;
            let mut torn = file.live[..kept].to_vec();
            torn.extend(file.durable.get(kept..).unwrap_or_default());
            file.durable.clone_from(&torn);
            file.live = torn;
        }
    }

    /// Lets the disk hold `bytes` more.
    pub(crate) fn leave_room(&self, bytes: u64) {
        self.disk().room = Some(bytes);
    }

    /// From now on every sync fails.
    pub(crate) fn fail_syncs(&self) {
        self.disk().failing_syncs = true;
    }

    /// From now on no file can be cut.
    pub(crate) fn fail_cuts(&self) {
        self.disk().failing_cuts = true;
    }

    /// Has room again, syncs and cuts.
    pub(crate) fn heal(&self) {
        let mut disk = self.disk();
        (disk.room, disk.failing_syncs, disk.failing_cuts) = (None, false, false);
    }

    /// Syncs of files so far.
    pub(crate) fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// Changes a file behind the queue's back, durably.
    pub(crate) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let index = disk.live[name];
        let file = &mut disk.files[index];
        change(&mut file.live);
        file.durable = file.live.clone();
    }

    /// A disk of its own with the same files.
    pub(crate) fn copy(&self) -> Self {
        let disk = self.disk();
        let (live, durable, files) = (disk.live.clone(), disk.durable.clone(), disk.files.clone());
        Self(Arc::new(Mutex::new(Disk {
            live,
            durable,
            files,
            ..Disk::default()
        })))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for PowerStorage {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let disk = self.disk();
        let names = disk.live.keys().filter(|name| folder_of(name) == folder);
        Ok(names
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
            .collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let mut disk = self.disk();
        if disk.live.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = disk.files.len();
        disk.files.push(Contents::default());
        disk.live.insert(name.to_owned(), index);
        Ok(Arc::new(PowerFile {
            disk: self.clone(),
            index,
        }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let index = *self.disk().live.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(PowerFile {
            disk: self.clone(),
            index,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let index = disk.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.live.insert(to.to_owned(), index);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let index = disk.live.remove(name).ok_or(io::ErrorKind::NotFound)?;
        let freed = disk.files[index].live.len() as u64;
        disk.room = disk.room.map(|room| room + freed);
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut disk = self.disk();
        if disk.failing_syncs {
            return Err(io::Error::other("the disk refuses to sync"));
        }
        let there = |name: &String| folder_of(name) == folder;
        let live: Vec<_> = disk
            .live
            .iter()
            .filter(|(name, _)| there(name))
            .map(|(n, i)| (n.clone(), *i))
            .collect();
        disk.durable.retain(|name, _| !there(name));
        disk.durable.extend(live);
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

#[derive(Debug)]
struct PowerFile {
    disk: PowerStorage,
    index: usize,
}

impl StorageFile for PowerFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.disk().files[self.index].live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let disk = self.disk.disk();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = disk.files[self.index].live.get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let length = disk.files[self.index].live.len();
        let wanted = (start + bytes.len()).saturating_sub(length);
        let granted = disk.room.map_or(wanted, |room| {
            wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
        });
        disk.room = disk.room.map(|room| room - granted as u64);
        let written = bytes.len() - (wanted - granted);
        let live = &mut disk.files[self.index].live;
        live.resize(length.max(start + written), 0);
        live[start..start + written].copy_from_slice(&bytes[..written]);
        if written == bytes.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        if disk.failing_syncs {
            return Err(io::Error::other("the disk refuses to sync"));
        }
        disk.syncs += 1;
        let file = &mut disk.files[self.index];
        file.durable = file.live.clone();
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        if disk.failing_cuts {
            return Err(io::Error::other("the disk refuses to cut"));
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let freed = disk.files[self.index].live.len().saturating_sub(length) as u64;
        disk.room = disk.room.map(|room| room + freed);
        disk.files[self.index].live.resize(length, 0);
        Ok(())
    }
}
