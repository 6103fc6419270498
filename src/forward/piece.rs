//! A record made ready for one remote.
//!
//! A record's blocks go out as they lie in the queue. Only five things open them: rules of this remote, native
//! histograms that it does not take, limits of its on series (then they are looked at, and copied all the same when
//! they keep to them), a record larger than a request may be, and a refusal whose offender has to be found.

use std::collections::HashMap;

use tokio::sync::OwnedSemaphorePermit;

use crate::codec::DecodeError;
use crate::codec::block::{Block, BlockBuilder, Content, EncodedSeries, OpenBlock};
use crate::codec::record::Record as Blocks;
use crate::model::{LabelSet, UnixMillis};
use crate::normalise::Relabelling;
use crate::queue::{Position, Record};

use super::config::Takes;
use super::profile::{Bounds, Changed, Dropped, Effects, identity};

/// A record on its way, and the room it takes in memory until it has arrived.
pub(super) struct Handed {
    /// Where it begins.
    pub(super) position: Position,
    /// Where it ends: what is acknowledged.
    pub(super) end: Position,
    /// The record.
    pub(super) record: Record,
    /// Given back when the record is acknowledged.
    #[expect(dead_code, reason = "held for what its drop gives back")]
    pub(super) room: OwnedSemaphorePermit,
}

/// How much there is, or may be, in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Samples; each is a series of the request.
    pub(super) samples: u32,
    /// Bytes before compression.
    pub(super) raw_bytes: usize,
}

impl Load {
    /// What a block holds, by its own word.
    pub(super) fn of(block: &Block) -> Self {
        Self {
            samples: block.samples(),
            raw_bytes: block.raw_len().unwrap_or_default(),
        }
    }

    /// Both together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            samples: self.samples.saturating_add(other.samples),
            raw_bytes: self.raw_bytes.saturating_add(other.raw_bytes),
        }
    }

    /// Whether this much may be where `most` may be.
    pub(super) const fn fits(self, most: Self) -> bool {
        self.samples <= most.samples && self.raw_bytes <= most.raw_bytes
    }
}

/// What a remote takes, and in which form.
#[derive(Clone, Copy)]
pub(super) struct Wishes<'a> {
    /// Its own rules.
    pub(super) rules: Option<&'a Relabelling>,
    /// What it takes besides samples.
    pub(super) takes: Takes,
    /// Most of a request.
    pub(super) most: Load,
    /// Its limits on series.
    pub(super) bounds: Option<Bounds<'a>>,
}

/// A record made ready for this remote.
pub(super) struct Piece {
    /// The record it was.
    pub(super) handed: Handed,
    /// What goes out, in order; no block is more than a request may have.
    pub(super) blocks: Vec<Block>,
    /// What does not go out, though it could be read.
    pub(super) left_out: LeftOut,
    /// What the remote's limits did to it.
    pub(super) effects: Effects,
    /// Why samples of the record cannot be read, when that is so.
    pub(super) damage: Option<DecodeError>,
}

/// Samples that a remote is not offered, by what keeps them from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Its own rules.
    pub(super) relabelled_away: u32,
    /// It takes no native histograms.
    pub(super) histograms: u32,
    /// It takes no exemplars.
    pub(super) exemplars: u32,
}

impl LeftOut {
    const fn all(self) -> u32 {
        let known = self.relabelled_away.saturating_add(self.histograms);
        known.saturating_add(self.exemplars)
    }
}

impl Piece {
    /// Makes a record ready: what the remote does not take left out, rules and limits applied, cut to requests.
    pub(super) fn prepare(handed: Handed, wishes: Wishes<'_>) -> Self {
        let mut piece = Self {
            handed,
            blocks: Vec::new(),
            left_out: LeftOut::default(),
            effects: Effects::default(),
            damage: None,
        };
        match Blocks::decode(piece.handed.record.payload.clone()) {
            Ok(record) => {
                let exemplars = match wishes.takes.exemplars {
                    true => record.exemplars,
                    false => {
                        piece.left_out.exemplars = record.exemplars.samples();
                        Block::default()
                    }
                };
                piece.take_up([record.samples, record.markers, exemplars], wishes);
            }
            Err(error) => piece.damage = Some(error),
        }
        piece
    }

    fn take_up(&mut self, blocks: [Block; 3], wishes: Wishes<'_>) {
        let bounds = wishes
            .bounds
            .filter(|bounds| wishes.rules.is_some() || blocks.iter().any(|block| exceeds(block, bounds)));
        let wishes = Wishes { bounds, ..wishes };
        let mut owners = Owners::default();
        for block in blocks.into_iter().filter(|block| !block.is_empty()) {
            let is_taken = wishes.takes.native_histograms || block.histograms() == 0;
            let as_it_is = wishes.rules.is_none() && bounds.is_none() && is_taken;
            if as_it_is && Load::of(&block).fits(wishes.most) {
                self.blocks.push(block);
                continue;
            }
            let before = (self.left_out, self.effects.clone());
            match self.reshape(&block, wishes, &mut owners) {
                Ok(blocks) => self.blocks.extend(blocks),
                Err(error) => {
                    (self.left_out, self.effects) = before;
                    self.damage = Some(error);
                }
            }
        }
    }

    /// `block` as the remote wants it, in blocks of at most so much.
    fn reshape(
        &mut self,
        block: &Block,
        wishes: Wishes<'_>,
        owners: &mut Owners,
    ) -> Result<Vec<Block>, DecodeError> {
        let open = block.open()?;
        let mut row = Row::of(wishes.most);
        for series in open.series() {
            let series = series?;
            match self.shaped(&series, wishes, owners)? {
                Shaped::AsItIs => row.append(|builder| builder.copy_at(&series, series.at)),
                Shaped::Changed(labels) => row.append(|builder| builder.copy_as(&labels, &series)),
                Shaped::LeftOut => {}
            }
        }
        Ok(row.finish())
    }

    fn shaped<'a>(
        &mut self,
        series: &EncodedSeries<'a>,
        wishes: Wishes<'a>,
        owners: &mut Owners,
    ) -> Result<Shaped<'a>, DecodeError> {
        if matches!(series.content, Content::Histogram(_)) && !wishes.takes.native_histograms {
            self.left_out.histograms += 1;
            return Ok(Shaped::LeftOut);
        }
        if wishes.rules.is_none() && wishes.bounds.is_none() {
            return Ok(Shaped::AsItIs);
        }
        let labels = match wishes.rules {
            None => series.labels()?,
            Some(rules) => match rules.apply(series.labels()?.into_draft()) {
                Some(labels) if !labels.is_empty() => labels.into_set(),
                _ => {
                    self.left_out.relabelled_away += 1;
                    return Ok(Shaped::LeftOut);
                }
            },
        };
        let Some(bounds) = wishes.bounds else {
            return Ok(Shaped::Changed(labels));
        };
        Ok(match fitted(labels.clone(), series.at, bounds, owners) {
            Ok((fitted, changes)) => {
                for change in changes {
                    self.effects.change(change, || labels.to_string());
                }
                Shaped::Changed(fitted)
            }
            Err(why) => {
                self.effects.drop(why, || labels.to_string());
                Shaped::LeftOut
            }
        })
    }

    /// How much goes out.
    pub(super) fn load(&self) -> Load {
        let loads = self.blocks.iter().map(Load::of);
        loads.fold(Load::default(), Load::plus)
    }

    /// How many samples go out.
    pub(super) fn samples(&self) -> u32 {
        self.blocks.iter().map(Block::samples).sum()
    }

    /// Samples of the record that cannot be read; the rest of its weight that neither goes out nor is left out.
    pub(super) fn unreadable(&self) -> u32 {
        let known = self.samples().saturating_add(self.left_out.all());
        let known = known.saturating_add(self.effects.dropped_samples());
        self.handed.record.weight.saturating_sub(known)
    }
}

/// What becomes of one series.
enum Shaped<'a> {
    AsItIs,
    Changed(LabelSet<'a>),
    LeftOut,
}

/// Which series of a record has which labels now, both by [`identity`]. Over all blocks of a record: the stale marker of
/// a series that was taken for another's must not end that one.
#[derive(Default)]
struct Owners(HashMap<u64, u64>);

impl Owners {
    /// Gives `labels` to the series they were made of, unless another has them.
    fn give(&mut self, labels: &LabelSet<'_>, origin: u64) -> Result<(), Dropped> {
        match *self.0.entry(identity(labels)).or_insert(origin) == origin {
            true => Ok(()),
            false => Err(Dropped::MadeEqual),
        }
    }
}

/// A series as the remote takes it, and what was done to its labels.
fn fitted<'a>(
    labels: LabelSet<'a>,
    at: UnixMillis,
    bounds: Bounds<'_>,
    owners: &mut Owners,
) -> Result<(LabelSet<'a>, Vec<Changed>), Dropped> {
    bounds.time(at)?;
    let origin = identity(&labels);
    let (labels, changes) = bounds.fit(labels)?;
    if labels.is_empty() {
        return Err(Dropped::LabelValue);
    }
    owners.give(&labels, origin)?;
    Ok((labels, changes))
}

/// Whether anything in `block` is over a limit. What is damaged is: it comes to light when it is given its form.
fn exceeds(block: &Block, bounds: &Bounds<'_>) -> bool {
    if block.is_empty() {
        return false;
    }
    let passes = |open: OpenBlock| {
        open.series()
            .all(|series| series.and_then(|series| bounds.pass(&series)).unwrap_or(false))
    };
    !block.open().map(passes).unwrap_or(false)
}

/// Blocks one after the other, none of them more than a request may have.
struct Row {
    most: Load,
    blocks: Vec<Block>,
    builder: BlockBuilder,
}

impl Row {
    fn of(most: Load) -> Self {
        Self {
            most,
            blocks: Vec::new(),
            builder: BlockBuilder::default(),
        }
    }

    /// Appends a series, in a block of its own from there on when it does not fit.
    fn append(&mut self, put: impl Fn(&mut BlockBuilder)) {
        put(&mut self.builder);
        let load = Load {
            samples: self.builder.samples(),
            raw_bytes: self.builder.raw_len(),
        };
        if load.samples > 1 && !load.fits(self.most) {
            self.builder.take_back();
            self.blocks.push(std::mem::take(&mut self.builder).finish());
            put(&mut self.builder);
        }
    }

    fn finish(mut self) -> Vec<Block> {
        if self.builder.samples() > 0 {
            self.blocks.push(self.builder.finish());
        }
        self.blocks
    }
}
