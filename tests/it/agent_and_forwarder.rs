//! Two bridges, one behind the other: what an agent has acknowledged arrives behind the forwarder, in order, whatever
//! happens to the way between them.

use std::time::Duration;

use flinkbridge::codec::ingest::write_request::Part;
use flinkbridge::codec::ingest::{Message, Protobuf};
use prost::Message as _;

use crate::bodies::{PROTOBUF_TYPE, send};
use crate::bridge::Bridge;
use crate::cutter::Cutter;
use crate::secured::Authority;
use crate::stream::Stream;
use crate::strict::{Strict, Understands};
use crate::wait;
use crate::write_v2::{Exemplar, Request, Sample, TimeSeries};

const PATIENCE: Duration = Duration::from_secs(20);

/// An agent that forwards by gRPC to `address`.
fn agent(address: std::net::SocketAddr, more: &str) -> Bridge {
    Bridge::with(&format!(
        "remote_write: [{{name: forwarder, url: 'grpc://{address}', queue_config: {{min_backoff: 1ms, max_backoff: 20ms}}{more}}}]\n"
    ))
}

fn grpc(bridge: &Bridge) -> std::net::SocketAddr {
    bridge.app().grpc_address().unwrap()
}

/// What of each series the numbers 1 to `last` make.
fn numbers(last: u32) -> Vec<String> {
    (1..=last).map(|number| number.to_string()).collect()
}

#[test]
fn a_push_at_the_agent_arrives_behind_the_forwarder_and_ends_there() {
    let forwarder = Bridge::start();
    let agent = agent(grpc(&forwarder), "");

    agent.put("/metrics/job/j", "a 1\nb 1\n");
    agent.put("/metrics/job/j", "a 2\n");

    forwarder.remote_has(&[("a{job=\"j\"}", &["1", "2"]), ("b{job=\"j\"}", &["1", "stale"])]);
    agent.delivered();
    assert_eq!(agent.app().remotes()[0].rejected_samples, 0);
    assert_eq!(
        forwarder.metric("flinkbridge_grpc_messages_total{outcome=\"taken\"}"),
        forwarder.metric("flinkbridge_grpc_messages_total")
    );
}

#[test]
fn a_way_that_breaks_at_any_moment_loses_nothing_doubles_nothing_and_keeps_the_order() {
    let forwarder = Bridge::start();
    let way = Cutter::before(grpc(&forwarder));
    let agent = agent(way.address(), "");
    way.cut();

    for number in 1..=60 {
        for group in 0..6 {
            agent.put(&format!("/metrics/job/j{group}"), &format!("a {number}\n"));
        }
    }
    wait::until_true("a good number of cuts", PATIENCE, || way.cuts() > 20);
    way.mend();

    agent.delivered();
    forwarder.delivered();
    let seen = forwarder.seen();
    for group in 0..6 {
        assert_eq!(
            seen[&format!("a{{job=\"j{group}\"}}")],
            numbers(60),
            "group {group}"
        );
    }
}

#[test]
fn a_forwarder_that_stops_and_comes_back_gets_everything_in_order() {
    let mut forwarder = Bridge::start();
    let way = Cutter::before(grpc(&forwarder));
    let agent = agent(way.address(), "");

    for number in 1..=40 {
        agent.put("/metrics/job/j", &format!("a {number}\n"));
        if number % 10 == 0 {
            forwarder.stop();
            forwarder.begin();
            way.lead_to(grpc(&forwarder));
        }
    }

    agent.delivered();
    forwarder.delivered();
    let mut seen = forwarder.seen().remove("a{job=\"j\"}").unwrap();
    seen.dedup();
    assert_eq!(seen, numbers(40));
}

#[test]
fn an_agent_that_stops_and_comes_back_loses_nothing() {
    let forwarder = Bridge::start();
    let way = Cutter::before(grpc(&forwarder));
    let mut agent = agent(way.address(), "");
    way.cut();

    for number in 1..=30 {
        agent.put("/metrics/job/j", &format!("a {number}\n"));
        if number % 10 == 0 {
            agent.stop();
            agent.begin();
        }
    }
    way.mend();

    agent.delivered();
    forwarder.delivered();
    let mut seen = forwarder.seen().remove("a{job=\"j\"}").unwrap();
    seen.dedup();
    assert_eq!(seen, numbers(30));
}

#[test]
fn a_wrong_token_costs_time_and_no_sample() {
    let forwarder = Bridge::prepared(
        "grpc: {listen: '127.0.0.1:0', tokens: [{name: agents, role: writer, token_file: token}, {name: boards, role: viewer, token_file: looking}]}\n",
        |folder| {
            std::fs::write(folder.join("token"), "s3cret\n").unwrap();
            std::fs::write(folder.join("looking"), "looking\n").unwrap();
        },
    );
    let agent = Bridge::prepared(
        &format!(
            "remote_write: [{{name: forwarder, url: 'grpc://{}', authorization: {{credentials_file: token}}, queue_config: {{max_backoff: 50ms}}}}]\n",
            grpc(&forwarder)
        ),
        |folder| std::fs::write(folder.join("token"), "wrong\n").unwrap(),
    );
    let last_words = || {
        agent.app().remotes()[0]
            .last_error
            .clone()
            .map(|error| error.words)
    };
    let says = |words: &str| last_words().is_some_and(|last| last.contains(words));
    agent.put("/metrics/job/j", "a 1\n");
    wait::until_true("a refusal of the token", PATIENCE, || {
        says("this door wants a token")
    });
    std::fs::write(agent.folder().join("token"), "looking").unwrap();
    wait::until_true("a refusal of the role", PATIENCE, || says("may not write"));

    std::fs::write(agent.folder().join("token"), "s3cret").unwrap();

    forwarder.remote_has(&[("a{job=\"j\"}", &["1"])]);
}

#[test]
fn a_series_that_the_forwarder_does_not_take_takes_no_neighbour_along() {
    let forwarder = Bridge::with("normalise: {limits: {max_value_bytes: 100}}\n");
    let agent = agent(grpc(&forwarder), "");
    let long = "x".repeat(200);

    agent.put("/metrics/job/j", &format!("a 1\nb{{l=\"{long}\"}} 1\nc 1\n"));

    forwarder.remote_has(&[("a{job=\"j\"}", &["1"]), ("c{job=\"j\"}", &["1"])]);
    agent.delivered();
    let status = &agent.app().remotes()[0];
    assert_eq!(status.rejected_samples, 1);
    assert!(
        status.rejections[0].words.contains("max_value_bytes"),
        "{:?}",
        status.rejections
    );
}

#[test]
fn a_message_beyond_what_the_forwarder_takes_arrives_in_parts() {
    let forwarder = Bridge::with("remote_write_receiver: {max_body_bytes: 64KiB}\n");
    let agent = agent(grpc(&forwarder), "");
    let noise = |index: u64| (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let body: String = (0..8000)
        .map(|index| format!("a{{x=\"{:016x}\"}} {index}\n", noise(index)))
        .collect();

    agent.put("/metrics/job/j", &body);

    agent.delivered();
    forwarder.delivered();
    assert_eq!(forwarder.seen().len(), 8000);
    assert_eq!(agent.app().remotes()[0].rejected_samples, 0);
}

#[test]
fn native_histograms_and_exemplars_travel_without_being_asked_for() {
    let forwarder = Bridge::sending_all();
    let agent = agent(grpc(&forwarder), "");
    let body = include_bytes!("../fixtures/client_golang/native.pb");
    let text = "# TYPE r counter\nr_total 1 # {trace=\"t\"} 2 3\n# EOF\n";

    let headers = format!("Content-Type: {PROTOBUF_TYPE}\r\n");
    assert!(send(&agent, "PUT", &headers, body).is_success());
    let headers = "Content-Type: application/openmetrics-text; version=1.0.0\r\n";
    assert!(send(&agent, "POST", headers, text.as_bytes()).is_success());
    agent.delivered();
    forwarder.delivered();

    let extras = forwarder.remote().extras();
    assert!(!extras.histograms.is_empty());
    assert!(
        extras
            .exemplars
            .keys()
            .any(|series| series.starts_with("r_total")),
        "{extras:?}"
    );
    assert_eq!(agent.app().remotes()[0].dropped_samples, 0);
}

#[test]
fn an_agent_with_a_certificate_comes_in_by_tls_and_one_without_does_not() {
    let authority = Authority::new();
    let forwarder = Bridge::prepared(
        "grpc: {listen: '127.0.0.1:0', tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt}}\n",
        |folder| {
            authority.certify("localhost").store(folder);
            std::fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
        },
    );
    let port = grpc(&forwarder).port();
    let secured = |certificate: &str| {
        Bridge::prepared(
            &format!(
                "remote_write: [{{name: forwarder, url: 'grpcs://localhost:{port}', tls_config: {{ca_file: ca.crt{certificate}}}}}]\n"
            ),
            |folder| {
                authority.certify("agent").store(folder);
                std::fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
            },
        )
    };
    let agent = secured(", cert_file: server.crt, key_file: server.key");
    let stranger = secured("");

    stranger.put("/metrics/job/stranger", "a 1\n");
    agent.put("/metrics/job/j", "a 1\n");

    forwarder.remote_has(&[("a{job=\"j\"}", &["1"])]);
    wait::until_true("a refusal", PATIENCE, || {
        stranger.app().remotes()[0].last_error.is_some()
    });
    assert_eq!(stranger.app().remotes()[0].sent_samples, 0);
}

#[test]
fn start_times_and_exemplars_reach_a_store_behind_two_bridges() {
    let store = Strict::start(Understands::Version2);
    let forwarder = Bridge::with(
        &store.as_remote(", protobuf_message: io.prometheus.write.v2.Request, send_exemplars: true"),
    );
    let agent = agent(grpc(&forwarder), "");
    let request = Request {
        symbols: ["", "__name__", "c", "trace", "t"].map(str::to_owned).to_vec(),
        timeseries: vec![TimeSeries {
            labels_refs: vec![1, 2],
            samples: vec![Sample {
                value: 5.0,
                timestamp: 1_795_000_000_000,
                start_timestamp: 1_794_999_000_000,
            }],
            exemplars: vec![Exemplar {
                labels_refs: vec![3, 4],
                value: 2.0,
                timestamp: 1_795_000_000_000,
            }],
            ..Default::default()
        }],
    };
    let body = snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .unwrap();

    let (mut stream, _) = Stream::greeted(grpc(&agent), 1, 1);
    stream.say(Part::Message(Message {
        sequence: 1,
        protobuf: Protobuf::RequestV2.into(),
        body: body.into(),
    }));
    stream.acknowledged(1);
    agent.delivered();
    forwarder.delivered();

    let kept = store.kept();
    let seen = &kept.series["c{}"];
    assert_eq!(
        seen.samples,
        [(1_795_000_000_000, 5.0_f64.to_bits(), 1_794_999_000_000)]
    );
    assert_eq!(seen.exemplars, [("{trace=\"t\"}".to_owned(), 2.0)]);
}
