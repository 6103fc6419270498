//! What is measured: the bridge with a sink behind it, or a Pushgateway.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr as _;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::plan::Plan;
use crate::process::Process;
use crate::sink::Sink;

/// How long the target may take to start, or to forward what it has.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running program that takes pushes.
#[derive(Debug)]
pub(crate) struct Target {
    process: Process,
    binary: PathBuf,
    address: SocketAddr,
    /// The way out; `None` for a Pushgateway, which has none.
    sink: Option<Sink>,
    /// The data; goes with the run.
    _folder: Option<TempDir>,
}

/// What a target has used and done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) cpu_seconds: f64,
    pub(crate) kernel_seconds: f64,
    pub(crate) sent: f64,
    pub(crate) sent_bytes: f64,
    pub(crate) requests: f64,
    pub(crate) disk_bytes: f64,
    pub(crate) syncs: f64,
}

impl Target {
    pub(crate) fn start(plan: &Plan) -> Self {
        match &plan.pushgateway {
            Some(binary) => Self::pushgateway(binary.clone()),
            None => Self::bridge(plan),
        }
    }

    fn bridge(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sink = Sink::start();
        let config = folder.path().join("flinkbridge.yml");
        let text = format!(
            "data_dir: {}\nhttp: {{listen: 127.0.0.1:0}}\nqueue: {{sync: {}}}\nremote_write: [{{name: sink, url: '{}'}}]\n",
            folder.path().join("data").display(),
            plan.sync,
            sink.url()
        );
        fs::write(&config, text).expect("a configuration");
        let mut child = Command::new(&plan.bridge)
            .args(["serve", "--config"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the bridge");
        let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
        let address = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| listening(&line))
            .expect("an address in the bridge's log");
        // whatever it says later is read, so that it is never held up by a full pipe
        thread::spawn(move || log.for_each(drop));
        Self {
            process: Process(child),
            binary: plan.bridge.clone(),
            address,
            sink: Some(sink),
            _folder: Some(folder),
        }
    }

    fn pushgateway(binary: PathBuf) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port on loopback");
        let child = Command::new(&binary)
            .args(["--persistence.file=", &format!("--web.listen-address={address}")])
            .stderr(Stdio::null())
            .spawn()
            .expect("a Pushgateway");
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < PATIENCE, "the Pushgateway does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self {
            process: Process(child),
            binary,
            address,
            sink: None,
            _folder: None,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        self.process.status_bytes("VmRSS")
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.process.status_bytes("VmHWM")
    }

    pub(crate) fn binary_bytes(&self) -> u64 {
        fs::metadata(&self.binary).expect("the binary").len()
    }

    pub(crate) fn figures(&self) -> Figures {
        let cpu = self.process.cpu();
        let mut figures = Figures {
            cpu_seconds: cpu.user_seconds + cpu.kernel_seconds,
            kernel_seconds: cpu.kernel_seconds,
            ..Figures::default()
        };
        if self.sink.is_some() {
            let page = self.page();
            let sum = |name: &str| sum_of(&page, name);
            figures.sent = sum("flinkbridge_forward_sent_samples_total");
            figures.sent_bytes = sum("flinkbridge_forward_request_bytes_total");
            figures.requests = sum("flinkbridge_forward_requests_total");
            figures.disk_bytes = sum("flinkbridge_queue_appended_bytes_total");
            figures.syncs = sum("flinkbridge_queue_syncs_total");
        }
        figures
    }

    /// Waits until the sink has all that was pushed.
    pub(crate) fn wait_until_forwarded(&self) {
        let began = Instant::now();
        while self.sink.is_some() && sum_of(&self.page(), "flinkbridge_forward_pending_samples") > 0.0 {
            assert!(
                began.elapsed() < PATIENCE,
                "the bridge does not forward what it has"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn page(&self) -> String {
        let mut page = String::new();
        self.get("/-/metrics")
            .read_to_string(&mut page)
            .expect("its metrics");
        page
    }

    /// How many bytes a scrape of all that was pushed has.
    pub(crate) fn scrape(&self) -> usize {
        let (mut answer, mut buffer, mut bytes) = (self.get("/metrics"), vec![0; 1 << 16], 0);
        loop {
            match answer.read(&mut buffer).expect("what was pushed") {
                0 => return bytes,
                read => bytes += read,
            }
        }
    }

    fn get(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("the target's door");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        stream
    }
}

fn listening(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening address=")?;
    address.split_whitespace().next()?.parse().ok()
}

fn sum_of(page: &str, name: &str) -> f64 {
    let samples = page.lines().filter_map(|line| line.strip_prefix(name));
    let values = samples.filter(|rest| rest.starts_with(['{', ' ']));
    values
        .filter_map(|rest| f64::from_str(rest.rsplit(' ').next()?).ok())
        .sum()
}
