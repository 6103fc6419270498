//! Ending everything there is.

use std::sync::Arc;

use super::{Intake, Refusal, Submission, Tally};
use crate::model::GroupKey;

/// Groups ended before waiting for the disk: few enough not to fill what may wait for it, enough to share a sync.
const ENDED_AT_ONCE: usize = 100;

impl Intake {
    /// Ends every group that is known now, however many processes it has, and waits until that is durable. Returns how
    /// many there were. Pushes go on meanwhile, and a group that is pushed to again is there again.
    ///
    /// # Errors
    /// [`Refusal`]: some groups may have ended, the others stay as they are; it may be tried again.
    pub async fn wipe(&self) -> Result<usize, Refusal> {
        let groups: Vec<Arc<GroupKey>> = self.0.ledger().registry().keys().cloned().collect();
        let mut ended = 0;
        for some in groups.chunks(ENDED_AT_ONCE) {
            let mut refused = None;
            let mut under_way = Vec::new();
            for group in some {
                match self.end(group) {
                    Ok(submission) => under_way.extend(submission),
                    Err(refusal) => {
                        refused = Some(refusal);
                        break;
                    }
                }
            }
            for submission in under_way {
                match self.settle(submission).await {
                    Ok(()) => ended += 1,
                    Err(refusal) => refused = refused.or(Some(refusal)),
                }
            }
            if let Some(refusal) = refused {
                return Err(refusal);
            }
        }
        Ok(ended)
    }

    fn end(&self, group: &GroupKey) -> Result<Option<Submission>, Refusal> {
        let mut ledger = self.0.ledger();
        let change = ledger.registry().plan_clean_up(group, self.0.clock.now())?;
        change
            .map(|change| self.0.commit(&mut ledger, change, Tally::default()))
            .transpose()
    }
}
