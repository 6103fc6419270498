//! A stop delivers what it can, keeps the rest, and leaves the folder to the next.

use crate::bridge::Bridge;

#[test]
fn a_stop_delivers_what_was_pushed_last() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/j", "a 1\n");

    bridge.stop();

    bridge.remote_has(&[("a{job=\"j\"}", &["1"])]);
}

#[test]
fn a_stopped_bridge_leaves_its_folder_to_the_next() {
    let mut bridge = Bridge::start();

    for round in 1..4 {
        bridge.put("/metrics/job/j", &format!("a {round}\n"));
        bridge.stop();
        bridge.begin();
    }

    bridge.remote_has(&[("a{job=\"j\"}", &["1", "2", "3"])]);
}
