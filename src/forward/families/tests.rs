//! MetadataDelivery of Prometheus' queue manager, and what it leaves open.

use std::time::Duration;

use super::RECENT;
use crate::codec::remote_write::Message;
use crate::forward::tests::double::{Trial, record, refused, unavailable};
use crate::model::{Metadata, MetricType, UnixMillis};

const MINUTE: Duration = Duration::from_secs(60);

fn learn(trial: &Trial, family: &str, at: UnixMillis) {
    let said = Metadata {
        family: family.into(),
        kind: MetricType::Gauge,
        help: "What it means.".into(),
        unit: "".into(),
    };
    trial.catalogue.learn(&said, at);
}

fn trial(families: &[&str]) -> Trial {
    let trial = Trial::new();
    for family in families {
        learn(&trial, family, UnixMillis::new(0));
    }
    trial
}

/// MetadataDelivery: every interval, in batches.
#[tokio::test(start_paused = true)]
async fn families_are_told_every_interval_in_requests_of_so_many() {
    let mut trial = trial(&["a", "b", "c"]);
    trial.metadata.max_samples_per_send = 2;

    trial.run(2 * MINUTE + Duration::from_secs(1)).await;

    let told = trial.remote.told();
    let (first, second) = (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]);
    let expected = [
        (MINUTE, first.clone()),
        (MINUTE, second.clone()),
        (2 * MINUTE, first),
        (2 * MINUTE, second),
    ];
    assert_eq!(told, expected);
    assert_eq!(trial.books.counts().announced, 6);
}

#[tokio::test(start_paused = true)]
async fn families_that_nobody_mentioned_for_long_are_not_told() {
    let trial = trial(&["old"]);
    trial.clock.advance(RECENT + Duration::from_millis(1));
    learn(&trial, "new", UnixMillis::new(1));

    trial.run(MINUTE + Duration::from_secs(1)).await;

    assert_eq!(trial.remote.told(), [(MINUTE, vec!["new".to_owned()])]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_where_that_is_not_wanted_or_nothing_is_known() {
    let mut unwanted = trial(&["a"]);
    unwanted.metadata.send = false;
    let unknowing = trial(&[]);
    let mut of_version_2 = trial(&["a"]);
    of_version_2.message = Message::V2;

    for trial in [unwanted, unknowing, of_version_2] {
        trial.run(3 * MINUTE).await;

        assert!(trial.remote.told().is_empty());
    }
}

/// S2-18: who fell back to 1.0 gets metadata as 1.0 has it.
#[tokio::test(start_paused = true)]
async fn a_remote_that_fell_back_to_version_1_is_told() {
    let mut trial = Trial::with(|request| match request.message {
        Message::V2 => Err(crate::forward::transport::SendError::OtherVersion {
            status: 415,
            words: String::new(),
        }),
        Message::V1 => Ok(()),
    });
    trial.message = Message::V2;
    learn(&trial, "a", UnixMillis::new(0));
    trial.log.push(record("a", 1, 1.0));

    trial.run(MINUTE + Duration::from_secs(1)).await;

    assert_eq!(trial.remote.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_remote_that_refuses_metadata_gets_samples_all_the_same() {
    let mut trial = trial(&["a"]);
    trial.remote.refuses_metadata = Some(refused(400, "no metadata"));
    trial.log.push(record("a", 5, 1.0));

    trial.run(2 * MINUTE + Duration::from_secs(1)).await;

    let counts = trial.books.counts();
    assert_eq!(trial.remote.told().len(), 2);
    assert_eq!((counts.announced, counts.not_announced), (0, 2));
    assert_eq!(trial.balanced().sent_samples, 5);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_until_it_is_time_for_the_next() {
    let mut trial = trial(&["a"]);
    trial.remote.refuses_metadata = Some(unavailable(Some(Duration::from_secs(25))));
    trial.log.push(record("a", 5, 1.0));

    trial.run(2 * MINUTE + Duration::from_secs(1)).await;

    let after: Vec<u64> = trial
        .remote
        .told()
        .iter()
        .map(|(after, _)| after.as_secs())
        .collect();
    assert_eq!(after, [60, 85, 110, 120]);
    assert_eq!(trial.books.counts().not_announced, 1);
    assert_eq!(trial.balanced().sent_samples, 5);
}
