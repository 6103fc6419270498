//! A remote in a process of its own, so that its CPU time is nobody else's; what it answers is the business of each benchmark.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use crate::process::Process;

/// A running sink.
#[derive(Debug)]
pub(crate) struct Sink {
    /// Ends with its process.
    _process: Process,
    pub(crate) port: u16,
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

/// What the child does: says its port and serves each connection by `answer` until its input ends.
pub(crate) fn run(answer: impl Fn(TcpStream) + Send + Sync + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    println!("{}", listener.local_addr().expect("its address").port());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer(stream));
        }
    });
    let mut nothing = Vec::new();
    // the end of the input is the end of the program that asked for us
    let _ = std::io::stdin().read_to_end(&mut nothing);
}
