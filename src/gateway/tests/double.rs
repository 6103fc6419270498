//! A Pushgateway that says what the test wants it to.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The time of every answer.
pub(super) const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
pub(super) const DATE_MILLIS: i64 = 784_111_777_000;

/// What is answered.
pub(super) struct Answer {
    status: u16,
    body: String,
    date: Option<&'static str>,
}

impl Answer {
    pub(super) fn ok(body: String) -> Self {
        let date = Some(DATE);
        Self {
            status: 200,
            body,
            date,
        }
    }

    pub(super) fn of(status: u16, body: &str) -> Self {
        let date = Some(DATE);
        let body = body.to_owned();
        Self { status, body, date }
    }

    pub(super) fn without_date(self) -> Self {
        Self { date: None, ..self }
    }
}

/// The JSON of groups with a job and the time of their push in seconds.
pub(super) fn groups(pushed: &[(&str, i64)]) -> String {
    let group = |(job, at): &(&str, i64)| {
        format!(
            r#"{{"labels":{{"job":"{job}"}},"push_time_seconds":{{"metrics":[{{"labels":{{"job":"{job}","instance":""}},"value":"{at}"}}]}}}}"#
        )
    };
    let groups: Vec<String> = pushed.iter().map(group).collect();
    format!(r#"{{"status":"success","data":[{}]}}"#, groups.join(","))
}

/// Listens until it is dropped.
pub(super) struct Double {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Double {
    /// One whose answers depend on `METHOD /path`.
    pub(super) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_counting(move |request, _| answer(request)).await
    }

    /// One whose answers also depend on how often the same was asked before.
    pub(super) async fn start_counting(
        answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::new(answer), Arc::clone(&requests)));
        Self {
            address,
            requests,
            _tasks: tasks,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The paths whose deletion was asked for, in order.
    pub(super) fn deleted(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let deletions = requests
            .iter()
            .filter_map(|request| request.strip_prefix("DELETE "));
        deletions.map(str::to_owned).collect()
    }
}

type Script = dyn Fn(&str, usize) -> Answer + Send + Sync;

async fn serve(listener: TcpListener, script: Arc<Script>, requests: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    let counts = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    while let Ok((stream, _)) = listener.accept().await {
        let (script, requests, counts) = (Arc::clone(&script), Arc::clone(&requests), Arc::clone(&counts));
        let service = service_fn(move |request: Request<Incoming>| {
            let asked = format!("{} {}", request.method(), request.uri().path());
            requests.lock().unwrap().push(asked.clone());
            let earlier = {
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(asked.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let response = respond(script(&asked, earlier));
            async move { Ok::<_, Infallible>(response) }
        });
        connections.spawn(async move {
            let mut builder = http1::Builder::new();
            drop(
                builder
                    .auto_date_header(false)
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

fn respond(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status.try_into().unwrap();
    let headers = response.headers_mut();
    if let Some(date) = answer.date {
        headers.insert("date", HeaderValue::from_static(date));
    }
    if (300..400).contains(&answer.status) {
        headers.insert("location", HeaderValue::from_static("http://elsewhere/"));
    }
    response
}
