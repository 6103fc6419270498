//! A remote that reads requests and answers 204: a process of its own, so that its CPU time is not the bridge's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use crate::process::Process;

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
}

/// What the child does: says its port and answers until its input ends.
pub(crate) fn run() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    println!("{}", listener.local_addr().expect("its address").port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    let mut nothing = Vec::new();
    // the end of the input is the end of the program that asked for us
    let _ = std::io::stdin().read_to_end(&mut nothing);
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
        writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()?;
    }
}
