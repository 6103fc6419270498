//! Deletes the stale groups, some at a time; reads again when it takes long.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::SweepError;
use super::listing::{self, Listing, Name};
use super::report::{Outcome, Swept};
use super::session::Session;
use super::sweep::{Progress, Wish};
use crate::model::UnixMillis;

/// How old what was read may be, at least.
const FRESH: Duration = Duration::from_secs(2);

/// Reading again takes at most one part in so many of a pass.
const SHARE_OF_READING: u32 = 3;

/// How often a deletion is tried, with a pause before each further try.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// As many failures in a row for each deletion under way say that it is not about single groups.
const HOPELESS: usize = 2;

/// A pass that deletes.
#[derive(Debug)]
pub(super) struct Deleting<'a> {
    session: Session,
    concurrency: usize,
    progress: &'a Progress,
    read_at: Instant,
    fresh_for: Duration,
    waiting: VecDeque<usize>,
    running: JoinSet<(usize, Result<(), SweepError>)>,
    failures_in_a_row: usize,
}

impl<'a> Deleting<'a> {
    /// Ready to delete what was read at `read_at`, which took so long.
    pub(super) fn new(
        session: Session,
        wish: &Wish,
        progress: &'a Progress,
        (read_at, took): (Instant, Duration),
    ) -> Self {
        Self {
            session,
            concurrency: wish.concurrency.max(1),
            progress,
            read_at,
            fresh_for: fresh_for(took),
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            failures_in_a_row: 0,
        }
    }

    /// Deletes `groups`, and notes what became of each.
    ///
    /// # Errors
    /// Why not all of them were tried.
    pub(super) async fn run(
        mut self,
        groups: &mut [Swept],
        stop: watch::Receiver<bool>,
    ) -> Result<(), SweepError> {
        let is_due = |group: &Swept| group.outcome == Outcome::Untried;
        self.waiting = (0..groups.len())
            .filter(|at| groups.get(*at).is_some_and(is_due))
            .collect();
        let mut ended = Ok(());
        loop {
            if ended.is_ok() && !self.waiting.is_empty() {
                ended = self.go_on(groups, &stop).await;
            }
            if ended.is_err() {
                self.waiting.clear();
            }
            let Some(joined) = self.running.join_next().await else {
                return ended;
            };
            if let Ok((at, deleted)) = joined {
                ended = ended.and(self.note(groups.get_mut(at), deleted));
            }
        }
    }

    /// Begins as many deletions as may be under way.
    async fn go_on(&mut self, groups: &mut [Swept], stop: &watch::Receiver<bool>) -> Result<(), SweepError> {
        if *stop.borrow() {
            return Err(SweepError::Interrupted);
        }
        if self.read_at.elapsed() > self.fresh_for {
            let mut stop = stop.clone();
            tokio::select! {
                Ok(_) = stop.wait_for(|stop| *stop) => return Err(SweepError::Interrupted),
                read = self.read_again(groups) => read?,
            }
        }
        while self.running.len() < self.concurrency
            && let Some(at) = self.waiting.pop_front()
        {
            let paths = groups.get(at).map(|group| group.paths.clone());
            let session = self.session.clone();
            self.running.spawn(async move {
                let deleted = delete(&session, &paths.unwrap_or_default()).await;
                (at, deleted)
            });
        }
        Ok(())
    }

    fn note(&mut self, group: Option<&mut Swept>, deleted: Result<(), SweepError>) -> Result<(), SweepError> {
        let Some(group) = group else { return Ok(()) };
        self.progress.count_done();
        let Err(error) = deleted else {
            self.failures_in_a_row = 0;
            group.outcome = Outcome::Deleted;
            return Ok(());
        };
        self.failures_in_a_row += 1;
        let failures = self.failures_in_a_row;
        let last = error.to_string();
        group.outcome = Outcome::Failed(last.clone());
        if !error.is_of_one_request() {
            Err(error)
        } else if failures >= HOPELESS * self.concurrency {
            Err(SweepError::Failing { failures, last })
        } else {
            Ok(())
        }
    }

    /// Lets go of what was pushed to, or deleted, since it was read.
    async fn read_again(&mut self, groups: &mut [Swept]) -> Result<(), SweepError> {
        let listing = listing::read(&self.session, &Progress::default()).await?;
        self.read_at = Instant::now();
        self.fresh_for = fresh_for(listing.took);
        let now = signs_of_life(listing);
        self.waiting.retain(|at| {
            let Some(group) = groups.get_mut(*at) else {
                return false;
            };
            let before = group.pushed.or(group.failed);
            group.outcome = match now.get(&group.labels) {
                Some(seen) if *seen == before => return true,
                Some(_) => Outcome::PushedAgain,
                None => Outcome::Gone,
            };
            self.progress.count_done();
            false
        });
        Ok(())
    }
}

fn fresh_for(reading_took: Duration) -> Duration {
    FRESH.max(reading_took * SHARE_OF_READING)
}

fn signs_of_life(listing: Listing) -> HashMap<Vec<(String, String)>, Option<UnixMillis>> {
    let groups = listing.groups.into_iter().filter_map(|group| {
        let seen = group.sign_of_life();
        match group.name {
            Name::Key { key, .. } => Some((Vec::from(key), seen)),
            Name::None { .. } => None,
        }
    });
    groups.collect()
}

async fn delete(session: &Session, paths: &[String]) -> Result<(), SweepError> {
    for path in paths {
        let mut attempt = 1;
        while let Err(error) = session.delete(path).await {
            if !error.may_pass() || attempt == ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }
    Ok(())
}
