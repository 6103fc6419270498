//! Wiping everything, and ending the program on request: off unless switched on.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::bridge::Bridge;
use crate::http;

const WIPE: &str = "/api/v1/admin/wipe";

#[test]
fn h60_a_wipe_ends_every_group_and_every_series() {
    let bridge = Bridge::with("pushgateway: {admin_api: true}\n");
    bridge.put("/metrics/job/a", "x 1\n");
    bridge.put("/metrics/job/b/k/v", "y 2\n");
    bridge.put("/metrics/job/flink", "flink_z{host=\"h\",tm_id=\"1\"} 3\n");
    bridge.put("/metrics/job/flink", "flink_z{host=\"h\",tm_id=\"2\"} 4\n");

    let answer = bridge.send("PUT", WIPE, "");

    assert_eq!((answer.status, answer.text().as_str()), (202, ""));
    let listed = bridge.send("GET", "/api/v1/metrics", "").text();
    assert_eq!(listed, r#"{"status":"success","data":[]}"#);
    bridge.remote_has(&[
        ("x{job=\"a\"}", &["1", "stale"]),
        ("y{job=\"b\",k=\"v\"}", &["2", "stale"]),
        ("flink_z{host=\"h\",job=\"flink\",tm_id=\"1\"}", &["3", "stale"]),
        ("flink_z{host=\"h\",job=\"flink\",tm_id=\"2\"}", &["4", "stale"]),
    ]);
    assert!((bridge.metric("flinkbridge_registry_retired_groups_total") - 3.0).abs() < 0.1);
}

#[test]
fn what_was_wiped_stays_gone_after_a_restart_and_may_come_again() {
    let mut bridge = Bridge::with("pushgateway: {admin_api: true}\n");
    bridge.put("/metrics/job/a", "x 1\n");
    bridge.send("PUT", WIPE, "");

    bridge.stop();
    bridge.begin();
    bridge.leap(std::time::Duration::from_secs(1));
    let listed = bridge.send("GET", "/api/v1/metrics", "").text();
    bridge.put("/metrics/job/a", "x 2\n");

    assert_eq!(listed, r#"{"status":"success","data":[]}"#);
    bridge.remote_has(&[("x{job=\"a\"}", &["1", "stale", "2"])]);
}

#[test]
fn a_wipe_is_there_only_when_switched_on_and_only_by_put() {
    let mut bridge = Bridge::start();
    bridge.put("/metrics/job/a", "x 1\n");

    let off = bridge.send("PUT", WIPE, "");
    bridge.reload("pushgateway: {admin_api: true}\n").unwrap();
    let by_post = bridge.send("POST", WIPE, "");

    assert_eq!((off.status, by_post.status), (404, 405));
    assert!(off.text().contains("pushgateway.admin_api"), "{}", off.text());
    bridge.remote_has(&[("x{job=\"a\"}", &["1"])]);
}

#[test]
fn m07_quitting_is_refused_unless_switched_on() {
    let bridge = Bridge::start();

    for (method, status, text) in [
        ("PUT", 403, "Lifecycle API is not enabled."),
        ("POST", 403, "Lifecycle API is not enabled."),
        ("GET", 405, "Only POST or PUT requests allowed."),
    ] {
        let answer = bridge.send(method, "/-/quit", "");

        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{method}"
        );
    }
}

#[test]
fn m07_a_bridge_that_is_asked_to_quit_drains_and_ends_well() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("flinkbridge.yml");
    std::fs::write(
        &file,
        "data_dir: data\nhttp: {listen: '127.0.0.1:0'}\npushgateway: {lifecycle: true}\nlog: {format: json}\n",
    )
    .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_flinkbridge"))
        .args(["serve", "--config", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = lines.find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
        let address = line["fields"]["address"].as_str().or(line["address"].as_str())?;
        address.parse().ok()
    });

    let answer = http::request(listening.unwrap(), "PUT", "/-/quit", b"").unwrap();

    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "Requesting termination... Goodbye!")
    );
    assert!(lines.any(|line| line.unwrap().contains("stopped")));
    assert!(child.wait().unwrap().success());
}
