//! A real Pushgateway, which keeps nothing when it ends.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{self, Process};
use crate::wait;

/// How long it may take to start.
const SOON: Duration = Duration::from_secs(20);

/// A Pushgateway of our own, in a folder of its own.
pub(crate) struct Pushgateway {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Pushgateway {
    /// Starts one on a free port; `web` is its web configuration file, if it has one.
    #[track_caller]
    pub(crate) fn start(flags: &[&str], web: Option<&str>) -> Self {
        let folder = process::folder("pushgateway-");
        let mut command = Command::new(process::provided("FLINKBRIDGE_PUSHGATEWAY"));
        command
            .args(["--web.listen-address=127.0.0.1:0", "--persistence.file="])
            .args(flags);
        if let Some(web) = web {
            let file = folder.path().join("web.yml");
            std::fs::write(&file, web).expect("a web configuration");
            command.arg(format!("--web.config.file={}", file.display()));
        }
        let mut process = Process::start("pushgateway", command, &folder);
        let address = wait::until("address in Pushgateway's log", SOON, || {
            assert!(!process.has_ended(), "the Pushgateway has ended");
            listening(&process.log()).ok_or_else(|| "no line yet".to_owned())
        });
        Self {
            address,
            _process: process,
            _folder: folder,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The address in Pushgateway's own words.
fn listening(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("\"Listening on\""))?;
    line.split("address=")
        .nth(1)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
