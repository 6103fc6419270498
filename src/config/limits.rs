//! `profile:` and `limits:` of a remote: whose limits are kept to, and what is set over them.

use std::time::Duration;

use super::error::Fault;
use super::reader::{Block, Item};
use super::value::{DURATION, NUMBER, SIZE, any, one_of};
use crate::forward::{Beyond, BeyondNames, Limits, Profile, Refusal, RemoteConfig, TextLimit};
use crate::model::NameScheme;

/// What may follow `beyond:`.
const BEYOND: &[(&str, Beyond)] = &[
    ("truncate", Beyond::Truncate),
    ("drop_label", Beyond::DropLabel),
    ("drop_series", Beyond::DropSeries),
    ("leave", Beyond::Leave),
];
/// The same for a metric's name, without which a series is none.
const BEYOND_METRIC: &[(&str, Beyond)] = &[
    ("truncate", Beyond::Truncate),
    ("drop_series", Beyond::DropSeries),
    ("leave", Beyond::Leave),
];
const NAMES: &[(&str, NameScheme)] = &[("classic", NameScheme::Classic), ("utf8", NameScheme::Utf8)];
const BEYOND_NAMES: &[(&str, BeyondNames)] = &[
    ("escape", BeyondNames::Escape),
    ("drop_series", BeyondNames::DropSeries),
];
const REFUSALS: &[(&str, Refusal)] = &[("whole", Refusal::Whole), ("partial", Refusal::Partial)];
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A remote with the defaults of its profile.
pub(super) fn defaults(block: &Block<'_>) -> RemoteConfig {
    let profile = block.text("profile", profile);
    RemoteConfig::new("", "").with_profile(profile)
}

/// The limits of the remote: its profile's, and what `limits:` sets over them.
pub(super) fn read(block: &Block<'_>, profile: Limits) -> Limits {
    let labels = NUMBER.off_or_within(0, (4, LEAST_LABELS), (1000, "or 0 for no limit"));
    let series = NUMBER.off_or_within(0, (1, ""), (100_000, "or 0 for no limit"));
    let bytes = SIZE.off_or_within(
        0,
        (4096, "since a series takes as much; 0 is no limit"),
        (1 << 30, "or 0 for no limit"),
    );
    let limits = Limits {
        max_labels: over(block.text("max_labels", labels), profile.max_labels),
        drop_labels_first: match block.has("drop_labels_first") {
            true => names(&block.items("drop_labels_first")),
            false => profile.drop_labels_first,
        },
        metric_name: text_limit(&block.block("metric_name"), profile.metric_name, BEYOND_METRIC),
        label_name: text_limit(&block.block("label_name"), profile.label_name, BEYOND),
        label_value: text_limit(&block.block("label_value"), profile.label_value, BEYOND),
        names: block.text("names", one_of(NAMES)).unwrap_or(profile.names),
        beyond_names: block
            .text("beyond_names", one_of(BEYOND_NAMES))
            .unwrap_or(profile.beyond_names),
        max_series: over(block.text("max_series_per_send", series), profile.max_series),
        max_raw_bytes: over(block.text("max_bytes_per_send", bytes), profile.max_raw_bytes),
        max_age: span(block, "max_age", profile.max_age),
        max_ahead: span(block, "max_ahead", profile.max_ahead),
        refusal: block.text("refusal", one_of(REFUSALS)).unwrap_or(profile.refusal),
    };
    block.finish(&[]);
    limits
}

const LEAST_LABELS: &str = "since name, job, instance and one more are the least; 0 is no limit";

fn profile(text: &str) -> Result<Profile, Fault> {
    let found = Profile::ALL.into_iter().find(|profile| profile.as_str() == text);
    found.ok_or_else(|| {
        let names = Profile::ALL.map(Profile::as_str).join(", ");
        Fault::new("is no profile", format!("write one of {names}, or take it out"))
    })
}

fn names(items: &[Item<'_>]) -> Vec<String> {
    items.iter().filter_map(|item| item.text(any)).collect()
}

/// A number of the file, where 0 is no limit, or what holds without it.
fn over(typed: Option<u64>, else_it_is: Option<u32>) -> Option<u32> {
    match typed {
        None => else_it_is,
        Some(0) => None,
        Some(number) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
    }
}

fn text_limit(block: &Block<'_>, profile: TextLimit, beyond: &'static [(&'static str, Beyond)]) -> TextLimit {
    let bytes = NUMBER.off_or_within(
        0,
        (
            u64::from(TextLimit::LEAST),
            "since a hash of 17 bytes stands at the end of what is truncated; 0 is no limit",
        ),
        (1 << 20, "or 0 for no limit"),
    );
    let limit = TextLimit {
        max_bytes: over(block.text("max_bytes", bytes), profile.max_bytes),
        beyond: block.text("beyond", one_of(beyond)).unwrap_or(profile.beyond),
    };
    block.finish(&[]);
    limit
}

fn span(block: &Block<'_>, key: &'static str, profile: Option<Duration>) -> Option<Duration> {
    let bound = DURATION.off_or_within(
        Duration::ZERO,
        (Duration::from_secs(1), "0 is no limit"),
        (YEAR, "or 0 for no limit"),
    );
    match block.text(key, bound) {
        None => profile,
        Some(Duration::ZERO) => None,
        span => span,
    }
}
