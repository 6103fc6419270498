//! Remotes get what was pushed in the version that they understand, with what is known of families.

use std::time::Duration;

use crate::bridge::Bridge;
use crate::remote::STALE;
use crate::strict::{Seen, Strict, Understands};
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(10);
/// When the clock of a bridge starts.
const START: i64 = 1_795_000_000_000;
const VERSION_2: &str = ", protobuf_message: io.prometheus.write.v2.Request, send_exemplars: true";

/// An OpenMetrics body of a counter with an exemplar, and of a histogram.
const OPEN_METRICS: &str = "# HELP requests How often.\n# TYPE requests counter\n\
    requests_total 7 # {trace_id=\"abc\"} 1.0\n\
    # HELP latency How long.\n# TYPE latency histogram\n\
    latency_bucket{le=\"1.0\"} 1\nlatency_bucket{le=\"+Inf\"} 2\nlatency_sum 3\nlatency_count 2\n# EOF\n";

fn put_open_metrics(bridge: &Bridge, path: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: bridge\r\nContent-Type: application/openmetrics-text\r\nContent-Length: {length}\r\n\r\n"
    );
    let answer = bridge.send_raw(&[head.as_bytes(), body.as_bytes()].concat());
    assert!(answer.is_success(), "{}", answer.text());
}

fn values(seen: &Seen) -> Vec<String> {
    let value = |bits: u64| match bits {
        STALE => "stale".to_owned(),
        bits => f64::from_bits(bits).to_string(),
    };
    seen.samples.iter().map(|(_, bits, _)| value(*bits)).collect()
}

/// PRW S2-01 to S2-15; SampleDelivery, ExternalLabels, PopulateV2TimeSeries of Prometheus' queue manager.
#[test]
fn a_receiver_of_version_2_gets_all_that_was_pushed() {
    let remote = Strict::start(Understands::Version2);
    let bridge = Bridge::with(&format!(
        "external_labels: {{region: north}}\n{}",
        remote.as_remote(VERSION_2)
    ));

    put_open_metrics(&bridge, "/metrics/job/j", OPEN_METRICS);
    bridge.leap(Duration::from_secs(1));
    bridge.delete("/metrics/job/j");
    bridge.delivered();

    let kept = remote.kept();
    let counter = &kept.series["requests_total{job=\"j\",region=\"north\"}"];
    assert_eq!(values(counter), ["7", "stale"]);
    assert_eq!(counter.samples[0].0, START);
    assert_eq!(counter.exemplars, [("{trace_id=\"abc\"}".to_owned(), 1.0)]);
    assert_eq!(counter.metadata, (1, "How often.".to_owned()));
    let bucket = &kept.series["latency_bucket{job=\"j\",le=\"1\",region=\"north\"}"];
    assert_eq!(
        (values(bucket), &bucket.metadata),
        (
            vec!["1".to_owned(), "stale".to_owned()],
            &(3, "How long.".to_owned())
        )
    );
    assert_eq!(
        kept.series["push_time_seconds{job=\"j\",region=\"north\"}"]
            .metadata
            .0,
        2
    );
    assert!(kept.versions.iter().all(|version| version == "2.0.0"));
    assert!(bridge.metric("flinkbridge_forward_rejected_samples_total") == 0.0);
}

/// BasicContentNegotiation of Prometheus' queue manager; PRW S2-18.
#[test]
fn a_receiver_that_only_knows_version_1_gets_version_1() {
    for understands in [Understands::Version1, Understands::Version1Only] {
        let remote = Strict::start(understands);
        let bridge = Bridge::with(&remote.as_remote(VERSION_2));

        for value in 1..4 {
            bridge.put("/metrics/job/j", &format!("a {value}\n"));
            bridge.delivered();
        }

        let kept = remote.kept();
        assert_eq!(values(&kept.series["a{job=\"j\"}"]), ["1", "2", "3"]);
        assert_eq!(kept.versions, ["2.0.0", "0.1.0", "0.1.0", "0.1.0"]);
    }
}

/// BasicContentNegotiation: a receiver of 1.0 that finds a 2.0 request empty and is content; PRW S2-19.
#[test]
fn a_receiver_that_takes_version_2_for_an_empty_request_loses_nothing() {
    let mut bridge = Bridge::start();
    let url = bridge.remote().write_url();
    bridge
        .reload(&format!(
            "http: {{listen: '127.0.0.1:0'}}\nremote_write: [{{name: remote, url: '{url}'{VERSION_2}}}]\n"
        ))
        .unwrap();

    bridge.put("/metrics/job/j", "a 1\n");

    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
    assert!(bridge.metric("flinkbridge_forward_requests_total") == 2.0);
}

/// BasicContentNegotiation: 1.0 to a receiver of 2.0 only, which is a mistake of whoever configured it.
#[test]
fn a_receiver_that_does_not_know_version_1_refuses_it() {
    let remote = Strict::start(Understands::Version2);
    let bridge = Bridge::with(&remote.as_remote(""));

    bridge.put("/metrics/job/j", "a 1\n");
    bridge.delivered();

    assert!(remote.kept().series.is_empty());
    assert_eq!(remote.kept().versions, ["0.1.0"]);
    assert!(bridge.metric("flinkbridge_forward_rejected_samples_total") == 3.0);
}

/// MetadataDelivery of Prometheus' queue manager, under the names that rules give.
#[test]
fn a_receiver_of_version_1_is_told_of_families_also_after_a_restart() {
    let remote = Strict::start(Understands::Version1);
    let rename = "normalise: {relabel_configs: [{source_labels: [__name__], regex: 'latency(.*)', target_label: __name__, replacement: 'duration$1'}]}\n";
    let mut bridge = Bridge::with(&format!(
        "{rename}{}",
        remote.as_remote(", metadata_config: {send_interval: 1s}")
    ));
    put_open_metrics(&bridge, "/metrics/job/j", OPEN_METRICS);
    bridge.stop();

    bridge.begin();

    wait::until_true("sight of the families", PATIENCE, || {
        remote.kept().families.len() >= 4
    });
    let families = remote.kept().families;
    assert_eq!(families["requests_total"], (1, "How often.".to_owned()));
    assert_eq!(families["duration"], (3, "How long.".to_owned()));
    assert!(!families.contains_key("latency"));
}

/// PRW S1-17, S2-12; SampleDeliveryOrder: after an outage.
#[test]
fn what_waited_for_a_receiver_of_version_2_arrives_in_order() {
    let remote = Strict::start(Understands::Version2);
    let mut bridge = Bridge::with(
        "http: {listen: '127.0.0.1:0'}\nremote_write: [{name: remote, url: 'http://127.0.0.1:1/'}]\n",
    );
    for value in 0..30 {
        bridge.put(&format!("/metrics/job/j{}", value % 3), &format!("a {value}\n"));
    }

    bridge.reload(&remote.as_remote(VERSION_2)).unwrap();
    bridge.delivered();

    let kept = remote.kept();
    for job in 0..3 {
        let expected: Vec<String> = (0..10).map(|turn| (turn * 3 + job).to_string()).collect();
        assert_eq!(values(&kept.series[&format!("a{{job=\"j{job}\"}}")]), expected);
    }
}
