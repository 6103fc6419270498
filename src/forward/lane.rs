//! A lane: one ordered stream of requests. It takes what waits and sends it, one request at a time; a
//! lane that fails keeps only its own groups waiting.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::error;

use crate::catalogue::Catalogue;
use crate::codec::DecodeError;
use crate::codec::remote_write::Message;
use crate::normalise::Relabelling;

use super::batch::{AgeLimit, Batch, Parcel};
use super::books::{Books, Extent, Outcome, Rejection};
use super::complaints::Complaints;
use super::config::{BatchConfig, MetadataConfig, Takes};
use super::letter::{Letter, Writer, whole};
use super::negotiation::{Heard, Negotiation, Talk};
use super::piece::{Handed, Load, Piece, Wishes};
use super::profile::{Bounds, Limits, Refusal};
use super::retry::backoff;
use super::search::{Part, Search, Step};
use super::transport::{Accepted, Code, SendError, Transport};

/// What is said of samples that a remote does not count as written, though it is content.
const NOT_WRITTEN: &str = "the remote counts fewer samples as written than were sent";

/// 400: the request is wrong; what that says of the rest of it, the remote's [`Refusal`] tells.
const BAD_REQUEST: u16 = 400;
/// Single samples by which is seen whether a remote refuses everything of a part.
const PROBES: u32 = 8;

/// What the lanes of one remote share.
pub(super) struct Route<T> {
    pub(super) transport: T,
    pub(super) config: BatchConfig,
    pub(super) rules: Option<Relabelling>,
    pub(super) takes: Takes,
    pub(super) limits: Limits,
    pub(super) negotiation: Negotiation,
    /// What is known of families, and what of that the remote gets.
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) metadata: MetadataConfig,
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
    writer: Writer,
}

/// A batch of which every sample has come to an end.
pub(super) struct Settled {
    pub(super) lane: u32,
    pub(super) batch: Batch,
    pub(super) outcome: Outcome,
}

/// How a request ended that will not be sent again as it is.
enum Answer {
    /// What is accepted of it, and what is not, is in the books.
    Accepted,
    /// All of it has grown too old, or the remote's version has no words for it; what is dropped is in the books.
    NothingLeft,
    /// It cannot be taken apart.
    Damaged(DecodeError),
    /// Refused as it is; its parts may pass.
    Split(Words),
    Rejected(Words),
}

/// A status and what the remote said with it.
struct Words {
    status: u16,
    text: String,
}

impl Words {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
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
            writer: Writer::default(),
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
        let most = self.most();
        while batch.has_room(most) {
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
            if !batch.has_room_for(&piece, most) {
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
            most: self.most(),
            bounds: Bounds::of(&self.route.limits, self.route.books.now()),
        };
        Piece::prepare(handed, wishes)
    }

    /// Most that a request may have: each of its series has one sample.
    fn most(&self) -> Load {
        let (config, limits) = (&self.route.config, &self.route.limits);
        let series = limits.max_series.unwrap_or(u32::MAX);
        Load {
            samples: config.max_samples_per_send.min(series).max(1),
            raw_bytes: limits
                .max_raw_bytes
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(usize::MAX),
        }
    }

    /// How old a sample may be when it is sent: what the operator wants, or less if the remote takes less.
    fn oldest(&self) -> Option<Duration> {
        let (own, of_remote) = (self.route.config.sample_age_limit, self.route.limits.max_age);
        own.into_iter().chain(of_remote).min()
    }

    /// Brings every sample of the batch to an end: accepted, rejected, or dropped.
    async fn deliver(&mut self, batch: &Batch) -> Result<Outcome, Stopped> {
        let mut outcome = Outcome::default();
        for piece in batch.pieces() {
            self.note_what_stays(piece, &mut outcome);
        }
        self.search.begin();
        let mut parcels = batch.parcels(self.most());
        parcels.reverse();
        while let Some(mut parcel) = parcels.pop() {
            if let Some(words) = self.offer(batch, &mut parcel, &mut outcome).await? {
                let mut parts = self.take_apart(batch, &parcel, words, &mut outcome).await?;
                parts.reverse();
                parcels.extend(parts);
            }
        }
        Ok(outcome)
    }

    fn note_what_stays(&self, piece: &Piece, outcome: &mut Outcome) {
        outcome.drop("write_relabel", piece.left_out.relabelled_away);
        outcome.drop("native_histogram", piece.left_out.histograms);
        outcome.drop("exemplar", piece.left_out.exemplars);
        for (why, affected) in &piece.effects.dropped {
            outcome.drop(why.as_str(), affected.count);
        }
        for (what, affected) in &piece.effects.changed {
            outcome.change(what.as_str(), affected.count);
        }
        self.route.complaints.left_out(piece.left_out);
        self.route.complaints.effects(&piece.effects);
        outcome.drop("unreadable", piece.unreadable());
        if let Some(error) = &piece.damage {
            self.report_damage(error, piece.unreadable());
        }
    }

    /// Sends a parcel, less what grows too old meanwhile. When it was refused as it is and its parts may pass, what the remote said; else it has come to
    /// its end.
    async fn offer(
        &mut self,
        batch: &Batch,
        parcel: &mut Parcel,
        outcome: &mut Outcome,
    ) -> Result<Option<Words>, Stopped> {
        match self.send(parcel, outcome).await? {
            Answer::NothingLeft => {}
            Answer::Damaged(error) => {
                self.report_damage(&error, parcel.samples());
                outcome.drop("unreadable", parcel.samples());
            }
            Answer::Accepted => {
                let keys = parcel.pieces().map(|piece| batch.key(piece));
                self.search.accepted(part(batch, parcel), keys);
            }
            Answer::Rejected(words) => self.reject(parcel, (words, Extent::Unsearched), outcome),
            Answer::Split(words) => {
                let is_stored = self.route.limits.refusal == Refusal::Partial && words.status == BAD_REQUEST;
                if is_stored {
                    self.reject(parcel, (words, Extent::Partial), outcome);
                } else {
                    return Ok(Some(words));
                }
            }
        }
        Ok(None)
    }

    /// The parts to send next of a parcel that was refused; what is not among them has come to its end.
    async fn take_apart(
        &mut self,
        batch: &Batch,
        parcel: &Parcel,
        words: Words,
        outcome: &mut Outcome,
    ) -> Result<Vec<Parcel>, Stopped> {
        let step = self.search.refused(part(batch, parcel));
        match parcel.halves() {
            Ok(Some((first, second))) if step == Step::Halve => return Ok(vec![first, second]),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => {
                self.reject(parcel, (words, Extent::Unsearched), outcome);
                return Ok(Vec::new());
            }
        }
        let Ok((probes, rest)) = parcel.probes(PROBES) else {
            self.reject(parcel, (words, Extent::Unsearched), outcome);
            return Ok(Vec::new());
        };
        let before = outcome.sent;
        for mut probe in probes {
            if let Some(words) = self.offer(batch, &mut probe, outcome).await? {
                self.reject(&probe, (words, Extent::Unsearched), outcome);
            }
        }
        if outcome.sent > before || rest.samples() == 0 {
            return Ok(if rest.samples() > 0 {
                vec![rest]
            } else {
                Vec::new()
            });
        }
        self.reject(&rest, (words, Extent::Unsearched), outcome);
        Ok(Vec::new())
    }

    /// Sends until there is an answer; what grows too old meanwhile is left out of `parcel`.
    async fn send(&mut self, parcel: &mut Parcel, outcome: &mut Outcome) -> Result<Answer, Stopped> {
        let mut attempt = 0;
        let mut age = AgeLimit::new(self.oldest());
        let route = Arc::clone(&self.route);
        let mut talk = route.negotiation.talk();
        let mut letter: Option<Letter> = None;
        loop {
            if *self.stop.borrow() {
                return Err(Stopped);
            }
            match age.take_out(parcel, route.books.now()) {
                Ok(0) => {}
                Ok(too_old) => {
                    outcome.drop("too_old", too_old);
                    letter = None;
                }
                Err(error) => return Ok(Answer::Damaged(error)),
            }
            let sent = match self.write(parcel, letter, &talk) {
                Ok(letter) => letter,
                Err(error) => return Ok(Answer::Damaged(error)),
            };
            if sent.is_empty() {
                sent.settle(None, outcome);
                return Ok(Answer::NothingLeft);
            }
            let result = route.transport.send(&sent, attempt).await;
            let code = match &result {
                Ok(accepted) => Code::Status(accepted.status),
                Err(error) => error.code(),
            };
            route.books.attempt(code, sent.body.len(), attempt);
            let answer = match talk.hear(&sent, result) {
                Heard::OtherVersion => {
                    letter = None;
                    continue;
                }
                Heard::Answer(Err(SendError::Retry { after, words, .. })) => {
                    attempt += 1;
                    route.books.failed(&words);
                    self.pause(attempt, after, &words).await?;
                    letter = Some(sent);
                    continue;
                }
                Heard::Answer(result) => self.settle(parcel, &sent, result, outcome),
            };
            if attempt > 0 {
                self.route.complaints.recovered();
                self.route.recovered.notify_waiters();
            }
            return Ok(answer);
        }
    }

    /// The letter that is to be sent: the one before, if there is one in the right version.
    fn write(
        &mut self,
        parcel: &Parcel,
        before: Option<Letter>,
        talk: &Talk<'_>,
    ) -> Result<Letter, DecodeError> {
        let message = talk.message();
        match before {
            Some(letter) if letter.message == message => Ok(letter),
            _ => {
                let catalogue = self.route.metadata.send.then_some(self.route.catalogue.as_ref());
                match message {
                    Message::V1 if self.route.takes.extended => whole(parcel),
                    message => self.writer.write(parcel, message, catalogue),
                }
            }
        }
    }

    /// What an answer means for the parcel; what of it was accepted enters the books.
    fn settle(
        &self,
        parcel: &Parcel,
        letter: &Letter,
        result: Result<Accepted, SendError>,
        outcome: &mut Outcome,
    ) -> Answer {
        let (written, words) = match result {
            Ok(Accepted { status, written }) => (written, Words::new(status, NOT_WRITTEN)),
            Err(SendError::Partial {
                status,
                words,
                written,
            }) => (Some(written), Words::new(status, words)),
            Err(SendError::Split { status, words }) => return Answer::Split(Words::new(status, words)),
            Err(error) => {
                let status = match error.code() {
                    Code::Status(status) => status,
                    Code::Timeout | Code::Network | Code::Local => 0,
                };
                return Answer::Rejected(Words::new(status, error.to_string()));
            }
        };
        let missing = letter.settle(written, outcome);
        if missing > 0 {
            self.reject_of(parcel, missing, (words, Extent::Partial), outcome);
        }
        Answer::Accepted
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

    fn reject(&self, parcel: &Parcel, (words, extent): (Words, Extent), outcome: &mut Outcome) {
        self.reject_of(parcel, parcel.samples(), (words, extent), outcome);
    }

    /// Notes that `samples` of the parcel were refused.
    fn reject_of(
        &self,
        parcel: &Parcel,
        samples: u32,
        (words, extent): (Words, Extent),
        outcome: &mut Outcome,
    ) {
        let rejection = Rejection {
            series: parcel.first_series(),
            samples,
            extent: if samples == 1 { Extent::Alone } else { extent },
            status: words.status,
            words: words.text,
            at: self.route.books.now(),
        };
        self.route.complaints.rejection(&rejection);
        outcome.reject(words.status, samples);
        self.route.books.rejected(rejection);
    }

    fn report_damage(&self, error: &DecodeError, sample_count: u32) {
        let remote = self.route.books.name();
        error!(remote, sample_count, %error, "samples of a queue record cannot be read");
    }
}

/// What a parcel was taken from, as the search counts it.
fn part(batch: &Batch, parcel: &Parcel) -> Part {
    let piece = parcel.single_piece();
    Part {
        piece,
        key: piece.map_or(0, |piece| batch.key(piece)),
    }
}
