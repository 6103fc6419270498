//! A remote-write request as a snappy block, taken from whichever door it came through.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::api::body::{BodyError, Held, Limit};
use crate::api::{Doors, ReceiverConfig};
use crate::codec::DecodeError;
use crate::codec::remote_write::{Counts, Flaws, Limits, Message};
use crate::intake::{Refusal, Written};

/// Requests that are longer than this decompressed are read on a thread of their own, so that they hold up nobody else:
/// some milliseconds' work.
const LONG_REQUEST_BYTES: usize = 1 << 20;

/// So are those that say more than this: by references half a megabyte may stand for half a gigabyte.
const SHORT: Limits = Limits {
    max_parts: 256 << 10,
    max_label_bytes: 8 << 20,
};

/// Such requests that are read at once, by all doors; the others wait. Each may take 200 MB more than its body.
static LONG_TURNS: Semaphore = Semaphore::const_new(4);

/// How framed snappy begins (PRW S1-07).
const FRAMED: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// More than this times its own length no snappy block can become: three bytes copy 64.
const MAX_RATIO: usize = 22;

/// A request that has arrived whole.
#[derive(Debug)]
pub(in crate::api) struct Arrival<B> {
    /// Through which door, in one word, for metrics.
    pub(in crate::api) door: &'static str,
    /// What the body is.
    pub(in crate::api) message: Message,
    /// A snappy block.
    pub(in crate::api) body: B,
}

/// A request that was taken, durably.
#[derive(Debug)]
pub(in crate::api) struct Accepted {
    /// How much of it.
    pub(in crate::api) taken: Counts,
    /// What not, and why.
    pub(in crate::api) flawed: Flaws,
}

impl Accepted {
    /// What was not taken and why, if there is anything, in one paragraph.
    pub(in crate::api) fn complaint(&self) -> Option<String> {
        if self.flawed.is_empty() {
            return None;
        }
        let Flaws {
            number,
            counts,
            first,
        } = &self.flawed;
        let told: Vec<String> = first
            .iter()
            .map(|flaw| format!("{}: {}", flaw.series, flaw.problem))
            .collect();
        let (lost, taken) = (spelled(*counts), spelled(self.taken));
        let more = match number.saturating_sub(told.len() as u64) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Some(format!(
            "not taken: {lost}, and sending them again does not help; taken: {taken}. {}{more}",
            told.join("; ")
        ))
    }
}

fn spelled(counts: Counts) -> String {
    let Counts {
        samples,
        histograms,
        exemplars,
    } = counts;
    format!("{samples} samples, {histograms} histograms, {exemplars} exemplars")
}

/// Why nothing of a request is taken.
#[derive(Debug, thiserror::Error)]
pub(in crate::api) enum NotTaken {
    /// It cannot be read in this length, or there is no room for it.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// There is no body.
    #[error("the body is empty: even a request without series is one byte as a snappy block")]
    Empty,
    /// It is snappy of the other kind.
    #[error("the body is framed snappy: remote-write wants the block format")]
    Framed,
    /// It is no snappy.
    #[error("the body is no snappy block: {0}")]
    NotSnappy(snap::Error),
    /// It is not the message that was announced.
    #[error("the body is no {}: {problem}", .message.name())]
    Unreadable { message: Message, problem: DecodeError },
    /// It says more than may be said at once.
    #[error("{0}; send less at a time")]
    TooMany(DecodeError),
    /// The way in did not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something on our side went wrong.
    #[error("reading the request ended early: {0}")]
    Stopped(#[from] JoinError),
}

/// How long a body may be as it is sent.
pub(super) fn body_limit(config: &ReceiverConfig) -> Limit {
    Limit {
        bytes: config.max_body_bytes,
        key: "remote_write_receiver.max_body_bytes",
    }
}

/// Takes a request; returns when what makes sense of it is durable. To be run to its end, also when its sender has gone.
///
/// # Errors
/// Nothing of it is promised. What [`Refusal`] says is for another time, all else for no time.
pub(in crate::api) async fn take<B: AsRef<[u8]> + Send + 'static>(
    doors: &Arc<Doors>,
    arrival: Arrival<B>,
) -> Result<Accepted, NotTaken> {
    let begun = Instant::now();
    let (door, message) = (arrival.door, arrival.message);
    let outcome = hand_in_and_settle(doors, arrival).await;
    doors.books.write_seconds.observe(begun.elapsed().as_secs_f64());
    if let Ok(accepted) = &outcome {
        doors
            .books
            .received(door, message, (accepted.taken, accepted.flawed.counts));
    }
    outcome
}

async fn hand_in_and_settle<B: AsRef<[u8]> + Send + 'static>(
    doors: &Arc<Doors>,
    arrival: Arrival<B>,
) -> Result<Accepted, NotTaken> {
    let Written {
        submission,
        taken,
        flawed,
    } = hand_in(doors, arrival).await?;
    if let Some(submission) = submission {
        doors.intake.settle(submission).await?;
    }
    Ok(Accepted { taken, flawed })
}

/// Reads a request and hands it to the log, without waiting for the disk: whoever does that settles it.
///
/// # Errors
/// As [`take`].
pub(in crate::api) async fn hand_in<B: AsRef<[u8]> + Send + 'static>(
    doors: &Arc<Doors>,
    arrival: Arrival<B>,
) -> Result<Written, NotTaken> {
    let config = doors.config();
    let raw_bytes = promised_bytes(arrival.body.as_ref(), &config.receiver)?;
    let written = match submit_short(doors, &arrival, raw_bytes)? {
        Some(written) => written,
        None => {
            let _turn = LONG_TURNS.acquire().await;
            let doors = Arc::clone(doors);
            let limits = Limits::default();
            tokio::task::spawn_blocking(move || submit(&doors, &arrival, (raw_bytes, &limits))).await??
        }
    };
    refused_in_part(doors, written).await
}

/// A request of which a part found no room is refused before the next of its sender is handed in, or that would stand in
/// the log before what comes again of this one.
async fn refused_in_part(doors: &Doors, mut written: Written) -> Result<Written, NotTaken> {
    let in_part = written.submission.take_if(|submission| !submission.is_whole());
    if let Some(submission) = in_part {
        doors.intake.settle(submission).await?;
    }
    Ok(written)
}

/// How long the block is decompressed, by its own word, if that can be believed.
fn promised_bytes(body: &[u8], config: &ReceiverConfig) -> Result<usize, NotTaken> {
    let limit = body_limit(config);
    if body.len() > limit.bytes {
        return Err(BodyError::TooLong { limit }.into());
    }
    if body.is_empty() {
        return Err(NotTaken::Empty);
    }
    if body.starts_with(FRAMED) {
        return Err(NotTaken::Framed);
    }
    let promised = snap::raw::decompress_len(body).map_err(NotTaken::NotSnappy)?;
    let limit = decompressed_limit(config);
    if promised > limit.bytes {
        return Err(BodyError::Bomb { limit }.into());
    }
    if promised > body.len().saturating_mul(MAX_RATIO) {
        return Err(NotTaken::NotSnappy(snap::Error::HeaderMismatch {
            expected_len: promised as u64,
            got_len: 0,
        }));
    }
    Ok(promised)
}

fn decompressed_limit(config: &ReceiverConfig) -> Limit {
    Limit {
        bytes: config.max_decompressed_bytes,
        key: "remote_write_receiver.max_decompressed_bytes",
    }
}

/// Reads a request and hands it in, if that is some milliseconds' work.
fn submit_short<B: AsRef<[u8]>>(
    doors: &Doors,
    arrival: &Arrival<B>,
    raw_bytes: usize,
) -> Result<Option<Written>, NotTaken> {
    if raw_bytes > LONG_REQUEST_BYTES {
        return Ok(None);
    }
    match submit(doors, arrival, (raw_bytes, &SHORT)) {
        Err(NotTaken::TooMany(_)) => Ok(None),
        submitted => submitted.map(Some),
    }
}

/// Reads a request and hands it in.
fn submit<B: AsRef<[u8]>>(
    doors: &Doors,
    arrival: &Arrival<B>,
    (raw_bytes, limits): (usize, &Limits),
) -> Result<Written, NotTaken> {
    let config = doors.config();
    let mut raw = Held::new(&doors.bodies, decompressed_limit(&config.receiver)).zeros(raw_bytes)?;
    let mut decoder = snap::raw::Decoder::new();
    decoder
        .decompress(arrival.body.as_ref(), raw.bytes_mut())
        .map_err(NotTaken::NotSnappy)?;
    let message = arrival.message;
    let reading = doors.intake.reading(config.receiver.order);
    let known = |encoded: &[u8]| reading.recall(encoded);
    let request = message.decode_beside(raw.bytes(), limits, &known);
    let request = request.map_err(|problem| match problem {
        DecodeError::TooMany { .. } => NotTaken::TooMany(problem),
        problem => NotTaken::Unreadable { message, problem },
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a histogram of sizes")]
    doors.books.write_bytes.observe(raw_bytes as f64);
    Ok(doors.intake.write(request, &reading)?)
}
