//! What the way in hears of families, and how it is kept over a restart.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tracing::{error, info, warn};

use super::{Closing, Intake};
use crate::catalogue::{self, Catalogue, family_of};
use crate::codec::exposition::Exposition;
use crate::codec::show::OWN_FAMILIES;
use crate::model::{
    Clock, Family, LabelSet, METRIC_NAME, Metadata, MetricType, Sample, UnixMillis, whole_story,
};
use crate::queue::{Queue, QueueError};

/// The file that holds the catalogue, in the queue's folder.
const CATALOGUE: &str = "families.snapshot";

/// Between two times that it is stored; what a crash takes of it, the next pushes say again.
const STORE_EVERY: Duration = Duration::from_secs(60);

/// What is known of families.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    last_stored: AtomicI64,
}

impl Families {
    /// Reads what was known before; what cannot be read is begun anew.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn open(queue: &Queue, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let storage = queue.storage();
        let stored = storage
            .read(CATALOGUE)
            .map_err(|error| QueueError::io("read", storage.place(CATALOGUE), error))?;
        let catalogue = stored.and_then(|stored| match Catalogue::restore(&stored) {
            Ok(catalogue) => Some(catalogue),
            Err(error) => {
                warn!(%error, file = CATALOGUE, "what was known of families cannot be used; pushes will tell it again");
                None
            }
        });
        let catalogue = catalogue.unwrap_or_default();
        info!(
            families = catalogue.summary().families,
            "the types and help texts of families are known"
        );
        Ok(Self {
            catalogue: Arc::new(catalogue),
            last_stored: AtomicI64::new(clock.now().get()),
            clock,
        })
    }

    pub(super) fn summary(&self) -> catalogue::Summary {
        self.catalogue.summary()
    }

    /// Notes what a push says of its families, under the names they have after normalisation.
    pub(super) fn pushed(&self, exposition: &Exposition<'_>, names: Names) {
        let at = self.clock.now();
        for (place, name) in names.noted {
            if let Some(family) = exposition.families.get(place) {
                self.catalogue.learn(&metadata(family, name.into()), at);
            }
        }
        for (name, help) in OWN_FAMILIES {
            let said = Metadata {
                family: name.into(),
                kind: MetricType::Gauge,
                help: help.into(),
                unit: Cow::default(),
            };
            self.catalogue.learn(&said, at);
        }
    }

    /// Notes what a remote-write request of version 1.0 says of families.
    pub(super) fn received(&self, said: &[Metadata<'_>]) {
        let at = self.clock.now();
        for family in said {
            self.catalogue.learn(family, at);
        }
    }

    /// Notes what a series of version 2.0 says of its family; `labels` are those after normalisation.
    pub(super) fn received_with(&self, labels: &LabelSet<'_>, said: Option<&Metadata<'_>>) {
        if let (Some(said), Some(series)) = (said, labels.get(METRIC_NAME)) {
            let said = Metadata {
                family: family_of(series, said.kind).into(),
                ..said.clone()
            };
            self.catalogue.learn(&said, self.clock.now());
        }
    }

    /// Whether it is time to store what has changed.
    fn is_due(&self, closing: Closing) -> bool {
        let now = self.clock.now();
        let last = UnixMillis::new(self.last_stored.load(Ordering::Relaxed));
        let is_due = closing == Closing::Yes || now < last || now.since(last) >= STORE_EVERY;
        if is_due {
            self.last_stored.store(now.get(), Ordering::Relaxed);
        }
        is_due
    }
}

fn metadata<'f>(family: &'f Family<'_>, name: Cow<'f, str>) -> Metadata<'f> {
    Metadata {
        family: name,
        kind: family.kind.into(),
        help: family.help.as_ref().into(),
        unit: family.unit.as_ref().into(),
    }
}

impl Intake {
    /// What is known of families, for the way out.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.families.catalogue)
    }

    /// Stores what is known of families if it has changed, once a minute at most, or in any case when `closing`.
    pub(super) async fn keep_families(&self, closing: Closing) {
        let families = &self.0.families;
        if !families.is_due(closing) {
            return;
        }
        let (queue, catalogue) = (self.0.queue.clone(), self.catalogue());
        let stored = tokio::task::spawn_blocking(move || store(&queue, &catalogue)).await;
        match stored {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = whole_story(&error);
                warn!(
                    error,
                    "could not store what is known of families; it is tried again"
                );
            }
            Err(error) => error!(%error, "storing what is known of families ended early"),
        }
    }
}

fn store(queue: &Queue, catalogue: &Catalogue) -> Result<(), QueueError> {
    let Some(copied) = catalogue.unstored() else {
        return Ok(());
    };
    let storage = queue.storage();
    storage
        .replace(CATALOGUE, &copied.bytes)
        .map_err(|error| QueueError::io("store", storage.place(CATALOGUE), error))?;
    catalogue.stored(&copied);
    Ok(())
}

/// The names that the families of a push have after normalisation; more than one where rules part a family.
#[derive(Debug, Default)]
pub(super) struct Names {
    noted: Vec<(usize, String)>,
}

impl Names {
    /// Notes what has become of a sample's name.
    pub(super) fn note(&mut self, exposition: &Exposition<'_>, sample: &Sample<'_>, labels: &LabelSet<'_>) {
        let Some(family) = exposition.families.get(sample.family) else {
            return;
        };
        let (before, after) = (sample.labels.get(METRIC_NAME), labels.get(METRIC_NAME));
        let name = name_after(
            &family.name,
            before.unwrap_or_default(),
            after.unwrap_or_default(),
        );
        // the samples of a family mostly stand together
        if self
            .noted
            .last()
            .is_none_or(|(place, last)| *place != sample.family || last != name)
        {
            self.noted.push((sample.family, name.to_owned()));
        }
    }
}

/// What a family is called of which a sample was called `before` and is called `after` now.
fn name_after<'n>(family: &'n str, before: &str, after: &'n str) -> &'n str {
    if before == after {
        return family;
    }
    let suffix = before.strip_prefix(family).unwrap_or_default();
    after
        .strip_suffix(suffix)
        .filter(|name| !name.is_empty())
        .unwrap_or(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use crate::model::{LabelDraft, ManualClock};
    use crate::queue::{FileStorage, QueueConfig};

    fn said<'s>(family: &'s str, kind: MetricType) -> Metadata<'s> {
        Metadata {
            family: family.into(),
            kind,
            help: "What it means.".into(),
            unit: "".into(),
        }
    }

    /// PRW S2-10: both versions are heard, that of a series under the name that it has after normalisation.
    #[tokio::test]
    async fn what_requests_say_of_families_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(FileStorage::open(folder.path()).unwrap());
        let (queue, _) = Queue::open(storage, QueueConfig::default()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let families = Families::open(&queue, Arc::clone(&clock)).unwrap();
        let labels = LabelDraft::from_iter([(METRIC_NAME, "renamed_bucket")]).into_set();

        families.received(&[said("a", MetricType::Counter)]);
        families.received_with(&labels, Some(&said("before_bucket", MetricType::Histogram)));
        families.received_with(&labels, None);
        store(&queue, &families.catalogue).unwrap();

        let again = Families::open(&queue, clock).unwrap();
        let known = again.catalogue.recent(UnixMillis::new(0));
        let names: Vec<&str> = known.iter().map(|known| known.family.as_ref()).collect();
        assert_eq!(names, ["a", "renamed"]);
        queue.close().await;
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Arc::new(FileStorage::open(folder.path()).unwrap());
        let (queue, _) = Queue::open(storage, QueueConfig::default()).unwrap();
        queue.storage().replace(CATALOGUE, b"FBMC\x01 and more").unwrap();

        let families = Families::open(&queue, Arc::new(ManualClock::default())).unwrap();

        assert_eq!(families.summary().families, 0);
        queue.close().await;
    }

    #[track_caller]
    fn check((family, before, after): (&str, &str, &str), expected: &str) {
        assert_eq!(name_after(family, before, after), expected);
    }

    #[test]
    fn a_family_is_called_as_rules_call_its_samples() {
        check(("a", "a", "a"), "a");
        check(("a", "a_bucket", "a_bucket"), "a");
        check(("a", "a_bucket", "b_bucket"), "b");
        check(("a", "a", "b"), "b");
        check(("a", "a_sum", "b"), "b");
        check(("a", "a_sum", "_sum"), "_sum");
    }
}
