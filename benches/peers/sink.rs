//! A remote that counts the samples it is sent: a process of its own, so that its CPU time is nobody else's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use prost::Message;

use crate::process::Process;

/// What has arrived so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

/// A running sink.
#[derive(Debug)]
pub(crate) struct Sink {
    /// Ends with its process.
    _process: Process,
    port: u16,
}

impl Sink {
    /// Starts this program once more, as a sink.
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a sink");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("its port");
        Self {
            port: line.trim().parse().expect("a port"),
            _process: Process(child),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/write", self.port)
    }

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

/// What the child does: says its port and answers until its input ends.
pub(crate) fn run() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    println!("{}", listener.local_addr().expect("its address").port());
    let tally = Arc::new(Tally::default());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tally = Arc::clone(&tally);
            thread::spawn(move || answer(stream, &tally));
        }
    });
    let mut nothing = Vec::new();
    // the end of the input is the end of the program that asked for us
    let _ = std::io::stdin().read_to_end(&mut nothing);
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
