//! A real VictoriaMetrics and a real vmagent.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{self, Process};
use crate::prometheus::Prometheus;
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// Starts a VictoriaMetrics on a free port. It answers Prometheus' questions, and forgets nothing for their sake.
#[track_caller]
pub(crate) fn metrics() -> Prometheus {
    let folder = process::folder("victoria-metrics-");
    let mut command = Command::new(process::provided("FLINKBRIDGE_VICTORIA_METRICS"));
    command
        .arg(format!(
            "-storageDataPath={}",
            folder.path().join("data").display()
        ))
        .args([
            "-httpListenAddr=127.0.0.1:0",
            "-search.latencyOffset=0s",
            "-search.disableCache",
        ]);
    let process = Process::start("victoria-metrics", command, &folder);
    Prometheus::around(process, folder, listening)
}

/// A vmagent of our own.
pub(crate) struct Agent {
    address: SocketAddr,
    process: Process,
    _folder: TempDir,
}

impl Agent {
    /// Starts one that sends what it is sent.
    #[track_caller]
    pub(crate) fn sending_to(url: &str) -> Self {
        Self::configured("scrape_configs: []\n", url)
    }

    /// Starts one that scrapes a page every second as the job `page`, and sends on what it finds there.
    #[track_caller]
    pub(crate) fn scraping(page: SocketAddr, url: &str) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: page, static_configs: [{{targets: ['{page}']}}]}}\n"
        );
        Self::configured(&config, url)
    }

    #[track_caller]
    fn configured(config: &str, url: &str) -> Self {
        let folder = process::folder("vmagent-");
        let scraped = folder.path().join("scraped.yml");
        std::fs::write(&scraped, config).expect("a configuration");
        let mut command = Command::new(process::provided("FLINKBRIDGE_VMAGENT"));
        command
            .arg(format!("-promscrape.config={}", scraped.display()))
            .arg(format!("-remoteWrite.url={url}"))
            .arg(format!(
                "-remoteWrite.tmpDataPath={}",
                folder.path().join("data").display()
            ))
            .args([
                "-httpListenAddr=127.0.0.1:0",
                "-sortLabels",
                "-remoteWrite.queues=1",
            ]);
        let mut process = Process::start("vmagent", command, &folder);
        let address = wait::until("address in vmagent's log", SOON, || {
            assert!(!process.has_ended(), "vmagent has ended");
            listening(&process.log()).ok_or_else(|| "no line yet".to_owned())
        });
        Self {
            address,
            process,
            _folder: folder,
        }
    }

    /// Where it takes remote-write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// The address in its own words.
fn listening(log: &str) -> Option<SocketAddr> {
    let (_, address) = log.split_once("started server at http://")?;
    address.split('/').next()?.parse().ok()
}
