//! The settings in force by name, for whoever may read what is shown: neither secrets nor addresses of remotes, and no
//! path prefixes, which may be tokens.

use super::{Config, LogFormat, spell_duration, spell_size};
use crate::api::Flags;
use crate::intake::{Order, Timestamps};
use crate::model::NameScheme;
use crate::queue::{SyncPolicy, WhenFull};
use crate::registry::Consistency;

/// What `/api/v1/status` shows.
pub(super) fn of(config: &Config) -> Flags {
    let all = pushgateways(config).into_iter().chain(ours(config));
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Flags of Pushgateway that have their like here.
fn pushgateways(config: &Config) -> Vec<(&'static str, String)> {
    let door = &config.door;
    let is_unchecked = door.consistency == Consistency::Unchecked;
    let web_config = door.web_config_file.as_ref();
    let format = match config.log.format {
        LogFormat::Text => "logfmt",
        LogFormat::Json => "json",
    };
    vec![
        ("log.format", format.to_owned()),
        ("log.level", config.log.level.as_str().to_owned()),
        ("persistence.file", config.data_dir.display().to_string()),
        ("push.disable-consistency-check", is_unchecked.to_string()),
        (
            "push.enable-utf8-names",
            (door.names == NameScheme::Utf8).to_string(),
        ),
        (
            "web.config.file",
            web_config.map_or_else(String::new, |file| file.display().to_string()),
        ),
        ("web.enable-admin-api", door.admin_api.to_string()),
        ("web.enable-lifecycle", door.lifecycle.to_string()),
        ("web.listen-address", door.listen.clone()),
        ("web.telemetry-path", "/metrics".to_owned()),
    ]
}

/// Our own keys, those above left out.
fn ours(config: &Config) -> Vec<(&'static str, String)> {
    let (door, jobs, queue) = (&config.door, &config.retention, &config.queue);
    let size = |bytes: usize| spell_size(u64::try_from(bytes).unwrap_or(u64::MAX));
    let names: Vec<&str> = config.remotes.iter().map(|remote| remote.name.as_str()).collect();
    let sync = match queue.sync {
        SyncPolicy::Always => "always".to_owned(),
        SyncPolicy::Interval(span) => format!("interval: {}", spell_duration(span)),
        SyncPolicy::Never => "never".to_owned(),
    };
    let when_full = match queue.when_full {
        WhenFull::DropOldest => "drop_oldest",
        WhenFull::Refuse => "refuse",
    };
    vec![
        ("http.max_connections", door.max_connections.to_string()),
        ("http.public_probes", door.public_probes.to_string()),
        ("grpc.listen", config.grpc.address().to_owned()),
        ("grpc.max_connections", config.grpc.max_connections.to_string()),
        (
            "pushgateway.honor_timestamps",
            (door.timestamps == Timestamps::Kept).to_string(),
        ),
        ("pushgateway.success_status", door.success_status.to_string()),
        ("pushgateway.max_body_bytes", size(door.max_body_bytes)),
        ("pushgateway.max_series", door.max_series.to_string()),
        ("remote_write_receiver.enabled", door.receiver.enabled.to_string()),
        (
            "remote_write_receiver.enforce_order",
            (door.receiver.order == Order::Enforced).to_string(),
        ),
        (
            "remote_write_receiver.max_body_bytes",
            size(door.receiver.max_body_bytes),
        ),
        (
            "remote_write_receiver.max_decompressed_bytes",
            size(door.receiver.max_decompressed_bytes),
        ),
        ("jobs.stale_after", spell_duration(jobs.stale_after)),
        ("jobs.history", spell_duration(jobs.history)),
        ("jobs.max_groups", jobs.max_groups.to_string()),
        ("queue.sync", sync),
        ("queue.max_bytes", spell_size(queue.max_bytes)),
        ("queue.max_age", spell_duration(queue.max_age)),
        ("queue.when_full", when_full.to_owned()),
        ("remote_write", names.join(", ")),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn settings_are_shown_by_name_and_without_secrets() {
        let yaml = "
http: {path_prefixes: [/push/s3cret]}
pushgateway: {admin_api: true}
queue: {sync: {interval: 100ms}}
remote_write: [{name: store, url: 'http://u:s3cret@h/s3cret', headers: {A: s3cret}}]
";
        let config = Config::from_yaml(yaml, Path::new(""), &|_| None).unwrap();

        let flags = of(&config);

        for (name, expected) in [
            ("web.enable-admin-api", "true"),
            ("web.enable-lifecycle", "false"),
            ("web.listen-address", "0.0.0.0:9091"),
            ("push.disable-consistency-check", "false"),
            ("queue.sync", "interval: 100ms"),
            ("queue.max_bytes", "8GiB"),
            ("remote_write", "store"),
        ] {
            assert_eq!(flags.get(name).map(String::as_str), Some(expected), "{name}");
        }
        assert!(!format!("{flags:?}").contains("s3cret"));
    }
}
