//! What is pushed reaches every kind of remote: Prometheus 3, VictoriaMetrics, vmagent.

use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::prometheus::{Prometheus, Version};
use crate::victoria::{self, Agent};

const SOON: Duration = Duration::from_secs(20);

/// Native histograms as Go's client writes them.
const NATIVE: &[u8] = include_bytes!("../fixtures/client_golang/native.pb");

const PROTOBUF_TYPE: &str =
    "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily";

const VALUES: [(&str, f64); 6] = [
    ("0.1", 0.1),
    ("-0.0", -0.0),
    ("1.7976931348623157E308", f64::MAX),
    ("4.9E-324", 5e-324),
    ("NaN", f64::NAN),
    ("-Inf", f64::NEG_INFINITY),
];

fn values() -> String {
    let line = |(written, _): &(&str, f64)| format!("exact{{written=\"{written}\",}} {written}\n");
    VALUES.iter().map(line).collect()
}

/// PRW S1-08, S1-09.
#[test]
fn prometheus_3_shows_values_to_the_last_bit() {
    let prometheus = Prometheus::keeping_all_of(Version::Three);
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));

    bridge.accepts("PUT", "/metrics/job/bits", &values());

    for (written, value) in VALUES {
        prometheus.shows(&format!("exact{{job=\"bits\",written=\"{written}\"}}"), value);
    }
}

#[test]
fn prometheus_3_shows_native_histograms_and_exemplars() {
    let prometheus = Prometheus::keeping_all_of(Version::Three);
    let bridge = Bridge::start(&Settings {
        remote_settings: ", send_exemplars: true, send_native_histograms: true",
        ..Settings::forwarding_to(&prometheus.write_url())
    });

    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);

    prometheus.shows("histogram_count(native_seconds{job=\"go\"})", 8.0);
    prometheus.shows("histogram_sum(signed_celsius)", 6.0);
    prometheus.shows("both_seconds_bucket{le=~\"1|1.0\"}", 6.0);
    prometheus.comes_to_have_exemplars("native_seconds{job=\"go\"}", 2);
}

/// PRW S1-23.
#[test]
fn a_deleted_group_is_gone_at_prometheus_3_at_once() {
    let prometheus = Prometheus::keeping_all_of(Version::Three);
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts("PUT", "/metrics/job/etl", "up 1\n");
    prometheus.shows("{__name__=\"up\",job=\"etl\"}", 1.0);

    bridge.accepts("DELETE", "/metrics/job/etl", "");

    prometheus.forgets("{job=\"etl\"}", SOON);
}

/// All but negative zero, of which vmagent itself makes a plain one.
#[test]
fn vmagent_passes_on_what_it_gets_to_the_last_bit() {
    let prometheus = Prometheus::start();
    let agent = Agent::sending_to(&prometheus.write_url());
    let bridge = Bridge::start(&Settings::forwarding_to(&agent.write_url()));

    bridge.accepts("PUT", "/metrics/job/bits", &values());

    for (written, value) in VALUES.into_iter().filter(|(written, _)| *written != "-0.0") {
        prometheus.shows(&format!("exact{{job=\"bits\",written=\"{written}\"}}"), value);
    }
}

#[test]
fn a_deleted_group_is_gone_behind_vmagent_at_once() {
    let prometheus = Prometheus::start();
    let agent = Agent::sending_to(&prometheus.write_url());
    let bridge = Bridge::start(&Settings::forwarding_to(&agent.write_url()));
    bridge.accepts("PUT", "/metrics/job/etl", "up 1\n");
    prometheus.shows("{__name__=\"up\",job=\"etl\"}", 1.0);

    bridge.accepts("DELETE", "/metrics/job/etl", "");

    prometheus.forgets("{job=\"etl\"}", SOON);
}

/// PRW S1-08.
#[test]
fn victoria_metrics_shows_what_is_pushed() {
    let store = victoria::metrics();
    let bridge = Bridge::start(&Settings::forwarding_to(&store.write_url()));

    bridge.accepts(
        "PUT",
        "/metrics/job/etl",
        "taken{table=\"orders\",} 268435456.5\n",
    );

    store.shows("taken{job=\"etl\",table=\"orders\"}", 268_435_456.5);
}

/// PRW S1-23.
#[test]
fn a_deleted_group_is_gone_at_victoria_metrics_at_once() {
    let store = victoria::metrics();
    let bridge = Bridge::start(&Settings::forwarding_to(&store.write_url()));
    bridge.accepts("PUT", "/metrics/job/etl", "taken 3\n");
    store.shows("taken{job=\"etl\"}", 3.0);

    bridge.accepts("DELETE", "/metrics/job/etl", "");

    store.forgets("{job=\"etl\"}", SOON);
}

#[test]
fn native_histograms_are_shown_by_victoria_metrics_in_ranges_of_its_own() {
    let store = victoria::metrics();
    let bridge = Bridge::start(&Settings {
        remote_settings: ", send_exemplars: true, send_native_histograms: true",
        ..Settings::forwarding_to(&store.write_url())
    });

    bridge.accepts_typed("/metrics/job/go", PROTOBUF_TYPE, NATIVE);

    store.shows("native_seconds_count{job=\"go\"}", 8.0);
    store.shows("native_seconds_bucket{vmrange=\"2.293e-01...2.500e-01\"}", 2.0);
    store.shows("sum(native_seconds_bucket{vmrange!=\"\"})", 8.0);
    store.shows("both_seconds_bucket{le=\"1\"}", 6.0);
}
