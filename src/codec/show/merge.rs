//! The families of many layers as one list, in the order of their names.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Exhibit, LeftOut, PUSH_FAILURE_TIME};
use crate::codec::DecodeError;
use crate::codec::layer::{LayerFamily, Metric};
use crate::model::{GroupKey, MetricKind};

/// A counter's suffix in OpenMetrics, which its family there does not have.
pub(super) const TOTAL: &str = "_total";

/// A family of all groups.
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    /// Empty when nobody has one.
    pub(super) help: &'a str,
    pub(super) kind: MetricKind,
    /// Whether its name ends in `_total` and no other family has the name without it.
    pub(super) has_base: bool,
    portions: Vec<Portion<'a>>,
}

/// What one layer holds of a family.
#[derive(Clone, Copy)]
struct Portion<'a> {
    group: Option<&'a GroupKey>,
    family: LayerFamily<'a>,
}

/// Goes through all layers side by side.
pub(super) struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    /// The cursors that have a family, by its name; of one name the earlier layer comes first.
    next: BinaryHeap<Reverse<(&'a str, usize)>>,
    /// The families whose names the last one's name begins with: a name sorts behind all that it begins with, and
    /// between them are only names that begin so too.
    above: Vec<(&'a str, MetricKind)>,
    pub(super) left_out: LeftOut,
}

struct Cursor<'a> {
    exhibit: Exhibit<'a>,
    rest: Box<dyn Iterator<Item = Result<LayerFamily<'a>, DecodeError>> + 'a>,
    family: Option<LayerFamily<'a>>,
}

impl<'a> Merge<'a> {
    pub(super) fn of(exhibits: &[Exhibit<'a>]) -> Self {
        let mut merge = Self {
            cursors: Vec::with_capacity(exhibits.len()),
            next: BinaryHeap::with_capacity(exhibits.len()),
            above: Vec::new(),
            left_out: LeftOut::default(),
        };
        for exhibit in exhibits {
            match exhibit.layer.families() {
                Ok(families) => {
                    merge.cursors.push(Cursor {
                        exhibit: *exhibit,
                        rest: Box::new(families),
                        family: None,
                    });
                    merge.advance(merge.cursors.len() - 1);
                }
                Err(_) => merge.left_out.damaged += 1,
            }
        }
        merge
    }

    /// The next family that has anything to show.
    pub(super) fn next(&mut self) -> Option<Family<'a>> {
        loop {
            let (name, portions) = self.gather()?;
            let Some(kind) = kind_of(name, &portions) else {
                continue;
            };
            while self
                .above
                .last()
                .is_some_and(|(above, _)| !name.starts_with(above))
            {
                self.above.pop();
            }
            if self.is_part_of_another(name) {
                self.left_out.clashing += portions.iter().map(Portion::count).sum::<u64>();
                continue;
            }
            let has_base = name
                .strip_suffix(TOTAL)
                .is_some_and(|base| !base.is_empty() && self.above.iter().all(|(above, _)| *above != base));
            self.above.push((name, kind));
            let (shown, clashing): (Vec<_>, Vec<_>) = portions
                .into_iter()
                .partition(|portion| agree(portion.family.kind, kind));
            self.left_out.clashing += clashing.iter().map(Portion::count).sum::<u64>();
            let helps = shown.iter().map(|portion| portion.family.help);
            return Some(Family {
                name,
                help: helps.clone().find(|help| !help.is_empty()).unwrap_or_default(),
                kind,
                has_base,
                portions: shown,
            });
        }
    }

    /// The next name, and all that layers hold of it.
    fn gather(&mut self) -> Option<(&'a str, Vec<Portion<'a>>)> {
        let Reverse((name, first)) = self.next.pop()?;
        let mut portions = Vec::new();
        portions.extend(self.take(first));
        while let Some(Reverse((same, at))) = self.next.peek().copied()
            && same == name
        {
            self.next.pop();
            portions.extend(self.take(at));
        }
        Some((name, portions))
    }

    /// The family that a cursor stands at; the cursor goes on.
    fn take(&mut self, at: usize) -> Option<Portion<'a>> {
        let cursor = self.cursors.get_mut(at)?;
        let portion = Portion {
            group: cursor.exhibit.group,
            family: cursor.family.take()?,
        };
        self.advance(at);
        Some(portion)
    }

    fn advance(&mut self, at: usize) {
        let Some(cursor) = self.cursors.get_mut(at) else {
            return;
        };
        for family in cursor.rest.by_ref() {
            match family {
                Ok(family) if cursor.exhibit.hidden.contains(&family.name) => {}
                Ok(family) => {
                    cursor.family = Some(family);
                    self.next.push(Reverse((family.name, at)));
                    return;
                }
                Err(_) => self.left_out.damaged += 1,
            }
        }
    }

    /// Whether a summary or histogram has series of this name.
    fn is_part_of_another(&self, name: &str) -> bool {
        self.above.iter().any(|(above, kind)| {
            let suffix = name.strip_prefix(above).unwrap_or_default();
            kind.has_series(suffix)
        })
    }
}

/// The type that a family is shown with: that of the first who has anything to show.
fn kind_of(name: &str, portions: &[Portion<'_>]) -> Option<MetricKind> {
    let mut shown = portions.iter().filter(|portion| portion.is_shown());
    let first = shown.next()?.family.kind;
    // what one group pushes under this name must not hide when pushes of the others failed
    let is_ours = name == PUSH_FAILURE_TIME && shown.any(|portion| portion.family.kind == MetricKind::Gauge);
    Some(if is_ours { MetricKind::Gauge } else { first })
}

/// Whether families of these types can be one.
fn agree(one: MetricKind, other: MetricKind) -> bool {
    let is_histogram = |kind| matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram);
    one == other || (is_histogram(one) && is_histogram(other))
}

impl<'a> Portion<'a> {
    fn is_shown(&self) -> bool {
        self.family.metrics().any(|metric| metric.is_ok())
    }

    fn count(&self) -> u64 {
        self.family.metrics().filter(Result::is_ok).count() as u64
    }

    /// A metric with all its labels.
    fn complete(&self, mut metric: Metric<'a>) -> Metric<'a> {
        if let Some(group) = self.group {
            group.complete(&mut metric.labels);
        }
        metric
    }
}

impl<'a> Family<'a> {
    /// Gives each metric, with all its labels, to `show`. The number of portions that could not be read to their end.
    pub(super) fn each<E>(&self, mut show: impl FnMut(Metric<'a>) -> Result<(), E>) -> Result<u64, E> {
        let mut damaged = 0;
        for portion in &self.portions {
            for metric in portion.family.metrics() {
                match metric {
                    Ok(metric) => show(portion.complete(metric))?,
                    Err(_) => damaged += 1,
                }
            }
        }
        Ok(damaged)
    }
}
