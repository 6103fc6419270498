//! The Pushgateway API: PUT, POST, DELETE `/metrics/job/<job>{/<label>/<value>}`.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, Request};
use hyper::body::Incoming as Body;
use tokio::time::Instant;

use super::detour::Moved;
use super::format::Format;
use super::group_path::{self, GroupPath};
use super::reply::Reply;
use super::{DoorConfig, Doors, body, own};
use crate::intake::{Consistency, Incoming, Intake, Refusal, Submission};
use crate::model::GroupKey;
use crate::registry::Mode;

/// Bodies longer than this are read on a thread of their own, so that they hold up nobody else: some milliseconds' work.
const LONG_BODY_BYTES: usize = 1 << 20;

const ALLOWED: &str = "PUT, POST, DELETE, OPTIONS";

/// Answers a push, or whatever else came to its path.
pub(super) async fn push(
    doors: &Arc<Doors>,
    config: &Arc<DoorConfig>,
    (peer, path): (SocketAddr, &str),
    request: Request<Body>,
) -> Reply {
    let group = match group_path::read(path, config.names) {
        Ok(GroupPath::Group(group)) => group,
        Ok(GroupPath::Elsewhere(to)) => {
            let prefix = request.uri().path().strip_suffix(path).unwrap_or_default();
            return Reply::elsewhere(format!("{prefix}{to}"), Moved::ForNow);
        }
        Ok(GroupPath::Unknown) => return Reply::unknown(path),
        Err(error) => {
            return match *request.method() {
                Method::PUT | Method::POST | Method::DELETE => Reply::bad_path(&error),
                Method::OPTIONS => Reply::options(ALLOWED),
                _ => Reply::method_not_allowed(ALLOWED),
            };
        }
    };
    let (head, body) = request.into_parts();
    let mode = match head.method {
        Method::PUT => Some(Mode::Replace),
        Method::POST => Some(Mode::Merge),
        Method::DELETE => None,
        Method::OPTIONS => return Reply::options(ALLOWED),
        _ => return Reply::method_not_allowed(ALLOWED),
    };
    let limit = body::Limit {
        bytes: config.max_body_bytes,
        key: "pushgateway.max_body_bytes",
    };
    let body = match body::read(&head.headers, body, (limit, &doors.bodies)).await {
        Ok(body) => body,
        Err(error) => return Reply::bad_body(&error),
    };
    let (doors, config, format) = (Arc::clone(doors), Arc::clone(config), Format::of(&head.headers));
    // from here on the push is ours: a client that goes away must not leave it half counted
    unhurried(async move {
        match mode {
            Some(mode) => measured(&doors, &config, (group, mode, peer), (format, body)).await,
            None => delete(&doors.intake, &group).await,
        }
    })
    .await
}

/// Runs to its end even when nobody waits for the answer any more.
pub(super) async fn unhurried(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
    #[expect(
        clippy::disallowed_methods,
        reason = "awaited right here; it outlives only the client's patience"
    )]
    let work = tokio::spawn(work);
    work.await
        .unwrap_or_else(|error| Reply::failed(format!("the work ended early: {error}")))
}

async fn measured(
    doors: &Arc<Doors>,
    config: &Arc<DoorConfig>,
    push: (GroupKey, Mode, SocketAddr),
    (format, body): (Format, body::Held),
) -> Reply {
    let begun = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "a histogram of sizes")]
    doors.books.push_bytes.observe(body.bytes().len() as f64);
    let reply = take(doors, config, push, (format, body)).await;
    doors.books.push_seconds.observe(begun.elapsed().as_secs_f64());
    reply
}

async fn take(
    doors: &Arc<Doors>,
    config: &Arc<DoorConfig>,
    (group, mode, peer): (GroupKey, Mode, SocketAddr),
    (format, body): (Format, body::Held),
) -> Reply {
    let is_long = body.bytes().len() > LONG_BODY_BYTES;
    let (shared, limits) = (Arc::clone(doors), Arc::clone(config));
    let read = move || submit(&shared, &limits, (group, mode, peer), (format, body.bytes()));
    let submitted = if is_long {
        let read = tokio::task::spawn_blocking(read).await;
        read.unwrap_or_else(|error| Err(Reply::failed(format!("reading the push ended early: {error}"))))
    } else {
        read()
    };
    match submitted {
        Ok(Ok(submission)) => settle(&doors.intake, submission, Reply::pushed(config.taken_status())).await,
        Ok(Err(refusal)) => {
            let reply = match (&refusal, config.consistency) {
                // who checks nothing answers before it is known (Pushgateway M06)
                (Refusal::Inconsistent { .. }, Consistency::Unchecked) => {
                    Reply::pushed(config.taken_status())
                }
                _ => Reply::refused(&refusal),
            };
            match refusal {
                Refusal::Inconsistent {
                    noted: Some(noted), ..
                } => settle(&doors.intake, *noted, reply).await,
                _ => reply,
            }
        }
        Err(reply) => reply,
    }
}

/// Reads a push and hands it in.
fn submit(
    doors: &Doors,
    config: &DoorConfig,
    (group, mode, peer): (GroupKey, Mode, SocketAddr),
    (format, body): (Format, &[u8]),
) -> Result<Result<Submission, Refusal>, Reply> {
    let exposition = format.read(body, config.max_series, config.names);
    let exposition = exposition.map_err(|error| Reply::bad_format(&error))?;
    let own = own::beside(&exposition, doors.shown.get());
    Ok(doors.intake.push(Incoming {
        group,
        mode,
        peer: peer.to_string(),
        exposition,
        check: config.consistency,
        timestamps: config.timestamps,
        own,
    }))
}

/// `reply` once the submission is durable, else why it is not.
async fn settle(intake: &Intake, submission: Submission, reply: Reply) -> Reply {
    match intake.settle(submission).await {
        Ok(()) => reply,
        Err(refusal) => Reply::refused(&refusal),
    }
}

async fn delete(intake: &Intake, group: &GroupKey) -> Reply {
    match intake.delete(group) {
        Ok(None) => Reply::deleted(),
        Ok(Some(submission)) => settle(intake, submission, Reply::deleted()).await,
        Err(refusal) => Reply::refused(&refusal),
    }
}
