//! Headers of version 2.0, and what answers to it mean.

use crate::codec::remote_write::Counts;
use crate::codec::remote_write::Message;
use crate::forward::letter::Letter;
use crate::forward::tests::loopback::{Answer, Server};
use crate::forward::transport::{Accepted, SendError, Transport};

use super::{config, http};

fn letter() -> Letter {
    let mut letter = Letter::plain("body");
    letter.message = Message::V2;
    letter
}

fn with_written(answer: Answer, samples: &str) -> Answer {
    answer
        .with("x-prometheus-remote-write-samples-written", samples)
        .with("x-prometheus-remote-write-histograms-written", "2")
}

async fn answered(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Result<Accepted, SendError> {
    let server = Server::start(move |_| answer()).await;
    Transport::send(&http(&config(&server)), &letter(), 0).await
}

/// PRW S2-01, S2-02, S2-03, S2-04, S2-05.
#[tokio::test]
async fn a_request_of_version_2_says_so() {
    let server = Server::start(|_| with_written(Answer::status(204), "5")).await;

    let sent = Transport::send(&http(&config(&server)), &letter(), 0).await;

    let written = Some(Counts {
        samples: 5,
        histograms: 2,
        exemplars: 0,
    });
    assert_eq!(sent, Ok(Accepted { status: 204, written }));
    let request = server.requests().remove(0);
    assert_eq!(
        request.header("content-type"),
        "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    );
    assert_eq!(request.header("content-encoding"), "snappy");
    assert_eq!(request.header("x-prometheus-remote-write-version"), "2.0.0");
    let agent = request.header("user-agent");
    assert!(
        agent
            .split_once('/')
            .is_some_and(|(name, version)| !name.is_empty() && !version.is_empty())
    );
}

/// PRW S2-19: who decodes it as 1.0 finds it empty, and says nothing of what was written.
#[tokio::test]
async fn success_without_a_word_of_what_was_written_is_a_version_not_understood() {
    for status in [200, 202, 204] {
        let sent = answered(move || Answer::status(status)).await;

        assert!(
            matches!(&sent, Err(SendError::OtherVersion { status: said, .. }) if *said == status),
            "{sent:?}"
        );
    }
}

/// PRW S2-18.
#[tokio::test]
async fn a_415_is_a_version_not_understood_and_a_400_may_be_one() {
    let unsupported = answered(|| Answer::status(415).saying("which?")).await;
    let bad = answered(|| Answer::status(400).saying("bad")).await;

    let words = |words: &str| words.to_owned();
    let (which, what) = (words("which?"), words("bad"));
    assert_eq!(
        unsupported,
        Err(SendError::OtherVersion {
            status: 415,
            words: which
        })
    );
    assert_eq!(
        bad,
        Err(SendError::Unclear {
            status: 400,
            words: what
        })
    );
}

/// PRW S2-20: written counts beside a refusal tell what is not to be sent again; a count that is missing or no number
/// is zero.
#[tokio::test]
async fn a_refusal_with_written_counts_is_a_partial_write() {
    for status in [400, 404, 413] {
        let partial =
            answered(move || with_written(Answer::status(status).saying("some"), "no number")).await;

        let expected = SendError::Partial {
            status,
            words: "some".to_owned(),
            written: Counts {
                histograms: 2,
                ..Counts::default()
            },
        };
        assert_eq!(partial, Err(expected));
    }
}

/// PRW S2-20: where nothing is written, the parts may pass.
#[tokio::test]
async fn a_refusal_that_has_written_nothing_may_pass_in_parts() {
    let name = "x-prometheus-remote-write-samples-written";

    let none = answered(move || Answer::status(400).with(name, "0").saying("none")).await;

    let words = "none".to_owned();
    assert_eq!(none, Err(SendError::Split { status: 400, words }));
}

/// PRW S2-17: what may pass is tried again, whatever it says of what was written.
#[tokio::test]
async fn failures_that_may_pass_are_the_same_in_both_versions() {
    for status in [429, 500, 503] {
        let sent = answered(move || with_written(Answer::status(status), "0")).await;

        assert!(matches!(sent, Err(SendError::Retry { .. })), "{sent:?}");
    }
}

/// PRW S2-20, S2-21: of version 1.0 nothing is concluded from these headers, nor from a version in a response.
#[tokio::test]
async fn answers_to_version_1_are_not_searched_for_what_was_written() {
    let version = "x-prometheus-remote-write-version";
    let server = Server::start(move |request| match request.path_number() {
        400 => with_written(Answer::status(400).saying("bad"), "5"),
        _ => with_written(Answer::status(204), "0").with(version, "2.0.0"),
    })
    .await;
    let mut refusing = config(&server);
    refusing.url = server.url("/400");
    let mut taking = config(&server);
    taking.url = server.url("/204");

    let refused = Transport::send(&http(&refusing), &Letter::plain("body"), 0).await;
    let taken = Transport::send(&http(&taking), &Letter::plain("body"), 0).await;

    let words = "bad".to_owned();
    assert_eq!(refused, Err(SendError::Split { status: 400, words }));
    let written = None;
    assert_eq!(taken, Ok(Accepted { status: 204, written }));
}
