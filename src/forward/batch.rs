//! What one request carries: records of one lane in their order, joined, and taken apart again when refused.

mod age;

use std::collections::HashSet;

use crate::codec::DecodeError;
use crate::codec::block::{Block, BlockBuilder, OpenBlock};

use super::piece::{Load, Piece};

pub(super) use age::AgeLimit;

/// The pieces that are acknowledged together.
pub(super) struct Batch {
    pieces: Vec<Piece>,
    load: Load,
}

impl Batch {
    /// A batch of one piece.
    pub(super) fn of(piece: Piece) -> Self {
        Self {
            load: piece.load(),
            pieces: vec![piece],
        }
    }

    /// Whether `piece` has room beside what is here, if a request has at most `most`.
    pub(super) fn has_room_for(&self, piece: &Piece, most: Load) -> bool {
        self.load.plus(piece.load()).fits(most)
    }

    /// Whether anything has room beside what is here.
    pub(super) const fn has_room(&self, most: Load) -> bool {
        self.load.samples < most.samples && self.load.raw_bytes < most.raw_bytes
    }

    /// Appends a piece.
    pub(super) fn push(&mut self, piece: Piece) {
        self.load = self.load.plus(piece.load());
        self.pieces.push(piece);
    }

    /// The pieces, in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The key of the record that piece `number` was.
    pub(super) fn key(&self, number: usize) -> u64 {
        self.pieces.get(number).map_or(0, |piece| piece.handed.record.key)
    }

    /// The requests this batch makes, in order; more than one only if a record is larger than a request may be.
    pub(super) fn parcels(&self, most: Load) -> Vec<Parcel> {
        let mut parcels: Vec<Parcel> = Vec::new();
        for (piece, blocks) in self.pieces.iter().enumerate() {
            for block in &blocks.blocks {
                let slab = Slab {
                    piece,
                    block: block.clone(),
                };
                match parcels.last_mut() {
                    Some(last) if last.load().plus(Load::of(block)).fits(most) => last.slabs.push(slab),
                    _ => parcels.push(Parcel { slabs: vec![slab] }),
                }
            }
        }
        parcels
    }
}

/// A block and the piece it came from.
#[derive(Clone)]
struct Slab {
    piece: usize,
    block: Block,
}

/// The content of one request.
pub(super) struct Parcel {
    slabs: Vec<Slab>,
}

impl Parcel {
    /// How many samples it carries.
    pub(super) fn samples(&self) -> u32 {
        self.slabs.iter().map(|slab| slab.block.samples()).sum()
    }

    fn load(&self) -> Load {
        let loads = self.slabs.iter().map(|slab| Load::of(&slab.block));
        loads.fold(Load::default(), Load::plus)
    }

    /// The pieces it was taken from, by their numbers; a number may come twice.
    pub(super) fn pieces(&self) -> impl Iterator<Item = usize> {
        self.slabs.iter().map(|slab| slab.piece)
    }

    /// The one piece it was taken from; `None` when it carries several.
    pub(super) fn single_piece(&self) -> Option<usize> {
        let first = self.slabs.first()?.piece;
        self.slabs.iter().all(|slab| slab.piece == first).then_some(first)
    }

    /// What it carries, in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.slabs.iter().map(|slab| &slab.block)
    }

    /// The labels of its first series, to name it by.
    pub(super) fn first_series(&self) -> String {
        let block = self.slabs.first().map(|slab| slab.block.open());
        let Some(Ok(open)) = block else {
            return String::new();
        };
        match open.series().next() {
            Some(Ok(series)) => series.labels().map_or(String::new(), |labels| labels.to_string()),
            _ => String::new(),
        }
    }

    /// Two parcels that together are this one, in order: cut between records, then between a record's blocks, then
    /// between series. `None` when it is a single series.
    ///
    /// # Errors
    /// When a block is damaged.
    pub(super) fn halves(&self) -> Result<Option<(Self, Self)>, DecodeError> {
        if let Some(at) = self.middle() {
            let (first, second) = self.slabs.split_at_checked(at).unwrap_or((&[], &[]));
            let parcel = |slabs: &[Slab]| Self {
                slabs: slabs.to_vec(),
            };
            return Ok(Some((parcel(first), parcel(second))));
        }
        let Some(slab) = self.slabs.first().filter(|slab| slab.block.samples() > 1) else {
            return Ok(None);
        };
        let half = slab.block.samples() / 2;
        let (first, second) = cut(&slab.block.open()?, half)?;
        Ok(Some((Self::of(slab.piece, first), Self::of(slab.piece, second))))
    }

    /// Single samples from all over it, at most `count`, and what is left without them. None of them follows a sample
    /// of its own series, so that they may be sent before what is left.
    ///
    /// # Errors
    /// When a block is damaged.
    pub(super) fn probes(&self, count: u32) -> Result<(Vec<Self>, Self), DecodeError> {
        let stride = self.samples().div_ceil(count.max(1)).max(1);
        let (mut probes, mut left) = (Vec::new(), Vec::new());
        let (mut seen, mut number) = (HashSet::new(), 0_u32);
        for slab in &self.slabs {
            let mut others = BlockBuilder::default();
            for series in slab.block.open()?.series() {
                let series = series?;
                let is_first = seen.insert(series.hash(0).0);
                if is_first && number.is_multiple_of(stride) {
                    let mut alone = BlockBuilder::default();
                    alone.copy_at(&series, series.at);
                    probes.push(Self::of(slab.piece, alone.finish()));
                } else {
                    others.copy_at(&series, series.at);
                }
                number += 1;
            }
            if others.samples() > 0 {
                left.push(Slab {
                    piece: slab.piece,
                    block: others.finish(),
                });
            }
        }
        Ok((probes, Self { slabs: left }))
    }

    fn of(piece: usize, block: Block) -> Self {
        Self {
            slabs: vec![Slab { piece, block }],
        }
    }

    /// The boundary between blocks that halves the samples best, of those between records if there is one.
    fn middle(&self) -> Option<usize> {
        let whole = self.samples();
        let within_record = self.single_piece().is_some();
        let mut before = 0;
        let mut best: Option<(u32, usize)> = None;
        for (at, pair) in self.slabs.windows(2).enumerate() {
            let [left, right] = pair else { continue };
            before += left.block.samples();
            let distance = whole.abs_diff(before.saturating_mul(2));
            if (within_record || left.piece != right.piece) && best.is_none_or(|(least, _)| distance < least)
            {
                best = Some((distance, at + 1));
            }
        }
        best.map(|(_, at)| at)
    }
}

/// The first `half` series of a block, and the others.
fn cut(open: &OpenBlock, half: u32) -> Result<(Block, Block), DecodeError> {
    let (mut first, mut second) = (BlockBuilder::default(), BlockBuilder::default());
    for series in open.series() {
        let series = series?;
        let builder = if first.samples() < half {
            &mut first
        } else {
            &mut second
        };
        builder.copy_at(&series, series.at);
    }
    Ok((first.finish(), second.finish()))
}

#[cfg(test)]
mod tests;
