//! What is over a remote's limits never reaches it, and is in the books.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::block::{Block, BlockBuilder};
use crate::codec::record::Record as Blocks;
use crate::forward::profile::{Beyond, Limits, Profile, TextLimit};
use crate::forward::tests::double::{Trial, record};
use crate::model::{LabelDraft, LabelSet, UnixMillis, stale_marker};
use crate::queue::Record;

const HOUR: Duration = Duration::from_secs(3600);
const AT: UnixMillis = UnixMillis::new(1_000);

fn set(labels: &[(&str, &str)]) -> LabelSet<'static> {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    labels.collect::<LabelDraft>().into_set()
}

fn block(series: &[(LabelSet<'static>, f64, UnixMillis)]) -> Block {
    let mut builder = BlockBuilder::new(7);
    for (labels, value, at) in series {
        builder.push(labels, *value, *at);
    }
    builder.finish()
}

fn of(samples: Block, markers: Block) -> Record {
    let blocks = Blocks {
        event: Bytes::from_static(b"event"),
        samples,
        markers,
        exemplars: Block::default(),
    };
    Record {
        weight: blocks.weight(),
        payload: blocks.encode(),
        ..record("a", 0, 0.0)
    }
}

fn limited(limits: Limits) -> Trial {
    let mut trial = Trial::new();
    trial.limits = limits;
    trial
}

/// Section 3.7, 2; PRW S1-23.
#[tokio::test(start_paused = true)]
async fn a_series_whose_value_was_cut_is_one_series_and_ends() {
    let trial = limited(Limits {
        label_value: TextLimit::of(40, Beyond::Truncate),
        ..Limits::none()
    });
    let series = set(&[("__name__", "m"), ("task_name", &"Source: Kafka -> ".repeat(9))]);
    trial
        .log
        .push(of(block(&[(series.clone(), 1.0, AT)]), Block::default()));
    trial.log.push(of(
        Block::default(),
        block(&[(series, stale_marker(), AT.next())]),
    ));

    trial.run(HOUR).await;

    let stored: Vec<_> = trial.remote.stored().into_iter().collect();
    assert_eq!(stored.len(), 1);
    assert_eq!(
        stored[0].0,
        r#"m{task_name="Source: Kafka -> Source_e6ddc29811013d9d"}"#
    );
    assert_eq!(stored[0].1[0].to_bits(), 1.0_f64.to_bits());
    assert_eq!(stored[0].1[1].to_bits(), stale_marker().to_bits());
    assert_eq!(trial.balanced().sent_samples, 2);
    assert_eq!(trial.books.counts().changed["value_truncated"], 2);
}

#[tokio::test(start_paused = true)]
async fn of_series_that_become_equal_the_first_stays_and_the_end_of_another_does_not_end_it() {
    let trial = limited(Limits {
        max_labels: Some(2),
        ..Limits::none()
    });
    let attempt = |id: &str| set(&[("__name__", "m"), ("a", "1"), ("task_attempt_id", id)]);
    let samples = block(&[(attempt("2"), 2.0, AT), (attempt("3"), 3.0, AT)]);
    trial
        .log
        .push(of(samples, block(&[(attempt("1"), stale_marker(), AT.next())])));

    trial.run(HOUR).await;

    let stored: Vec<_> = trial.remote.stored().into_iter().collect();
    assert_eq!(stored, [(r#"m{a="1"}"#.to_owned(), vec![2.0])]);
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.dropped_samples), (1, 2));
    assert_eq!(trial.books.counts().dropped["made_equal"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_series_that_comes_several_times_stays_so() {
    let trial = limited(Limits {
        label_value: TextLimit::of(40, Beyond::Truncate),
        ..Limits::none()
    });
    let series = set(&[("__name__", "m"), ("a", &"x".repeat(41))]);
    trial.log.push(of(
        block(&[(series.clone(), 1.0, AT), (series, 2.0, AT.next())]),
        Block::default(),
    ));

    trial.run(HOUR).await;

    assert_eq!(
        trial.remote.stored().into_values().collect::<Vec<_>>(),
        [[1.0, 2.0]]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_over_a_limit_is_dropped_and_counted_by_reason_and_the_rest_arrives() {
    let trial = limited(Limits {
        max_labels: Some(3),
        label_value: TextLimit::of(40, Beyond::DropSeries),
        max_age: Some(Duration::from_secs(60)),
        max_ahead: Some(Duration::from_secs(60)),
        ..Limits::none()
    });
    trial.clock.advance(HOUR);
    let now = UnixMillis::new(3_600_000);
    trial.log.push(of(
        block(&[
            (set(&[("__name__", "good")]), 1.0, now),
            (
                set(&[("__name__", "m"), ("a", "1"), ("b", "2"), ("c", "3")]),
                1.0,
                now,
            ),
            (set(&[("__name__", "m"), ("a", &"x".repeat(41))]), 1.0, now),
            (set(&[("__name__", "old")]), 1.0, AT),
            (set(&[("__name__", "new")]), 1.0, now.after(HOUR)),
        ]),
        Block::default(),
    ));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.stored().into_keys().collect::<Vec<_>>(), ["good{}"]);
    assert_eq!(trial.balanced().dropped_samples, 4);
    let dropped = trial.books.counts().dropped;
    for reason in [
        "too_many_labels",
        "label_value_too_long",
        "older_than_remote_takes",
        "ahead_of_remote",
    ] {
        assert_eq!(dropped[reason], 1, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_to_the_limits_goes_out_as_it_lies_in_the_queue() {
    let trial = limited(Profile::TencentTmp.limits());
    trial.log.push(record("a", 5, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.balanced().sent_samples, 5);
    assert_eq!(
        trial.books.counts().request_bytes,
        crate::forward::tests::double::block("a", 5, 1.0).bytes().len() as u64
    );
}

#[tokio::test(start_paused = true)]
async fn requests_have_no_more_series_than_the_profile_takes() {
    let trial = limited(Profile::GoogleGmp.limits());
    trial.log.push(record("a", 450, 1.0));
    trial.log.push(record("a", 150, 2.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [200, 200, 50, 150]);
}

/// Section 3.7, 6: by size, before sending.
#[tokio::test(start_paused = true)]
async fn requests_have_no_more_bytes_than_the_profile_takes_and_a_larger_series_goes_alone() {
    let trial = limited(Limits {
        max_raw_bytes: Some(4096),
        ..Limits::none()
    });
    let long = |name: &str, bytes: usize| (set(&[("__name__", name), ("a", &"x".repeat(bytes))]), 1.0, AT);
    trial.log.push(of(
        block(&[
            long("a", 10),
            long("b", 5000),
            long("c", 2000),
            long("d", 1900),
            long("e", 2000),
        ]),
        Block::default(),
    ));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [1, 1, 2, 1]);
    assert_eq!(trial.balanced().sent_samples, 5);
}

#[tokio::test(start_paused = true)]
async fn records_are_joined_only_as_far_as_the_bytes_go() {
    let trial = limited(Limits {
        max_raw_bytes: Some(4096),
        ..Limits::none()
    })
    .slow(Duration::from_secs(1));
    for value in [1.0, 2.0, 3.0, 4.0] {
        trial.log.push(record("a", 30, value));
    }

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [60, 60]);
}
