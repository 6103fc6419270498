//! The groups in the answer of `/metrics`: only the lines with their times are kept and read.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use super::{Labels, Listed, MAX_GROUPS, Name, PUSH_TIME, Unread, time};
use crate::codec::text;
use crate::gateway::Progress;
use crate::model::{METRIC_NAME, NameScheme, UnixMillis};

/// Longest line. A path of 16 KiB makes no label set of this size.
const MAX_LINE_BYTES: usize = 256 << 10;

/// What lines begin with that matter.
const TIMES: [&str; 2] = ["push_time_seconds{", "push_failure_time_seconds{"];

/// What a gateway shows of itself, even without any group.
const OWN: [&str; 2] = ["pushgateway_", "flinkbridge_"];

/// Reads all of it.
pub(super) fn read(body: impl BufRead, progress: &Progress) -> Result<Vec<Listed>, Unread> {
    let (lines, is_gateway) = lines_with_times(body, progress)?;
    if !is_gateway && lines.is_empty() {
        return Err(Unread::Strange(
            "it shows neither push_time_seconds nor any metric of a Pushgateway".to_owned(),
        ));
    }
    let exposition = text::parse_named(lines.as_bytes(), 2 * MAX_GROUPS, NameScheme::Utf8)
        .map_err(|error| Unread::Strange(format!("of its lines with push times: {error}")))?;
    let mut pushed: BTreeMap<Labels, Option<UnixMillis>> = BTreeMap::new();
    let mut failed: BTreeMap<Labels, Option<UnixMillis>> = BTreeMap::new();
    for sample in &exposition.samples {
        let mut labels: Labels = sample
            .labels
            .iter()
            .filter(|(name, _)| *name != METRIC_NAME)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        labels.sort();
        let family = exposition.families.get(sample.family);
        let times = match family.is_some_and(|family| family.name == PUSH_TIME) {
            true => &mut pushed,
            false => &mut failed,
        };
        times.insert(labels, time(sample.value));
    }
    if pushed.len() > MAX_GROUPS {
        return Err(Unread::TooMany);
    }
    // every group has a push time, if a zero; failure times alone may have been pushed
    let listed = pushed.into_iter().map(|(labels, pushed)| Listed {
        pushed,
        failed: failed.remove(&labels).flatten(),
        name: Name::of_series(labels),
    });
    Ok(listed.collect())
}

/// The lines with times, and whether others speak of a gateway.
fn lines_with_times(mut body: impl BufRead, progress: &Progress) -> Result<(String, bool), Unread> {
    let mut kept = String::new();
    let mut is_gateway = false;
    let mut count = 0_usize;
    let mut line = Vec::new();
    let mut is_beginning = true;
    loop {
        line.clear();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let read = body.by_ref().take(limit).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Ok((kept, is_gateway)),
            Ok(_) => {}
            Err(error) => return Err(Unread::Strange(error.to_string())),
        }
        let was_beginning = std::mem::replace(&mut is_beginning, line.ends_with(b"\n"));
        if !was_beginning {
            continue;
        }
        let begins = |prefix: &&str| line.starts_with(prefix.as_bytes());
        is_gateway |= OWN.iter().any(begins);
        if TIMES.iter().any(begins) && line.ends_with(b"\n") {
            count += 1;
            if count > 2 * MAX_GROUPS {
                return Err(Unread::TooMany);
            }
            if line.starts_with(PUSH_TIME.as_bytes()) {
                progress.count_read();
            }
            kept.push_str(&String::from_utf8_lossy(&line));
        }
    }
}
