//! The Pushgateway API: PUT, POST, DELETE `/metrics/job/<job>{/<label>/<value>}`.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request};
use hyper::body::Incoming as Body;
use tokio::time::Instant;

use super::group_path::{self, GroupPath};
use super::reply::Reply;
use super::{DoorConfig, Doors, body};
use crate::codec::text;
use crate::intake::{Incoming, Intake, Submission};
use crate::model::GroupKey;
use crate::registry::Mode;

/// Bodies longer than this are read on a thread of their own, so that they hold up nobody else: a millisecond's work.
const LONG_BODY_BYTES: usize = 512 << 10;

const ALLOWED: &str = "PUT, POST, DELETE, OPTIONS";

/// Answers a push, or whatever else came to its path.
pub(super) async fn push(
    doors: &Doors,
    config: &DoorConfig,
    (peer, path): (SocketAddr, &str),
    request: Request<Body>,
) -> Reply {
    let group = match group_path::read(path) {
        Ok(GroupPath::Group(group)) => group,
        Ok(GroupPath::Elsewhere(to, moved)) => return Reply::elsewhere(to, moved),
        Ok(GroupPath::Unknown) => return Reply::unknown(path),
        Err(error) => return Reply::bad_path(&error),
    };
    let (head, body) = request.into_parts();
    let mode = match head.method {
        Method::PUT => Some(Mode::Replace),
        Method::POST => Some(Mode::Merge),
        Method::DELETE => None,
        Method::OPTIONS => return Reply::options(ALLOWED),
        _ => return Reply::method_not_allowed(ALLOWED),
    };
    let body = match body::read(&head.headers, body, config.max_body_bytes).await {
        Ok(body) => body,
        Err(error) => return Reply::bad_body(&error),
    };
    let Some(mode) = mode else {
        return delete(&doors.intake, &group).await;
    };
    let begun = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "a histogram of sizes")]
    doors.books.push_bytes.observe(body.len() as f64);
    let reply = take(doors, config, (group, mode, peer), (&head.headers, body)).await;
    doors.books.push_seconds.observe(begun.elapsed().as_secs_f64());
    reply
}

async fn take(
    doors: &Doors,
    config: &DoorConfig,
    (group, mode, peer): (GroupKey, Mode, SocketAddr),
    (headers, body): (&HeaderMap, Bytes),
) -> Reply {
    if let Some(content_type) = unsupported_format(headers) {
        return Reply::unsupported_format(content_type);
    }
    let (intake, max_series) = (doors.intake.clone(), config.max_series);
    let is_long = body.len() > LONG_BODY_BYTES;
    let read = move || submit(&intake, (group, mode, peer), &body, max_series);
    let submitted = if is_long {
        let read = tokio::task::spawn_blocking(read).await;
        read.unwrap_or_else(|error| Err(Reply::failed(format!("reading the push ended early: {error}"))))
    } else {
        read()
    };
    match submitted {
        Ok(submission) => match doors.intake.settle(submission).await {
            Ok(()) => Reply::pushed(config.success_status),
            Err(refusal) => Reply::refused(&refusal),
        },
        Err(reply) => reply,
    }
}

fn submit(
    intake: &Intake,
    (group, mode, peer): (GroupKey, Mode, SocketAddr),
    body: &[u8],
    max_series: usize,
) -> Result<Submission, Reply> {
    let exposition = text::parse(body, max_series).map_err(|error| Reply::bad_text(&error))?;
    let incoming = Incoming {
        group,
        mode,
        peer: peer.to_string(),
        exposition,
    };
    intake.push(incoming).map_err(|refusal| Reply::refused(&refusal))
}

async fn delete(intake: &Intake, group: &GroupKey) -> Reply {
    match intake.delete(group) {
        Ok(None) => Reply::deleted(),
        Ok(Some(submission)) => match intake.settle(submission).await {
            Ok(()) => Reply::deleted(),
            Err(refusal) => Reply::refused(&refusal),
        },
        Err(refusal) => Reply::refused(&refusal),
    }
}

/// The content type, if it says that the body is no text; any other is read as text, as Pushgateway does (M03).
fn unsupported_format(headers: &HeaderMap) -> Option<&str> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type
        .trim_start()
        .starts_with("application/vnd.google.protobuf")
        .then_some(content_type)
}
