//! A parcel as it goes out: its blocks as they lie in the queue for 1.0, taken apart and put together anew for 2.0.

use bytes::Bytes;

use crate::catalogue::Catalogue;
use crate::codec::DecodeError;
use crate::codec::block::{Block, OpenBlock, join};
use crate::codec::remote_write::{Counts, Encoder, Message};

use super::batch::Parcel;
use super::books::Outcome;

/// Why a custom-bucket histogram is not sent by 1.0, as Prometheus calls it.
const NO_CUSTOM_BUCKETS: &str = "nhcb_in_rw1_not_supported";
/// Why an exemplar is not sent by 2.0: no sample of its series travels with it (PRW S2-09).
const LONE_EXEMPLAR: &str = "lone_exemplar";

/// One request, ready to be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter {
    /// What it is written in.
    pub(super) message: Message,
    /// The body of the request.
    pub(super) body: Bytes,
    /// How many samples it carries.
    carried: u32,
    /// What it carries, where that is known: with 2.0.
    counts: Counts,
    /// Samples of the parcel that it has no words for, and why.
    left_out: (&'static str, u32),
}

impl Letter {
    /// One of version 1.0 that carries no samples.
    pub(super) fn plain(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// Whether there is nothing to send.
    pub(super) const fn is_empty(&self) -> bool {
        self.carried == 0
    }

    /// Notes that it was taken, and returns how many of its samples nevertheless were not, as far as the remote tells.
    pub(super) fn settle(&self, written: Option<Counts>, outcome: &mut Outcome) -> u32 {
        let (why, left_out) = self.left_out;
        outcome.drop(why, left_out);
        let sent = written.map_or(self.carried, |written| self.written(written));
        outcome.sent += u64::from(sent);
        self.carried - sent
    }

    /// How many of its samples are among what the remote says it has written (PRW S2-20).
    fn written(&self, written: Counts) -> u32 {
        let kinds = [
            (self.counts.samples, written.samples),
            (self.counts.histograms, written.histograms),
            (self.counts.exemplars, written.exemplars),
        ];
        let sum = kinds.map(|(sent, written)| sent.min(written)).iter().sum::<u64>();
        u32::try_from(sum).unwrap_or(u32::MAX).min(self.carried)
    }
}

/// Writes letters one after the other in the same room.
#[derive(Debug, Default)]
pub(super) struct Writer {
    encoder: Encoder,
}

impl Writer {
    /// `parcel` as a letter; `catalogue` tells of the families of its series, if that is to be sent along.
    ///
    /// # Errors
    /// When a block is damaged; then none of it can be sent.
    pub(super) fn write(
        &mut self,
        parcel: &Parcel,
        message: Message,
        catalogue: Option<&Catalogue>,
    ) -> Result<Letter, DecodeError> {
        match message {
            Message::V1 => plain(parcel),
            Message::V2 => self.write_v2(parcel, catalogue),
        }
    }

    fn write_v2(&mut self, parcel: &Parcel, catalogue: Option<&Catalogue>) -> Result<Letter, DecodeError> {
        let open: Result<Vec<OpenBlock>, DecodeError> = parcel.blocks().map(Block::open).collect();
        let mut describe = |series: &str| catalogue.and_then(|catalogue| catalogue.describe(series));
        let encoded = self.encoder.encode(&open?, &mut describe)?;
        Ok(Letter {
            message: Message::V2,
            body: encoded.body,
            carried: parcel.samples().saturating_sub(encoded.lone_exemplars),
            counts: encoded.counts,
            left_out: (LONE_EXEMPLAR, encoded.lone_exemplars),
        })
    }
}

fn plain(parcel: &Parcel) -> Result<Letter, DecodeError> {
    let (mut blocks, mut missing) = (Vec::new(), 0);
    for block in parcel.blocks() {
        let (plain, without) = block.plain()?;
        blocks.push(plain);
        missing += without;
    }
    let body = match blocks.as_slice() {
        [only] => only.bytes().clone(),
        blocks => join(blocks)?.into(),
    };
    Ok(Letter {
        message: Message::V1,
        body,
        carried: parcel.samples().saturating_sub(missing),
        counts: Counts::default(),
        left_out: (NO_CUSTOM_BUCKETS, missing),
    })
}

/// `parcel` as it lies in the queue, with all that is beyond version 1.0: for another bridge, which reads it.
///
/// # Errors
/// When a block's length is damaged.
pub(super) fn whole(parcel: &Parcel) -> Result<Letter, DecodeError> {
    let blocks: Vec<&Block> = parcel.blocks().collect();
    let body = match blocks.as_slice() {
        [only] => only.bytes().clone(),
        blocks => join(blocks.iter().copied())?.into(),
    };
    let carried = parcel.samples();
    Ok(Letter {
        message: Message::V1,
        body,
        carried,
        // of what kind they are would be known by opening the blocks; a bridge's answer is summed up to this
        counts: Counts {
            samples: carried.into(),
            ..Counts::default()
        },
        left_out: ("", 0),
    })
}

#[cfg(test)]
mod tests;
