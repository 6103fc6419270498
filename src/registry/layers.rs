//! What a source has pushed, as it pushed it: layers come with a push, and go family by family.

use std::sync::Arc;

use hashbrown::HashSet;

use super::change::Push;
use super::event::{AsPushed, Mode};
use super::plan::Replaced;
use super::sources::Source;
use super::{Group, SeriesSet};
use crate::codec::DecodeError;
use crate::codec::block::OpenBlock;
use crate::codec::layer::{Layer, Values};
use crate::codec::shape::Shape;
use crate::model::{UnixMillis, stale_marker};

/// Most layers of a source. Each POST of other families makes one more, and every POST looks at all of them; beyond it
/// the two oldest become one, and with that show one time.
const MAX_LAYERS: usize = 64;

impl Push {
    /// Each sample's number, with its place in the block if it is there.
    pub(super) fn places(&self) -> impl Iterator<Item = (u32, Option<usize>)> {
        let mut skipped = self.skipped.iter().peekable();
        let mut next_place = 0;
        (0..).take(self.values.numbers.len()).map(move |number| {
            if skipped.next_if_eq(&&number).is_some() {
                return (number, None);
            }
            next_place += 1;
            (number, Some(next_place - 1))
        })
    }

    /// Marks samples, given by their places in the block, as shown by another process of the group.
    pub(super) fn hide(&mut self, hidden: &[usize]) {
        if hidden.is_empty() {
            return;
        }
        let is_hidden =
            |place: Option<usize>| place.is_some_and(|place| hidden.binary_search(&place).is_ok());
        let marks: Vec<bool> = self.places().map(|(_, place)| is_hidden(place)).collect();
        for (value, is_hidden) in self.values.numbers.iter_mut().zip(marks) {
            if is_hidden {
                *value = stale_marker();
            }
        }
    }

    /// The samples that are not in the record, by number and with the bits of their values: those that never were in
    /// the block, and those left out of it.
    fn unsent(&self, left_out: &[usize]) -> Vec<(u32, u64)> {
        if self.skipped.is_empty() && left_out.is_empty() {
            return Vec::new();
        }
        let is_sent =
            |place: Option<usize>| place.is_some_and(|place| left_out.binary_search(&place).is_err());
        let samples = self.places().zip(&self.values.numbers);
        samples
            .filter(|((_, place), _)| !is_sent(*place))
            .map(|((number, _), value)| (number, value.to_bits()))
            .collect()
    }
}

impl AsPushed {
    /// What the record has to tell of the push besides its samples, some of which are left out.
    pub(super) fn of(push: &Push, left_out: &[usize], group: Option<&Group>) -> Self {
        let key = push.shape.key();
        let source = group.and_then(|group| group.source(&push.process));
        let is_known = source.is_some_and(|source| source.has_shape(key));
        let extras = push.values.extras.iter();
        Self {
            key,
            shape: (!is_known).then(|| push.shape.bytes().to_vec()),
            unsent: push.unsent(left_out),
            extras: extras.map(|(of, bytes)| (*of, bytes.to_vec())).collect(),
        }
    }

    /// The shape: the one told, or the one that the source has.
    pub(super) fn shape(&self, source: Option<&Source>) -> Result<Arc<Shape>, DecodeError> {
        match &self.shape {
            Some(bytes) => Shape::from_parts(self.key, bytes.clone().into()).map(Arc::new),
            None => source
                .and_then(|source| source.shape(self.key))
                .ok_or(DecodeError::Invalid {
                    what: "event",
                    problem: "refers to a shape that is not known",
                }),
        }
    }

    /// The values: those of the record's first samples, and between them those that are not in it.
    pub(super) fn values(&self, shape: &Shape, samples: &OpenBlock) -> Result<Values, DecodeError> {
        let mut sent = samples.series();
        let mut unsent = self.unsent.iter().peekable();
        let mut next = |number: u32| match unsent.next_if(|(of, _)| *of == number) {
            Some((_, bits)) => Ok(f64::from_bits(*bits)),
            None => sent.next().map_or(
                Err(DecodeError::Invalid {
                    what: "record",
                    problem: "has fewer samples than were pushed",
                }),
                |series| series.and_then(|series| series.content.number()),
            ),
        };
        let numbers = (0..shape.values()?).map(&mut next).collect::<Result<_, _>>()?;
        let extras = self.extras.iter().map(|(of, bytes)| (*of, bytes.clone().into()));
        Ok(Values {
            numbers,
            extras: extras.collect(),
        })
    }
}

impl Source {
    /// How many of its series go with a POST, those that the push carries among them.
    pub(super) fn replaced_by(&self, push: &Push) -> Result<usize, DecodeError> {
        let carried: SeriesSet = push.series.iter().copied().collect();
        let replaced = Replaced::by(&push.shape, push.mode, &self.layers)?;
        let mut count = 0;
        for (series, hash) in self.block.open()?.series().zip(&self.series) {
            if carried.contains(hash) || replaced.takes(&series?)? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// The layers after a push.
    pub(super) fn layers_with(&self, layer: Arc<Layer>, mode: Mode) -> Result<Vec<Arc<Layer>>, DecodeError> {
        let mut layers = match mode {
            Mode::Replace => Vec::new(),
            Mode::Merge => self.layers_beside(layer.shape())?,
        };
        // what an empty body pushes shows nothing
        if !layer.shape().is_empty()? {
            layers.push(layer);
        }
        if layers.len() > MAX_LAYERS {
            let oldest: Vec<_> = layers.drain(..2).collect();
            if let [first, second] = oldest.as_slice() {
                layers.insert(0, Arc::new(first.join(second)?));
            }
        }
        Ok(layers)
    }

    /// What stays of the layers when families come in another shape.
    fn layers_beside(&self, shape: &Shape) -> Result<Vec<Arc<Layer>>, DecodeError> {
        let names = names(shape)?;
        let mut layers = Vec::with_capacity(self.layers.len() + 1);
        for layer in &self.layers {
            if layer.shape().key() == shape.key() {
                continue;
            }
            if self::names(layer.shape())?.is_disjoint(&names) {
                layers.push(Arc::clone(layer));
            } else {
                layers.extend(layer.without(|name| names.contains(name))?.map(Arc::new));
            }
        }
        Ok(layers)
    }
}

/// The names of a shape's families.
pub(super) fn names(shape: &Shape) -> Result<HashSet<&str, foldhash::fast::RandomState>, DecodeError> {
    shape
        .families()?
        .map(|family| family.map(|family| family.name))
        .collect()
}

/// A push of `shape` at `at`.
pub(super) fn layer(shape: Arc<Shape>, values: Values, at: UnixMillis) -> Arc<Layer> {
    Arc::new(Layer::new(shape, values, at))
}
