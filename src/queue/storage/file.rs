//! A folder on disk, held by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::queue::QueueError;
use crate::queue::storage::{QUARANTINE, Storage, StorageFile};

/// The file whose lock says that the folder is taken.
pub(in crate::queue) const LOCK: &str = "lock";

/// A folder of the file system. Nobody else opens it as long as this lives.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    _lock: File,
}

impl FileStorage {
    /// Takes the folder, making it where it is missing.
    ///
    /// # Errors
    /// [`QueueError::Locked`] when another process has it; [`QueueError::Io`] when it cannot be made or locked.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, QueueError> {
        let folder = folder.into();
        let failed = |doing, path: &Path, source| QueueError::io(doing, path.display().to_string(), source);
        let quarantine = folder.join(QUARANTINE);
        fs::create_dir_all(&quarantine).map_err(|error| failed("create", &quarantine, error))?;
        let path = folder.join(LOCK);
        let mut lock = options()
            .create(true)
            .open(&path)
            .map_err(|error| failed("open", &path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(QueueError::Locked {
                    folder: folder.display().to_string(),
                    pid: owner(&mut lock),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path, error)),
        }
        // A full disk must not keep the queue from being drained, so a lock without a name is good enough.
        if let Err(error) = sign(&mut lock) {
            tracing::warn!(%error, "could not write the process number into the lock file");
        }
        Ok(Self { folder, _lock: lock })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Storage for FileStorage {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(folder))? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(OpenFile(
            options().create_new(true).open(self.path(name))?,
        )))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(OpenFile(options().open(self.path(name))?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.path(folder))?.sync_all()
    }

    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

#[derive(Debug)]
struct OpenFile(File);

impl StorageFile for OpenFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}

/// What is stored may tell secrets of label values, so only the owner and his group may read it.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o640);
    options
}

fn owner(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_and_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _first = FileStorage::open(folder.path()).unwrap();

        let second = FileStorage::open(folder.path()).unwrap_err();

        let pid = std::process::id();
        let place = folder.path().display();
        assert_eq!(
            second.to_string(),
            format!(
                "{place} is in use by another flinkbridge (process {pid}); stop it or choose another data_dir"
            )
        );
    }

    #[test]
    fn a_replaced_file_holds_the_new_bytes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(folder.path()).unwrap();
        storage.replace("state", b"a long first version").unwrap();

        storage.replace("state", b"second").unwrap();

        assert_eq!(
            storage.read("state").unwrap().as_deref(),
            Some(b"second".as_slice())
        );
        assert_eq!(storage.list("").unwrap().len(), 2);
    }

    #[test]
    fn a_missing_file_reads_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileStorage::open(folder.path()).unwrap();

        let bytes = storage.read("state").unwrap();

        assert_eq!(bytes, None);
    }
}
