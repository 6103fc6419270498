//! A request's body: read within a limit and a deadline, decompressed within the same limit.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, EXPECT};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

/// How long a whole body may take. Flink gives up on its side after ten seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a body that nobody wants is listened to.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);

/// Most of a body that nobody wants: several times a usual push.
const MAX_DISCARDED_BYTES: usize = 1 << 20;

/// Most bytes that all bodies together hold at once, or two of the largest if that is more. It is eight of the largest
/// by default, and thousands of Flink's.
const MAX_HELD_BYTES: usize = 512 << 20;

/// Most bytes that are reserved on a client's word: the largest push seen of Flink fits.
const MAX_RESERVED_BYTES: usize = 1 << 20;

/// Bytes that are decompressed before it is looked whether there is room for more.
const CHUNK_BYTES: usize = 64 << 10;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {limit} bytes, the limit of pushgateway.max_body_bytes")]
    TooLong { limit: usize },
    #[error("the body decompresses to more than {limit} bytes, the limit of pushgateway.max_body_bytes")]
    Bomb { limit: usize },
    #[error("the Content-Encoding {0:?} is not understood: send the body as it is, or with gzip")]
    UnknownEncoding(String),
    #[error("the body is not the gzip stream that Content-Encoding says: {0}")]
    Gzip(std::io::Error),
    #[error("the bodies of all pushes under way take {limit} bytes, the most there may be: push again")]
    Crowded { limit: usize },
    #[error("the body did not arrive within {} seconds", DEADLINE.as_secs())]
    Late,
    #[error("the body ended early: {0}")]
    Cut(Box<dyn std::error::Error + Send + Sync>),
}

/// The memory that all bodies share.
#[derive(Debug, Default)]
pub(super) struct Room(AtomicUsize);

/// A body in memory, and its share of the room.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    room: Arc<Room>,
    limit: usize,
}

impl Held {
    fn new(room: &Arc<Room>, limit: usize) -> Self {
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

    /// Appends `more`, unless the body is longer then than it may be (`too_long`), or there is no room.
    fn push(&mut self, more: &[u8], too_long: fn(usize) -> BodyError) -> Result<(), BodyError> {
        if more.len() > self.limit.saturating_sub(self.bytes.len()) {
            return Err(too_long(self.limit));
        }
        let limit = MAX_HELD_BYTES.max(self.limit.saturating_mul(2));
        let take = |held: usize| held.checked_add(more.len()).filter(|held| *held <= limit);
        if self
            .room
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_err()
        {
            return Err(BodyError::Crowded { limit });
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// Reads and decompresses a body of at most `limit` bytes in either form.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    (limit, room): (usize, &Arc<Room>),
) -> Result<Held, BodyError> {
    let is_gzip = is_gzip(headers)?;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLong { limit });
    }
    let mut sent = Held::new(room, limit);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
    sent.bytes.reserve(announced.min(MAX_RESERVED_BYTES));
    let sent = tokio::time::timeout(DEADLINE, collect(body, sent))
        .await
        .map_err(|_| BodyError::Late)??;
    if !is_gzip {
        return Ok(sent);
    }
    // a small body may decompress to a large one, which takes long
    let plain = tokio::task::spawn_blocking(move || gunzip(&sent)).await;
    plain.unwrap_or_else(|error| Err(BodyError::Gzip(std::io::Error::other(error))))
}

async fn collect(mut body: Incoming, mut sent: Held) -> Result<Held, BodyError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Cut(error.into()))?;
        if let Some(data) = frame.data_ref() {
            sent.push(data, |limit| BodyError::TooLong { limit })?;
        }
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

fn is_gzip(headers: &HeaderMap) -> Result<bool, BodyError> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding.to_str().unwrap_or("").trim() {
        "" if encoding.is_empty() => Ok(false),
        word if word.eq_ignore_ascii_case("identity") => Ok(false),
        word if word.eq_ignore_ascii_case("gzip") => Ok(true),
        _ => Err(BodyError::UnknownEncoding(
            String::from_utf8_lossy(encoding.as_bytes()).into_owned(),
        )),
    }
}

fn gunzip(sent: &Held) -> Result<Held, BodyError> {
    let mut plain = Held::new(&sent.room, sent.limit);
    let mut decoder = MultiGzDecoder::new(sent.bytes());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = decoder.read(&mut chunk).map_err(BodyError::Gzip)?;
        if count == 0 {
            return Ok(plain);
        }
        plain.push(chunk.get(..count).unwrap_or_default(), |limit| BodyError::Bomb {
            limit,
        })?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(sent: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
        let mut held = Held::new(&Arc::default(), limit);
        held.bytes = sent.to_vec();
        held.room.0.store(sent.len(), Ordering::Relaxed);
        gunzip(&held).map(|plain| plain.bytes().to_vec())
    }

    #[test]
    fn a_gzip_body_comes_out_as_it_was() {
        assert_eq!(unpacked(&gzip(b"a 1\n"), 100).unwrap(), b"a 1\n");
    }

    #[test]
    fn a_gzip_body_cut_anywhere_is_refused() {
        let whole = gzip(b"a 1\nb 2\n");

        for end in 0..whole.len() {
            assert!(
                matches!(unpacked(&whole[..end], 100), Err(BodyError::Gzip(_))),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![b'a'; 1 << 20]);

        assert!(matches!(
            unpacked(&bomb, 1000),
            Err(BodyError::Bomb { limit: 1000 })
        ));
    }

    #[test]
    fn what_all_bodies_hold_is_bounded_and_given_back() {
        let too_long = |limit| BodyError::TooLong { limit };
        let room = Arc::default();
        let mut first = Held::new(&room, 100);
        room.0.store(MAX_HELD_BYTES - 8, Ordering::Relaxed);
        first.push(b"12345678", too_long).unwrap();
        let mut second = Held::new(&room, 100);

        assert!(matches!(
            second.push(b"1", too_long),
            Err(BodyError::Crowded { .. })
        ));
        drop(first);

        second.push(b"12345678", too_long).unwrap();
    }

    #[test]
    fn an_encoding_that_is_not_understood_is_refused() {
        for (value, expected) in [
            ("gzip", Some(true)),
            ("GZIP", Some(true)),
            ("identity", Some(false)),
            ("gzip, gzip", None),
            ("br", None),
        ] {
            let headers: HeaderMap = [(CONTENT_ENCODING, value.parse().unwrap())].into_iter().collect();
            assert_eq!(is_gzip(&headers).ok(), expected, "{value}");
        }
    }
}
