//! One pass: read, judge, delete.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::access::Gateway;
use super::deleting::Deleting;
use super::error::SweepError;
use super::listing::{self, Listed, Listing, Name};
use super::report::{Outcome, Report, Swept};
use super::session::Session;
use crate::model::{Clock, NameScheme, Selector, UnixMillis};

/// What is to be deleted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Groups silent for longer.
    pub older_than: Duration,
    /// Of them those whose grouping labels are selected; all without one.
    pub selector: Option<Selector>,
    /// Most groups that may be deleted in a pass; of more, none is.
    pub max_groups: usize,
    /// Deletions under way at once.
    pub concurrency: usize,
    /// Whether it is done or only told.
    pub effect: Effect,
}

/// Whether it is done or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Stale groups are deleted.
    Delete,
    /// Nothing is changed.
    Rehearse,
}

/// How far a pass is; clones share the figures.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Figures>);

#[derive(Debug, Default)]
struct Figures {
    read: AtomicUsize,
    stale: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// Groups read so far, those found stale, and those of them that have been dealt with.
    #[must_use]
    pub fn figures(&self) -> (usize, usize, usize) {
        let figure = |figure: &AtomicUsize| figure.load(Ordering::Relaxed);
        (figure(&self.0.read), figure(&self.0.stale), figure(&self.0.done))
    }

    pub(super) fn count_read(&self) {
        self.0.read.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_done(&self) {
        self.0.done.fetch_add(1, Ordering::Relaxed);
    }

    fn begin(&self, stale: usize) {
        self.0.stale.store(stale, Ordering::Relaxed);
    }

    fn reset(&self) {
        for figure in [&self.0.read, &self.0.stale, &self.0.done] {
            figure.store(0, Ordering::Relaxed);
        }
    }
}

/// Sweeps one gateway.
#[derive(Debug)]
pub struct Sweep {
    /// The gateway.
    pub gateway: Gateway,
    /// What is to be deleted.
    pub wish: Wish,
    /// Our own clock, by which the gateway's is checked.
    pub clock: Arc<dyn Clock>,
    /// How far the pass under way is.
    pub progress: Progress,
    /// Becomes true when no further deletion shall begin.
    pub stop: watch::Receiver<bool>,
}

impl Sweep {
    /// Reads all groups once and deletes the stale ones. What was asked of the gateway before `stop` became true is
    /// waited for.
    ///
    /// # Errors
    /// When nothing was deleted because the groups could not be read; what goes wrong later is in the report.
    pub async fn pass(&self) -> Result<Report, SweepError> {
        let begun = Instant::now();
        self.progress.reset();
        let mut stop = self.stop.clone();
        let reading = async {
            let session = self.gateway.session().await?;
            let listing = listing::read(&session, &self.progress).await?;
            let names = match listing.names() {
                Some(names) => names,
                None => session.names().await?,
            };
            Ok((session, listing, names))
        };
        let (session, listing, names) = tokio::select! {
            Ok(_) = stop.wait_for(|stop| *stop) => return Err(SweepError::Interrupted),
            read = reading => read?,
        };
        let read_at = Instant::now();
        let mut report = self.judge(listing, names);
        let stale = report.deletable();
        self.progress.begin(stale);
        if stale > self.wish.max_groups {
            let limit = self.wish.max_groups;
            report.cut_short = Some(SweepError::TooManyStale { stale, limit });
        } else if self.wish.effect == Effect::Delete {
            self.delete(&mut report, session, read_at).await;
        }
        report.took = begun.elapsed();
        Ok(report)
    }

    async fn delete(&self, report: &mut Report, session: Session, read_at: Instant) {
        let deleting = Deleting::new(session, &self.wish, &self.progress, (read_at, report.read_took));
        let stop = self.stop.clone();
        report.cut_short = deleting.run(&mut report.groups, stop).await.err();
    }

    fn judge(&self, listing: Listing, names: NameScheme) -> Report {
        let ours = self.clock.now();
        let at = listing.date.unwrap_or(ours);
        let mut report = Report {
            url: self.gateway.url(),
            effect: self.wish.effect,
            older_than: self.wish.older_than,
            source: listing.source,
            judged_at: at,
            ahead_millis: listing.date.map(|date| date.get() - ours.get()),
            read_took: listing.took,
            took: listing.took,
            read: listing.groups.len(),
            unselected: 0,
            alive: 0,
            groups: Vec::new(),
            cut_short: None,
        };
        for group in listing.groups {
            if !self.selects(&group) {
                report.unselected += 1;
            } else if group
                .sign_of_life()
                .is_none_or(|seen| at.since(seen) <= self.wish.older_than)
            {
                report.alive += 1;
            } else {
                report.groups.push(self.swept(group, at, names));
            }
        }
        report
            .groups
            .sort_by(|one, other| (Reverse(one.age), &one.labels).cmp(&(Reverse(other.age), &other.labels)));
        report
    }

    fn selects(&self, group: &Listed) -> bool {
        let Some(selector) = &self.wish.selector else {
            return true;
        };
        match &group.name {
            Name::Key { key, .. } => selector.selects(|asked| {
                let label = key.iter().find(|(name, _)| *name == asked);
                label.map_or("", |(_, value)| value)
            }),
            Name::None { labels, .. } => selector.selects(|asked| {
                let label = labels.iter().find(|(name, _)| *name == asked);
                label.map_or("", |(_, value)| value.as_str())
            }),
        }
    }

    fn swept(&self, group: Listed, at: UnixMillis, names: NameScheme) -> Swept {
        let age = group.sign_of_life().map_or(Duration::ZERO, |seen| at.since(seen));
        let (labels, paths, outcome) = match group.name {
            Name::Key { key, twin } => {
                let paths = [Some(&key), twin.as_ref()];
                let paths = paths.into_iter().flatten().map(|key| key.path(names)).collect();
                let outcome = match self.wish.effect {
                    Effect::Delete => Outcome::Untried,
                    Effect::Rehearse => Outcome::WouldDelete,
                };
                (Vec::from(key), paths, outcome)
            }
            Name::None { labels, why } => (labels, Vec::new(), Outcome::Impossible(why)),
        };
        Swept {
            labels,
            paths,
            pushed: group.pushed,
            failed: group.failed,
            age,
            outcome,
        }
    }
}
