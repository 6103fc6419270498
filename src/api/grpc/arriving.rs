//! What arrives of a call: its unread messages count against a room that all calls share, each has a time to arrive
//! whole, and nothing more arrives once we stop.
//!
//! The library below asks for more only when it has given away every whole message and that has been dealt with.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};
use tonic::Status;

use super::status;

/// How long a message may take to arrive, as the body of a request at the HTTP door.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(60);

/// What stands before each message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Messages of all calls that are not read yet, in bytes.
#[derive(Debug)]
pub(super) struct Unread {
    bytes: AtomicUsize,
    most: usize,
}

impl Unread {
    /// Room for so many bytes.
    pub(super) const fn new(most: usize) -> Self {
        let bytes = AtomicUsize::new(0);
        Self { bytes, most }
    }

    fn claim(&self, more: usize) -> Result<(), Status> {
        let take = |held: usize| held.checked_add(more).filter(|held| *held <= self.most);
        let claimed = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        claimed.map(drop).map_err(|_| status::no_room(self.most))
    }

    fn give_back(&self, less: usize) {
        self.bytes.fetch_sub(less, Ordering::Relaxed);
    }
}

/// The calls of one connection that are under way, and how many there ever were.
#[derive(Debug, Default)]
pub(super) struct Calls {
    under_way: AtomicUsize,
    ever: AtomicUsize,
}

impl Calls {
    /// How many have begun, if none is under way.
    pub(super) fn at_rest(&self) -> Option<usize> {
        let is_resting = self.under_way.load(Ordering::Acquire) == 0;
        is_resting.then(|| self.ever.load(Ordering::Acquire))
    }
}

/// What a call brings.
pub(super) struct Arriving<B> {
    body: B,
    unread: Arc<Unread>,
    calls: Arc<Calls>,
    /// Bytes that are claimed.
    claimed: usize,
    message: Message,
    late: Pin<Box<Sleep>>,
    /// Whether it was ended before its end.
    is_cut: bool,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The message that has not arrived whole.
#[derive(Debug, Default)]
struct Message {
    /// What has come of its prefix.
    prefix: Vec<u8>,
    /// How much of it has come, with its prefix.
    came: usize,
}

impl Message {
    /// Follows what came to where the last message begins that is not whole.
    fn follow(&mut self, mut came: Bytes) {
        while came.has_remaining() {
            let missing = (PREFIX_BYTES - self.prefix.len()).min(came.len());
            self.prefix.extend_from_slice(&came.split_to(missing));
            self.came += missing;
            let Some(length) = self.length() else { return };
            let missing = (PREFIX_BYTES + length - self.came).min(came.len());
            came.advance(missing);
            self.came += missing;
            if self.came == PREFIX_BYTES + length {
                *self = Self::default();
            }
        }
    }

    fn length(&self) -> Option<usize> {
        let length = self.prefix.get(1..PREFIX_BYTES)?;
        Some(length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }
}

impl<B> Arriving<B> {
    /// What `body` brings, until `stop` changes.
    pub(super) fn new(
        body: B,
        unread: Arc<Unread>,
        calls: Arc<Calls>,
        mut stop: watch::Receiver<bool>,
    ) -> Self {
        calls.ever.fetch_add(1, Ordering::AcqRel);
        calls.under_way.fetch_add(1, Ordering::AcqRel);
        Self {
            body,
            unread,
            calls,
            claimed: 0,
            message: Message::default(),
            late: Box::pin(sleep(MESSAGE_DEADLINE)),
            is_cut: false,
            stop: Box::pin(async move {
                let _ = stop.wait_for(|stop| *stop).await;
            }),
        }
    }

    /// Finds room for what came.
    fn take_in(&mut self, data: &Bytes) -> Result<(), Status> {
        if self.claimed == 0 {
            self.late.as_mut().reset(Instant::now() + MESSAGE_DEADLINE);
        }
        if let Err(why) = self.unread.claim(data.len()) {
            self.is_cut = true;
            return Err(why);
        }
        self.claimed += data.len();
        self.message.follow(data.clone());
        Ok(())
    }

    /// Why nothing more is waited for, if so.
    fn cut(&mut self, context: &mut Context<'_>) -> Option<Status> {
        let why = if self.stop.as_mut().poll(context).is_ready() {
            status::stopping()
        } else if self.claimed > 0 && self.late.as_mut().poll(context).is_ready() {
            status::late("a message did not arrive in time")
        } else {
            return None;
        };
        self.is_cut = true;
        Some(why)
    }

    /// Gives back what whole messages took; from then on the one that is not whole has its time.
    fn dealt_with(&mut self) {
        let dealt_with = self.claimed - self.message.came;
        if dealt_with > 0 {
            self.unread.give_back(dealt_with);
            self.claimed = self.message.came;
            self.late.as_mut().reset(Instant::now() + MESSAGE_DEADLINE);
        }
    }
}

impl<B> Body for Arriving<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.is_cut {
            return Poll::Ready(None);
        }
        this.dealt_with();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    this.take_in(data)?;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(ended) => Poll::Ready(ended.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => match this.cut(context) {
                Some(why) => Poll::Ready(Some(Err(why.into()))),
                None => Poll::Pending,
            },
        }
    }
}

impl<B> Drop for Arriving<B> {
    fn drop(&mut self) {
        self.unread.give_back(self.claimed);
        self.calls.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    type Frames = Result<Frame<Bytes>, Status>;

    struct Call {
        sending: mpsc::Sender<Frames>,
        arriving: Arriving<StreamBody<ReceiverStream<Frames>>>,
        unread: Arc<Unread>,
        calls: Arc<Calls>,
        stop: watch::Sender<bool>,
    }

    fn call(most: usize) -> Call {
        let (sending, came) = mpsc::channel(8);
        let body = StreamBody::new(ReceiverStream::new(came));
        let (unread, calls) = (Arc::new(Unread::new(most)), Arc::default());
        let (stop, stopped) = watch::channel(false);
        let arriving = Arriving::new(body, Arc::clone(&unread), Arc::clone(&calls), stopped);
        Call {
            sending,
            arriving,
            unread,
            calls,
            stop,
        }
    }

    impl Call {
        async fn came(&mut self, bytes: &'static [u8]) -> Result<usize, tonic::Code> {
            let frame = Frame::data(Bytes::from_static(bytes));
            self.sending.send(Ok(frame)).await.unwrap();
            self.next()
                .await
                .map(|()| self.unread.bytes.load(Ordering::Relaxed))
        }

        async fn next(&mut self) -> Result<(), tonic::Code> {
            let frame = self.arriving.frame().await.unwrap();
            frame
                .map(drop)
                .map_err(|error| error.downcast::<Status>().unwrap().code())
        }
    }

    #[tokio::test]
    async fn what_is_not_dealt_with_takes_room_and_a_whole_message_gives_it_back() {
        let mut call = call(1000);

        assert_eq!(call.came(b"\0\0\0\0\x03abc\0\0").await, Ok(10));
        assert_eq!(call.came(b"\0\0\x04a").await, Ok(6));
        assert_eq!(call.came(b"bcd\0\0\0\0\0").await, Ok(14));
        assert_eq!(call.came(b"\0").await, Ok(1));
        assert_eq!(call.calls.at_rest(), None);

        drop(call.arriving);
        assert_eq!(call.unread.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(call.calls.at_rest(), Some(1));
    }

    #[tokio::test]
    async fn a_message_without_room_ends_its_call_alone() {
        let mut call = call(8);

        assert_eq!(call.came(b"\0\0\0\0\x09abc").await, Ok(8));
        assert_eq!(call.came(b"d").await, Err(tonic::Code::ResourceExhausted));
        assert_eq!(call.unread.bytes.load(Ordering::Relaxed), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_drips_is_late_and_a_silent_call_is_not() {
        let mut call = call(1000);
        let silent = tokio::time::timeout(2 * MESSAGE_DEADLINE, call.next()).await;

        call.came(b"\0\0\0\0\x09abc").await.unwrap();
        tokio::time::advance(MESSAGE_DEADLINE / 2).await;
        call.came(b"d").await.unwrap();
        let begun = Instant::now();

        assert!(silent.is_err());
        assert_eq!(call.next().await, Err(tonic::Code::DeadlineExceeded));
        assert!(begun.elapsed() <= MESSAGE_DEADLINE / 2 + Duration::from_secs(1));
    }

    #[tokio::test]
    async fn nothing_more_is_waited_for_once_we_stop() {
        let mut call = call(1000);

        call.stop.send_replace(true);

        assert_eq!(call.next().await, Err(tonic::Code::Unavailable));
    }
}
