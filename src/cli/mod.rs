//! The command line: one file a command.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod check;
mod demo;
mod logging;
mod serve;
mod sweep;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Takes metrics pushed by Apache Flink, stores them durably, forwards them by remote-write, and ends the series of
/// jobs that are gone.
#[derive(Debug, Parser)]
#[command(name = "flinkbridge", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bridge until a signal: TERM or INT drain and stop it, HUP reads the configuration again.
    Serve(serve::Args),
    /// Say what a configuration means, or every mistake in it with line and way out.
    Check(check::Args),
    /// Show what the bridge does: the bridge, a store built in, and simulated Flink; needs nothing else.
    Demo(demo::Args),
    /// Clean an existing Pushgateway: delete the groups nobody has pushed to for some time.
    Sweep(sweep::Args),
}

/// Wrong usage or configuration.
const MISUSED: u8 = 2;

/// Reads the command line, runs the command, and says how it went.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => Ok(check::run(&args)),
        Command::Demo(args) => demo::run(args),
        Command::Sweep(args) => sweep::run(args),
    };
    done.unwrap_or_else(|error| {
        complain(&format!("flinkbridge: {error:#}"));
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "the command line speaks to whoever typed it")]
fn complain(text: &str) {
    eprintln!("{}", text.trim_end());
}

#[expect(clippy::print_stdout, reason = "the command line speaks to whoever typed it")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}
