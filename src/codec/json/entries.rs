//! What a group's object has for keys, in their order: its families, merged from all layers, and what is the gateway's.

use std::io::Write;
use std::iter::Peekable;

use super::metric::put_metric;
use super::write::{put_string, rfc3339};
use super::{Group, WriteError};
use crate::codec::DecodeError;
use crate::codec::layer::{Content, LayerFamily, Metric};
use crate::codec::show::{PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP, PUSH_TIME, PUSH_TIME_HELP};
use crate::model::{GroupKey, METRIC_NAME, MetricKind, Selector, UnixMillis};

/// What every group has, sorted by name.
const OWN: [(&str, Own); 4] = [
    ("labels", Own::Labels),
    ("last_push_successful", Own::LastPushSuccessful),
    (PUSH_FAILURE_TIME, Own::PushFailureTime),
    (PUSH_TIME, Own::PushTime),
];

#[derive(Clone, Copy, Debug)]
enum Own {
    Labels,
    LastPushSuccessful,
    PushFailureTime,
    PushTime,
}

/// A key of a group's object.
pub(super) enum Entry<'a> {
    Labels,
    LastPushSuccessful,
    Family(Shown<'a>),
}

/// A family as it is shown.
pub(super) struct Shown<'a> {
    name: &'a str,
    help: &'a str,
    kind: MetricKind,
    at: UnixMillis,
    metrics: Metrics<'a>,
}

enum Metrics<'a> {
    /// The one of a push time.
    Own(f64),
    /// Those of every layer that has the family.
    Pushed(Vec<LayerFamily<'a>>),
}

type Families<'a> = Box<dyn Iterator<Item = Result<LayerFamily<'a>, DecodeError>> + 'a>;

/// Goes over the keys of a group's object.
pub(super) struct Entries<'a> {
    group: Group<'a>,
    own: &'static [(&'static str, Own)],
    layers: Vec<Peekable<Families<'a>>>,
}

impl<'a> Entries<'a> {
    pub(super) fn of(group: Group<'a>) -> Result<Self, DecodeError> {
        let families = group.layers.iter().map(|layer| {
            let families: Families<'a> = Box::new(layer.families()?);
            Ok(families.peekable())
        });
        Ok(Self {
            own: &OWN,
            layers: families.collect::<Result<_, DecodeError>>()?,
            group,
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Entry<'a>>, DecodeError> {
        loop {
            let own = self.own.first().map(|(name, _)| *name);
            let Some(name) = self.next_name()?.into_iter().chain(own).min() else {
                return Ok(None);
            };
            let pushed = self.take(name)?;
            let entry = match self.own.split_first() {
                Some(((own_name, own), rest)) if *own_name == name => {
                    self.own = rest;
                    Some(self.own_or_pushed(*own, pushed))
                }
                _ => Shown::of(pushed).map(Entry::Family),
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
    }

    /// The first name that any layer has next.
    fn next_name(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let mut first: Option<&'a str> = None;
        for layer in &mut self.layers {
            match layer.peek() {
                Some(Ok(family)) => first = Some(first.map_or(family.name, |name| name.min(family.name))),
                Some(Err(error)) => return Err(error.clone()),
                None => {}
            }
        }
        Ok(first)
    }

    /// The families of this name, which all layers that have it have next.
    fn take(&mut self, name: &str) -> Result<Vec<LayerFamily<'a>>, DecodeError> {
        let is_named = |family: &Result<LayerFamily<'a>, DecodeError>| {
            family.as_ref().is_ok_and(|family| family.name == name)
        };
        self.layers
            .iter_mut()
            .filter_map(|layer| layer.next_if(is_named))
            .collect()
    }

    /// What is shown where the gateway has something of its own and somebody may have pushed the same name.
    fn own_or_pushed(&self, own: Own, mut pushed: Vec<LayerFamily<'a>>) -> Entry<'a> {
        let group = &self.group;
        match own {
            Own::PushTime => Entry::Family(Shown::push_time(
                (PUSH_TIME, PUSH_TIME_HELP),
                group.last_push,
                group.first_seen,
            )),
            Own::PushFailureTime => {
                pushed.retain(|family| group.shows_failure_time_pushed_at(family.at));
                let own = || {
                    let (failed, seen) = (group.last_failure, group.first_seen);
                    Shown::push_time((PUSH_FAILURE_TIME, PUSH_FAILURE_TIME_HELP), failed, seen)
                };
                Entry::Family(Shown::of(pushed).unwrap_or_else(own))
            }
            Own::Labels => Shown::of(pushed).map_or(Entry::Labels, Entry::Family),
            Own::LastPushSuccessful => Shown::of(pushed).map_or(Entry::LastPushSuccessful, Entry::Family),
        }
    }
}

impl<'a> Group<'a> {
    /// The first push makes the group's own; after it a pushed one is shown, until a push fails (Pushgateway B22).
    fn shows_failure_time_pushed_at(&self, at: UnixMillis) -> bool {
        at > self.first_seen && self.last_failure.is_none_or(|failed| at > failed)
    }

    /// The pushed family that is shown instead of the group's own.
    pub(super) fn pushed_failure_time(&self) -> Result<Option<LayerFamily<'a>>, DecodeError> {
        for layer in self.layers {
            if !self.shows_failure_time_pushed_at(layer.at()) {
                continue;
            }
            for family in layer.families()? {
                let family = family?;
                if family.name == PUSH_FAILURE_TIME {
                    return Ok(Some(family));
                }
            }
        }
        Ok(None)
    }
}

impl<'a> Shown<'a> {
    fn push_time((name, help): (&'a str, &'a str), at: Option<UnixMillis>, seen: UnixMillis) -> Self {
        Self {
            name,
            help,
            kind: MetricKind::Gauge,
            at: at.unwrap_or(seen),
            metrics: Metrics::Own(at.map_or(0.0, UnixMillis::as_seconds)),
        }
    }

    /// Families of one name as one; the latest says what it is.
    fn of(families: Vec<LayerFamily<'a>>) -> Option<Self> {
        let latest = families.iter().max_by_key(|family| family.at).copied()?;
        let is_shown = |family: &LayerFamily<'_>| family.is_bare() || family.metrics().next().is_some();
        families.iter().any(is_shown).then_some(Self {
            name: latest.name,
            help: latest.help,
            kind: latest.kind,
            at: latest.at,
            metrics: Metrics::Pushed(families),
        })
    }

    /// Whether one of its metrics is selected by one of `selectors`.
    pub(super) fn is_selected(&self, group: &GroupKey, selectors: &[Selector]) -> Result<bool, DecodeError> {
        for metric in self.metrics() {
            if is_selected((self.name, &metric?), group, selectors) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the key and its value, with the metrics that one of `selectors` selects.
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        group: &GroupKey,
        selectors: &[Selector],
    ) -> Result<(), WriteError> {
        put_string(out, self.name)?;
        write!(
            out,
            ":{{\"time_stamp\":\"{}\",\"type\":\"{}\"",
            rfc3339(self.at),
            word(self.kind)
        )?;
        if !self.help.is_empty() {
            out.write_all(b",\"help\":")?;
            put_string(out, self.help)?;
        }
        out.write_all(b",\"metrics\":[")?;
        let mut comma = "";
        for metric in self.metrics() {
            let metric = metric?;
            if selectors.is_empty() || is_selected((self.name, &metric), group, selectors) {
                out.write_all(comma.as_bytes())?;
                comma = ",";
                put_metric(out, (&metric, self.kind), group)?;
            }
        }
        out.write_all(b"]}")?;
        Ok(())
    }

    fn metrics(&self) -> impl Iterator<Item = Result<Metric<'a>, DecodeError>> {
        let (own, pushed) = match &self.metrics {
            Metrics::Own(value) => (Some(*value), &[][..]),
            Metrics::Pushed(families) => (None, families.as_slice()),
        };
        let own = own.map(|value| {
            Ok(Metric {
                labels: Vec::new(),
                content: Content::Simple {
                    value,
                    exemplar: None,
                    created: None,
                },
            })
        });
        own.into_iter()
            .chain(pushed.iter().flat_map(LayerFamily::metrics))
    }
}

fn is_selected((name, metric): (&str, &Metric<'_>), group: &GroupKey, selectors: &[Selector]) -> bool {
    let labels = metric.labels_in(group);
    let value_of = |asked: &str| {
        if asked == METRIC_NAME {
            return name;
        }
        let label = labels.iter().find(|(name, _)| *name == asked);
        label.map_or("", |(_, value)| *value)
    };
    selectors.iter().any(|selector| selector.selects(value_of))
}

const fn word(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Untyped => "UNTYPED",
        MetricKind::Counter => "COUNTER",
        MetricKind::Gauge => "GAUGE",
        MetricKind::Histogram => "HISTOGRAM",
        MetricKind::GaugeHistogram => "GAUGE_HISTOGRAM",
        MetricKind::Summary => "SUMMARY",
    }
}
