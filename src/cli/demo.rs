//! `flinkbridge demo`: the bridge, a store and simulated Flink, with nothing else installed.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{MISUSED, complain, logging};
use crate::app::App;
use crate::config::{Config, Overrides};
use crate::demo::{Cast, Pace, Store, StoreServer, Story};
use crate::forward::RemoteConfig;
use crate::model::{Clock, SystemClock};

/// The interval of `--fast`.
const FAST: Duration = Duration::from_millis(250);

/// Most that the demo's queue takes of the disk: hours of it.
const MAX_QUEUE_BYTES: u64 = 512 << 20;

/// What `flinkbridge demo` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Feed this remote-write URL instead of the built-in store.
    #[arg(long, value_name = "URL")]
    remote_write: Option<String>,
    /// Where the built-in store listens; port 0 lets the system choose.
    #[arg(long = "store.listen", value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    store_listen: SocketAddr,
    /// From one push of a process to its next; everything else in the demo follows from it.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// Eight times as fast: the same as --interval 250ms.
    #[arg(long, conflicts_with = "interval")]
    fast: bool,
    /// End after so many rounds of about two minutes each; without it the demo goes on.
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// End after this time.
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// error, warn, info, debug or trace. An outage is part of the demo and would be warned of.
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "error")]
    log_level: String,
    /// Push to a bridge that already runs at this URL, instead of starting one.
    #[arg(long, value_name = "URL", hide = true)]
    bridge: Option<String>,
}

/// Runs the demo until its rounds are over, its time is up, or a signal asks for its end.
///
/// # Errors
/// When the store or the bridge cannot listen, or a simulated process cannot be started.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(show(args))
}

async fn show(args: Args) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let pace = Pace::of(if args.fast { FAST } else { args.interval });
    let target = Target::choose(&args, &clock).await?;
    let folder = Folder::new();
    let config = match settings(&args, &folder, &target, pace) {
        Ok(config) => config,
        Err(mistakes) => {
            complain(&mistakes);
            return Ok(ExitCode::from(MISUSED));
        }
    };
    let _level = logging::begin(config.log);
    let bridge = Bridge::start(&args, config, &clock).await?;
    print(&format!("bridge      {}", bridge.url));
    target.introduction().iter().for_each(|line| print(line));
    print("Ctrl-C ends the demo; times are UTC");
    let cast = Cast::start(&bridge.url, pace, Arc::clone(&clock)).context("starting the simulated Flink")?;
    let store = target.store.as_ref().map(|(store, _)| Arc::clone(store));
    let story = Story::new(cast, store, pace, clock, |line: String| print(&line));
    let summary = story
        .play(args.rounds, the_end(args.lasts)?)
        .await
        .context("starting another simulated process")?;
    bridge.stop().await;
    target.stop().await;
    Ok(if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where the bridge forwards to.
struct Target {
    url: String,
    store: Option<(Arc<Store>, StoreServer)>,
}

impl Target {
    async fn choose(args: &Args, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        if let Some(url) = &args.remote_write {
            let url = url.clone();
            return Ok(Self { url, store: None });
        }
        let store = Store::new(Arc::clone(clock));
        let server = StoreServer::start(&args.store_listen.to_string(), Arc::clone(&store))
            .await
            .with_context(|| format!("listening on {} for the built-in store", args.store_listen))?;
        Ok(Self {
            url: server.write_url(),
            store: Some((store, server)),
        })
    }

    /// Where to look, a line each. A real store's URL may hold a password.
    fn introduction(&self) -> Vec<String> {
        let url = RemoteConfig::redact(&self.url);
        match &self.store {
            None => vec![format!(
                "forwards to {url}: look there, the demo says what to ask"
            )],
            Some((_, server)) => {
                let address = server.address();
                vec![
                    format!("forwards to {url}, a store in memory"),
                    format!("look at     http://{address}/"),
                    format!("as JSON     http://{address}/api/series?match=numRecordsIn&state=alive&limit=5"),
                ]
            }
        }
    }

    async fn stop(self) {
        if let Some((_, server)) = self.store {
            server.stop().await;
        }
    }
}

/// The bridge that the simulated processes push to: ours, or one that runs elsewhere.
struct Bridge {
    url: String,
    app: Option<App>,
}

impl Bridge {
    async fn start(args: &Args, config: Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        if let Some(url) = args.bridge.clone() {
            return Ok(Self { url, app: None });
        }
        let app = App::start(config, Arc::clone(clock)).await?;
        Ok(Self {
            url: format!("http://{}", app.http_address()),
            app: Some(app),
        })
    }

    async fn stop(self) {
        if let Some(app) = self.app {
            app.stop().await;
        }
    }
}

/// The configuration of a bridge for the demo alone: on loopback, in `folder`, patient as `pace` says. Or what is
/// wrong with the flags.
fn settings(args: &Args, folder: &Folder, target: &Target, pace: Pace) -> Result<Config, String> {
    let flags = Overrides {
        grpc_listen: Some("127.0.0.1:0".to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(folder.0.clone()),
        remote_write_urls: vec![target.url.clone()],
        log_level: Some(args.log_level.clone()),
    };
    let mut config = Config::default().with(&flags).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        mistakes.join("\n")
    })?;
    config.retention.stale_after = pace.stale_after();
    config.queue.max_bytes = MAX_QUEUE_BYTES;
    Ok(config)
}

/// The queue's folder, gone when the demo is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("flinkbridge-demo-{:016x}", rand::random::<u64>())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, folder = %self.0.display(), "could not remove the demo's folder");
        }
    }
}

/// When the demo is to end: its time is up, or Ctrl-C or SIGTERM asks for it.
fn the_end(lasts: Option<Duration>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut int = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let time_is_up = async move {
        match lasts {
            Some(lasts) => tokio::time::sleep(lasts).await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! {
            () = time_is_up => {}
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
    })
}

/// One line to whoever watches; a reader that has gone away does not end the demo.
fn print(line: &str) {
    let _gone = writeln!(io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn forwarding_to(url: &str, pace: Pace) -> Result<Config, String> {
        let args = Command::parse_from(["demo"]).args;
        let target = Target {
            url: url.to_owned(),
            store: None,
        };
        settings(&args, &Folder::new(), &target, pace)
    }

    #[test]
    fn spans_are_read_as_people_write_them() {
        let command = Command::parse_from(["demo", "--for", "30s", "--interval", "500ms"]);

        assert_eq!(command.args.lasts, Some(Duration::from_secs(30)));
        assert_eq!(command.args.interval, Duration::from_millis(500));
    }

    #[test]
    fn the_demos_bridge_is_on_loopback_and_waits_as_long_as_the_pace_says() {
        let pace = Pace::of(Duration::from_secs(2));

        let config = forwarding_to("http://127.0.0.1:1/api/v1/write", pace).unwrap();

        assert_eq!(config.door.listen, "127.0.0.1:0");
        assert_eq!(config.retention.stale_after, Duration::from_secs(15));
        assert_eq!(config.remotes.len(), 1);
    }

    #[test]
    fn a_remote_that_is_no_url_is_refused_with_a_reason() {
        let pace = Pace::of(Duration::from_secs(2));

        let mistakes = forwarding_to("nowhere", pace).unwrap_err();

        assert!(mistakes.contains("nowhere"), "{mistakes}");
    }

    #[test]
    fn a_password_in_the_url_of_a_real_store_is_not_shown() {
        let target = Target {
            url: "http://me:hunter2@store:9090/api/v1/write?token=t0ken".to_owned(),
            store: None,
        };

        let shown = target.introduction().join("\n");

        assert!(!shown.contains("hunter2") && !shown.contains("t0ken"), "{shown}");
        assert!(shown.contains("store:9090/api/v1/write"), "{shown}");
    }

    #[test]
    fn fast_and_an_interval_exclude_each_other() {
        assert!(Command::try_parse_from(["demo", "--fast", "--interval", "1s"]).is_err());
        assert!(Command::try_parse_from(["demo", "--fast"]).is_ok());
    }
}
