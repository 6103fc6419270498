//! Answers that are written while they are sent, so that what is long never stands in memory as a whole.
//!
//! The writer has a thread of its own and waits for the reader after a few chunks. A reader that takes nothing for some
//! time is cut off, so that it holds up the writer no longer than that; one that has gone ends the writing. An answer
//! that could not be written to its end breaks off, so that nobody takes a part for the whole.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tracing::{debug, warn};

/// Bytes handed on at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that wait for the reader.
const MAX_WAITING_CHUNKS: usize = 2;

/// How long a reader may take nothing. Prometheus gives up after ten seconds by default.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer waits for its turn.
const TURN_PATIENCE: Duration = Duration::from_secs(30);

/// Answers that are written at once; the others wait. Each may wait for a slow reader and holds a thread of the pool on
/// which long pushes are read too, so they must be few beside its 512.
const MAX_WRITERS: usize = 16;

/// Lets answers be written, so many at once.
#[derive(Clone, Debug)]
pub(super) struct Writers(Arc<Semaphore>);

impl Default for Writers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_WRITERS)))
    }
}

impl Writers {
    /// What `write` writes, as a body; `None` when its turn does not come.
    pub(super) async fn stream<E, F>(&self, write: F) -> Option<Written>
    where
        E: std::error::Error,
        F: FnOnce(&mut Chunks) -> Result<(), E> + Send + 'static,
    {
        let turn = timeout(TURN_PATIENCE, Arc::clone(&self.0).acquire_owned());
        let turn = turn.await.ok()?.ok()?;
        let (to, chunks) = mpsc::channel(MAX_WAITING_CHUNKS);
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks {
                to,
                runtime,
                buffer: BytesMut::with_capacity(CHUNK_BYTES),
                is_read: true,
            };
            match write(&mut chunks) {
                Ok(()) => chunks.end(),
                Err(error) if chunks.is_read => warn!(%error, "an answer could not be written to its end"),
                Err(error) => debug!(%error, "an answer was not read to its end"),
            }
            drop(turn);
        });
        Some(Written {
            chunks,
            is_whole: false,
        })
    }
}

/// A piece of an answer.
#[derive(Debug)]
enum Piece {
    Chunk(Bytes),
    End,
}

/// Takes what is written and hands it on in chunks.
#[derive(Debug)]
pub(super) struct Chunks {
    to: mpsc::Sender<Piece>,
    runtime: Handle,
    buffer: BytesMut,
    is_read: bool,
}

impl Chunks {
    fn hand_on(&mut self, piece: Piece) -> io::Result<()> {
        let sending = timeout(PATIENCE, self.to.send(piece));
        let why = match self.runtime.block_on(sending) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => io::ErrorKind::BrokenPipe,
            Err(_) => io::ErrorKind::TimedOut,
        };
        self.is_read = false;
        Err(why.into())
    }

    fn end(mut self) {
        let ended = self.flush().and_then(|()| self.hand_on(Piece::End));
        if let Err(error) = ended {
            debug!(%error, "an answer was not read to its end");
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.put_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        self.buffer.reserve(CHUNK_BYTES);
        self.hand_on(Piece::Chunk(chunk))
    }
}

/// An answer that is being written.
#[derive(Debug)]
pub(super) struct Written {
    chunks: mpsc::Receiver<Piece>,
    is_whole: bool,
}

/// The body of any answer.
#[derive(Debug)]
pub(super) enum Answer {
    Whole(Full<Bytes>),
    Written(Written),
}

impl From<Bytes> for Answer {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Written(written) => written.poll_piece(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Written(written) => written.is_whole,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Written(_) => SizeHint::default(),
        }
    }
}

impl Written {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.chunks.poll_recv(context)) {
            Some(Piece::Chunk(chunk)) => Some(Ok(Frame::data(chunk))),
            Some(Piece::End) => {
                self.is_whole = true;
                None
            }
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn written<F>(write: F) -> Answer
    where
        F: FnOnce(&mut Chunks) -> io::Result<()> + Send + 'static,
    {
        Answer::Written(Writers::default().stream(write).await.unwrap())
    }

    #[tokio::test]
    async fn what_is_written_is_read_in_chunks_to_its_end() {
        let mut answer = written(|out| {
            for _ in 0..100_000 {
                out.write_all(b"0123456789")?;
            }
            Ok(())
        })
        .await;

        let (mut total, mut largest) = (0, 0);
        while let Some(frame) = answer.frame().await {
            let chunk = frame.unwrap().into_data().unwrap();
            total += chunk.len();
            largest = largest.max(chunk.len());
        }

        assert_eq!(total, 1_000_000);
        assert!(largest < CHUNK_BYTES + 10, "{largest}");
    }

    #[tokio::test]
    async fn an_answer_that_fails_breaks_off() {
        let answer = written(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::InvalidData.into())
        })
        .await;

        let read = answer.collect().await;

        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_reader_that_goes_ends_the_writing() {
        let (done, outcome) = tokio::sync::oneshot::channel();
        let answer = written(move |out| {
            let written = (0..).try_for_each(|_| out.write_all(&[0; 1000]));
            done.send(written.unwrap_err().kind()).unwrap();
            Ok(())
        })
        .await;

        drop(answer);

        assert_eq!(outcome.await, Ok(io::ErrorKind::BrokenPipe));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_cut_off() {
        let (done, mut outcome) = tokio::sync::oneshot::channel();
        let _answer = written(move |out| {
            let written = (0..).try_for_each(|_| out.write_all(&[0; 1000]));
            done.send(written.unwrap_err().kind()).unwrap();
            Ok(())
        })
        .await;

        let kind = loop {
            tokio::select! {
                biased;
                kind = &mut outcome => break kind,
                () = tokio::time::advance(PATIENCE) => {}
            }
        };

        assert_eq!(kind, Ok(io::ErrorKind::TimedOut));
    }
}
