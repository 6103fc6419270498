//! Bodies that lie, never end or are cut off: each gets its answer, and nobody else notices.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::bridge::Bridge;
use crate::http::Connection;

const SMALL: &str = "pushgateway: {max_body_bytes: 65536}\n";

/// The head of a PUT with these header lines.
fn head(lines: &[&str]) -> Vec<u8> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\n{lines}\r\n").into_bytes()
}

fn seed(target: &str, name: &str) -> Vec<u8> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    std::fs::read(corpus.join(target).join(name)).unwrap()
}

fn connect(bridge: &Bridge) -> TcpStream {
    let stream = TcpStream::connect(bridge.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn a_body_refused_by_its_length_gets_its_answer_however_much_is_sent() {
    let bridge = Bridge::with(SMALL);
    let body = vec![b'\n'; 8 << 20];
    let request = [&head(&[&format!("Content-Length: {}", body.len())])[..], &body].concat();

    for _ in 0..20 {
        let answer = bridge.send_raw(&request);

        assert_eq!(answer.status, 413, "{}", answer.text());
    }
}

#[test]
fn whoever_is_refused_before_the_body_is_read_gets_the_answer_too() {
    let bridge = Bridge::with(SMALL);
    let body = vec![b'\n'; 8 << 20];
    for (line, encoding, status) in [
        ("PUT /metrics/job/j/odd HTTP/1.1", "", 400),
        ("PUT /nowhere HTTP/1.1", "", 404),
        ("PATCH /metrics/job/j HTTP/1.1", "", 405),
        ("PUT /metrics/job/j HTTP/1.1", "Content-Encoding: br\r\n", 415),
        ("PUT /metrics/job/a b HTTP/1.1", "", 400),
    ] {
        let head = format!(
            "{line}\r\nHost: b\r\n{encoding}Content-Length: {}\r\n\r\n",
            body.len()
        );

        let answer = bridge.send_raw(&[head.as_bytes(), &body].concat());

        assert_eq!(answer.status, status, "{line}: {}", answer.text());
    }
}

#[test]
fn a_body_without_end_is_stopped_at_the_limit() {
    let bridge = Bridge::with(SMALL);
    let mut stream = connect(&bridge);
    let mut hears = stream.try_clone().unwrap();
    stream.write_all(&head(&["Transfer-Encoding: chunked"])).unwrap();

    let chunk = [b"1000\r\n".as_slice(), &[b'\n'; 0x1000], b"\r\n"].concat();
    let sending = std::thread::spawn(move || {
        let mut sent = 0_usize;
        while stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        sent
    });
    let mut said = Vec::new();
    let _ = hears.read_to_end(&mut said);
    drop(hears);

    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(sending.join().unwrap() > 65536);
    bridge.put("/metrics/job/j", "a 1\n");
}

#[test]
fn a_body_that_is_cut_off_or_lies_of_its_length_changes_nothing() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\n");

    for request in [
        [&head(&["Content-Length: 100"])[..], b"a 2\n"].concat(),
        [&head(&["Transfer-Encoding: chunked"])[..], b"4\r\na 2\n\r\n"].concat(),
        [
            &head(&["Transfer-Encoding: chunked"])[..],
            b"ffffffffffffffff1\r\na 2\n",
        ]
        .concat(),
        [&head(&["Transfer-Encoding: chunked"])[..], b"nonsense\r\na 2\n"].concat(),
        [&head(&["Content-Length: -1"])[..], b"a 2\n"].concat(),
        [&head(&["Content-Length: 4", "Content-Length: 5"])[..], b"a 2\n"].concat(),
        [&head(&["Content-Length: 99999999999999999999"])[..], b"a 2\n"].concat(),
    ] {
        let mut stream = connect(&bridge);
        stream.write_all(&request).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(
            !said.starts_with(b"HTTP/1.1 2"),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }

    bridge.put("/metrics/job/j", "a 3\n");
    bridge.remote_has(&[("a{job=\"j\"}", &["1", "3"])]);
}

#[test]
fn every_body_cut_anywhere_is_refused_or_complete() {
    let protobuf = "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let bridge = Bridge::start();
    for (kind, whole, complete) in [
        ("Content-Type: text/plain", seed("text", "p04-histogram"), 9),
        (
            "Content-Type: application/openmetrics-text",
            seed("openmetrics", "counter"),
            7,
        ),
        (protobuf, seed("protobuf", "same-name-twice"), 4),
    ] {
        let mut taken = 0;
        let mut connection = Connection::open(bridge.address()).unwrap();
        for end in 0..=whole.len() {
            let head = head(&[kind, &format!("Content-Length: {end}")]);
            let cut = whole[..end].to_vec();
            let answer = connection.exchange(&[head, cut].concat()).unwrap();
            assert!(
                [200, 400].contains(&answer.status),
                "{kind} {end}: {}",
                answer.text()
            );
            taken += usize::from(answer.is_success());
        }
        assert_eq!(taken, complete, "{kind}");
    }
}

#[test]
fn packed_twice_is_refused_and_packed_in_pieces_is_not() {
    let bridge = Bridge::start();
    let gzip = |plain: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let send = |encoding: &str, body: &[u8]| {
        let lines = [
            format!("Content-Encoding: {encoding}"),
            format!("Content-Length: {}", body.len()),
        ];
        bridge
            .send_raw(&[&head(&[&lines[0], &lines[1]])[..], body].concat())
            .status
    };

    let nested = gzip(&gzip(b"a 1\n"));
    let pieces = [gzip(b"a 1"), gzip(b""), gzip(b"\nb 2\n")].concat();

    assert_eq!(send("gzip", &nested), 400);
    assert_eq!(send("gzip, gzip", &nested), 415);
    assert_eq!(send("gzip", &pieces), 200);
    bridge.remote_has(&[("a{job=\"j\"}", &["1"]), ("b{job=\"j\"}", &["2"])]);
}

#[test]
fn what_is_no_utf_8_is_refused_wherever_it_stands() {
    let bridge = Bridge::start();
    let put = |path: &[u8], line: &[u8], body: &[u8]| {
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        let request = [
            b"PUT ",
            path,
            b" HTTP/1.1\r\nHost: b\r\n",
            line,
            length.as_bytes(),
            body,
        ]
        .concat();
        let answer = bridge.send_raw(&request);
        (answer.status, answer.text())
    };
    let job = b"/metrics/job/j".as_slice();

    for (path, line, body, sentence) in [
        (
            b"/metrics/job/\xff".as_slice(),
            b"".as_slice(),
            b"a 1\n".as_slice(),
            "percent",
        ),
        (b"/metrics/job/a/b/\xc3\x28", b"", b"a 1\n", "percent"),
        (b"/metrics/job/%ff", b"", b"a 1\n", "not valid UTF-8"),
        (b"/metrics/job/j/a@base64/_w", b"", b"a 1\n", "not valid UTF-8"),
        (job, b"", b"a{b=\"\xff\"} 1\n", "invalid UTF-8"),
        (job, b"", b"a\xff 1\n", "expected float"),
        (job, b"", b"# TYPE a \xff\n", "unknown metric type"),
    ] {
        let (status, text) = put(path, line, body);
        assert_eq!(status, 400, "{}: {text}", path.escape_ascii());
        assert!(text.contains(sentence), "{}: {text}", body.escape_ascii());
    }
    assert_eq!(put("/metrics/job/ä".as_bytes(), b"", b"a 1\n").0, 200);
    assert_eq!(put(job, b"Content-Encoding: \xff\r\n", b"a 1\n").0, 415);
    assert_eq!(
        put(job, b"Content-Type: \xff\r\n", b"# HELP a \xff\na 1\n").0,
        200
    );
    assert_eq!(put(job, b"X-Anything: \xff\xfe\r\n", b"a 2\n").0, 200);
    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2"]), ("a{job=\"ä\"}", &["1"])]);
}
