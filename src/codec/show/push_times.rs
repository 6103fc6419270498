//! The two families that a Pushgateway adds to each group.

use std::sync::Arc;

use crate::codec::layer::{Layer, Values};
use crate::codec::shape::{Builder, Part, Shape};
use crate::model::{MetricKind, UnixMillis, stale_marker};

/// When a group was last pushed to.
pub const PUSH_TIME: &str = "push_time_seconds";

/// When a push to a group last failed.
pub const PUSH_FAILURE_TIME: &str = "push_failure_time_seconds";

/// Their help, as the real one has it (S02).
pub(in crate::codec) const PUSH_TIME_HELP: &str =
    "Last Unix time when changing this group in the Pushgateway succeeded.";
pub(in crate::codec) const PUSH_FAILURE_TIME_HELP: &str =
    "Last Unix time when changing this group in the Pushgateway failed.";

/// Both, name and help.
pub const OWN_FAMILIES: [(&str, &str); 2] = [
    (PUSH_TIME, PUSH_TIME_HELP),
    (PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP),
];

/// Makes the push times of groups; what they have in common is kept once.
#[derive(Clone, Debug)]
pub struct PushTimes(Arc<Shape>);

impl Default for PushTimes {
    fn default() -> Self {
        let mut builder = Builder::default();
        for (number, (name, help)) in (0..).zip(OWN_FAMILIES) {
            let place = builder.family(name, help, MetricKind::Gauge);
            builder.add(place, &[], (Part::Itself, number));
        }
        Self(Arc::new(builder.finish(None, 2)))
    }
}

impl PushTimes {
    /// Those of a group, 0 for never. `None` for the failure leaves it out, where a pushed one is shown.
    #[must_use]
    pub fn layer(&self, pushed: UnixMillis, failed: Option<UnixMillis>) -> Layer {
        let values = Values {
            numbers: vec![
                pushed.as_seconds(),
                failed.map_or_else(stale_marker, UnixMillis::as_seconds),
            ],
            extras: Vec::new(),
        };
        Layer::new(Arc::clone(&self.0), values, pushed)
    }
}
