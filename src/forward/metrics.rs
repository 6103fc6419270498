//! The books of every remote, as metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::model::Clock;

use super::books::{Books, Counts};

/// The metrics of the way out, one set for all remotes; cheap to clone.
///
/// `sent + rejected + dropped + pending` of a remote is what was queued for it, at every scrape and not only at rest;
/// what comes to the queue while the remote takes nothing is among them within a second. A remote that is set up again
/// under its name goes on counting.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    remotes: Arc<Mutex<BTreeMap<String, Arc<Books>>>>,
}

impl Metrics {
    /// Registers the metrics; `registry` carries the prefix `flinkbridge_forward`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Stops showing a remote that is no longer configured.
    pub fn forget(&self, remote: &str) {
        self.remotes().remove(remote);
    }

    pub(super) fn books(&self, remote: &str, clock: &Arc<dyn Clock>) -> Arc<Books> {
        let mut remotes = self.remotes();
        let books = remotes
            .entry(remote.to_owned())
            .or_insert_with(|| Arc::new(Books::new(remote, Arc::clone(clock))));
        Arc::clone(books)
    }

    fn remotes(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Books>>> {
        self.remotes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Labels = Vec<(&'static str, String)>;

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let remotes: Vec<Arc<Books>> = self.remotes().values().cloned().collect();
        if remotes.is_empty() {
            return Ok(());
        }
        let counts: Vec<(String, Counts)> = remotes
            .iter()
            .map(|books| (books.name().to_owned(), books.counts()))
            .collect();
        encode_samples(&mut encoder, &counts)?;
        encode_requests(&mut encoder, &counts)?;
        let help = "Time from a record's arrival at the queue until the remote has answered for it";
        let mut histogram =
            encoder.encode_descriptor("delivery_seconds", help, None, MetricType::Histogram)?;
        for books in &remotes {
            let labels = [("remote", books.name())];
            books.delivery().encode(histogram.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn encode_samples(encoder: &mut DescriptorEncoder<'_>, remotes: &[(String, Counts)]) -> fmt::Result {
    counter(
        encoder,
        ("sent_samples", "Samples the remote accepted"),
        remotes.iter().map(|(name, counts)| (of(name), counts.sent)),
    )?;
    counter(
        encoder,
        (
            "rejected_samples",
            "Samples the remote refused for good, by its status",
        ),
        remotes.iter().flat_map(|(name, counts)| {
            let statuses = counts.rejected.iter();
            statuses.map(move |(status, samples)| (with(name, "status", status), *samples))
        }),
    )?;
    counter(
        encoder,
        (
            "dropped_samples",
            "Samples never offered to the remote, by reason",
        ),
        remotes.iter().flat_map(|(name, counts)| {
            let reasons = counts.dropped.iter();
            reasons.map(move |(reason, samples)| (with(name, "reason", reason), *samples))
        }),
    )?;
    counter(
        encoder,
        (
            "changed_labels",
            "Labels changed to keep to a limit of the remote, by what was done to them",
        ),
        remotes.iter().flat_map(|(name, counts)| {
            let changes = counts.changed.iter();
            changes.map(move |(change, labels)| (with(name, "change", change), *labels))
        }),
    )?;
    gauge(
        encoder,
        (
            "pending_samples",
            "Samples in the queue that the remote does not have yet",
        ),
        remotes
            .iter()
            .map(|(name, counts)| (of(name), i64::try_from(counts.pending).unwrap_or(i64::MAX))),
    )?;
    gauge(
        encoder,
        (
            "oldest_pending_seconds",
            "Age of the oldest record under way, 0 when there is none",
        ),
        remotes
            .iter()
            .map(|(name, counts)| (of(name), counts.oldest_pending.as_secs_f64())),
    )
}

fn encode_requests(encoder: &mut DescriptorEncoder<'_>, remotes: &[(String, Counts)]) -> fmt::Result {
    counter(
        encoder,
        (
            "requests",
            "Requests by what came of them: a status, timeout, network or local",
        ),
        remotes.iter().flat_map(|(name, counts)| {
            let codes = counts.requests.iter();
            codes.map(move |(code, requests)| (with(name, "code", code), *requests))
        }),
    )?;
    counter(
        encoder,
        ("retries", "Requests that were sent again after a failure"),
        remotes.iter().map(|(name, counts)| (of(name), counts.retries)),
    )?;
    counter(
        encoder,
        (
            "metadata",
            "Families that the remote was told of by requests of their own, time and again",
        ),
        remotes.iter().map(|(name, counts)| (of(name), counts.announced)),
    )?;
    counter(
        encoder,
        ("failed_metadata", "Families that it did not take"),
        remotes
            .iter()
            .map(|(name, counts)| (of(name), counts.not_announced)),
    )?;
    counter(
        encoder,
        ("request_bytes", "Bytes of the bodies of all requests"),
        remotes
            .iter()
            .map(|(name, counts)| (of(name), counts.request_bytes)),
    )
}

fn of(remote: &str) -> Labels {
    vec![("remote", remote.to_owned())]
}

fn with(remote: &str, name: &'static str, value: &impl fmt::Display) -> Labels {
    vec![("remote", remote.to_owned()), (name, value.to_string())]
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: impl Iterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in values {
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauge<N: EncodeGaugeValue + Copy>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: impl Iterator<Item = (Labels, N)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use tokio::time::Duration;

    use super::*;
    use crate::forward::tests::double::{Trial, record, refused, unavailable};

    #[tokio::test(start_paused = true)]
    async fn the_books_are_shown_with_the_remote_as_label() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(registry.sub_registry_with_prefix("flinkbridge_forward"));
        let trial = Trial::with(|request| match request.samples.len() {
            1 => Err(refused(400, "bad")),
            5 => Err(unavailable(None)),
            _ => Ok(()),
        });
        metrics
            .remotes()
            .insert("test".to_owned(), Arc::clone(&trial.books));
        trial.log.push(record("a", 3, 1.0));
        trial.run(Duration::from_secs(1)).await;
        trial.log.push(record("b", 1, 1.0));
        trial.run(Duration::from_secs(1)).await;
        trial.log.push(record("a", 5, 1.0));
        trial.run(Duration::ZERO).await;

        let mut text = String::new();
        encode(&mut text, &registry).unwrap();

        for line in [
            "flinkbridge_forward_sent_samples_total{remote=\"test\"} 3",
            "flinkbridge_forward_rejected_samples_total{remote=\"test\",status=\"400\"} 1",
            "flinkbridge_forward_pending_samples{remote=\"test\"} 5",
            "flinkbridge_forward_requests_total{remote=\"test\",code=\"204\"} 1",
            "flinkbridge_forward_requests_total{remote=\"test\",code=\"400\"} 1",
            "flinkbridge_forward_retries_total{remote=\"test\"} 0",
            "flinkbridge_forward_oldest_pending_seconds{remote=\"test\"} 0.0",
            "flinkbridge_forward_delivery_seconds_count{remote=\"test\"} 2",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
