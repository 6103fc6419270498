//! What one request carries: records of one lane in their order, joined, and taken apart again when refused.
//!
//! A record's blocks go out as they lie in the queue. Only four things open them: rules of this remote, native histograms
//! that it does not take, a record of more samples than a request may have, and a refusal whose offender has to be found.

mod age;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::codec::DecodeError;
use crate::codec::block::{Block, BlockBuilder, Content, OpenBlock, join};
use crate::codec::record::Record as Blocks;
use crate::normalise::Relabelling;
use crate::queue::{Position, Record};

use super::config::Takes;

pub(super) use age::AgeLimit;

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

/// What a remote takes, and in which form.
#[derive(Clone, Copy)]
pub(super) struct Wishes<'a> {
    /// Its own rules.
    pub(super) rules: Option<&'a Relabelling>,
    /// What it takes besides samples.
    pub(super) takes: Takes,
    /// Most samples of a request.
    pub(super) max_samples: u32,
}

/// A record made ready for this remote.
pub(super) struct Piece {
    /// The record it was.
    pub(super) handed: Handed,
    /// What goes out, in order; no block has more samples than a request may have.
    blocks: Vec<Block>,
    /// What does not go out, though it could be read.
    pub(super) left_out: LeftOut,
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
    /// Makes a record ready: what the remote does not take left out, rules applied, cut to requests.
    pub(super) fn prepare(handed: Handed, wishes: Wishes<'_>) -> Self {
        let mut piece = Self {
            handed,
            blocks: Vec::new(),
            left_out: LeftOut::default(),
            damage: None,
        };
        match Blocks::decode(piece.handed.record.payload.clone()) {
            Ok(record) => {
                for block in [record.samples, record.markers] {
                    piece.take_up(block, wishes);
                }
                if wishes.takes.exemplars {
                    piece.take_up(record.exemplars, wishes);
                } else {
                    piece.left_out.exemplars = record.exemplars.samples();
                }
            }
            Err(error) => piece.damage = Some(error),
        }
        piece
    }

    fn take_up(&mut self, block: Block, wishes: Wishes<'_>) {
        if block.is_empty() {
            return;
        }
        let is_taken = wishes.takes.native_histograms || block.histograms() == 0;
        if wishes.rules.is_none() && is_taken && block.samples() <= wishes.max_samples {
            self.blocks.push(block);
            return;
        }
        let before = self.left_out;
        match self.reshape(&block, wishes) {
            Ok(blocks) => self.blocks.extend(blocks),
            Err(error) => {
                self.left_out = before;
                self.damage = Some(error);
            }
        }
    }

    /// `block` as the remote wants it, in blocks of at most so many samples.
    fn reshape(&mut self, block: &Block, wishes: Wishes<'_>) -> Result<Vec<Block>, DecodeError> {
        let open = block.open()?;
        let mut blocks = Vec::new();
        let mut builder = BlockBuilder::default();
        for series in open.series() {
            let series = series?;
            let is_histogram = matches!(series.content, Content::Histogram(_));
            if is_histogram && !wishes.takes.native_histograms {
                self.left_out.histograms += 1;
                continue;
            }
            match wishes.rules {
                None => builder.copy_at(&series, series.at),
                Some(rules) => match rules.apply(series.labels()?.into_draft()) {
                    Some(labels) if !labels.is_empty() => {
                        builder.copy_as(&labels.into_set(), &series);
                    }
                    _ => self.left_out.relabelled_away += 1,
                },
            }
            if builder.samples() == wishes.max_samples {
                blocks.push(std::mem::take(&mut builder).finish());
            }
        }
        if builder.samples() > 0 {
            blocks.push(builder.finish());
        }
        Ok(blocks)
    }

    /// How many samples go out.
    pub(super) fn samples(&self) -> u32 {
        self.blocks.iter().map(Block::samples).sum()
    }

    /// Samples of the record that cannot be read; the rest of its weight that neither goes out nor is left out.
    pub(super) fn unreadable(&self) -> u32 {
        let known = self.samples().saturating_add(self.left_out.all());
        self.handed.record.weight.saturating_sub(known)
    }
}

/// The pieces that are acknowledged together.
pub(super) struct Batch {
    pieces: Vec<Piece>,
    samples: u32,
}

impl Batch {
    /// A batch of one piece.
    pub(super) fn of(piece: Piece) -> Self {
        Self {
            samples: piece.samples(),
            pieces: vec![piece],
        }
    }

    /// Whether `piece` has room beside what is here, if a request has at most `max_samples`.
    pub(super) fn has_room_for(&self, piece: &Piece, max_samples: u32) -> bool {
        self.samples.saturating_add(piece.samples()) <= max_samples
    }

    /// Appends a piece.
    pub(super) fn push(&mut self, piece: Piece) {
        self.samples = self.samples.saturating_add(piece.samples());
        self.pieces.push(piece);
    }

    /// How many samples go out.
    pub(super) const fn samples(&self) -> u32 {
        self.samples
    }

    /// The pieces, in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The requests this batch makes, in order; more than one only if a record is larger than a request may be.
    pub(super) fn parcels(&self, max_samples: u32) -> Vec<Parcel> {
        let mut parcels: Vec<Parcel> = Vec::new();
        for (piece, blocks) in self.pieces.iter().enumerate() {
            for block in &blocks.blocks {
                let slab = Slab {
                    piece,
                    block: block.clone(),
                };
                match parcels.last_mut() {
                    Some(last) if last.samples().saturating_add(block.samples()) <= max_samples => {
                        last.slabs.push(slab);
                    }
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

    /// The one piece it was taken from; `None` when it carries several.
    pub(super) fn single_piece(&self) -> Option<usize> {
        let first = self.slabs.first()?.piece;
        self.slabs.iter().all(|slab| slab.piece == first).then_some(first)
    }

    /// The body of the request.
    ///
    /// # Errors
    /// When a block is damaged; then none of it can be sent.
    pub(super) fn body(&self) -> Result<Bytes, DecodeError> {
        match self.slabs.as_slice() {
            [only] => Ok(only.block.bytes().clone()),
            slabs => join(slabs.iter().map(|slab| &slab.block)).map(Bytes::from),
        }
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
        let parcel = |block| Self {
            slabs: vec![Slab {
                piece: slab.piece,
                block,
            }],
        };
        Ok(Some((parcel(first), parcel(second))))
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
