//! The bridge under test, its remote, and a clock that the test moves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flinkbridge::app::App;
use flinkbridge::config::Config;
use flinkbridge::forward::RemoteStatus;
use flinkbridge::intake::Closing;
use flinkbridge::model::{ManualClock, UnixMillis};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::http::{self, Answer};
use crate::remote::{Remote, STALE};
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(10);

/// A running bridge on an empty folder, forwarding to a remote of its own.
pub(crate) struct Bridge {
    runtime: Runtime,
    app: Option<App>,
    settings: String,
    remote_settings: &'static str,
    folder: TempDir,
    clock: ManualClock,
    remote: Remote,
}

impl Bridge {
    /// One with default settings.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One with these settings besides folder, door and remote.
    #[track_caller]
    pub(crate) fn with(settings: &str) -> Self {
        Self::prepared(settings, |_| {})
    }

    /// One whose remote takes exemplars and native histograms.
    #[track_caller]
    pub(crate) fn sending_all() -> Self {
        Self::begun_with_extras("")
    }

    /// One with these settings, whose remote takes exemplars and native histograms.
    #[track_caller]
    pub(crate) fn begun_with_extras(settings: &str) -> Self {
        Self::begun(
            settings,
            ", send_exemplars: true, send_native_histograms: true",
            |_| {},
        )
    }

    /// One whose remote has these settings, each with a comma before it.
    #[track_caller]
    pub(crate) fn of_remote(settings: &'static str) -> Self {
        Self::begun("", settings, |_| {})
    }

    /// One that finds in its folder what `prepare` has put there.
    #[track_caller]
    pub(crate) fn prepared(settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        Self::begun(settings, "", prepare)
    }

    /// One whose clock shows `at` at first.
    #[track_caller]
    pub(crate) fn of_old(at: UnixMillis, settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        Self::begun_at(at, settings, "", prepare)
    }

    #[track_caller]
    fn begun(settings: &str, remote_settings: &'static str, prepare: impl FnOnce(&Path)) -> Self {
        Self::begun_at(
            UnixMillis::new(1_795_000_000_000),
            settings,
            remote_settings,
            prepare,
        )
    }

    #[track_caller]
    fn begun_at(
        at: UnixMillis,
        settings: &str,
        remote_settings: &'static str,
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut bridge = Self {
            runtime,
            app: None,
            settings: settings.to_owned(),
            remote_settings,
            folder: TempDir::new().unwrap(),
            clock: ManualClock::at(at),
            remote: Remote::start(),
        };
        prepare(bridge.folder());
        bridge.begin();
        bridge
    }

    /// The remote behind it.
    pub(crate) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.app.as_ref().unwrap().http_address()
    }

    /// Sends a request.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        http::request(self.address(), method, path, body.as_bytes()).unwrap()
    }

    /// Sends a request with these header lines; `body` is framed by them.
    #[track_caller]
    pub(crate) fn send_raw(&self, request: &[u8]) -> Answer {
        http::Connection::open(self.address())
            .unwrap()
            .exchange(request)
            .unwrap()
    }

    /// PUTs what must be taken.
    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &str) {
        self.takes("PUT", path, body);
    }

    /// POSTs what must be taken.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str) {
        self.takes("POST", path, body);
    }

    /// DELETEs, which must be taken.
    #[track_caller]
    pub(crate) fn delete(&self, path: &str) {
        self.takes("DELETE", path, "");
    }

    #[track_caller]
    fn takes(&self, method: &str, path: &str, body: &str) {
        let answer = self.send(method, path, body);
        assert!(
            answer.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        // a clock that stood still would make every push wait for the next millisecond of its group
        self.clock.advance(Duration::from_millis(10));
    }

    /// Lets time go by, in steps small enough not to look like a leap, and sweeps at each.
    pub(crate) fn pass(&self, span: Duration) {
        let step = Duration::from_secs(1);
        for _ in 0..span.as_secs() {
            self.clock.advance(step);
            self.runtime.block_on(self.app.as_ref().unwrap().intake().sweep());
        }
    }

    /// Moves the clock at once.
    pub(crate) fn leap(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Sweeps once.
    pub(crate) fn sweep(&self) {
        self.runtime.block_on(self.app.as_ref().unwrap().intake().sweep());
    }

    /// Reads the web configuration file again.
    pub(crate) fn refresh_protection(&self) {
        self.runtime.block_on(self.app().refresh_protection());
    }

    /// Stores a snapshot of what is known if one is due, as happens every second.
    pub(crate) fn tidy(&self) {
        let intake = self.app.as_ref().unwrap().intake();
        self.runtime.block_on(intake.snapshot(Closing::No));
    }

    /// The running program.
    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    /// Takes up other settings.
    pub(crate) fn reload(&mut self, settings: &str) -> Result<(), String> {
        let config = self.config(settings)?;
        self.settings = settings.to_owned();
        let app = self.app.as_mut().unwrap();
        self.runtime
            .block_on(app.reload(config))
            .map_err(|error| error.to_string())
    }

    /// Stops it as SIGTERM would.
    pub(crate) fn stop(&mut self) {
        if let Some(app) = self.app.take() {
            self.runtime.block_on(app.stop());
        }
    }

    /// Starts it again on the same folder.
    #[track_caller]
    pub(crate) fn begin(&mut self) {
        let config = self.config(&self.settings).unwrap();
        let app = self
            .runtime
            .block_on(App::start(config, Arc::new(self.clock.clone())));
        self.app = Some(app.unwrap());
    }

    /// Waits until the remote has this of each series, oldest first, and nothing else; push times are left out.
    #[track_caller]
    pub(crate) fn remote_has(&self, expected: &[(&str, &[&str])]) {
        let expected: BTreeMap<String, Vec<String>> = expected
            .iter()
            .map(|(series, values)| {
                (
                    (*series).to_owned(),
                    values.iter().map(|value| (*value).to_owned()).collect(),
                )
            })
            .collect();
        wait::until("sight of exactly that at the remote", PATIENCE, || {
            let seen = self.seen();
            if seen == expected {
                Ok(())
            } else {
                Err(format!("{seen:#?}"))
            }
        });
    }

    /// Waits until the remote has got everything that was queued for it, and the books say so.
    #[track_caller]
    pub(crate) fn delivered(&self) {
        wait::until_true("end of deliveries", PATIENCE, || {
            let is_booked = |remote: &RemoteStatus| remote.pending_samples == 0;
            self.app().is_delivered() && self.app().remotes().iter().all(is_booked)
        });
    }

    /// What the remote has got of each series but push times.
    pub(crate) fn seen(&self) -> BTreeMap<String, Vec<String>> {
        let arrivals = self.remote.arrivals();
        let own =
            |series: &String| series.starts_with("push_time_") || series.starts_with("push_failure_time_");
        let value = |bits: u64| {
            if bits == STALE {
                "stale".to_owned()
            } else {
                f64::from_bits(bits).to_string()
            }
        };
        arrivals
            .iter()
            .filter(|(series, _)| !own(series))
            .map(|(series, arrived)| {
                (
                    series.clone(),
                    arrived.iter().map(|(_, bits)| value(*bits)).collect(),
                )
            })
            .collect()
    }

    /// The value of one of the bridge's own metrics, all its labels summed up.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.send("GET", "/-/metrics", "").text();
        let of_name = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '{']))
        };
        page.lines()
            .filter(of_name)
            .map(|line| {
                line.rsplit(' ')
                    .next()
                    .and_then(|value| value.parse::<f64>().ok())
                    .unwrap()
            })
            .sum()
    }

    fn config(&self, settings: &str) -> Result<Config, String> {
        let url = self.remote.write_url();
        let yaml = format!(
            "data_dir: data\n{}{}{}{settings}",
            if settings.contains("grpc:") && !settings.contains("grpc://") {
                ""
            } else {
                "grpc: {listen: '127.0.0.1:0'}\n"
            },
            if settings.contains("http:") {
                ""
            } else {
                "http: {listen: '127.0.0.1:0'}\n"
            },
            if settings.contains("remote_write:") {
                String::new()
            } else {
                let more = self.remote_settings;
                format!(
                    "remote_write: [{{name: remote, url: '{url}'{more}}}]
"
                )
            },
        );
        let config = Config::from_yaml(&yaml, self.folder.path(), &|_| None);
        config.map_err(|errors| errors.iter().map(|error| format!("{error}\n")).collect())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop();
    }
}
