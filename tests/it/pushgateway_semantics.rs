//! Statuses as Pushgateway gives them; the letters are the cases of its behaviour.

use crate::bridge::Bridge;

#[test]
fn m05_statuses_of_good_requests() {
    let bridge = Bridge::start();

    for (method, path, body, status) in [
        ("PUT", "/metrics/job/j", "a 1\n", 200),
        ("POST", "/metrics/job/j", "a 1\n", 200),
        ("PUT", "/metrics/job/j/", "a 1\n", 200),
        ("PUT", "/metrics/job@base64/dGVzdC9qb2I=", "a 1\n", 200),
        ("PUT", "/metrics/job/j/b@base64/=", "a 1\n", 200),
        ("PUT", "/metrics/job/j", "", 200),
        ("PUT", "/metrics/job/j", "# only a comment\n", 200),
        ("DELETE", "/metrics/job/j", "", 202),
        ("DELETE", "/metrics/job/unknown", "", 202),
        ("OPTIONS", "/metrics/job/j", "", 200),
        ("GET", "/-/healthy", "", 200),
        ("GET", "/-/ready", "", 200),
    ] {
        let answer = bridge.send(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
}

#[test]
fn statuses_of_requests_that_lead_nowhere() {
    let bridge = Bridge::start();

    for (method, path, status) in [
        ("PUT", "/metrics/job/", 307),
        ("PUT", "/metrics/job", 404),
        ("PUT", "/metrics/job/a//b/c", 307),
        ("GET", "/metrics/job/a", 405),
        ("GET", "/metrics/", 301),
        ("PUT", "/metrics/", 404),
        ("PATCH", "/metrics/job/a", 405),
        ("GET", "/metrics/job/a/b", 405),
        ("OPTIONS", "/metrics/job/a/b", 200),
        ("PUT", "/-/healthy", 405),
        ("GET", "/nothing", 404),
    ] {
        assert_eq!(bridge.send(method, path, "").status, status, "{method} {path}");
    }
}

#[test]
fn a_client_that_wants_202_gets_202() {
    let bridge = Bridge::with("pushgateway: {success_status: 202}\n");

    assert_eq!(bridge.send("PUT", "/metrics/job/j", "a 1\n").status, 202);
}

#[test]
fn s30_grouping_labels_win_over_the_body() {
    let bridge = Bridge::start();

    bridge.put(
        "/metrics/job/j/instance/i",
        "a{job=\"other\",instance=\"other\"} 1\n",
    );

    bridge.remote_has(&[("a{instance=\"i\",job=\"j\"}", &["1"])]);
}

#[test]
fn s40_a_pushed_timestamp_is_refused_and_the_failure_is_known() {
    let bridge = Bridge::start();

    let answer = bridge.send("PUT", "/metrics/job/j", "a 1 1000\n");

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("must not have timestamps: a{} has one"),
        "{}",
        answer.text()
    );
    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    assert_eq!(arrivals["push_time_seconds{job=\"j\"}"][0].1, 0.0_f64.to_bits());
    assert_eq!(
        arrivals["push_failure_time_seconds{job=\"j\"}"][0].1,
        1_795_000_000.0_f64.to_bits()
    );
}

#[test]
fn s51_a_failure_stays_known_beside_a_later_push() {
    let bridge = Bridge::start();
    bridge.send("PUT", "/metrics/job/j", "a 1 1000\n");

    bridge.put("/metrics/job/j", "a 1\n");

    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    assert_eq!(
        arrivals["push_failure_time_seconds{job=\"j\"}"][1].1,
        1_795_000_000.0_f64.to_bits()
    );
}

#[test]
fn b12_b20_a_series_pushed_twice_is_refused() {
    let bridge = Bridge::start();

    for body in [
        "a 1\na 2\n",
        "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n",
        "a{job=\"1\"} 1\na{job=\"2\"} 2\n",
        "# TYPE s summary\ns_count 1\ns_count{job=\"\"} 2\n",
    ] {
        let answer = bridge.send("PUT", "/metrics/job/j", body);
        assert_eq!(answer.status, 400, "{body:?}");
        assert!(answer.text().contains("pushed twice"), "{}", answer.text());
    }
    assert_eq!(
        bridge.send("PUT", "/metrics/job/j", "m{a=\"\"} 1\nm 2\n").status,
        200
    );
}

#[test]
fn push_times_are_forwarded_as_pushgateway_shows_them() {
    let bridge = Bridge::start();

    bridge.put("/metrics/job/j", "a 1\n");

    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    assert_eq!(
        arrivals["push_time_seconds{job=\"j\"}"],
        [(1_795_000_000_000, 1_795_000_000.0_f64.to_bits())]
    );
    assert_eq!(
        arrivals["push_failure_time_seconds{job=\"j\"}"],
        [(1_795_000_000_000, 0.0_f64.to_bits())]
    );
}

#[test]
fn a_redirect_keeps_the_prefix_that_a_client_came_by() {
    let bridge = Bridge::with("http: {listen: '127.0.0.1:0', path_prefixes: [/api/v1/push/tok123]}\n");

    let answer = bridge.send("PUT", "/api/v1/push/tok123/metrics/job//a", "a 1\n");

    let location = answer.headers.iter().find(|(name, _)| name == "location");
    assert_eq!(location.unwrap().1, "/api/v1/push/tok123/metrics/job/a");
}

#[test]
fn m10_a_pushed_push_time_is_overwritten() {
    let bridge = Bridge::start();

    bridge.put("/metrics/job/j", "push_time_seconds 7\na 1\n");

    bridge.delivered();
    let arrivals = bridge.remote().arrivals();
    assert_eq!(
        arrivals["push_time_seconds{job=\"j\"}"],
        [(1_795_000_000_000, 1_795_000_000.0_f64.to_bits())]
    );
}

#[test]
fn b15_a_reserved_label_name_in_the_body_is_refused() {
    let bridge = Bridge::start();

    let answer = bridge.send("PUT", "/metrics/job/j", "a{__x=\"1\"} 1\n");

    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("the label name \"__x\" is reserved"),
        "{}",
        answer.text()
    );
}
