//! The status page, at `/` and `/status`: every group, and one group with what it shows (Pushgateway H65).
//!
//! One document without anything from elsewhere; its links are relative, so that it works behind any prefix.

mod detail;
mod html;

use std::fmt::{self, Write as _};
use std::sync::Arc;

use http::Method;

use super::reply::Reply;
use super::{Doors, question};
use crate::codec::DecodeError;
use crate::intake::Intake;
use crate::model::{GroupKey, NameScheme, UnixMillis};
use crate::registry::{GroupInfo, Summary};

use html::{Html, Span};

const ALLOWED: &str = "GET, OPTIONS";

const HTML: &str = "text/html; charset=utf-8";

/// Most groups of one page; the others are found by the filter.
const MAX_GROUPS: usize = 200;

/// What a page is asked for.
#[derive(Debug, Default)]
struct Wanted {
    /// Groups whose labels have this in them, whatever its case.
    filter: String,
    /// One group, with what it shows.
    group: Option<String>,
}

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Damaged(#[from] DecodeError),
    #[error(transparent)]
    Format(#[from] fmt::Error),
}

/// When a page is written, and what all of it needs.
struct Moment {
    now: UnixMillis,
    started: UnixMillis,
    names: NameScheme,
}

/// Answers a request for the page.
pub(super) async fn page(method: &Method, doors: &Arc<Doors>, query: &str) -> Reply {
    match *method {
        Method::GET => {}
        Method::OPTIONS => return Reply::options(ALLOWED),
        _ => return Reply::method_not_allowed(ALLOWED),
    }
    let wanted = Wanted::read(query);
    let (intake, moment) = (
        doors.intake.clone(),
        Moment {
            now: doors.clock.now(),
            started: doors.started,
            names: doors.config.load().names,
        },
    );
    // with very many groups it is some tens of milliseconds' work
    let written = tokio::task::spawn_blocking(move || write(&intake, &moment, &wanted)).await;
    match written {
        Ok(Ok(page)) => Reply::page(page, HTML),
        Ok(Err(error)) => Reply::failed(format!("the page could not be written: {error}")),
        Err(error) => Reply::failed(format!("writing the page ended early: {error}")),
    }
}

impl Wanted {
    /// Reads what can be read; the rest is passed over.
    fn read(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in question::pairs(query).flatten() {
            match name.as_str() {
                "filter" => wanted.filter = value,
                "group" => wanted.group = Some(value),
                _ => {}
            }
        }
        wanted
    }
}

fn write(intake: &Intake, moment: &Moment, wanted: &Wanted) -> Result<String, PageError> {
    let mut page = String::new();
    head(&mut page, &intake.summary(), moment)?;
    match &wanted.group {
        Some(token) => {
            let key = question::read_token(token).ok();
            detail::write(&mut page, intake, moment, key.as_ref())?;
        }
        None => list(&mut page, intake.groups(), moment, &wanted.filter)?,
    }
    write!(
        page,
        "<script>{}</script>\n</html>\n",
        include_str!("page/script.js")
    )?;
    Ok(page)
}

fn head(page: &mut String, known: &Summary, moment: &Moment) -> fmt::Result {
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>flinkbridge</title>\n<style>\n{}</style>\n\
         <h1><a href=\"status\">flinkbridge</a> <small>{}</small></h1>\n\
         <p>Up {}: {} groups of {} processes with {} series.</p>\n\
         <nav><a href=\"metrics\">Metrics</a><a href=\"-/metrics\">Own metrics</a>\
         <a href=\"api/v1/metrics\">Metrics as JSON</a><a href=\"api/v1/status\">Settings</a></nav>\n",
        include_str!("page/style.css"),
        env!("CARGO_PKG_VERSION"),
        Span(moment.now.since(moment.started)),
        known.groups,
        known.sources,
        known.series,
    )
}

/// All groups that fit the filter, as far as there is room.
fn list(page: &mut String, mut groups: Vec<GroupInfo>, moment: &Moment, filter: &str) -> fmt::Result {
    let lower = filter.to_lowercase();
    groups.retain(|group| fits(&group.key, &lower));
    groups.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let (fitting, shown) = (groups.len(), groups.len().min(MAX_GROUPS));
    writeln!(
        page,
        "<form action=\"status\"><input name=\"filter\" type=\"search\" value=\"{}\" placeholder=\"Groups with this text in \
         their labels\" aria-label=\"Filter\"><button>Filter</button></form>",
        Html(filter)
    )?;
    if shown < fitting {
        writeln!(
            page,
            "<p>The first {shown} of {fitting} groups; the filter finds the others.</p>"
        )?;
    }
    if fitting == 0 {
        return page.write_str("<p>There is no such group.</p>\n");
    }
    page.write_str(
        "<table><thead><tr><th>Group<th>Last push<th>Last failure<th>Processes<th class=\"number\">Series<th></thead>\n",
    )?;
    for group in groups.iter().take(MAX_GROUPS) {
        row(page, group, moment)?;
    }
    page.write_str("</table>\n")
}

/// Whether a label, or the whole as it is shown, has `lower` in it.
fn fits(group: &GroupKey, lower: &str) -> bool {
    let has = |text: String| text.to_lowercase().contains(lower);
    has(group.to_string()) || group.iter().any(|(name, value)| has(format!("{name}={value}")))
}

fn row(page: &mut String, group: &GroupInfo, moment: &Moment) -> fmt::Result {
    let series: usize = group.sources.iter().map(|source| source.series).sum();
    write!(
        page,
        "<tr><td><a href=\"status?group={}\"><code>{}</code></a><td data-name=\"Last push\">",
        question::token(&group.key),
        Html(&group.key)
    )?;
    last_push(page, group, moment)?;
    page.write_str("<td data-name=\"Last failure\">")?;
    last_failure(page, group, moment)?;
    write!(
        page,
        "<td data-name=\"Processes\">{}<td class=\"number\" data-name=\"Series\">{series}<td>",
        group.sources.len()
    )?;
    delete_button(page, &group.key, moment)?;
    page.write_str("\n")
}

fn last_push(page: &mut String, group: &GroupInfo, moment: &Moment) -> fmt::Result {
    match group.last_push {
        Some(at) => write!(
            page,
            "<time title=\"{at}\">{} ago</time>",
            Span(moment.now.since(at))
        ),
        None => page.write_str("never"),
    }
}

fn last_failure(page: &mut String, group: &GroupInfo, moment: &Moment) -> fmt::Result {
    let Some((at, why)) = &group.last_failure else {
        return page.write_str("never");
    };
    let class = if group.last_push.is_none_or(|push| *at > push) {
        "bad"
    } else {
        "dim"
    };
    let age = Span(moment.now.since(*at));
    write!(
        page,
        "<span class=\"{class}\"><time title=\"{at}\">{age} ago</time>: {}</span>",
        Html(why)
    )
}

fn delete_button(page: &mut String, group: &GroupKey, moment: &Moment) -> fmt::Result {
    write!(
        page,
        "<button type=\"button\" data-path=\"{}\" data-group=\"{}\">Delete</button>",
        Html(group.path(moment.names)),
        Html(group)
    )
}
