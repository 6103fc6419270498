//! The configuration: a YAML file, flags over it, and out of both one checked [`Config`].
//!
//! - **Every mistake at once.** [`Config::from_yaml`] returns all mistakes of a file, in the order of its lines, each
//!   with its place, the key's path, the value, the rule it breaks and the way out. Only text that is no YAML at all
//!   stops it at the first.
//! - **Checked means checked.** What is in a `Config` can be built; nobody behind this module looks at ranges again.
//! - **Secrets are never shown**, neither in an error nor by `Debug`: passwords, credentials, header values, and the
//!   user of a URL.
//! - `${NAME}` and `${NAME:-default}` in a value are taken from the environment, except within relabelling rules, whose
//!   `${1}` and `${name}` are groups of their regex. `$${` is a literal `${`.
//! - Paths in the file start at the file's folder; paths in flags at the working directory.

mod auth;
mod cloud;
mod connection;
mod environment;
mod error;
mod file;
mod flags;
mod grpc;
mod limits;
mod log;
mod nearest;
mod oauth2;
mod overrides;
mod reader;
mod remote;
mod rules;
mod tree;
mod value;
mod web;
mod word;

use std::path::{Path, PathBuf};

pub use error::{ConfigError, Notice, Position, Problem};
pub use log::{LogConfig, LogFormat, LogLevel};
pub use overrides::Overrides;
pub use value::{spell_duration, spell_size};
pub use web::WebFile;

use crate::api::{DoorConfig, Flags, GrpcConfig};
use crate::forward::RemoteConfig;
use crate::normalise::RulesConfig;
use crate::queue::QueueConfig;
use crate::registry::RetentionConfig;

/// Everything an operator can set, checked, as each part wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `data_dir`: the folder of queue and registry. Default `flinkbridge-data` in the working directory, so that a
    /// trial needs no rights; packages set `/var/lib/flinkbridge`.
    pub data_dir: PathBuf,
    /// `http:` and `pushgateway:`.
    pub door: DoorConfig,
    /// `grpc:`.
    pub grpc: GrpcConfig,
    /// `normalise:` and `external_labels:`.
    pub rules: RulesConfig,
    /// `jobs:`.
    pub retention: RetentionConfig,
    /// `queue:`.
    pub queue: QueueConfig,
    /// `remote_write:`; empty forwards nothing.
    pub remotes: Vec<RemoteConfig>,
    /// `log:`.
    pub log: LogConfig,
    /// What the file says that is allowed but has no effect here, or looks like an oversight.
    pub notices: Vec<Notice>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("flinkbridge-data"),
            door: DoorConfig::default(),
            grpc: GrpcConfig::default(),
            rules: RulesConfig::default(),
            retention: RetentionConfig::default(),
            queue: QueueConfig::default(),
            remotes: Vec::new(),
            log: LogConfig::default(),
            notices: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the text of a file that lies in `folder`, taking variables from `environment`.
    ///
    /// # Errors
    /// Every mistake, in the order of the file; or the one place where it is no YAML.
    pub fn from_yaml(
        text: &str,
        folder: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ConfigError>> {
        let tree = tree::parse(text).map_err(|error| vec![error])?;
        let reader = reader::Reader::new(folder, environment);
        let mut config = file::read(&reader.root(tree.as_ref()));
        let (errors, notices) = reader.into_findings();
        if !errors.is_empty() {
            return Err(errors);
        }
        config.notices = notices;
        Ok(config)
    }

    /// What runs after `wanted` was taken up while running: what needs a restart stays as it is.
    #[must_use]
    pub fn with_what_can_change_of(&self, wanted: Self) -> Self {
        let listen = self.door.listen.clone();
        let max_connections = self.door.max_connections;
        let grpc = GrpcConfig {
            listen: self.grpc.listen.clone(),
            max_connections: self.grpc.max_connections,
            ..wanted.grpc
        };
        Self {
            data_dir: self.data_dir.clone(),
            queue: self.queue.clone(),
            door: DoorConfig {
                listen,
                max_connections,
                ..wanted.door
            },
            grpc,
            log: LogConfig {
                format: self.log.format,
                ..wanted.log
            },
            ..wanted
        }
    }

    /// The settings by name, as they are shown: without secrets.
    #[must_use]
    pub fn flags(&self) -> Flags {
        flags::of(self)
    }

    /// Puts the flags of the command line over it.
    ///
    /// # Errors
    /// Every flag whose value breaks a rule, by the flag's name.
    pub fn with(self, overrides: &Overrides) -> Result<Self, Vec<ConfigError>> {
        overrides::apply(self, overrides)
    }
}

#[cfg(test)]
mod tests;
