//! What is known of families: their types, what they mean, their units. By name; apart from any sample.
//!
//! Fed by what is pushed and received, under the names that leave normalisation; asked by the way out. Nothing depends on
//! it but what stores show beside a metric, so it is bounded without ado: of too many families those go that were
//! mentioned longest ago. It is stored now and then, not with each push: what a crash takes from it, the next push
//! brings back.

mod stored;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;

use crate::model::{Metadata, MetricType, UnixMillis};

pub use stored::{CatalogueError, Copied};

/// Most families; ten times those of a Flink cluster with every connector that there is.
const MAX_FAMILIES: usize = 20_000;
/// Most bytes of names and texts.
const MAX_BYTES: usize = 8 << 20;
/// Longest help that is kept whole; stores take 1,024 bytes of it, or less.
const MAX_HELP_BYTES: usize = 4 << 10;
/// Longest name or unit of a family that is noted at all.
const MAX_NAME_BYTES: usize = 1 << 10;
/// A bound was passed: so many of the families stay.
const KEPT_EIGHTHS: usize = 7;
/// How long the same push has nothing new to say.
const STALE_AFTER: Duration = Duration::from_secs(60);
/// Most pushes that are known to have nothing new to say.
const MAX_HEARD: usize = 16_384;

/// Suffixes of the series of a family, by its types.
const PARTS: [(&str, &[MetricType]); 8] = [
    ("_bucket", &[MetricType::Histogram, MetricType::GaugeHistogram]),
    (
        "_count",
        &[
            MetricType::Histogram,
            MetricType::Summary,
            MetricType::GaugeHistogram,
        ],
    ),
    (
        "_sum",
        &[
            MetricType::Histogram,
            MetricType::Summary,
            MetricType::GaugeHistogram,
        ],
    ),
    ("_gcount", &[MetricType::GaugeHistogram]),
    ("_gsum", &[MetricType::GaugeHistogram]),
    ("_total", &[MetricType::Counter]),
    (
        "_created",
        &[MetricType::Counter, MetricType::Histogram, MetricType::Summary],
    ),
    ("_info", &[MetricType::Info]),
];

/// Of which family of this type a series of this name is, when it is known to be of no other.
#[must_use]
pub fn family_of(series: &str, kind: MetricType) -> &str {
    // a counter is called by its series' name in the text format, and by that without `_total` in OpenMetrics
    let is_by_itself = matches!(kind, MetricType::Counter | MetricType::Info);
    let mut parts = PARTS
        .iter()
        .filter(|(_, kinds)| !is_by_itself && kinds.contains(&kind));
    parts
        .find_map(|(suffix, _)| series.strip_suffix(suffix))
        .filter(|family| !family.is_empty())
        .unwrap_or(series)
}

/// All families that are known. Shared by the way in and the way out.
#[derive(Debug, Default)]
pub struct Catalogue(Mutex<State>);

/// How much is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Families.
    pub families: usize,
    /// Families that went because there were too many.
    pub forgotten: u64,
}

#[derive(Debug, Default)]
struct State {
    families: HashMap<Arc<str>, Known, foldhash::fast::RandomState>,
    bytes: usize,
    forgotten: u64,
    heard: HashSet<u64, foldhash::fast::RandomState>,
    heard_since: UnixMillis,
    /// How often something has changed, and how often it had when it was stored.
    changes: u64,
    stored: u64,
}

#[derive(Clone, Debug)]
struct Known {
    said: Arc<Metadata<'static>>,
    seen: UnixMillis,
}

impl Catalogue {
    /// Whether a push that is known by `key` may have something to say: the same key is asked once a minute.
    #[must_use]
    pub fn listens_to(&self, key: u64, at: UnixMillis) -> bool {
        let mut state = self.state();
        let is_old = at < state.heard_since || at.since(state.heard_since) >= STALE_AFTER;
        if is_old || state.heard.len() >= MAX_HEARD {
            state.heard.clear();
            state.heard_since = at;
        }
        state.heard.insert(key)
    }

    /// Takes note of what is said of a family; the last word counts. What is not said leaves what is known: senders of
    /// remote-write know a type and no help, or neither, where others know both. A name of more than 1 KiB is not noted;
    /// of a help of more than 4 KiB the beginning is.
    pub fn learn(&self, said: &Metadata<'_>, at: UnixMillis) {
        let says_nothing = said.kind == MetricType::Unknown && said.help.is_empty() && said.unit.is_empty();
        let is_long = said.family.len() > MAX_NAME_BYTES || said.unit.len() > MAX_NAME_BYTES;
        if says_nothing || is_long || said.family.is_empty() {
            return;
        }
        let help = said.help.get(..said.help.floor_char_boundary(MAX_HELP_BYTES));
        let help = help.unwrap_or(&said.help);
        let mut state = self.state();
        let mut news = Metadata {
            family: said.family.as_ref().into(),
            kind: said.kind,
            help: help.into(),
            unit: said.unit.as_ref().into(),
        };
        if let Some(known) = state.families.get_mut(said.family.as_ref()) {
            known.seen = known.seen.max(at);
            let before = Arc::clone(&known.said);
            if says_no_more(&news, &before) {
                return;
            }
            news = completed(news, &before);
        }
        state.put(owned(&news), at);
        state.changes += 1;
    }

    /// What is known of the family that a series of this name is of.
    #[must_use]
    pub fn describe(&self, series: &str) -> Option<Arc<Metadata<'static>>> {
        let state = self.state();
        let itself = state.families.get(series).map(|known| &known.said);
        if let Some(said) = itself.filter(|said| said.kind != MetricType::Unknown) {
            return Some(Arc::clone(said));
        }
        let mut families = PARTS.iter().filter_map(|(suffix, kinds)| {
            let known = state.families.get(series.strip_suffix(suffix)?)?;
            kinds.contains(&known.said.kind).then_some(&known.said)
        });
        families.next().or(itself).map(Arc::clone)
    }

    /// The families that were mentioned at `since` or later, by name.
    #[must_use]
    pub fn recent(&self, since: UnixMillis) -> Vec<Arc<Metadata<'static>>> {
        let mut recent: Vec<_> = {
            let state = self.state();
            let known = state.families.values().filter(|known| known.seen >= since);
            known.map(|known| Arc::clone(&known.said)).collect()
        };
        recent.sort_unstable_by(|a, b| a.family.cmp(&b.family));
        recent
    }

    /// How much is known.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let state = self.state();
        Summary {
            families: state.families.len(),
            forgotten: state.forgotten,
        }
    }

    /// The lock. A panic while it was held cannot have left more than a wrong count.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, said: Metadata<'static>, seen: UnixMillis) {
        self.bytes += weight(&said);
        let name: Arc<str> = said.family.as_ref().into();
        let said = Arc::new(said);
        if let Some(before) = self.families.insert(name, Known { said, seen }) {
            self.bytes -= weight(&before.said);
        }
        if self.families.len() > MAX_FAMILIES || self.bytes > MAX_BYTES {
            self.forget_the_oldest();
        }
    }

    /// Lets an eighth go at once, so that a catalogue that is full is not searched for each newcomer.
    fn forget_the_oldest(&mut self) {
        let mut times: Vec<UnixMillis> = self.families.values().map(|known| known.seen).collect();
        times.sort_unstable();
        let gone = (times.len() * (8 - KEPT_EIGHTHS) / 8).max(1);
        let Some(last) = times.get(gone - 1).copied() else {
            return;
        };
        let mut left = gone;
        let bytes = &mut self.bytes;
        self.families.retain(|_, known| {
            let goes = left > 0 && known.seen <= last;
            if goes {
                left -= 1;
                *bytes -= weight(&known.said);
            }
            !goes
        });
        self.forgotten += gone as u64;
        self.changes += 1;
    }
}

/// Whether all that is said is known.
fn says_no_more(news: &Metadata<'_>, known: &Metadata<'_>) -> bool {
    (news.kind == MetricType::Unknown || news.kind == known.kind)
        && (news.help.is_empty() || news.help == known.help)
        && (news.unit.is_empty() || news.unit == known.unit)
}

/// What is said, and of what is not said what is known.
fn completed<'m>(news: Metadata<'m>, known: &Metadata<'_>) -> Metadata<'m> {
    let or = |news: Cow<'m, str>, known: &str| match news.is_empty() {
        true => known.to_owned().into(),
        false => news,
    };
    Metadata {
        kind: match news.kind {
            MetricType::Unknown => known.kind,
            kind => kind,
        },
        help: or(news.help, &known.help),
        unit: or(news.unit, &known.unit),
        family: news.family,
    }
}

fn owned(said: &Metadata<'_>) -> Metadata<'static> {
    Metadata {
        family: said.family.clone().into_owned().into(),
        kind: said.kind,
        help: said.help.clone().into_owned().into(),
        unit: said.unit.clone().into_owned().into(),
    }
}

/// What a family takes of the bound on bytes.
fn weight(said: &Metadata<'_>) -> usize {
    2 * said.family.len() + said.help.len() + said.unit.len()
}
