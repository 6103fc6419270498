//! The same requests to a real Pushgateway and to the bridge get the same statuses.
//!
//! What is different on purpose (`docs/adr/0009-pushgateway-behaviours.md`) is not asked here.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::bridge::{Bridge, Settings};
use crate::capture;
use crate::http::{self, Connection};
use crate::process::{self, Process};
use crate::remote::Remote;
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// Method, path and body.
type Request = (&'static str, &'static str, &'static str);

const REQUESTS: [Request; 41] = [
    ("PUT", "/metrics/job/j", "a 1\n"),
    ("POST", "/metrics/job/j", "b 1\n"),
    ("PUT", "/metrics/job/j/", "a 1\n"),
    ("PUT", "/metrics/job/j/instance/i", "a 1\nb{x=\"y\",} 2.5E8\n"),
    ("PUT", "/metrics/job@base64/dGVzdC9qb2I=/x@base64/YS9i", "c 1\n"),
    ("PUT", "/metrics/job/j/b@base64/=", "d 1\n"),
    ("PUT", "/metrics/job/j/b@base64/YQ====", "e 1\n"),
    ("PUT", "/metrics/job/j/b@base64/+++=", "a 1\n"),
    ("PUT", "/metrics/job@base64/=", "a 1\n"),
    ("PUT", "/metrics/job/j/a", "a 1\n"),
    ("PUT", "/metrics/job/j/na-me/v", "a 1\n"),
    ("PUT", "/metrics/job/j/__x/v", "a 1\n"),
    ("PUT", "/metrics/job/j/0x/v", "a 1\n"),
    ("PUT", "/metrics/job/j/job/k", "f 1\n"),
    ("PUT", "/metrics/job/a%2Fb", "a 1\n"),
    ("PUT", "/metrics/job/%C3%A4%20b", "g 1\n"),
    ("PUT", "/metrics/job/", "a 1\n"),
    ("PUT", "/metrics/job", "a 1\n"),
    ("PUT", "/metrics/job/a//b/c", "a 1\n"),
    ("PUT", "/metrics/job/empty", ""),
    ("PUT", "/metrics/job/comment", "# only words\n"),
    ("PUT", "/metrics/job/header", "# HELP h words\n# TYPE h gauge\n"),
    ("PUT", "/metrics/job/j", "a 1"),
    ("PUT", "/metrics/job/j", "a 1\r\n"),
    ("PUT", "/metrics/job/j", "a 1 \n"),
    ("PUT", "/metrics/job/j", "a 1 1000\n"),
    ("PUT", "/metrics/job/j", "a 1\na 2\n"),
    (
        "PUT",
        "/metrics/job/j",
        "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n",
    ),
    ("PUT", "/metrics/job/j", "a{job=\"1\"} 1\na{job=\"2\"} 2\n"),
    ("PUT", "/metrics/job/j", "a{__name__=\"b\"} 1\n"),
    ("PUT", "/metrics/job/j", "a{__x=\"b\"} 1\n"),
    ("PUT", "/metrics/job/j", "a 0x1p3\n"),
    ("PUT", "/metrics/job/j", "a 1_000\n"),
    ("PUT", "/metrics/job/j", "# TYPE a gauge\n# TYPE a gauge\na 1\n"),
    ("PUT", "/metrics/job/j", "# TYPE a unknown\na 1\n"),
    (
        "PUT",
        "/metrics/job/numbers",
        "n1 NaN\nn2 +Inf\nn3 -Inf\nn4 1e3\nn5 infinity\n",
    ),
    (
        "PUT",
        "/metrics/job/summary",
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 2\n",
    ),
    ("DELETE", "/metrics/job/j", ""),
    ("DELETE", "/metrics/job/unknown", ""),
    ("DELETE", "/metrics/job/j/a", ""),
    ("GET", "/metrics/job/j", ""),
];

#[test]
fn requests_get_the_statuses_that_a_pushgateway_gives() {
    let gateway = Pushgateway::start();
    let remote = Remote::start();
    let url = remote.write_url();
    let bridge = Bridge::start(&Settings::forwarding_to(&url));
    let ask = |address: SocketAddr, (method, path, body): &Request| {
        http::request(address, method, path, body.as_bytes()).map(|answer| answer.status)
    };

    let mut different = Vec::new();
    for request in &REQUESTS {
        let (theirs, ours) = (
            ask(gateway.address, request).unwrap(),
            ask(bridge.address(), request).unwrap(),
        );
        if theirs != ours {
            different.push(format!("{request:?}: {theirs} there, {ours} here"));
        }
    }

    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn captures_get_the_statuses_that_a_pushgateway_gives() {
    let gateway = Pushgateway::start();
    let remote = Remote::start();
    let url = remote.write_url();
    let bridge = Bridge::start(&Settings::forwarding_to(&url));
    let replay = |address: SocketAddr, bytes: &[u8]| {
        Connection::open(address).and_then(|mut open| open.exchange(bytes))
    };

    let mut different = Vec::new();
    for request in capture::requests("1.20.5/base")
        .iter()
        .chain(&capture::requests("1.20.5/options"))
    {
        let theirs = replay(gateway.address, &request.bytes).unwrap().status;
        let ours = replay(bridge.address(), &request.bytes).unwrap().status;
        if theirs != ours {
            different.push(format!(
                "{} {}: {theirs} there, {ours} here",
                request.file,
                request.path()
            ));
        }
    }

    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A Pushgateway of our own, which keeps nothing.
struct Pushgateway {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Pushgateway {
    #[track_caller]
    fn start() -> Self {
        let folder = process::folder("pushgateway-");
        let mut command = Command::new(process::provided("FLINKBRIDGE_PUSHGATEWAY"));
        command.args(["--web.listen-address=127.0.0.1:0", "--persistence.file="]);
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
