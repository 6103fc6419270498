//! Where the queue's files live: a folder, or in tests a storage that loses power and runs full.

mod file;
#[cfg(test)]
mod power;

use std::fmt;
use std::io;
use std::sync::Arc;

pub use file::FileStorage;
pub(super) use file::LOCK;
#[cfg(test)]
pub(crate) use power::{PowerStorage, Survives};

/// The folder in which what cannot be read is kept.
pub(super) const QUARANTINE: &str = "quarantine";

/// Pieces of a file are written so many bytes at a time.
const WRITE_BYTES: usize = 256 << 10;

/// A folder of files, with one folder `quarantine` in it. Names are relative, `/` parts the folder.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Names of the files in `folder` (`""` is the top), in no order, without folders.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a file that is not there yet.
    ///
    /// # Errors
    /// When it is there, or cannot be made.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// `NotFound`, or what else keeps it from being opened.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Gives a file another name, replacing what had it. Lasts once the folders are synced.
    ///
    /// # Errors
    /// When the folder cannot be changed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file away. Lasts once its folder is synced.
    ///
    /// # Errors
    /// `NotFound`, or what else keeps it from going.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes every creation, renaming and removal in `folder` last.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// How an operator would find the file.
    fn place(&self, name: &str) -> String;

    /// The whole of a file; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match self.open(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        file.read_at(&mut bytes, 0)?;
        Ok(Some(bytes))
    }

    /// Makes `bytes` the whole of the file, atomically and durably: after a crash the file is the old or the new one.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then still there.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace_by(name, &mut std::iter::once(bytes.to_vec()))
            .map(|_| ())
    }

    /// The same with bytes that come piece by piece, so that not all of them have to be in memory. Returns how many.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then still there.
    fn replace_by(&self, name: &str, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<u64> {
        let draft = format!("{name}.tmp");
        match self.remove(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.create(&draft)?;
        let (mut written, mut waiting) = (0, Vec::new());
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            waiting.extend_from_slice(&piece);
            if waiting.len() >= WRITE_BYTES || pieces.peek().is_none() {
                file.write_at(&waiting, written)?;
                written += waiting.len() as u64;
                waiting.clear();
            }
        }
        file.sync()?;
        self.rename(&draft, name)?;
        self.sync_folder(folder_of(name))?;
        Ok(written)
    }
}

/// One open file.
pub trait StorageFile: Send + Sync + fmt::Debug {
    /// Bytes in the file.
    ///
    /// # Errors
    /// When the disk refuses.
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, longer than the file where need be.
    ///
    /// # Errors
    /// When the disk refuses; any part may then have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written last.
    ///
    /// # Errors
    /// When the disk refuses; what was written since the last sync may then be lost, even if a later sync succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file, or fills it up with zeros.
    ///
    /// # Errors
    /// When the disk refuses.
    fn set_length(&self, length: u64) -> io::Result<()>;
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
