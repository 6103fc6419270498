//! The body of a push, as the Java client of Flink's reporter writes it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::cluster::{Cluster, Job, Operator, PARALLELISM, Role, TASKS, Task, TaskManager};
use super::metrics::{Kind, Metric, Pulse, QUANTILES, Scope};
use crate::model::UnixMillis;

/// Which process of a cluster it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    JobManager,
    TaskManager(TaskManager),
}

/// One process: what its pushes have in common.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) part: Part,
    pub(super) started: UnixMillis,
    /// Orders the families: in Java that is hash order, another in each process and the same in all its pushes.
    pub(super) seed: u32,
}

/// Something that metrics are counted for, with the values of its labels.
struct Subject {
    scope: Scope,
    labels: Vec<(&'static str, String)>,
    pulse: Pulse,
}

/// What `process` pushes at `now`.
pub(super) fn render(process: &Process, cluster: &Cluster, metrics: &[Metric], now: UnixMillis) -> String {
    let subjects = match &process.part {
        Part::JobManager => of_job_manager(process, cluster),
        Part::TaskManager(task_manager) => of_task_manager(process, task_manager, cluster),
    };
    let mut families: Vec<(u64, String, &Metric)> = metrics
        .iter()
        .map(|metric| (metric.family(), metric))
        .map(|(name, metric)| {
            (
                xxh3_64_with_seed(name.as_bytes(), u64::from(process.seed)),
                name,
                metric,
            )
        })
        .collect();
    families.sort_by_key(|(order, _, _)| *order);
    let mut body = String::new();
    for (_, name, metric) in families {
        let mut counted = subjects
            .iter()
            .filter(|subject| subject.scope == metric.scope)
            .peekable();
        if counted.peek().is_none() {
            continue;
        }
        put_heading(&mut body, &name, metric);
        for subject in counted {
            put_samples(&mut body, &name, metric, subject, now);
        }
    }
    body
}

/// A Java double as `Double.toString` writes it: `0.0`, `2.68435456E8`, `NaN`, `-Inf`.
fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{point}E{exponent}")
}

fn of_job_manager(process: &Process, cluster: &Cluster) -> Vec<Subject> {
    let host = cluster.host().to_owned();
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let used = count(cluster.jobs.len()).saturating_mul(PARALLELISM);
    let mut subjects = vec![Subject {
        scope: Scope::JobManager,
        labels: vec![("host", host.clone())],
        pulse: Pulse {
            seed: process.seed,
            since: process.started,
            jobs: count(cluster.jobs.len()),
            task_managers: count(cluster.task_managers.len()),
            slots: cluster.slots(),
            free_slots: cluster.slots().saturating_sub(used),
            ..Pulse::default()
        },
    }];
    for job in &cluster.jobs {
        let mut labels = of_job(job);
        labels.push(("host", host.clone()));
        let pulse = Pulse {
            seed: process.seed,
            since: job.submitted,
            restarts: job.attempt,
            ..Pulse::default()
        };
        for task in TASKS.iter().filter(|task| task.is_source) {
            let mut labels = labels.clone();
            labels.extend(of_task(task));
            labels.extend(task.operators.first().into_iter().flat_map(of_operator));
            subjects.push(Subject {
                scope: Scope::JobManagerOperator,
                labels,
                pulse,
            });
        }
        subjects.push(Subject {
            scope: Scope::JobManagerJob,
            labels,
            pulse,
        });
    }
    subjects
}

fn of_task_manager(process: &Process, here: &TaskManager, cluster: &Cluster) -> Vec<Subject> {
    let own = vec![("host", here.host.clone()), ("tm_id", here.tm_id.clone())];
    let mut subjects = vec![Subject {
        scope: Scope::TaskManager,
        labels: own.clone(),
        pulse: Pulse {
            seed: process.seed,
            since: process.started,
            ..Pulse::default()
        },
    }];
    for job in &cluster.jobs {
        for subtask in cluster.subtasks_on(&here.tm_id) {
            for task in &TASKS {
                let mut labels = own.clone();
                labels.extend(of_job(job));
                labels.extend(of_attempt(job, task, subtask));
                let pulse = Pulse {
                    seed: process.seed.wrapping_add(subtask * 31),
                    since: job.attempt_since,
                    is_source: task.is_source,
                    ..Pulse::default()
                };
                put_task(&mut subjects, task, &labels, pulse);
            }
        }
    }
    subjects
}

fn put_task(subjects: &mut Vec<Subject>, task: &Task, labels: &[(&'static str, String)], pulse: Pulse) {
    for operator in &task.operators {
        let mut labels = labels.to_vec();
        labels.extend(of_operator(operator));
        let also = match operator.role {
            Role::Source => Some(Scope::Source),
            Role::Sink => Some(Scope::Sink),
            Role::Inner => None,
        };
        for scope in also.into_iter().chain([Scope::Operator]) {
            let labels = labels.clone();
            subjects.push(Subject { scope, labels, pulse });
        }
    }
    subjects.push(Subject {
        scope: Scope::Task,
        labels: labels.to_vec(),
        pulse,
    });
}

fn of_job(job: &Job) -> Vec<(&'static str, String)> {
    vec![("job_id", job.job_id.clone()), ("job_name", job.name.to_owned())]
}

fn of_task(task: &Task) -> [(&'static str, String); 2] {
    [
        ("task_id", task.task_id.to_owned()),
        ("task_name", task.task_name.to_owned()),
    ]
}

fn of_attempt(job: &Job, task: &Task, subtask: u32) -> Vec<(&'static str, String)> {
    let attempt_id = format!("{}_{}_{subtask}_{}", job.graph_id, task.task_id, job.attempt);
    let mut labels = of_task(task).to_vec();
    labels.push(("task_attempt_id", attempt_id));
    labels.push(("task_attempt_num", job.attempt.to_string()));
    labels.push(("subtask_index", subtask.to_string()));
    labels
}

fn of_operator(operator: &Operator) -> [(&'static str, String); 2] {
    [
        ("operator_id", operator.operator_id.to_owned()),
        ("operator_name", operator.operator_name.to_owned()),
    ]
}

fn put_heading(body: &mut String, name: &str, metric: &Metric) {
    let kind = match metric.kind {
        Kind::Gauge => "gauge",
        Kind::Summary => "summary",
    };
    body.push_str(&format!(
        "# HELP {name} {}\n# TYPE {name} {kind}\n",
        metric.help()
    ));
}

fn put_samples(body: &mut String, name: &str, metric: &Metric, subject: &Subject, now: UnixMillis) {
    let value = metric.value(&subject.pulse, now);
    match metric.kind {
        Kind::Gauge => put_sample(body, name, &labels_of(metric, subject), value),
        Kind::Summary => {
            let labels = labels_of(metric, subject);
            put_sample(body, &format!("{name}_count"), &labels, (value * 100.0).floor());
            for quantile in QUANTILES {
                put_sample(body, name, &format!("{labels}quantile=\"{quantile}\","), value);
            }
        }
    }
}

/// The labels in the metric's order, each with Java's trailing comma.
fn labels_of(metric: &Metric, subject: &Subject) -> String {
    let mut text = String::new();
    for name in &metric.labels {
        if let Some((_, value)) = subject.labels.iter().find(|(n, _)| n == name) {
            text.push_str(&format!("{name}=\"{value}\","));
        }
    }
    text
}

fn put_sample(body: &mut String, name: &str, labels: &str, value: f64) {
    let value = java_double(value);
    body.push_str(&format!("{name}{{{labels}}} {value}\n"));
}

#[cfg(test)]
mod tests;
