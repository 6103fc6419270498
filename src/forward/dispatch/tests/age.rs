//! `sample_age_limit`; `queue_manager_test.go`, `IsSampleOld` and the limit during backoff.

use std::time::Duration;

use crate::codec::block::{Block, BlockBuilder};
use crate::codec::record::Record as Blocks;
use crate::forward::tests::double::{Trial, refused, series, unavailable};
use crate::model::UnixMillis;
use crate::queue::Record;

use super::HOUR;

const MINUTE: Duration = Duration::from_secs(60);

/// A record of `group` with a series for each time, in milliseconds; the last one is a marker.
fn record(group: &str, times: &[i64]) -> Record {
    let block = |numbered: &[(u32, i64)]| {
        let mut builder = BlockBuilder::new(7);
        for (number, at) in numbered {
            builder.push(&series(group, *number), 1.0, UnixMillis::new(*at));
        }
        builder.finish()
    };
    let numbered: Vec<(u32, i64)> = (0..).zip(times.iter().copied()).collect();
    let (samples, markers) = numbered.split_at(numbered.len() - 1);
    let blocks = Blocks {
        event: bytes::Bytes::from_static(b"event"),
        samples: block(samples),
        markers: block(markers),
        exemplars: Block::default(),
    };
    Record {
        key: group.bytes().map(u64::from).sum(),
        weight: u32::try_from(times.len()).unwrap(),
        fence: false,
        at: UnixMillis::new(0),
        payload: blocks.encode(),
    }
}

/// The numbers of the series in each request.
fn requests(trial: &Trial) -> Vec<Vec<u32>> {
    let number = |(name, _): &(String, f64)| {
        let number = (0..10).find(|number| series("a", *number).to_string() == *name);
        number.unwrap()
    };
    let requests = trial.remote.requests();
    requests
        .iter()
        .map(|request| request.samples.iter().map(number).collect())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_limit_is_dropped_and_counted_before_it_is_sent() {
    let mut trial = Trial::new();
    trial.config.sample_age_limit = Some(MINUTE);
    trial.clock.advance(2 * MINUTE);
    trial
        .log
        .push(record("a", &[59_999, 60_000, 120_000, 59_000, 61_000]));

    trial.run(HOUR).await;

    assert_eq!(requests(&trial), [[1, 2, 4]]);
    assert_eq!(trial.balanced().dropped_samples, 2);
    assert_eq!(trial.books.counts().dropped["too_old"], 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_is_too_old() {
    let trial = Trial::new();
    trial.clock.advance(1000 * HOUR);
    trial.log.push(record("a", &[0, 1]));

    trial.run(HOUR).await;

    assert_eq!(trial.balanced().sent_samples, 2);
}

#[tokio::test(start_paused = true)]
async fn what_grows_too_old_while_the_remote_is_down_is_dropped_between_attempts() {
    let clock = std::sync::Arc::new(std::sync::OnceLock::<crate::model::ManualClock>::new());
    let shared = std::sync::Arc::clone(&clock);
    let mut trial = Trial::with(move |request| {
        shared.get().unwrap().advance(Duration::from_secs(20));
        if request.attempt < 4 {
            Err(unavailable(None))
        } else {
            Ok(())
        }
    });
    clock.set(trial.clock.clone()).unwrap();
    trial.config.sample_age_limit = Some(MINUTE);
    trial.log.push(record("a", &[0, 0, 20_000, 100_000]));

    trial.run(HOUR).await;

    let sizes = trial.remote.sizes();
    assert_eq!(sizes, [4, 4, 4, 4, 2]);
    assert_eq!(requests(&trial)[4], [2, 3]);
    assert_eq!(trial.balanced().sent_samples, 2);
    assert_eq!(trial.books.counts().dropped["too_old"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_of_which_nothing_is_left_is_given_up_and_the_next_one_goes_on() {
    let clock = std::sync::Arc::new(std::sync::OnceLock::<crate::model::ManualClock>::new());
    let shared = std::sync::Arc::clone(&clock);
    let mut trial = Trial::with(move |request| match request.attempt {
        0 if request.samples.len() == 2 => {
            shared.get().unwrap().advance(2 * MINUTE);
            Err(unavailable(None))
        }
        _ => Ok(()),
    });
    clock.set(trial.clock.clone()).unwrap();
    trial.config.sample_age_limit = Some(MINUTE);
    trial.config.max_samples_per_send = 3;
    trial.log.push(record("a", &[0, 0]));
    trial.log.push(record("a", &[100_000, 110_000, 120_000]));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [2, 3]);
    assert_eq!(trial.log.acknowledged(), [0, 1]);
    assert_eq!(trial.balanced().sent_samples, 3);
    assert_eq!(trial.books.counts().dropped["too_old"], 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_refused_request_is_still_taken_apart() {
    let mut trial = Trial::with(|request| match request.samples.len() {
        1 => Ok(()),
        _ => Err(refused(413, "too large")),
    });
    trial.config.sample_age_limit = Some(MINUTE);
    trial.clock.advance(2 * MINUTE);
    trial.log.push(record("a", &[0, 70_000, 80_000]));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [2, 1, 1]);
    assert_eq!(trial.balanced().sent_samples, 2);
}
