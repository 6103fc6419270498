//! The story: what happens to the simulated clusters, told line by line, with what was then seen at the store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::flink::{Ledger, Player, Which};
use super::{Cast, CastError, Pace, Selector, Store};
use crate::model::Clock;

/// Everything that the demo sends, in PromQL.
const EVERYBODY: &str = r#"{instance_id=~"emr-demo.*"}"#;

/// A cast, a store to look at (none when a real one is fed), and somebody to tell it to.
///
/// `tell` gets one line at a time, without a line end.
#[derive(Debug)]
pub struct Story<F> {
    cast: Cast,
    store: Option<Arc<Store>>,
    pace: Pace,
    clock: Arc<dyn Clock>,
    tell: F,
    summary: Summary,
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that had the effect they should have.
    pub seen: u32,
    /// Events whose effect did not come in time.
    pub missed: u32,
    /// Samples that the store took.
    pub samples: u64,
    /// Samples that the store refused, as out of order for example.
    pub refused: u64,
}

impl Summary {
    /// Whether everything was seen and nothing refused.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.missed == 0 && self.refused == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seen,
            missed,
            samples,
            refused,
        } = self;
        write!(
            f,
            "{seen} effects seen, {missed} missed; the store took {samples} samples and refused {refused}"
        )
    }
}

impl<F: FnMut(String)> Story<F> {
    /// A story about `cast`, looked at through `store`.
    pub fn new(cast: Cast, store: Option<Arc<Store>>, pace: Pace, clock: Arc<dyn Clock>, tell: F) -> Self {
        Self {
            cast,
            store,
            pace,
            clock,
            tell,
            summary: Summary::default(),
        }
    }

    /// Plays `rounds` rounds (`None`: no end), or until `until` is done; then shuts the clusters down and looks that
    /// every series has ended.
    ///
    /// # Errors
    /// When a new process cannot be started.
    pub async fn play(
        mut self,
        rounds: Option<u32>,
        until: impl Future<Output = ()>,
    ) -> Result<Summary, CastError> {
        let played = tokio::select! {
            played = self.rounds(rounds) => played,
            () = until => Ok(()),
        };
        self.curtain().await;
        played.map(|()| self.summary)
    }

    async fn rounds(&mut self, rounds: Option<u32>) -> Result<(), CastError> {
        self.opening().await;
        let mut round = 0;
        while rounds.is_none_or(|rounds| round < rounds) {
            round += 1;
            self.say(format!("round {round}"));
            self.a_job_is_cancelled().await;
            self.a_task_manager_is_stopped().await;
            self.a_job_restarts().await;
            self.a_task_manager_is_killed().await?;
            self.one_of_a_shared_group_stops().await;
            self.the_remote_is_away().await;
            self.everybody_returns().await?;
            self.the_bridge_counts().await;
        }
        Ok(())
    }

    async fn opening(&mut self) {
        self.say(
            "two Flink clusters start: orders (a group for each process: random suffix on) and shared (one group for \
             all processes: randomJobNameSuffix=false)",
        );
        self.everybody_is_alive().await;
    }

    async fn a_job_is_cancelled(&mut self) {
        self.quiet().await;
        let Some(job) = self.cast.last_job(Which::Orders) else {
            return;
        };
        let before = self.alive(&job.selector);
        self.cast.cancel(Which::Orders);
        self.say(format!(
            "{} is cancelled: its series are missing from the next pushes of three processes and should end",
            job.name
        ));
        self.series_end(&job.selector, before).await;
    }

    async fn a_task_manager_is_stopped(&mut self) {
        self.quiet().await;
        let Some(gone) = self.cast.last_task_manager(Which::Orders) else {
            return;
        };
        let before = self.alive(&gone.selector);
        self.cast.terminate(Which::Orders);
        self.say(format!(
            "{} gets SIGTERM and deletes its group: its series should end at once, its tasks move",
            gone.name
        ));
        self.series_end(&gone.selector, before).await;
    }

    async fn a_job_restarts(&mut self) {
        self.quiet().await;
        let Some((old, new)) = self.cast.attempts(Which::Orders) else {
            return;
        };
        let before = self.alive(&old.selector);
        self.cast.fail(Which::Orders);
        self.say(format!(
            "a task of orders throws, the job restarts: the series of {} should end, those of {} begin",
            old.name, new.name
        ));
        let ask = format!("count by (task_attempt_num) ({})", new.selector);
        self.look(&ask, |store| {
            let (old, new) = (store.count(&old.selector).alive, store.count(&new.selector).alive);
            (old == 0 && new > 0).then(|| format!("{before} series ended, {new} began"))
        })
        .await;
    }

    async fn a_task_manager_is_killed(&mut self) -> Result<(), CastError> {
        self.quiet().await;
        let new = self.cast.add_task_manager(Which::Orders)?;
        self.say(format!("{} joins", new.name));
        self.becomes_alive(&[new]).await;
        self.quiet().await;
        let Some(gone) = self.cast.last_task_manager(Which::Orders) else {
            return Ok(());
        };
        let before = self.alive(&gone.selector);
        self.cast.kill(Which::Orders);
        self.say(format!(
            "{} is killed with -9 and falls silent: its series should end when it has been silent for {:?} (stale_after)",
            gone.name,
            self.pace.stale_after()
        ));
        self.series_end(&gone.selector, before).await;
        Ok(())
    }

    async fn one_of_a_shared_group_stops(&mut self) {
        self.quiet().await;
        let neighbour = self.cast.job_manager(Which::Shared);
        let Some(gone) = self.cast.last_task_manager(Which::Shared) else {
            return;
        };
        let (before, lasting) = (self.alive(&gone.selector), self.alive(&neighbour.selector));
        self.cast.terminate(Which::Shared);
        self.say(format!(
            "{} stops and deletes the group that it shares: only its own series should end, after two of its intervals",
            gone.name
        ));
        let ask = format!("count({})", gone.selector);
        self.look(&ask, |store| {
            let (left, others) = (
                store.count(&gone.selector).alive,
                store.count(&neighbour.selector).alive,
            );
            (left == 0 && others >= lasting).then(|| {
                format!(
                    "{before} series ended, all {others} of the {} go on",
                    neighbour.name
                )
            })
        })
        .await;
    }

    async fn the_remote_is_away(&mut self) {
        self.quiet().await;
        let Some(store) = self.store.clone() else { return };
        self.say(format!(
            "the remote is away: for {:?} the store answers 503, while the clusters go on pushing to the bridge",
            self.pace.outage()
        ));
        let taken = |cast: &Cast| cast.ledgers().iter().map(|ledger| ledger.taken).sum::<u64>();
        let before = taken(&self.cast);
        store.go_away();
        sleep(self.pace.outage()).await;
        store.come_back();
        let (ledgers, pushes) = (self.cast.ledgers(), taken(&self.cast) - before);
        self.say(format!(
            "the remote is back: the {pushes} pushes that the bridge took meanwhile should all be there, in order"
        ));
        let refused = store.refused();
        self.look("", |store| {
            let whole = |ledger: &Ledger| store.count(&ledger.selector).received >= ledger.taken;
            (ledgers.iter().all(whole) && store.refused() == refused).then(|| {
                format!(
                    "nothing is lost: every push of {} processes arrived",
                    ledgers.len()
                )
            })
        })
        .await;
    }

    async fn everybody_returns(&mut self) -> Result<(), CastError> {
        self.quiet().await;
        self.cast.add_task_manager(Which::Orders)?;
        self.cast.add_task_manager(Which::Shared)?;
        self.cast.resubmit();
        self.say("new TaskManagers join both clusters, and the cancelled job is submitted again: all should be alive");
        self.everybody_is_alive().await;
        Ok(())
    }

    /// What the bridge's own metrics say, beside what the store has. The bridge counts about once a second, so some
    /// time goes by before it is asked.
    async fn the_bridge_counts(&mut self) {
        self.quiet().await;
        let Some(series) = self.cast.bridge_series().await else {
            return;
        };
        let alive = self.alive(&Selector::all());
        match self.store {
            Some(_) => self.say(format!(
                "the bridge knows {series} series, the store has {alive} alive"
            )),
            None => self.say(format!("the bridge knows {series} series")),
        }
    }

    async fn curtain(&mut self) {
        if let Some(store) = &self.store {
            store.come_back();
        }
        self.say("the demo ends: every process gets SIGTERM, every series should end");
        let before = self.alive(&Selector::all());
        self.cast.end().await;
        self.series_end(&Selector::all(), before).await;
        match &self.store {
            Some(store) => {
                self.summary.samples = store.taken();
                self.summary.refused = store.refused();
                self.say(self.summary.to_string());
            }
            None => self.say("what came of it is at your store: the demo cannot look into it"),
        }
    }

    async fn everybody_is_alive(&mut self) {
        let players = self.cast.players();
        self.becomes_alive(&players).await;
    }

    async fn becomes_alive(&mut self, players: &[Player]) {
        let ask = match players {
            [one] => format!("count({})", one.selector),
            _ => format!("count by (job, instance_id, tm_id) ({EVERYBODY})"),
        };
        self.look(&ask, |store| {
            let counts: Vec<usize> = players
                .iter()
                .map(|player| store.count(&player.selector).alive)
                .collect();
            let all = store.count(&Selector::all()).alive;
            counts.iter().all(|count| *count > 0).then(|| {
                format!(
                    "{} of {} are there, {all} series alive",
                    counts.len(),
                    players.len()
                )
            })
        })
        .await;
    }

    async fn series_end(&mut self, selector: &Selector, before: usize) {
        let ask = match *selector == Selector::all() {
            true => format!("count({EVERYBODY})"),
            false => format!("count({selector})"),
        };
        self.look(&ask, |store| {
            let census = store.count(selector);
            let rest = store.count(&Selector::all()).alive;
            (census.alive == 0).then(|| format!("{before} series ended, {rest} others alive"))
        })
        .await;
    }

    /// Waits until the store shows what `found` looks for. Without a store, says what to ask the real one, and gives
    /// it as much time as the slowest ending takes.
    async fn look(&mut self, ask: &str, found: impl Fn(&Store) -> Option<String>) {
        let Some(store) = self.store.clone() else {
            if !ask.is_empty() {
                self.say(format!("  ask your store: {ask}"));
                sleep(self.pace.stale_after()).await;
            }
            return;
        };
        let began = Instant::now();
        let deadline = began + self.pace.patience();
        let mut changes = store.changes();
        loop {
            if let Some(what) = found(&store) {
                self.summary.seen += 1;
                self.say(format!("  seen after {}: {what}", tenths(began.elapsed())));
                return;
            }
            if !matches!(timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
                self.summary.missed += 1;
                self.say(format!(
                    "  NOT SEEN within {}: ask the store yourself",
                    tenths(self.pace.patience())
                ));
                return;
            }
        }
    }

    fn alive(&self, selector: &Selector) -> usize {
        self.store.as_ref().map_or(0, |store| store.count(selector).alive)
    }

    async fn quiet(&self) {
        sleep(self.pace.quiet()).await;
    }

    fn say(&mut self, line: impl fmt::Display) {
        let seconds = self.clock.now().get() / 1000 % 86_400;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        (self.tell)(format!("{hours:02}:{minutes:02}:{seconds:02}  {line}"));
    }
}

fn tenths(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests;
