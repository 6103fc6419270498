//! What a sweep that goes on counts, for its own `/metrics`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::error::SweepError;
use super::report::{Outcome, Report};
use crate::model::UnixMillis;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    ending: &'static str,
}

/// The figures of a sweep; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Books {
    passes: Family<Ending, Counter>,
    deleted: Counter,
    failed: Counter,
    spared: Counter,
    groups: Gauge,
    stale: Gauge,
    seconds: Gauge<f64, AtomicU64>,
    ahead: Gauge<f64, AtomicU64>,
    succeeded_at: Gauge<f64, AtomicU64>,
}

impl Books {
    /// Registers all figures, as `flinkbridge_sweep_...`.
    pub fn register(&self, registry: &mut Registry) {
        let sweep = registry.sub_registry_with_prefix("flinkbridge_sweep");
        sweep.register("passes", "Passes by how they ended", self.passes.clone());
        sweep.register(
            "deleted_groups",
            "Groups whose deletion was taken",
            self.deleted.clone(),
        );
        let help = "Stale groups that were not deleted: refused, not answered, or not tried";
        sweep.register("failed_groups", help, self.failed.clone());
        let help = "Stale groups that were pushed to, or gone, before their turn came";
        sweep.register("spared_groups", help, self.spared.clone());
        sweep.register(
            "groups",
            "Groups at the gateway when the last pass read them",
            self.groups.clone(),
        );
        sweep.register(
            "stale_groups",
            "Stale groups that the last pass found",
            self.stale.clone(),
        );
        let help = "How long the last pass took";
        sweep.register_with_unit("duration", help, Unit::Seconds, self.seconds.clone());
        let help = "How far the gateway's clock is ahead of ours; behind if negative";
        sweep.register_with_unit("clock_ahead", help, Unit::Seconds, self.ahead.clone());
        let help = "When a pass last did all it should";
        sweep.register_with_unit(
            "last_success_timestamp",
            help,
            Unit::Seconds,
            self.succeeded_at.clone(),
        );
        for ending in ["done", "incomplete", "failed"] {
            drop(self.passes.get_or_create(&Ending { ending }));
        }
    }

    /// Notes what came of a pass that ended at `at`.
    pub fn note(&self, pass: &Result<Report, SweepError>, at: UnixMillis) {
        let ending = match pass {
            Ok(report) if report.is_good() => "done",
            Ok(_) => "incomplete",
            Err(_) => "failed",
        };
        self.passes.get_or_create(&Ending { ending }).inc();
        let Ok(report) = pass else { return };
        if report.is_good() {
            self.succeeded_at.set(at.as_seconds());
        }
        for group in &report.groups {
            match group.outcome {
                Outcome::Deleted => self.deleted.inc(),
                Outcome::Failed(_) | Outcome::Untried => self.failed.inc(),
                Outcome::PushedAgain | Outcome::Gone => self.spared.inc(),
                Outcome::WouldDelete | Outcome::Impossible(_) => 0,
            };
        }
        self.groups.set(count(report.read));
        self.stale.set(count(report.groups.len()));
        self.seconds.set(report.took.as_secs_f64());
        let ahead = UnixMillis::new(report.ahead_millis.unwrap_or_default());
        self.ahead.set(ahead.as_seconds());
    }
}

fn count(groups: usize) -> i64 {
    i64::try_from(groups).unwrap_or(i64::MAX)
}
