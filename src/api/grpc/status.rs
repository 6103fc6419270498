//! The only place of the gRPC door that picks a status, and the words and outcomes of single messages.

use std::time::Duration;

use tonic::{Code, Status};

use super::super::body::BodyError;
use super::super::write::{Accepted, NotTaken};
use crate::codec::ingest::{self, Outcome};
use crate::codec::remote_write::Counts;
use crate::intake::Refusal;
use crate::registry::Refused;

/// Most bytes that are said of one message.
const MAX_WORDS_BYTES: usize = 1024;

/// What is wrong with a caller, or with what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Breach {
    #[error("the first message is a hello, and there is only one")]
    Hello,
    #[error("a session is 16 bytes, chosen at random when the sender's process begins")]
    Session,
    #[error("sequence numbers begin with 1, and nobody gets as far as half of what they can hold")]
    FirstSequence,
    #[error("message {got} came where {expected} was due: sequence numbers have no gaps")]
    Sequence { expected: u64, got: u64 },
    #[error("a part of this version of the protocol is wanted: a hello or a message")]
    NoPart,
    #[error("protobuf {0} is not known: 1 is prometheus.WriteRequest, 2 is io.prometheus.write.v2.Request")]
    Protobuf(i32),
}

/// The caller breaks a rule of the protocol.
pub(super) fn breach(breach: Breach) -> Status {
    Status::invalid_argument(breach.to_string())
}

/// No token, or a wrong one.
pub(super) fn stranger() -> Status {
    Status::unauthenticated(
        "this door wants a token, as authorization: Bearer <token>, and there was none or a wrong one",
    )
}

/// The token's role does not allow it.
pub(super) fn forbidden(name: &str, role: &str) -> Status {
    let words = format!("the token of {name:?} has the role {role}, which may not write");
    Status::permission_denied(words)
}

/// Remote-write is not taken here at all.
pub(super) fn no_receiver() -> Status {
    Status::unimplemented("remote-write is not taken here: remote_write_receiver.enabled is false")
}

/// Nothing is at this path.
pub(super) fn unknown(path: &str) -> Status {
    Status::unimplemented(format!("there is no {path} here"))
}

/// The tokens cannot be read.
pub(super) fn unreadable_tokens() -> Status {
    Status::unavailable("the tokens cannot be read just now: see the log")
}

/// Messages of all calls that are not read yet take all the room there is.
pub(super) fn no_room(most: usize) -> Status {
    Status::resource_exhausted(format!(
        "the messages of all streams take {most} bytes, the most there may be: come again"
    ))
}

/// We stop.
pub(super) fn stopping() -> Status {
    Status::unavailable("the bridge is stopping; what it acknowledged is durable, send the rest again")
}

/// The stream before this one of its session does not end.
pub(super) fn occupied() -> Status {
    Status::unavailable("the stream before this one has not ended yet: come again")
}

/// The session goes on elsewhere.
pub(super) fn superseded() -> Status {
    Status::aborted("the session goes on on a newer stream")
}

/// The time that the caller gave is over, or the time that we gave it.
pub(super) fn late(what: &str) -> Status {
    Status::deadline_exceeded(what)
}

/// The stream cannot be read any further.
pub(super) fn broken(status: Status) -> Status {
    match status.code() {
        // so the library says that a message is longer than it may be
        Code::OutOfRange => Status::resource_exhausted(status.message()),
        _ => status,
    }
}

/// Every session that can be kept has a stream.
pub(super) fn crowded(limit: usize) -> Status {
    Status::resource_exhausted(format!(
        "{limit} senders have a stream, the most there may be: come again"
    ))
}

/// What ends a stream after a message that has to come again.
pub(super) fn again(result: &ingest::Result, why: &NotTaken) -> Status {
    let code = match why {
        NotTaken::Body(BodyError::Crowded { .. })
        | NotTaken::Refused(Refusal::Full { .. } | Refusal::Limit(_)) => Code::ResourceExhausted,
        _ => Code::Unavailable,
    };
    Status::new(code, format!("message {}: {}", result.sequence, result.words))
}

/// The result of a message that is taken, at least in part.
pub(super) fn taken(sequence: u64, accepted: &Accepted) -> ingest::Result {
    let complaint = accepted.complaint();
    let outcome = match complaint {
        None => Outcome::Taken,
        Some(_) => Outcome::PartlyTaken,
    };
    ingest::Result {
        sequence,
        outcome: outcome.into(),
        taken: Some(counts(accepted.taken)),
        refused: Some(counts(accepted.flawed.counts)),
        words: cut(complaint.unwrap_or_default()),
        retry_after_ms: 0,
    }
}

/// The result of a message that is not taken.
pub(super) fn not_taken(sequence: u64, why: &NotTaken) -> ingest::Result {
    let outcome = match why {
        NotTaken::Body(BodyError::Crowded { .. }) => Outcome::Retry,
        NotTaken::Body(BodyError::TooLong { .. } | BodyError::Bomb { .. }) | NotTaken::TooMany(_) => {
            Outcome::TooLarge
        }
        NotTaken::Refused(refusal) => of_refusal(refusal),
        // what ended early once would do so for ever
        NotTaken::Stopped(_)
        | NotTaken::Body(_)
        | NotTaken::Empty
        | NotTaken::Framed
        | NotTaken::NotSnappy(_)
        | NotTaken::Unreadable { .. } => Outcome::Refused,
    };
    let after = match why {
        NotTaken::Refused(Refusal::Full { retry_after, .. }) => *retry_after,
        _ => Duration::ZERO,
    };
    ingest::Result {
        sequence,
        outcome: outcome.into(),
        words: cut(why.to_string()),
        retry_after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        ..ingest::Result::default()
    }
}

const fn of_refusal(refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::TooLarge(_) => Outcome::TooLarge,
        Refusal::Inconsistent { .. } | Refusal::Limit(Refused::Clash(_) | Refused::TooManySeries { .. }) => {
            Outcome::Refused
        }
        Refusal::Limit(_) | Refusal::Full { .. } | Refusal::NotDurable(_) | Refusal::NotReady(_) => {
            Outcome::Retry
        }
    }
}

fn counts(counts: Counts) -> ingest::Counts {
    ingest::Counts {
        samples: counts.samples,
        histograms: counts.histograms,
        exemplars: counts.exemplars,
    }
}

fn cut(mut words: String) -> String {
    if words.len() > MAX_WORDS_BYTES {
        let mut at = MAX_WORDS_BYTES;
        while !words.is_char_boundary(at) {
            at -= 1;
        }
        words.truncate(at);
        words.push_str("...");
    }
    words
}
