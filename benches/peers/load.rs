//! The senders: keep-alive connections, each of which sends again as soon as it is answered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr as _;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;

use crate::flink_like::Body;
use crate::plan::Plan;
use crate::write_v1::{Label, Sample, TimeSeries, WriteRequest};

/// Series of one sample in a request: what Prometheus sends at most by default.
const SERIES: usize = 2_000;

/// A sample as it ends a series: tag and eight bytes of the value, tag and six bytes of the time.
const VALUE_BEFORE_END: usize = 15;
const TIME_BEFORE_END: usize = 6;

/// What sends: sources shared out to a number of connections.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    connections: usize,
    requests: Vec<Request>,
}

impl Load {
    pub(crate) fn new(plan: &Plan, address: SocketAddr) -> Self {
        let mut body = Body::new(SERIES);
        let requests = (0..plan.sources).map(|source| {
            body.turn(source, 0);
            Request::new(body.text())
        });
        Self {
            address,
            connections: plan.connections,
            requests: requests.collect(),
        }
    }

    /// Every source once; how many samples that is.
    pub(crate) fn once(&self) -> u64 {
        let turns = self.requests.len().div_ceil(self.connections);
        self.turns(turns)
    }

    /// Every connection as fast as it is answered, until about `samples` are sent; how many that is.
    pub(crate) fn closed(&self, samples: u64) -> u64 {
        let samples = usize::try_from(samples).unwrap_or(usize::MAX);
        self.turns(samples.div_ceil(SERIES * self.connections))
    }

    fn turns(&self, turns: usize) -> u64 {
        thread::scope(|scope| {
            for first in 0..self.connections {
                scope.spawn(move || {
                    let own = self.requests.iter().skip(first).step_by(self.connections);
                    let mut own: Vec<Request> = own.cloned().collect();
                    let sources = own.len();
                    let mut sender = Sender::connect(self.address);
                    for turn in 0..turns {
                        if let Some(request) = own.get_mut(turn % sources) {
                            sender.send(request.at(now(), turn));
                        }
                    }
                });
            }
        });
        u64::try_from(turns * self.connections * SERIES).expect("a number of samples")
    }
}

/// What one source sends, whose values and times can be changed in place.
#[derive(Clone, Debug)]
struct Request {
    message: Vec<u8>,
    /// Where each series ends.
    ends: Vec<usize>,
    compressed: Vec<u8>,
}

impl Request {
    fn new(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let series = text.lines().filter(|line| !line.starts_with('#')).map(series);
        let (mut message, mut ends) = (Vec::new(), Vec::new());
        for series in series {
            let request = WriteRequest {
                timeseries: vec![series],
                ..WriteRequest::default()
            };
            request.encode(&mut message).expect("room in a vector");
            ends.push(message.len());
        }
        Self {
            compressed: vec![0; snap::raw::max_compress_len(message.len())],
            message,
            ends,
        }
    }

    /// What it sends at this time, compressed.
    fn at(&mut self, now: i64, turn: usize) -> &[u8] {
        let mut time = Vec::new();
        prost::encoding::encode_varint(now.cast_unsigned(), &mut time);
        for (index, end) in self.ends.iter().enumerate() {
            let number = (index * 7_919 + turn * (31 + index % 17)) % 9_000_000;
            let value = f64::from(u32::try_from(number).unwrap_or_default()) + 1e6;
            put(&mut self.message, end - VALUE_BEFORE_END, &value.to_le_bytes());
            put(&mut self.message, end - TIME_BEFORE_END, &time);
        }
        let length = snap::raw::Encoder::new()
            .compress(&self.message, &mut self.compressed)
            .expect("room for what is compressed");
        self.compressed.get(..length).unwrap_or_default()
    }
}

fn put(message: &mut [u8], at: usize, bytes: &[u8]) {
    message
        .get_mut(at..at + bytes.len())
        .expect("a place within the message")
        .copy_from_slice(bytes);
}

/// A line of text as a series: its labels have nothing escaped.
fn series(line: &str) -> TimeSeries {
    let (name, rest) = line.split_once('{').expect("labels");
    let (labels, value) = rest.split_once("} ").expect("a value");
    let pairs = labels
        .split_terminator("\",")
        .map(|pair| pair.split_once("=\"").expect("a label and its value"));
    let mut labels: Vec<Label> = std::iter::once(("__name__", name))
        .chain(pairs)
        .map(|(name, value)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    labels.sort_by(|one, other| one.name.cmp(&other.name));
    TimeSeries {
        labels,
        samples: vec![Sample {
            value: f64::from_str(value).expect("a number"),
            timestamp: now(),
        }],
        ..TimeSeries::default()
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    i64::try_from(since.as_millis()).expect("a time of this age")
}

struct Sender(BufReader<TcpStream>);

impl Sender {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the subject's door");
        stream.set_nodelay(true).expect("a socket option");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, body: &[u8]) {
        let head = format!(
            "POST /api/v1/write HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1\r\nContent-Type: application/x-protobuf\r\n\
             Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).expect("a request's head");
        stream.write_all(body).expect("a request's body");
        self.read_answer();
    }

    fn read_answer(&mut self) {
        let (mut start, mut line, mut length) = (String::new(), String::new(), 0);
        self.0.read_line(&mut start).expect("an answer");
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the answer's body");
        assert!(
            start
                .split(' ')
                .nth(1)
                .is_some_and(|status| status.starts_with('2')),
            "the request was answered by {start:?}: {}",
            String::from_utf8_lossy(&body)
        );
    }
}
