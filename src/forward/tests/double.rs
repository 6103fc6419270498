//! What the tests put in place of the queue and of the remote; their time is tokio's, paused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::catalogue::Catalogue;
use crate::codec::block::{Block, BlockBuilder};
use crate::codec::generated::{write_v1 as v1, write_v2 as v2};
use crate::codec::record::Record as Blocks;
use crate::codec::remote_write::{self, Counts, Message};
use crate::model::{Clock, LabelDraft, LabelSet, ManualClock, UnixMillis};
use crate::queue::{Delivery, DropReason, Position, QueueError, Record};

use crate::forward::books::{Books, RemoteStatus};
use crate::forward::complaints::Complaints;
use crate::forward::config::{BatchConfig, MetadataConfig, Takes};
use crate::forward::dispatch::Dispatcher;
use crate::forward::lane::Route;
use crate::forward::letter::Letter;
use crate::forward::negotiation::Negotiation;
use crate::forward::profile::Limits;
use crate::forward::source::Source;
use crate::forward::transport::{Accepted, Code, SendError, Transport};
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
    pub(in crate::forward) message: Message,
    /// Series and value, in order.
    pub(in crate::forward) samples: Vec<(String, f64)>,
    pub(in crate::forward) accepted: bool,
}

/// Families that were told of, and when.
type Told = Vec<(Duration, Vec<String>)>;

type Verdict = dyn FnMut(&Request) -> Result<(), SendError> + Send;

/// A remote in memory; clones share it.
#[derive(Clone)]
pub(in crate::forward) struct Remote {
    began: Instant,
    latency: Duration,
    verdict: Arc<Mutex<Box<Verdict>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
    told: Arc<Mutex<Told>>,
    pub(in crate::forward) refuses_metadata: Option<SendError>,
    /// What it says it has written of a request of version 2.0 that has so much.
    pub(in crate::forward) writes: fn(Counts) -> Counts,
}

impl Remote {
    /// The bodies of all requests with samples.
    pub(in crate::forward) fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap().clone()
    }

    /// The families it was told of, and when.
    pub(in crate::forward) fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

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
    async fn send(&self, letter: &Letter, attempt: u32) -> Result<Accepted, SendError> {
        if let Some(told) = told(letter) {
            self.told.lock().unwrap().push((self.began.elapsed(), told));
            let refused = self.refuses_metadata.clone();
            return refused.map_or(Ok(accepted(None)), Err);
        }
        self.bodies.lock().unwrap().push(letter.body.clone());
        let (samples, counts) = read(letter);
        let mut request = Request {
            after: self.began.elapsed(),
            attempt,
            message: letter.message,
            samples,
            accepted: false,
        };
        sleep(self.latency).await;
        let verdict = (self.verdict.lock().unwrap())(&request);
        request.accepted = verdict.is_ok();
        self.requests.lock().unwrap().push(request);
        let written = counts.map(self.writes);
        verdict.map(|()| accepted(written))
    }
}

const fn accepted(written: Option<Counts>) -> Accepted {
    Accepted { status: 204, written }
}

/// The families of a request that has nothing else.
fn told(letter: &Letter) -> Option<Vec<String>> {
    let raw = snap::raw::Decoder::new().decompress_vec(&letter.body).unwrap();
    let request = v1::WriteRequest::decode(raw.as_slice()).ok()?;
    let is_metadata = request.timeseries.is_empty() && !request.metadata.is_empty();
    let families = request.metadata.into_iter();
    is_metadata.then(|| families.map(|said| said.metric_family_name).collect())
}

/// Series and values of a request, and how many there are of each kind.
fn read(letter: &Letter) -> (Vec<(String, f64)>, Option<Counts>) {
    let raw = snap::raw::Decoder::new().decompress_vec(&letter.body).unwrap();
    if letter.message == Message::V1 {
        let limits = remote_write::Limits::default();
        let read = Message::V1.decode(&raw, &limits).unwrap();
        let samples = read.series.into_iter().flat_map(|series| {
            let name = series.labels.into_set().to_string();
            let samples = series.samples.into_iter();
            samples.map(move |sample| (name.clone(), sample.value))
        });
        return (samples.collect(), None);
    }
    let request = v2::Request::decode(raw.as_slice()).unwrap();
    let text = |symbol: u32| request.symbols[symbol as usize].as_str();
    let (mut samples, mut counts) = (Vec::new(), Counts::default());
    for series in &request.timeseries {
        let pairs = series.labels_refs.chunks(2);
        let labels: LabelDraft<'_> = pairs.map(|pair| (text(pair[0]), text(pair[1]))).collect();
        let name = labels.into_set().to_string();
        samples.extend(series.samples.iter().map(|sample| (name.clone(), sample.value)));
        counts.samples += series.samples.len() as u64;
        counts.histograms += series.histograms.len() as u64;
        counts.exemplars += series.exemplars.len() as u64;
    }
    (samples, Some(counts))
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
    pub(in crate::forward) message: Message,
    pub(in crate::forward) metadata: MetadataConfig,
    pub(in crate::forward) catalogue: Arc<Catalogue>,
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
                bodies: Arc::default(),
                told: Arc::default(),
                refuses_metadata: None,
                writes: |counts| counts,
            },
            config,
            rules: None,
            takes: Takes::default(),
            message: Message::V1,
            metadata: MetadataConfig::default(),
            catalogue: Arc::default(),
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
                negotiation: Negotiation::new("test", self.message),
                catalogue: Arc::clone(&self.catalogue),
                metadata: self.metadata,
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
