use std::time::Duration;

use super::*;
use crate::codec::DecodeError;
use crate::queue::QueueError;

/// What a sender of both versions is answered: status, whether to come again, and what was written.
#[track_caller]
fn check(error: NotTaken, status: u16, retry_after: Option<&str>) {
    let error = Err(error);
    for message in [Message::V1, Message::V2] {
        let response = Reply::written(&error, message).into_response();
        let headers = response.headers();
        assert_eq!(response.status().as_u16(), status, "{error:?}");
        let again = headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok());
        assert_eq!(again, retry_after, "{error:?}");
        for name in [SAMPLES_WRITTEN, HISTOGRAMS_WRITTEN, EXEMPLARS_WRITTEN] {
            let written = headers.get(name).map(HeaderValue::as_bytes);
            assert_eq!(
                written,
                (message == Message::V2).then_some(&b"0"[..]),
                "{error:?}"
            );
        }
    }
}

/// PRW R1-03, R1-04, R2-05, R2-08; Prometheus, `CommitErr_V1Message` and `CommitErr_V2Message`.
#[test]
fn a_remote_write_request_of_which_nothing_is_taken_is_told_that_nothing_was_written() {
    check(
        NotTaken::Refused(Refusal::NotDurable(QueueError::Closed)),
        500,
        None,
    );
    check(NotTaken::Refused(Refusal::NotReady("closing")), 503, Some("5"));
    let full = QueueError::Full {
        held_bytes: 1,
        max_bytes: 1,
        retry_after: Duration::from_secs(3),
    };
    check(
        NotTaken::Refused(Refusal::Full {
            retry_after: Duration::from_secs(3),
            why: full,
        }),
        503,
        Some("3"),
    );
    check(NotTaken::Body(BodyError::Crowded { limit: 1 }), 503, Some("5"));
    check(NotTaken::Body(BodyError::Late), 408, None);
    check(NotTaken::Empty, 400, None);
    check(NotTaken::Framed, 400, None);
    let problem = DecodeError::TooMany {
        what: "samples",
        limit: 1,
    };
    check(NotTaken::TooMany(problem.clone()), 413, None);
    let message = Message::V1;
    check(NotTaken::Unreadable { message, problem }, 400, None);
}
