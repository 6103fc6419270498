//! The figures of the queue, as metrics; read at each scrape.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::model::Clock;
use crate::queue::Queue;

/// Shows one queue.
#[derive(Debug)]
struct Figures {
    queue: Queue,
    clock: std::sync::Arc<dyn Clock>,
}

/// Registers the figures of `queue`; `registry` carries the prefix `flinkbridge_queue`.
pub fn register(queue: &Queue, clock: std::sync::Arc<dyn Clock>, registry: &mut Registry) {
    registry.register_collector(Box::new(Figures {
        queue: queue.clone(),
        clock,
    }));
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let stats = self.queue.stats();
        let now = self.clock.now();
        let oldest = stats.oldest_at.map_or(0.0, |at| now.since(at).as_secs_f64());
        let mut gauge = |name, help, unit: Option<&Unit>, value: f64| -> fmt::Result {
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
        };
        #[expect(clippy::cast_precision_loss, reason = "figures to look at")]
        let number = |value: u64| value as f64;
        gauge(
            "size",
            "Bytes on disk that someone may still need",
            Some(&Unit::Bytes),
            number(stats.bytes),
        )?;
        gauge("segments", "Files that hold them", None, number(stats.segments))?;
        gauge(
            "waiting",
            "Bytes accepted and not yet on disk",
            Some(&Unit::Bytes),
            number(stats.waiting_bytes),
        )?;
        gauge(
            "oldest",
            "Age of the oldest record held",
            Some(&Unit::Seconds),
            oldest,
        )?;
        let failed = f64::from(u8::from(stats.refusing.is_some()));
        gauge(
            "failed",
            "1 while the disk refuses and pushes are turned away",
            None,
            failed,
        )?;
        let mut counter = |name, help, unit: Option<&Unit>, value: f64| -> fmt::Result {
            let metric = ConstCounter::new(value);
            metric.encode(encoder.encode_descriptor(name, help, unit, MetricType::Counter)?)
        };
        counter(
            "appended_samples",
            "Samples that became durable",
            None,
            number(stats.appended.weight),
        )?;
        counter(
            "appended_records",
            "Records that became durable",
            None,
            number(stats.appended.records),
        )?;
        counter(
            "appended",
            "What they take on disk",
            Some(&Unit::Bytes),
            number(stats.appended_bytes),
        )?;
        counter("syncs", "Syncs of segments", None, number(stats.syncs))?;
        counter(
            "sync",
            "Time that syncs took",
            Some(&Unit::Seconds),
            stats.sync_time.as_secs_f64(),
        )?;
        let lags = "Times that a position could not be written; records may then come again";
        counter("position_failures", lags, None, number(stats.position_failures))
    }
}
