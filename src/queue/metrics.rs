//! The figures of the queue, as metrics; read at each scrape.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::model::Clock;
use crate::queue::{Queue, QueueStats};

/// Shows one queue.
#[derive(Debug)]
struct Figures {
    queue: Queue,
    clock: Arc<dyn Clock>,
}

/// Registers the figures of `queue`; `registry` carries the prefix `flinkbridge_queue`.
pub fn register(queue: &Queue, clock: Arc<dyn Clock>, registry: &mut Registry) {
    registry.register_collector(Box::new(Figures {
        queue: queue.clone(),
        clock,
    }));
}

/// Name, help, unit and value of one figure.
type Figure = (&'static str, &'static str, Option<Unit>, f64);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let stats = self.queue.stats();
        let oldest = stats
            .oldest_at
            .map_or(Duration::ZERO, |at| self.clock.now().since(at));
        for (name, help, unit, value) in gauges(&stats, oldest) {
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        for (name, help, unit, value) in counters(&stats) {
            let counter = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
            ConstCounter::new(value).encode(counter)?;
        }
        Ok(())
    }
}

fn gauges(stats: &QueueStats, oldest: Duration) -> [Figure; 5] {
    let failed = number(u64::from(stats.refusing.is_some()));
    [
        (
            "size",
            "Bytes on disk that someone may still need",
            Some(Unit::Bytes),
            number(stats.bytes),
        ),
        ("segments", "Files that hold them", None, number(stats.segments)),
        (
            "waiting",
            "Bytes accepted and not yet on disk",
            Some(Unit::Bytes),
            number(stats.waiting_bytes),
        ),
        (
            "oldest",
            "Age of the oldest record held",
            Some(Unit::Seconds),
            oldest.as_secs_f64(),
        ),
        (
            "failed",
            "1 while the disk refuses and pushes are turned away",
            None,
            failed,
        ),
    ]
}

fn counters(stats: &QueueStats) -> [Figure; 6] {
    let lags = "Times that a position could not be written; records may then come again";
    [
        (
            "appended_samples",
            "Samples that became durable",
            None,
            number(stats.appended.weight),
        ),
        (
            "appended_records",
            "Records that became durable",
            None,
            number(stats.appended.records),
        ),
        (
            "appended",
            "What they take on disk",
            Some(Unit::Bytes),
            number(stats.appended_bytes),
        ),
        ("syncs", "Syncs of segments", None, number(stats.syncs)),
        (
            "sync",
            "Time that syncs took",
            Some(Unit::Seconds),
            stats.sync_time.as_secs_f64(),
        ),
        ("position_failures", lags, None, number(stats.position_failures)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
const fn number(value: u64) -> f64 {
    value as f64
}
