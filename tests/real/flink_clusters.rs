//! Real Flink clusters, old and new, with and without the random suffix: their metrics arrive under the right labels; a
//! cancelled job, a killed TaskManager and a stopped cluster end at Prometheus, and only they.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::bridge::{Bridge, Settings};
use crate::flink::{Flink, INSTANCE_ID, JOB, Suffix};
use crate::prometheus::Prometheus;

/// A few of the reporter's intervals, and far more than a busy machine delays one.
const STALE_AFTER: &str = "10s";
/// A JVM on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(90);

/// Stands for the JobManager's own series.
const JOB_MANAGER: &str = "flink_jobmanager_Status_JVM_CPU_Load";
/// Stands for the series of the job that is not cancelled.
const TASKS: &str = "flink_taskmanager_job_task_numRecordsIn{job_name=\"e2e_staying\"}";

#[test]
fn of_version_1_17_with_a_random_suffix() {
    a_cluster_lives_and_ends_at_prometheus("1.17.2", Suffix::Random, 20_100);
}

#[test]
fn of_version_1_17_in_one_group() {
    a_cluster_lives_and_ends_at_prometheus("1.17.2", Suffix::None, 20_200);
}

#[test]
fn of_version_1_20_with_a_random_suffix() {
    a_cluster_lives_and_ends_at_prometheus("1.20.5", Suffix::Random, 20_300);
}

#[test]
fn of_version_1_20_in_one_group() {
    a_cluster_lives_and_ends_at_prometheus("1.20.5", Suffix::None, 20_400);
}

#[test]
fn of_version_2_3_with_a_random_suffix() {
    a_cluster_lives_and_ends_at_prometheus("2.3.0", Suffix::Random, 20_500);
}

#[test]
fn of_version_2_3_in_one_group() {
    a_cluster_lives_and_ends_at_prometheus("2.3.0", Suffix::None, 20_600);
}

#[track_caller]
fn a_cluster_lives_and_ends_at_prometheus(version: &str, suffix: Suffix, port_base: u16) {
    let prometheus = Prometheus::start();
    let url = prometheus.write_url();
    let bridge = Bridge::start(&Settings {
        stale_after: STALE_AFTER,
        ..Settings::forwarding_to(&url)
    });
    let flink = Flink::start(version, suffix, port_base, bridge.address());
    let going = flink.submit("e2e going");
    let staying = flink.submit("e2e staying");

    let processes = everything_arrives(
        &prometheus,
        suffix,
        &[("e2e_going", &going), ("e2e_staying", &staying)],
    );
    a_cancelled_job_ends_alone(&prometheus, &flink, &going);
    let (idle, busy) = idle_and_busy(&prometheus, &processes);
    a_killed_task_manager_ends_alone(&prometheus, &flink, &idle, &busy);
    a_stopped_task_manager_ends_alone(&prometheus, &flink, &busy);
    flink.stop();

    prometheus.forgets(&format!("{{job=\"{JOB}\"}}"), PATIENCE);
}

/// Waits for both jobs and all processes under their labels; the `tm_id`s.
#[track_caller]
fn everything_arrives(prometheus: &Prometheus, suffix: Suffix, jobs: &[(&str, &str)]) -> BTreeSet<String> {
    let mut processes = prometheus.comes_to_hold("flink_jobmanager_numRunningJobs == 2", 1, PATIENCE);
    processes.extend(prometheus.comes_to_hold("flink_taskmanager_Status_JVM_CPU_Load", 2, PATIENCE));
    for (name, id) in jobs {
        let of_job = format!("job_name=\"{name}\",job_id=\"{id}\"");
        prometheus.comes_to_know(&format!("flink_jobmanager_job_uptime{{{of_job}}}"), PATIENCE);
        let flowing = format!("flink_taskmanager_job_task_numRecordsIn{{{of_job}}} > 0");
        processes.extend(prometheus.comes_to_know(&flowing, PATIENCE));
    }
    for series in &processes {
        assert_eq!(
            (series.label("job"), series.label("instance_id")),
            (JOB, INSTANCE_ID),
            "{series:?}"
        );
        assert_eq!(
            is_suffix(series.label("instance")),
            suffix == Suffix::Random,
            "{series:?}"
        );
    }
    processes
        .iter()
        .map(|series| series.label("tm_id").to_owned())
        .filter(|id| !id.is_empty())
        .collect()
}

#[track_caller]
fn a_cancelled_job_ends_alone(prometheus: &Prometheus, flink: &Flink, going: &str) {
    let before = Instant::now();

    flink.cancel(going);

    prometheus.forgets("{job_name=\"e2e_going\"}", PATIENCE);
    prometheus.never_lost("{job_name=\"e2e_staying\",subtask_index=\"0\"}", before.elapsed());
    prometheus.never_lost(
        "flink_jobmanager_job_uptime{job_name=\"e2e_staying\"}",
        before.elapsed(),
    );
    no_process_was_lost(prometheus, before);
}

/// The TaskManager that does not carry the staying job, and the one that does.
#[track_caller]
fn idle_and_busy(prometheus: &Prometheus, task_managers: &BTreeSet<String>) -> (String, String) {
    assert_eq!(task_managers.len(), 2, "{task_managers:?}");
    let busy = prometheus.query(TASKS)[0].label("tm_id").to_owned();
    let idle = task_managers
        .iter()
        .find(|tm_id| **tm_id != busy)
        .expect("another");
    (idle.clone(), busy)
}

/// After `kill -9` nobody says goodbye.
#[track_caller]
fn a_killed_task_manager_ends_alone(prometheus: &Prometheus, flink: &Flink, idle: &str, busy: &str) {
    let before = Instant::now();

    flink.end_task_manager(idle, "KILL");

    prometheus.forgets(&format!("{{tm_id=\"{idle}\"}}"), PATIENCE);
    prometheus.never_lost(
        &format!("flink_taskmanager_Status_JVM_CPU_Load{{tm_id=\"{busy}\"}}"),
        before.elapsed(),
    );
    prometheus.never_lost(TASKS, before.elapsed());
    prometheus.never_lost(JOB_MANAGER, before.elapsed());
}

/// It says goodbye by a DELETE, which in a group of many is not for the others.
#[track_caller]
fn a_stopped_task_manager_ends_alone(prometheus: &Prometheus, flink: &Flink, busy: &str) {
    let before = Instant::now();

    flink.end_task_manager(busy, "TERM");

    prometheus.forgets(&format!("{{tm_id=\"{busy}\"}}"), PATIENCE);
    prometheus.never_lost(JOB_MANAGER, before.elapsed());
    prometheus.never_lost(
        "flink_jobmanager_job_uptime{job_name=\"e2e_staying\"}",
        before.elapsed(),
    );
}

#[track_caller]
fn no_process_was_lost(prometheus: &Prometheus, since: Instant) {
    prometheus.never_lost(JOB_MANAGER, since.elapsed());
    prometheus.never_lost(
        "count(flink_taskmanager_Status_JVM_CPU_Load) == 2",
        since.elapsed(),
    );
}

fn is_suffix(instance: &str) -> bool {
    instance.len() == 32
        && instance
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
