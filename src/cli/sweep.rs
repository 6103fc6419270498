//! `flinkbridge sweep`: clean an existing Pushgateway of groups nobody pushes to any more.

mod print;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{MISUSED, complain};
use crate::gateway::{
    Access, Books, Effect, Exhibit, Gateway, Login, Progress, Report, Sweep, SweepError, Trust, Wish,
};
use crate::model::{Selector, SystemClock};

/// A `Date` has whole seconds, so that a shorter age could not be told.
const SHORTEST_AGE: Duration = Duration::from_secs(1);

/// How often a terminal is told how far a pass is.
const TELLING: Duration = Duration::from_millis(250);

/// What `flinkbridge sweep` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The Pushgateway's address, with its route prefix if it has one: http://host:9091/prefix.
    #[arg(long, value_name = "URL")]
    pushgateway: String,
    /// Delete groups whose last push was longer ago, by the gateway's clock; 1s at least.
    #[arg(long, value_name = "TIME", value_parser = age)]
    older_than: Duration,
    /// Of them only those whose grouping labels are selected, as PromQL writes it: {job=~"etl_.*"}.
    #[arg(long, value_name = "SELECTOR")]
    selector: Option<Selector>,
    /// Go on, a pass every so often, until TERM or INT; without it one pass is made.
    #[arg(long, value_name = "TIME", value_parser = age)]
    every: Option<Duration>,
    /// Say what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Delete nothing in a pass that finds more stale groups than this.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    max_groups: usize,
    /// Deletions under way at once.
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Longest wait for a connection, for more of an answer, and for a deletion.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = age)]
    timeout: Duration,
    /// The user of basic authentication.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    username: Option<String>,
    /// The file with that user's password; read again before each pass.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// The file with a bearer token; read again before each pass.
    #[arg(long, value_name = "FILE", conflicts_with = "username")]
    bearer_token_file: Option<PathBuf>,
    /// Certificates to trust instead of the system's, in PEM form.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Our own certificate, in PEM form.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// The key of our own certificate, in PEM form.
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// Take any certificate of the gateway.
    #[arg(long)]
    insecure_skip_verify: bool,
    /// Show metrics of the sweep at /metrics of this address.
    #[arg(long = "http.listen", value_name = "ADDRESS", requires = "every")]
    listen: Option<SocketAddr>,
    /// For people, or a line of JSON for each pass.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// How the outcome is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// For programs: a line for each pass.
    Json,
}

/// Makes one pass, or one after the other until a signal.
///
/// # Errors
/// When a pass fails, or is not allowed to do all it should.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let gateway = match Gateway::try_new(&access(&args)) {
        Ok(gateway) => gateway,
        Err(error) => {
            complain(&format!("flinkbridge: {error}"));
            return Ok(ExitCode::from(MISUSED));
        }
    };
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let (end, stop) = watch::channel(false);
        let sweep = Sweep {
            gateway,
            wish: wish(&args),
            clock: Arc::new(SystemClock),
            progress: Progress::default(),
            stop,
        };
        let ending = second_signal(end)?;
        let work = async {
            match args.every {
                Some(every) => go_on(&args, &sweep, every).await,
                None => once(&args, &sweep).await,
            }
        };
        tokio::select! {
            done = work => done,
            () = ending => Err(SweepError::Interrupted.into()),
        }
    })
}

async fn once(args: &Args, sweep: &Sweep) -> anyhow::Result<ExitCode> {
    let pass = watched(sweep, sweep.pass()).await;
    match args.output {
        Form::Json => print(&print::json(&pass, &sweep.gateway.url())),
        Form::Table => pass.iter().for_each(|report| print(&print::table(report))),
    }
    let report = pass?;
    notices(&report);
    if let Some(error) = report.cut_short {
        return Err(error.into());
    }
    let failed = report.count("failed");
    anyhow::ensure!(report.is_good(), "{failed} stale groups could not be deleted");
    Ok(ExitCode::SUCCESS)
}

async fn go_on(args: &Args, sweep: &Sweep, every: Duration) -> anyhow::Result<ExitCode> {
    let books = Books::default();
    let exhibit = match args.listen {
        None => None,
        Some(address) => {
            let listening = Exhibit::start(address, &books).await;
            Some(listening.with_context(|| format!("could not listen on {address} (--http.listen)"))?)
        }
    };
    if let Some(exhibit) = &exhibit {
        complain(&format!("metrics at http://{}/metrics", exhibit.address()));
    }
    let rounds = sweep.rounds(every, |pass| {
        let at = sweep.clock.now();
        books.note(pass, at);
        match (args.output, pass) {
            (Form::Json, _) => print(&print::json(pass, &sweep.gateway.url())),
            (Form::Table, Ok(report)) => print(&print::line(report, at)),
            (Form::Table, Err(_)) => {}
        }
        match pass {
            Ok(report) => notices(report),
            Err(error) => complain(&format!("{at} flinkbridge: {error}")),
        }
    });
    watched(sweep, rounds).await;
    Ok(ExitCode::SUCCESS)
}

/// What somebody should look at.
fn notices(report: &Report) {
    for notice in print::notices(report) {
        complain(&format!("flinkbridge: {notice}"));
    }
}

/// Tells a terminal how far `work` is, while it goes on.
async fn watched<T>(sweep: &Sweep, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TELLING);
    let mut told = String::new();
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = ticks.tick() => {
                let now = print::progress(sweep.progress.figures());
                if now != told {
                    tell(&now);
                    told = now;
                }
            }
        }
    };
    tell("");
    done
}

/// Writes over the terminal's last line.
fn tell(text: &str) {
    let mut terminal = io::stderr().lock();
    let _gone = write!(terminal, "\r\x1b[K{text}").and_then(|()| terminal.flush());
}

/// The first TERM or INT asks for the end by `end`; the second is this future's end.
fn second_signal(end: watch::Sender<bool>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut int = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    Ok(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
            }
            end.send_replace(true);
        }
    })
}

fn access(args: &Args) -> Access {
    let login = match (&args.username, &args.password_file, &args.bearer_token_file) {
        (Some(username), Some(password_file), _) => Login::Basic {
            username: username.clone(),
            password_file: password_file.clone(),
        },
        (_, _, Some(token_file)) => Login::Bearer {
            token_file: token_file.clone(),
        },
        _ => Login::None,
    };
    Access {
        url: args.pushgateway.clone(),
        login,
        trust: Trust {
            ca_file: args.ca_file.clone(),
            client: args.cert_file.clone().zip(args.key_file.clone()),
            insecure_skip_verify: args.insecure_skip_verify,
        },
        timeout: args.timeout,
        connections: args.concurrency.into(),
    }
}

fn wish(args: &Args) -> Wish {
    Wish {
        older_than: args.older_than,
        selector: args.selector.clone(),
        max_groups: args.max_groups,
        concurrency: args.concurrency.into(),
        effect: if args.dry_run {
            Effect::Rehearse
        } else {
            Effect::Delete
        },
    }
}

fn age(text: &str) -> Result<Duration, String> {
    let span =
        humantime::parse_duration(text).map_err(|error| format!("{error}; it reads like 90s, 10m or 2h"))?;
    if span < SHORTEST_AGE {
        return Err("it has to be 1s at least".to_owned());
    }
    Ok(span)
}

/// To standard output; a reader that has gone away is no failure of the sweep.
fn print(text: &str) {
    let _gone = writeln!(io::stdout().lock(), "{}", text.trim_end());
}
