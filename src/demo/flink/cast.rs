//! The demo's two clusters and what can be done to them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Client;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::{Part, Process, render};
use super::cluster::{Cluster, Suffix, random_hex};
use super::metrics::{Metric, table};
use super::push::{Ending, Reporter, Taken, client};
use crate::demo::{Pace, Selector};
use crate::model::{Clock, METRIC_NAME};

/// The jobs of the demo; the last of a cluster is the one that things happen to.
const ENRICHMENT: &str = "orders_enrichment";
const TO_LAKE: &str = "orders_to_lake";
const REPORTS: &str = "shared_reports";

/// The bridge's own gauge of the series it knows, as it stands in front of its value.
const BRIDGE_SERIES: &str = "flinkbridge_registry_series ";

/// Simulated Flink: cluster `orders`, whose processes have a group each, and cluster `shared`, whose processes push
/// to one group; each with a JobManager, two TaskManagers and their jobs.
///
/// The processes are tasks: dropping the cast kills them, `Cast::end` lets them shut down.
#[derive(Debug)]
pub struct Cast {
    clock: Arc<dyn Clock>,
    pace: Pace,
    bridge_url: String,
    /// To ask the bridge; the processes have their own.
    client: Client,
    metrics: Arc<Vec<Metric>>,
    orders: Side,
    shared: Side,
    tasks: JoinSet<()>,
}

/// Why the simulated processes cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// The HTTP client's TLS cannot be set up.
    #[error("setting up TLS for the simulated processes")]
    Tls(#[from] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("building an HTTP client for the simulated processes")]
    Client(#[from] reqwest::Error),
}

/// Which of the two clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Which {
    Orders,
    Shared,
}

/// Somebody of the cast: what to call it, and its series as they are after normalisation.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Player {
    pub(in crate::demo) name: String,
    pub(in crate::demo) selector: Selector,
}

/// One series that a process sends in every push, and how many pushes of it the bridge has taken.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Ledger {
    pub(in crate::demo) selector: Selector,
    pub(in crate::demo) taken: u64,
}

#[derive(Debug)]
struct Side {
    cluster: Arc<Mutex<Cluster>>,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    part: Part,
    ending: oneshot::Sender<Ending>,
    taken: Taken,
}

impl Cast {
    /// Starts both clusters, pushing to the bridge at `bridge_url` (`http://host:port`, without a path).
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn start(bridge_url: &str, pace: Pace, clock: Arc<dyn Clock>) -> Result<Self, CastError> {
        Self::with_metrics(bridge_url, pace, clock, table())
    }

    /// The same with one metric in ten, for tests that look at the story and not at its size.
    #[cfg(test)]
    pub(in crate::demo) fn sparse(
        bridge_url: &str,
        pace: Pace,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CastError> {
        let few = |(at, metric): &(usize, Metric)| at % 10 == 0 || metric.family().ends_with("Threads_Count");
        let metrics = table().into_iter().enumerate().filter(few);
        Self::with_metrics(
            bridge_url,
            pace,
            clock,
            metrics.map(|(_, metric)| metric).collect(),
        )
    }

    fn with_metrics(
        bridge_url: &str,
        pace: Pace,
        clock: Arc<dyn Clock>,
        metrics: Vec<Metric>,
    ) -> Result<Self, CastError> {
        let mut cast = Self {
            clock,
            pace,
            bridge_url: bridge_url.trim_end_matches('/').to_owned(),
            client: client()?,
            metrics: Arc::new(metrics),
            orders: Side::new(Cluster::new("orders", "emr-demo0001", Suffix::Random)),
            shared: Side::new(Cluster::new("shared", "emr-demo0002", Suffix::None)),
            tasks: JoinSet::new(),
        };
        for (which, jobs) in [
            (Which::Orders, [ENRICHMENT, TO_LAKE].as_slice()),
            (Which::Shared, &[REPORTS]),
        ] {
            cast.run(which, Part::JobManager)?;
            cast.add_task_manager(which)?;
            cast.add_task_manager(which)?;
            for job in jobs {
                cast.submit(which, job);
            }
        }
        Ok(cast)
    }

    /// Everybody who should be seen at the store now: each process and each job.
    pub(in crate::demo) fn players(&self) -> Vec<Player> {
        [Which::Orders, Which::Shared]
            .into_iter()
            .flat_map(|which| {
                let side = self.side(which);
                let cluster = side.cluster();
                let processes = side.running.iter().map(|running| cluster.process(&running.part));
                let jobs = cluster.jobs.iter().map(|job| cluster.job(&job.job_id, job.name));
                processes.chain(jobs).collect::<Vec<_>>()
            })
            .collect()
    }

    /// What the bridge has taken of each running process.
    pub(in crate::demo) fn ledgers(&self) -> Vec<Ledger> {
        [Which::Orders, Which::Shared]
            .into_iter()
            .flat_map(|which| {
                let side = self.side(which);
                let cluster = side.cluster();
                let ledger = |running: &Running| Ledger {
                    selector: cluster
                        .process(&running.part)
                        .selector
                        .with(METRIC_NAME, probe(&running.part)),
                    taken: running.taken.load(Ordering::SeqCst),
                };
                side.running.iter().map(ledger).collect::<Vec<_>>()
            })
            .collect()
    }

    /// How many series the bridge says that it knows; `None` when it does not say.
    pub(in crate::demo) async fn bridge_series(&self) -> Option<u64> {
        let answer = self
            .client
            .get(format!("{}/-/metrics", self.bridge_url))
            .send()
            .await
            .ok()?;
        let text = answer.error_for_status().ok()?.text().await.ok()?;
        let sample = text.lines().find_map(|line| line.strip_prefix(BRIDGE_SERIES))?;
        sample.trim().parse().ok()
    }

    /// The JobManager of a cluster.
    pub(in crate::demo) fn job_manager(&self, which: Which) -> Player {
        self.side(which).cluster().process(&Part::JobManager)
    }

    /// The cluster's last job, the one that things happen to.
    pub(in crate::demo) fn last_job(&self, which: Which) -> Option<Player> {
        let cluster = self.side(which).cluster();
        cluster.jobs.last().map(|job| cluster.job(&job.job_id, job.name))
    }

    /// The running attempt of the cluster's last job, and the one that a restart would begin.
    pub(in crate::demo) fn attempts(&self, which: Which) -> Option<(Player, Player)> {
        let cluster = self.side(which).cluster();
        let job = cluster.jobs.last()?;
        let attempt = |number: u32| Player {
            name: format!("attempt {number}"),
            selector: cluster
                .job(&job.job_id, job.name)
                .selector
                .with("task_attempt_num", number.to_string()),
        };
        Some((attempt(job.attempt), attempt(job.attempt + 1)))
    }

    /// The cluster's last TaskManager, the one that things happen to.
    pub(in crate::demo) fn last_task_manager(&self, which: Which) -> Option<Player> {
        let side = self.side(which);
        let last = side.running.last()?;
        (last.part != Part::JobManager).then(|| side.cluster().process(&last.part))
    }

    /// Cancels the cluster's last job.
    pub(in crate::demo) fn cancel(&mut self, which: Which) {
        self.side(which).cluster().jobs.pop();
    }

    /// A task of the cluster throws, and Flink starts its jobs again.
    pub(in crate::demo) fn fail(&mut self, which: Which) {
        let now = self.clock.now();
        self.side(which).cluster().restart_all(now);
    }

    /// Ends the cluster's last TaskManager by SIGTERM: it deletes its group.
    pub(in crate::demo) fn terminate(&mut self, which: Which) {
        self.lose(which, Ending::Term);
    }

    /// Ends the cluster's last TaskManager by SIGKILL: it falls silent.
    pub(in crate::demo) fn kill(&mut self, which: Which) {
        self.lose(which, Ending::Kill);
    }

    /// One more TaskManager, to which the jobs spread.
    pub(in crate::demo) fn add_task_manager(&mut self, which: Which) -> Result<Player, CastError> {
        let now = self.clock.now();
        let part = {
            let mut cluster = self.side(which).cluster();
            let part = Part::TaskManager(cluster.add_task_manager());
            if cluster.task_managers.len() > 1 {
                cluster.restart_all(now);
            }
            part
        };
        self.run(which, part.clone())?;
        Ok(self.side(which).cluster().process(&part))
    }

    /// Submits the job that was cancelled again: same name, another id.
    pub(in crate::demo) fn resubmit(&mut self) {
        self.submit(Which::Orders, TO_LAKE);
    }

    /// Shuts everything down as `stop-cluster.sh` does: SIGTERM to each process, TaskManagers first.
    pub(in crate::demo) async fn end(&mut self) {
        for side in [&mut self.orders, &mut self.shared] {
            for running in side.running.drain(..).rev() {
                let _gone = running.ending.send(Ending::Term);
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn submit(&self, which: Which, job: &'static str) {
        let now = self.clock.now();
        self.side(which).cluster().submit(job, now);
    }

    fn lose(&mut self, which: Which, ending: Ending) {
        let now = self.clock.now();
        let side = self.side_mut(which);
        let Some(running) = side.running.pop_if(|last| last.part != Part::JobManager) else {
            return;
        };
        if let Part::TaskManager(gone) = &running.part {
            side.cluster().lose_task_manager(&gone.tm_id, now);
        }
        let _gone = running.ending.send(ending);
    }

    fn run(&mut self, which: Which, part: Part) -> Result<(), CastError> {
        while self.tasks.try_join_next().is_some() {}
        let (ending, ended) = oneshot::channel();
        let taken = Taken::default();
        let process = Process {
            part: part.clone(),
            started: self.clock.now(),
            seed: rand::random(),
        };
        let interval = self.pace.interval();
        let reporter = Reporter {
            client: client()?,
            url: format!("{}{}", self.bridge_url, self.side(which).cluster().path()),
            interval,
            phase: interval.mul_f64(f64::from(process.seed % 100) / 100.0),
            taken: Arc::clone(&taken),
        };
        let (clock, metrics) = (Arc::clone(&self.clock), Arc::clone(&self.metrics));
        let cluster = Arc::clone(&self.side(which).cluster);
        let body = move || {
            let cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
            render(&process, &cluster, &metrics, clock.now())
        };
        self.tasks.spawn(reporter.run(body, ended));
        self.side_mut(which).running.push(Running { part, ending, taken });
        Ok(())
    }

    const fn side(&self, which: Which) -> &Side {
        match which {
            Which::Orders => &self.orders,
            Which::Shared => &self.shared,
        }
    }

    const fn side_mut(&mut self, which: Which) -> &mut Side {
        match which {
            Which::Orders => &mut self.orders,
            Which::Shared => &mut self.shared,
        }
    }
}

impl Side {
    fn new(cluster: Cluster) -> Self {
        Self {
            cluster: Arc::new(Mutex::new(cluster)),
            running: Vec::new(),
        }
    }

    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster {
    /// The path that a process of this cluster pushes to.
    fn path(&self) -> String {
        let suffix = match self.suffix {
            Suffix::Random => random_hex(),
            Suffix::None => String::new(),
        };
        format!(
            "/metrics/job/{}{suffix}/instance_id/{}",
            self.name, self.instance_id
        )
    }

    /// The series of this cluster: the bridge takes the random suffix off its name.
    fn selector(&self) -> Selector {
        Selector::all()
            .with("job", self.name)
            .with("instance_id", self.instance_id)
    }

    fn process(&self, part: &Part) -> Player {
        let (name, host, tm_id) = match part {
            Part::JobManager => ("JobManager".to_owned(), self.host(), ""),
            Part::TaskManager(here) => (
                format!("TaskManager {}", here.tm_id),
                here.host.as_str(),
                here.tm_id.as_str(),
            ),
        };
        Player {
            name: format!("{name} of {}", self.name),
            selector: self.selector().with("host", host).with("tm_id", tm_id),
        }
    }

    fn job(&self, job_id: &str, name: &str) -> Player {
        Player {
            name: format!("job {name} of {}", self.name),
            selector: self.selector().with("job_id", job_id),
        }
    }
}

/// A metric that a process sends in every push, once.
const fn probe(part: &Part) -> &'static str {
    match part {
        Part::JobManager => "flink_jobmanager_Status_JVM_Threads_Count",
        Part::TaskManager(_) => "flink_taskmanager_Status_JVM_Threads_Count",
    }
}
