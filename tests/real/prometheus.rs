//! A real Prometheus that takes and sends remote-write, asked by PromQL.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Connection};
use crate::process::{self, Process};
use crate::wait;

/// How long a sample may take from the bridge to an answer here. Far below Prometheus' five minutes of looking back: what
/// is gone within it was ended, not forgotten.
const SOON: Duration = Duration::from_secs(20);

/// One series of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Its labels, `__name__` among them.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its value at the time of the question; not a number where it is a native histogram.
    pub(crate) value: f64,
}

impl Series {
    /// The value of a label, empty where there is none.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Which Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Debian's 2.42, which knows remote-write 1.0 alone.
    Two,
    /// A 3.x, which knows 2.0 as well.
    Three,
}

impl Version {
    fn binary(self) -> PathBuf {
        process::provided(match self {
            Self::Two => "FLINKBRIDGE_PROMETHEUS",
            Self::Three => "FLINKBRIDGE_PROMETHEUS_3",
        })
    }

    /// What has to be said so that it keeps native histograms, exemplars, metadata and start timestamps.
    const fn keeping_all(self) -> &'static str {
        match self {
            Self::Two => "--enable-feature=native-histograms,exemplar-storage",
            Self::Three => "--enable-feature=exemplar-storage,metadata-wal-records,st-storage",
        }
    }
}

/// Where a Prometheus sends to.
pub(crate) struct Remote<'a> {
    /// The address of the receiver.
    pub(crate) url: &'a str,
    /// `protobuf_message`, where it knows that setting.
    pub(crate) message: Option<&'a str>,
}

/// A Prometheus of our own, in a folder of its own; or another program that answers the same questions.
pub(crate) struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::configured(Version::Two, "global: {}\n", &[])
    }

    /// Starts one that keeps native histograms and exemplars too.
    #[track_caller]
    pub(crate) fn keeping_all() -> Self {
        Self::keeping_all_of(Version::Two)
    }

    /// Starts one of this version that keeps whatever it can.
    #[track_caller]
    pub(crate) fn keeping_all_of(version: Version) -> Self {
        Self::configured(version, "global: {}\n", &[version.keeping_all()])
    }

    /// Starts one that scrapes these addresses every second, as a Pushgateway should be scraped; the series of each get
    /// its name as the label `whose`.
    #[track_caller]
    pub(crate) fn scraping(targets: &[(&str, &str)]) -> Self {
        let mut config = "global: {scrape_interval: 1s}\nscrape_configs:\n".to_owned();
        for (name, address) in targets {
            config.push_str(&format!(
                "  - {{job_name: {name}, honor_labels: true, static_configs: [{{targets: [\"{address}\"], labels: {{whose: {name}}}}}]}}\n"
            ));
        }
        Self::configured(Version::Two, &config, &[])
    }

    /// Starts one that scrapes a page every second as the job `page`, and sends on by remote-write whatever it finds there.
    #[track_caller]
    pub(crate) fn sending(version: Version, page: SocketAddr, remote: &Remote<'_>) -> Self {
        let native = match version {
            Version::Two => "",
            Version::Three => ", scrape_native_histograms: true, always_scrape_classic_histograms: true",
        };
        let message = remote
            .message
            .map_or_else(String::new, |message| format!(", protobuf_message: {message}"));
        let config = format!(
            "global: {{scrape_interval: 1s{native}}}
scrape_configs:
  - {{job_name: page, static_configs: [{{targets: ['{page}']}}]}}
remote_write:
  - {{url: '{}', send_exemplars: true, send_native_histograms: true{message},
     metadata_config: {{send_interval: 1s}}, queue_config: {{batch_send_deadline: 200ms}}}}
",
            remote.url
        );
        Self::configured(version, &config, &[version.keeping_all()])
    }

    #[track_caller]
    fn configured(version: Version, yaml: &str, flags: &[&str]) -> Self {
        let folder = process::folder("prometheus-");
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, yaml).expect("a configuration");
        let mut command = Command::new(version.binary());
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .args([
                "--web.listen-address=127.0.0.1:0",
                "--web.enable-remote-write-receiver",
            ])
            .args(flags);
        let process = Process::start("prometheus", command, &folder);
        Self::around(process, folder, listening)
    }

    /// Waits until a program that answers as Prometheus does is ready; `listening` finds its address in its log.
    #[track_caller]
    pub(crate) fn around(
        mut process: Process,
        folder: TempDir,
        listening: fn(&str) -> Option<SocketAddr>,
    ) -> Self {
        let address = wait::until("address in the log", SOON, || {
            assert!(!process.has_ended(), "it has ended");
            listening(&process.log()).ok_or_else(|| "no line yet".to_owned())
        });
        wait::until_true("ready server", SOON, || {
            http::request(address, "GET", "/-/ready", b"").is_ok_and(|answer| answer.status == 200)
        });
        Self {
            address,
            _process: process,
            _folder: folder,
        }
    }

    /// Where it takes remote-write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The series that an instant query finds now.
    #[track_caller]
    pub(crate) fn query(&self, promql: &str) -> Vec<Series> {
        self.ask("query", promql, "").iter().map(series).collect()
    }

    /// The result of a query as Prometheus writes it.
    #[track_caller]
    fn ask(&self, endpoint: &str, promql: &str, more: &str) -> Vec<Value> {
        let form = format!("query={}{more}", utf8_percent_encode(promql, NON_ALPHANUMERIC));
        let answer = Connection::open(self.address)
            .and_then(|mut open| {
                let path = format!("/api/v1/{endpoint}");
                open.request(
                    "POST",
                    &path,
                    "application/x-www-form-urlencoded",
                    form.as_bytes(),
                )
            })
            .unwrap_or_else(|error| panic!("cannot ask Prometheus {promql}: {error}"));
        assert!(
            answer.is_success(),
            "Prometheus refused {promql}: {} {}",
            answer.status,
            answer.text()
        );
        let mut document: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let mut data = document["data"].take();
        match data.get_mut("result").map(Value::take).unwrap_or(data) {
            Value::Array(result) => result,
            other => panic!("no result of {promql}: {other}"),
        }
    }

    /// Waits until there are so many exemplars of a selector, and gives them as Prometheus writes them.
    #[track_caller]
    pub(crate) fn comes_to_have_exemplars(&self, selector: &str, count: usize) -> Vec<Value> {
        let ever = "&start=0&end=4102444800";
        wait::until(&format!("{count} exemplars of {selector}"), SOON, || {
            let series = self.ask("query_exemplars", selector, ever);
            let of_series = |series: &Value| series["exemplars"].as_array().cloned().unwrap_or_default();
            let exemplars: Vec<Value> = series.iter().flat_map(of_series).collect();
            if exemplars.len() == count {
                Ok(exemplars)
            } else {
                Err(format!("{series:?}"))
            }
        })
    }

    /// Waits until another has the very samples of a selector that this one has now: floats and native histograms, values
    /// and times.
    #[track_caller]
    pub(crate) fn is_matched_by(&self, other: &Self, selector: &str) {
        #[expect(clippy::disallowed_methods, reason = "Prometheus' clock is the system's")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
        let at = format!("&time={}", now.as_secs_f64());
        let all = |of: &Self| {
            let found = of.ask("query", &format!("{selector}[10m]"), &at);
            let mut lines: Vec<String> = found.iter().map(Value::to_string).collect();
            lines.sort();
            lines
        };
        let mine = all(self);
        assert!(!mine.is_empty(), "nothing of {selector} is here to compare");
        wait::until(
            &format!("the same {} series of {selector}", mine.len()),
            SOON,
            || {
                let theirs = all(other);
                if theirs == mine {
                    return Ok(());
                }
                let missing = mine.iter().find(|line| !theirs.contains(line));
                let strange = theirs.iter().find(|line| !mine.contains(line));
                Err(format!("here only {missing:?}\nthere only {strange:?}"))
            },
        );
    }

    /// Waits until it knows type and help of a metric.
    #[track_caller]
    pub(crate) fn comes_to_describe(&self, metric: &str, kind: &str, help: &str) {
        wait::until(&format!("description of {metric}"), SOON, || {
            let answer = http::request(self.address, "GET", "/api/v1/metadata", b"")
                .map_err(|error| error.to_string())?;
            let document: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            let known = &document["data"][metric][0];
            if known["type"] == kind && known["help"] == help {
                Ok(())
            } else {
                Err(document.to_string())
            }
        });
    }

    /// How many series a selector finds now.
    #[track_caller]
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.query(selector).len()
    }

    /// Waits until a selector finds exactly one series of this value, to the last bit.
    #[track_caller]
    pub(crate) fn shows(&self, selector: &str, value: f64) {
        wait::until(&format!("value {value} of {selector}"), SOON, || {
            let found = self.query(selector);
            let same = |got: f64| got.to_bits() == value.to_bits() || (got.is_nan() && value.is_nan());
            if found.len() == 1 && same(found[0].value) {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        });
    }

    /// Waits until a selector finds this many series.
    #[track_caller]
    pub(crate) fn comes_to_hold(&self, selector: &str, count: usize, within: Duration) -> Vec<Series> {
        wait::until(&format!("{count} series of {selector}"), within, || {
            let found = self.query(selector);
            if found.len() == count {
                Ok(found)
            } else {
                Err(format!("{} series: {}", found.len(), brief(&found)))
            }
        })
    }

    /// Waits until a selector finds something.
    #[track_caller]
    pub(crate) fn comes_to_know(&self, selector: &str, within: Duration) -> Vec<Series> {
        wait::until(&format!("series of {selector}"), within, || {
            let found = self.query(selector);
            if found.is_empty() {
                Err("none".to_owned())
            } else {
                Ok(found)
            }
        })
    }

    /// Waits until a selector finds nothing, as `count(...)` shows it right after its series have ended.
    #[track_caller]
    pub(crate) fn forgets(&self, selector: &str, within: Duration) {
        let count = format!("count({selector})");
        wait::until(&format!("end of {selector}"), within, || {
            if self.query(&count).is_empty() {
                Ok(())
            } else {
                Err(brief(&self.query(selector)))
            }
        });
    }

    /// Fails if a selector was without a series at some tenth of a second of the span before now.
    #[track_caller]
    pub(crate) fn never_lost(&self, selector: &str, span: Duration) {
        #[expect(clippy::disallowed_methods, reason = "Prometheus' clock is the system's")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
        let (start, end) = (now.saturating_sub(span).as_secs_f64(), now.as_secs_f64());
        let gaps = self.ask(
            "query_range",
            &format!("absent({selector})"),
            &format!("&start={start}&end={end}&step=0.1"),
        );
        assert!(
            gaps.is_empty(),
            "{selector} was away for a while within the last {span:?}: {gaps:?}"
        );
    }
}

/// The address in Prometheus' own words, which it logs once it has got one.
fn listening(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("\"Listening on\""))?;
    line.split("address=")
        .nth(1)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

fn series(result: &Value) -> Series {
    let labels = result["metric"].as_object().expect("labels");
    Series {
        labels: labels
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        value: result["value"][1]
            .as_str()
            .map_or(f64::NAN, |value| value.parse().expect("a number")),
    }
}

fn brief(found: &[Series]) -> String {
    let shown: Vec<String> = found.iter().take(5).map(|series| format!("{series:?}")).collect();
    format!("{} of {}: {}", shown.len(), found.len(), shown.join("; "))
}
