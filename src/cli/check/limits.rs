//! What `check` says about the limits that a remote's series and requests keep to.

use reqwest::Url;

use crate::config::{Notice, spell_duration, spell_size};
use crate::forward::{Beyond, BeyondNames, Limits, Profile, Refusal, RemoteConfig, TextLimit};
use crate::model::NameScheme;

/// What a remote takes, a limit a line, each with where it comes from and what is done beyond it. Nothing where nothing
/// is limited.
pub(super) fn describe(remote: &RemoteConfig) -> Vec<String> {
    let limits = &remote.limits;
    if remote.profile.is_none() && *limits == Limits::none() {
        return Vec::new();
    }
    let whose = match remote.profile {
        Some(profile) => format!("of profile {profile} and its own"),
        None => "of its own".to_owned(),
    };
    let mut lines = vec![format!("  {} has limits {whose}:", remote.name)];
    let of_profile = remote.profile.map(Profile::limits);
    let known = of_profile.as_ref().map(sentences).unwrap_or_default();
    for sentence in sentences(limits) {
        let origin = match known.contains(&sentence) {
            true => "profile",
            false => "override",
        };
        lines.push(format!("    {sentence} [{origin}]"));
    }
    lines
}

/// What looks as if it were forgotten, or does not go with a profile.
pub(super) fn notices(remotes: &[RemoteConfig]) -> Vec<Notice> {
    let of_remote = |(index, remote): (usize, &RemoteConfig)| {
        warnings(remote).into_iter().map(move |(key, text)| Notice {
            position: None,
            path: format!("remote_write[{index}].{key}"),
            text,
        })
    };
    remotes.iter().enumerate().flat_map(of_remote).collect()
}

/// The same of one remote: a key and a sentence.
fn warnings(remote: &RemoteConfig) -> Vec<(&'static str, String)> {
    let mut warnings = Vec::new();
    let host = Url::parse(&remote.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    match (remote.profile, host.as_deref().and_then(Profile::of_host)) {
        (None, Some(owner)) => {
            let text =
                format!("the host is one of {owner}: write profile: {owner}, and its limits are kept to");
            warnings.push(("url", text));
        }
        (Some(profile), Some(owner)) if profile != owner => {
            warnings.push((
                "profile",
                format!("is {profile}, but the host of url is one of {owner}"),
            ));
        }
        _ => {}
    }
    if let Some(profile) = remote.profile {
        if profile.is_http1_only() && remote.enable_http2 {
            let text = format!("{profile} speaks HTTP/1.1 only: take it out");
            warnings.push(("enable_http2", text));
        }
        if profile.folds_case() {
            let text =
                format!("{profile} takes names that differ in case alone for one: keep them apart by more");
            warnings.push(("profile", text));
        }
    }
    warnings
}

fn sentences(limits: &Limits) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(most) = limits.max_labels {
        sentences.push(labels(most, &limits.drop_labels_first));
    }
    for (what, limit) in [
        ("a metric's name", limits.metric_name),
        ("a label's name", limits.label_name),
        ("a label's value", limits.label_value),
    ] {
        sentences.extend(length(what, limit));
    }
    if limits.names == NameScheme::Classic {
        let beyond = match limits.beyond_names {
            BeyondNames::Escape => "spelled with U__ and escapes",
            BeyondNames::DropSeries => "dropped with their series",
        };
        sentences.push(format!("names of letters, digits and _; others are {beyond}"));
    }
    if let Some(most) = limits.max_series {
        sentences.push(format!(
            "up to {most} series a request; more make several requests"
        ));
    }
    if let Some(most) = limits.max_raw_bytes {
        let size = spell_size(u64::from(most));
        sentences.push(format!(
            "up to {size} a request before compression; more make several requests"
        ));
    }
    if let Some(age) = limits.max_age {
        let age = spell_duration(age);
        sentences.push(format!("samples up to {age} old; older ones are dropped"));
    }
    if let Some(ahead) = limits.max_ahead {
        let ahead = spell_duration(ahead);
        sentences.push(format!(
            "samples up to {ahead} ahead of the clock; others are dropped"
        ));
    }
    sentences.push(
        match limits.refusal {
            Refusal::Whole => {
                "a 400 refuses a whole request, which is taken apart until the offender is alone"
            }
            Refusal::Partial => "a 400 refuses some series, the others are stored and nothing is sent again",
        }
        .to_owned(),
    );
    sentences
}

fn labels(most: u32, first: &[String]) -> String {
    if first.is_empty() {
        return format!("up to {most} labels a series; one with more is dropped");
    }
    let first = first.join(", ");
    format!(
        "up to {most} labels a series; of more {first} go first, and a series that still has more is dropped"
    )
}

fn length(what: &str, limit: TextLimit) -> Option<String> {
    let most = limit.max_bytes?;
    let beyond = match limit.beyond {
        Beyond::Truncate => "a longer one ends in a hash",
        Beyond::DropLabel => "the label of a longer one is dropped",
        Beyond::DropSeries => "the series of a longer one is dropped",
        Beyond::Leave => "a longer one is left to the remote",
    };
    Some(format!("up to {most} bytes {what}; {beyond}"))
}

#[cfg(test)]
mod tests;
