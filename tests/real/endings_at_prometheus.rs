//! What has gone is gone at Prometheus right away, and nothing else is.

use std::time::{Duration, Instant};

use crate::bridge::{Bridge, Settings};
use crate::prometheus::Prometheus;
use crate::wait;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_put_ends_the_series_it_no_longer_carries_and_no_other() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts(
        "PUT",
        "/metrics/job/backup",
        "stays 1\ngoes{disk=\"a\"} 2\ngoes{disk=\"b\"} 3\n",
    );
    bridge.accepts("PUT", "/metrics/job/other", "goes{disk=\"a\"} 4\n");
    prometheus.comes_to_hold("{__name__=~\"stays|goes\"}", 4, SOON);

    bridge.accepts("PUT", "/metrics/job/backup", "stays 5\ngoes{disk=\"b\"} 6\n");

    prometheus.forgets("goes{job=\"backup\",disk=\"a\"}", SOON);
    prometheus.shows("stays{job=\"backup\"}", 5.0);
    prometheus.shows("goes{job=\"backup\",disk=\"b\"}", 6.0);
    prometheus.shows("goes{job=\"other\",disk=\"a\"}", 4.0);
}

#[test]
fn a_post_ends_what_it_replaces_in_its_families_and_no_other() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts("POST", "/metrics/job/backup", "kept 1\nnewer{disk=\"a\"} 2\n");
    prometheus.comes_to_hold("{__name__=~\"kept|newer\"}", 2, SOON);

    bridge.accepts("POST", "/metrics/job/backup", "newer{disk=\"b\"} 3\n");

    prometheus.forgets("newer{disk=\"a\"}", SOON);
    prometheus.shows("newer{disk=\"b\"}", 3.0);
    prometheus.shows("kept", 1.0);
}

#[test]
fn a_delete_ends_all_of_its_group_and_no_other() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts("PUT", "/metrics/job/backup", "a 1\nb 2\n");
    bridge.accepts("PUT", "/metrics/job/backup/host/h2", "a 3\nb 4\n");
    prometheus.comes_to_hold("{__name__=~\"a|b\"}", 4, SOON);

    bridge.accepts("DELETE", "/metrics/job/backup", "");

    prometheus.forgets("{job=\"backup\",host=\"\"}", SOON);
    prometheus.comes_to_hold("{__name__=~\"a|b\",host=\"h2\"}", 2, SOON);
}

#[test]
fn a_silent_group_ends_after_stale_after_and_a_talking_one_does_not() {
    let prometheus = Prometheus::start();
    let url = prometheus.write_url();
    let bridge = Bridge::start(&Settings {
        stale_after: "3s",
        ..Settings::forwarding_to(&url)
    });
    bridge.accepts("PUT", "/metrics/job/silent", "a 1\n");
    bridge.accepts("PUT", "/metrics/job/talking", "a 1\n");
    prometheus.comes_to_hold("a", 2, SOON);
    let seen = Instant::now();

    wait::until_true("end of the silent group", SOON, || {
        bridge.accepts("PUT", "/metrics/job/talking", "a 1\n");
        prometheus.count("{job=\"silent\"}") == 0
    });

    prometheus.never_lost("a{job=\"talking\"}", seen.elapsed());
}

#[test]
fn a_group_that_was_ended_and_pushes_again_is_alive_again() {
    let prometheus = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts("PUT", "/metrics/job/backup", "a 1\n");
    prometheus.shows("a", 1.0);
    bridge.accepts("DELETE", "/metrics/job/backup", "");
    prometheus.forgets("a", SOON);

    bridge.accepts("PUT", "/metrics/job/backup", "a 2\n");

    prometheus.shows("a", 2.0);
}

#[test]
fn a_restart_ends_nothing_and_forgets_nothing() {
    let prometheus = Prometheus::start();
    let mut bridge = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    bridge.accepts("PUT", "/metrics/job/backup", "a 1\nb 2\n");
    prometheus.comes_to_hold("{__name__=~\"a|b\"}", 2, SOON);
    let seen = Instant::now();

    bridge.terminate();
    bridge.start_again();
    bridge.kill();
    bridge.start_again();
    bridge.accepts("PUT", "/metrics/job/backup", "a 3\n");

    prometheus.shows("a", 3.0);
    prometheus.forgets("b", SOON);
    prometheus.never_lost("a", seen.elapsed());
}
