//! What is known, on disk, so that a start need not read all of the log.

use tracing::{error, warn};

use super::Intake;
use crate::model::whole_story;

/// Whether we are about to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Yes: nothing comes after.
    Yes,
    /// No.
    No,
}

impl Intake {
    /// Stores a snapshot of the registry if enough has changed since the last, or in any case when `closing`.
    pub async fn snapshot(&self, closing: Closing) {
        self.keep_families(closing).await;
        let snapshot = {
            let ledger = self.0.ledger();
            // a full queue may be full of what only the snapshot still needs
            if closing == Closing::No && !ledger.wants_snapshot() && !self.0.is_full() {
                return;
            }
            ledger.snapshot()
        };
        let is_committed = self.0.queue.wait_committed(snapshot.position).await.is_ok();
        if !is_committed || !self.0.ledger().agrees_with(&snapshot) {
            return;
        }
        let queue = self.0.queue.clone();
        let stored = tokio::task::spawn_blocking(move || snapshot.store(&queue)).await;
        match stored {
            Ok(Ok(stored)) => self.0.ledger().snapshot_stored(&stored),
            Ok(Err(error)) => {
                warn!(
                    error = whole_story(&error),
                    "could not store the registry's snapshot; the log is kept until it can be"
                );
            }
            Err(error) => error!(%error, "storing the registry's snapshot ended early"),
        }
    }
}
