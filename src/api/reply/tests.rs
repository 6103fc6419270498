use std::time::Duration;

use super::*;
use crate::codec::DecodeError;
use crate::queue::QueueError;

/// What a sender of both versions is answered: status, whether to come again, and what was written.
#[track_caller]
fn check(error: NotTaken, status: u16, is_again: bool) {
    let error = Err(error);
    for message in [Message::V1, Message::V2] {
        let response = Reply::written(&error, message).into_response();
        let headers = response.headers();
        assert_eq!(response.status().as_u16(), status, "{error:?}");
        assert_eq!(headers.contains_key(RETRY_AFTER), is_again, "{error:?}");
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
        false,
    );
    check(NotTaken::Refused(Refusal::NotReady("closing")), 503, true);
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
        true,
    );
    check(NotTaken::Body(BodyError::Crowded { limit: 1 }), 503, true);
    check(NotTaken::Body(BodyError::Late), 408, false);
    check(NotTaken::Empty, 400, false);
    check(NotTaken::Framed, 400, false);
    let problem = DecodeError::TooMany {
        what: "samples",
        limit: 1,
    };
    check(NotTaken::TooMany(problem.clone()), 413, false);
    let message = Message::V1;
    check(NotTaken::Unreadable { message, problem }, 400, false);
}
