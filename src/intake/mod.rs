//! The way in: every door ends here, with one call.
//!
//! A push is normalised and encoded (`prepare`), judged by the registry, and written to the log together with the
//! stale markers of what it ends (`ledger`); the caller waits until that is durable. Only this module changes the
//! registry and appends to the queue, under one lock, so two pushes to one group cannot interleave.

mod books;
mod families;
mod known;
mod ledger;
mod order;
mod prepare;
mod quiet;
mod refusal;
mod snapshot;
mod submission;
#[cfg(test)]
mod tests;
mod wipe;
mod write;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::registry::Registry as Metrics;
use tracing::{error, info, warn};

use crate::codec::shape::{Shape, ShapeKey};
use crate::model::{Clock, GroupKey, Process, UnixMillis, whole_story};
use crate::normalise::Rules;
use crate::queue::{Queue, QueueError};
use crate::registry::{
    Change, Event, GroupInfo, RetentionConfig, Retired, ShownGroup, Summary, judge_beside_own,
};

use books::{Books, Lost};
use families::Families;
use ledger::Ledger;
use prepare::{Preparation, Prepared, PushTimes};
use submission::Tally;
use write::InForce;

pub use crate::registry::Consistency;
pub use order::Order;
pub use prepare::{Incoming, Timestamps};
pub use quiet::Quiet;
pub use refusal::{Inconsistent, Refusal};
pub use snapshot::Closing;
pub use submission::Submission;
pub use write::{Reading, Written};

/// A pause between two sweeps longer than this was ours: the machine slept, or its clock was set.
const AWAY: Duration = Duration::from_secs(30);

/// How long the queue counts as full after it turned a push away: two pushes of Flink at its default interval.
const FULL_FOR: Duration = Duration::from_secs(20);

/// How often a failed queue is tried again.
const RECOVERY_PAUSE: Duration = Duration::from_secs(1);

/// The way in. Clones share it.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: ArcSwap<InForce>,
    retention: ArcSwap<RetentionConfig>,
    ledger: Mutex<Ledger>,
    /// Of series that come by remote-write, if somebody wants their order looked at.
    last_times: Mutex<order::LastTimes>,
    queue: Queue,
    clock: Arc<dyn Clock>,
    books: Books,
    families: Families,
    last_sweep: AtomicI64,
    last_recovery: AtomicI64,
    /// When the queue was last too full to take a push; zero for never.
    last_full: AtomicI64,
    conflict_log: Quiet,
}

impl Intake {
    /// Reads what was known from the queue's folder; blocks on the disk.
    ///
    /// # Errors
    /// When the log or the snapshot cannot be read from the disk.
    pub fn open(
        queue: Queue,
        (rules, retention): (Rules, RetentionConfig),
        clock: Arc<dyn Clock>,
        metrics: &mut Metrics,
    ) -> Result<Self, QueueError> {
        let ledger = Ledger::open(queue.clone(), retention.clone(), Arc::clone(&clock))?;
        let books = Books::default();
        books.register(metrics);
        let families = Families::open(&queue, Arc::clone(&clock))?;
        books.known(ledger.registry().summary(), families.summary());
        Ok(Self(Arc::new(Inner {
            rules: ArcSwap::from_pointee(InForce::new(rules)),
            retention: ArcSwap::from_pointee(retention),
            ledger: Mutex::new(ledger),
            families,
            last_times: Mutex::default(),
            queue,
            last_sweep: AtomicI64::new(clock.now().get()),
            last_recovery: AtomicI64::new(0),
            last_full: AtomicI64::new(0),
            conflict_log: Quiet::new(Duration::from_secs(10)),
            clock,
            books,
        })))
    }

    /// Takes up other rules and bounds; pushes under way end under the old ones.
    pub fn configure(&self, rules: Rules, retention: RetentionConfig) {
        self.0.rules.store(Arc::new(InForce::new(rules)));
        self.0.ledger().registry_mut().configure(retention.clone());
        self.0.retention.store(Arc::new(retention));
    }

    /// Judges a push and hands it to the log. The work is in proportion to the push; it does not wait for the disk.
    ///
    /// # Errors
    /// [`Refusal`]: nothing of the push is taken.
    pub fn push(&self, incoming: Incoming<'_>) -> Result<Submission, Refusal> {
        let received = incoming.exposition.weight();
        let mut submitted = self.0.push(&incoming);
        if let Err(refusal) = &mut submitted {
            self.0.turned_away(refusal, received);
            if let Refusal::Inconsistent { why, noted } = refusal {
                *noted = self.0.note_failure(&incoming, why).map(Box::new);
            }
        }
        submitted
    }

    /// Ends a group, or asks its several processes whether they still live. `None` when there is no such group.
    ///
    /// # Errors
    /// [`Refusal`]: the group stays as it is.
    pub fn delete(&self, group: &GroupKey) -> Result<Option<Submission>, Refusal> {
        let mut ledger = self.0.ledger();
        let change = ledger.registry().plan_delete(group, self.0.clock.now())?;
        change
            .map(|change| self.0.commit(&mut ledger, change, Tally::default()))
            .transpose()
    }

    /// Retires what has been silent for too long; called about once a second.
    pub async fn sweep(&self) {
        self.0.queue.expire(self.0.clock.now());
        if self.0.ledger().needs_recovery() {
            self.recover().await;
        }
        for submission in self.0.retire_due() {
            if let Err(error) = self.settle(submission).await {
                warn!(%error, "could not retire a group; it is tried again");
                return;
            }
        }
    }

    /// Whether a push could be made durable now.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), &'static str> {
        if self.0.queue.refusing().is_some() {
            return Err("the queue cannot be written: see the log, and the disk below data_dir");
        }
        if self.0.is_full() {
            return Err("the queue is full: see the remotes, and queue.max_bytes");
        }
        Ok(())
    }

    /// How much is known.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.0.ledger().registry().summary()
    }

    /// Every group that is known.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupInfo> {
        self.0.ledger().registry().groups().collect()
    }

    /// Every group as it is shown, sorted by key.
    #[must_use]
    pub fn shown(&self) -> Vec<ShownGroup> {
        let mut shown: Vec<ShownGroup> = self.0.ledger().registry().shown().collect();
        shown.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        shown
    }

    /// What was retired, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Retired> {
        self.0.ledger().registry().history().cloned().collect()
    }

    async fn recover(&self) {
        let now = self.0.clock.now();
        let last = UnixMillis::new(self.0.last_recovery.load(Ordering::Relaxed));
        if now.since(last) < RECOVERY_PAUSE && now >= last {
            return;
        }
        self.0.last_recovery.store(now.get(), Ordering::Relaxed);
        let inner = Arc::clone(&self.0);
        let recovered = tokio::task::spawn_blocking(move || {
            let retention = inner.retention.load().as_ref().clone();
            inner.ledger().recover(retention)
        });
        match recovered.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(
                    error = whole_story(&error),
                    "the queue still cannot be written; pushes are refused"
                )
            }
            Err(error) => error!(%error, "recovering the queue ended early"),
        }
    }
}

impl Inner {
    /// The ledger. A panic while it was held cannot have left it half changed: changes are folded in after planning.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, incoming: &Incoming<'_>) -> Result<Submission, Refusal> {
        if let Some(flaw) = &incoming.exposition.flaw {
            return Err(Inconsistent::from(flaw.clone()).into());
        }
        let in_force = self.rules.load();
        let rules = &in_force.rules;
        let grouping = rules.grouping(&incoming.group);
        let now = self.clock.now();
        let process = rules.process_of(&incoming.exposition.samples);
        let key = ShapeKey::of(&incoming.exposition);
        let (seed, failed, known) = {
            let ledger = self.ledger();
            let registry = ledger.registry();
            let failed = registry.push_times(&incoming.group).1;
            (
                registry.seed(),
                failed,
                registry.shape(&incoming.group, &process, key),
            )
        };
        let mut preparation =
            Preparation::new(rules, (&incoming.group, &grouping), (now, incoming.check), seed);
        if self.families.catalogue.listens_to(key.0, now) {
            preparation.note_names();
        }
        preparation.samples(&incoming.exposition, incoming.timestamps)?;
        let shape = known.unwrap_or_else(|| Arc::new(Shape::of(&incoming.exposition, &incoming.group, key)));
        judge_beside_own(&shape, &incoming.own)?;
        let own = preparation.push_times(PushTimes {
            pushed: Some(now),
            failed,
        });
        let Prepared {
            mut push,
            effects,
            dropped,
            twins,
            names,
        } = preparation.finish(own, incoming, shape);
        push.process = process;
        self.books.changed(&effects);
        let mut tally = Tally {
            received: incoming.exposition.weight(),
            push_times: own as u64,
            dropped,
            ..Tally::default()
        };
        tally.lost.push((Lost::Twin, twins));
        let mut ledger = self.ledger();
        if ledger.registry().seed() != seed {
            return Err(Refusal::NotReady(
                "the stored state was being read again; push again",
            ));
        }
        let change = ledger.registry().plan_push(push)?;
        let submission = self.commit(&mut ledger, change, tally)?;
        drop(ledger);
        if let Some(names) = names {
            self.families.pushed(&incoming.exposition, names);
        }
        Ok(submission)
    }

    /// Takes note that so many samples are not taken.
    fn turned_away(&self, refusal: &Refusal, samples: u64) {
        self.put_off(refusal);
        self.books.received(samples);
        self.books.lost(Lost::by(refusal), samples);
    }

    /// Takes note that somebody has to come again, if it is for us that he has.
    fn put_off(&self, refusal: &Refusal) {
        let now = self.clock.now();
        if refusal.is_ours() {
            self.ledger().registry_mut().forgive_silence(now);
        }
        if matches!(refusal, Refusal::Full { .. }) {
            self.last_full.store(now.get(), Ordering::Relaxed);
        }
    }

    /// Whether a push was turned away for want of room within the last seconds.
    fn is_full(&self) -> bool {
        let last = UnixMillis::new(self.last_full.load(Ordering::Relaxed));
        self.clock.now().since(last) < FULL_FOR
    }

    /// Writes a planned change and notes what it will add to the books.
    fn commit(&self, ledger: &mut Ledger, change: Change, mut tally: Tally) -> Result<Submission, Refusal> {
        tally.markers = u64::from(change.markers.samples());
        tally.lost.push((Lost::OtherWriter, u64::from(change.conflicts)));
        tally.lost.push((Lost::Twin, u64::from(change.twins)));
        if let Some(conflict) = &change.conflict {
            self.books.conflict();
            if self.conflict_log.may_speak(self.clock.now()) {
                warn!(
                    series = conflict.series,
                    owner = conflict.owner,
                    other = conflict.other,
                    dropped_samples = change.conflicts,
                    "two sources yield the same series: the first keeps it, the other's samples are dropped; give them a grouping label that tells them apart"
                );
            }
        }
        if let Event::Ended {
            group,
            why,
            processes,
            ..
        } = &change.event
        {
            tally.retired = Some(*why);
            let processes = processes
                .iter()
                .flatten()
                .map(Process::to_string)
                .collect::<Vec<_>>()
                .join("; ");
            info!(%group, ?why, processes, series_count = change.markers.samples(), "retired a group or some of its processes");
        }
        Ok(Submission {
            committed: vec![ledger.commit(change)?],
            tally,
            refusal: None,
        })
    }

    /// Lets the group of a refused push know of the failure (Pushgateway S40).
    fn note_failure(&self, incoming: &Incoming<'_>, why: &Inconsistent) -> Option<Submission> {
        let in_force = self.rules.load();
        let rules = &in_force.rules;
        let grouping = rules.grouping(&incoming.group);
        let now = self.clock.now();
        let mut ledger = self.ledger();
        let pushed = ledger.registry().push_times(&incoming.group).0;
        let seed = ledger.registry().seed();
        let mut preparation =
            Preparation::new(rules, (&incoming.group, &grouping), (now, incoming.check), seed);
        let own = preparation.push_times(PushTimes {
            pushed,
            failed: Some(now),
        });
        let prepared = preparation.finish(own, incoming, Arc::default());
        let tally = Tally {
            push_times: own as u64,
            ..Tally::default()
        };
        let noted = ledger
            .registry()
            .plan_failure(prepared.push, why.to_string())
            .map_err(Refusal::from)
            .and_then(|change| self.commit(&mut ledger, change, tally));
        noted
            .inspect_err(|error| warn!(%error, group = %incoming.group, "could not note a failed push"))
            .ok()
    }

    fn retire_due(&self) -> Vec<Submission> {
        let now = self.clock.now();
        let last = UnixMillis::new(self.last_sweep.swap(now.get(), Ordering::Relaxed));
        let due = {
            let mut ledger = self.ledger();
            let registry = ledger.registry_mut();
            registry.forget_old(now);
            if now.since(last) > AWAY || now < last {
                warn!(
                    seconds = now.since(last).as_secs(),
                    "time jumped: silence until now is not held against anybody"
                );
                registry.forgive_silence(now);
            }
            self.books.known(registry.summary(), self.families.summary());
            registry.due(now)
        };
        let retire = |group: &GroupKey| -> Result<Option<Submission>, Refusal> {
            let mut ledger = self.ledger();
            let change = ledger.registry().plan_sweep(group, now)?;
            change
                .map(|change| self.commit(&mut ledger, change, Tally::default()))
                .transpose()
        };
        let mut submissions = Vec::new();
        for group in &due {
            match retire(group) {
                Ok(submission) => submissions.extend(submission),
                Err(error) => {
                    warn!(%error, %group, "could not retire a group; it is tried again");
                    break;
                }
            }
        }
        submissions
    }
}
