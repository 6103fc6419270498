//! The books balance at every rest.

use std::time::Duration;

use crate::bridge::Bridge;
use crate::wait;

#[test]
fn what_was_received_and_made_was_queued_or_dropped_and_what_was_queued_was_sent() {
    let bridge = Bridge::with(
        "normalise: {relabel_configs: [{action: drop, source_labels: [__name__], regex: noise}, {action: labeldrop, regex: replica}]}\n",
    );
    bridge.put("/metrics/job/j/replica/1", "a 1\nnoise 1\nb{x=\"1\"} 1\n");
    bridge.put("/metrics/job/j/replica/2", "a 2\nc 2\n");
    bridge.put("/metrics/job/j/replica/1", "a 3\n");
    bridge.send("PUT", "/metrics/job/k", "a 1\na 2\n");
    bridge.send("PUT", "/metrics/job/k", "a 1 1000\n");
    bridge.put("/metrics/job/k", "m{a=\"\"} 1\nm 2\n");
    bridge.delete("/metrics/job/j/replica/2");

    bridge.delivered();

    let received = bridge.metric("flinkbridge_intake_received_samples_total");
    let made = bridge.metric("flinkbridge_intake_made_samples_total");
    let queued = bridge.metric("flinkbridge_intake_queued_samples_total");
    let dropped = bridge.metric("flinkbridge_intake_dropped_samples_total");
    assert_eq!(received, 11.0);
    assert!(dropped >= 6.0, "{dropped}");
    assert_eq!(received + made, queued + dropped);
    let sent = bridge.metric("flinkbridge_forward_sent_samples_total");
    assert_eq!(queued, sent);
    assert_eq!(
        bridge.remote().arrivals().values().map(Vec::len).sum::<usize>() as f64,
        sent
    );
}

#[test]
fn what_waits_for_a_remote_is_pending() {
    let bridge = Bridge::start();
    bridge.remote().go_away();

    bridge.put("/metrics/job/j", "a 1\n");

    assert_eq!(bridge.metric("flinkbridge_intake_queued_samples_total"), 3.0);
    wait::until_true("three pending samples", Duration::from_secs(10), || {
        bridge.app().remotes()[0].pending_samples == 3
    });
    bridge.remote().come_back();
    bridge.delivered();
    assert_eq!(bridge.app().remotes()[0].sent_samples, 3);
}
