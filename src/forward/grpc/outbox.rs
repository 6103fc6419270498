//! Messages that are not answered yet, numbered once and for all.
//!
//! A lane offers the same body again and again until it has an answer, and nothing else meanwhile; so what lies here is
//! at most one message a lane.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::super::transport::{Accepted, SendError};

/// How a message ended, as the lane is told.
pub(super) type Answer = Result<Accepted, SendError>;

/// 16 random bytes that name us to the other side.
pub(super) type SessionId = [u8; 16];

/// Answers kept for lanes that may come back for them. There are fewer lanes than that; beyond it somebody has gone.
const MAX_KEPT: usize = 512;

/// What one remote has not answered yet.
pub(super) struct Outbox {
    session: SessionId,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which stream may send; those before it are over, whether they know it or not.
    stream: u64,
    /// How many messages were ever numbered.
    numbered: u64,
    unanswered: BTreeMap<u64, Message>,
}

struct Message {
    body: Bytes,
    is_sent: bool,
    /// Who waits. Nobody while the lane pauses after a failure.
    waiting: Option<oneshot::Sender<Answer>>,
    /// The answer that came meanwhile.
    answer: Option<Answer>,
}

/// Where a lane's body has its place.
pub(super) enum Place {
    /// Its answer has come already.
    Answered(Answer),
    /// The answer will come here. `to_send` has the number, if it has yet to be sent.
    Waiting {
        answer: oneshot::Receiver<Answer>,
        to_send: Option<u64>,
    },
}

impl Outbox {
    pub(super) fn new(session: SessionId) -> Self {
        Self {
            session,
            state: Mutex::default(),
        }
    }

    pub(super) const fn session(&self) -> &SessionId {
        &self.session
    }

    /// Begins a stream: its number, and the lowest sequence number that is not answered, or the next.
    pub(super) fn begin(&self) -> (u64, u64) {
        let mut state = self.state();
        state.stream += 1;
        let waits = |message: &&Message| message.answer.is_none();
        let open = state.unanswered.iter().find(|(_, message)| waits(message));
        let first = open.map_or(state.numbered + 1, |(sequence, _)| *sequence);
        (state.stream, first)
    }

    /// Finds the body's place, or gives it the next number; `None` where `stream` is over. A body is known by where it
    /// lies in memory, which nothing else can take as long as it is kept here.
    pub(super) fn place(&self, body: &Bytes, stream: u64) -> Option<Place> {
        let mut state = self.state();
        if state.stream != stream {
            return None;
        }
        let is_same = |known: &Bytes| known.as_ptr() == body.as_ptr() && known.len() == body.len();
        let known = state
            .unanswered
            .iter()
            .find(|(_, message)| is_same(&message.body))
            .map(|(sequence, _)| *sequence);
        let sequence = known.unwrap_or(state.numbered + 1);
        if known.is_none() {
            state.numbered = sequence;
            state.let_go();
        }
        let message = state.unanswered.entry(sequence).or_insert_with(|| Message {
            body: body.clone(),
            is_sent: false,
            waiting: None,
            answer: None,
        });
        if let Some(answer) = message.answer.take() {
            state.unanswered.remove(&sequence);
            return Some(Place::Answered(answer));
        }
        let (tell, answer) = oneshot::channel();
        message.waiting = Some(tell);
        let to_send = (!message.is_sent).then_some(sequence);
        message.is_sent = true;
        Some(Place::Waiting { answer, to_send })
    }

    /// What has to be sent on a new stream, in order: all that is not answered.
    pub(super) fn to_send_again(&self) -> Vec<(u64, Bytes)> {
        let mut state = self.state();
        let open = state
            .unanswered
            .iter_mut()
            .filter(|(_, message)| message.answer.is_none());
        open.map(|(sequence, message)| {
            message.is_sent = true;
            (*sequence, message.body.clone())
        })
        .collect()
    }

    /// Notes how a message ended; one that is not known was answered before.
    pub(super) fn answered(&self, sequence: u64, answer: Answer) {
        let mut state = self.state();
        let Some(message) = state.unanswered.get_mut(&sequence) else {
            return;
        };
        if message.answer.is_some() {
            return;
        }
        let answer = match message.waiting.take() {
            Some(waiting) => match waiting.send(answer) {
                Ok(()) => {
                    state.unanswered.remove(&sequence);
                    return;
                }
                Err(answer) => answer,
            },
            None => answer,
        };
        message.answer = Some(answer);
    }

    /// Notes that everything up to `sequence` that has no other answer was taken.
    pub(super) fn taken_up_to(&self, sequence: u64, accepted: Accepted) {
        let open: Vec<u64> = self
            .state()
            .unanswered
            .range(..=sequence)
            .map(|(it, _)| *it)
            .collect();
        for sequence in open {
            self.answered(sequence, Ok(accepted));
        }
    }

    /// Lets everybody who waits know that `stream` has broken; their messages stay.
    pub(super) fn interrupted(&self, stream: u64, error: &SendError) {
        let mut state = self.state();
        if state.stream != stream {
            return;
        }
        for message in state.unanswered.values_mut() {
            if let Some(waiting) = message.waiting.take() {
                // whoever has gone comes back with the same body, or never
                let _ = waiting.send(Err(error.clone()));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps no more answers than there can be lanes to come for them.
    fn let_go(&mut self) {
        while self.unanswered.len() >= MAX_KEPT {
            let kept = self
                .unanswered
                .iter()
                .find(|(_, message)| message.answer.is_some());
            let Some(oldest) = kept.map(|(sequence, _)| *sequence) else {
                return;
            };
            self.unanswered.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKEN: Accepted = Accepted {
        status: 200,
        written: None,
    };

    fn taken(place: Option<Place>) -> Option<Answer> {
        match place {
            Some(Place::Answered(answer)) => Some(answer),
            _ => None,
        }
    }

    fn number(place: &Option<Place>) -> Option<u64> {
        match place {
            Some(Place::Waiting { to_send, .. }) => *to_send,
            _ => None,
        }
    }

    #[test]
    fn a_body_that_comes_again_keeps_its_number_and_finds_the_answer_that_came_meanwhile() {
        let outbox = Outbox::new([0; 16]);
        let (stream, first) = outbox.begin();
        let (one, other) = (Bytes::from(vec![1]), Bytes::from(vec![1]));
        let places = (outbox.place(&one, stream), outbox.place(&other, stream));
        assert_eq!(
            (first, number(&places.0), number(&places.1)),
            (1, Some(1), Some(2))
        );
        drop(places);

        let (next, first) = outbox.begin();
        outbox.taken_up_to(1, TAKEN);
        let again: Vec<u64> = outbox.to_send_again().into_iter().map(|(it, _)| it).collect();

        assert_eq!((first, again), (1, vec![2]));
        assert_eq!(taken(outbox.place(&one, next)), Some(Ok(TAKEN)));
        assert_eq!(number(&outbox.place(&other, next)), None);
    }

    #[test]
    fn a_stream_that_is_over_numbers_nothing_and_wakes_nobody() {
        let outbox = Outbox::new([0; 16]);
        let (old, _) = outbox.begin();
        let (new, _) = outbox.begin();
        let body = Bytes::from(vec![1]);
        let Some(Place::Waiting { mut answer, .. }) = outbox.place(&body, new) else {
            panic!("a place")
        };

        let error = SendError::Reject {
            status: 400,
            words: String::new(),
        };
        outbox.interrupted(old, &error);

        assert!(outbox.place(&body, old).is_none());
        assert!(answer.try_recv().is_err());
        outbox.interrupted(new, &error);
        assert_eq!(answer.try_recv(), Ok(Err(error)));
    }

    #[test]
    fn answers_that_nobody_comes_for_are_let_go() {
        let outbox = Outbox::new([0; 16]);
        let (stream, _) = outbox.begin();

        for _ in 0..3 * MAX_KEPT {
            drop(outbox.place(&Bytes::from(vec![1]), stream));
            outbox.taken_up_to(u64::MAX, TAKEN);
        }

        assert!(outbox.state().unanswered.len() <= MAX_KEPT);
    }
}
