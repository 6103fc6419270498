//! What is measured: a program that takes remote-write, with a sink behind it.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::plan::Plan;
use crate::process::{Cpu, Process};
use crate::sink::{Counted, Sink};

/// How long it may take to start, or to forward something more.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whom there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flinkbridge,
    Vmagent,
    VmagentStrict,
    PrometheusAgent,
}

impl Kind {
    /// How the report calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flinkbridge => "flinkbridge, `queue.sync: always`",
            Self::Vmagent => "vmagent",
            Self::VmagentStrict => "vmagent strict (sorted labels, one queue)",
            Self::PrometheusAgent => "Prometheus agent",
        }
    }

    fn command(self, plan: &Plan, place: &Place<'_>) -> Command {
        let folder = place.folder.display();
        match self {
            Self::Flinkbridge => {
                let config = place.config(&format!(
                    "data_dir: {folder}/data\nhttp: {{listen: '{}'}}\nqueue: {{sync: always}}\nremote_write: [{{name: sink, url: '{}'}}]\n",
                    place.address, place.remote
                ));
                let mut command = Command::new(&plan.bridge);
                command.args(["serve", "--config", &config]);
                command
            }
            Self::Vmagent | Self::VmagentStrict => {
                let mut command = Command::new(plan.vmagent.as_ref().expect("vmagent"));
                command.args([
                    &format!("-httpListenAddr={}", place.address),
                    &format!("-remoteWrite.url={}", place.remote),
                    &format!("-remoteWrite.tmpDataPath={folder}/data"),
                    "-remoteWrite.forcePromProto",
                ]);
                if self == Self::VmagentStrict {
                    command.args(["-sortLabels", "-remoteWrite.queues=1"]);
                }
                command
            }
            Self::PrometheusAgent => {
                let config = place.config(&format!(
                    "global: {{}}\nremote_write: [{{url: '{}'}}]\n",
                    place.remote
                ));
                let mut command = Command::new(plan.prometheus.as_ref().expect("Prometheus"));
                command.args([
                    "--agent",
                    &format!("--config.file={config}"),
                    &format!("--storage.agent.path={folder}/data"),
                    &format!("--web.listen-address={}", place.address),
                    "--web.enable-remote-write-receiver",
                ]);
                command
            }
        }
    }
}

/// What a program is told of where it is.
struct Place<'a> {
    folder: &'a Path,
    address: SocketAddr,
    remote: String,
}

impl Place<'_> {
    fn config(&self, text: &str) -> String {
        let path = self.folder.join("config.yml");
        fs::write(&path, text).expect("a configuration");
        path.display().to_string()
    }
}

/// A running program that takes remote-write and forwards it.
#[derive(Debug)]
pub(crate) struct Subject {
    process: Process,
    address: SocketAddr,
    sink: Sink,
    /// The data; goes with the run.
    _folder: TempDir,
}

impl Subject {
    pub(crate) fn start(kind: Kind, plan: &Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port on loopback");
        let sink = Sink::start();
        let place = Place {
            folder: folder.path(),
            address,
            remote: sink.url(),
        };
        let log = fs::File::create(folder.path().join("log")).expect("a log file");
        let child = kind
            .command(plan, &place)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program to measure");
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < PATIENCE, "{kind:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self {
            process: Process(child),
            address,
            sink,
            _folder: folder,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn sink(&self) -> &Sink {
        &self.sink
    }

    pub(crate) fn cpu(&self) -> Cpu {
        self.process.cpu()
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.process.status_bytes("VmHWM")
    }

    /// Waits until the sink has so many samples, or for a while nothing more arrives; how many it has.
    pub(crate) fn wait_until_forwarded(&self, samples: u64) -> u64 {
        let (mut known, mut since) = (Counted::default(), Instant::now());
        while known.samples < samples && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
            let now = self.sink.counted();
            if now != known {
                (known, since) = (now, Instant::now());
            }
        }
        known.samples
    }
}
