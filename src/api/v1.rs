//! Pushgateway's JSON API: `/api/v1/metrics`, `/api/v1/status`, `/api/v1/admin/wipe` (cases A01 - A05, H60).

use std::io::Write as _;
use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;

use super::outgoing::{Chunks, Stream};
use super::question::{Question, token};
use super::reply::Reply;
use super::{DoorConfig, Doors, push, show, write};
use crate::codec::json::{Group, WriteError, put_string, rfc3339};
use crate::intake::Intake;
use crate::registry::ShownGroup;

/// What every path of the API begins with.
pub(super) const PREFIX: &str = "/api/v1/";

/// Lets pages of other origins read the answers (case A05).
const CORS: [(HeaderName, &str); 5] = [
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Authorization, Content-Type, Origin",
    ),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"),
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
    (CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
];

/// Whether a reply is one of the API: what is turned away before it comes to it is not, and no wipe is.
pub(super) fn has_given(reply: &Reply, (method, path): (&Method, &str)) -> bool {
    let is_of_api = |path: &str| path != "admin/wipe" || *method == Method::OPTIONS;
    let is_ours = !write::PATHS.contains(&path) && path.strip_prefix(PREFIX).is_some_and(is_of_api);
    is_ours && !reply.turns_away()
}

/// Adds what every answer of the API has.
pub(super) fn dress(headers: &mut HeaderMap) {
    for (name, value) in CORS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Answers a request to a path of the API.
pub(super) async fn answer(
    doors: &Arc<Doors>,
    config: &DoorConfig,
    (method, path): (&Method, &str),
    query: &str,
) -> Reply {
    let allowed = match path.strip_prefix(PREFIX) {
        Some("metrics" | "status") => "GET, OPTIONS",
        Some("admin/wipe") if config.admin_api => "PUT, OPTIONS",
        Some(_) if *method == Method::OPTIONS => "OPTIONS",
        Some("admin/wipe") => return Reply::no_admin_api(),
        _ => return Reply::unknown(path),
    };
    match (method, path.strip_prefix(PREFIX)) {
        (&Method::OPTIONS, _) => Reply::options(allowed),
        (&Method::GET, Some("metrics")) => metrics(doors, query).await,
        (&Method::GET, Some("status")) => Reply::json(status(doors)),
        (&Method::PUT, Some("admin/wipe")) => wipe(doors).await,
        _ => Reply::method_not_allowed(allowed),
    }
}

async fn metrics(doors: &Doors, query: &str) -> Reply {
    let question = match Question::read(query) {
        Ok(question) => question,
        Err(error) => return Reply::bad_question(&error),
    };
    let turn = match show::turn(doors).await {
        Ok(turn) => turn,
        Err(reply) => return reply,
    };
    let (stream, mut chunks) = Stream::new();
    let intake = doors.intake.clone();
    // not awaited: it ends with its reader, by a deadline at the latest
    drop(tokio::task::spawn_blocking(move || {
        match write_groups(&mut chunks, &intake, &question) {
            Ok(()) => unread(chunks.end()),
            Err(WriteError::Unread(error)) => unread(Err(error)),
            Err(WriteError::Damaged(error)) => tracing::error!(%error, "could not show what was pushed"),
        }
        drop(turn);
    }));
    Reply::json_stream(stream)
}

fn unread(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::debug!(%error, "an answer was not read to its end");
    }
}

/// Writes the answer to `question`: all groups in the order of their keys.
fn write_groups(out: &mut Chunks, intake: &Intake, question: &Question) -> Result<(), WriteError> {
    let groups = intake.shown();
    let begin = question.after.as_ref().map_or(0, |after| {
        groups.partition_point(|group| group.key.as_ref() <= after)
    });
    let mut written = 0;
    let mut last = None;
    out.write_all(br#"{"status":"success","data":["#)?;
    for shown in groups.iter().skip(begin) {
        let group = group(shown);
        if !group.is_selected(&question.selectors)? {
            continue;
        }
        if question.limit == Some(written) {
            out.write_all(br#"],"next_page_token":"#)?;
            put_string(out, &last.map_or_else(String::new, token))?;
            out.write_all(b"}")?;
            return Ok(());
        }
        if written > 0 {
            out.write_all(b",")?;
        }
        group.write(out, &question.selectors)?;
        written += 1;
        last = Some(shown.key.as_ref());
    }
    out.write_all(b"]}")?;
    Ok(())
}

fn group(shown: &ShownGroup) -> Group<'_> {
    Group {
        key: &shown.key,
        layers: &shown.layers,
        first_seen: shown.first_seen,
        last_push: shown.last_push,
        last_failure: shown.last_failure,
    }
}

fn status(doors: &Doors) -> String {
    let build = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": option_env!("FLINKBRIDGE_REVISION").unwrap_or_default(),
        "branch": option_env!("FLINKBRIDGE_BRANCH").unwrap_or_default(),
        "buildUser": "",
        "buildDate": option_env!("FLINKBRIDGE_BUILD_DATE").unwrap_or_default(),
        "goVersion": concat!("none, built with Rust ", env!("CARGO_PKG_RUST_VERSION")),
    });
    let flags = doors.flags.load_full();
    let data = json!({
        "build_information": build,
        "flags": *flags,
        "start_time": rfc3339(doors.started),
    });
    format!(r#"{{"status":"success","data":{data}}}"#)
}

async fn wipe(doors: &Doors) -> Reply {
    let intake = doors.intake.clone();
    // a client that goes away must not leave half of it
    push::unhurried(async move {
        match intake.wipe().await {
            Ok(group_count) => {
                tracing::info!(group_count, "wiped all groups");
                Reply::deleted()
            }
            Err(refusal) => Reply::refused(&refusal),
        }
    })
    .await
}
