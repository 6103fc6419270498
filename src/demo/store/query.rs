//! Questions to the store: how many series are alive, and the list that the page shows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Away, Held, Series, Store};
use crate::model::LabelSet;

/// Which series a question is about: those that have every one of these labels with this value; an empty value
/// means without the label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<(String, String)>,
}

impl Selector {
    /// Every series.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The same series, but only those whose label `name` is `value`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    fn picks(&self, labels: &LabelSet<'_>) -> bool {
        self.labels
            .iter()
            .all(|(name, value)| labels.get(name).unwrap_or_default() == value)
    }
}

/// As PromQL writes it.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.labels.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

/// How many series there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Series whose last sample is a value.
    pub alive: usize,
    /// Series whose last sample is a stale marker.
    pub ended: usize,
    /// Samples ever received by these series, stale markers not counted.
    pub received: u64,
}

/// What `GET /api/series` was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    pub(super) selector: Selector,
    pub(super) words: Vec<String>,
    pub(super) state: Option<State>,
    pub(super) limit: usize,
    pub(super) recent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Alive,
    Ended,
}

/// What `GET /api/series` answers.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    now_ms: i64,
    away: bool,
    counts: Counts,
    groups: Vec<Group>,
    series: Vec<Row>,
    left_off: usize,
}

#[derive(Debug, Serialize)]
struct Counts {
    alive: usize,
    ended: usize,
    requests: u64,
    samples: u64,
    refused: u64,
}

#[derive(Debug, Serialize)]
struct Group {
    job: String,
    instance: String,
    alive: usize,
    ended: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    labels: BTreeMap<String, String>,
    /// As text, since JSON has no NaN.
    value: Option<String>,
    at_ms: Option<i64>,
    state: State,
    ended_at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recent: Vec<String>,
}

impl Store {
    /// Counts the series that `selector` picks.
    #[must_use]
    pub fn count(&self, selector: &Selector) -> Census {
        let held = self.hold();
        let picked = held.series.iter().filter(|(labels, _)| selector.picks(labels));
        picked.fold(Census::default(), |mut census, (_, series)| {
            match series.is_alive() {
                true => census.alive += 1,
                false => census.ended += 1,
            }
            census.received += series.received();
            census
        })
    }

    /// How many samples were ever refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.hold().totals.refused
    }

    /// How many samples were ever taken, stale markers included.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.hold().totals.samples
    }

    /// The living before the ended, each sorted by name.
    pub(super) fn answer(&self, question: &Question) -> Answer {
        let now = self.clock.now();
        let held = self.hold();
        let mut groups: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        let (mut rows, mut left_off) = (Vec::new(), 0);
        let mut picked: Vec<_> = held
            .series
            .iter()
            .filter(|(labels, series)| question.picks(labels, series))
            .collect();
        picked.sort_by_key(|(_, series)| !series.is_alive());
        for (labels, series) in picked {
            let name = |label| labels.get(label).unwrap_or_default();
            let (alive, ended) = groups.entry((name("job"), name("instance"))).or_default();
            let counter = if series.is_alive() { alive } else { ended };
            *counter += 1;
            if rows.len() < question.limit {
                rows.push(Row::new(labels, series, question.recent));
            } else {
                left_off += 1;
            }
        }
        Answer {
            now_ms: now.get(),
            away: held.away == Away::Away,
            counts: held.counts(),
            groups: groups.into_iter().map(Group::new).collect(),
            series: rows,
            left_off,
        }
    }
}

impl Held {
    fn counts(&self) -> Counts {
        let alive = self.series.values().filter(|series| series.is_alive()).count();
        Counts {
            alive,
            ended: self.series.len() - alive,
            requests: self.totals.requests,
            samples: self.totals.samples,
            refused: self.totals.refused,
        }
    }
}

impl Question {
    fn picks(&self, labels: &LabelSet<'_>, series: &Series) -> bool {
        let wanted = match self.state {
            None => true,
            Some(State::Alive) => series.is_alive(),
            Some(State::Ended) => !series.is_alive(),
        };
        if !wanted || !self.selector.picks(labels) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        let shown = labels.to_string().to_lowercase();
        self.words.iter().all(|word| shown.contains(word))
    }
}

impl Group {
    fn new(((job, instance), (alive, ended)): ((&str, &str), (usize, usize))) -> Self {
        Self {
            job: job.to_owned(),
            instance: instance.to_owned(),
            alive,
            ended,
        }
    }
}

impl Row {
    fn new(labels: &LabelSet<'_>, series: &Series, recent: usize) -> Self {
        let last = series.last();
        Self {
            labels: labels
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            value: last.map(|(_, value)| value.to_string()),
            at_ms: last.map(|(at, _)| at.get()),
            state: if series.is_alive() {
                State::Alive
            } else {
                State::Ended
            },
            ended_at_ms: series.ended_at().map(|at| at.get()),
            recent: series.recent(recent).iter().map(f64::to_string).collect(),
        }
    }
}
