//! What ends, when, and what does not.

use std::time::Duration;

use crate::bridge::Bridge;

const TM1: &str = "flink_a{host=\"h\",tm_id=\"1\",} 1\n";
const TM2: &str = "flink_a{host=\"h\",tm_id=\"2\",} 2\n";
const JM: &str = "flink_a{host=\"h\",} 3\n";

/// PRW S1-23, S2-14.
#[test]
fn a_put_ends_the_series_it_no_longer_carries() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/backup", "a 1\nb 2\n");

    bridge.put("/metrics/job/backup", "a 3\n");

    bridge.remote_has(&[
        ("a{job=\"backup\"}", &["1", "3"]),
        ("b{job=\"backup\"}", &["2", "stale"]),
    ]);
}

#[test]
fn a_post_ends_only_what_its_families_no_longer_carry() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/backup", "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n");

    bridge.post("/metrics/job/backup", "a{x=\"2\"} 4\n");

    bridge.remote_has(&[
        ("a{job=\"backup\",x=\"1\"}", &["1", "stale"]),
        ("a{job=\"backup\",x=\"2\"}", &["2", "4"]),
        ("b{job=\"backup\"}", &["3"]),
    ]);
}

#[test]
fn a_post_of_a_summary_replaces_its_parts() {
    let bridge = Bridge::start();
    bridge.put(
        "/metrics/job/j",
        "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 2\n# TYPE t gauge\nt_count 3\n",
    );

    bridge.post("/metrics/job/j", "# TYPE s summary\ns{quantile=\"0.9\"} 4\n");

    bridge.remote_has(&[
        ("s_count{job=\"j\"}", &["2", "stale"]),
        ("s{job=\"j\",quantile=\"0.5\"}", &["1", "stale"]),
        ("s{job=\"j\",quantile=\"0.9\"}", &["4"]),
        ("t_count{job=\"j\"}", &["3"]),
    ]);
}

/// PRW S1-23, S2-14.
#[test]
fn a_delete_ends_the_group_and_its_push_times() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/backup/env/prod", "a 1\n");

    bridge.delete("/metrics/job/backup/env/prod");

    bridge.remote_has(&[("a{env=\"prod\",job=\"backup\"}", &["1", "stale"])]);
    let arrivals = bridge.remote().arrivals();
    let push_times = &arrivals["push_time_seconds{env=\"prod\",job=\"backup\"}"];
    assert_eq!(
        push_times.iter().map(|(_, bits)| *bits).collect::<Vec<_>>(),
        [1_795_000_000.0_f64.to_bits(), crate::remote::STALE]
    );
}

#[test]
fn a_delete_of_another_group_ends_nothing() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/backup/env/prod", "a 1\n");

    bridge.delete("/metrics/job/backup");

    bridge.put("/metrics/job/backup/env/prod", "a 2\n");
    bridge.remote_has(&[("a{env=\"prod\",job=\"backup\"}", &["1", "2"])]);
}

#[test]
fn a_silent_group_ends_after_stale_after() {
    let bridge = Bridge::with("jobs: {stale_after: 60s}\n");
    bridge.put("/metrics/job/backup", "a 1\n");

    bridge.pass(Duration::from_secs(59));
    bridge.delivered();
    bridge.remote_has(&[("a{job=\"backup\"}", &["1"])]);
    bridge.pass(Duration::from_secs(2));

    bridge.remote_has(&[("a{job=\"backup\"}", &["1", "stale"])]);
    assert_eq!(bridge.app().intake().history().len(), 1);
}

#[test]
fn a_group_that_comes_back_lives_again() {
    let bridge = Bridge::with("jobs: {stale_after: 60s}\n");
    bridge.put("/metrics/job/backup", "a 1\n");
    bridge.pass(Duration::from_secs(61));

    bridge.put("/metrics/job/backup", "a 2\n");

    bridge.remote_has(&[("a{job=\"backup\"}", &["1", "stale", "2"])]);
}

#[test]
fn a_leap_of_the_clock_ends_nobody() {
    let bridge = Bridge::with("jobs: {stale_after: 60s}\n");
    bridge.put("/metrics/job/backup", "a 1\n");

    bridge.leap(Duration::from_secs(3600));
    bridge.sweep();

    bridge.put("/metrics/job/backup", "a 2\n");
    bridge.remote_has(&[("a{job=\"backup\"}", &["1", "2"])]);
}

#[test]
fn processes_that_share_a_group_keep_the_series_of_each() {
    let bridge = Bridge::start();

    for body in [JM, TM1, TM2, JM] {
        bridge.put("/metrics/job/flink", body);
    }

    bridge.remote_has(&[
        ("flink_a{host=\"h\",job=\"flink\"}", &["3", "3"]),
        ("flink_a{host=\"h\",job=\"flink\",tm_id=\"1\"}", &["1"]),
        ("flink_a{host=\"h\",job=\"flink\",tm_id=\"2\"}", &["2"]),
    ]);
}

#[test]
fn a_delete_by_one_of_several_processes_ends_only_those_who_stay_silent() {
    let bridge = Bridge::start();
    let push_all = || {
        for body in [JM, TM1, TM2] {
            bridge.put("/metrics/job/flink", body);
        }
    };
    push_all();
    bridge.pass(Duration::from_secs(10));
    push_all();
    bridge.pass(Duration::from_secs(9));

    bridge.delete("/metrics/job/flink");
    bridge.put("/metrics/job/flink", JM);
    bridge.put("/metrics/job/flink", TM2);
    bridge.pass(Duration::from_secs(22));

    bridge.remote_has(&[
        ("flink_a{host=\"h\",job=\"flink\"}", &["3", "3", "3"]),
        (
            "flink_a{host=\"h\",job=\"flink\",tm_id=\"1\"}",
            &["1", "1", "stale"],
        ),
        ("flink_a{host=\"h\",job=\"flink\",tm_id=\"2\"}", &["2", "2", "2"]),
    ]);
}

#[test]
fn of_two_groups_with_the_same_series_the_first_keeps_it() {
    let bridge = Bridge::with("normalise: {relabel_configs: [{action: labeldrop, regex: replica}]}\n");
    bridge.put("/metrics/job/j/replica/1", "a 1\n");

    bridge.put("/metrics/job/j/replica/2", "a 2\nb 2\n");

    bridge.remote_has(&[("a{job=\"j\"}", &["1"]), ("b{job=\"j\"}", &["2"])]);
    assert!(bridge.metric("flinkbridge_intake_dropped_samples_total") >= 1.0);
}

#[test]
fn a_script_that_pushes_the_figures_of_several_hosts_is_one_pusher() {
    let bridge = Bridge::start();
    bridge.put("/metrics/job/backup", "ok{host=\"a\"} 1\n");

    bridge.put("/metrics/job/backup", "ok{host=\"b\"} 1\n");

    bridge.remote_has(&[
        ("ok{host=\"a\",job=\"backup\"}", &["1", "stale"]),
        ("ok{host=\"b\",job=\"backup\"}", &["1"]),
    ]);
}
