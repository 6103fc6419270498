//! A child process that cannot outlive its test.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::wait;

/// A running program with its output in a file. Dropped: ended by its own id.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    pid_file: PathBuf,
}

impl Process {
    /// Starts `command`; its output is added to `<name>.log` in `folder`, beside its id in `<name>-<id>.pid`.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: &TempDir) -> Self {
        let log = folder.path().join(format!("{name}.log"));
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let err = out.try_clone().expect("a second handle");
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({command:?}): {error}"));
        let pid_file = folder.path().join(format!("{name}-{}.pid", child.id()));
        fs::write(&pid_file, child.id().to_string()).expect("a pid file");
        Self {
            name,
            child,
            log,
            pid_file,
        }
    }

    /// What it has printed so far, in all its lives within this folder.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// `kill -TERM`, and waits for the end; whether it ended well.
    pub(crate) fn terminate(&mut self, within: Duration) -> bool {
        signal(self.child.id(), "TERM");
        wait::until(
            &format!("end of {} after SIGTERM", self.name),
            within,
            || match self.child.try_wait() {
                Ok(Some(status)) => Ok(status.success()),
                other => Err(format!("{other:?}")),
            },
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        drop(fs::remove_file(&self.pid_file));
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- the last lines of {}:", self.name);
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// A new folder, within `FLINKBRIDGE_TEST_SCRATCH` where that is set, so that `tests/run` finds what is left in it.
pub(crate) fn folder(name: &str) -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix(name);
    match std::env::var_os("FLINKBRIDGE_TEST_SCRATCH") {
        Some(scratch) => builder.tempdir_in(scratch),
        None => builder.tempdir(),
    }
    .expect("a temporary folder")
}

/// The path in an environment variable that `tests/run` sets.
#[track_caller]
pub(crate) fn provided(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} is not set: start these tests by tests/run, which brings what they need"),
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "cannot send {name} to {pid}"
    );
}
