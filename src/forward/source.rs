//! The seam to the queue. Two exist: its reader, and the double of the tests - the queue's writer is a thread, which a
//! paused clock does not wait for.

use std::future::Future;

use crate::queue::{Delivery, Position, QueueError, Reader};

/// Hands out records in the order of the log until they are acknowledged.
pub(super) trait Source: Send + 'static {
    /// Waits for the next record or gap. May be dropped while it waits without losing one.
    fn next(&mut self) -> impl Future<Output = Result<Delivery, QueueError>> + Send;

    /// Everything of `lane` before `end` need never be handed out again. Comes in order per lane.
    fn ack(&self, lane: u32, end: Position);

    /// Samples in the log that are not acknowledged, those handed out among them.
    fn pending_samples(&self) -> u64;
}

impl Source for Reader {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        Self::next(self).await
    }

    fn ack(&self, lane: u32, end: Position) {
        Self::ack(self, lane, end);
    }

    fn pending_samples(&self) -> u64 {
        self.backlog().totals.weight
    }
}
