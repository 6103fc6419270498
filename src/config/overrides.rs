//! Flags of the command line over the file.

use std::path::PathBuf;

use super::error::{ConfigError, Fault};
use super::remote::EVERYTHING;
use super::value::one_of;
use super::word::{address, is_grpc, remote_url};
use super::{Config, auth, file, grpc};
use crate::forward::RemoteConfig;

/// What the flags say; `None` and empty leave the file's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--http.listen`, instead of `http.listen`.
    pub listen: Option<String>,
    /// `--grpc.listen`, instead of `grpc.listen`.
    pub grpc_listen: Option<String>,
    /// `--data-dir`, instead of `data_dir`; relative to the working directory.
    pub data_dir: Option<PathBuf>,
    /// `--remote-write.url`, any number of them: instead of the whole `remote_write` list.
    pub remote_write_urls: Vec<String>,
    /// `--log.level`, instead of `log.level`.
    pub log_level: Option<String>,
}

/// Puts `flags` over `config`, with the file's own checks.
pub(super) fn apply(mut config: Config, flags: &Overrides) -> Result<Config, Vec<ConfigError>> {
    let mut errors = Vec::new();
    if let Some(listen) = take(flags.listen.as_deref(), "--http.listen", &mut errors, address) {
        config.door.listen = listen;
    }
    if let Some(listen) = take(
        flags.grpc_listen.as_deref(),
        "--grpc.listen",
        &mut errors,
        address,
    ) {
        config.grpc.listen = Some(listen);
        if let Err(fault) = grpc::judge(&config.grpc) {
            errors.push(error("--grpc.listen", fault, config.grpc.address()));
        }
    }
    if let Some(level) = take(
        flags.log_level.as_deref(),
        "--log.level",
        &mut errors,
        one_of(file::LOG_LEVELS),
    ) {
        config.log.level = level;
    }
    if let Some(folder) = &flags.data_dir {
        if folder.as_os_str().is_empty() {
            let fault = Fault::new("names no folder", "give a path, or leave the flag away");
            errors.push(error("--data-dir", fault, ""));
        }
        config.data_dir.clone_from(folder);
    }
    if !flags.remote_write_urls.is_empty() {
        config.remotes = remotes(&flags.remote_write_urls, &mut errors);
        config
            .notices
            .retain(|notice| !notice.path.starts_with("remote_write"));
    }
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(errors)
    }
}

fn remotes(urls: &[String], errors: &mut Vec<ConfigError>) -> Vec<RemoteConfig> {
    let mut remotes = Vec::new();
    for (index, typed) in urls.iter().enumerate() {
        match remote_url(typed) {
            Ok(mut url) => {
                let auth = auth::of_url(&mut url);
                let is_bridge = is_grpc(url.as_str());
                let mut remote = RemoteConfig::new(format!("remote-{}", index + 1), url);
                if is_bridge {
                    remote.takes = EVERYTHING;
                }
                remote.auth = auth.unwrap_or(remote.auth);
                remotes.push(remote);
            }
            Err(fault) => errors.push(error("--remote-write.url", fault, &RemoteConfig::redact(typed))),
        }
    }
    remotes
}

fn take<T>(
    typed: Option<&str>,
    flag: &str,
    errors: &mut Vec<ConfigError>,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> Option<T> {
    let typed = typed?;
    parse(typed)
        .map_err(|fault| errors.push(error(flag, fault, typed)))
        .ok()
}

fn error(flag: &str, fault: Fault, value: &str) -> ConfigError {
    ConfigError {
        position: None,
        path: flag.to_owned(),
        problem: fault.of(value),
    }
}
