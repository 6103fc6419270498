//! What is pushed is what Prometheus shows: values to the last bit, labels as DESIGN section 4 has them.

use crate::bridge::{Bridge, Settings};
use crate::prometheus::Prometheus;

#[test]
fn a_value_reaches_prometheus_to_the_last_bit() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    let values = [
        ("0.1", 0.1),
        ("-0.0", -0.0),
        ("1.0E-300", 1e-300),
        ("2.68435456E8", 268_435_456.0),
        ("1.7976931348623157E308", f64::MAX),
        ("4.9E-324", 5e-324),
        ("-9.223372036854776E18", -9_223_372_036_854_775_808.0),
        ("NaN", f64::NAN),
        ("+Inf", f64::INFINITY),
        ("-Inf", f64::NEG_INFINITY),
    ];
    let lines = values
        .iter()
        .map(|(written, _)| format!("exact{{written=\"{written}\",}} {written}\n"));

    bridge.accepts("PUT", "/metrics/job/bits", &lines.collect::<String>());

    for (written, value) in values {
        prometheus.shows(&format!("exact{{job=\"bits\",written=\"{written}\"}}"), value);
    }
}

#[test]
fn a_random_suffix_becomes_the_instance_and_the_cluster_keeps_its_name() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    let suffix = "45b92b4ffe20ca2528b3c0714a8bd0ad";

    bridge.accepts(
        "PUT",
        &format!("/metrics/job/etl{suffix}/InstanceId/emr-1"),
        "up{host=\"h1\",} 1.0\n",
    );

    prometheus.shows("{__name__=\"up\"}", 1.0);
    prometheus.shows(
        &format!("up{{job=\"etl\",instance=\"{suffix}\",instance_id=\"emr-1\",host=\"h1\"}}"),
        1.0,
    );
    prometheus.shows(
        &format!("count(up{{job=\"etl{suffix}\"}} or up{{InstanceId!=\"\"}} or vector(0))"),
        1.0,
    );
}

#[test]
fn a_job_that_is_nothing_but_a_suffix_gets_the_default_name() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));

    bridge.accepts("PUT", "/metrics/job/7a85b677988fb7be9d8e2a33abacae01", "up 1.0\n");

    prometheus.shows(
        "up{job=\"flink\",instance=\"7a85b677988fb7be9d8e2a33abacae01\"}",
        1.0,
    );
}

#[test]
fn the_parts_of_a_yarn_container_become_labels() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    let container = "container_e17_1410901177871_0001_01_000005";

    bridge.accepts(
        "PUT",
        "/metrics/job/yarn",
        &format!("up{{tm_id=\"{container}\",}} 1.0\n"),
    );

    prometheus.shows(
        &format!("up{{container_id=\"{container}\",application_id=\"application_1410901177871_0001\"}}"),
        1.0,
    );
}
