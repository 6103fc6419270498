//! One stream: hello, what has to be sent again, then messages and their acknowledgements.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Code as GrpcCode, Request, Status, Streaming};

use super::super::retry::MAX_RETRY_AFTER;
use super::super::transport::{Accepted, Code, SendError};
use super::connect::Endpoint;
use super::outbox::{Answer, Outbox, Place};
use crate::codec::ingest::remote_write_client::RemoteWriteClient;
use crate::codec::ingest::write_request::Part;
use crate::codec::ingest::{self, Hello, Message, Outcome, Protobuf, Window, WriteRequest, WriteResponse};
use crate::codec::remote_write::Counts;

/// What we call ourselves.
const OUR_NAME: &str = concat!("flinkbridge/", env!("CARGO_PKG_VERSION"));

/// What success, partial success, refusal and too much are called in books that know the statuses of HTTP.
const TAKEN: Accepted = Accepted {
    status: 200,
    written: None,
};
const REFUSED: u16 = 400;
const TOO_LARGE: u16 = 413;

/// Messages that wait for the network; the rest waits for these.
const MAX_WAITING: usize = 16;

/// A stream that has been greeted.
pub(super) struct Link {
    stream: u64,
    outbox: Arc<Outbox>,
    sending: mpsc::Sender<WriteRequest>,
    /// Held while a message gets its number and its place in the row, so that both are in the same order.
    order: Mutex<()>,
    room: Room,
    is_open: Arc<AtomicBool>,
    tasks: Mutex<JoinSet<()>>,
}

/// What the other side lets us have unacknowledged.
struct Room {
    messages: Semaphore,
    kibibytes: Semaphore,
    most_kibibytes: u32,
    max_message_bytes: u64,
}

impl Room {
    fn of(window: &Window) -> Self {
        let kibibytes = u32::try_from(window.bytes / 1024).unwrap_or(u32::MAX).max(1);
        let permits = (kibibytes as usize).min(Semaphore::MAX_PERMITS);
        Self {
            messages: Semaphore::new(window.messages.max(1) as usize),
            kibibytes: Semaphore::new(permits),
            most_kibibytes: kibibytes,
            max_message_bytes: window.max_message_bytes,
        }
    }
}

impl Link {
    /// Connects, says hello, and sends again what the other side has not got.
    pub(super) async fn open(
        endpoint: &Endpoint,
        headers: HeaderMap,
        outbox: &Arc<Outbox>,
    ) -> Result<Self, SendError> {
        let (stream, first_sequence) = outbox.begin();
        let (channel, driver) = endpoint.connect().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        let (sending, outgoing) = mpsc::channel(MAX_WAITING);
        let hello = Hello {
            sender: OUR_NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            session: outbox.session().to_vec(),
            first_sequence,
        };
        row(&sending, Part::Hello(hello)).await?;
        let mut request = Request::new(ReceiverStream::new(outgoing));
        *request.metadata_mut() = metadata(headers);
        let mut client = RemoteWriteClient::with_origin(channel, endpoint.origin());
        let response = client
            .write(request)
            .await
            .map_err(|status| ended(&status, None))?;
        let mut answers = response.into_inner();
        let greeting = match answers.message().await {
            Ok(Some(greeting)) => greeting,
            Ok(None) => return Err(ended(&Status::unavailable("ended without a greeting"), None)),
            Err(status) => return Err(ended(&status, None)),
        };
        hear(outbox, &greeting);
        let window = greeting.window.unwrap_or_default();
        for (sequence, body) in outbox.to_send_again() {
            row(&sending, part(sequence, body)).await?;
        }
        let is_open = Arc::new(AtomicBool::new(true));
        let listening = listen(answers, Arc::clone(outbox), stream, Arc::clone(&is_open));
        tasks.spawn(listening);
        Ok(Self {
            stream,
            outbox: Arc::clone(outbox),
            sending,
            order: Mutex::default(),
            room: Room::of(&window),
            is_open,
            tasks: Mutex::new(tasks),
        })
    }

    /// Whether it can be sent on, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Ends it. What is not acknowledged is left to the next.
    pub(super) fn close(&self) {
        self.is_open.store(false, Ordering::Release);
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
        self.outbox.interrupted(self.stream, &broken());
    }

    /// Sends a message, or joins it if it is under way already, and waits for its answer.
    pub(super) async fn send(&self, body: Bytes) -> Answer {
        let most = self.room.max_message_bytes;
        if most > 0 && body.len() as u64 > most {
            return Err(SendError::Split {
                status: TOO_LARGE,
                words: format!(
                    "the message of {} bytes is longer than {most}, the most that is taken",
                    body.len()
                ),
            });
        }
        let kibibytes = u32::try_from(body.len().div_ceil(1024)).unwrap_or(u32::MAX);
        let kibibytes = kibibytes.min(self.room.most_kibibytes);
        let closed = |_| broken();
        let _message = self.room.messages.acquire().await.map_err(closed)?;
        let _kibibytes = self
            .room
            .kibibytes
            .acquire_many(kibibytes)
            .await
            .map_err(closed)?;
        let place = self.sending.reserve().await.map_err(|_| broken())?;
        let answer = {
            let _in_order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
            match self.outbox.place(&body, self.stream) {
                None => return Err(broken()),
                Some(Place::Answered(answer)) => return answer,
                Some(Place::Waiting { answer, to_send }) => {
                    if let Some(sequence) = to_send {
                        place.send(WriteRequest {
                            part: Some(part(sequence, body)),
                        });
                    }
                    answer
                }
            }
        };
        answer.await.unwrap_or_else(|_| Err(broken()))
    }
}

async fn row(sending: &mpsc::Sender<WriteRequest>, part: Part) -> Result<(), SendError> {
    let request = WriteRequest { part: Some(part) };
    sending.send(request).await.map_err(|_| broken())
}

/// The queue's own blocks: version 1.0, with all that only version 2.0 has besides.
const fn part(sequence: u64, body: Bytes) -> Part {
    Part::Message(Message {
        sequence,
        protobuf: Protobuf::WriteRequestV1 as i32,
        body,
    })
}

fn metadata(mut headers: HeaderMap) -> MetadataMap {
    headers.insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
    MetadataMap::from_headers(headers)
}

/// Takes what the other side says until it has said all.
async fn listen(
    mut answers: Streaming<WriteResponse>,
    outbox: Arc<Outbox>,
    stream: u64,
    is_open: Arc<AtomicBool>,
) {
    let mut after = None;
    let status = loop {
        match answers.message().await {
            Ok(Some(response)) => after = hear(&outbox, &response).or(after),
            Ok(None) => break Status::unavailable("the stream has ended"),
            Err(status) => break status,
        }
    };
    is_open.store(false, Ordering::Release);
    outbox.interrupted(stream, &ended(&status, after));
}

/// Tells the lanes what became of their messages; returns when what has to come again may come, if that was said.
fn hear(outbox: &Outbox, response: &WriteResponse) -> Option<Duration> {
    let mut after = None;
    for result in &response.results {
        match answer(result) {
            Some(answer) => outbox.answered(result.sequence, answer),
            None => after = Some(Duration::from_millis(result.retry_after_ms).min(MAX_RETRY_AFTER)),
        }
    }
    outbox.taken_up_to(response.acknowledged_sequence, TAKEN);
    after.filter(|after| !after.is_zero())
}

/// What a result means to the lane; `None` where the message has to come again.
fn answer(result: &ingest::Result) -> Option<Answer> {
    let words = result.words.clone();
    Some(match result.outcome() {
        Outcome::Taken => Ok(TAKEN),
        Outcome::PartlyTaken => Err(SendError::Partial {
            status: REFUSED,
            words,
            written: sum(result.taken.as_ref()),
        }),
        Outcome::Refused => Err(SendError::Split {
            status: REFUSED,
            words,
        }),
        Outcome::TooLarge => Err(SendError::Split {
            status: TOO_LARGE,
            words,
        }),
        Outcome::Retry | Outcome::Unspecified => return None,
    })
}

/// All kinds together, as the letter counts them.
fn sum(counts: Option<&ingest::Counts>) -> Counts {
    let add = |counts: &ingest::Counts| {
        counts
            .samples
            .saturating_add(counts.histograms)
            .saturating_add(counts.exemplars)
    };
    Counts {
        samples: counts.map_or(0, add),
        ..Counts::default()
    }
}

fn broken() -> SendError {
    SendError::Retry {
        code: Code::Network,
        after: None,
        words: "the stream has broken".to_owned(),
    }
}

/// Why the stream has ended. It says nothing of a message, so everything is tried again.
fn ended(status: &Status, after: Option<Duration>) -> SendError {
    let message = status.message();
    let message = if message.is_empty() { "no words" } else { message };
    SendError::Retry {
        code: code(status.code()),
        after,
        words: format!("{}: {message}", status.code()),
    }
}

/// The status as books know it that know those of HTTP (google/rpc/code.proto has the table).
const fn code(code: GrpcCode) -> Code {
    Code::Status(match code {
        GrpcCode::InvalidArgument | GrpcCode::FailedPrecondition | GrpcCode::OutOfRange => 400,
        GrpcCode::Unauthenticated => 401,
        GrpcCode::PermissionDenied => 403,
        GrpcCode::NotFound => 404,
        GrpcCode::Aborted | GrpcCode::AlreadyExists => 409,
        GrpcCode::ResourceExhausted => 429,
        GrpcCode::Internal | GrpcCode::DataLoss => 500,
        GrpcCode::Unimplemented => 501,
        GrpcCode::Unavailable => 503,
        GrpcCode::DeadlineExceeded => return Code::Timeout,
        GrpcCode::Ok | GrpcCode::Cancelled | GrpcCode::Unknown => return Code::Network,
    })
}
