//! `flinkbridge serve`: run the bridge until a signal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::logging::{self, Level};
use super::{MISUSED, check, complain};
use crate::api::Wish;
use crate::app::App;
use crate::config::{Config, Overrides};
use crate::model::SystemClock;

/// What `flinkbridge serve` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration; without one, a Pushgateway with expiry and without forwarding.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to take pushes, instead of http.listen; port 0 lets the system choose.
    #[arg(long = "http.listen", value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where to take gRPC streams, instead of grpc.listen; port 0 lets the system choose.
    #[arg(long = "grpc.listen", value_name = "ADDRESS")]
    grpc_listen: Option<String>,
    /// The folder of queue and registry, instead of `data_dir`.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Where to forward to, instead of the whole `remote_write` list; may be given several times.
    #[arg(long = "remote-write.url", value_name = "URL")]
    remote_write_urls: Vec<String>,
    /// error, warn, info, debug or trace, instead of log.level.
    #[arg(long = "log.level", value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Args {
    /// The configuration, or everything that is wrong with it as text.
    fn config(&self) -> Result<Config, String> {
        let overrides = Overrides {
            listen: self.listen.clone(),
            grpc_listen: self.grpc_listen.clone(),
            data_dir: self.data_dir.clone(),
            remote_write_urls: self.remote_write_urls.clone(),
            log_level: self.log_level.clone(),
        };
        check::load(self.config.as_deref(), &overrides)
    }
}

/// Runs until TERM or INT.
///
/// # Errors
/// When the bridge cannot start.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = match args.config() {
        Ok(config) => config,
        Err(mistakes) => {
            complain(&mistakes);
            return Ok(ExitCode::from(MISUSED));
        }
    };
    let level = logging::begin(config.log);
    open_many_files();
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(serve(args, config, level))
}

/// Raises the limit of open files, of which every connection is one, as far as the system lets us. Many systems give a
/// program 1,024 unless it asks for more.
fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let highest = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, highest) {
        warn!(%error, "could not raise the limit of open files");
    }
}

/// The signals that are obeyed.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }
}

async fn serve(args: Args, config: Config, level: Level) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen().context("listening for signals")?;
    info!(version = env!("CARGO_PKG_VERSION"), "flinkbridge");
    for notice in check::warnings(&config) {
        warn!(%notice, "about the configuration");
    }
    let mut app = App::start(config, Arc::new(SystemClock)).await?;
    loop {
        tokio::select! {
            _ = signals.term.recv() => break,
            _ = signals.int.recv() => break,
            _ = signals.hup.recv() => {
                // the outcome is in the log, which is all that a signal can be answered by
                let _ = reload(&mut app, &args, &level).await;
            }
            Some(wish) = app.wished() => match wish {
                Wish::Reload { answer } => {
                    let outcome = reload(&mut app, &args, &level).await;
                    // whoever asked may have gone
                    let _ = answer.send(outcome);
                }
                Wish::Quit => {
                    warn!("asked to end by /-/quit");
                    break;
                }
            }
        }
    }
    app.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn reload(app: &mut App, args: &Args, level: &Level) -> Result<(), String> {
    let outcome = match args.config() {
        Ok(config) => {
            let log = config.log;
            app.reload(config)
                .await
                .map(|()| level.set(log.level))
                .map_err(|error| format!("{:#}", anyhow::Error::new(error)))
        }
        Err(mistakes) => Err(mistakes),
    };
    if let Err(mistakes) = &outcome {
        error!(
            error = mistakes,
            "the configuration could not be taken up; nothing has changed"
        );
    }
    outcome
}
