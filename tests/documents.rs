//! What the documents say of the program, compared with the program.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use flinkbridge::app::App;
use flinkbridge::config::Config;
use flinkbridge::demo::{Store, StoreServer};
use flinkbridge::forward::RemoteConfig;
use flinkbridge::model::{Clock, SystemClock};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MOST_LINES_OF_THE_MAP: usize = 300;

#[tokio::test]
async fn every_metric_is_explained_and_every_explained_metric_is_there() {
    let bridge = Bridge::start().await;

    let shown = bridge.metrics_after_a_push_a_refusal_and_a_delete().await;

    let explained = explained(&document("docs/metrics.md"));
    let missing: Vec<&String> = shown.difference(&explained).collect();
    let gone: Vec<&String> = explained.difference(&shown).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/metrics.md has a table row for every metric of /-/metrics: add {missing:?}, remove {gone:?}"
    );
    bridge.stop().await;
}

#[test]
fn the_map_can_be_read_at_one_sitting() {
    let lines = document("ARCHITECTURE.md").lines().count();

    assert!(
        lines <= MOST_LINES_OF_THE_MAP,
        "ARCHITECTURE.md has {lines} lines, at most {MOST_LINES_OF_THE_MAP}: what explains one module belongs into its contract"
    );
}

/// A bridge before a store in memory.
struct Bridge {
    app: App,
    store: StoreServer,
    _folder: TempDir,
}

impl Bridge {
    async fn start() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = StoreServer::start("127.0.0.1:0", Store::new(Arc::clone(&clock)))
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        let mut config = Config {
            data_dir: folder.path().join("data"),
            remotes: vec![RemoteConfig::new("store", store.write_url())],
            ..Config::default()
        };
        config.door.listen = "127.0.0.1:0".to_owned();
        config.grpc.listen = Some("127.0.0.1:0".to_owned());
        Self {
            app: App::start(config, clock).await.unwrap(),
            store,
            _folder: folder,
        }
    }

    /// The names of `/-/metrics` once every family that is told apart by labels has a member.
    async fn metrics_after_a_push_a_refusal_and_a_delete(&self) -> BTreeSet<String> {
        let address = self.app.http_address();
        ask(address, "PUT /metrics/job/a", "up{jobid=\"1\"} 1\n").await;
        ask(address, "PUT /metrics/job/b", "late 1 1000\n").await;
        ask(address, "DELETE /metrics/job/a", "").await;
        shown(&ask(address, "GET /-/metrics", "").await)
    }

    async fn stop(self) {
        self.app.stop().await;
        self.store.stop().await;
    }
}

/// Sends one request and returns head and body of the answer.
async fn ask(address: SocketAddr, method_and_path: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{method_and_path} HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The families of an OpenMetrics page, counters with the ending that their samples have.
fn shown(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|family| match family.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, _) => name.to_owned(),
        })
        .collect()
}

/// The metrics that have a row in a table.
fn explained(document: &str) -> BTreeSet<String> {
    let rows = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `flinkbridge_"));
    rows.map(|row| format!("flinkbridge_{}", row.split_once('`').unwrap().0))
        .collect()
}

fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
