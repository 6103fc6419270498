//! What was acknowledged survives us, and so does what we know.

use std::time::Duration;

use crate::bridge::Bridge;

/// PRW S1-25.
#[test]
fn what_was_taken_while_the_remote_was_away_arrives_after_a_restart() {
    let mut bridge = Bridge::start();
    bridge.remote().go_away();
    bridge.put("/metrics/job/j", "a 1\n");
    bridge.put("/metrics/job/j", "a 2\n");

    bridge.stop();
    bridge.remote().come_back();
    bridge.begin();

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2"])]);
}

#[test]
fn a_series_known_before_a_restart_still_ends() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\nb 1\n");
    bridge.stop();
    bridge.begin();

    bridge.put("/metrics/job/j", "a 2\n");

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2"]), ("b{job=\"j\"}", &["1", "stale"])]);
}

#[test]
fn nobody_is_retired_because_we_were_away() {
    let mut bridge = Bridge::with("jobs: {stale_after: 60s}\n");
    bridge.put("/metrics/job/j", "a 1\n");
    bridge.stop();

    bridge.leap(Duration::from_secs(3600));
    bridge.begin();
    bridge.pass(Duration::from_secs(59));
    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
    bridge.pass(Duration::from_secs(3));

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "stale"])]);
}

#[test]
fn an_ended_series_is_not_ended_again_after_a_restart() {
    let mut bridge = Bridge::with("jobs: {stale_after: 60s}\n");
    bridge.put("/metrics/job/j", "a 1\n");
    bridge.delete("/metrics/job/j");
    bridge.stop();

    bridge.begin();
    bridge.pass(Duration::from_secs(100));
    bridge.put("/metrics/job/j", "a 2\n");

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "stale", "2"])]);
}

#[test]
fn a_full_queue_that_may_not_drop_says_when_to_come_again() {
    let bridge = Bridge::with("queue: {max_bytes: 4MiB, segment_bytes: 1MiB, when_full: refuse}\n");
    bridge.remote().go_away();
    let body: String = (0..2000)
        .map(|index| format!("a{{x=\"{index}-{}\"}} {index}\n", "ab".repeat(200)))
        .collect();

    let mut refused = None;
    for round in 0..2000 {
        let body = body.replace("ab", &format!("{round:x}"));
        let answer = bridge.send("PUT", &format!("/metrics/job/j{round}"), &body);
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }

    let refused = refused.expect("a refusal before the disk is full");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("queue.when_full"), "{}", refused.text());
    let ready = bridge.send("GET", "/-/ready", "");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("the queue is full"), "{}", ready.text());
}

#[test]
fn a_small_queue_that_drops_the_oldest_goes_on_taking_pushes() {
    let bridge = Bridge::with("queue: {max_bytes: 4MiB, segment_bytes: 512KiB}\n");
    bridge.remote().go_away();

    for round in 0..100_u64 {
        let noise = |index: u64| (index * 1000 + round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let body: String = (0..1000)
            .map(|index| format!("a{{x=\"{:016x}\"}} {index}\n", noise(index)))
            .collect();
        bridge.put(&format!("/metrics/job/j{}", round % 5), &body);
        bridge.tidy();
    }

    bridge.remote().come_back();
    bridge.delivered();
    let remote = &bridge.app().remotes()[0];
    let queued = bridge.metric("flinkbridge_intake_queued_samples_total");
    assert_eq!(queued, (remote.sent_samples + remote.dropped_samples) as f64);
}

#[test]
fn a_torn_snapshot_is_replaced_by_reading_the_log() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\nb 1\n");
    bridge.stop();
    let snapshot = bridge.folder().join("data/registry.snapshot");
    let bytes = std::fs::read(&snapshot).unwrap();
    std::fs::write(&snapshot, &bytes[..bytes.len() / 2]).unwrap();

    bridge.begin();

    bridge.put("/metrics/job/j", "a 2\n");
    bridge.delivered();
    assert_eq!(bridge.seen()["a{job=\"j\"}"], ["1", "2"]);
}
