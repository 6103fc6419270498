//! A request's body: read within a limit and a deadline, decompressed within the same limit.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};

use super::encoding::Encoding;

/// How long a whole body may take. Flink gives up on its side after ten seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {limit} bytes, the limit of pushgateway.max_body_bytes")]
    TooLong { limit: usize },
    #[error("the body decompresses to more than {limit} bytes, the limit of pushgateway.max_body_bytes")]
    Bomb { limit: usize },
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
    #[error("the body did not arrive within {} seconds", DEADLINE.as_secs())]
    Late,
    #[error("the body ended early: {0}")]
    Cut(Box<dyn std::error::Error + Send + Sync>),
}

/// Reads and decompresses a body of at most `limit` bytes in either form.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let encoding = Encoding::of(headers)?;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLong { limit });
    }
    let collected = tokio::time::timeout(DEADLINE, Limited::new(body, limit).collect()).await;
    let sent = match collected.map_err(|_| BodyError::Late)? {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(BodyError::TooLong { limit }),
        Err(error) => return Err(BodyError::Cut(error)),
    };
    if encoding == Encoding::Identity {
        return Ok(sent);
    }
    // a few bytes may unpack to the whole limit, which must hold up nobody else
    let unpacked = tokio::task::spawn_blocking(move || encoding.unpack(sent, limit)).await;
    unpacked.map_err(BodyError::Stopped)?
}
