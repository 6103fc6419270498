use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::codec::block::BlockBuilder;
use crate::codec::text;
use crate::model::{GroupKey, LabelSet, SystemClock, UnixMillis, stale_marker};
use crate::normalise::{Effects, Rules, RulesConfig};

/// What the fake bridge does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    NeverEnds,
}

/// A bridge as the story needs one: groups, processes within them, stale markers, and patience while the store is
/// away. It writes into the store directly.
pub(super) struct Bridge {
    address: std::net::SocketAddr,
    tasks: JoinSet<()>,
}

struct Desk {
    store: Arc<Store>,
    pace: Pace,
    flaw: Flaw,
    rules: Rules,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    sources: BTreeMap<(String, String), Source>,
    backlog: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Source {
    series: BTreeSet<LabelSet<'static>>,
    last: UnixMillis,
    dies: Option<UnixMillis>,
}

impl Bridge {
    pub(super) async fn start(store: Arc<Store>, pace: Pace, flaw: Flaw) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk {
            store,
            pace,
            flaw,
            rules: Rules::try_new(&RulesConfig::default()).unwrap(),
            books: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(sweep(Arc::clone(&desk)));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&desk), request));
                    let connection = auto::Builder::new(TokioExecutor::new());
                    let _broken = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, tasks }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn answer(desk: Arc<Desk>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if path == "/-/metrics" {
        let text = format!(
            "# TYPE flinkbridge_registry_series gauge\nflinkbridge_registry_series {}\n",
            desk.known()
        );
        return Ok(Response::new(Full::new(text.into())));
    }
    assert_eq!(request.headers()["user-agent"], "Java/17.0.15");
    assert_eq!(
        request.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = request.into_body().collect().await.unwrap().to_bytes();
    match method {
        Method::PUT => desk.put(&path, std::str::from_utf8(&body).unwrap()),
        Method::DELETE => desk.delete(&path),
        _ => unreachable!("{method}"),
    }
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

async fn sweep(desk: Arc<Desk>) {
    let mut ticks = tokio::time::interval(desk.pace.interval());
    loop {
        ticks.tick().await;
        desk.retire_the_silent();
    }
}

impl Desk {
    fn known(&self) -> usize {
        let books = self.books.lock().unwrap();
        books.sources.values().map(|source| source.series.len()).sum()
    }

    fn put(&self, path: &str, body: &str) {
        let now = SystemClock.now();
        let mut books = self.books.lock().unwrap();
        let samples = clean(&self.rules, path, body);
        let tm_id = samples[0].0.get("tm_id").unwrap_or_default().to_owned();
        let source = books.sources.entry((path.to_owned(), tm_id)).or_default();
        let mut block = BlockBuilder::new(0);
        let now = now.max(source.last.next());
        for (labels, value) in &samples {
            block.push(labels, *value, now);
        }
        let pushed: BTreeSet<_> = samples.into_iter().map(|(labels, _)| labels).collect();
        for gone in source
            .series
            .difference(&pushed)
            .filter(|_| self.flaw == Flaw::None)
        {
            block.push(gone, stale_marker(), now);
        }
        (source.series, source.last, source.dies) = (pushed, now, None);
        self.send(&mut books, &block.finish());
    }

    fn delete(&self, path: &str) {
        let mut books = self.books.lock().unwrap();
        let of_group = books.sources.iter_mut().filter(|((group, _), _)| group == path);
        let sources: Vec<_> = of_group
            .map(|(_, source)| source)
            .filter(|source| !source.series.is_empty())
            .collect();
        let grace = if sources.len() > 1 {
            self.pace.interval() * 2
        } else {
            Duration::ZERO
        };
        for source in sources {
            source.dies = Some(SystemClock.now().after(grace));
        }
        drop(books);
        self.retire_the_silent();
    }

    fn retire_the_silent(&self) {
        let now = SystemClock.now();
        let mut books = self.books.lock().unwrap();
        let mut block = BlockBuilder::new(0);
        let stale_after = self.pace.stale_after();
        for source in books.sources.values_mut() {
            if source.dies.is_none_or(|dies| now < dies) && now.since(source.last) < stale_after {
                continue;
            }
            source.last = now.max(source.last.next());
            source.dies = None;
            for gone in std::mem::take(&mut source.series) {
                if self.flaw == Flaw::None {
                    block.push(&gone, stale_marker(), source.last);
                }
            }
        }
        self.send(&mut books, &block.finish());
    }

    fn send(&self, books: &mut Books, block: &crate::codec::block::Block) {
        if !block.is_empty() {
            books.backlog.push(block.bytes().to_vec());
        }
        while let Some(next) = books.backlog.first() {
            match self.store.write(next) {
                Err(crate::demo::store::StoreError::Away) => return,
                outcome => outcome.unwrap(),
            }
            books.backlog.remove(0);
        }
    }
}

/// The labels as the bridge's own parser and rules make them.
fn clean(rules: &Rules, path: &str, body: &str) -> Vec<(LabelSet<'static>, f64)> {
    let parts: Vec<String> = path.split('/').skip(3).map(str::to_owned).collect();
    let (job, further) = parts.split_first().unwrap();
    let pairs = further.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let grouping = rules.grouping(&GroupKey::try_new(job, pairs).unwrap());
    let exposition = text::parse(body.as_bytes(), usize::MAX).unwrap();
    let mut effects = Effects::default();
    let samples = exposition.samples.into_iter();
    samples
        .map(|sample| {
            let labels = rules.apply(&grouping, sample.labels, &mut effects).unwrap();
            (labels.into_owned(), sample.value)
        })
        .collect()
}
