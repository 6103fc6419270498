mod age;
mod limits;
mod offenders;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::forward::tests::double::{Trial, record, series, unavailable};
use crate::queue::DropReason;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn an_idle_lane_sends_at_once_and_a_busy_one_gathers() {
    let trial = Trial::new().slow(SECOND);
    trial.log.push(record("a", 1, 1.0));

    tokio::join!(trial.run(HOUR), async {
        sleep(SECOND / 2).await;
        trial.log.push(record("a", 1, 2.0));
        trial.log.push(record("a", 1, 3.0));
    });

    assert_eq!(trial.remote.sizes(), [1, 2]);
    assert_eq!(trial.remote.requests()[0].after, Duration::ZERO);
    assert_eq!(
        trial.remote.stored()[&series("a", 0).to_string()],
        [1.0, 2.0, 3.0]
    );
    assert_eq!(trial.balanced().sent_samples, 3);
}

/// SampleDelivery of Prometheus' queue manager.
#[tokio::test(start_paused = true)]
async fn a_request_has_at_most_max_samples_per_send() {
    let mut trial = Trial::new();
    trial.config.max_samples_per_send = 10;
    for value in [1.0, 2.0, 3.0] {
        trial.log.push(record("a", 4, value));
    }
    trial.log.push(record("a", 25, 4.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [8, 4, 10, 10, 5]);
    assert_eq!(trial.balanced().sent_samples, 37);
}

/// SampleDeliveryTimeout of Prometheus' queue manager.
#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_more_until_its_deadline_unless_it_is_full() {
    let mut trial = Trial::new();
    trial.config.batch_send_deadline = 5 * SECOND;
    trial.config.max_samples_per_send = 2;
    trial.log.push(record("a", 1, 1.0));

    tokio::join!(trial.run(HOUR), async {
        sleep(10 * SECOND).await;
        trial.log.push(record("a", 1, 2.0));
        sleep(SECOND).await;
        trial.log.push(record("a", 1, 3.0));
    });

    let requests = trial.remote.requests();
    let after: Vec<u64> = requests.iter().map(|request| request.after.as_secs()).collect();
    assert_eq!(after, [5, 11]);
    assert_eq!(trial.remote.sizes(), [1, 2]);
}

/// PRW S1-18.
#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_with_growing_pauses_until_it_passes() {
    let mut left = 12;
    let trial = Trial::with(move |_| {
        left -= 1;
        if left > 0 { Err(unavailable(None)) } else { Ok(()) }
    });
    trial.log.push(record("a", 3, 1.0));

    trial.run(HOUR).await;

    let requests = trial.remote.requests();
    let attempts: Vec<u32> = requests.iter().map(|request| request.attempt).collect();
    assert_eq!(attempts, (0..12).collect::<Vec<_>>());
    for (before, pair) in requests.windows(2).enumerate() {
        let pause = pair[1].after - pair[0].after;
        let longest = Duration::from_millis(30 << before).min(5 * SECOND);
        assert!(pause <= longest && pause >= longest / 2, "{before}: {pause:?}");
    }
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.retries), (3, 11));
    assert_eq!(status.last_error.unwrap().words, "down");
}

/// PRW S2-17.
#[tokio::test(start_paused = true)]
async fn the_pause_that_the_remote_asks_for_is_kept() {
    let trial = Trial::with(|request| match request.attempt {
        0 => Err(unavailable(Some(120 * SECOND))),
        _ => Ok(()),
    });
    trial.log.push(record("a", 1, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.requests()[1].after.as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_gets_through_wakes_those_that_wait() {
    let mut trial = Trial::with(|request| match request.after < 20 * SECOND {
        true => Err(unavailable(None)),
        false => Ok(()),
    });
    trial.config.max_backoff = 1000 * SECOND;
    for group in ["a", "b", "c", "d"] {
        trial.log.push(record(group, 1, 1.0));
    }

    trial.run(HOUR).await;

    let accepted: Vec<Duration> = trial
        .remote
        .requests()
        .iter()
        .filter(|request| request.accepted)
        .map(|request| request.after)
        .collect();
    assert_eq!(accepted.len(), 4);
    assert!(accepted.iter().all(|after| *after == accepted[0]), "{accepted:?}");
}

/// PRW S1-17.
#[tokio::test(start_paused = true)]
async fn each_series_arrives_in_order_over_several_lanes_and_failures() {
    let mut number = 0_u32;
    let mut trial = Trial::with(move |_| {
        number += 1;
        if number.is_multiple_of(3) {
            Err(unavailable(None))
        } else {
            Ok(())
        }
    })
    .slow(SECOND / 10);
    trial.config.max_samples_per_send = 7;
    for value in 0..50 {
        for group in ["a", "b", "c", "d", "e", "f"] {
            trial.log.push(record(group, 3, f64::from(value)));
        }
    }

    trial.run(HOUR).await;

    let expected: Vec<f64> = (0..50).map(f64::from).collect();
    let stored = trial.remote.stored();
    assert_eq!(stored.len(), 18);
    assert!(stored.values().all(|values| *values == expected));
    assert_eq!(trial.balanced().sent_samples, 900);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_fails_keeps_only_its_own_groups_waiting() {
    let trial = Trial::with(|request| match request.samples[0].0.contains("\"a\"") {
        true => Err(unavailable(None)),
        false => Ok(()),
    });
    for value in 0..20 {
        for group in ["a", "b", "c", "d"] {
            trial.log.push(record(group, 1, f64::from(value)));
        }
    }

    trial.run(HOUR).await;

    let stored: BTreeMap<_, _> = trial.remote.stored();
    assert_eq!(stored.len(), 3);
    assert!(stored.values().all(|values| values.len() == 20));
    assert_eq!(trial.balanced().pending_samples, 20);
}

#[tokio::test(start_paused = true)]
async fn a_fence_waits_for_all_lanes_and_all_lanes_wait_for_it() {
    let trial = Trial::with(
        |request| match (request.samples[0].0.contains("\"a\""), request.attempt) {
            (true, 0..3) => Err(unavailable(None)),
            _ => Ok(()),
        },
    );
    trial.log.push(record("a", 1, 1.0));
    let mut fence = record("b", 1, 2.0);
    fence.fence = true;
    trial.log.push(fence);
    trial.log.push(record("c", 1, 3.0));

    trial.run(HOUR).await;

    let accepted = trial
        .remote
        .requests()
        .into_iter()
        .filter(|request| request.accepted);
    let values: Vec<f64> = accepted.map(|request| request.samples[0].1).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_the_middle_delivers_what_was_not_acknowledged() {
    let trial = Trial::with(
        |request| match request.after < 60 * SECOND && request.samples[0].1 > 2.0 {
            true => Err(unavailable(None)),
            false => Ok(()),
        },
    );
    for value in [1.0, 2.0, 3.0, 4.0] {
        trial.log.push(record("a", 2000, value));
    }

    trial.run(30 * SECOND).await;
    let first = trial.log.acknowledged();
    trial.balanced();
    trial.run(HOUR).await;

    assert_eq!(first, [0, 1]);
    assert_eq!(trial.log.acknowledged(), [0, 1, 2, 3]);
    assert!(
        trial
            .remote
            .stored()
            .values()
            .all(|values| *values == [1.0, 2.0, 3.0, 4.0])
    );
    assert_eq!(trial.balanced().sent_samples, 8000);
}

/// Shutdown of Prometheus' queue manager.
#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_request_under_way_end() {
    let trial = Trial::new().slow(2 * SECOND);
    trial.log.push(record("a", 1, 1.0));

    trial.run(SECOND).await;

    assert_eq!(trial.log.acknowledged(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_outlasts_the_grace_is_given_up_and_not_acknowledged() {
    let trial = Trial::new().slow(60 * SECOND);
    trial.log.push(record("a", 1, 1.0));

    trial.run(SECOND).await;

    assert!(trial.log.acknowledged().is_empty());
    assert!(trial.remote.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_without_samples_is_acknowledged_without_a_request() {
    let trial = Trial::new();
    trial.log.push(record("a", 0, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.log.acknowledged(), [0]);
    assert!(trial.remote.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_record_is_counted_and_does_not_hold_up_the_next() {
    let trial = Trial::new();
    let mut broken = record("a", 5, 1.0);
    broken.payload = broken.payload.slice(..10);
    trial.log.push(broken);
    trial.log.push(record("a", 1, 2.0));

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.dropped_samples), (1, 5));
    assert_eq!(trial.books.counts().dropped["unreadable"], 5);
}

#[tokio::test(start_paused = true)]
async fn what_the_queue_let_go_of_is_counted_by_reason() {
    let trial = Trial::new();
    trial.log.gap(DropReason::TooOld, 7);

    trial.run(HOUR).await;

    assert_eq!(trial.books.counts().dropped["too_old"], 7);
}

/// QueueFilledDeadlock of Prometheus' queue manager.
#[tokio::test(start_paused = true)]
async fn a_backlog_larger_than_memory_may_hold_arrives() {
    let mut trial = Trial::new();
    trial.config.lanes = 1;
    let mut bulky = record("a", 1, 1.0);
    let mut payload = bulky.payload.to_vec();
    payload.resize(30 << 20, 0);
    bulky.payload = payload.into();
    bulky.key = 0;
    for _ in 0..5 {
        trial.log.push(bulky.clone());
    }

    trial.run(HOUR).await;

    assert_eq!(trial.log.acknowledged().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_age_of_what_is_under_way_is_told_until_it_has_arrived() {
    let trial = Trial::with(|request| match request.after < 60 * SECOND {
        true => Err(unavailable(None)),
        false => Ok(()),
    });
    trial.log.push(record("a", 1, 1.0));

    trial.run(SECOND).await;
    trial.clock.advance(90 * SECOND);
    let waiting = trial.books.status().oldest_pending;
    trial.run(HOUR).await;

    assert_eq!(waiting, 90 * SECOND);
    assert_eq!(trial.books.status().oldest_pending, Duration::ZERO);
}
