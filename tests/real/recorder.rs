//! A remote that takes remote-write 2.0 alone and keeps what 1.0 has no place for.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use prost::Message;

use crate::http;

/// What is known of a metric: its type as remote-write numbers it, and its help.
pub(crate) type Description = (i32, String);

/// What has arrived, by the name of the metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// The start times of its samples, in milliseconds; 0 is none.
    pub(crate) starts: BTreeMap<String, Vec<i64>>,
    /// Types and helps.
    pub(crate) descriptions: BTreeMap<String, Description>,
}

/// A receiver on a free port; it ends with the test's process.
pub(crate) struct Recorder {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Recorder {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { address, kept }
    }

    /// Where it takes remote-write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// All that has arrived so far.
    pub(crate) fn kept(&self) -> Kept {
        self.kept.lock().expect("what is kept").clone()
    }
}

/// As much of `io.prometheus.write.v2.Request` as is kept here.
#[derive(Message)]
struct Request {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    series: Vec<Series>,
}

#[derive(Message)]
struct Series {
    #[prost(uint32, repeated, tag = "1")]
    labels: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, optional, tag = "5")]
    metadata: Option<Metadata>,
}

#[derive(Message)]
struct Sample {
    #[prost(int64, tag = "3")]
    start: i64,
}

#[derive(Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(uint32, tag = "3")]
    help: u32,
}

fn serve(stream: TcpStream, kept: &Mutex<Kept>) {
    let Ok(mut answers) = stream.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(stream);
    while let Ok(Some((_, headers))) = http::read_head(&mut requests) {
        let Ok(body) = http::read_body(&mut requests, &headers) else {
            return;
        };
        let is_v2 = headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.contains("io.prometheus.write.v2.Request"));
        let answer = match is_v2.then(|| keep(&body, kept)) {
            None => "415 Unsupported Media Type\r\n".to_owned(),
            Some(None) => "400 Bad Request\r\n".to_owned(),
            Some(Some(samples)) => format!(
                "204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: {samples}\r\n\
                 X-Prometheus-Remote-Write-Histograms-Written: 0\r\nX-Prometheus-Remote-Write-Exemplars-Written: 0\r\n"
            ),
        };
        if answers
            .write_all(format!("HTTP/1.1 {answer}Content-Length: 0\r\n\r\n").as_bytes())
            .is_err()
        {
            return;
        }
    }
}

/// Keeps a request; how many samples it has.
fn keep(body: &[u8], kept: &Mutex<Kept>) -> Option<usize> {
    let message = snap::raw::Decoder::new().decompress_vec(body).ok()?;
    let Request { symbols, series } = Request::decode(message.as_slice()).ok()?;
    let symbol = |at: u32| symbols.get(usize::try_from(at).ok()?).cloned();
    let mut kept = kept.lock().ok()?;
    let mut samples = 0;
    for series in series {
        let is_name = |pair: &&[u32]| symbol(pair[0]).as_deref() == Some("__name__");
        let name = symbol(series.labels.chunks_exact(2).find(is_name)?[1])?;
        samples += series.samples.len();
        if let Some(Metadata { kind, help }) = series.metadata {
            kept.descriptions.insert(name.clone(), (kind, symbol(help)?));
        }
        let starts = kept.starts.entry(name).or_default();
        starts.extend(series.samples.iter().map(|sample| sample.start));
    }
    Some(samples)
}
