//! A request's body: read within a limit and a deadline, decompressed within the same limit.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::EXPECT;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::Semaphore;

use super::encoding::Encoding;

/// How long a whole body may take. Flink gives up on its side after ten seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a body that nobody wants is listened to.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);

/// Most of a body that nobody wants: several times a usual push.
const MAX_DISCARDED_BYTES: usize = 1 << 20;

/// Most bytes that all bodies together hold at once, or two of the largest if that is more. It is eight of the largest
/// by default, and thousands of Flink's.
const MAX_HELD_BYTES: usize = 512 << 20;

/// Most bytes that are reserved on a client's word. Beyond it a body has to arrive before it gets more, or ten thousand
/// that were only announced would take ten gigabytes.
const MAX_RESERVED_BYTES: usize = 64 << 10;

/// Most bytes that are reserved once as much as that has come: the largest push seen of Flink fits.
const MAX_TRUSTED_BYTES: usize = 1 << 20;

/// Bodies that are unpacked at once, by all doors; the others wait. It is work for the processor alone, and a zstd
/// stream may want two windows of 8 MiB besides its room.
static TURNS: Semaphore = Semaphore::const_new(16);

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {limit}")]
    TooLong { limit: Limit },
    #[error("the body decompresses to more than {limit}")]
    Bomb { limit: Limit },
    #[error(
        "the Content-Encoding {0:?} is not understood: send the body as it is, or with one of gzip, zstd, deflate, snappy (framed)"
    )]
    UnknownEncoding(String),
    #[error("the body is not the {name} stream that Content-Encoding says: {problem}")]
    NotPacked {
        name: &'static str,
        problem: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("unpacking the body ended early: {0}")]
    Stopped(tokio::task::JoinError),
    #[error("the bodies of all requests under way take {limit} bytes, the most there may be: send it again")]
    Crowded { limit: usize },
    #[error("the body did not arrive within {} seconds", DEADLINE.as_secs())]
    Late,
    #[error("the body ended early: {0}")]
    Cut(Box<dyn std::error::Error + Send + Sync>),
}

/// How long a body may be, and which key says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) bytes: usize,
    pub(super) key: &'static str,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, the limit of {}", self.bytes, self.key)
    }
}

/// The memory that all bodies share.
#[derive(Debug, Default)]
pub(super) struct Room(AtomicUsize);

/// A body in memory, and its share of the room.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    room: Arc<Room>,
    limit: Limit,
}

impl Held {
    /// An empty body of at most `limit`.
    pub(super) fn new(room: &Arc<Room>, limit: Limit) -> Self {
        Self {
            bytes: Vec::new(),
            room: Arc::clone(room),
            limit,
        }
    }

    /// The body.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An empty body with the same room and limit.
    pub(super) fn beside(&self) -> Self {
        Self::new(&self.room, self.limit)
    }

    /// Lowers what it may take.
    #[cfg(test)]
    pub(super) fn limit_to(&mut self, limit: usize) {
        self.limit.bytes = limit;
    }

    /// Appends `more`, unless the body is longer then than it may be (`too_long`), or there is no room.
    pub(super) fn push(&mut self, more: &[u8], too_long: fn(Limit) -> BodyError) -> Result<(), BodyError> {
        self.claim(more.len(), too_long)?;
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Takes room for so many more bytes.
    fn claim(&self, more: usize, too_long: fn(Limit) -> BodyError) -> Result<(), BodyError> {
        if more > self.limit.bytes.saturating_sub(self.bytes.len()) {
            return Err(too_long(self.limit));
        }
        let limit = MAX_HELD_BYTES.max(self.limit.bytes.saturating_mul(2));
        let take = |held: usize| held.checked_add(more).filter(|held| *held <= limit);
        let claimed = self
            .room
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        claimed.map(drop).map_err(|_| BodyError::Crowded { limit })
    }

    /// Makes it so many zeros, to be written over.
    pub(super) fn zeros(mut self, count: usize) -> Result<Self, BodyError> {
        self.claim(count, |limit| BodyError::Bomb { limit })?;
        self.bytes = vec![0; count];
        Ok(self)
    }

    /// The body, to be written over.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// Reads and decompresses a body of at most `limit` in either form.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    (limit, room): (Limit, &Arc<Room>),
) -> Result<Held, BodyError> {
    let encoding = Encoding::of(headers)?;
    let sent = read_as_sent(body, (limit, room)).await?;
    if encoding == Encoding::Identity {
        return Ok(sent);
    }
    // a small body may decompress to a large one, which takes long
    let _turn = TURNS.acquire().await;
    let unpacked = tokio::task::spawn_blocking(move || encoding.unpack(&sent)).await;
    unpacked.map_err(BodyError::Stopped)?
}

/// Reads a body of at most `limit`, and leaves it as it is.
pub(super) async fn read_as_sent(
    body: Incoming,
    (limit, room): (Limit, &Arc<Room>),
) -> Result<Held, BodyError> {
    if body.size_hint().lower() > limit.bytes as u64 {
        return Err(BodyError::TooLong { limit });
    }
    let mut sent = Held::new(room, limit);
    let announced = announced(&body);
    sent.bytes.reserve_exact(announced.min(MAX_RESERVED_BYTES));
    tokio::time::timeout(DEADLINE, collect(body, sent))
        .await
        .map_err(|_| BodyError::Late)?
}

/// How many bytes are still to come by the client's word.
fn announced(body: &Incoming) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

async fn collect(mut body: Incoming, mut sent: Held) -> Result<Held, BodyError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Cut(error.into()))?;
        let Some(data) = frame.data_ref() else { continue };
        if sent.bytes.capacity() - sent.bytes.len() < data.len() {
            let rest = data.len().saturating_add(announced(&body));
            sent.bytes.reserve(rest.min(MAX_TRUSTED_BYTES));
        }
        sent.push(data, |limit| BodyError::TooLong { limit })?;
    }
    Ok(sent)
}

/// Reads what comes with a request that is refused, or closing would reset the answer away. Not for long: strangers get
/// no patience.
pub(super) async fn discard(request: Request<Incoming>) {
    // whoever waits for a word of ours before sending the body shall get the refusal instead
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = request.into_body();
    let reading = async {
        let mut left = MAX_DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, bytes::Bytes::len)) else {
                return;
            };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(DISCARD_DEADLINE, reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_bodies_hold_is_bounded_and_given_back() {
        let too_long = |limit| BodyError::TooLong { limit };
        let room = Arc::default();
        let limit = Limit {
            bytes: 100,
            key: "pushgateway.max_body_bytes",
        };
        let mut first = Held::new(&room, limit);
        room.0.store(MAX_HELD_BYTES - 8, Ordering::Relaxed);
        first.push(b"12345678", too_long).unwrap();
        let mut second = Held::new(&room, limit);

        assert!(matches!(
            second.push(b"1", too_long),
            Err(BodyError::Crowded { .. })
        ));
        drop(first);

        second.push(b"12345678", too_long).unwrap();
    }
}
