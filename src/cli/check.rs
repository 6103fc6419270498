//! `flinkbridge check`: what a configuration means, what looks odd about it, or every mistake in it.

mod credentials;
mod grpc;
mod limits;
mod remote;
mod web;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use reqwest::Url;

use super::{MISUSED, complain, say};
use crate::api::GrpcProtection;
use crate::app::Protection;
use crate::config::{
    Config, ConfigError, LogFormat, Notice, Overrides, Position, spell_duration, spell_size,
};
use crate::forward::{self, Auth, RemoteConfig, Secret};
use crate::intake::{Order, Timestamps};
use crate::model::{Clock, NameScheme, SystemClock};
use crate::normalise::RulesConfig;
use crate::queue::{SyncPolicy, WhenFull};
use crate::registry::Consistency;

/// What `flinkbridge check` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration to check.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Checks a file; 0 when it can be served, 2 when it is wrong.
pub(super) fn run(args: &Args) -> ExitCode {
    let config = match load(Some(&args.config), &Overrides::default()) {
        Ok(config) => config,
        Err(mistakes) => {
            complain(&mistakes);
            return ExitCode::from(MISUSED);
        }
    };
    let refused = unservable(&config);
    if !refused.is_empty() {
        complain(&remarks(&args.config, &refused));
        return ExitCode::from(MISUSED);
    }
    say(&describe(&config));
    let protection = Protection::read(&config.door).unwrap_or_default();
    say(&web::describe(&config, &protection));
    say(&grpc::describe(&config.grpc));
    let mut notices = warnings(&config);
    notices.extend(unreadable_files(&config));
    if !notices.is_empty() {
        complain(&remarks(&args.config, &notices));
    }
    if let Some(file) = &config.door.web_config_file
        && !protection.notices.is_empty()
    {
        complain(&remarks(file, &protection.notices));
    }
    ExitCode::SUCCESS
}

/// The configuration in `file`, or the defaults, with the flags over it; or everything that is wrong, as text.
pub(super) fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Config, String> {
    let config = match file {
        None => Config::default(),
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
            let folder = file.parent().unwrap_or(Path::new(""));
            let environment = |name: &str| std::env::var(name).ok();
            Config::from_yaml(&text, folder, &environment).map_err(|errors| mistakes(file, &errors))?
        }
    };
    let config = config
        .with(overrides)
        .map_err(|errors| mistakes(Path::new("command line"), &errors))?;
    if let Err(mistakes) = Protection::read(&config.door) {
        return Err(format!("{mistakes}\n"));
    }
    match GrpcProtection::read(&config.grpc) {
        Ok(_) => Ok(config),
        Err(mistake) => Err(format!("{mistake}\n")),
    }
}

/// Endings of names that are not resolved beyond a site.
const PRIVATE_ENDINGS: [&str; 6] = [".local", ".internal", ".lan", ".intranet", ".svc", ".home.arpa"];

/// What the configuration means, a sentence a line. Shows no secret.
pub(super) fn describe(config: &Config) -> String {
    let mut lines = vec![
        listening(config),
        format!("keeps queue and registry in {}", config.data_dir.display()),
        acknowledging(config),
        queueing(config),
    ];
    lines.extend(labelling(&config.rules));
    lines.push(retiring(config));
    if config.remotes.is_empty() {
        lines.push("forwards nothing: there is no remote_write".to_owned());
    }
    for remote in &config.remotes {
        lines.push(forwarding(remote));
        lines.extend(limits::describe(remote));
    }
    let format = match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "JSON",
    };
    lines.push(format!(
        "logs as {format} what is {} or worse",
        config.log.level.as_str()
    ));
    lines.join("\n") + "\n"
}

/// What is allowed but looks like an oversight: what the file's reader noticed, then what shows only in the whole.
pub(super) fn warnings(config: &Config) -> Vec<Notice> {
    let mut notices = [config.notices.clone(), limits::notices(&config.remotes)].concat();
    let mut add = |path: String, text: &str| {
        notices.push(Notice {
            position: None,
            path,
            text: text.to_owned(),
        })
    };
    if config.remotes.is_empty() {
        add(
            "remote_write".to_owned(),
            "there is none, so nothing is forwarded",
        );
    }
    for (index, remote) in config.remotes.iter().enumerate() {
        let path = |key: &str| format!("remote_write[{index}].{key}");
        if remote.auth != Auth::None && is_plain_and_public(&remote.url) {
            add(
                path("url"),
                "credentials travel unencrypted to a public address: use https:// or grpcs://",
            );
        }
        let slips = remote::warnings(remote);
        slips.into_iter().for_each(|(key, text)| add(path(key), &text));
        if remote.tls.insecure_skip_verify {
            add(
                path("tls_config.insecure_skip_verify"),
                "any server may pose as the remote: set ca_file instead",
            );
        }
        if config
            .remotes
            .iter()
            .take(index)
            .any(|other| other.url == remote.url)
        {
            add(
                path("url"),
                "another remote has the same URL: it receives everything twice",
            );
        }
    }
    for (key, is_on, what) in [
        ("admin_api", config.door.admin_api, "end every group"),
        ("lifecycle", config.door.lifecycle, "end the program"),
    ] {
        if is_on && config.door.web_config_file.is_none() {
            add(
                format!("pushgateway.{key}"),
                &format!("whoever reaches the port may {what}: name users in http.web_config_file"),
            );
        }
    }
    if config.retention.stale_after > config.queue.max_age {
        add(
            "jobs.stale_after".to_owned(),
            "is longer than queue.max_age, so that in an outage samples are dropped before their end is noticed",
        );
    }
    notices
}

/// What only setting a remote up brings to light, such as a certificate that is none; `serve` would not start.
fn unservable(config: &Config) -> Vec<Notice> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let of_remote = |(index, remote): (usize, &RemoteConfig)| {
        let errors = forward::check(remote, &clock).into_iter();
        errors.map(move |error| Notice {
            position: None,
            path: format!("remote_write[{index}].{}", error.field()),
            text: format!("{:#}", anyhow::Error::new(error)),
        })
    };
    config.remotes.iter().enumerate().flat_map(of_remote).collect()
}

/// Secrets that cannot be read now; they are read before each use and may still appear, so this is no mistake.
pub(super) fn unreadable_files(config: &Config) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (index, remote) in config.remotes.iter().enumerate() {
        for (key, file) in secret_files(remote) {
            if let Err(error) = std::fs::File::open(file) {
                notices.push(Notice {
                    position: None,
                    path: format!("remote_write[{index}].{key}"),
                    text: format!("{} cannot be opened: {error}", file.display()),
                });
            }
        }
    }
    notices
}

/// Every mistake, a line each: `flinkbridge.yml:12:5: queue.max_bytes: "8 gigs" is no size: write it as 8GiB`.
pub(super) fn mistakes(file: &Path, errors: &[ConfigError]) -> String {
    errors
        .iter()
        .map(|error| line(file, error.position, error))
        .collect()
}

/// Every notice, a line each, in the same form.
pub(super) fn remarks(file: &Path, notices: &[Notice]) -> String {
    notices
        .iter()
        .map(|notice| line(file, notice.position, notice))
        .collect()
}

fn line(file: &Path, position: Option<Position>, what: &dyn std::fmt::Display) -> String {
    match position {
        Some(position) => format!("{}:{position}: {what}\n", file.display()),
        None => format!("{what}\n"),
    }
}

fn listening(config: &Config) -> String {
    let door = &config.door;
    let mut line = format!("listens on {} for pushes to /metrics/job/...", door.listen);
    if !door.path_prefixes.is_empty() {
        let _ = write!(line, ", also behind {}", door.path_prefixes.join(", "));
    }
    let _ = write!(
        line,
        "; takes up to {} and {} series a push from up to {} connections, answers {}",
        spell_size(u64::try_from(door.max_body_bytes).unwrap_or(u64::MAX)),
        door.max_series,
        door.max_connections,
        door.taken_status()
    );
    line += match (door.receiver.enabled, door.receiver.order) {
        (false, _) => "; takes no remote-write",
        (true, Order::AsSent) => "; takes remote-write at /api/v1/write",
        (true, Order::Enforced) => "; takes remote-write at /api/v1/write, in the order of times only",
    };
    if door.consistency == Consistency::Unchecked {
        line += ", whether or not a push agrees with others";
    }
    if door.names == NameScheme::Utf8 {
        line += "; names may be any text";
    }
    if door.timestamps == Timestamps::Kept {
        line += "; samples may bring their times";
    }
    if door.admin_api {
        line += "; /api/v1/admin/wipe ends every group";
    }
    if door.lifecycle {
        line += "; /-/quit ends the program";
    }
    line
}

fn acknowledging(config: &Config) -> String {
    match config.queue.sync {
        SyncPolicy::Always => "answers a push after it is synced to disk: nothing acknowledged is lost".to_owned(),
        SyncPolicy::Interval(span) => {
            let span = spell_duration(span);
            format!("answers a push after it is written, syncs every {span}: a power cut loses as much")
        }
        SyncPolicy::Never => {
            "answers a push after it is written, never syncs: a power cut loses what the system had not written".to_owned()
        }
    }
}

fn queueing(config: &Config) -> String {
    let queue = &config.queue;
    let full = match queue.when_full {
        WhenFull::DropOldest => "drops the oldest samples when full, and counts them",
        WhenFull::Refuse => "refuses pushes with 503 when full",
    };
    let (bytes, age) = (spell_size(queue.max_bytes), spell_duration(queue.max_age));
    format!(
        "queues up to {bytes} or {age} in segments of {}; {full}",
        spell_size(queue.segment_bytes)
    )
}

fn labelling(rules: &RulesConfig) -> Vec<String> {
    let mut steps = Vec::new();
    if !rules.aliases.is_empty() {
        let names: Vec<&str> = rules.aliases.iter().map(|(name, _)| name.as_str()).collect();
        steps.push(format!("brings aliases of {} to these names", names.join(", ")));
    }
    if rules.clean_values {
        steps.push("cleans values and job ids".to_owned());
    }
    if rules.plus_as_space {
        steps.push("reads + in grouping values as a blank".to_owned());
    }
    if rules.split_random_suffix {
        steps.push(format!(
            "splits Flink's random suffix off job into instance (a job that is nothing else becomes {:?})",
            rules.default_job
        ));
    }
    if rules.yarn {
        steps.push("takes container_id and application_id out of a YARN tm_id".to_owned());
    }
    if !rules.external_labels.is_empty() {
        let labels: Vec<String> = rules
            .external_labels
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        steps.push(format!("adds {} where absent", labels.join(", ")));
    }
    match rules.relabel.len() {
        0 => {}
        1 => steps.push("applies 1 relabelling rule".to_owned()),
        count => steps.push(format!("applies {count} relabelling rules")),
    }
    let limit = |number: usize| {
        if number == 0 {
            "any number of".to_owned()
        } else {
            number.to_string()
        }
    };
    let limits = &rules.limits;
    steps.push(format!(
        "allows {} labels a series, {} bytes a name, {} bytes a value",
        limit(limits.max_labels),
        limit(limits.max_name_bytes),
        limit(limits.max_value_bytes)
    ));
    steps
}

fn retiring(config: &Config) -> String {
    let jobs = &config.retention;
    let silence = spell_duration(jobs.stale_after);
    let when = match jobs.stale_after_intervals {
        Some(count) => format!("for {count} of its own intervals ({silence} while none is known)"),
        None => format!("for {silence}"),
    };
    format!(
        "retires a source that is silent {when} and lists it for {} more; knows up to {} groups of up to {} series",
        spell_duration(jobs.history),
        jobs.max_groups,
        jobs.max_series_per_group
    )
}

fn forwarding(remote: &RemoteConfig) -> String {
    let batch = &remote.batch;
    let mut line = format!(
        "forwards to {}: {}, {}",
        remote.name,
        RemoteConfig::redact(&remote.url),
        credentials::describe(&remote.auth)
    );
    let proxy = match remote.url.starts_with("https:") {
        true => &remote.proxy.https,
        false => &remote.proxy.http,
    };
    if let Some(proxy) = proxy {
        let _ = write!(line, ", by the proxy {}", RemoteConfig::redact(proxy));
    }
    let own = remote.headers.iter().map(|(name, _)| name.as_str());
    let own = own.chain(remote.http_headers.iter().map(|header| header.name.as_str()));
    let names: Vec<&str> = own.collect();
    if !names.is_empty() {
        let _ = write!(line, ", with the headers {}", names.join(", "));
    }
    if !remote.write_relabel.is_empty() {
        let _ = write!(line, ", after {} rules of its own", remote.write_relabel.len());
    }
    line += &remote::content(remote);
    let limited = if batch.retry_on_http_429 {
        "tries again after 429 too"
    } else {
        "gives up after 429"
    };
    let _ = write!(
        line,
        "; up to {} samples a request on {} lanes, {} for an answer, retries after {} to {}, {limited}",
        batch.max_samples_per_send,
        batch.lanes,
        spell_duration(remote.remote_timeout),
        spell_duration(batch.min_backoff),
        spell_duration(batch.max_backoff)
    );
    if let Some(limit) = batch.sample_age_limit {
        let _ = write!(line, "; drops samples older than {}", spell_duration(limit));
    }
    line
}

fn secret_files(remote: &RemoteConfig) -> Vec<(String, &Path)> {
    let of_auth = credentials::files(&remote.auth).into_iter();
    let mut files: Vec<(String, &Path)> = of_auth.map(|(key, file)| (key.to_owned(), file)).collect();
    for header in &remote.http_headers {
        let key = format!("http_headers.{}.files", header.name);
        let of_header = header.values.iter().filter_map(|value| match value {
            Secret::Inline(_) => None,
            Secret::File(path) => Some((key.clone(), path.as_path())),
        });
        files.extend(of_header);
    }
    files
}

fn is_plain_and_public(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_ascii_lowercase();
    matches!(url.scheme(), "http" | "grpc") && !is_private(&host)
}

fn is_private(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let carrier_grade = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || carrier_grade
        }
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => !host.contains('.') || PRIVATE_ENDINGS.iter().any(|ending| host.ends_with(ending)),
    }
}

#[cfg(test)]
mod tests;
