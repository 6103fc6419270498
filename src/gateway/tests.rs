//! Passes at a gateway whose every answer the test says.

mod double;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::deleting::Deleting;
use super::report::{Outcome, Swept};
use super::*;
use crate::model::{ManualClock, Selector, UnixMillis};

use double::{Answer, DATE, DATE_MILLIS, Double, groups};

const MINUTE: Duration = Duration::from_secs(60);

/// When a group has to have been pushed to so many seconds before the gateway's time.
fn ago(seconds: i64) -> i64 {
    DATE_MILLIS / 1000 - seconds
}

fn sweep_of(double: &Double) -> Sweep {
    let access = Access {
        url: double.url(),
        login: Login::None,
        trust: Trust::default(),
        timeout: Duration::from_secs(10),
        connections: 4,
    };
    Sweep {
        gateway: Gateway::try_new(&access).unwrap(),
        wish: Wish {
            older_than: MINUTE,
            selector: None,
            max_groups: 100,
            concurrency: 2,
            effect: Effect::Delete,
        },
        clock: Arc::new(ManualClock::at(UnixMillis::new(DATE_MILLIS))),
        progress: Progress::default(),
        stop: watch::channel(false).1,
    }
}

/// A gateway with these groups, which takes every deletion.
async fn taking(pushed: &'static [(&'static str, i64)]) -> Double {
    Double::start(move |request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(pushed)),
        _ => Answer::of(202, ""),
    })
    .await
}

fn outcomes(report: &Report) -> Vec<(String, &'static str)> {
    let outcome = |group: &Swept| (format!("{:?}", group.labels), group.outcome.word());
    report.groups.iter().map(outcome).collect()
}

#[tokio::test]
async fn what_is_older_by_the_gateways_clock_is_deleted_the_oldest_first() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[
            ("a", ago(61)),
            ("b", ago(60)),
            ("c", ago(3600)),
            ("d", ago(-99)),
        ])),
        _ => Answer::of(202, ""),
    })
    .await;
    let mut sweep = sweep_of(&double);
    sweep.wish.concurrency = 1;

    let report = sweep.pass().await.unwrap();

    assert!(report.is_good());
    assert_eq!((report.read, report.alive, report.count("deleted")), (4, 2, 2));
    assert_eq!(double.deleted(), ["/metrics/job/c", "/metrics/job/a"]);
}

#[tokio::test]
async fn a_rehearsal_deletes_nothing() {
    let double = taking(&[("a", 1)]).await;
    let mut sweep = sweep_of(&double);
    sweep.wish.effect = Effect::Rehearse;

    let report = sweep.pass().await.unwrap();

    assert_eq!(
        outcomes(&report),
        [(r#"[("job", "a")]"#.to_owned(), "would delete")]
    );
    assert_eq!(double.deleted(), [""; 0]);
}

#[tokio::test]
async fn more_stale_groups_than_allowed_are_all_left_alone() {
    let double = taking(&[("a", 1), ("b", 1), ("c", 1)]).await;
    let mut sweep = sweep_of(&double);
    sweep.wish.max_groups = 2;

    let report = sweep.pass().await.unwrap();

    let refused = report.cut_short.unwrap().to_string();
    assert!(
        refused.starts_with("3 groups are stale, and --max-groups allows 2 in a pass: nothing was deleted"),
        "{refused}"
    );
    assert_eq!(double.deleted(), [""; 0]);
}

#[tokio::test]
async fn only_selected_groups_are_deleted() {
    let double = taking(&[("etl_a", 1), ("web", 1)]).await;
    let mut sweep = sweep_of(&double);
    sweep.wish.selector = Some(r#"{job=~"etl_.*"}"#.parse::<Selector>().unwrap());

    let report = sweep.pass().await.unwrap();

    assert_eq!(
        (report.unselected, double.deleted()),
        (1, vec!["/metrics/job/etl_a".to_owned()])
    );
}

#[tokio::test]
async fn a_gateway_that_tells_no_time_is_judged_by_our_clock_and_says_so() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[("a", ago(61))])).without_date(),
        _ => Answer::of(202, ""),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert_eq!((report.ahead_millis, report.count("deleted")), (None, 1));
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    let double = taking(&[]).await;
    let mut sweep = sweep_of(&double);
    sweep.clock = Arc::new(ManualClock::at(UnixMillis::new(DATE_MILLIS + 90_000)));

    let report = sweep.pass().await.unwrap();

    assert_eq!(report.ahead_millis, Some(-90_000), "{DATE}");
}

#[tokio::test]
async fn a_gateway_without_the_json_api_is_read_as_text_and_both_keys_that_look_alike_are_deleted() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::of(404, "404 page not found"),
        "GET /metrics" => Answer::ok("push_time_seconds{instance=\"\",job=\"a\"} 5\n".to_owned()),
        _ => Answer::of(202, ""),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert_eq!((report.source, report.count("deleted")), (Source::Text, 1));
    assert_eq!(
        double.deleted(),
        ["/metrics/job/a", "/metrics/job/a/instance@base64/="]
    );
}

#[tokio::test]
async fn names_are_escaped_where_the_gateway_says_that_it_reads_escapes() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(
            r#"{"data":[{"labels":{"job":"a","U__x":"1"},"push_time_seconds":{"metrics":[{"value":"5"}]}}]}"#
                .to_owned(),
        ),
        "GET /api/v1/status" => {
            Answer::ok(r#"{"data":{"flags":{"push.enable-utf8-names":"true"}}}"#.to_owned())
        }
        _ => Answer::of(202, ""),
    })
    .await;

    sweep_of(&double).pass().await.unwrap();

    assert_eq!(double.deleted(), ["/metrics/job/a/U__U____x/1"]);
}

#[tokio::test]
async fn a_name_that_is_not_classic_is_escaped_without_asking() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(
            r#"{"data":[{"labels":{"job":"a","b.c":"1"},"push_time_seconds":{"metrics":[{"value":"5"}]}}]}"#
                .to_owned(),
        ),
        "GET /api/v1/status" => Answer::of(403, ""),
        _ => Answer::of(202, ""),
    })
    .await;

    sweep_of(&double).pass().await.unwrap();

    assert_eq!(double.deleted(), ["/metrics/job/a/U__b_2e_c/1"]);
}

#[track_caller]
fn fails_with(pass: Result<Report, SweepError>, expected: &str) {
    let error = pass.unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn what_is_no_pushgateway_or_does_not_let_us_is_told_with_a_way_out() {
    for (status, body, expected) in [
        (
            404,
            "",
            "is no Pushgateway: it has neither api/v1/metrics nor metrics; a route prefix",
        ),
        (
            200,
            "<html>",
            "is no Pushgateway: expected {\"status\":\"success\"",
        ),
        (
            401,
            "",
            "answered 401: it wants to know who asks: give --username",
        ),
        (403, "", "answered 403: whoever asks is not allowed to"),
        (
            302,
            "",
            "answered 302, a redirect to http://elsewhere/: give --pushgateway",
        ),
        (500, "out\nof memory", "answered 500: out of memory"),
    ] {
        let double = Double::start(move |_| Answer::of(status, body)).await;

        fails_with(sweep_of(&double).pass().await, expected);
    }
}

#[tokio::test]
async fn a_deletion_that_fails_for_a_moment_is_tried_again() {
    let double = Double::start_counting(|request, earlier| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[("a", 5)])),
        _ if earlier == 0 => Answer::of(503, "busy"),
        _ => Answer::of(202, ""),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert_eq!((report.is_good(), double.deleted().len()), (true, 2));
}

#[tokio::test]
async fn a_group_whose_deletion_is_refused_does_not_keep_the_others() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[("a", 5), ("b", 6), ("c", 7)])),
        "DELETE /metrics/job/a" => Answer::of(400, "improper"),
        _ => Answer::of(202, ""),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert_eq!(
        (report.count("failed"), report.count("deleted"), report.is_good()),
        (1, 2, false)
    );
    let why = report.groups[0].outcome.why().unwrap();
    assert!(why.ends_with("/metrics/job/a answered 400: improper"), "{why}");
}

#[tokio::test]
async fn a_gateway_that_refuses_one_deletion_after_the_other_is_asked_no_more() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[
            ("a", 5),
            ("b", 5),
            ("c", 5),
            ("d", 5),
            ("e", 5),
            ("f", 5),
            ("g", 5),
        ])),
        _ => Answer::of(400, "no"),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert!(
        matches!(report.cut_short, Some(SweepError::Failing { failures: 4, .. })),
        "{report:?}"
    );
    assert_eq!((report.count("failed"), report.count("not tried")), (5, 2));
}

#[tokio::test]
async fn who_may_read_and_not_delete_is_told_once() {
    let double = Double::start(|request| match request {
        "GET /api/v1/metrics" => Answer::ok(groups(&[("a", 5), ("b", 5), ("c", 5), ("d", 5)])),
        _ => Answer::of(403, ""),
    })
    .await;

    let report = sweep_of(&double).pass().await.unwrap();

    assert!(matches!(
        report.cut_short,
        Some(SweepError::Denied { status: 403, .. })
    ));
    assert!(double.deleted().len() <= 2);
}

#[tokio::test]
async fn what_was_pushed_to_or_deleted_since_it_was_read_is_let_go() {
    let double = Double::start_counting(|request, earlier| match (request, earlier) {
        ("GET /api/v1/metrics", 0) => Answer::ok(groups(&[("a", 5), ("b", 5), ("c", 5)])),
        ("GET /api/v1/metrics", _) => Answer::ok(groups(&[("a", 5), ("b", 9)])),
        _ => Answer::of(202, ""),
    })
    .await;
    let mut sweep = sweep_of(&double);
    sweep.wish.effect = Effect::Rehearse;
    let mut groups = sweep.pass().await.unwrap().groups;
    groups
        .iter_mut()
        .for_each(|group| group.outcome = Outcome::Untried);
    let long_ago = Instant::now().checked_sub(MINUTE).unwrap();
    let session = sweep.gateway.session().await.unwrap();

    let deleting = Deleting::new(session, &sweep.wish, &sweep.progress, (long_ago, Duration::ZERO));
    deleting.run(&mut groups, sweep.stop.clone()).await.unwrap();

    let words: Vec<&str> = groups.iter().map(|group| group.outcome.word()).collect();
    assert_eq!(words, ["deleted", "pushed again", "gone"]);
    assert_eq!(double.deleted(), ["/metrics/job/a"]);
}

#[tokio::test]
async fn after_a_signal_no_deletion_begins() {
    let double = taking(&[("a", 5)]).await;
    let mut sweep = sweep_of(&double);
    sweep.wish.effect = Effect::Rehearse;
    let mut groups = sweep.pass().await.unwrap().groups;
    groups
        .iter_mut()
        .for_each(|group| group.outcome = Outcome::Untried);
    let stop = watch::channel(true).1;
    let session = sweep.gateway.session().await.unwrap();

    let deleting = Deleting::new(
        session,
        &sweep.wish,
        &sweep.progress,
        (Instant::now(), Duration::ZERO),
    );
    let ended = deleting.run(&mut groups, stop.clone()).await;
    sweep.stop = stop;
    let pass = sweep.pass().await;

    assert_eq!(
        (ended, groups[0].outcome.word()),
        (Err(SweepError::Interrupted), "not tried")
    );
    assert_eq!(pass.unwrap_err(), SweepError::Interrupted);
    assert_eq!(double.deleted(), [""; 0]);
}

#[tokio::test]
async fn rounds_go_on_after_failures_and_end_when_asked() {
    let double = Double::start_counting(|request, earlier| match (request, earlier) {
        ("GET /api/v1/metrics", 0) => Answer::of(503, "away"),
        ("GET /api/v1/metrics", _) => Answer::ok(groups(&[("a", 5)])),
        _ => Answer::of(202, ""),
    })
    .await;
    let mut sweep = sweep_of(&double);
    let (end, stop) = watch::channel(false);
    sweep.stop = stop;
    let books = Books::default();
    let mut seen = Vec::new();

    sweep
        .rounds(Duration::from_millis(10), |pass| {
            books.note(pass, UnixMillis::new(1_000));
            seen.push(pass.as_ref().map(|report| report.count("deleted")).ok());
            end.send_replace(seen.len() == 2);
        })
        .await;

    assert_eq!(seen, [None, Some(1)]);
    let mut registry = prometheus_client::registry::Registry::default();
    books.register(&mut registry);
    let mut page = String::new();
    prometheus_client::encoding::text::encode(&mut page, &registry).unwrap();
    for line in [
        "flinkbridge_sweep_passes_total{ending=\"failed\"} 1",
        "flinkbridge_sweep_passes_total{ending=\"done\"} 1",
        "flinkbridge_sweep_deleted_groups_total 1",
        "flinkbridge_sweep_last_success_timestamp_seconds 1.0",
    ] {
        assert!(
            page.lines().any(|shown| shown == line),
            "{line} is missing:\n{page}"
        );
    }
}
