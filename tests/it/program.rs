//! The program as a process of its own, so that what it takes of the system can be looked at.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::http;
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(20);

/// `flinkbridge serve` on an empty folder, without a remote. Ends with its owner.
pub(crate) struct Program {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Program {
    /// Starts it with these settings besides folder and door; `http` is what stands in that block.
    #[track_caller]
    pub(crate) fn start(http: &str, settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let yaml = format!("data_dir: data\nhttp: {{listen: '127.0.0.1:0', {http}}}\n{settings}");
        let file = folder.path().join("flinkbridge.yml");
        std::fs::write(&file, yaml).unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new(binary());
        command.args(["serve", "--config"]).arg(&file);
        command.stdout(File::create(&log).unwrap());
        command.stderr(Stdio::from(File::options().append(true).open(&log).unwrap()));
        // so that figures of memory tell of the program, not of how many threads glibc has given an arena each
        command.env("MALLOC_ARENA_MAX", "1");
        let process = command.env("NO_COLOR", "1").spawn().unwrap();
        let address = wait::until("address in the log", PATIENCE, || {
            let said = std::fs::read_to_string(&log).unwrap();
            listening(&said).ok_or(said)
        });
        Self {
            process,
            address,
            _folder: folder,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// PUTs what must be taken.
    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &str) {
        let answer = http::request(self.address, "PUT", path, body.as_bytes()).unwrap();
        assert!(answer.is_success(), "{path}: {} {}", answer.status, answer.text());
    }

    /// The value of one of its own metrics.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = http::request(self.address, "GET", "/-/metrics", b"")
            .unwrap()
            .text();
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("no {name} in {page}"))
            .parse()
            .unwrap()
    }

    /// KiB of memory that it has now.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// KiB of memory that it has had at most.
    pub(crate) fn most_resident_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// How many files it has open.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(self.proc().join("fd")).unwrap().count()
    }

    fn status(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(self.proc().join("status")).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn proc(&self) -> PathBuf {
        Path::new("/proc").join(self.process.id().to_string())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The release build where one is named, else the build of this test.
fn binary() -> PathBuf {
    std::env::var_os("FLINKBRIDGE_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_flinkbridge").into(), PathBuf::from)
}

/// The address of the HTTP door, in the words of its log line.
fn listening(log: &str) -> Option<SocketAddr> {
    let line = log
        .lines()
        .find(|line| line.contains("listening") && line.contains("door=http"))?;
    let address = line.split("address=").nth(1)?.split_whitespace().next()?;
    address.trim_matches('"').parse().ok()
}
