//! One Flink cluster: which processes run, which jobs, and which attempt of them.

use crate::model::UnixMillis;

/// Slots of a TaskManager.
const SLOTS: u32 = 4;

/// How a cluster names its groups: Flink's `randomJobNameSuffix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    /// Each process its own group.
    Random,
    /// All processes one group.
    None,
}

/// A cluster as its JobManager sees it.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Flink's `jobName` of the reporter.
    pub(super) name: &'static str,
    pub(super) instance_id: &'static str,
    pub(super) suffix: Suffix,
    pub(super) jobs: Vec<Job>,
    pub(super) task_managers: Vec<TaskManager>,
    started: u32,
}

/// A process that runs tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaskManager {
    pub(super) tm_id: String,
    pub(super) host: String,
}

/// A running job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) job_id: String,
    pub(super) submitted: UnixMillis,
    /// Flink's execution graph, part of each attempt's id.
    pub(super) graph_id: String,
    /// Counted from 0, one more at each restart.
    pub(super) attempt: u32,
    pub(super) attempt_since: UnixMillis,
}

/// A vertex of a job: operators chained into one task, each with its id and name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) task_id: &'static str,
    pub(super) task_name: &'static str,
    pub(super) operators: [Operator; 2],
    pub(super) is_source: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Operator {
    pub(super) operator_id: &'static str,
    pub(super) operator_name: &'static str,
    pub(super) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Source,
    Inner,
    Sink,
}

/// Every job of the demo has the same two tasks, as the job of the captures: the ids are hashes of the graph, so that
/// two jobs of one graph have the same (that is so in Flink too).
pub(super) const TASKS: [Task; 2] = [
    Task {
        task_id: "cbc357ccb763df2852fee8c4fc7d55f2",
        task_name: "Source:_orders_1_____Calc_2_",
        operators: [
            Operator {
                operator_id: "cbc357ccb763df2852fee8c4fc7d55f2",
                operator_name: "Source:_orders_1_",
                role: Role::Source,
            },
            Operator {
                operator_id: "7df19f87deec5680128845fd9a6ca18d",
                operator_name: "Calc_2_",
                role: Role::Inner,
            },
        ],
        is_source: true,
    },
    Task {
        task_id: "90bea66de1c231edf33913ecd54406c1",
        task_name: "GroupAggregate_4_____out_t_5_:_Writer",
        operators: [
            Operator {
                operator_id: "90bea66de1c231edf33913ecd54406c1",
                operator_name: "GroupAggregate_4_",
                role: Role::Inner,
            },
            Operator {
                operator_id: "17fbfcaabad45985bbdf4da0490487e3",
                operator_name: "out_t_5_:_Writer",
                role: Role::Sink,
            },
        ],
        is_source: false,
    },
];

/// Subtasks of each task.
pub(super) const PARALLELISM: u32 = 2;

impl Cluster {
    pub(super) const fn new(name: &'static str, instance_id: &'static str, suffix: Suffix) -> Self {
        Self {
            name,
            instance_id,
            suffix,
            jobs: Vec::new(),
            task_managers: Vec::new(),
            started: 0,
        }
    }

    /// The JobManager's host, as the reporter's filter leaves it.
    pub(super) const fn host(&self) -> &'static str {
        match self.suffix {
            Suffix::Random => "10_0_3_11",
            Suffix::None => "10_0_4_11",
        }
    }

    /// One more TaskManager: a YARN container where each process has its own group, else a plain process.
    pub(super) fn add_task_manager(&mut self) -> TaskManager {
        self.started += 1;
        let host = format!("{}{}", self.host(), self.started);
        let tm_id = match self.suffix {
            Suffix::Random => format!("container_1763600000000_0007_01_{:06}", self.started + 1),
            Suffix::None => format!(
                "{host}:{}_{:06x}",
                41_000 + self.started,
                rand::random::<u32>() >> 8
            ),
        };
        let task_manager = TaskManager { tm_id, host };
        self.task_managers.push(task_manager.clone());
        task_manager
    }

    /// A TaskManager is gone: what ran on it runs on the others, as new attempts.
    pub(super) fn lose_task_manager(&mut self, tm_id: &str, now: UnixMillis) {
        self.task_managers.retain(|running| running.tm_id != tm_id);
        self.restart_all(now);
    }

    pub(super) fn submit(&mut self, name: &'static str, now: UnixMillis) {
        self.jobs.push(Job {
            name,
            job_id: random_hex(),
            submitted: now,
            graph_id: random_hex(),
            attempt: 0,
            attempt_since: now,
        });
    }

    /// The job's counters go back to zero and its attempt number changes.
    pub(super) fn restart_all(&mut self, now: UnixMillis) {
        for job in &mut self.jobs {
            job.attempt += 1;
            job.attempt_since = now;
        }
    }

    /// The subtasks of a job that run on `tm_id`: they are dealt out one by one.
    pub(super) fn subtasks_on(&self, tm_id: &str) -> Vec<u32> {
        let running = self.task_managers.len();
        (0..PARALLELISM)
            .filter(|subtask| {
                let at = (*subtask as usize).checked_rem(running);
                at.and_then(|at| self.task_managers.get(at))
                    .is_some_and(|on| on.tm_id == tm_id)
            })
            .collect()
    }

    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.task_managers.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(SLOTS)
    }
}

/// 32 hexadecimal digits, as Flink makes its ids and suffixes.
pub(super) fn random_hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}
