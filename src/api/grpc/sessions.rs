//! Senders and how far each has got, so that one that comes back after a broken connection goes on where it was.
//!
//! What is known is lost when we are restarted; then a sender sends again whatever it has no acknowledgement of.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, watch};

use crate::codec::ingest;

/// Most sessions kept: as many senders as may be connected, and those that will come back soon.
pub(super) const MAX_SESSIONS: usize = 2048;

/// The 16 bytes that a sender chose.
pub(super) type SessionId = [u8; 16];

/// Every session that is known.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    sessions: BTreeMap<SessionId, (u64, Arc<Session>)>,
    uses: u64,
}

/// One sender over all its streams.
#[derive(Debug)]
struct Session {
    progress: Arc<tokio::sync::Mutex<Progress>>,
    /// How many streams it has begun; who is not the latest gives way.
    streams: watch::Sender<u64>,
}

/// How far a sender has got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Everything up to here is settled; `None` before the first stream.
    pub(super) settled: Option<u64>,
    /// The latest results that say more than that all was taken.
    remarkable: VecDeque<ingest::Result>,
}

impl Progress {
    /// Notes that the message of `result` is settled.
    pub(super) fn settle(&mut self, result: &ingest::Result, keep: u32) {
        self.settled = Some(result.sequence);
        if result.outcome() != ingest::Outcome::Taken {
            self.remarkable.push_back(result.clone());
        }
        while self
            .remarkable
            .front()
            .is_some_and(|oldest| oldest.sequence + u64::from(keep) <= result.sequence)
        {
            self.remarkable.pop_front();
        }
    }

    /// What is remarkable of the messages from `first` on.
    pub(super) fn remarkable_from(&self, first: u64) -> Vec<ingest::Result> {
        let from = |result: &&ingest::Result| result.sequence >= first;
        self.remarkable.iter().filter(from).cloned().collect()
    }
}

/// A stream's hold on its session. While it lasts, no other stream of the session goes on.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) progress: OwnedMutexGuard<Progress>,
    own: u64,
    streams: watch::Receiver<u64>,
}

impl Hold {
    /// Returns when a newer stream of the session wants to go on.
    pub(super) async fn wanted_elsewhere(&mut self) {
        let own = self.own;
        if self.streams.wait_for(|newest| *newest > own).await.is_err() {
            // the session was forgotten, so that nobody can want it
            std::future::pending::<()>().await;
        }
    }
}

impl Sessions {
    /// Takes hold of a session, once the stream that has it has given way; `None` when there is no room for another.
    pub(super) async fn hold(&self, id: SessionId) -> Option<Hold> {
        let session = self.session(id)?;
        let mut own = 0;
        session.streams.send_modify(|streams| {
            *streams += 1;
            own = *streams;
        });
        Some(Hold {
            streams: session.streams.subscribe(),
            own,
            progress: Arc::clone(&session.progress).lock_owned().await,
        })
    }

    fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.uses += 1;
        let now = known.uses;
        if let Some((used, session)) = known.sessions.get_mut(&id) {
            *used = now;
            return Some(Arc::clone(session));
        }
        if known.sessions.len() >= MAX_SESSIONS {
            let is_idle = |session: &Session| Arc::strong_count(&session.progress) == 1;
            let idle = known.sessions.iter().filter(|(_, (_, it))| is_idle(it));
            let oldest = idle.min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id)?;
            known.sessions.remove(&oldest);
        }
        let session = Arc::new(Session {
            progress: Arc::default(),
            streams: watch::Sender::new(0),
        });
        known.sessions.insert(id, (now, Arc::clone(&session)));
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> SessionId {
        (number as u128).to_le_bytes()
    }

    #[tokio::test]
    async fn a_newer_stream_waits_until_the_older_has_given_way() {
        let sessions = Sessions::default();
        let mut old = sessions.hold(id(1)).await.unwrap();
        let mut newer = Box::pin(sessions.hold(id(1)));

        let came_at_once = tokio::select! {
            biased;
            _ = &mut newer => true,
            () = old.wanted_elsewhere() => false,
        };
        old.progress.settled = Some(7);
        drop(old);

        assert!(!came_at_once);
        assert_eq!(newer.await.unwrap().progress.settled, Some(7));
    }

    #[tokio::test]
    async fn the_session_that_rested_longest_makes_room_and_one_that_is_held_does_not() {
        let sessions = Sessions::default();
        let held = sessions.hold(id(0)).await.unwrap();
        for number in 1..MAX_SESSIONS {
            sessions.hold(id(number)).await.unwrap().progress.settled = Some(1);
        }

        let _one_more = sessions.hold(id(MAX_SESSIONS)).await.unwrap();

        assert_eq!(sessions.hold(id(1)).await.unwrap().progress.settled, None);
        assert_eq!(sessions.hold(id(3)).await.unwrap().progress.settled, Some(1));
        drop(held);
    }

    #[test]
    fn what_is_remarkable_is_kept_for_as_long_as_it_may_be_asked_for() {
        let mut progress = Progress::default();
        for sequence in 1..=10 {
            let outcome = if sequence % 2 == 0 {
                ingest::Outcome::Refused
            } else {
                ingest::Outcome::Taken
            };
            let result = ingest::Result {
                sequence,
                outcome: outcome.into(),
                ..Default::default()
            };
            progress.settle(&result, 4);
        }

        let kept: Vec<u64> = progress
            .remarkable_from(1)
            .iter()
            .map(|result| result.sequence)
            .collect();

        assert_eq!(kept, [8, 10]);
        assert_eq!(progress.settled, Some(10));
    }
}
