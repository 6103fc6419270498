//! What a push costs, and a series in memory, when more and more is stored.

use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::push::Load;
use crate::target::Target;
use crate::{count, mega};

/// Pushes of one group, measured each time that more is stored.
const PUSHES: usize = 100;

/// How long it is calm before memory is looked at: what a storm of pushes took has been given back by then.
const CALM: Duration = Duration::from_secs(4);

/// When a push takes longer, no more is stored.
const PATIENCE: Duration = Duration::from_secs(2);

/// Measures with nothing stored but the group that is pushed to, then with 10, 100, ... groups up to the plan's.
pub(crate) fn run(plan: &Plan) {
    let target = Target::start(plan);
    let load = Load::new(plan, target.address());
    let bare = target.resident_bytes();
    let probe = plan.groups;
    println!("series of a push  {:>10}", plan.series);
    println!("bare              {:>10.1} MB resident", mega(bare));
    let (mut stored, mut goal) = (0, 1);
    while stored < plan.groups {
        goal = if stored == 0 {
            1
        } else {
            (goal * 10).min(plan.groups)
        };
        load.store(stored, goal);
        stored = goal;
        load.again(probe, 5);
        target.wait_until_forwarded();
        let waits = load.again(probe, PUSHES);
        target.wait_until_forwarded();
        load.now_and_then(probe, CALM);
        let (p50, series) = (waits.share(0.5), (stored + 1) * plan.series);
        let resident = target.resident_bytes();
        println!(
            "{series:>9} series  {:>8.2} / {:.2} ms p50 / p99 of a push, {:>8.1} MB resident, {:.0} bytes a series",
            1e3 * p50.as_secs_f64(),
            1e3 * waits.share(0.99).as_secs_f64(),
            mega(resident),
            1e6 * mega(resident.saturating_sub(bare)) / count(series),
        );
        if p50 > PATIENCE {
            break;
        }
    }
    scrape(&target);
}

fn scrape(target: &Target) {
    let (before, began) = (target.figures(), Instant::now());
    let resident = target.resident_bytes();
    let bytes = target.scrape();
    println!(
        "a scrape          {:>10.2} s, {:.2} s of CPU, {:.1} MB; resident {:.1} MB before, {:.1} MB at its peak",
        began.elapsed().as_secs_f64(),
        target.figures().cpu_seconds - before.cpu_seconds,
        count(bytes) / 1e6,
        mega(resident),
        mega(target.peak_bytes()),
    );
}
