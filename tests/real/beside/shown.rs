//! What a gateway shows, as lines that can be compared: own metrics left out, order and times of no account.

mod json;
mod protobuf;
mod text;

use std::net::SocketAddr;

use super::get;
use super::request::{OPS, PROTOBUF, Request};
use crate::http::Answer;

/// Names that belong to one of the two programs and not to what was pushed.
const OWN: [&str; 5] = ["go_", "process_", "promhttp_", "pushgateway_", "flinkbridge_"];
/// The two that a gateway adds to each group.
const TIMES: [&str; 2] = ["push_time_seconds", "push_failure_time_seconds"];

/// Everything that a gateway shows at one moment: sorted lines, each headed by the view it is from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown(Vec<String>);

impl Shown {
    /// Asks for all of it.
    pub(crate) fn by(gateway: SocketAddr) -> Self {
        let mut lines = Vec::new();
        let mut add = |view: &str, found: Vec<String>| {
            lines.extend(found.into_iter().map(|line| format!("{view}: {line}")));
        };
        let ask = |request: Request<'_>| request.send(gateway).expect("an answer");
        add("text", read(&ask(get("/metrics").with(OPS)), text::lines));
        let protobuf = get("/metrics").with(OPS).accepting(PROTOBUF);
        add("protobuf", read(&ask(protobuf), protobuf::lines));
        add("json", read(&ask(get("/api/v1/metrics").with(OPS)), json::lines));
        lines.sort();
        Self(lines)
    }

    /// What only the one and only the other shows.
    pub(crate) fn differences(&self, ours: &Self) -> Vec<String> {
        let only = |these: &[String], those: &[String], whose: &str| {
            let mut left = those.to_vec();
            let mut found = Vec::new();
            for line in these {
                match left.iter().position(|other| other == line) {
                    Some(at) => drop(left.swap_remove(at)),
                    None => found.push(format!("  {whose} only: {line}")),
                }
            }
            found
        };
        let mut differences = only(&self.0, &ours.0, "there");
        differences.extend(only(&ours.0, &self.0, "here"));
        differences
    }
}

/// The kind and the lines of an answer; nothing but the status of one that is no success.
fn read(answer: &Answer, lines: fn(&[u8]) -> Result<Vec<String>, String>) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("status {}", answer.status)];
    }
    let kind = answer.header("content-type").unwrap_or("of no kind");
    let mut all = lines(&answer.body).unwrap_or_else(|why| vec![format!("cannot be read: {why}")]);
    all.push(format!("content type {kind}"));
    all
}

fn is_own(name: &str) -> bool {
    OWN.iter().any(|prefix| name.starts_with(prefix))
}

/// A time as far as two gateways can agree on it.
fn time(value: f64) -> &'static str {
    match value {
        0.0 => "never",
        seconds if seconds > 1e9 => "a time",
        _ => "no time",
    }
}
