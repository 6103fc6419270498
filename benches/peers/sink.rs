//! A remote that counts the samples it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message;

pub(crate) use crate::remote_process::Sink;

/// What has arrived so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

impl Sink {
    /// Asks it.
    pub(crate) fn counted(&self) -> Counted {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the sink's door");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: sink\r\nConnection: close\r\n\r\n")
            .expect("a question");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, figures) = answer.rsplit_once("\r\n\r\n").expect("a body");
        let (samples, bytes) = figures.split_once(' ').expect("two figures");
        Counted {
            samples: samples.parse().expect("a number of samples"),
            bytes: bytes.parse().expect("a number of bytes"),
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    samples: AtomicU64,
    bytes: AtomicU64,
}

/// What the child does.
pub(crate) fn run() {
    let tally = Tally::default();
    crate::remote_process::run(move |stream| {
        // a connection that ends in the middle is none of the measurement's
        let _ = answer(stream, &tally);
    });
}

fn answer(stream: TcpStream, tally: &Tally) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut body = Vec::new();
    loop {
        let mut start = String::new();
        if reader.read_line(&mut start).ok()? == 0 {
            return None;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.split_once(':') {
                _ if line == "\r\n" => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?;
                }
                _ => {}
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
        if start.starts_with("GET ") {
            let (samples, bytes) = (&tally.samples, &tally.bytes);
            let figures = format!(
                "{} {}",
                samples.load(Ordering::SeqCst),
                bytes.load(Ordering::SeqCst)
            );
            return write!(writer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{figures}").ok();
        }
        let samples = samples(&body)?;
        tally
            .bytes
            .fetch_add(u64::try_from(length).ok()?, Ordering::SeqCst);
        tally.samples.fetch_add(samples, Ordering::SeqCst);
        writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()?;
    }
}

/// How many samples a request has; read without the labels, which are most of it.
fn samples(body: &[u8]) -> Option<u64> {
    /// As much of a request as counting needs.
    #[derive(Message)]
    struct Request {
        #[prost(message, repeated, tag = "1")]
        series: Vec<Series>,
    }
    /// As much of a series as counting needs.
    #[derive(Message)]
    struct Series {
        #[prost(bytes = "vec", repeated, tag = "2")]
        samples: Vec<Vec<u8>>,
    }
    let message = snap::raw::Decoder::new().decompress_vec(body).ok()?;
    let request = Request::decode(message.as_slice()).ok()?;
    let samples: usize = request.series.iter().map(|series| series.samples.len()).sum();
    u64::try_from(samples).ok()
}
