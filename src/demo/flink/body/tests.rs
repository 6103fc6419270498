use std::collections::HashSet;
use std::time::Duration;

use super::super::cluster::Suffix;
use super::super::metrics::table;
use super::*;
use crate::codec::text;

const START: UnixMillis = UnixMillis::new(1_763_600_000_000);

struct Stage {
    cluster: Cluster,
    job_manager: Process,
    task_managers: Vec<Process>,
}

impl Stage {
    fn new() -> Self {
        let mut cluster = Cluster::new("orders", "emr-demo0001", Suffix::Random);
        cluster.submit("orders_enrichment", START);
        let process = |part, seed| Process {
            part,
            started: START,
            seed,
        };
        let task_managers = [7, 8]
            .map(|seed| process(Part::TaskManager(cluster.add_task_manager()), seed))
            .to_vec();
        Self {
            cluster,
            job_manager: process(Part::JobManager, 1),
            task_managers,
        }
    }

    fn body(&self, process: &Process, seconds: u64) -> String {
        let now = START.after(Duration::from_secs(seconds));
        render(process, &self.cluster, &table(), now)
    }
}

fn samples(body: &str) -> Vec<(&str, &str)> {
    body.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap())
        .collect()
}

fn families(body: &str) -> Vec<&str> {
    body.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect()
}

#[track_caller]
fn check_double(value: f64, expected: &str) {
    assert_eq!(java_double(value), expected);
}

#[test]
fn numbers_are_written_as_java_writes_them() {
    check_double(0.0, "0.0");
    check_double(-1.0, "-1.0");
    check_double(268_435_456.0, "2.68435456E8");
    check_double(10_000_000.0, "1.0E7");
    check_double(9_999_999.0, "9999999.0");
    check_double(0.001, "0.001");
    check_double(1e-300, "1.0E-300");
    check_double(-9.223_372_036_854_776E18, "-9.223372036854776E18");
    check_double(f64::NAN, "NaN");
    check_double(f64::INFINITY, "+Inf");
    check_double(f64::NEG_INFINITY, "-Inf");
}

#[test]
fn the_bridge_reads_every_line_though_each_has_the_trailing_comma() {
    let stage = Stage::new();

    let bodies = [
        stage.body(&stage.job_manager, 30),
        stage.body(&stage.task_managers[0], 30),
    ];

    for (series, _) in bodies.iter().flat_map(|body| samples(body)) {
        assert!(series.ends_with(",}"), "{series}");
    }
    for body in &bodies {
        let read = text::parse(body.as_bytes(), usize::MAX).unwrap();
        assert_eq!(read.samples.len(), samples(body).len());
        assert_eq!(read.families.len(), families(body).len());
    }
    assert!(bodies.iter().all(|body| body.ends_with('\n')));
}

#[test]
fn no_series_is_there_twice_and_every_family_once() {
    let stage = Stage::new();

    let body = stage.body(&stage.task_managers[1], 30);

    let (lines, kinds) = (samples(&body), families(&body));
    assert_eq!(
        lines
            .iter()
            .map(|(series, _)| *series)
            .collect::<HashSet<_>>()
            .len(),
        lines.len()
    );
    assert_eq!(kinds.iter().collect::<HashSet<_>>().len(), kinds.len());
}

#[test]
fn a_process_keeps_its_order_of_families_and_another_has_another() {
    let stage = Stage::new();
    let [one, other] = [&stage.task_managers[0], &stage.task_managers[1]];

    let (first, later) = (stage.body(one, 10), stage.body(one, 50));

    assert_eq!(families(&first), families(&later));
    assert_ne!(families(&first), families(&stage.body(other, 10)));
    assert_ne!(first, later);
}

#[test]
fn a_body_is_as_large_as_the_real_one() {
    let stage = Stage::new();

    let job_manager = stage.body(&stage.job_manager, 30);
    let task_manager = stage.body(&stage.task_managers[0], 30);

    assert_eq!(samples(&job_manager).len(), 33 + 24);
    assert_eq!(samples(&task_manager).len(), 40 + 2 * 69 + 4 * 10 + 8);
}

#[test]
fn a_restart_begins_the_counters_anew_under_another_attempt() {
    let mut stage = Stage::new();
    let records = |body: &str| {
        let sample = samples(body)
            .into_iter()
            .find(|(series, _)| series.starts_with("flink_taskmanager_job_task_numRecordsIn{"))
            .map(|(series, value)| (series.to_owned(), value.parse::<f64>().unwrap()));
        sample.unwrap()
    };
    let (old, before) = records(&stage.body(&stage.task_managers[0], 100));

    stage.cluster.restart_all(START.after(Duration::from_secs(100)));

    let (new, after) = records(&stage.body(&stage.task_managers[0], 101));
    assert!(old.contains("task_attempt_num=\"0\"") && new.contains("task_attempt_num=\"1\""));
    assert!(after < before, "{after} < {before}");
}

#[test]
fn what_ran_on_a_lost_task_manager_runs_on_the_other() {
    let mut stage = Stage::new();
    let Part::TaskManager(lost) = stage.task_managers[1].part.clone() else {
        unreachable!()
    };

    stage.cluster.lose_task_manager(&lost.tm_id, START);

    let body = stage.body(&stage.task_managers[0], 1);
    assert!(body.contains("subtask_index=\"0\"") && body.contains("subtask_index=\"1\""));
}
