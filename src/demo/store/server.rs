//! The store's HTTP side: remote-write in, the page and its JSON out.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use percent_encoding::percent_decode_str;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::query::{Question, State};
use super::{Store, StoreError};

/// Longest body as sent: what a request of 64 MiB compresses to at worst one to four.
const MAX_BODY_BYTES: usize = 16 << 20;
/// Most connections served at once: the bridge's lanes and a few browsers.
const MAX_CONNECTIONS: usize = 256;
/// Series listed when the question does not say.
const DEFAULT_LIMIT: usize = 1_000;

const PAGE: &str = include_str!("page.html");

/// A store that listens.
#[derive(Debug)]
pub struct StoreServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl StoreServer {
    /// Listens on `listen` (port 0 lets the system choose) and serves `store` until it is stopped.
    ///
    /// # Errors
    /// When the address cannot be listened on; choose another.
    pub async fn start(listen: &str, store: Arc<Store>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, store, stopped));
        Ok(Self { address, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a bridge has to write to.
    #[must_use]
    pub fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// Stops listening and drops the connections.
    pub async fn stop(mut self) {
        drop(self.stop);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn serve(listener: TcpListener, store: Arc<Store>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&store)));
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn converse(stream: TcpStream, store: Arc<Store>) {
    let service = service_fn(move |request| {
        let store = Arc::clone(&store);
        async move { Ok::<_, Infallible>(answer(request, &store).await) }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the demo's store broke");
    }
}

async fn answer(request: Request<Incoming>, store: &Store) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/api/v1/write") => write(request, store).await,
        (&Method::GET, "/") => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        (&Method::GET, "/api/series") => list(request.uri().query().unwrap_or_default(), store),
        (_, "/" | "/api/series") => plain(StatusCode::METHOD_NOT_ALLOWED, "this is only for reading: GET"),
        (_, "/api/v1/write") => plain(StatusCode::METHOD_NOT_ALLOWED, "this is only for writing: POST"),
        (_, path) => plain(
            StatusCode::NOT_FOUND,
            format!("there is no {path}: try /, /api/series, or POST /api/v1/write"),
        ),
    }
}

async fn write(request: Request<Incoming>, store: &Store) -> Response<Full<Bytes>> {
    let body = match Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return plain(StatusCode::BAD_REQUEST, format!("reading the body: {error}")),
    };
    match store.write(&body) {
        Ok(()) => plain(StatusCode::NO_CONTENT, ""),
        Err(error @ StoreError::Away) => plain(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Err(error) => plain(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

fn list(query: &str, store: &Store) -> Response<Full<Bytes>> {
    let question = match ask(query) {
        Ok(question) => question,
        Err(problem) => return plain(StatusCode::BAD_REQUEST, problem),
    };
    match serde_json::to_vec(&store.answer(&question)) {
        Ok(json) => reply(StatusCode::OK, "application/json", json),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// `match` (words that must all be in the series as PromQL writes it), `job` and `instance` (exact), `state`,
/// `limit`, `recent`.
fn ask(query: &str) -> Result<Question, String> {
    let mut question = Question {
        limit: DEFAULT_LIMIT,
        ..Question::default()
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        match key {
            "match" => {
                question.words = value
                    .to_lowercase()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect()
            }
            "job" | "instance" => question.selector = question.selector.with(key, value),
            "state" => question.state = state(&value)?,
            "limit" => question.limit = number(key, &value)?,
            "recent" => question.recent = number(key, &value)?,
            _ => {
                return Err(format!(
                    "no parameter {key:?}: there are match, job, instance, state, limit, recent"
                ));
            }
        }
    }
    Ok(question)
}

fn state(value: &str) -> Result<Option<State>, String> {
    match value {
        "alive" => Ok(Some(State::Alive)),
        "ended" => Ok(Some(State::Ended)),
        "all" | "" => Ok(None),
        _ => Err(format!("state {value:?} is none of alive, ended, all")),
    }
}

fn number(key: &str, value: &str) -> Result<usize, String> {
    value
        .parse()
        .map_err(|_| format!("{key} {value:?} is not a number"))
}

fn decoded(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    reply(status, "text/plain; charset=utf-8", text)
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    response
}
