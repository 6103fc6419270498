//! The program under test as its users run it: a process, a configuration file, a data folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::process::{self, Process};
use crate::wait;

/// How long it may take to start, and to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a test sets of the configuration.
pub(crate) struct Settings<'a> {
    /// Where it forwards to.
    pub(crate) remote_url: &'a str,
    /// `jobs.stale_after`.
    pub(crate) stale_after: &'a str,
    /// `http.path_prefixes`.
    pub(crate) path_prefix: Option<&'a str>,
    /// The whole of `pushgateway`.
    pub(crate) pushgateway: &'a str,
    /// What the web configuration file says, if there is one.
    pub(crate) web: Option<&'a str>,
    /// What else is set of the remote.
    pub(crate) remote_settings: &'a str,
}

impl<'a> Settings<'a> {
    /// Everything else as it is by default.
    pub(crate) fn forwarding_to(remote_url: &'a str) -> Self {
        Self {
            remote_url,
            stale_after: "10m",
            path_prefix: None,
            pushgateway: "{}",
            web: None,
            remote_settings: "",
        }
    }
}

/// A running `flinkbridge serve`, and what it needs to be started again on the same data.
pub(crate) struct Bridge {
    process: Process,
    address: SocketAddr,
    grpc_address: SocketAddr,
    folder: TempDir,
}

impl Bridge {
    /// Starts one on a free port and an empty data folder, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(settings: &Settings<'_>) -> Self {
        let folder = process::folder("bridge-");
        let mut http = "listen: \"127.0.0.1:0\"".to_owned();
        if let Some(prefix) = settings.path_prefix {
            http.push_str(&format!(", path_prefixes: [\"{prefix}\"]"));
        }
        if let Some(web) = settings.web {
            std::fs::write(folder.path().join("web.yml"), web).expect("a web configuration");
            http.push_str(", web_config_file: web.yml, public_probes: true");
        }
        let yaml = format!(
            "data_dir: \"{}\"\nhttp: {{{http}}}\ngrpc: {{listen: \"127.0.0.1:0\"}}\npushgateway: {}\njobs: {{stale_after: {}}}\nremote_write:\n  - {{name: remote, url: \"{}\"{}}}\n",
            folder.path().join("data").display(),
            settings.pushgateway,
            settings.stale_after,
            settings.remote_url,
            settings.remote_settings,
        );
        std::fs::write(folder.path().join("flinkbridge.yml"), yaml).expect("a configuration");
        let (process, [address, grpc_address]) = serve(&folder);
        Self {
            process,
            address,
            grpc_address,
            folder,
        }
    }

    /// Where it listens; another port after every restart.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes gRPC streams; another port after every restart.
    pub(crate) fn grpc_address(&self) -> SocketAddr {
        self.grpc_address
    }

    /// Where it takes remote-write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// Sends a push that must be accepted.
    #[track_caller]
    pub(crate) fn accepts(&self, method: &str, path: &str, body: &str) {
        let answer = self.send(method, path, body);
        assert!(
            answer.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
    }

    /// Sends a push of this content type that must be accepted.
    #[track_caller]
    pub(crate) fn accepts_typed(&self, path: &str, content_type: &str, body: &[u8]) {
        let answer = http::Connection::open(self.address)
            .and_then(|mut open| open.request("PUT", path, content_type, body))
            .unwrap_or_else(|error| panic!("PUT {path}: {error}"));
        assert!(
            answer.is_success(),
            "PUT {path}: {} {}",
            answer.status,
            answer.text()
        );
    }

    /// Sends a request.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        http::request(self.address, method, path, body.as_bytes())
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM; fails unless it ends by itself, and well.
    #[track_caller]
    pub(crate) fn terminate(&mut self) {
        assert!(
            self.process.terminate(PATIENCE),
            "the bridge ended with an error after SIGTERM"
        );
    }

    /// Starts it again on the same configuration and data.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.process.kill();
        (self.process, [self.address, self.grpc_address]) = serve(&self.folder);
    }
}

#[track_caller]
fn serve(folder: &TempDir) -> (Process, [SocketAddr; 2]) {
    let mut command = Command::new(binary());
    command
        .arg("serve")
        .arg("--config")
        .arg(folder.path().join("flinkbridge.yml"))
        .env("NO_COLOR", "1");
    let log = folder.path().join("flinkbridge.log");
    let already = std::fs::read(&log).map_or(0, |text| String::from_utf8_lossy(&text).len());
    let mut process = Process::start("flinkbridge", command, folder);
    let addresses = wait::until("address in the bridge's log", PATIENCE, || {
        let ended = process.has_ended();
        let text = process.log();
        match ["http", "grpc"].map(|door| listening(&text[already..], door)) {
            [Some(http), Some(grpc)] => Ok([http, grpc]),
            _ if ended => panic!("the bridge has ended"),
            _ => Err("no line yet".to_owned()),
        }
    });
    wait::until_true("ready bridge", PATIENCE, || {
        http::request(addresses[0], "GET", "/-/ready", b"").is_ok_and(|answer| answer.status == 200)
    });
    (process, addresses)
}

/// The release build where `tests/run` made one, else the build of this test.
fn binary() -> PathBuf {
    std::env::var_os("FLINKBRIDGE_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_flinkbridge").into(), PathBuf::from)
}

/// The address of a door, in the words of its log line.
fn listening(log: &str, door: &str) -> Option<SocketAddr> {
    let line = log
        .lines()
        .find(|line| line.contains("listening") && line.contains(&format!("door={door}")))?;
    let address = line.split("address=").nth(1)?.split_whitespace().next()?;
    address.trim_matches('"').parse().ok()
}
