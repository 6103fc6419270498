//! Everything that real Flink was seen to send is taken, byte for byte as it was captured.

use crate::bridge::Bridge;
use crate::capture;

const SETTINGS: &str = "http: {listen: '127.0.0.1:0', path_prefixes: [/api/v1/push/tok123]}\n";

#[test]
fn every_capture_is_taken_but_those_that_no_gateway_takes() {
    let bridge = Bridge::with(SETTINGS);

    let mut wrong = Vec::new();
    for scenario in capture::scenarios() {
        for request in capture::requests(&scenario) {
            let path = request.path();
            let refused = path.contains(' ') || path.contains("/na-me/");
            let expected: &[u16] = if refused {
                &[400]
            } else if path == "/metrics/job/" {
                &[307]
            } else if path == "/elsewhere" {
                &[404]
            } else {
                &[200, 202]
            };
            let answer = bridge.send_raw(&request.bytes);
            if !expected.contains(&answer.status) {
                wrong.push(format!(
                    "{} {path}: {} {}",
                    request.file,
                    answer.status,
                    answer.text()
                ));
            }
            bridge.leap(std::time::Duration::from_millis(10));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_put_twice_on_two_connections_changes_nothing() {
    let bridge = Bridge::with(SETTINGS);
    let put = capture::requests("1.20.5/base")
        .into_iter()
        .find(|request| request.method() == "PUT")
        .unwrap();

    assert_eq!(bridge.send_raw(&put.bytes).status, 200);
    assert_eq!(bridge.send_raw(&put.bytes).status, 200);

    bridge.delivered();
    let stale = bridge
        .seen()
        .into_values()
        .flatten()
        .filter(|value| value == "stale")
        .count();
    assert_eq!(stale, 0);
    assert_eq!(bridge.app().intake().summary().sources, 1);
}

#[test]
fn a_capture_arrives_with_clean_labels() {
    let bridge = Bridge::with(SETTINGS);
    let put = capture::requests("1.20.5/base").into_iter().next().unwrap();

    assert_eq!(bridge.send_raw(&put.bytes).status, 200);

    bridge.delivered();
    let seen = bridge.seen();
    let series = "flink_taskmanager_Status_JVM_Memory_Metaspace_Max{env=\"prod\",host=\"127_0_0_1\",\
        instance=\"a2de120862cafb0df23e3490956b30f6\",instance_id=\"emr-abcd1234\",job=\"flink-test\",tm_id=\"tm_1:28489\"}";
    assert_eq!(seen[series], ["268435456"]);
}

#[test]
fn after_every_process_said_goodbye_nothing_of_a_capture_is_alive() {
    let bridge = Bridge::with(SETTINGS);

    for request in capture::requests("1.20.5/base") {
        bridge.send_raw(&request.bytes);
        bridge.leap(std::time::Duration::from_millis(10));
    }

    bridge.delivered();
    assert_eq!(bridge.app().intake().summary().series, 0);
    assert!(
        bridge
            .seen()
            .into_values()
            .all(|values| values.last().is_some_and(|last| last == "stale"))
    );
}
