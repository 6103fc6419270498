//! One stream of messages, from the hello to the status that ends it.
//!
//! Messages are handed in one after the other, so that the order of the log is that of the stream, and wait for the disk
//! together. Whatever ends the stream, what was handed in is settled and acknowledged first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::{Status, Streaming};
use tracing::{debug, info};

use super::super::write::{Accepted, Arrival, NotTaken, hand_in};
use super::GrpcDoor;
use super::sessions::{Hold, SessionId};
use super::status::{self, Breach};
use crate::codec::ingest::write_request::Part;
use crate::codec::ingest::{self, Hello, Outcome, Protobuf, WriteRequest, WriteResponse};
use crate::codec::remote_write::Message;
use crate::intake::{Refusal, Submission, Written};

/// Messages of a stream that may wait for the disk together: as many as lanes of a forwarder are ever useful.
pub(super) const WINDOW_MESSAGES: u32 = 64;

/// Bytes that a sender may have unacknowledged; a message is let go as soon as it is read, so this is for the network.
pub(super) const WINDOW_BYTES: u64 = 64 << 20;

/// How long a sender may take for its hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// How long the stream before may take to give way: as long as a disk may take.
const HANDOVER_DEADLINE: Duration = Duration::from_secs(10);

/// How long a stream may rest. A sender that has something to send again begins another.
const REST_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// How long a sender may not read our answers.
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// Where answers go.
pub(super) type Answers = mpsc::Sender<Result<WriteResponse, Status>>;

/// How long a stream may last.
pub(super) struct Bounds {
    /// The caller's own deadline.
    pub(super) deadline: Option<Instant>,
    /// Changes when we stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// Speaks with a sender until the stream ends.
pub(super) async fn converse(
    door: Arc<GrpcDoor>,
    mut incoming: Streaming<WriteRequest>,
    answers: Answers,
    bounds: Bounds,
) {
    door.books.streams.inc();
    let ended = match begin(&door, &mut incoming).await {
        Ok((hold, first)) => {
            let conversation = Conversation {
                door: &door,
                answers: &answers,
                hold,
                bounds,
                pending: VecDeque::new(),
                next: first,
            };
            conversation.run(incoming, first).await
        }
        Err(status) => status,
    };
    debug!(code = %ended.code(), words = ended.message(), "a stream of messages has ended");
    door.books.ended(&ended);
    door.books.streams.dec();
    if ended.code() != tonic::Code::Ok {
        // whoever has gone needs no status
        let _ = timeout(READ_DEADLINE, answers.send(Err(ended))).await;
    }
}

/// Waits for the hello and takes hold of the session; returns the number of the message that is due.
async fn begin(door: &GrpcDoor, incoming: &mut Streaming<WriteRequest>) -> Result<(Hold, u64), Status> {
    let part = timeout(HELLO_DEADLINE, incoming.message())
        .await
        .map_err(|_| status::late("no hello came"))??
        .and_then(|request| request.part);
    let Some(Part::Hello(hello)) = part else {
        return Err(status::breach(Breach::Hello));
    };
    let Hello {
        sender,
        version,
        session,
        first_sequence,
    } = hello;
    let session = SessionId::try_from(session.as_slice()).map_err(|_| status::breach(Breach::Session))?;
    if first_sequence == 0 || first_sequence > u64::MAX / 2 {
        return Err(status::breach(Breach::FirstSequence));
    }
    let hold = timeout(HANDOVER_DEADLINE, door.sessions.hold(session))
        .await
        .map_err(|_| status::occupied())?
        .ok_or_else(|| status::crowded(super::sessions::MAX_SESSIONS))?;
    // a sender that names less than is settled knows less than we do; one that names more has let something go
    let settled = hold.progress.settled.unwrap_or_default();
    let due = first_sequence.max(settled + 1);
    info!(sender = %tame(&sender), version = %tame(&version), first_sequence, due, "a sender has said hello");
    Ok((hold, due))
}

/// A stranger's words, fit for a log line.
fn tame(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Goes on until the disk has answered.
type Settling = JoinHandle<Result<(), NotTaken>>;

/// A message whose fate is not yet told.
struct Pending {
    result: ingest::Result,
    settling: Option<Settling>,
    arrival: Instant,
}

/// What happens next.
enum Event {
    Settled(Result<(), NotTaken>),
    Came(Result<Option<WriteRequest>, Status>),
    End(Status),
}

struct Conversation<'a> {
    door: &'a GrpcDoor,
    answers: &'a Answers,
    hold: Hold,
    bounds: Bounds,
    pending: VecDeque<Pending>,
    next: u64,
}

impl Conversation<'_> {
    /// Speaks until something ends it, and says what.
    async fn run(mut self, mut incoming: Streaming<WriteRequest>, first: u64) -> Status {
        let greeting = WriteResponse {
            acknowledged_sequence: first - 1,
            results: self.hold.progress.remarkable_from(1),
            window: Some(self.door.window()),
        };
        if let Err(status) = self.answer(greeting).await {
            return status;
        }
        let ended = match self.listen(&mut incoming).await {
            Ok(never) => match never {},
            Err(status) => status,
        };
        match self.settle_all().await {
            Ok(()) => ended,
            Err(status) => status,
        }
    }

    async fn listen(
        &mut self,
        incoming: &mut Streaming<WriteRequest>,
    ) -> Result<std::convert::Infallible, Status> {
        let mut rest = Instant::now() + REST_DEADLINE;
        loop {
            match self.next_event(incoming, rest).await {
                Event::Settled(outcome) => self.acknowledge(outcome).await?,
                Event::Came(Ok(Some(request))) => {
                    rest = Instant::now() + REST_DEADLINE;
                    self.take(request).await?;
                }
                Event::Came(Ok(None)) => return Err(Status::ok("")),
                Event::Came(Err(broken)) => return Err(status::broken(broken)),
                Event::End(status) => return Err(status),
            }
        }
    }

    async fn next_event(&mut self, incoming: &mut Streaming<WriteRequest>, rest: Instant) -> Event {
        let may_read = self.pending.len() < WINDOW_MESSAGES as usize;
        let is_waiting = !self.pending.is_empty();
        let deadline = self.bounds.deadline;
        tokio::select! {
            biased;
            outcome = oldest(&mut self.pending), if is_waiting => Event::Settled(outcome),
            _ = self.bounds.stop.wait_for(|stop| *stop) => Event::End(status::stopping()),
            () = self.hold.wanted_elsewhere() => Event::End(status::superseded()),
            () = sleep_until(deadline.unwrap_or(rest)), if deadline.is_some() => {
                Event::End(status::late("the stream has lasted as long as its caller wanted"))
            }
            came = incoming.message(), if may_read => Event::Came(came),
            () = sleep_until(rest) => Event::End(Status::ok("")),
        }
    }

    /// Hands in what came.
    async fn take(&mut self, request: WriteRequest) -> Result<(), Status> {
        let arrival = Instant::now();
        let message = match request.part {
            Some(Part::Message(message)) => message,
            Some(Part::Hello(_)) => return Err(status::breach(Breach::Hello)),
            None => return Err(status::breach(Breach::NoPart)),
        };
        if message.sequence != self.next {
            return Err(status::breach(Breach::Sequence {
                expected: self.next,
                got: message.sequence,
            }));
        }
        let protobuf = match Protobuf::try_from(message.protobuf) {
            Ok(Protobuf::Unspecified | Protobuf::WriteRequestV1) => Message::V1,
            Ok(Protobuf::RequestV2) => Message::V2,
            Err(_) => return Err(status::breach(Breach::Protobuf(message.protobuf))),
        };
        self.door.books.message_bytes.inc_by(message.body.len() as u64);
        let (sequence, arrived) = (
            message.sequence,
            Arrival {
                door: "grpc",
                message: protobuf,
                body: message.body,
            },
        );
        self.next += 1;
        let (result, settling) = match hand_in(&self.door.doors, arrived).await {
            Ok(Written {
                submission,
                taken,
                flawed,
            }) => {
                let accepted = Accepted { taken, flawed };
                let result = status::taken(sequence, &accepted);
                (result, Some(self.settle(submission, protobuf, accepted)))
            }
            Err(why) => {
                let result = status::not_taken(sequence, &why);
                if result.outcome() == Outcome::Retry {
                    self.settle_all().await?;
                    return Err(self.come_again(result, &why).await);
                }
                (result, None)
            }
        };
        self.pending.push_back(Pending {
            result,
            settling,
            arrival,
        });
        Ok(())
    }

    /// Waits for the disk, and enters into the books what is durable then.
    fn settle(&self, submission: Option<Submission>, message: Message, accepted: Accepted) -> Settling {
        let doors = Arc::clone(&self.door.doors);
        #[expect(
            clippy::disallowed_methods,
            reason = "awaited as the oldest pending one; it outlives only a stream that is torn off, for the books' sake"
        )]
        tokio::spawn(async move {
            if let Some(submission) = submission {
                doors.intake.settle(submission).await?;
            }
            let counts = (accepted.taken, accepted.flawed.counts);
            doors.books.received("grpc", message, counts);
            Ok(())
        })
    }

    /// Acknowledges the oldest message, and those behind it that are settled too.
    async fn acknowledge(&mut self, outcome: Result<(), NotTaken>) -> Result<(), Status> {
        let mut outcome = outcome;
        let mut results = Vec::new();
        let ended = loop {
            let Some(Pending { result, arrival, .. }) = self.pending.pop_front() else {
                break None;
            };
            if let Err(why) = outcome {
                break Some((status::not_taken(result.sequence, &why), why));
            }
            self.door.books.judged(&result);
            self.door
                .books
                .acknowledging
                .observe(arrival.elapsed().as_secs_f64());
            self.hold.progress.settle(&result, WINDOW_MESSAGES);
            results.push(result);
            let is_settled =
                |pending: &Pending| pending.settling.as_ref().is_none_or(JoinHandle::is_finished);
            if !self.pending.front().is_some_and(is_settled) {
                break None;
            }
            outcome = oldest(&mut self.pending).await;
        };
        if let Some(last) = results.last() {
            let response = WriteResponse {
                acknowledged_sequence: last.sequence,
                results,
                window: None,
            };
            self.answer(response).await?;
        }
        match ended {
            None => Ok(()),
            Some((result, why)) => {
                // those behind it went the same way, or are sent again after it
                self.pending.clear();
                Err(self.come_again(result, &why).await)
            }
        }
    }

    /// Settles what is pending, also when nobody hears of it any more: the session has to know how far it got.
    async fn settle_all(&mut self) -> Result<(), Status> {
        let mut told = Ok(());
        while !self.pending.is_empty() {
            let outcome = oldest(&mut self.pending).await;
            told = told.and(self.acknowledge(outcome).await);
        }
        told
    }

    /// Tells that a message has to come again; the stream ends with what this returns.
    async fn come_again(&self, result: ingest::Result, why: &NotTaken) -> Status {
        let status = status::again(&result, why);
        self.door.books.judged(&result);
        let response = WriteResponse {
            acknowledged_sequence: self.hold.progress.settled.unwrap_or(result.sequence - 1),
            results: vec![result],
            window: None,
        };
        match self.answer(response).await {
            Ok(()) => status,
            Err(gone) => gone,
        }
    }

    async fn answer(&self, response: WriteResponse) -> Result<(), Status> {
        match timeout(READ_DEADLINE, self.answers.send(Ok(response))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the sender has gone")),
            Err(_) => Err(status::late("the sender does not read its answers")),
        }
    }
}

/// Waits until the oldest message is settled; leaves it in its place.
async fn oldest(pending: &mut VecDeque<Pending>) -> Result<(), NotTaken> {
    let Some(Pending {
        settling: Some(settling),
        ..
    }) = pending.front_mut()
    else {
        return Ok(());
    };
    settling
        .await
        .unwrap_or(Err(NotTaken::Refused(Refusal::NotReady("the work ended early"))))
}
