//! A real Flink cluster: one JobManager, two TaskManagers, run by `tests/flink/run_flink.sh`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::process;

/// Whether Flink adds 32 random digits to the name of the pushed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    Random,
    None,
}

/// A running session cluster. Dropped: every process is killed by its own id.
pub(crate) struct Flink {
    folder: TempDir,
    port_base: u16,
}

impl Flink {
    /// Starts a cluster that pushes to `bridge` every two seconds as `job`, in the group of `instance_id`.
    #[track_caller]
    pub(crate) fn start(version: &str, suffix: Suffix, port_base: u16, bridge: SocketAddr) -> Self {
        let cluster = Self {
            folder: process::folder("flink-"),
            port_base,
        };
        let settings = [
            ("metrics.reporters", "push".to_owned()),
            (
                "metrics.reporter.push.factory.class",
                "org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterFactory".to_owned(),
            ),
            ("metrics.reporter.push.hostUrl", format!("http://{bridge}")),
            ("metrics.reporter.push.jobName", JOB.to_owned()),
            (
                "metrics.reporter.push.groupingKey",
                format!("instance_id={INSTANCE_ID}"),
            ),
            (
                "metrics.reporter.push.randomJobNameSuffix",
                (suffix == Suffix::Random).to_string(),
            ),
            ("metrics.reporter.push.interval", "2 s".to_owned()),
            ("heartbeat.interval", "1000".to_owned()),
            ("heartbeat.timeout", "8000".to_owned()),
        ];
        let text: String = settings
            .iter()
            .map(|(key, value)| format!("{key}: {value}\n"))
            .collect();
        let file = cluster.folder.path().join("reporter.conf");
        fs::write(&file, text).expect("a configuration");
        cluster.run("start", &[version, &cluster.work(), &file.to_string_lossy(), "2"]);
        cluster
    }

    /// Submits a small streaming job; its id.
    #[track_caller]
    pub(crate) fn submit(&self, name: &str) -> String {
        self.run("submit", &[&self.work(), "--mode", "state", "--name", name])
    }

    /// Cancels a job and waits for its end.
    #[track_caller]
    pub(crate) fn cancel(&self, job_id: &str) {
        self.run("cancel", &[&self.work(), job_id]);
    }

    /// Ends the TaskManager with this `tm_id`, as Flink's reporter writes it, by `KILL` or `TERM`.
    #[track_caller]
    pub(crate) fn end_task_manager(&self, tm_id: &str, signal: &str) {
        let number = ["1", "2"]
            .into_iter()
            .find(|number| self.names_itself(number, tm_id));
        let number = number.unwrap_or_else(|| panic!("no TaskManager calls itself {tm_id}"));
        self.run("stop-tm", &[&self.work(), number, signal]);
    }

    /// Stops everything with SIGTERM.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.run("stop", &[&self.work(), "TERM"]);
    }

    /// Whether the log of a TaskManager says that this is its id; the reporter writes `_` for every odd character.
    fn names_itself(&self, number: &str, tm_id: &str) -> bool {
        let log = fs::read_to_string(Path::new(&self.work()).join(format!("log/tm{number}.log")))
            .unwrap_or_default();
        let odd = |letter: char| {
            if letter.is_ascii_alphanumeric() || letter == ':' {
                letter
            } else {
                '_'
            }
        };
        let ids = log
            .split("ResourceID")
            .skip(1)
            .filter_map(|rest| rest.split_whitespace().find(|word| word.len() > 3));
        ids.map(|id| id.chars().map(odd).collect::<String>())
            .any(|id| id.contains(tm_id))
    }

    fn work(&self) -> String {
        self.folder.path().join("cluster").to_string_lossy().into_owned()
    }

    #[track_caller]
    fn run(&self, command: &str, arguments: &[&str]) -> String {
        let output = self.script(command, arguments);
        assert!(
            output.status.success(),
            "run_flink.sh {command} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn script(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(process::provided("FLINKBRIDGE_FLINK"))
            .arg(command)
            .args(arguments)
            .env("PORT_BASE", self.port_base.to_string())
            .output()
            .expect("run_flink.sh")
    }
}

impl Drop for Flink {
    fn drop(&mut self) {
        drop(self.script("stop", &[&self.work(), "KILL"]));
    }
}

/// The `jobName` of the reporter.
pub(crate) const JOB: &str = "flink-e2e";

/// The cluster's name in the grouping key.
pub(crate) const INSTANCE_ID: &str = "emr-e2e";
