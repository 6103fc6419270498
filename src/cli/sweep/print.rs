//! The outcome of a pass, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::gateway::{Effect, Outcome, Report, Source, SweepError, Swept};
use crate::model::{ShownName, UnixMillis};

/// How far the gateway's clock may be from ours without a word: `Date` has whole seconds, and answers take time.
const TOLERATED_MILLIS: u64 = 5_000;

/// Groups that are named when they could not be deleted; JSON has all.
const MOST_NAMED: usize = 20;

/// The outcomes in the order in which they are told.
const OUTCOMES: [&str; 7] = [
    "would delete",
    "deleted",
    "pushed again",
    "gone",
    "failed",
    "not tried",
    "impossible",
];

/// One pass as a table: what would be deleted, if it is a rehearsal, and the figures.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    if report.effect == Effect::Rehearse && !report.groups.is_empty() {
        text += &list(report);
        text.push('\n');
    }
    let unselected = match report.unselected {
        0 => String::new(),
        count => format!(", {count} not selected"),
    };
    let from = match report.source {
        Source::Json => "/api/v1/metrics",
        Source::Text => "/metrics",
    };
    // writing to a String does not fail
    let _ = writeln!(
        text,
        "{}{from}: {} groups read in {}{unselected}",
        report.url,
        report.read,
        seconds(report.read_took)
    );
    let older_than = humantime::format_duration(report.older_than);
    let _ = writeln!(text, "  {:<14}{:>8}", "alive", report.alive);
    let _ = writeln!(
        text,
        "  {:<14}{:>8}  silent for more than {older_than}",
        "stale",
        report.groups.len()
    );
    for word in OUTCOMES {
        match report.count(word) {
            0 => {}
            count => drop(writeln!(text, "    {word:<12}{count:>8}")),
        }
    }
    let _ = writeln!(text, "took {}", seconds(report.took));
    text
}

/// One pass of many, as a line.
pub(super) fn line(report: &Report, at: UnixMillis) -> String {
    let mut text = format!("{at} {} groups, {} stale", report.read, report.groups.len());
    for word in OUTCOMES {
        match report.count(word) {
            0 => {}
            count => drop(write!(text, ", {count} {word}")),
        }
    }
    format!("{text}, took {}", seconds(report.took))
}

/// What somebody should look at.
pub(super) fn notices(report: &Report) -> Vec<String> {
    let mut notices = Vec::new();
    match report.ahead_millis {
        None => {
            notices.push("the gateway tells no time (no Date header): ages are by our own clock".to_owned())
        }
        Some(ahead) if ahead.unsigned_abs() > TOLERATED_MILLIS => notices.push(format!(
            "the gateway's clock is {} {} ours: ages are by the gateway's, which also set the push times",
            short(Duration::from_millis(ahead.unsigned_abs())),
            if ahead > 0 { "ahead of" } else { "behind" }
        )),
        Some(_) => {}
    }
    let troubles = || {
        report
            .groups
            .iter()
            .filter_map(|group| Some((group, group.outcome.why()?)))
    };
    for (group, why) in troubles().take(MOST_NAMED) {
        notices.push(format!("{} {}: {why}", shown(group), group.outcome.word()));
    }
    let more = troubles().count().saturating_sub(MOST_NAMED);
    if more > 0 {
        notices.push(format!("{more} more like these; -o json has all"));
    }
    notices
}

/// One pass as a line of JSON.
pub(super) fn json(pass: &Result<Report, SweepError>, url: &str) -> String {
    let report = match pass {
        Ok(report) => report,
        Err(error) => return json!({"pushgateway": url, "error": error.to_string()}).to_string(),
    };
    let mut value = json!({
        "pushgateway": report.url,
        "at": report.judged_at.to_string(),
        "dry_run": report.effect == Effect::Rehearse,
        "older_than_seconds": report.older_than.as_secs_f64(),
        "read": report.read,
        "not_selected": report.unselected,
        "alive": report.alive,
        "stale": report.groups.len(),
        "clock_ahead_seconds": report.ahead_millis.map(|ahead| UnixMillis::new(ahead).as_seconds()),
        "took_seconds": report.took.as_secs_f64(),
        "groups": report.groups.iter().map(group).collect::<Vec<Value>>(),
    });
    if let (Some(object), Some(error)) = (value.as_object_mut(), &report.cut_short) {
        object.insert("error".to_owned(), error.to_string().into());
    }
    if let Some(object) = value.as_object_mut() {
        for word in OUTCOMES {
            object.insert(word.replace(' ', "_"), report.count(word).into());
        }
    }
    value.to_string()
}

/// What a terminal is told while a pass goes on.
pub(super) fn progress((read, stale, done): (usize, usize, usize)) -> String {
    match (read, stale) {
        (0, _) => String::new(),
        (read, 0) => format!("{read} groups read"),
        (_, stale) => format!("{done} of {stale} stale groups"),
    }
}

fn group(group: &Swept) -> Value {
    let labels: serde_json::Map<String, Value> = group
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    json!({
        "labels": labels,
        "paths": group.paths,
        "last_push": group.pushed.map(|at| at.to_string()),
        "last_failure": group.failed.map(|at| at.to_string()),
        "age_seconds": group.age.as_secs_f64(),
        "outcome": group.outcome.word().replace(' ', "_"),
        "why": group.outcome.why(),
    })
}

/// What would be deleted, a group a line.
fn list(report: &Report) -> String {
    let mut rows = vec![["AGE", "LAST PUSH", "GROUP", "DELETE"].map(str::to_owned)];
    let doomed = |group: &&Swept| group.outcome == Outcome::WouldDelete;
    for group in report.groups.iter().filter(doomed) {
        let paths: Vec<String> = group.paths.iter().map(|path| format!("/{path}")).collect();
        let pushed = group
            .pushed
            .map_or_else(|| "never".to_owned(), |at| at.to_string());
        rows.push([short(group.age), pushed, shown(group), paths.join(" and ")]);
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [age, pushed, group, path] in &rows {
        let [first, second, third] = widths;
        let _ = writeln!(text, "{age:<first$}  {pushed:<second$}  {group:<third$}  {path}");
    }
    text
}

/// The group as PromQL writes a selector.
fn shown(group: &Swept) -> String {
    let labels: Vec<String> = group
        .labels
        .iter()
        .map(|(name, value)| format!("{}={value:?}", ShownName(name)))
        .collect();
    format!("{{{}}}", labels.join(","))
}

/// The two largest units of a time span.
fn short(span: Duration) -> String {
    let whole = humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
    let units: Vec<&str> = whole.split(' ').take(2).collect();
    units.join(" ")
}

fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests;
