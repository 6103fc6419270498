//! What is on its way to the disk, and what the books say once it is there or cannot be.

use super::books::Lost;
use super::ledger::Committed;
use super::refusal::Refusal;
use super::{Inner, Intake};
use crate::registry::EndReason;

/// A change on its way to the disk.
#[derive(Debug)]
#[must_use = "a submission is durable only once it has been settled"]
pub struct Submission {
    pub(super) committed: Vec<Committed>,
    pub(super) tally: Tally,
    /// Why the rest found no room, if some of it did not.
    pub(super) refusal: Option<Refusal>,
}

/// What a change adds to the books once it is durable.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) received: u64,
    pub(super) push_times: u64,
    pub(super) markers: u64,
    pub(super) dropped: Vec<(&'static str, u64)>,
    pub(super) lost: Vec<(Lost, u64)>,
    pub(super) queued: u64,
    pub(super) retired: Option<EndReason>,
}

impl Submission {
    /// Whether all of it found its place in the log.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.refusal.is_none()
    }
}

impl Intake {
    /// Waits until a submission is durable, and enters it into the books.
    ///
    /// # Errors
    /// [`Refusal::NotDurable`]: it may be gone; the sender has to send again.
    pub async fn settle(&self, submission: Submission) -> Result<(), Refusal> {
        let Submission {
            committed,
            mut tally,
            mut refusal,
        } = submission;
        let (mut durable, mut failure) = (0, None);
        for Committed { appending, weight } in committed {
            match appending.await {
                Ok(_) => durable += weight,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(error) = failure {
            self.0.last_times().forget();
            self.recover().await;
            refusal = Some(error.into());
        }
        tally.queued = durable;
        match refusal {
            None => {
                self.0.enter(tally);
                Ok(())
            }
            Some(refusal) => {
                self.0.enter_refused(&refusal, &tally);
                Err(refusal)
            }
        }
    }
}

impl Inner {
    /// What is in the log of a submission that is refused goes its way, though its sender will send it again.
    pub(super) fn enter_refused(&self, refusal: &Refusal, tally: &Tally) {
        let lost = tally.received.saturating_sub(tally.queued);
        self.books.received(tally.received);
        self.books.queued(tally.queued);
        self.books.lost(Lost::by(refusal), lost);
    }

    pub(super) fn enter(&self, tally: Tally) {
        self.books.received(tally.received);
        self.books.made(tally.push_times, tally.markers);
        self.books.queued(tally.queued);
        for (reason, samples) in tally.dropped {
            self.books.dropped(reason, samples);
        }
        for (why, samples) in tally.lost {
            self.books.lost(why, samples);
        }
        if let Some(why) = tally.retired {
            self.books.retired(why.as_str());
        }
    }
}
