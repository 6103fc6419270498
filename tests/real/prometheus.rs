//! A real Prometheus that takes remote-write, asked by PromQL.

use std::collections::BTreeMap;
use std::net::SocketAddr;
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
    /// Its value at the time of the question.
    pub(crate) value: f64,
}

impl Series {
    /// The value of a label, empty where there is none.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// A Prometheus of our own, in a folder of its own.
pub(crate) struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one on a free port.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::configured(
            "global: {}
",
            &[],
        )
    }

    /// Starts one that keeps native histograms and exemplars too.
    #[track_caller]
    pub(crate) fn keeping_all() -> Self {
        Self::configured(
            "global: {}
",
            &["--enable-feature=native-histograms,exemplar-storage"],
        )
    }

    /// Starts one that scrapes these addresses every second, as a Pushgateway should be scraped; the series of each get
    /// its name as the label `whose`.
    #[track_caller]
    pub(crate) fn scraping(targets: &[(&str, &str)]) -> Self {
        let mut config = "global: {scrape_interval: 1s}
scrape_configs:
"
        .to_owned();
        for (name, address) in targets {
            config.push_str(&format!(
                "  - {{job_name: {name}, honor_labels: true, static_configs: [{{targets: [\"{address}\"], labels: {{whose: {name}}}}}]}}
"
            ));
        }
        Self::configured(&config, &[])
    }

    #[track_caller]
    fn configured(yaml: &str, flags: &[&str]) -> Self {
        let folder = process::folder("prometheus-");
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, yaml).expect("a configuration");
        let mut command = Command::new(process::provided("FLINKBRIDGE_PROMETHEUS"));
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
        let mut process = Process::start("prometheus", command, &folder);
        let address = wait::until("address in Prometheus' log", SOON, || {
            assert!(!process.has_ended(), "Prometheus has ended");
            listening(&process.log()).ok_or_else(|| "no line yet".to_owned())
        });
        wait::until_true("ready Prometheus", SOON, || {
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
            .expect("a value")
            .parse()
            .expect("a number"),
    }
}

fn brief(found: &[Series]) -> String {
    let shown: Vec<String> = found.iter().take(5).map(|series| format!("{series:?}")).collect();
    format!("{} of {}: {}", shown.len(), found.len(), shown.join("; "))
}
