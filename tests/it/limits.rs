//! What is over a provider's limits is made to fit, still ends, and the books balance.

use crate::bridge::Bridge;

#[test]
fn a_series_that_was_made_to_fit_a_profile_arrives_and_ends() {
    let bridge = Bridge::of_remote(", profile: aliyun-arms");
    let long = "Source: Kafka -> Map -> ".repeat(20);

    bridge.put("/metrics/job/j", &format!("a{{task_name=\"{long}\"}} 1\n"));
    bridge.delete("/metrics/job/j");
    bridge.delivered();

    let seen: Vec<_> = bridge.seen().into_iter().collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (series, values) = &seen[0];
    assert!(
        series.starts_with("a{job=\"j\",task_name=\"Source: Kafka -> Map -> Source: Kafka"),
        "{series}"
    );
    assert!(series.len() < 300, "{series}");
    assert_eq!(*values, ["1", "stale"]);
    assert_eq!(bridge.metric("flinkbridge_forward_changed_labels_total"), 2.0);
}

#[test]
fn what_cannot_be_made_to_fit_is_counted_and_the_books_balance() {
    let bridge = Bridge::of_remote(", limits: {max_labels: 4, drop_labels_first: [task_id]}");

    bridge.put(
        "/metrics/job/j",
        "a{b=\"1\",task_id=\"2\",c=\"3\"} 1\nb{b=\"1\",c=\"2\",d=\"3\"} 1\n",
    );
    bridge.delivered();

    assert_eq!(
        bridge.seen().into_keys().collect::<Vec<_>>(),
        ["a{b=\"1\",c=\"3\",job=\"j\"}"]
    );
    assert_eq!(bridge.metric("flinkbridge_forward_dropped_samples_total"), 1.0);
    assert_eq!(
        bridge.metric("flinkbridge_intake_queued_samples_total"),
        bridge.metric("flinkbridge_forward_sent_samples_total") + 1.0
    );
}
