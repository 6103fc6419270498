//! A bad series takes no neighbour along.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::forward::books::Extent;
use crate::forward::profile::{Limits, Refusal};
use crate::forward::tests::double::{Trial, record, refused, series};
use crate::forward::transport::SendError;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Section 3.7, 5.
#[tokio::test(start_paused = true)]
async fn one_poisonous_series_takes_no_neighbour_along() {
    let poison = series("a", 1234).to_string();
    let name = poison.clone();
    let trial = Trial::with(
        move |request| match request.samples.iter().any(|(series, _)| *series == name) {
            true => Err(refused(400, "label value too long")),
            false => Ok(()),
        },
    );
    trial.log.push(record("a", 2000, 1.0));

    trial.run(HOUR).await;

    let stored = trial.remote.stored();
    assert_eq!(stored.len(), 1999);
    assert!(stored.values().all(|values| *values == [1.0]));
    assert!(
        trial.remote.sizes().len() <= 2 * 11 + 1,
        "{:?}",
        trial.remote.sizes()
    );
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (1999, 1));
    let rejection = &status.rejections[0];
    assert_eq!(
        (rejection.series.as_str(), rejection.samples),
        (poison.as_str(), 1)
    );
    assert_eq!(
        (rejection.status, rejection.words.as_str()),
        (400, "label value too long")
    );
}

#[tokio::test(start_paused = true)]
async fn thirty_scattered_offenders_are_all_found() {
    let trial = Trial::with(|request| {
        let bad = |(series, _): &(String, f64)| series.ends_with("77\"}") || series.ends_with("13\"}");
        match request.samples.iter().any(bad) {
            true => Err(refused(400, "bad")),
            false => Ok(()),
        }
    });
    trial.log.push(record("a", 1500, 1.0));

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (1470, 30));
    assert_eq!(status.rejections.len(), 30);
}

/// Section 3.7, 6.
#[tokio::test(start_paused = true)]
async fn a_request_too_large_is_halved_until_it_fits() {
    let trial = Trial::with(|request| match request.samples.len() > 300 {
        true => Err(refused(413, "too large")),
        false => Ok(()),
    });
    trial.log.push(record("a", 2000, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.stored().len(), 2000);
    assert_eq!(trial.balanced().sent_samples, 2000);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_anew_after_a_crash_costs_few_requests_and_no_newer_record() {
    let trial = Trial::with(
        |request| match request.samples.iter().any(|(_, value)| *value < 9.0) {
            true => Err(refused(400, "out of order sample")),
            false => Ok(()),
        },
    );
    trial.log.push(record("a", 1000, 1.0));
    trial.log.push(record("a", 900, 2.0));
    trial.log.push(record("a", 100, 9.0));

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (100, 1900));
    assert!(trial.remote.sizes().len() < 400, "{}", trial.remote.sizes().len());
}

/// PRW S1-19.
#[tokio::test(start_paused = true)]
async fn what_can_never_pass_is_rejected_whole_and_once() {
    let trial = Trial::with(|_| {
        Err(SendError::Reject {
            status: 401,
            words: "who are you".to_owned(),
        })
    });
    trial.log.push(record("a", 5, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [5]);
    let status = trial.balanced();
    assert_eq!((status.rejected_samples, status.rejections.len()), (5, 1));
    assert_eq!(status.rejections[0].samples, 5);
    assert_eq!(trial.log.acknowledged(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_split_that_is_stopped_halfway_acknowledges_nothing() {
    let poison = series("a", 3).to_string();
    let trial =
        Trial::with(
            move |request| match request.samples.iter().any(|(series, _)| *series == poison) {
                true => Err(refused(400, "bad")),
                false => Ok(()),
            },
        );
    let trial = trial.slow(SECOND);
    trial.log.push(record("a", 4, 1.0));

    trial.run(SECOND + SECOND / 2).await;

    assert_eq!(trial.remote.sizes(), [4, 2]);
    assert!(trial.log.acknowledged().is_empty());
    assert_eq!(trial.balanced().pending_samples, 4);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_is_refused_altogether_is_not_searched_for_ever() {
    let trial = Trial::with(|_| Err(refused(400, "out of bounds")));
    for value in 0..50 {
        trial.log.push(record("a", 2000, f64::from(value)));
    }

    trial.run(HOUR).await;

    assert_eq!(trial.balanced().rejected_samples, 100_000);
    assert!(
        trial.remote.sizes().len() < 400 + 49 * (1 + 8),
        "{}",
        trial.remote.sizes().len()
    );
}

/// A remote that refuses each request whole that has one of `bad`.
fn picky(bad: &BTreeSet<String>) -> Trial {
    let bad = bad.clone();
    Trial::with(
        move |request| match request.samples.iter().any(|(series, _)| bad.contains(series)) {
            true => Err(refused(400, "bad")),
            false => Ok(()),
        },
    )
}

#[tokio::test(start_paused = true)]
async fn each_offender_has_an_entry_of_its_own_also_over_records_and_lanes() {
    let bad: BTreeSet<String> = [("a", 3), ("a", 4), ("b", 0), ("c", 99), ("d", 50)]
        .map(|(group, number)| series(group, number).to_string())
        .into();
    let trial = picky(&bad);
    for group in ["a", "b", "c", "d", "e"] {
        trial.log.push(record(group, 100, 1.0));
        trial.log.push(record(group, 100, 2.0));
    }

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (990, 10));
    assert!(
        status
            .rejections
            .iter()
            .all(|entry| entry.extent == Extent::Alone && entry.samples == 1)
    );
    let named: BTreeSet<String> = status.rejections.into_iter().map(|entry| entry.series).collect();
    assert_eq!(named, bad);
    assert!(trial.remote.stored().values().all(|values| *values == [1.0, 2.0]));
    assert_eq!(trial.books.counts().rejected[&400], 10);
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_the_middle_of_a_search_loses_no_neighbour() {
    let bad: BTreeSet<String> = [7, 8, 350].map(|number| series("a", number).to_string()).into();
    let trial = picky(&bad).slow(SECOND);
    for value in [1.0, 2.0, 3.0] {
        trial.log.push(record("a", 400, value));
    }

    for _ in 0..4 {
        trial.run(11 * SECOND).await;
    }
    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (1191, 9));
    let stored = trial.remote.stored();
    assert_eq!(stored.len(), 397);
    assert!(stored.values().all(|values| values.last() == Some(&3.0)));
    assert!(
        stored
            .values()
            .all(|values| [1.0, 2.0, 3.0].iter().all(|value| values.contains(value)))
    );
}

/// Section 3.7, 5.
#[tokio::test(start_paused = true)]
async fn a_remote_that_stores_the_rest_is_sent_nothing_twice() {
    let mut trial = Trial::with(|_| Err(refused(400, "series 17 is bad")));
    trial.limits = Limits {
        refusal: Refusal::Partial,
        ..Limits::none()
    };
    trial.log.push(record("a", 100, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.remote.sizes(), [100]);
    let status = trial.balanced();
    assert_eq!((status.rejected_samples, status.rejections.len()), (100, 1));
    assert_eq!(
        (status.rejections[0].extent, status.rejections[0].words.as_str()),
        (Extent::Partial, "series 17 is bad")
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_too_large_is_halved_also_for_a_remote_that_stores_the_rest() {
    let mut trial = Trial::with(|request| match request.samples.len() > 60 {
        true => Err(refused(413, "too large")),
        false => Ok(()),
    });
    trial.limits.refusal = Refusal::Partial;
    trial.log.push(record("a", 100, 1.0));

    trial.run(HOUR).await;

    assert_eq!(trial.balanced().sent_samples, 100);
}

#[tokio::test(start_paused = true)]
async fn what_is_good_in_a_group_of_which_nothing_was_accepted_is_found_by_probes() {
    let trial = Trial::with(|request| {
        let bad = |(series, value): &(String, f64)| *value < 2.0 || series.contains("\"00");
        match request.samples.iter().any(bad) {
            true => Err(refused(400, "bad")),
            false => Ok(()),
        }
    });
    trial.log.push(record("a", 50, 1.0));
    trial.log.push(record("a", 1000, 2.0));

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (900, 50 + 100));
    assert!(trial.remote.stored().values().all(|values| *values == [2.0]));
    assert!(
        status
            .rejections
            .iter()
            .all(|entry| entry.extent == Extent::Alone)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_rejected_without_having_been_tried_is_said_to_be_so() {
    let trial = Trial::with(|_| Err(refused(400, "no")));
    trial.log.push(record("a", 10, 1.0));
    trial.log.push(record("a", 1000, 2.0));

    trial.run(HOUR).await;

    let status = trial.balanced();
    assert_eq!(status.rejected_samples, 1010);
    let (together, alone): (Vec<_>, Vec<_>) = status
        .rejections
        .iter()
        .partition(|entry| entry.extent == Extent::Unsearched);
    assert_eq!((alone.len(), together.len()), (10 + 8, 1));
    assert_eq!(together[0].samples, 992);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// PRW S1-17. Any hundred offenders among 2,000, whichever records they are in: all others arrive, once and in order, and the
    /// search costs no more than a binary search for each.
    #[test]
    fn all_but_the_offenders_arrive(
        numbers in prop_oneof![
            proptest::collection::btree_set(0..1000_u32, 0..100),
            (0..900_u32, 1..100_u32).prop_map(|(from, count)| (from..from + count).collect()),
        ],
        groups in proptest::sample::select(vec![vec!["a", "b"], vec!["a", "a"], vec!["a", "e"]]),
    ) {
        let bad: BTreeSet<String> = groups
            .iter()
            .flat_map(|group| numbers.iter().map(|number| series(group, *number).to_string()))
            .collect();
        let mut trial = picky(&bad);
        trial.config.batch_send_deadline = SECOND;
        let offenders = u32::try_from(2 * numbers.len()).unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for (group, value) in groups.iter().zip([1.0, 2.0]) {
                trial.log.push(record(group, 1000, value));
            }
            trial.run(HOUR).await;
        });

        let status = trial.balanced();
        prop_assert_eq!(status.sent_samples, u64::from(2000 - offenders));
        prop_assert_eq!(status.rejected_samples, u64::from(offenders));
        let stored = trial.remote.stored();
        prop_assert!(stored.keys().all(|series| !bad.contains(series)));
        let expected: &[f64] = if groups[0] == groups[1] { &[1.0, 2.0] } else { &[] };
        prop_assert!(stored.values().all(|values| values.len() == 1 || *values == expected));
        let requests = u32::try_from(trial.remote.requests().len()).unwrap();
        prop_assert!(requests <= 2 * 10 * offenders + 3, "{} requests for {}", requests, offenders);
    }
}
