//! What a sample costs from the push to the remote: the release binary, pushed to over loopback, forwarding to a sink
//! that only counts and answers. Bounded in samples and time; nothing but loopback is touched.
//!
//! ```text
//! cargo bench --bench end_to_end -- closed  [--samples 2000000] [--connections 8] [--groups 64] [--sync always]
//! cargo bench --bench end_to_end -- paced   [--groups 500] [--every-ms 30000] [--seconds 60] [--series 1000]
//! cargo bench --bench end_to_end -- idle
//! cargo bench --bench end_to_end -- stored  [--groups 1000] [--series 1000] [--pushgateway <binary>]
//! cargo bench --bench end_to_end -- accept --pushgateway <binary> [--samples 200000]
//! ```
//!
//! `closed`: every connection pushes again as soon as it is answered. `paced`: every group pushes once in a period,
//! evenly spread. `idle`: a bridge that nobody pushes to. `stored`: what a push costs, and a series in memory, when more and
//! more is stored; then a scrape of it all. `accept`: the same load against a Pushgateway, which forwards
//! nothing. Each run begins with one push of every group, outside the measurement. CPU time is the target's own, as the
//! system counts it; the sink and the pushers are other processes.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot be set up has nothing to say; its figures go to the terminal; a load is paced by the clock"
)]

#[path = "../flink_like.rs"]
mod flink_like;
mod plan;
mod process;
mod push;
#[path = "../remote_process.rs"]
mod remote_process;
mod sink;
mod stored;
mod target;

use std::time::{Duration, Instant};

use plan::{Mode, Plan};
use push::{Load, Round, Waits};
use target::Target;

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
    match plan.mode {
        Mode::Idle => idle(&plan),
        Mode::Stored => stored::run(&plan),
        Mode::Closed | Mode::Paced | Mode::Accept => pushed(&plan),
    }
}

fn idle(plan: &Plan) {
    let target = Target::start(plan);
    std::thread::sleep(Duration::from_secs(5));
    println!("resident          {:>10.1} MB", mega(target.resident_bytes()));
    println!("  at its peak     {:>10.1} MB", mega(target.peak_bytes()));
    println!("binary            {:>10.1} MB", mega(target.binary_bytes()));
}

fn pushed(plan: &Plan) {
    let target = Target::start(plan);
    let load = Load::new(plan, target.address());
    match plan.mode {
        Mode::Paced => drop(load.paced(plan.period, plan.period)),
        _ => load.once(),
    }
    target.wait_until_forwarded();
    let before = target.figures();
    let began = Instant::now();
    let round = match plan.mode {
        Mode::Paced => load.paced(plan.period, plan.lasting),
        _ => load.closed(plan.samples),
    };
    let pushed_in = began.elapsed();
    target.wait_until_forwarded();
    let drained_in = began.elapsed();
    report(plan, &target, (&before, &target.figures()), &round);
    println!("pushed in         {:>10.2} s", pushed_in.as_secs_f64());
    println!("drained in        {:>10.2} s", drained_in.as_secs_f64());
    if plan.mode == Mode::Paced {
        let cpu = target.figures().cpu_seconds - before.cpu_seconds;
        println!(
            "of one core       {:>10.2} %",
            100.0 * cpu / drained_in.as_secs_f64()
        );
    }
}

fn report(
    plan: &Plan,
    target: &Target,
    (before, after): (&target::Figures, &target::Figures),
    round: &Round,
) {
    let samples = count(round.samples);
    let each = |before: f64, after: f64| (after - before) / samples;
    println!("samples           {samples:>10}");
    println!("groups x series   {:>6} x {}", plan.groups, plan.series);
    println!(
        "CPU               {:>10.3} s per million samples",
        1e6 * each(before.cpu_seconds, after.cpu_seconds)
    );
    println!(
        "  of it in kernel {:>10.3} s per million samples",
        1e6 * each(before.kernel_seconds, after.kernel_seconds)
    );
    println!("resident          {:>10.1} MB", mega(target.resident_bytes()));
    println!("  at its peak     {:>10.1} MB", mega(target.peak_bytes()));
    println!(
        "pushed            {:>10.1} bytes per sample",
        count(round.bytes) / samples
    );
    if plan.mode != Mode::Accept {
        println!("forwarded         {:>10} samples", after.sent - before.sent);
        println!(
            "to the remote     {:>10.1} bytes per sample",
            each(before.sent_bytes, after.sent_bytes)
        );
        println!(
            "on disk           {:>10.1} bytes per sample",
            each(before.disk_bytes, after.disk_bytes)
        );
        println!("syncs             {:>10}", after.syncs - before.syncs);
        println!("requests          {:>10}", after.requests - before.requests);
    }
    print_waits(&round.waits);
}

fn print_waits(waits: &Waits) {
    println!(
        "answers           {:>10.2} / {:.2} ms p50 / p99",
        1e3 * waits.share(0.5).as_secs_f64(),
        1e3 * waits.share(0.99).as_secs_f64()
    );
}

#[allow(clippy::cast_precision_loss, reason = "figures to look at")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[allow(clippy::cast_precision_loss, reason = "figures to look at")]
fn count(number: usize) -> f64 {
    number as f64
}
