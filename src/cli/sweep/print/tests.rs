use super::*;

fn swept(job: &str, outcome: Outcome) -> Swept {
    Swept {
        labels: vec![
            ("a.b".to_owned(), "x\"\u{1b}[2J".to_owned()),
            ("job".to_owned(), job.to_owned()),
        ],
        paths: vec![format!("metrics/job/{job}")],
        pushed: Some(UnixMillis::new(5_000)),
        failed: None,
        age: Duration::from_secs(7_384),
        outcome,
    }
}

fn report(effect: Effect, groups: Vec<Swept>) -> Report {
    Report {
        url: "http://gateway:9091".to_owned(),
        effect,
        older_than: Duration::from_secs(600),
        source: Source::Json,
        judged_at: UnixMillis::new(7_389_000),
        ahead_millis: Some(0),
        read_took: Duration::from_millis(120),
        took: Duration::from_millis(1_500),
        read: 9,
        unselected: 2,
        alive: 5,
        groups,
        cut_short: None,
    }
}

#[test]
fn a_rehearsal_lists_each_group_with_the_path_that_would_be_deleted() {
    let report = report(Effect::Rehearse, vec![swept("etl", Outcome::WouldDelete)]);

    let text = table(&report);

    let expected = r#"AGE    LAST PUSH                 GROUP                                DELETE
2h 3m  1970-01-01T00:00:05.000Z  {"a.b"="x\"\u{1b}[2J",job="etl"}  /metrics/job/etl

http://gateway:9091/api/v1/metrics: 9 groups read in 0.12 s, 2 not selected
  alive                5
  stale                1  silent for more than 10m
    would delete       1
took 1.50 s
"#;
    assert_eq!(
        text.split_whitespace().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>(),
        "{text}"
    );
}

#[test]
fn a_pass_of_many_is_a_line_with_what_came_of_it() {
    let groups = vec![swept("a", Outcome::Deleted), swept("b", Outcome::PushedAgain)];

    let text = line(&report(Effect::Delete, groups), UnixMillis::new(0));

    assert_eq!(
        text,
        "1970-01-01T00:00:00.000Z 9 groups, 2 stale, 1 deleted, 1 pushed again, took 1.50 s"
    );
}

#[test]
fn failures_and_clocks_that_are_off_are_told_and_not_without_end() {
    let failed = |count: usize| vec![swept("a", Outcome::Failed("no".to_owned())); count];
    let mut few = report(Effect::Delete, failed(1));
    few.ahead_millis = Some(-90_000);
    let many = report(Effect::Delete, failed(25));

    assert_eq!(
        notices(&few),
        [
            "the gateway's clock is 1m 30s behind ours: ages are by the gateway's, which also set the push times",
            r#"{"a.b"="x\"\u{1b}[2J",job="a"} failed: no"#,
        ]
    );
    assert_eq!(notices(&many).len(), 21);
    assert_eq!(notices(&many)[20], "5 more like these; -o json has all");
}

#[test]
fn json_is_a_line_that_holds_every_group_or_why_there_are_none() {
    let mut good = report(Effect::Delete, vec![swept("a", Outcome::Deleted)]);
    good.cut_short = Some(SweepError::Interrupted);

    let told: Value = serde_json::from_str(&json(&Ok(good), "x")).unwrap();
    let failed: Value = serde_json::from_str(&json(&Err(SweepError::Interrupted), "http://g")).unwrap();

    assert_eq!(
        (&told["deleted"], &told["stale"], &told["error"]),
        (&json!(1), &json!(1), &json!("interrupted"))
    );
    assert_eq!(told["groups"][0]["labels"]["a.b"], "x\"\u{1b}[2J");
    assert_eq!(told["groups"][0]["outcome"], "deleted");
    assert_eq!(failed, json!({"pushgateway": "http://g", "error": "interrupted"}));
}
