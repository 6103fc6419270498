//! PRW S1-24, S2-18 to S2-21 and BasicContentNegotiation of Prometheus' queue manager, with a remote in memory.

use std::time::Duration;

use crate::codec::remote_write::Counts;
use crate::codec::remote_write::Message;
use crate::forward::tests::double::{Request, Trial, record, refused, unavailable};
use crate::forward::transport::SendError;

const SECOND: Duration = Duration::from_secs(1);

fn unsupported() -> SendError {
    SendError::OtherVersion {
        status: 415,
        words: "what is this?".to_owned(),
    }
}

fn unclear() -> SendError {
    SendError::Unclear {
        status: 400,
        words: "proto: illegal tag".to_owned(),
    }
}

fn partial(written: u64) -> SendError {
    SendError::Partial {
        status: 400,
        words: "out of order sample".to_owned(),
        written: Counts {
            samples: written,
            ..Counts::default()
        },
    }
}

fn trial(verdict: impl FnMut(&Request) -> Result<(), SendError> + Send + 'static) -> Trial {
    let mut trial = Trial::with(verdict);
    trial.message = Message::V2;
    trial
}

fn messages(trial: &Trial) -> Vec<Message> {
    let requests = trial.remote.requests();
    requests.iter().map(|request| request.message).collect()
}

use Message::{V1, V2};

/// BasicContentNegotiation: 2.0 to a receiver of 2.0, with a failure on the way.
#[tokio::test(start_paused = true)]
async fn a_receiver_of_version_2_gets_version_2() {
    let mut failures = 1;
    let trial = trial(move |_| match failures {
        0 => Ok(()),
        _ => {
            failures -= 1;
            Err(unavailable(None))
        }
    });
    trial.log.push(record("a", 3, 1.0));

    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V2, V2]);
    assert_eq!(trial.balanced().sent_samples, 3);
}

/// BasicContentNegotiation: 1.0 to a receiver of 1.0; PRW S1-24: it asks for nothing better.
#[tokio::test(start_paused = true)]
async fn a_remote_that_is_to_get_version_1_gets_nothing_else() {
    let trial = Trial::new();
    trial.log.push(record("a", 3, 1.0));

    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V1]);
    assert_eq!(trial.balanced().sent_samples, 3);
}

/// PRW S2-18, S2-19: 415, or success without a word of what was written.
#[tokio::test(start_paused = true)]
async fn a_remote_that_does_not_understand_version_2_gets_version_1_from_then_on() {
    let trial = trial(|request| match request.message {
        V2 => Err(unsupported()),
        V1 => Ok(()),
    });
    for value in [1.0, 2.0] {
        trial.log.push(record("a", 2, value));
    }
    trial.run(SECOND).await;

    trial.log.push(record("a", 2, 3.0));
    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V2, V1, V2, V1]);
    assert!(
        trial
            .remote
            .stored()
            .values()
            .all(|values| *values == [1.0, 2.0, 3.0])
    );
    assert_eq!(trial.balanced().sent_samples, 6);
}

/// PRW S2-18: what fell back is tried again after an hour.
#[tokio::test(start_paused = true)]
async fn a_remote_that_was_brought_up_to_date_gets_version_2_again() {
    let mut is_old = true;
    let trial = trial(move |request| match request.message {
        V2 if is_old => {
            is_old = false;
            Err(unsupported())
        }
        _ => Ok(()),
    });
    trial.log.push(record("a", 1, 1.0));
    let later = trial.log.clone();
    let pushes = async {
        for value in [2.0, 3.0] {
            tokio::time::sleep(Duration::from_secs(1900)).await;
            later.push(record("a", 1, value));
        }
    };

    tokio::join!(trial.run(Duration::from_secs(4000)), pushes);

    assert_eq!(messages(&trial), [V2, V1, V1, V2]);
    assert_eq!(trial.balanced().sent_samples, 3);
}

/// PRW S2-18: 400 for the same cause from a receiver of 1.x.
#[tokio::test(start_paused = true)]
async fn a_400_that_says_nothing_is_tried_in_version_1() {
    let trial = trial(|request| match request.message {
        V2 => Err(unclear()),
        V1 => Ok(()),
    });
    trial.log.push(record("a", 2, 1.0));
    let later = trial.log.clone();

    let pushes = async {
        tokio::time::sleep(SECOND).await;
        later.push(record("a", 2, 2.0));
    };
    tokio::join!(trial.run(2 * SECOND), pushes);

    assert_eq!(messages(&trial), [V2, V1, V1]);
    assert_eq!(trial.balanced().sent_samples, 4);
}

/// PRW S2-18: a 400 that is about the samples is none about the version.
#[tokio::test(start_paused = true)]
async fn a_400_in_both_versions_is_about_the_samples() {
    let trial = trial(|request| match (request.message, request.samples.len()) {
        (V2, 1) if request.samples[0].0.contains("0001") => Err(unclear()),
        (V2, 1) => Ok(()),
        (V2, _) => Err(unclear()),
        (V1, _) => Err(refused(400, "bad")),
    });
    trial.log.push(record("a", 2, 1.0));

    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V2, V1, V2, V2, V1]);
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (1, 1));
    assert_eq!(status.rejections[0].words, "proto: illegal tag");
}

/// Answers in turn to records of one sample, a second apart.
async fn in_turn(answers: Vec<(Message, Result<(), SendError>)>, records: u32) -> Trial {
    let mut answers = answers.into_iter();
    let trial = trial(move |request| {
        let (expected, answer) = answers.next().unwrap();
        assert_eq!(request.message, expected);
        answer
    });
    let log = trial.log.clone();
    let pushes = async {
        for number in 0..records {
            log.push(record("a", 1, f64::from(number)));
            tokio::time::sleep(SECOND).await;
        }
    };
    tokio::join!(trial.run(SECOND * records), pushes);
    trial
}

/// PRW S2-18: who has said what it has written may be replaced by something older, which loses nothing.
#[tokio::test(start_paused = true)]
async fn a_confirmed_receiver_that_is_replaced_by_one_of_version_1_gets_version_1() {
    let answers = vec![(V2, Ok(())), (V2, Err(unclear())), (V1, Ok(())), (V1, Ok(()))];

    let trial = in_turn(answers, 3).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (3, 0));
}

/// PRW S2-18: a confirmed receiver that refuses in both versions is asked once only, until it says again what it has
/// written.
#[tokio::test(start_paused = true)]
async fn bare_refusals_of_a_confirmed_receiver_are_not_all_asked_about() {
    let no = || Err(refused(400, "bad"));
    let answers = vec![
        (V2, Ok(())),
        (V2, Err(unclear())),
        (V1, no()),
        (V2, Err(unclear())),
        (V2, Ok(())),
        (V2, Err(unclear())),
        (V1, no()),
    ];

    let trial = in_turn(answers, 5).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (2, 3));
}

/// PRW S2-20: with 400 and written counts the rest is refused; nothing is sent again.
#[tokio::test(start_paused = true)]
async fn what_a_partial_write_has_written_is_sent_and_the_rest_is_rejected() {
    let trial = trial(|_| Err(partial(3)));
    trial.log.push(record("a", 5, 1.0));

    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V2]);
    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (3, 2));
    let rejection = &status.rejections[0];
    assert_eq!((rejection.samples, rejection.status), (2, 400));
    assert_eq!(rejection.words, "out of order sample");
}

/// PRW S2-20: a success may tell of less than was sent, and of more than there is.
#[tokio::test(start_paused = true)]
async fn what_a_success_does_not_count_as_written_is_rejected() {
    let mut trial = trial(|_| Ok(()));
    trial.remote.writes = |counts| Counts {
        samples: counts.samples - 1,
        histograms: 7,
        exemplars: 7,
    };
    trial.log.push(record("a", 5, 1.0));

    trial.run(SECOND).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (4, 1));
    assert_eq!(status.rejections[0].status, 204);
}

/// PRW S2-17: a failure that may pass is tried again in the same version.
#[tokio::test(start_paused = true)]
async fn a_retry_of_what_is_tried_in_version_1_stays_in_version_1() {
    let mut attempts = 0;
    let trial = trial(move |request| {
        attempts += 1;
        match (request.message, attempts) {
            (V2, _) => Err(unclear()),
            (V1, 2) => Err(unavailable(None)),
            (V1, _) => Ok(()),
        }
    });
    trial.log.push(record("a", 2, 1.0));

    trial.run(SECOND).await;

    assert_eq!(messages(&trial), [V2, V1, V1]);
    assert_eq!(trial.balanced().sent_samples, 2);
}

/// The version does not weaken what holds for 1.0: one bad series takes no other along.
#[tokio::test(start_paused = true)]
async fn one_series_that_is_refused_with_its_request_takes_no_other_along() {
    let trial = trial(|request| {
        let is_bad = |(series, _): &(String, f64)| series.contains("0037");
        match request.samples.iter().any(is_bad) {
            true => Err(refused(400, "bad")),
            false => Ok(()),
        }
    });
    trial.log.push(record("a", 100, 1.0));

    trial.run(SECOND).await;

    let status = trial.balanced();
    assert_eq!((status.sent_samples, status.rejected_samples), (99, 1));
    assert_eq!(trial.remote.stored().len(), 99);
    assert!(messages(&trial).iter().all(|message| *message == V2));
}
