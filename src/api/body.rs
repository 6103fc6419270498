//! A request's body: read within a limit and a deadline, decompressed within the same limit.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, EXPECT};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};

/// How long a whole body may take. Flink gives up on its side after ten seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long a body that nobody wants is listened to.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);

/// Most of a body that nobody wants: several times a usual push.
const MAX_DISCARDED_BYTES: usize = 1 << 20;

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
    #[error("the body did not arrive within {} seconds", DEADLINE.as_secs())]
    Late,
    #[error("the body ended early: {0}")]
    Cut(Box<dyn std::error::Error + Send + Sync>),
}

/// Reads and decompresses a body of at most `limit` bytes in either form.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let is_gzip = is_gzip(headers)?;
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLong { limit });
    }
    let collected = tokio::time::timeout(DEADLINE, Limited::new(body, limit).collect()).await;
    let sent = match collected.map_err(|_| BodyError::Late)? {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(BodyError::TooLong { limit }),
        Err(error) => return Err(BodyError::Cut(error)),
    };
    if is_gzip { gunzip(&sent, limit) } else { Ok(sent) }
}

/// Reads what comes with a request that is refused, or closing would reset the answer away. Not for long: strangers get
/// no patience.
pub(super) async fn discard(request: Request<Incoming>) {
    // whoever waits for a word of ours before sending the body shall get the refusal instead
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let body = Limited::new(request.into_body(), MAX_DISCARDED_BYTES);
    let _ = tokio::time::timeout(DISCARD_DEADLINE, body.collect()).await;
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

fn gunzip(sent: &[u8], limit: usize) -> Result<Bytes, BodyError> {
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(sent).take(limit as u64 + 1);
    decoder.read_to_end(&mut plain).map_err(BodyError::Gzip)?;
    if plain.len() > limit {
        return Err(BodyError::Bomb { limit });
    }
    Ok(plain.into())
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

    #[test]
    fn a_gzip_body_comes_out_as_it_was() {
        assert_eq!(gunzip(&gzip(b"a 1\n"), 100).unwrap(), "a 1\n");
    }

    #[test]
    fn a_gzip_body_cut_anywhere_is_refused() {
        let whole = gzip(b"a 1\nb 2\n");

        for end in 0..whole.len() {
            assert!(
                matches!(gunzip(&whole[..end], 100), Err(BodyError::Gzip(_))),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![b'a'; 1 << 20]);

        assert!(matches!(
            gunzip(&bomb, 1000),
            Err(BodyError::Bomb { limit: 1000 })
        ));
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
