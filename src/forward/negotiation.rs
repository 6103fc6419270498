//! Which version of remote-write a remote understands (PRW S2-18 to S2-21, docs/adr/0015): what is configured, until the
//! remote shows that it does not understand that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::letter::Letter;
use super::transport::{Accepted, SendError};
use crate::codec::remote_write::Message;

/// How long a remote that did not understand 2.0 gets 1.0, before it is tried again: it may have been brought up to date,
/// and the attempt costs one request.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// What is known of one remote; its lanes share it.
#[derive(Debug)]
pub(super) struct Negotiation {
    remote: String,
    wanted: Message,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nobody knows yet whether it understands what is wanted.
    Open,
    /// It has said what it has written, which only receivers of 2.0 do.
    Confirmed,
    /// So it has, and what it refused since then without a word of that, it refused in 1.0 as well.
    Discerning,
    /// It gets 1.0.
    FellBack { since: Instant },
}

impl Negotiation {
    /// The negotiation with a remote that is to get `wanted`.
    pub(super) fn new(remote: &str, wanted: Message) -> Self {
        Self {
            remote: remote.to_owned(),
            wanted,
            state: Mutex::new(State::Open),
        }
    }

    /// In what the next request is to be written.
    pub(super) fn message(&self) -> Message {
        let mut state = self.state();
        if let State::FellBack { since } = *state {
            if since.elapsed() < TRY_AGAIN_AFTER {
                return Message::V1;
            }
            *state = State::Open;
        }
        self.wanted
    }

    /// Begins to talk about one parcel.
    pub(super) const fn talk(&self) -> Talk<'_> {
        Talk {
            negotiation: self,
            refusal: None,
        }
    }

    fn is_discerning(&self) -> bool {
        matches!(*self.state(), State::Discerning)
    }

    /// Notes that a refusal was not about the version. Until it is heard again of what is written, the next ones are not
    /// either: to search for a bad series must not take twice as many requests.
    fn discern(&self) {
        let mut state = self.state();
        if matches!(*state, State::Confirmed) {
            *state = State::Discerning;
        }
    }

    fn confirm(&self) {
        let mut state = self.state();
        match *state {
            State::Open => info!(remote = self.remote, "the remote understands remote-write 2.0"),
            State::Discerning => {}
            State::Confirmed | State::FellBack { .. } => return,
        }
        *state = State::Confirmed;
    }

    fn fall_back(&self, status: u16, words: &str) {
        let mut state = self.state();
        if !matches!(*state, State::FellBack { .. }) {
            let minutes = TRY_AGAIN_AFTER.as_secs() / 60;
            warn!(
                remote = self.remote,
                status,
                error = words,
                minutes,
                "the remote does not understand remote-write 2.0, it gets 1.0 and is tried again later"
            );
        }
        *state = State::FellBack {
            since: Instant::now(),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been said about one parcel.
pub(super) struct Talk<'n> {
    negotiation: &'n Negotiation,
    /// A refusal of it in 2.0 that may have been about the version; it is tried in 1.0.
    refusal: Option<(u16, String)>,
}

/// What an answer means.
pub(super) enum Heard {
    /// What it says.
    Answer(Result<Accepted, SendError>),
    /// The same parcel is to be sent in the other version.
    OtherVersion,
}

impl Talk<'_> {
    /// In what the parcel is to be written now.
    pub(super) fn message(&self) -> Message {
        match self.refusal {
            Some(_) => Message::V1,
            None => self.negotiation.message(),
        }
    }

    /// Makes sense of what came back for `letter`.
    pub(super) fn hear(&mut self, letter: &Letter, result: Result<Accepted, SendError>) -> Heard {
        let negotiation = self.negotiation;
        match (letter.message, result) {
            (Message::V2, Err(SendError::OtherVersion { status, words })) => {
                negotiation.fall_back(status, &words);
                Heard::OtherVersion
            }
            (Message::V2, Err(SendError::Unclear { status, words })) => {
                if negotiation.is_discerning() {
                    return Heard::Answer(Err(SendError::Split { status, words }));
                }
                self.refusal = Some((status, words));
                Heard::OtherVersion
            }
            (Message::V2, result @ (Ok(_) | Err(SendError::Partial { .. }))) => {
                negotiation.confirm();
                Heard::Answer(result)
            }
            (Message::V1, Ok(accepted)) => {
                if let Some((status, words)) = self.refusal.take() {
                    negotiation.fall_back(status, &words);
                }
                Heard::Answer(Ok(accepted))
            }
            (Message::V1, Err(SendError::Split { .. } | SendError::Reject { .. }))
                if self.refusal.is_some() =>
            {
                negotiation.discern();
                let (status, words) = self.refusal.take().unwrap_or_default();
                Heard::Answer(Err(SendError::Split { status, words }))
            }
            (_, result) => Heard::Answer(result),
        }
    }
}

#[cfg(test)]
mod tests;
