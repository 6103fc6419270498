//! What was acknowledged survives us, and so does what we know.

use std::time::Duration;

use crate::bridge::Bridge;

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
}

#[test]
fn a_small_queue_that_may_drop_refuses_nobody() {
    let bridge = Bridge::with("queue: {max_bytes: 2MiB, when_full: drop_oldest}\n");
    let noise = |round: u32, index: u32| {
        format!(
            "{:x}",
            (u128::from(round) << 64 | u128::from(index))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        )
    };

    let refused = (0..60).find(|round| {
        let body: String = (0..1000)
            .map(|index| format!("a{{x=\"{}\"}} {index}\n", noise(*round, index)))
            .collect();
        bridge.tidy();
        bridge.send("PUT", "/metrics/job/j", &body).status != 200
    });

    assert_eq!(refused, None);
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
