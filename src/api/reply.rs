//! The only place that picks a status.

use std::borrow::Cow;

use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use super::accept::Packing;
use super::auth::Denied;
use super::body::BodyError;
use super::detour::Moved;
use super::format::FormatError;
use super::group_path::GroupPathError;
use super::outgoing::{Outgoing, Stream};
use super::question::QuestionError;
use super::write::{Accepted, NotTaken, Unsupported};
use crate::codec::remote_write::{Counts, Message};
use crate::intake::Refusal;
use crate::registry::Refused;

const JSON: &str = "application/json";

/// How much of a request of version 2.0 was written (PRW R2-05).
const SAMPLES_WRITTEN: http::HeaderName =
    http::HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: http::HeaderName =
    http::HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: http::HeaderName =
    http::HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// Seconds after which a sender may try again when nothing better is known.
const RETRY_SECONDS: u64 = 5;

/// An answer: a status, what it says, and sometimes one header more.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    says: Says,
    content_type: Cow<'static, str>,
    header: Option<(http::HeaderName, String)>,
}

/// What an answer says.
#[derive(Debug)]
enum Says {
    /// A sentence or page; it ends in a line feed.
    Text(String),
    /// To the byte what Pushgateway says.
    Exactly(String),
    /// What is being written.
    Written(Stream),
    /// A sentence, and how much of a remote-write request was written.
    Counted(Box<(String, Counts)>),
}

impl Reply {
    /// A push was taken; `status` is what the operator chose for that, 200 or 202.
    pub(super) fn pushed(status: u16) -> Self {
        Self::new(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), "")
    }

    /// A DELETE was taken, whether or not there was such a group, or a wipe.
    pub(super) fn deleted() -> Self {
        Self::new(StatusCode::ACCEPTED, "")
    }

    /// A page of text.
    pub(super) fn page(text: String, content_type: &'static str) -> Self {
        Self {
            content_type: content_type.into(),
            ..Self::new(StatusCode::OK, text)
        }
    }

    /// What the JSON API was asked for.
    pub(super) fn json(text: String) -> Self {
        Self {
            content_type: JSON.into(),
            says: Says::Exactly(text),
            ..Self::new(StatusCode::OK, "")
        }
    }

    /// What is written while it is sent.
    pub(super) fn stream(stream: Stream, content_type: String, packing: Packing) -> Self {
        let gzip = (CONTENT_ENCODING, "gzip".to_owned());
        Self {
            says: Says::Written(stream),
            content_type: content_type.into(),
            header: (packing == Packing::Gzip).then_some(gzip),
            ..Self::new(StatusCode::OK, "")
        }
    }

    /// What the JSON API was asked for, written while it is sent.
    pub(super) fn json_stream(stream: Stream) -> Self {
        Self::stream(stream, JSON.to_owned(), Packing::Plain)
    }

    /// The JSON API was asked for something that it does not understand.
    pub(super) fn bad_question(error: &QuestionError) -> Self {
        let why = serde_json::Value::from(error.to_string());
        let said = format!(r#"{{"status":"error","errorType":"bad_data","error":{why}}}"#);
        Self {
            content_type: JSON.into(),
            says: Says::Exactly(said),
            ..Self::new(StatusCode::BAD_REQUEST, "")
        }
    }

    /// As many are shown what was pushed as can be at once.
    pub(super) fn too_many_scrapes(limit: usize) -> Self {
        Self {
            header: Some((RETRY_AFTER, RETRY_SECONDS.to_string())),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!(
                    "{limit} scrapes are under way, the most there may be, and none of them ended in time: ask again"
                ),
            )
        }
    }

    /// The program will end.
    pub(super) fn goodbye() -> Self {
        Self {
            says: Says::Exactly("Requesting termination... Goodbye!".to_owned()),
            ..Self::new(StatusCode::OK, "")
        }
    }

    /// Everything could be wiped here, if `pushgateway.admin_api` allowed it.
    pub(super) fn no_admin_api() -> Self {
        let text = "the admin API is off: pushgateway.admin_api switches the wipe on";
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// The program could be ended from here, if `pushgateway.lifecycle` allowed it.
    pub(super) fn no_lifecycle() -> Self {
        Self {
            says: Says::Exactly("Lifecycle API is not enabled.".to_owned()),
            ..Self::new(StatusCode::FORBIDDEN, "")
        }
    }

    /// The program is not ended by looking.
    pub(super) fn quit_by_get() -> Self {
        Self {
            header: Some((ALLOW, "PUT, POST".to_owned())),
            says: Says::Exactly("Only POST or PUT requests allowed.".to_owned()),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "")
        }
    }

    /// Nothing to say but yes.
    pub(super) fn fine(text: &str) -> Self {
        Self::new(StatusCode::OK, text)
    }

    /// We cannot do our work now.
    pub(super) fn not_ready(why: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}"))
    }

    /// Something on our side went wrong.
    pub(super) fn failed(why: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, why)
    }

    pub(super) fn unknown(path: &str) -> Self {
        let text = format!("nothing is at {path:?}: pushes go to /metrics/job/<job>{{/<label>/<value>}}");
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        let reply = Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {allowed} here"));
        Self {
            header: Some((ALLOW, allowed.to_owned())),
            ..reply
        }
    }

    /// An OPTIONS request.
    pub(super) fn options(allowed: &'static str) -> Self {
        Self {
            header: Some((ALLOW, allowed.to_owned())),
            ..Self::new(StatusCode::OK, "")
        }
    }

    pub(super) fn elsewhere(to: String, moved: Moved) -> Self {
        let status = match moved {
            Moved::ForGood => StatusCode::MOVED_PERMANENTLY,
            Moved::ForNow => StatusCode::TEMPORARY_REDIRECT,
        };
        Self {
            header: Some((LOCATION, to)),
            ..Self::new(status, "")
        }
    }

    pub(super) fn bad_escape(path: &str) -> Self {
        let text = format!(
            "invalid URL escape in the path {path:?}: behind each % stand two hexadecimal digits, and a % itself is %25"
        );
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(super) fn bad_path(error: &GroupPathError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }

    pub(super) fn bad_request_line(sentence: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// Whoever asks does not come in.
    pub(super) fn denied(denied: &Denied) -> Self {
        match denied {
            Denied::Stranger => Self {
                header: Some((WWW_AUTHENTICATE, "Basic".to_owned())),
                ..Self::new(
                    StatusCode::UNAUTHORIZED,
                    "this door wants user and password by basic authentication, and there were none or wrong ones",
                )
            },
            Denied::Forbidden { user, right } => Self::new(
                StatusCode::FORBIDDEN,
                format!(
                    "user {user:?} has not the right to {} (http.rights)",
                    right.as_str()
                ),
            ),
        }
    }

    /// Somebody speaks plain HTTP where TLS is spoken.
    pub(super) fn plain_http() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "this door speaks HTTPS, and the request came in plain HTTP: write https:// in the address",
        )
    }

    pub(super) fn bad_format(error: &FormatError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }

    pub(super) fn bad_body(error: &BodyError) -> Self {
        let status = match error {
            BodyError::TooLong { .. } | BodyError::Bomb { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::UnknownEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Crowded { .. } => StatusCode::SERVICE_UNAVAILABLE,
            BodyError::Late => StatusCode::REQUEST_TIMEOUT,
            BodyError::NotPacked { .. } | BodyError::Cut(_) => StatusCode::BAD_REQUEST,
            BodyError::Stopped(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let retry = matches!(error, BodyError::Crowded { .. });
        Self {
            header: retry.then(|| (RETRY_AFTER, RETRY_SECONDS.to_string())),
            ..Self::new(status, error.to_string())
        }
    }

    /// The way in did not take it.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        let (status, retry) = match refusal {
            Refusal::Inconsistent { .. }
            | Refusal::Limit(Refused::Clash(_) | Refused::TooManySeries { .. }) => {
                (StatusCode::BAD_REQUEST, None)
            }
            Refusal::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, None),
            Refusal::Limit(Refused::TooManyGroups { .. }) => {
                (StatusCode::TOO_MANY_REQUESTS, Some(RETRY_SECONDS))
            }
            Refusal::Full { retry_after, .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some(retry_after.as_secs().max(1)),
            ),
            Refusal::NotDurable(_) | Refusal::NotReady(_) | Refusal::Limit(Refused::Damaged(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(RETRY_SECONDS))
            }
        };
        let header = retry.map(|seconds| (RETRY_AFTER, seconds.to_string()));
        Self {
            header,
            ..Self::new(status, refusal.to_string())
        }
    }

    /// What became of a remote-write request. Version 2.0 is told how much was written, whatever became of it (PRW R2-05).
    pub(super) fn written(outcome: &Result<Accepted, NotTaken>, message: Message) -> Self {
        let (reply, taken) = match outcome {
            Ok(accepted) => {
                let reply = match accepted.complaint() {
                    None => Self::new(StatusCode::NO_CONTENT, ""),
                    Some(complaint) => Self::new(StatusCode::BAD_REQUEST, complaint),
                };
                (reply, accepted.taken)
            }
            Err(error) => (Self::not_taken(error), Counts::default()),
        };
        match (message, reply.says) {
            (Message::V2, Says::Text(text)) => Self {
                says: Says::Counted(Box::new((text, taken))),
                ..reply
            },
            (_, says) => Self { says, ..reply },
        }
    }

    /// Nothing of a remote-write request is taken. A failed disk is answered 500, as Prometheus does (PRW R1-03).
    fn not_taken(error: &NotTaken) -> Self {
        let status = match error {
            NotTaken::Body(error) => return Self::bad_body(error),
            NotTaken::Refused(Refusal::NotDurable(_)) | NotTaken::Stopped(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            NotTaken::Refused(refusal) => return Self::refused(refusal),
            NotTaken::TooMany(_) => StatusCode::PAYLOAD_TOO_LARGE,
            NotTaken::Empty | NotTaken::Framed | NotTaken::NotSnappy(_) | NotTaken::Unreadable { .. } => {
                StatusCode::BAD_REQUEST
            }
        };
        Self::new(status, error.to_string())
    }

    /// The headers of a remote-write request say that its body is none that can be read here (PRW R2-02).
    pub(super) fn unsupported(error: &Unsupported) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
    }

    /// Remote-write would be taken here, if `remote_write_receiver.enabled` allowed it.
    pub(super) fn no_receiver() -> Self {
        let text = "remote-write is not taken here: remote_write_receiver.enabled switches it on";
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// Whether it says that there is nothing behind the door, or nothing for this client.
    pub(super) const fn turns_away(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
        )
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence of an answer that says no.
    pub(super) fn refusal(&self) -> Option<&str> {
        let is_no = self.status.is_client_error() || self.status.is_server_error();
        is_no.then(|| self.says.text())
    }

    pub(super) fn into_response(self) -> Response<Outgoing> {
        let (answer, written) = match self.says {
            Says::Written(written) => (Outgoing::Stream(written), None),
            Says::Exactly(text) => (Outgoing::from(text), None),
            Says::Text(text) => (Outgoing::from(line(text)), None),
            Says::Counted(said) => (Outgoing::from(line(said.0)), Some(said.1)),
        };
        let mut response = Response::new(answer);
        *response.status_mut() = self.status;
        if let Ok(content_type) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        for (name, count) in written.iter().flat_map(written_headers) {
            response.headers_mut().insert(name, HeaderValue::from(count));
        }
        response
    }

    /// The answer as bytes, for a connection that the HTTP library never saw; it closes after it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let (code, text) = (self.status.as_u16(), self.says.text());
        format!(
            "HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
            text.len() + 1
        )
        .into_bytes()
    }

    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            says: Says::Text(text.into()),
            content_type: "text/plain; charset=utf-8".into(),
            header: None,
        }
    }
}

/// Text that ends in a line feed, unless there is none.
fn line(text: String) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text
    } else {
        text + "\n"
    }
}

/// What version 2.0 is told, by header.
fn written_headers(written: &Counts) -> [(http::HeaderName, u64); 3] {
    [
        (SAMPLES_WRITTEN, written.samples),
        (HISTOGRAMS_WRITTEN, written.histograms),
        (EXEMPLARS_WRITTEN, written.exemplars),
    ]
}

impl Says {
    /// What it says, as far as that is known by now.
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Exactly(text) => text,
            Self::Counted(said) => &said.0,
            Self::Written(_) => "",
        }
    }
}

#[cfg(test)]
mod tests;
