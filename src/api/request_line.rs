//! A look at the first request line of a connection, before the HTTP library refuses it without a word.
//!
//! Flink sends the keys of `groupingKey` as they are written, so a blank around `=` or `;` ends up in the middle of the
//! request line, and Flink logs what we answer: the sentence is for whoever reads that log.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// Longest request line looked at; hyper's own limit for a whole head is larger.
const MAX_LINE_BYTES: usize = 16 << 10;

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const HTTP2_GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes have been looked at and are given out again.
#[derive(Debug)]
pub(super) struct Looked<S> {
    seen: BytesMut,
    stream: S,
}

/// Reads up to the first line feed and judges the line. The inner error is the sentence for the client.
pub(super) async fn look<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(Looked<S>, Result<(), String>)> {
    let mut seen = BytesMut::with_capacity(4096);
    while !is_enough(&seen) && seen.len() < MAX_LINE_BYTES {
        if stream.read_buf(&mut seen).await? == 0 {
            break;
        }
    }
    let line = seen
        .as_ref()
        .split(|byte: &u8| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let verdict = judge(line.strip_suffix(b"\r").unwrap_or(line));
    Ok((Looked { seen, stream }, verdict))
}

/// Whether the first line is there; where it begins as HTTP/2 does, the whole greeting, for which the HTTP library would
/// wait for ever.
fn is_enough(seen: &[u8]) -> bool {
    let is_greeting_so_far = seen.len() < HTTP2_GREETING.len() && HTTP2_GREETING.starts_with(seen);
    seen.contains(&b'\n') && !is_greeting_so_far
}

impl<S> Looked<S> {
    /// The connection itself, without what was looked at.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

/// Finds blanks, broken UTF-8, and what has to be escaped within the path; every other mistake is the HTTP library's to
/// find.
fn judge(line: &[u8]) -> Result<(), String> {
    let Some(rest) = line
        .iter()
        .position(|byte| *byte == b' ')
        .and_then(|at| line.get(at + 1..))
    else {
        return Ok(());
    };
    let Some(path) = rest
        .strip_suffix(b" HTTP/1.1")
        .or_else(|| rest.strip_suffix(b" HTTP/1.0"))
    else {
        return Ok(());
    };
    if path.contains(&b' ') {
        let path = String::from_utf8_lossy(path);
        return Err(format!(
            "the request line has a blank within its path: {path:?}. Flink sends the keys of groupingKey as they are written: remove the blanks around '=' and ';'. In other clients write a blank as %20"
        ));
    }
    if std::str::from_utf8(path).is_err() {
        let path = path.escape_ascii();
        return Err(format!(
            "the path is not valid UTF-8: \"{path}\". Write every byte that is no ASCII as percent and two hex digits of UTF-8"
        ));
    }
    unescaped(path).map_or(Ok(()), |byte| {
        let path = String::from_utf8_lossy(path);
        let byte = char::from(byte);
        Err(format!(
            "the request line has a bare {byte} within its path: {path:?}. Write \" as %22, < as %3C, > as %3E, ` as %60, # as %23; curl does so for a selector: curl -G --data-urlencode 'match[]={{job=\"a\"}}'"
        ))
    })
}

/// The first byte that the HTTP library takes for no part of a path or query, or cuts them off at.
fn unescaped(path: &[u8]) -> Option<u8> {
    let start_of_query = path.iter().position(|byte| *byte == b'?').unwrap_or(path.len());
    path.iter().enumerate().find_map(|(at, byte)| {
        let is_refused = match byte {
            b'<' | b'>' | b'#' => true,
            b'`' => at < start_of_query,
            b'"' => at > start_of_query,
            _ => false,
        };
        is_refused.then_some(*byte)
    })
}

impl<S: AsyncRead + Unpin> AsyncRead for Looked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.seen.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.seen.len().min(buffer.remaining());
        buffer.put_slice(self.seen.get(..count).unwrap_or_default());
        self.seen.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Looked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_within_the_path_is_named() {
        let refused = judge(b"PUT /metrics/job/empty/k2 /+v2/env/prod HTTP/1.1").unwrap_err();

        assert!(
            refused.contains("\"/metrics/job/empty/k2 /+v2/env/prod\""),
            "{refused}"
        );
    }

    #[test]
    fn broken_utf_8_within_the_path_is_shown() {
        let refused = judge(b"PUT /metrics/job/\xff HTTP/1.1").unwrap_err();

        assert!(refused.contains(r#""/metrics/job/\xff""#), "{refused}");
    }

    #[test]
    fn what_has_to_be_escaped_is_named() {
        for (line, said) in [
            (
                "GET /api/v1/metrics?match[]={job=\"a\"} HTTP/1.1",
                "a bare \" within",
            ),
            ("PUT /metrics/job/<a> HTTP/1.1", "a bare < within"),
            ("PUT /metrics/job/a> HTTP/1.0", "a bare > within"),
            ("PUT /metrics/job/`a HTTP/1.1", "a bare ` within"),
            ("PUT /metrics/job/a#b HTTP/1.1", "a bare # within"),
        ] {
            let refused = judge(line.as_bytes()).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn other_lines_are_left_to_the_http_library() {
        for line in [
            "GET / HTTP/1.1",
            "PUT /metrics/job/\"a\" HTTP/1.1",
            "GET /?a=` HTTP/1.1",
            "PRI * HTTP/2.0",
            "nonsense",
            "",
            "a b c",
        ] {
            assert_eq!(judge(line.as_bytes()), Ok(()), "{line}");
        }
    }

    #[tokio::test]
    async fn what_was_looked_at_is_read_again() {
        let (mut looked, _) = look(&b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody"[..]).await.unwrap();

        let mut all = String::new();
        looked.read_to_string(&mut all).await.unwrap();

        assert_eq!(all, "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody");
    }
}
