use std::io::Cursor;

use super::*;

const SECOND: i64 = 1_000;

fn read_json(body: &str) -> Result<Vec<Listed>, Unread> {
    json::read(Cursor::new(body.to_owned()), &Progress::default())
}

fn read_text(body: &[u8]) -> Result<Vec<Listed>, Unread> {
    text::read(Cursor::new(body.to_owned()), &Progress::default())
}

/// A line for each group: its keys, when it was pushed to, when a push failed.
fn told(listed: &[Listed]) -> Vec<String> {
    let seconds =
        |at: Option<UnixMillis>| at.map_or_else(|| "never".to_owned(), |at| (at.get() / SECOND).to_string());
    let line = |group: &Listed| {
        let name = match &group.name {
            Name::Key { key, twin: None } => key.to_string(),
            Name::Key {
                key,
                twin: Some(twin),
            } => format!("{key} or {twin}"),
            Name::None { labels, why } => format!("{labels:?}: {why}"),
        };
        format!("{name} {} {}", seconds(group.pushed), seconds(group.failed))
    };
    listed.iter().map(line).collect()
}

fn family(labels: &str, value: &str) -> String {
    format!(r#"{{"time_stamp":"t","type":"GAUGE","metrics":[{{"labels":{labels},"value":"{value}"}}]}}"#)
}

#[track_caller]
fn group_is(group: &str, expected: &str) {
    let listed = read_json(&format!(r#"{{"status":"success","data":[{group}]}}"#)).unwrap();

    assert_eq!(told(&listed), [expected]);
}

#[track_caller]
fn json_is_refused(body: &str, expected: &str) {
    match read_json(body) {
        Err(Unread::Strange(problem)) => assert!(problem.contains(expected), "{problem}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn text_is(body: &[u8], expected: &[&str]) {
    let listed = read_text(body).unwrap();

    assert_eq!(told(&listed), expected);
}

#[test]
fn of_a_group_in_json_only_key_and_times_are_kept() {
    let times = format!(
        r#""push_time_seconds":{},"push_failure_time_seconds":{}"#,
        family("{}", "1.5e+09"),
        family("{}", "0")
    );

    group_is(
        &format!(
            r#"{{"labels":{{"job":"a/b","x":""}},"last_push_successful":true,"m":{{"metrics":[1,[2]]}},{times}}}"#
        ),
        r#"{job="a/b",x=""} 1500000000 never"#,
    );
}

#[test]
fn a_group_that_has_only_failed_shows_its_failure() {
    let times = format!(
        r#""push_failure_time_seconds":{},"push_time_seconds":{}"#,
        family("{}", "12.5"),
        family("{}", "0")
    );

    group_is(
        &format!(r#"{{"labels":{{"job":"a"}},{times}}}"#),
        r#"{job="a"} never 12"#,
    );
}

#[test]
fn pushed_times_that_are_none_are_passed_over() {
    let histogram =
        r#"{"type":"HISTOGRAM","metrics":[{"labels":{},"buckets":{"1":"2"},"count":"2","sum":"3"}]}"#;

    group_is(
        &format!(r#"{{"labels":{{"job":"a"}},"push_failure_time_seconds":{histogram}}}"#),
        r#"{job="a"} never never"#,
    );
    for value in ["NaN", "-1", "1e300", "soon"] {
        let failed = family("{}", value);
        group_is(
            &format!(r#"{{"labels":{{"job":"a"}},"push_failure_time_seconds":{failed}}}"#),
            r#"{job="a"} never never"#,
        );
    }
}

#[test]
fn a_metric_called_labels_hides_the_key_which_the_push_time_tells() {
    let hidden = family(r#"{"job":"a","instance":""}"#, "5");
    let time = |labels| family(labels, "7");

    group_is(
        &format!(
            r#"{{"labels":{hidden},"push_time_seconds":{}}}"#,
            time(r#"{"job":"a","instance":"i"}"#)
        ),
        r#"{instance="i",job="a"} 7 never"#,
    );
    group_is(
        &format!(
            r#"{{"labels":{hidden},"push_time_seconds":{}}}"#,
            time(r#"{"job":"a","instance":""}"#)
        ),
        r#"{job="a"} or {instance="",job="a"} 7 never"#,
    );
    group_is(
        &format!(r#"{{"labels":{hidden}}}"#),
        "[]: a metric called labels hides its labels never never",
    );
}

#[test]
fn a_group_that_no_path_names_says_why() {
    group_is(
        r#"{"labels":{"job":"\ufffd"}}"#,
        "[(\"job\", \"\u{fffd}\")]: its labels hold bytes that are not UTF-8, and which ones is not shown never never",
    );
    group_is(
        r#"{"labels":{"a":"b"}}"#,
        r#"[("a", "b")]: it has no job, or a label that no path can name never never"#,
    );
}

#[test]
fn what_is_no_answer_of_a_pushgateway_is_refused_with_its_place() {
    json_is_refused("<html>", "expected value at line 1 column 1");
    json_is_refused("{}", "missing field `data`");
    json_is_refused(r#"{"data":{}}"#, "expected a list of groups");
    json_is_refused(r#"{"data":[{"name":"x"}]}"#, "missing field `labels`");
    json_is_refused(r#"{"data":[{"labels":{"job":"a"}}"#, "EOF while parsing a list");
    json_is_refused(r#"{"data":[]} and more"#, "trailing characters");
}

#[test]
fn of_text_only_the_lines_with_times_count() {
    text_is(
        concat!(
            "# HELP push_time_seconds Last Unix time.\n",
            "x{job=\"a\"} not a number\n",
            "push_time_seconds{instance=\"i\",job=\"a\"} 1.5e+09\n",
            "push_time_seconds{instance=\"\",job=\"q\\\"\\\\\\n\"} 7\n",
            "push_failure_time_seconds{instance=\"i\",job=\"a\"} 9\n",
            "push_failure_time_seconds{instance=\"i\",job=\"a\",pushed=\"by somebody\"} 9\n",
        )
        .as_bytes(),
        &[
            r#"{job="q\"\\\n"} or {instance="",job="q\"\\\n"} 7 never"#,
            r#"{instance="i",job="a"} 1500000000 9"#,
        ],
    );
}

#[test]
fn text_without_groups_counts_only_if_it_is_a_gateways() {
    text_is(b"pushgateway_build_info{version=\"0.9\"} 1\n", &[]);
    text_is(b"flinkbridge_queue_size_bytes 1\n", &[]);
    let foreign = read_text(b"prometheus_build_info 1\n").unwrap_err();
    assert!(matches!(foreign, Unread::Strange(problem) if problem.contains("neither push_time_seconds")));
}

#[test]
fn lines_beyond_measure_are_passed_over_with_what_they_hold() {
    let mut body = b"pushgateway_x 1\nlong{v=\"".to_vec();
    body.resize(256 << 10, b'x');
    body.extend_from_slice(b"\npush_time_seconds{job=\"a\",instance=\"i\"} 5\nlong{v=\"");
    let begun = body.len();
    body.resize(begun - b"long{v=\"".len() + (256 << 10), b'x');
    body.extend_from_slice(b"push_time_seconds{job=\"forged\",instance=\"i\"} 5\n");

    text_is(&body, &[r#"{instance="i",job="a"} 5 never"#]);
}

#[test]
fn text_that_is_not_utf8_names_no_group() {
    text_is(
        b"push_time_seconds{instance=\"i\",job=\"\xff\"} 5\n",
        &[
            "[(\"instance\", \"i\"), (\"job\", \"\u{fffd}\")]: its labels hold bytes that are not UTF-8, and which ones is not shown 5 never",
        ],
    );
}
