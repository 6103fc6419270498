//! A lane: one ordered stream of requests. It takes what waits and sends it, one request at a time; a
//! lane that fails keeps only its own groups waiting.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::error;

use crate::codec::DecodeError;
use crate::normalise::Relabelling;

use super::batch::{AgeLimit, Batch, Handed, Parcel, Piece, Wishes};
use super::books::{Books, Outcome};
use super::complaints::Complaints;
use super::config::{BatchConfig, Takes};
use super::retry::backoff;
use super::search::Search;
use super::transport::{Code, SendError, Transport};

/// What the lanes of one remote share.
pub(super) struct Route<T> {
    pub(super) transport: T,
    pub(super) config: BatchConfig,
    pub(super) rules: Option<Relabelling>,
    pub(super) takes: Takes,
    pub(super) books: Arc<Books>,
    pub(super) complaints: Complaints,
    /// Rung by a lane whose remote answers again, for those that still wait.
    pub(super) recovered: Notify,
}

/// One lane.
pub(super) struct Lane<T> {
    number: u32,
    route: Arc<Route<T>>,
    waiting: mpsc::Receiver<Handed>,
    stop: watch::Receiver<bool>,
    left_over: Option<Piece>,
    search: Search,
}

/// A batch of which every sample has come to an end.
pub(super) struct Settled {
    pub(super) lane: u32,
    pub(super) batch: Batch,
    pub(super) outcome: Outcome,
}

/// How a request ended that will not be sent again as it is.
enum Answer {
    Accepted,
    /// All of it has grown too old; what is dropped is in the books.
    NothingLeft,
    /// It cannot be taken apart.
    Damaged(DecodeError),
    Split {
        status: u16,
        words: String,
    },
    Rejected {
        status: u16,
        words: String,
    },
}

/// The forwarder stops; what is not acknowledged stays in the queue.
struct Stopped;

impl<T: Transport> Lane<T> {
    pub(super) fn new(
        number: u32,
        route: Arc<Route<T>>,
        waiting: mpsc::Receiver<Handed>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            number,
            route,
            waiting,
            stop,
            left_over: None,
            search: Search::default(),
        }
    }

    /// Delivers until the forwarder stops, and hands what is settled over to be acknowledged.
    pub(super) async fn run(mut self, settling: mpsc::Sender<Settled>) {
        while let Ok(batch) = self.gather().await {
            let Ok(outcome) = self.deliver(&batch).await else {
                return;
            };
            let settled = Settled {
                lane: self.number,
                batch,
                outcome,
            };
            if settling.send(settled).await.is_err() {
                return;
            }
        }
    }

    /// Waits for a record and takes those that wait behind it, as far as one request goes.
    async fn gather(&mut self) -> Result<Batch, Stopped> {
        let first = match self.left_over.take() {
            Some(piece) => piece,
            None => self.first().await?,
        };
        let deadline = Instant::now() + self.route.config.batch_send_deadline;
        let mut fenced = first.handed.record.fence;
        let mut batch = Batch::of(first);
        let max_samples = self.max_samples();
        while batch.samples() < max_samples {
            let next = match self.waiting.try_recv() {
                Ok(handed) => handed,
                Err(_) if fenced => break,
                Err(_) => match self.wait_until(deadline).await? {
                    ControlFlow::Continue(handed) => handed,
                    ControlFlow::Break(()) => break,
                },
            };
            fenced |= next.record.fence;
            let piece = self.prepare(next);
            if !batch.has_room_for(&piece, max_samples) {
                self.left_over = Some(piece);
                break;
            }
            batch.push(piece);
        }
        Ok(batch)
    }

    async fn first(&mut self) -> Result<Piece, Stopped> {
        let handed = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => return Err(Stopped),
            handed = self.waiting.recv() => handed.ok_or(Stopped)?,
        };
        Ok(self.prepare(handed))
    }

    async fn wait_until(&mut self, deadline: Instant) -> Result<ControlFlow<(), Handed>, Stopped> {
        if self.route.config.batch_send_deadline.is_zero() {
            return Ok(ControlFlow::Break(()));
        }
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Err(Stopped),
            handed = timeout_at(deadline, self.waiting.recv()) => Ok(match handed {
                Ok(Some(handed)) => ControlFlow::Continue(handed),
                _ => ControlFlow::Break(()),
            }),
        }
    }

    fn prepare(&self, handed: Handed) -> Piece {
        let wishes = Wishes {
            rules: self.route.rules.as_ref(),
            takes: self.route.takes,
            max_samples: self.max_samples(),
        };
        Piece::prepare(handed, wishes)
    }

    fn max_samples(&self) -> u32 {
        self.route.config.max_samples_per_send.max(1)
    }

    /// Brings every sample of the batch to an end: accepted, rejected, or dropped.
    async fn deliver(&mut self, batch: &Batch) -> Result<Outcome, Stopped> {
        let mut outcome = Outcome::default();
        for piece in batch.pieces() {
            outcome.drop("write_relabel", piece.left_out.relabelled_away);
            outcome.drop("native_histogram", piece.left_out.histograms);
            outcome.drop("exemplar", piece.left_out.exemplars);
            self.route.complaints.left_out(piece.left_out);
            outcome.drop("unreadable", piece.unreadable());
            if let Some(error) = &piece.damage {
                self.report_damage(error, piece.unreadable());
            }
        }
        self.search.begin();
        let mut parcels = batch.parcels(self.max_samples());
        parcels.reverse();
        while let Some(mut parcel) = parcels.pop() {
            match self.send(&mut parcel, &mut outcome).await? {
                Answer::Accepted => {
                    self.search.accepted(parcel.single_piece());
                    outcome.sent += u64::from(parcel.samples());
                }
                Answer::NothingLeft => {}
                Answer::Rejected { status, words } => self.reject(&parcel, status, &words, &mut outcome),
                Answer::Split { status, words } => {
                    let goes_on = self.search.may_go_on(parcel.single_piece());
                    match parcel.halves() {
                        Ok(Some((first, second))) if goes_on => parcels.extend([second, first]),
                        _ => self.reject(&parcel, status, &words, &mut outcome),
                    }
                }
                Answer::Damaged(error) => {
                    self.report_damage(&error, parcel.samples());
                    outcome.drop("unreadable", parcel.samples());
                }
            }
        }
        Ok(outcome)
    }

    /// Sends until there is an answer; what grows too old meanwhile is left out of `parcel`.
    async fn send(&mut self, parcel: &mut Parcel, outcome: &mut Outcome) -> Result<Answer, Stopped> {
        let mut attempt = 0;
        let mut age = AgeLimit::new(self.route.config.sample_age_limit);
        let mut body = Bytes::new();
        loop {
            if *self.stop.borrow() {
                return Err(Stopped);
            }
            match age.take_out(parcel, self.route.books.now()) {
                Ok(0) if attempt > 0 => {}
                Ok(too_old) => {
                    outcome.drop("too_old", too_old);
                    if parcel.samples() == 0 {
                        return Ok(Answer::NothingLeft);
                    }
                    body = match parcel.body() {
                        Ok(body) => body,
                        Err(error) => return Ok(Answer::Damaged(error)),
                    };
                }
                Err(error) => return Ok(Answer::Damaged(error)),
            }
            let result = self.route.transport.send(body.clone(), attempt).await;
            let code = match &result {
                Ok(status) => Code::Status(*status),
                Err(error) => error.code(),
            };
            self.route.books.attempt(code, body.len(), attempt);
            let answer = match result {
                Err(SendError::Retry { after, words, .. }) => {
                    attempt += 1;
                    self.route.books.failed(&words);
                    self.pause(attempt, after, &words).await?;
                    continue;
                }
                Ok(_) => Answer::Accepted,
                Err(SendError::Split { status, words }) => Answer::Split { status, words },
                Err(SendError::Reject { status, words }) => Answer::Rejected { status, words },
            };
            if attempt > 0 {
                self.route.complaints.recovered();
                self.route.recovered.notify_waiters();
            }
            return Ok(answer);
        }
    }

    /// Waits before the next attempt: what the remote asked for, or until another lane finds it answering.
    async fn pause(&mut self, attempt: u32, after: Option<Duration>, words: &str) -> Result<(), Stopped> {
        let config = &self.route.config;
        let own = backoff(attempt, config.min_backoff, config.max_backoff, rand::random());
        let delay = after.unwrap_or_default().max(own);
        self.route.complaints.retry(words, attempt, delay);
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Err(Stopped),
            () = self.route.recovered.notified(), if after.is_none() => Ok(()),
            () = sleep(delay) => Ok(()),
        }
    }

    fn reject(&self, parcel: &Parcel, status: u16, words: &str, outcome: &mut Outcome) {
        let (series, samples) = (parcel.first_series(), parcel.samples());
        self.route.complaints.rejection(status, words, &series, samples);
        self.route.books.rejected(status, words, series, samples);
        outcome.reject(status, samples);
    }

    fn report_damage(&self, error: &DecodeError, sample_count: u32) {
        let remote = self.route.books.name();
        error!(remote, sample_count, %error, "samples of a queue record cannot be read");
    }
}
