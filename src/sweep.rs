//! The door for the clock: once a second it retires what is silent, lets old records go, and keeps the snapshot fresh.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::intake::{Closing, Intake};

/// How often it is looked; `jobs.stale_after` is exact to that much.
const TICK: Duration = Duration::from_secs(1);

/// Runs until `stop` is true.
pub async fn run(intake: Intake, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        intake.sweep().await;
        intake.snapshot(Closing::No).await;
    }
}
