//! What the way in counts. The books balance: received + made = queued + dropped.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::refusal::Refusal;
use crate::normalise::Effects;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// The counters of the way in.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    received: Counter,
    made: Family<Kind, Counter>,
    queued: Counter,
    dropped: Family<Reason, Counter>,
    changed: Family<Kind, Counter>,
    conflicts: Counter,
    retired: Family<Reason, Counter>,
    groups: Gauge,
    sources: Gauge,
    series: Gauge,
    families: Gauge,
    forgotten_families: Counter,
}

/// Samples that came to nothing, and why.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    /// The push was refused after it had been read.
    Refused,
    /// The push could not be made durable, and its sender was told.
    NotDurable,
    /// Another source owns the series.
    OtherWriter,
    /// The same series as an earlier sample of the push, after normalisation.
    Twin,
}

impl Lost {
    /// What a refusal makes of the samples.
    pub(super) const fn by(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotDurable(_) | Refusal::Full { .. } => Self::NotDurable,
            Refusal::Inconsistent { .. }
            | Refusal::Limit(_)
            | Refusal::TooLarge(_)
            | Refusal::NotReady(_) => Self::Refused,
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotDurable => "not_durable",
            Self::OtherWriter => "other_writer",
            Self::Twin => "same_after_normalisation",
        }
    }
}

impl Books {
    pub(super) fn register(&self, registry: &mut Registry) {
        let intake = registry.sub_registry_with_prefix("intake");
        intake.register(
            "received_samples",
            "Samples read from pushes",
            self.received.clone(),
        );
        intake.register(
            "made_samples",
            "Samples made here: push times and stale markers",
            self.made.clone(),
        );
        intake.register(
            "queued_samples",
            "Samples written to the queue",
            self.queued.clone(),
        );
        intake.register(
            "dropped_samples",
            "Samples that came to nothing, by reason",
            self.dropped.clone(),
        );
        intake.register(
            "changed_labels",
            "What normalisation changed, by step",
            self.changed.clone(),
        );
        let text = "Pushes in which another source's series stood in the way of samples";
        intake.register("conflicting_pushes", text, self.conflicts.clone());
        let registered = registry.sub_registry_with_prefix("registry");
        registered.register("groups", "Groups known", self.groups.clone());
        registered.register("sources", "Pushing processes known", self.sources.clone());
        registered.register("series", "Series alive", self.series.clone());
        registered.register(
            "retired_groups",
            "Groups and sources ended, by reason",
            self.retired.clone(),
        );
        let catalogue = registry.sub_registry_with_prefix("catalogue");
        let text = "Families of which type, help or unit is known";
        catalogue.register("families", text, self.families.clone());
        let text = "Families of which that is known no longer, because there were too many";
        catalogue.register("forgotten_families", text, self.forgotten_families.clone());
    }

    pub(super) fn received(&self, samples: u64) {
        self.received.inc_by(samples);
    }

    pub(super) fn made(&self, push_times: u64, markers: u64) {
        self.made
            .get_or_create(&Kind { kind: "push_time" })
            .inc_by(push_times);
        self.made
            .get_or_create(&Kind { kind: "stale_marker" })
            .inc_by(markers);
    }

    pub(super) fn queued(&self, samples: u64) {
        self.queued.inc_by(samples);
    }

    pub(super) fn lost(&self, why: Lost, samples: u64) {
        self.dropped(why.reason(), samples);
    }

    pub(super) fn dropped(&self, reason: &'static str, samples: u64) {
        if samples > 0 {
            self.dropped.get_or_create(&Reason { reason }).inc_by(samples);
        }
    }

    pub(super) fn conflict(&self) {
        self.conflicts.inc();
    }

    pub(super) fn retired(&self, reason: &'static str) {
        self.retired.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn changed(&self, effects: &Effects) {
        for (kind, count) in effects.named() {
            if count > 0 {
                self.changed.get_or_create(&Kind { kind }).inc_by(count);
            }
        }
    }

    pub(super) fn known(&self, summary: crate::registry::Summary, families: crate::catalogue::Summary) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.groups.set(gauge(summary.groups));
        self.sources.set(gauge(summary.sources));
        self.series.set(gauge(summary.series));
        self.families.set(gauge(families.families));
        let counted = self.forgotten_families.get();
        self.forgotten_families
            .inc_by(families.forgotten.saturating_sub(counted));
    }
}
