//! A new configuration is taken up as a whole, or not at all.

use crate::bridge::Bridge;

#[test]
fn new_label_rules_hold_for_the_next_push_and_old_series_end() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\n");

    bridge.reload("external_labels: {region: gz}\n").unwrap();
    bridge.put("/metrics/job/j", "a 2\n");

    bridge.remote_has(&[
        ("a{job=\"j\"}", &["1", "stale"]),
        ("a{job=\"j\",region=\"gz\"}", &["2"]),
    ]);
    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    assert_eq!(
        arrivals["push_time_seconds{job=\"j\"}"].last().unwrap().1,
        crate::remote::STALE
    );
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let mut bridge = Bridge::start();
    let wrong = "external_labels: {region: gz}\nnormalise: {relabel_configs: [{action: bark}]}\n";

    let error = bridge.reload(wrong).unwrap_err();

    assert!(error.contains("bark"), "{error}");
    bridge.put("/metrics/job/j", "a 1\n");
    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
}

#[test]
fn a_remote_that_is_taken_away_gets_nothing_more_and_a_new_one_what_comes_next() {
    let mut bridge = Bridge::start();
    let second = crate::remote::Remote::start();
    bridge.put("/metrics/job/j", "a 1\n");
    bridge.delivered();

    bridge
        .reload(&format!(
            "remote_write: [{{name: second, url: '{}'}}]\n",
            second.write_url()
        ))
        .unwrap();
    bridge.put("/metrics/job/j", "a 2\n");
    bridge.delivered();

    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
    assert_eq!(second.arrivals()["a{job=\"j\"}"].len(), 1);
}

#[test]
fn a_reload_that_fails_half_way_leaves_the_old_remote_and_what_waits_for_it() {
    let mut bridge = Bridge::start();
    let second = crate::remote::Remote::start();
    bridge.remote().go_away();
    bridge.put("/metrics/job/j", "a 1\n");
    std::fs::create_dir(bridge.folder().join("data/reader-third.position.tmp")).unwrap();

    let settings = format!(
        "remote_write: [{{name: second, url: '{0}'}}, {{name: third, url: '{0}'}}]\n",
        second.write_url()
    );
    let error = bridge.reload(&settings).unwrap_err();

    assert!(error.contains("third"), "{error}");
    bridge.remote().come_back();
    bridge.put("/metrics/job/j", "a 2\n");
    bridge.delivered();
    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2"])]);
    assert!(second.arrivals().is_empty());
}

#[test]
fn a_file_read_while_it_was_being_written_costs_no_backlog() {
    let mut bridge = Bridge::start();
    bridge.remote().go_away();
    bridge.put("/metrics/job/j", "a 1\n");

    bridge.reload("remote_write: []\n").unwrap();
    bridge.put("/metrics/job/j", "a 2\n");
    bridge.remote().come_back();
    bridge.reload("").unwrap();

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2"])]);
}
