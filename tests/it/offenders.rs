//! A bad series takes no neighbour along.

use flinkbridge::forward::Extent;

use crate::bridge::Bridge;

#[test]
fn of_two_thousand_series_with_a_poisonous_one_all_others_arrive_once_and_in_order() {
    let bridge = Bridge::start();
    bridge.remote().refuse("n=\"1234\"");
    let body = |value: u32| -> String {
        (0..2000)
            .map(|n| format!("m{{n=\"{n:04}\"}} {value}\n"))
            .collect()
    };

    bridge.put("/metrics/job/j", &body(1));
    bridge.delivered();
    bridge.put("/metrics/job/j", &body(2));
    bridge.delivered();

    let seen = bridge.seen();
    assert_eq!(seen.len(), 1999);
    assert!(seen.values().all(|values| *values == ["1", "2"]));
    let status = &bridge.app().remotes()[0];
    assert_eq!(status.rejected_samples, 2);
    let rejection = &status.rejections[0];
    assert_eq!(
        (
            rejection.series.as_str(),
            rejection.samples,
            rejection.extent,
            rejection.status
        ),
        ("m{job=\"j\",n=\"1234\"}", 1, Extent::Alone, 400)
    );
}

#[test]
fn the_end_of_a_group_with_a_poisonous_series_reaches_all_the_others() {
    let bridge = Bridge::start();
    bridge.remote().refuse("poison");
    bridge.put("/metrics/job/j", "a 1\npoison 1\nb 1\n");

    bridge.delete("/metrics/job/j");

    bridge.remote_has(&[
        ("a{job=\"j\"}", &["1", "stale"]),
        ("b{job=\"j\"}", &["1", "stale"]),
    ]);
}
