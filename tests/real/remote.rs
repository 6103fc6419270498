//! A remote that keeps every sample it is sent, in the order of arrival.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use prost::Message;

use crate::http;
use crate::write_v1::{Exemplar, Histogram, Label, WriteRequest};

/// The bits of a stale marker (PRW 1.0, "Stale markers").
pub(crate) const STALE: u64 = 0x7ff0_0000_0000_0002;

/// A sample as it arrived: its time, and the bits of its value.
pub(crate) type Arrival = (i64, u64);

/// Arrivals by series; a series is written `name{label="value",...}` in the order of its labels.
pub(crate) type Arrivals = BTreeMap<String, Vec<Arrival>>;

/// A remote-write receiver on a free port; it ends with the test's process.
pub(crate) struct Remote {
    address: SocketAddr,
    state: Arc<State>,
}

/// What has arrived besides samples, by series as in [`Arrivals`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Native histograms.
    pub(crate) histograms: BTreeMap<String, Vec<Histogram>>,
    /// Exemplars, written `{label="value"} value @time`.
    pub(crate) exemplars: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct State {
    away: AtomicBool,
    poison: Mutex<Option<String>>,
    arrivals: Mutex<Arrivals>,
    extras: Mutex<Extras>,
}

impl Remote {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Where it takes remote-write.
    pub(crate) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// From now on every connection is closed without an answer.
    pub(crate) fn go_away(&self) {
        self.state.away.store(true, Ordering::SeqCst);
    }

    /// From now on a request is refused whole that has a series whose writing contains `poison`.
    #[allow(dead_code, reason = "tests/it asks for it, which shares this file")]
    pub(crate) fn refuse(&self, poison: &str) {
        *self.state.poison.lock().expect("the poison") = Some(poison.to_owned());
    }

    /// From now on requests are taken again.
    pub(crate) fn come_back(&self) {
        self.state.away.store(false, Ordering::SeqCst);
    }

    /// The native histograms and exemplars that have arrived.
    #[allow(dead_code, reason = "tests/it reads them, which shares this file")]
    pub(crate) fn extras(&self) -> Extras {
        self.state.extras.lock().expect("the extras").clone()
    }

    /// Every sample that has arrived.
    pub(crate) fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.state.arrivals.lock().expect("the arrivals")
    }
}

/// What a series got before its time: samples that arrived for the first time with a timestamp no later than one that
/// had arrived before. What arrives twice was in flight when the sender was killed, and is no disorder.
pub(crate) fn out_of_order(arrivals: &[Arrival]) -> Vec<Arrival> {
    let mut latest = i64::MIN;
    let mut seen = std::collections::HashSet::new();
    let mut disorder = Vec::new();
    for &(at, bits) in arrivals {
        if !seen.insert((at, bits)) {
            continue;
        }
        if at <= latest {
            disorder.push((at, bits));
        }
        latest = latest.max(at);
    }
    disorder
}

fn serve(stream: TcpStream, state: &State) {
    let Ok(mut answers) = stream.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(stream);
    while let Ok(Some((_, headers))) = http::read_head(&mut requests) {
        let Ok(body) = http::read_body(&mut requests, &headers) else {
            return;
        };
        if state.away.load(Ordering::SeqCst) {
            return;
        }
        let status = if keep(&body, state) {
            "204 No Content"
        } else {
            "400 Bad Request"
        };
        if answers
            .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .is_err()
        {
            return;
        }
    }
}

fn keep(body: &[u8], state: &State) -> bool {
    let Ok(bytes) = snap::raw::Decoder::new().decompress_vec(body) else {
        return false;
    };
    let Ok(request) = WriteRequest::decode(bytes.as_slice()) else {
        return false;
    };
    if let Some(poison) = state.poison.lock().expect("the poison").as_deref()
        && request
            .timeseries
            .iter()
            .any(|series| written(&series.labels).contains(poison))
    {
        return false;
    }
    let mut arrivals = state.arrivals.lock().expect("the arrivals");
    let mut extras = state.extras.lock().expect("the extras");
    for series in request.timeseries {
        let name = written(&series.labels);
        if !series.samples.is_empty() {
            let known = arrivals.entry(name.clone()).or_default();
            known.extend(
                series
                    .samples
                    .iter()
                    .map(|sample| (sample.timestamp, sample.value.to_bits())),
            );
        }
        if !series.histograms.is_empty() {
            let known = extras.histograms.entry(name.clone()).or_default();
            known.extend(series.histograms);
        }
        if !series.exemplars.is_empty() {
            let known = extras.exemplars.entry(name).or_default();
            known.extend(series.exemplars.iter().map(exemplar));
        }
    }
    true
}

/// `name{label="value",...}`.
fn written(labels: &[Label]) -> String {
    let mut name = "";
    let mut others = Vec::new();
    for label in labels {
        match label.name.as_str() {
            "__name__" => name = &label.value,
            other => others.push(format!("{other}={:?}", label.value)),
        }
    }
    format!("{name}{{{}}}", others.join(","))
}

fn exemplar(exemplar: &Exemplar) -> String {
    format!(
        "{} {} @{}",
        written(&exemplar.labels),
        exemplar.value,
        exemplar.timestamp
    )
}
