//! What the tests put in place of the queue and of the remote; their time is tokio's, paused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::codec::block::{Block, BlockBuilder};
use crate::codec::record::Record as Blocks;
use crate::codec::remote_write::decode;
use crate::model::{Clock, LabelDraft, LabelSet, ManualClock, UnixMillis};
use crate::queue::{Delivery, DropReason, Position, QueueError, Record};

use crate::forward::books::{Books, RemoteStatus};
use crate::forward::complaints::Complaints;
use crate::forward::config::{BatchConfig, Takes};
use crate::forward::dispatch::Dispatcher;
use crate::forward::lane::Route;
use crate::forward::profile::Limits;
use crate::forward::source::Source;
use crate::forward::transport::{Code, SendError, Transport};
use crate::normalise::Relabelling;

/// The labels of series `number` of `group`.
pub(in crate::forward) fn series(group: &str, number: u32) -> LabelSet<'static> {
    let mut draft = LabelDraft::new();
    draft.push("__name__", "m");
    draft.push("group", group.to_owned());
    draft.push("n", format!("{number:04}"));
    draft.into_set()
}

/// A block of `count` series of `group`, all with `value`.
pub(in crate::forward) fn block(group: &str, count: u32, value: f64) -> Block {
    let mut builder = BlockBuilder::new(7);
    for number in 0..count {
        builder.push(&series(group, number), value, UnixMillis::new(1_000));
    }
    builder.finish()
}

/// A record of `count` series of `group`, all with `value`.
pub(in crate::forward) fn record(group: &str, count: u32, value: f64) -> Record {
    let blocks = Blocks {
        event: Bytes::from_static(b"event"),
        samples: block(group, count, value),
        markers: Block::default(),
        exemplars: Block::default(),
    };
    Record {
        key: group.bytes().map(u64::from).sum(),
        weight: count,
        fence: false,
        at: UnixMillis::new(0),
        payload: blocks.encode(),
    }
}

#[derive(Debug, Default)]
struct Entries {
    entries: Vec<Entry>,
    gaps: Vec<(DropReason, u64)>,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    acknowledged: bool,
}

/// A log in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::forward) struct Log {
    entries: Arc<Mutex<Entries>>,
    grown: Arc<Notify>,
    lanes: u32,
}

impl Log {
    pub(in crate::forward) fn push(&self, record: Record) {
        self.entries.lock().unwrap().entries.push(Entry {
            record,
            acknowledged: false,
        });
        self.grown.notify_one();
    }

    pub(in crate::forward) fn gap(&self, reason: DropReason, weight: u64) {
        self.entries.lock().unwrap().gaps.push((reason, weight));
        self.grown.notify_one();
    }

    /// Which records were acknowledged, by their places.
    pub(in crate::forward) fn acknowledged(&self) -> Vec<usize> {
        let entries = self.entries.lock().unwrap();
        let entries = entries.entries.iter().enumerate();
        entries
            .filter_map(|(at, entry)| entry.acknowledged.then_some(at))
            .collect()
    }

    fn weight(&self) -> u64 {
        let entries = self.entries.lock().unwrap();
        entries
            .entries
            .iter()
            .map(|entry| u64::from(entry.record.weight))
            .sum()
    }

    fn lane(&self, record: &Record) -> u32 {
        u32::try_from(record.key % u64::from(self.lanes)).unwrap()
    }
}

impl Log {
    fn acknowledge(&self, lane: u32, end: Position) {
        let mut entries = self.entries.lock().unwrap();
        for (at, entry) in entries.entries.iter_mut().enumerate() {
            if Position::new(at as u64) < end && self.lane(&entry.record) == lane {
                entry.acknowledged = true;
            }
        }
    }

    fn pending_samples(&self) -> u64 {
        let entries = self.entries.lock().unwrap();
        let waiting = entries.entries.iter().filter(|entry| !entry.acknowledged);
        waiting.map(|entry| u64::from(entry.record.weight)).sum()
    }
}

/// Reads a [`Log`] from its beginning, passing over what is acknowledged, as a queue opened again does.
pub(in crate::forward) struct LogReader {
    log: Log,
    read: usize,
}

impl Source for LogReader {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            if let Some(delivery) = self.try_next() {
                return Ok(delivery);
            }
            self.log.grown.notified().await;
        }
    }

    fn ack(&self, lane: u32, end: Position) {
        self.log.acknowledge(lane, end);
    }

    fn pending_samples(&self) -> u64 {
        self.log.pending_samples()
    }
}

impl LogReader {
    fn try_next(&mut self) -> Option<Delivery> {
        let mut entries = self.log.entries.lock().unwrap();
        if let Some((reason, weight)) = entries.gaps.pop() {
            return Some(gap(reason, weight));
        }
        while let Some(entry) = entries.entries.get(self.read) {
            self.read += 1;
            if !entry.acknowledged {
                return Some(Delivery::Record {
                    lane: self.log.lane(&entry.record),
                    position: Position::new(self.read as u64 - 1),
                    end: Position::new(self.read as u64),
                    record: entry.record.clone(),
                });
            }
        }
        None
    }
}

fn gap(reason: DropReason, weight: u64) -> Delivery {
    Delivery::Gap {
        records: 1,
        weight,
        reason,
    }
}

/// One request as the remote saw it.
#[derive(Clone, Debug)]
pub(in crate::forward) struct Request {
    /// Since the trial began.
    pub(in crate::forward) after: Duration,
    pub(in crate::forward) attempt: u32,
    /// Series and value, in order.
    pub(in crate::forward) samples: Vec<(String, f64)>,
    pub(in crate::forward) accepted: bool,
}

type Verdict = dyn FnMut(&Request) -> Result<(), SendError> + Send;

/// A remote in memory; clones share it.
#[derive(Clone)]
pub(in crate::forward) struct Remote {
    began: Instant,
    latency: Duration,
    verdict: Arc<Mutex<Box<Verdict>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Remote {
    pub(in crate::forward) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Values by series, as they were accepted.
    pub(in crate::forward) fn stored(&self) -> BTreeMap<String, Vec<f64>> {
        let mut stored: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for request in self.requests().into_iter().filter(|request| request.accepted) {
            for (series, value) in request.samples {
                stored.entry(series).or_default().push(value);
            }
        }
        stored
    }

    /// Number of samples of each request.
    pub(in crate::forward) fn sizes(&self) -> Vec<usize> {
        self.requests()
            .iter()
            .map(|request| request.samples.len())
            .collect()
    }
}

impl Transport for Remote {
    async fn send(&self, body: Bytes, attempt: u32) -> Result<u16, SendError> {
        let raw = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        let samples = decode(&raw).unwrap().into_iter().flat_map(|series| {
            let name = series.labels.into_set().to_string();
            series
                .samples
                .into_iter()
                .map(move |(value, _)| (name.clone(), value))
        });
        let mut request = Request {
            after: self.began.elapsed(),
            attempt,
            samples: samples.collect(),
            accepted: false,
        };
        sleep(self.latency).await;
        let verdict = (self.verdict.lock().unwrap())(&request);
        request.accepted = verdict.is_ok();
        self.requests.lock().unwrap().push(request);
        verdict.map(|()| 204)
    }
}

/// 503, asking for `after`.
pub(in crate::forward) fn unavailable(after: Option<Duration>) -> SendError {
    SendError::Retry {
        code: Code::Status(503),
        after,
        words: "down".to_owned(),
    }
}

/// 400 and 413.
pub(in crate::forward) fn refused(status: u16, words: &str) -> SendError {
    SendError::Split {
        status,
        words: words.to_owned(),
    }
}

/// A log, a remote, and what stands between.
pub(in crate::forward) struct Trial {
    pub(in crate::forward) log: Log,
    pub(in crate::forward) remote: Remote,
    pub(in crate::forward) config: BatchConfig,
    pub(in crate::forward) rules: Option<Relabelling>,
    pub(in crate::forward) takes: Takes,
    pub(in crate::forward) limits: Limits,
    pub(in crate::forward) clock: ManualClock,
    pub(in crate::forward) books: Arc<Books>,
}

impl Trial {
    /// A remote that takes everything.
    pub(in crate::forward) fn new() -> Self {
        Self::with(|_| Ok(()))
    }

    /// A remote that answers as `verdict` says.
    pub(in crate::forward) fn with(
        verdict: impl FnMut(&Request) -> Result<(), SendError> + Send + 'static,
    ) -> Self {
        let config = BatchConfig::default();
        let clock = ManualClock::default();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        Self {
            log: Log {
                lanes: config.lanes,
                ..Log::default()
            },
            remote: Remote {
                began: Instant::now(),
                latency: Duration::ZERO,
                verdict: Arc::new(Mutex::new(Box::new(verdict))),
                requests: Arc::default(),
            },
            config,
            rules: None,
            takes: Takes::default(),
            limits: Limits::none(),
            books: Arc::new(Books::new("test", shared)),
            clock,
        }
    }

    /// A remote that takes its time.
    pub(in crate::forward) fn slow(mut self, latency: Duration) -> Self {
        self.remote.latency = latency;
        self
    }

    /// Forwards for `span`, from what the log says is not acknowledged.
    pub(in crate::forward) async fn run(&self, span: Duration) {
        self.books
            .begin("http://test/".to_owned(), self.log.pending_samples());
        let dispatcher = Dispatcher {
            source: LogReader {
                log: self.log.clone(),
                read: 0,
            },
            route: Arc::new(Route {
                transport: self.remote.clone(),
                config: self.config.clone(),
                rules: self.rules.clone(),
                takes: self.takes,
                limits: self.limits.clone(),
                books: Arc::clone(&self.books),
                complaints: Complaints::new("test"),
                recovered: Notify::new(),
            }),
        };
        dispatcher.run(sleep(span)).await;
    }

    /// The books, when they balance.
    #[track_caller]
    pub(in crate::forward) fn balanced(&self) -> RemoteStatus {
        let status = self.books.status();
        let known =
            status.sent_samples + status.rejected_samples + status.dropped_samples + status.pending_samples;
        assert_eq!(known, self.log.weight(), "{status:?}");
        status
    }
}
