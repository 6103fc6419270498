//! What it costs to take remote-write and to forward it: flinkbridge beside vmagent and Prometheus in agent mode, in one run.
//!
//! ```text
//! benches/peers/run.sh [--samples 2000000] [--connections 4] [--sources 32] [--rounds 3]
//! ```
//!
//! The script builds the peers and calls `cargo bench --bench peers`. Every subject in turn gets the same requests, 2,000
//! Flink-like series of one sample each, in a closed loop; behind it is a sink that counts what arrives. CPU time and
//! memory are the subject's own, as the system counts them; the requests that every source is first heard by are not
//! counted.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement that cannot be set up has nothing to say; its figures go to the terminal; a load is timed by the clock"
)]

#[path = "../flink_like.rs"]
mod flink_like;
mod load;
mod plan;
#[path = "../end_to_end/process.rs"]
mod process;
#[path = "../remote_process.rs"]
mod remote_process;
mod sink;
mod subject;

use std::time::Instant;

use load::Load;
use plan::Plan;
use subject::{Kind, Subject};

/// Remote-write 1.0 as Prometheus defines it, generated from `proto/`.
mod write_v1 {
    #![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/prometheus.rs"));
}

/// What one subject needed in one round.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    cpu_seconds: f64,
    kernel_seconds: f64,
    peak_megabytes: f64,
    seconds: f64,
    sent_bytes: f64,
    lost: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if arguments.first().is_some_and(|word| word == "sink") {
        return sink::run();
    }
    let plan = match Plan::read(&arguments) {
        Ok(plan) => plan,
        Err(usage) => return println!("{usage}"),
    };
    let mut costs: Vec<(Kind, Vec<Cost>)> = plan.kinds().map(|kind| (kind, Vec::new())).collect();
    for round in 1..=plan.rounds {
        for (kind, costs) in &mut costs {
            let cost = measure(*kind, &plan);
            eprintln!("round {round}: {kind:?} {cost:.3?}");
            costs.push(cost);
        }
    }
    report(&costs);
}

fn measure(kind: Kind, plan: &Plan) -> Cost {
    let subject = Subject::start(kind, plan);
    let load = Load::new(plan, subject.address());
    let known = load.once();
    subject.wait_until_forwarded(known);
    let (before, bytes_before) = (subject.cpu(), subject.sink().counted().bytes);
    let began = Instant::now();
    let samples = load.closed(plan.samples);
    let arrived = subject.wait_until_forwarded(known + samples);
    let after = subject.cpu();
    let millions = count(samples) / 1e6;
    Cost {
        cpu_seconds: (after.user_seconds + after.kernel_seconds
            - before.user_seconds
            - before.kernel_seconds)
            / millions,
        kernel_seconds: (after.kernel_seconds - before.kernel_seconds) / millions,
        peak_megabytes: count(subject.peak_bytes()) / 1e6,
        seconds: began.elapsed().as_secs_f64(),
        sent_bytes: count(subject.sink().counted().bytes - bytes_before) / count(samples),
        lost: count(known + samples) - count(arrived),
    }
}

fn report(costs: &[(Kind, Vec<Cost>)]) {
    println!(
        "| subject | CPU s per million samples | of it in the kernel | peak memory | bytes per sample to the remote | all arrived in | not arrived |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (kind, costs) in costs {
        let figure = |of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
        println!(
            "| {} | {:.2} | {:.2} | {:.0} MB | {:.1} | {:.1} s | {:.0} |",
            kind.name(),
            figure(|cost| cost.cpu_seconds),
            figure(|cost| cost.kernel_seconds),
            figure(|cost| cost.peak_megabytes),
            figure(|cost| cost.sent_bytes),
            figure(|cost| cost.seconds),
            figure(|cost| cost.lost),
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[allow(clippy::cast_precision_loss, reason = "figures to look at")]
const fn count(number: u64) -> f64 {
    number as f64
}
