//! A child process and what the system says of it.

use std::fs;
use std::process::Child;
use std::str::FromStr;

/// Ticks a second in `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// A child that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

/// CPU time of a process, all its threads together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    pub(crate) user_seconds: f64,
    pub(crate) kernel_seconds: f64,
}

impl Process {
    /// What it has used so far.
    pub(crate) fn cpu(&self) -> Cpu {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("the child runs");
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        let seconds = |at: usize| {
            let ticks = behind_name.split_whitespace().nth(at).expect("a field of stat");
            f64::from_str(ticks).expect("a number of ticks") / TICKS_A_SECOND
        };
        Cpu {
            user_seconds: seconds(11),
            kernel_seconds: seconds(12),
        }
    }

    /// `VmRSS`, `VmHWM` or another size of `/proc/<pid>/status`.
    pub(crate) fn status_bytes(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("the child runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
        1024 * kilobytes
            .and_then(|number| u64::from_str(number).ok())
            .expect("a size")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
