//! Many and bad clients at once: others are served, and what is taken of memory and files has a bound.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::http::{self, Connection};
use crate::program::Program;
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(60);

/// How many idle connections there are, if the system lets us have so many files.
const CROWD: usize = 10_000;

/// How often each bad body is pushed, unless `FLINKBRIDGE_BAD_BODIES` says otherwise.
const ROUNDS: usize = 100;

/// How many connections this process may open, with some left for other tests.
fn crowd() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let highest = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, highest).unwrap();
    let files = getrlimit(Resource::Nofile)
        .current
        .map_or(CROWD * 2, |files| files.try_into().unwrap());
    CROWD.min(files / 2)
}

/// How many connections there are: those asked before this question have been let in.
fn crowd_of(program: &Program) -> u64 {
    let count = program.metric("flinkbridge_http_connections");
    format!("{count}").parse().unwrap()
}

/// A connection that has been answered once and then rests.
fn rested(program: &Program) -> Connection {
    let mut connection = Connection::open(program.address()).unwrap();
    let answer = connection
        .request("GET", "/-/healthy", "text/plain", b"")
        .unwrap();
    assert_eq!(answer.status, 200);
    connection
}

/// A connection that has announced a body of 1 MiB and sends a byte of it.
fn stalled(program: &Program) -> TcpStream {
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream
        .write_all(b"PUT /metrics/job/stalled HTTP/1.1\r\nHost: b\r\nContent-Length: 1048576\r\n\r\n#")
        .unwrap();
    stream
}

#[test]
fn ten_thousand_idle_connections_harm_nobody() {
    let program = Program::start("", "");
    program.put("/metrics/job/j", "a 1\n");
    let (bare, each) = (program.resident_kib(), crowd() / 2);

    let _silent: Vec<TcpStream> = (0..each)
        .map(|_| TcpStream::connect(program.address()).unwrap())
        .collect();
    let (silent, with_silent) = (crowd_of(&program), program.resident_kib());
    let _rested: Vec<Connection> = (0..each).map(|_| rested(&program)).collect();
    let (all, with_rested) = (crowd_of(&program), program.resident_kib());
    let mut pushes: Vec<Duration> = (0..100)
        .map(|value| {
            let begun = Instant::now();
            program.put("/metrics/job/j", &format!("a {value}\n"));
            begun.elapsed()
        })
        .collect();
    pushes.sort();

    let figures = format!(
        "KiB of memory a connection: {} of {silent} without a byte, {} of {all}, half of them after a request; a push takes {:?}, at most {:?}",
        (with_silent - bare) / silent,
        (with_rested - bare) / all,
        pushes[50],
        pushes[99],
    );
    println!("{figures}");
    assert!((with_rested - bare) / all < 50, "{figures}");
}

#[test]
fn bodies_that_only_were_announced_take_little_memory() {
    let program = Program::start("", "");
    let (bare, count) = (program.resident_kib(), crowd() / 10);

    let _stalled: Vec<TcpStream> = (0..count).map(|_| stalled(&program)).collect();
    program.put("/metrics/job/j", "a 1\n");

    let each = (program.resident_kib() - bare) / u64::try_from(count).unwrap();
    println!("{count} stalled bodies: {each} KiB each");
    assert!(each < 200, "{each} KiB of 1 MiB announced");
}

#[test]
fn who_finds_no_place_waits_for_one() {
    let program = Program::start("max_connections: 3", "");
    let mut guests: Vec<Connection> = (0..3).map(|_| rested(&program)).collect();
    let mut waiting = TcpStream::connect(program.address()).unwrap();
    waiting
        .write_all(b"GET /-/healthy HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
        .unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut said = [0; 12];

    let early = waiting.read(&mut said);
    guests.pop();
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    waiting.read_exact(&mut said).unwrap();

    assert!(early.is_err(), "served beyond http.max_connections");
    assert_eq!(&said, b"HTTP/1.1 200");
}

#[test]
fn bombs_of_a_gibibyte_are_stopped_where_the_limit_is() {
    let program = Program::start("", "");
    program.put("/metrics/job/j", "a 1\n");
    let before = program.most_resident_kib();

    for (encoding, bomb) in bombs() {
        let head = format!(
            "PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            bomb.len()
        );
        let mut connection = Connection::open(program.address()).unwrap();
        let answer = connection.exchange(&[head.as_bytes(), &bomb].concat()).unwrap();
        assert_eq!(answer.status, 413, "{encoding}: {}", answer.text());
    }

    let more = program.most_resident_kib() - before;
    println!("four bombs took {more} KiB at most");
    assert!(more < 500 << 10, "{more} KiB for a limit of 65536 KiB");
    program.put("/metrics/job/j", "a 2\n");
}

/// 1 GiB of zeros in each encoding: one piece of 1 MiB, again and again.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    use flate2::{Compress, Compression, FlushCompress};
    let zeros = vec![0; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&zeros).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(&zeros).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(zeros.as_slice(), level);
    let mut bare = Vec::with_capacity(1 << 16);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate
        .compress_vec(&zeros, &mut bare, FlushCompress::Full)
        .unwrap();
    let many = |piece: &[u8]| piece.repeat(1 << 10);
    vec![
        ("gzip", many(&gzip.finish().unwrap())),
        ("snappy", many(&snappy.into_inner().unwrap())),
        ("zstd", many(&zstd)),
        ("deflate", [many(&bare), vec![3, 0]].concat()),
    ]
}

#[test]
fn bad_bodies_leave_neither_memory_nor_files_behind() {
    let rounds = std::env::var("FLINKBRIDGE_BAD_BODIES").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let program = Program::start("", "pushgateway: {max_body_bytes: 65536, max_series: 100}\n");
    let requests = bad_requests();
    let round = |count: usize| {
        for _ in 0..count {
            for request in &requests {
                harm(&program, request);
            }
        }
    };

    round(rounds.div_ceil(2));
    wait::until_true("end of connections", PATIENCE, || {
        program.metric("flinkbridge_http_connections") <= 1.0
    });
    let (memory, files) = (program.resident_kib(), program.open_files());
    round(rounds.div_ceil(2));
    wait::until_true("end of connections", PATIENCE, || {
        program.metric("flinkbridge_http_connections") <= 1.0
    });

    let figures = format!(
        "{} requests of {} kinds: {memory} KiB and {files} files after half of them, {} KiB and {} files at the end",
        2 * rounds.div_ceil(2) * requests.len(),
        requests.len(),
        program.resident_kib(),
        program.open_files()
    );
    println!("{figures}");
    assert!(program.resident_kib() < memory + (16 << 10), "{figures}");
    assert!(program.open_files() <= files + 2, "{figures}");
}

/// Sends a request on a connection of its own and leaves without a good-bye; whether there is an answer is its affair.
fn harm(program: &Program, request: &[u8]) {
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    assert!(
        !said.starts_with(b"HTTP/1.1 2"),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

/// A bad request of every kind.
fn bad_requests() -> Vec<Vec<u8>> {
    let request = |path: &str, lines: &str, body: &[u8]| {
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: b\r\n{lines}Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let job = "/metrics/job/j";
    let many: String = (0..200).map(|index| format!("a{index} 1\n")).collect();
    let chunked = "PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1";
    let protobuf = "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n";
    let mut requests = vec![
        request(job, "", b"a 1"),
        request(job, "", b"a{b=\"\xff\"} 1\n"),
        request(job, "", b"a 1 1\n"),
        request(job, "", b"a 1\na 2\n"),
        request(job, "", many.as_bytes()),
        request(job, "", &[b'\n'; 70_000]),
        request(
            job,
            "Content-Type: application/openmetrics-text\r\n",
            b"# EOF\na 1\n",
        ),
        request(job, protobuf, b"\xff\xff\xff\xff\x7f"),
        request(job, "Content-Encoding: br\r\n", b"a 1\n"),
        request("/metrics/job/j/odd", "", b"a 1\n"),
        request("/metrics/job/%ff", "", b"a 1\n"),
        request("/metrics/job/a b", "", b"a 1\n"),
        b"PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\nContent-Length: 1000\r\n\r\na 1\n".to_vec(),
        chunked.as_bytes().to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PUT".to_vec(),
        Vec::new(),
    ];
    requests.extend(bombs().into_iter().map(|(encoding, bomb)| {
        request(
            job,
            &format!("Content-Encoding: {encoding}\r\n"),
            &bomb[..bomb.len().min(60_000)],
        )
    }));
    requests.extend(
        ["gzip", "snappy", "zstd", "deflate"]
            .map(|encoding| request(job, &format!("Content-Encoding: {encoding}\r\n"), b"plain")),
    );
    requests
}

#[test]
fn a_client_with_many_bad_pushes_is_answered_each_time() {
    let program = Program::start("", "");
    let mut connection = Connection::open(program.address()).unwrap();

    for _ in 0..100 {
        let bad = connection
            .request("PUT", "/metrics/job/j", "text/plain", b"a 1")
            .unwrap();
        let good = connection
            .request("PUT", "/metrics/job/j", "text/plain", b"a 1\n")
            .unwrap();
        assert_eq!((bad.status, good.status), (400, 200));
    }

    assert_eq!(
        http::request(program.address(), "GET", "/-/ready", b"")
            .unwrap()
            .status,
        200
    );
}
