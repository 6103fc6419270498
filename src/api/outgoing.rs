//! Bodies of answers: whole, or written while they are sent.
//!
//! What is long is written on a thread of its own, which waits while its reader is slow. Between the two are a few
//! chunks, and no more. A reader who takes too long, or has gone, ends the writing; a body that was not written to its
//! end is sent as one that breaks off, so that nobody takes it for all there is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Length of a chunk: what a socket takes at once, more or less.
const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that wait for the reader.
const MAX_WAITING: usize = 4;

/// How long a reader may take for one chunk. Whoever takes nothing for so long takes nothing any more.
const CHUNK_DEADLINE: Duration = Duration::from_secs(10);

/// How long a reader may take for everything. Prometheus gives up after ten seconds, unless it is told otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Outgoing {
    Whole(Full<Bytes>),
    Stream(Stream),
}

/// A body that is written while it is sent.
#[derive(Debug)]
pub(super) struct Stream {
    chunks: mpsc::Receiver<Chunk>,
    has_ended: bool,
}

/// What stands between writer and reader.
#[derive(Debug)]
enum Chunk {
    Bytes(Bytes),
    /// There is no more.
    End,
}

/// Why a body breaks off.
#[derive(Debug, thiserror::Error)]
#[error("the body was not written to its end")]
pub(super) struct BrokenOff;

impl Outgoing {
    /// Nothing.
    pub(super) fn empty() -> Self {
        Self::Whole(Full::default())
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Self::Whole(Bytes::from(text).into())
    }
}

impl Stream {
    /// A body, and where it is written. To be called on a thread that the runtime knows.
    pub(super) fn new() -> (Self, Chunks) {
        Self::with_patience(CHUNK_DEADLINE)
    }

    fn with_patience(patience: Duration) -> (Self, Chunks) {
        let (sender, chunks) = mpsc::channel(MAX_WAITING);
        let stream = Self {
            chunks,
            has_ended: false,
        };
        let chunks = Chunks {
            sender,
            filling: Vec::new(),
            runtime: Handle::current(),
            deadline: Instant::now() + DEADLINE,
            patience,
        };
        (stream, chunks)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let stream = match self.get_mut() {
            Self::Whole(whole) => {
                return Pin::new(whole)
                    .poll_frame(context)
                    .map_err(|never| match never {});
            }
            Self::Stream(stream) => stream,
        };
        if stream.has_ended {
            return Poll::Ready(None);
        }
        let chunk = ready!(stream.chunks.poll_recv(context));
        stream.has_ended = !matches!(chunk, Some(Chunk::Bytes(_)));
        Poll::Ready(match chunk {
            Some(Chunk::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Chunk::End) => None,
            None => Some(Err(BrokenOff)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Stream(stream) => stream.has_ended,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Where a body is written: on a thread that may wait.
#[derive(Debug)]
pub(super) struct Chunks {
    sender: mpsc::Sender<Chunk>,
    filling: Vec<u8>,
    runtime: Handle,
    deadline: Instant,
    /// How long the reader may take for one chunk.
    patience: Duration,
}

impl Chunks {
    /// Says that this was all.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.hand_over()?;
        self.send(Chunk::End)
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.filling.is_empty() {
            return Ok(());
        }
        let full = std::mem::take(&mut self.filling);
        self.send(Chunk::Bytes(full.into()))
    }

    fn send(&self, chunk: Chunk) -> io::Result<()> {
        let deadline = self.deadline.min(Instant::now() + self.patience);
        let sent = self
            .runtime
            .block_on(async { timeout_at(deadline, self.sender.send(chunk)).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filling.capacity() == 0 {
            self.filling.reserve(CHUNK_BYTES);
        }
        let room = CHUNK_BYTES.saturating_sub(self.filling.len());
        let (taken, _) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.filling.extend_from_slice(taken);
        if self.filling.len() >= CHUNK_BYTES {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    /// Chunks are handed over when they are full, and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_written_arrives_in_chunks() {
        let (stream, mut chunks) = Stream::new();
        let written: Vec<u8> = (0..=255).cycle().take(10 * CHUNK_BYTES + 1).collect();
        let expected = written.clone();

        let writing = tokio::task::spawn_blocking(move || {
            for part in written.chunks(10_000) {
                chunks.write_all(part).unwrap();
            }
            chunks.end()
        });
        let mut body = Outgoing::Stream(stream);
        let (mut lengths, mut arrived) = (Vec::new(), Vec::new());
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            lengths.push(data.len());
            arrived.extend_from_slice(&data);
        }

        writing.await.unwrap().unwrap();
        assert_eq!(arrived, expected);
        assert_eq!(lengths, [vec![CHUNK_BYTES; 10], vec![1]].concat());
    }

    #[tokio::test]
    async fn a_body_that_nobody_ends_breaks_off() {
        let (stream, mut chunks) = Stream::new();

        chunks.write_all(b"some").unwrap();
        drop(chunks);

        assert!(Outgoing::Stream(stream).collect().await.is_err());
    }

    #[tokio::test]
    async fn writing_ends_when_the_reader_has_gone() {
        let (stream, mut chunks) = Stream::new();

        drop(stream);
        let writing = tokio::task::spawn_blocking(move || chunks.write_all(&[0; CHUNK_BYTES]));

        assert_eq!(
            writing.await.unwrap().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }

    #[tokio::test]
    async fn writing_ends_when_the_reader_takes_nothing_and_no_more_than_a_few_chunks_wait() {
        let (stream, mut chunks) = Stream::with_patience(Duration::from_millis(1));

        let writing = tokio::task::spawn_blocking(move || {
            let mut count = 0;
            loop {
                if let Err(error) = chunks.write_all(&[0; CHUNK_BYTES]) {
                    return (count, error.kind());
                }
                count += 1;
            }
        });

        assert_eq!(writing.await.unwrap(), (MAX_WAITING, io::ErrorKind::TimedOut));
        drop(stream);
    }
}
