//! Native histograms and exemplars are at Prometheus as they were pushed, and end as other series do.

use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::prometheus::Prometheus;

const SOON: Duration = Duration::from_secs(10);

/// Native histograms as Go's client writes them.
const NATIVE: &[u8] = include_bytes!("../fixtures/client_golang/native.pb");

const PROTOBUF_TYPE: &str =
    "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily";

fn forwarding_all_to(prometheus: &Prometheus) -> Bridge {
    Bridge::start(&Settings {
        remote_settings: ", send_exemplars: true, send_native_histograms: true",
        ..Settings::forwarding_to(&prometheus.write_url())
    })
}

#[test]
fn a_pushed_native_histogram_is_asked_by_promql() {
    let prometheus = Prometheus::keeping_all();
    let bridge = forwarding_all_to(&prometheus);

    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);

    prometheus.shows("histogram_count(native_seconds{job=\"go\"})", 8.0);
    prometheus.shows("histogram_count(both_seconds)", 8.0);
    prometheus.shows("histogram_count(signed_celsius)", 6.0);
    prometheus.shows("histogram_sum(signed_celsius)", 6.0);
    prometheus.shows("histogram_count(empty_seconds)", 0.0);
    prometheus.shows("histogram_quantile(0, signed_celsius) < bool -16", 1.0);
    prometheus.shows("histogram_quantile(0.5, native_seconds) > bool 0.2", 1.0);
    prometheus.shows("histogram_quantile(0.5, native_seconds) < bool 0.3", 1.0);
    prometheus.shows("both_seconds_bucket{le=\"1\"}", 6.0);
}

#[test]
fn a_deleted_native_histogram_is_gone_at_once() {
    let prometheus = Prometheus::keeping_all();
    let bridge = forwarding_all_to(&prometheus);
    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);
    prometheus.shows("histogram_count(native_seconds)", 8.0);

    bridge.accepts("DELETE", "/metrics/job/go", "");

    prometheus.forgets("{__name__=~\"(native|both|empty)_seconds|signed_celsius\"}", SOON);
}

#[test]
fn pushed_exemplars_are_found() {
    let prometheus = Prometheus::keeping_all();
    let bridge = forwarding_all_to(&prometheus);
    let openmetrics = "# TYPE taken counter\ntaken_total 3 # {trace_id=\"xyz\"} 2.5 1700000000.125\n# EOF\n";

    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);
    bridge.accepts_typed(
        "/metrics/job/om",
        "application/openmetrics-text",
        openmetrics.as_bytes(),
    );

    let taken = prometheus.comes_to_have_exemplars("taken_total{job=\"om\"}", 1);
    assert_eq!(taken[0]["labels"]["trace_id"], "xyz");
    assert_eq!(taken[0]["value"], "2.5");
    assert_eq!(taken[0]["timestamp"], 1_700_000_000.125);
    let native = prometheus.comes_to_have_exemplars("native_seconds{job=\"go\"}", 2);
    let traces: Vec<&str> = native
        .iter()
        .filter_map(|exemplar| exemplar["labels"]["trace_id"].as_str())
        .collect();
    assert_eq!(traces, ["a1", "b2"]);
}

#[test]
fn a_prometheus_that_keeps_neither_gets_all_the_rest() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));

    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);

    prometheus.shows("both_seconds_bucket{le=\"1\"}", 6.0);
    prometheus.shows("both_seconds_count", 8.0);
    prometheus.shows("count({__name__=\"native_seconds\"}) or vector(0)", 0.0);
}
