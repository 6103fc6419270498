//! A connection whose client is waited for, but not for ever: one that takes nothing of what we write is cut off, and
//! one that still sends when we close is listened to for a while, or closing would reset our last answer away.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::Sleep;

/// How long a client may take nothing of what we write. It is beyond any hiccup of a network.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How long a client may go on sending after our last word.
const FAREWELL: Duration = Duration::from_secs(5);

/// Most that it may send then: some bodies of the longest kind, which are not worth a connection each.
const MAX_FAREWELL_BYTES: usize = 256 << 20;

/// Bytes of it read at once.
const STEP_BYTES: usize = 16 << 10;

/// A connection with patience.
pub(super) struct Patient<S> {
    stream: S,
    stop: watch::Receiver<bool>,
    /// Runs while we wait to write, and from our last word on.
    deadline: Option<Pin<Box<Sleep>>>,
    /// What may still come after our last word; `None` before it.
    farewell: Option<usize>,
}

impl<S> Patient<S> {
    /// Has patience with the client of `stream`, but for the last word when it is time to stop.
    pub(super) const fn new(stream: S, stop: watch::Receiver<bool>) -> Self {
        Self {
            stream,
            stop,
            deadline: None,
            farewell: None,
        }
    }

    /// What `wrote` says; an error when it has said nothing for too long.
    fn in_time<T>(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.deadline = None;
            return wrote;
        }
        ready!(self.wait(context, WRITE_DEADLINE));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read what is written to it",
        )))
    }

    fn wait(&mut self, context: &mut Context<'_>, span: Duration) -> Poll<()> {
        let deadline = &mut self.deadline;
        let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(span)));
        deadline.as_mut().poll(context)
    }
}

impl<S: AsyncRead + Unpin> Patient<S> {
    /// Reads what still comes, until there is no more or it has been enough.
    fn listen_on(&mut self, context: &mut Context<'_>, mut left: usize) -> Poll<()> {
        let mut step = [0; STEP_BYTES];
        while left > 0 && !*self.stop.borrow() {
            let mut buffer = ReadBuf::new(&mut step);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    left = left.saturating_sub(buffer.filled().len());
                    self.farewell = Some(left);
                }
                Poll::Ready(_) => break,
                Poll::Pending => return self.wait(context, FAREWELL),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, wrote)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, wrote)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.farewell.is_none() {
            let said = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.in_time(context, said))?;
            self.farewell = Some(MAX_FAREWELL_BYTES);
        }
        let left = self.farewell.unwrap_or_default();
        ready!(self.listen_on(context, left));
        self.farewell = Some(0);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;

    fn connection() -> (Patient<DuplexStream>, DuplexStream, watch::Sender<bool>) {
        let (ours, theirs) = duplex(64);
        let (stop, stopping) = watch::channel(false);
        (Patient::new(ours, stopping), theirs, stop)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (mut patient, _silent, _stop) = connection();
        let begun = Instant::now();

        let written = patient.write_all(&[b'x'; 1000]).await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), WRITE_DEADLINE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_little_but_now_and_then_is_not() {
        let (mut patient, mut slow, _stop) = connection();
        let reading = async {
            let mut read = Vec::new();
            while slow.read_buf(&mut read).await.unwrap() > 0 {
                tokio::time::sleep(WRITE_DEADLINE * 9 / 10).await;
            }
            read.len()
        };

        let writing = async move { patient.write_all(&[b'x'; 1000]).await };
        let (written, read) = tokio::join!(writing, reading);

        assert_eq!((written.is_ok(), read), (true, 1000));
    }

    #[tokio::test(start_paused = true)]
    async fn what_still_comes_after_the_last_word_is_read_for_a_while() {
        let (mut patient, mut theirs, _stop) = connection();
        let begun = Instant::now();
        let sending = async {
            theirs.write_all(&[b'x'; 1000]).await.unwrap();
            begun.elapsed()
        };

        let (_, sent_after) = tokio::join!(patient.shutdown(), sending);

        assert_eq!((sent_after.as_secs(), begun.elapsed()), (0, FAREWELL));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_gone_or_is_told_to_go_is_not_waited_for() {
        let begun = Instant::now();
        for is_stopping in [true, false] {
            let (mut patient, theirs, stop) = connection();
            let _kept = is_stopping.then_some(theirs);
            stop.send_replace(is_stopping);
            patient.shutdown().await.unwrap();
        }

        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
