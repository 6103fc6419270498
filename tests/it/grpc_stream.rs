//! The stream's protocol, as `proto/flinkbridge/ingest/v1/remote_write.proto` tells it.

use flinkbridge::codec::ingest::write_request::Part;
use flinkbridge::codec::ingest::{DESCRIPTORS, Message, Outcome, WriteResponse};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tonic::Code;

use crate::bridge::Bridge;
use crate::stream::{Stream, body, connect};

fn address(bridge: &Bridge) -> std::net::SocketAddr {
    bridge.app().grpc_address().unwrap()
}

fn outcomes(answers: &[WriteResponse]) -> Vec<(u64, Outcome)> {
    let results = answers.iter().flat_map(|answer| &answer.results);
    results
        .map(|result| (result.sequence, result.outcome()))
        .collect()
}

#[test]
fn messages_are_acknowledged_in_order_and_are_at_the_remote_in_order() {
    let bridge = Bridge::start();
    let (mut stream, greeting) = Stream::greeted(address(&bridge), 1, 1);
    assert_eq!(greeting.acknowledged_sequence, 0);
    assert!(greeting.window.unwrap().messages >= 1);

    for sequence in 1..=50 {
        stream.send(sequence, &[("a", sequence as f64), ("b", 1.0)]);
    }
    let answers = stream.acknowledged(50);

    let expected: Vec<(u64, Outcome)> = (1..=50).map(|it| (it, Outcome::Taken)).collect();
    assert_eq!(outcomes(&answers), expected);
    bridge.delivered();
    let numbers: Vec<String> = (1..=50).map(|it| it.to_string()).collect();
    assert_eq!(bridge.seen()["a{job=\"j\"}"], numbers);
}

#[test]
fn what_is_acknowledged_survives() {
    let mut bridge = Bridge::start();
    bridge.remote().go_away();
    let (mut stream, _) = Stream::greeted(address(&bridge), 1, 1);
    stream.send(1, &[("a", 1.0)]);
    stream.acknowledged(1);

    bridge.stop();
    bridge.remote().come_back();
    bridge.begin();

    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
}

#[test]
fn a_bad_series_is_told_and_breaks_neither_its_message_nor_the_stream() {
    let bridge = Bridge::start();
    let (mut stream, _) = Stream::greeted(address(&bridge), 1, 1);

    stream.send(1, &[("a", 1.0), ("", 2.0), ("b", 3.0)]);
    stream.send_body(2, b"no snappy".to_vec());
    stream.send(3, &[("c", 4.0)]);
    let answers = stream.acknowledged(3);

    assert_eq!(
        outcomes(&answers),
        [
            (1, Outcome::PartlyTaken),
            (2, Outcome::Refused),
            (3, Outcome::Taken)
        ]
    );
    let first = answers.iter().flat_map(|answer| &answer.results).next().unwrap();
    assert_eq!(first.taken.unwrap().samples, 2);
    assert_eq!(first.refused.unwrap().samples, 1);
    assert!(first.words.contains("not taken: 1 samples"), "{}", first.words);
    bridge.remote_has(&[
        ("a{job=\"j\"}", &["1"]),
        ("b{job=\"j\"}", &["3"]),
        ("c{job=\"j\"}", &["4"]),
    ]);
}

#[test]
fn a_session_goes_on_on_a_newer_stream_where_the_older_one_was() {
    let bridge = Bridge::start();
    let (mut old, _) = Stream::greeted(address(&bridge), 1, 1);
    old.send(1, &[("a", 1.0)]);
    old.send_body(2, b"no snappy".to_vec());
    old.acknowledged(2);

    let (mut new, greeting) = Stream::greeted(address(&bridge), 1, 1);
    let (_, of_another) = Stream::greeted(address(&bridge), 2, 9);
    new.send(3, &[("a", 3.0)]);
    new.acknowledged(3);

    assert_eq!(greeting.acknowledged_sequence, 2);
    assert_eq!(outcomes(&[greeting]), [(2, Outcome::Refused)]);
    assert_eq!(of_another.acknowledged_sequence, 8);
    assert_eq!(old.answer(), Err(Code::Aborted));
    bridge.remote_has(&[("a{job=\"j\"}", &["1", "3"])]);
}

#[test]
fn what_breaks_the_rules_of_the_stream_ends_it() {
    let bridge = Bridge::start();
    let hello = |stream: &Stream| stream.hello(1, 1);
    type Breach<'a> = dyn Fn(&Stream) + 'a;
    let rules: [(&str, &Breach<'_>); 7] = [
        ("no hello", &|stream| stream.send(1, &[("a", 1.0)])),
        ("hello twice", &|stream| {
            hello(stream);
            hello(stream);
        }),
        ("numbers from 0", &|stream| stream.hello(1, 0)),
        ("numbers to the end", &|stream| stream.hello(1, u64::MAX)),
        ("a gap", &|stream| {
            hello(stream);
            stream.send(2, &[("a", 1.0)]);
        }),
        ("an unknown message", &|stream| {
            hello(stream);
            stream.say(Part::Message(Message {
                sequence: 1,
                protobuf: 7,
                body: body(&[("a", 1.0)]).into(),
            }));
        }),
        ("a short session", &|stream| {
            stream.say(Part::Hello(flinkbridge::codec::ingest::Hello {
                session: vec![1; 3],
                first_sequence: 1,
                ..Default::default()
            }));
        }),
    ];

    for (rule, breach) in rules {
        let mut stream = Stream::open(address(&bridge));
        breach(&stream);
        let mut last = stream.answer();
        while last.is_ok() {
            last = stream.answer();
        }
        assert_eq!(last, Err(Code::InvalidArgument), "{rule}");
    }
    assert!(bridge.seen().is_empty());
}

#[test]
fn a_sender_that_has_said_all_is_answered_to_the_end() {
    let bridge = Bridge::start();
    let (mut stream, _) = Stream::greeted(address(&bridge), 1, 1);

    for sequence in 1..=20 {
        stream.send(sequence, &[("a", sequence as f64)]);
    }
    stream.finish();

    stream.acknowledged(20);
    assert_eq!(stream.answer(), Err(Code::Ok));
}

#[test]
fn a_stop_settles_what_was_taken_and_sends_the_sender_elsewhere() {
    let mut bridge = Bridge::start();
    let (mut stream, _) = Stream::greeted(address(&bridge), 1, 1);
    stream.send(1, &[("a", 1.0)]);
    stream.acknowledged(1);

    bridge.stop();

    assert_eq!(stream.answer(), Err(Code::Unavailable));
}

#[test]
fn a_stop_waits_for_nobody_who_has_nothing_under_way() {
    let mut bridge = Bridge::start();
    let mut silent = Stream::open(address(&bridge));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let path = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let (listing, asking) = runtime.block_on(async {
        let (mut channel, origin) = connect(address(&bridge)).await;
        let (asking, questions) =
            tokio::sync::mpsc::channel::<Result<hyper::body::Frame<bytes::Bytes>, std::io::Error>>(1);
        let questions =
            http_body_util::StreamBody::new(tokio_stream::wrappers::ReceiverStream::new(questions));
        let request = http::Request::post(format!("{origin}{path}"))
            .header("content-type", "application/grpc")
            .body(tonic::body::Body::new(questions))
            .unwrap();
        let response = tower_service::Service::call(&mut channel, request).await.unwrap();
        (response, asking)
    });

    let begun = std::time::Instant::now();
    bridge.stop();

    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(silent.answer(), Err(Code::Unavailable));
    drop((listing, asking));
}

#[test]
fn the_callers_deadline_ends_the_stream() {
    let bridge = Bridge::start();
    let soon = std::time::Duration::from_millis(50);
    let mut stream = Stream::with(address(&bridge), |request| request.set_timeout(soon)).unwrap();
    stream.hello(1, 1);
    stream.answer().unwrap();

    assert_eq!(stream.answer(), Err(Code::DeadlineExceeded));
}

#[test]
fn a_message_that_finds_the_queue_full_has_to_come_again_with_all_behind_it() {
    let bridge = Bridge::with("queue: {max_bytes: 1MiB, segment_bytes: 128KiB, when_full: refuse}\n");
    bridge.remote().go_away();
    let (mut stream, _) = Stream::greeted(address(&bridge), 1, 1);
    let noise = |index: u64| format!("a{:016x}", (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));

    let mut refused = None;
    for sequence in 1..=200 {
        let names: Vec<String> = (0..1000).map(|index| noise(sequence * 1000 + index)).collect();
        let series: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        stream.send(sequence, &series);
        let answer = stream.answer().unwrap();
        if answer.acknowledged_sequence < sequence {
            refused = Some((sequence, answer));
            break;
        }
    }

    let (sequence, answer) = refused.expect("a full queue");
    assert_eq!(
        outcomes(std::slice::from_ref(&answer)),
        [(sequence, Outcome::Retry)]
    );
    assert!(answer.results[0].retry_after_ms > 0);
    assert_eq!(stream.answer(), Err(Code::ResourceExhausted));
    bridge.remote().come_back();
}

#[test]
fn a_message_longer_than_the_window_says_ends_the_stream() {
    let bridge = Bridge::with("remote_write_receiver: {max_body_bytes: 64KiB}\n");
    let (mut stream, greeting) = Stream::greeted(address(&bridge), 1, 1);
    assert_eq!(greeting.window.unwrap().max_message_bytes, 64 << 10);

    stream.send_body(1, vec![0; 65 << 10]);

    assert_eq!(stream.answer(), Err(Code::ResourceExhausted));
}

#[test]
fn strangers_and_lookers_may_not_write_and_anybody_may_ask_for_health() {
    let bridge = Bridge::prepared(
        "grpc: {listen: '127.0.0.1:0', tokens: [{name: agents, role: writer, token_file: token}, {name: boards, role: viewer, token_file: looking}]}\n",
        |folder| {
            std::fs::write(folder.join("token"), "s3cret\n").unwrap();
            std::fs::write(folder.join("looking"), "looking\n").unwrap();
        },
    );
    let asked = |token: &str| {
        let header = format!("Bearer {token}");
        let opened = Stream::with(address(&bridge), |request| {
            let value = header.parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        });
        opened.map(drop).map_err(|status| status.code())
    };

    assert_eq!(asked("s3cret"), Ok(()));
    assert_eq!(asked("wrong"), Err(Code::Unauthenticated));
    assert_eq!(asked("looking"), Err(Code::PermissionDenied));
    assert_eq!(
        called(&bridge, "/grpc.health.v1.Health/Check", &[]).1,
        b"\x08\x01"
    );
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    assert_eq!(called(&bridge, reflection, &[]).0, "16");
}

#[test]
fn reflection_tells_of_the_service_in_both_versions() {
    let bridge = Bridge::start();
    let list_services = b"\x3a\x01*";

    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let (status, answer) = called(&bridge, &path, list_services);
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(status, "0", "{version}");
        assert!(text.contains("flinkbridge.ingest.v1.RemoteWrite"), "{text}");
        assert!(text.contains("grpc.health.v1.Health"), "{text}");
    }
    assert!(prost_types::FileDescriptorSet::decode(DESCRIPTORS).is_ok());
    for unknown in ["/no.such.Service/Call", "/grpc.health.v1.Health/Watch"] {
        assert_eq!(called(&bridge, unknown, &[]).0, "12", "{unknown}");
    }
}

/// Calls with one message; returns the status and the first message of the answer.
fn called(bridge: &Bridge, path: &str, message: &[u8]) -> (String, Vec<u8>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (mut channel, origin) = connect(address(bridge)).await;
        let mut framed = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
        framed.extend(message);
        let request = http::Request::post(format!("{origin}{}", path.trim_start_matches('/')))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(tonic::body::Body::new(Full::new(bytes::Bytes::from(framed))))
            .unwrap();
        let response = tower_service::Service::call(&mut channel, request).await.unwrap();
        let head = response.headers().get("grpc-status").cloned();
        let collected = response.into_body().collect().await.unwrap();
        let trailer = collected.trailers().and_then(|it| it.get("grpc-status").cloned());
        let status = head.or(trailer).unwrap().to_str().unwrap().to_owned();
        let bytes = collected.to_bytes();
        (status, bytes.get(5..).unwrap_or_default().to_vec())
    })
}
