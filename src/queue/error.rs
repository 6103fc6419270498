//! What can go wrong in the queue, in the words of whoever asked.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why the queue could not do what it was asked. Clones share their cause, as one failed sync fails many appends.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// The bound on bytes is reached and nothing may be dropped. The sender comes again after `retry_after`.
    #[error(
        "the queue holds {held_bytes} of at most {max_bytes} bytes and may drop none; \
         restore the remote, raise queue.max_bytes, or set queue.when_full to drop_oldest if it is not"
    )]
    Full {
        /// Bytes held when the append came.
        held_bytes: u64,
        /// The bound it met.
        max_bytes: u64,
        /// When to try again.
        retry_after: Duration,
    },
    /// One record is larger than any record may be. Trying again is pointless.
    #[error("a record of {bytes} bytes exceeds the limit of {max_bytes}; push less at a time")]
    TooLarge {
        /// Bytes the record would take.
        bytes: u64,
        /// The bound it met.
        max_bytes: u64,
    },
    /// More bytes wait for the disk than memory should hold. Try again when some appends have resolved.
    #[error(
        "{waiting_bytes} bytes wait for the disk, at most {max_bytes} may; the disk is slower than the pushes"
    )]
    Overloaded {
        /// Bytes waiting when the append came.
        waiting_bytes: u64,
        /// The bound it met.
        max_bytes: u64,
    },
    /// An earlier write or sync failed; appends are refused until [`Queue::resume`](super::Queue::resume) succeeds.
    #[error("the queue refuses records because a write failed; make the disk writable and it goes on")]
    Failed {
        /// What failed first.
        #[source]
        cause: Arc<QueueError>,
    },
    /// The queue is closing or closed.
    #[error("the queue is closed")]
    Closed,
    /// The disk refused.
    #[error("could not {doing} {place}")]
    Io {
        /// The attempt, as a verb.
        doing: &'static str,
        /// The file or folder.
        place: String,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// Another process has the folder.
    #[error("{folder} is in use by another flinkbridge{}; stop it or choose another data_dir", owner(.pid.as_ref()))]
    Locked {
        /// The folder.
        folder: String,
        /// The other process, where it said who it is.
        pid: Option<u32>,
    },
    /// A segment was written by a later version of this program.
    #[error(
        "{place} has format version {version}, this program reads up to {supported}; run the version that wrote it"
    )]
    FutureVersion {
        /// The segment's file.
        place: String,
        /// The version it claims.
        version: u32,
        /// The newest version known here.
        supported: u32,
    },
    /// A reader of that name is already reading.
    #[error("reader {name:?} is already open; names of remotes must differ")]
    ReaderBusy {
        /// The name asked for.
        name: String,
    },
    /// The reader was forgotten while it was read from.
    #[error("reader {name:?} was forgotten")]
    ReaderGone {
        /// The forgotten name.
        name: String,
    },
    /// A reader wants no lane, or more than its position file can hold.
    #[error("reader {name:?} wants {lanes} lanes, from 1 to {max_lanes} are possible")]
    Lanes {
        /// The reader.
        name: String,
        /// How many it asked for.
        lanes: u32,
        /// How many there may be.
        max_lanes: u32,
    },
}

impl QueueError {
    pub(crate) fn io(doing: &'static str, place: String, source: io::Error) -> Self {
        Self::Io {
            doing,
            place,
            source: Arc::new(source),
        }
    }
}

fn owner(pid: Option<&u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
