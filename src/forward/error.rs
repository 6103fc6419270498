//! What can be wrong with the settings of a remote.

use std::io;
use std::path::PathBuf;

use crate::normalise::RuleError;

/// A mistake in one entry of `remote_write:`. The entry's place in the file is known to who reads the file.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// `url` is not one that can be posted to.
    #[error("url {url:?} {problem}; it reads like http://host:9090/api/v1/write")]
    Url {
        /// The URL as typed, without user, password and query.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A name or value in `headers`, `http_headers` or `proxy_connect_header` can be no header.
    #[error("header {name:?} {problem}")]
    Header {
        /// The key it stands under.
        field: &'static str,
        /// Its name as typed.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A rule in `write_relabel_configs`.
    #[error("write_relabel_configs: {0}")]
    Rule(RuleError),
    /// A file of `tls_config` cannot be read.
    #[error("cannot read {}", path.display())]
    TlsFile {
        /// The key that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or a text of `tls_config` does not hold what it should.
    #[error("{place} {problem}")]
    TlsContent {
        /// The key that names it.
        field: &'static str,
        /// The file, or words for the text itself.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `tls_config.server_name` is no name.
    #[error("server_name {0:?} is neither a host name nor an address")]
    ServerName(String),
    /// `tls_config.min_version` is above `max_version`.
    #[error("leaves no version of TLS to speak; the least is above the most")]
    TlsVersions {
        /// The key.
        field: &'static str,
    },
    /// The system has no certificates to trust.
    #[error(
        "the system's trusted certificates cannot be loaded; install ca-certificates or set tls_config.ca_file"
    )]
    NoRoots(#[source] rustls::Error),
    /// `proxy_url` is not a URL.
    #[error("proxy_url is not a URL; it reads like http://proxy:3128")]
    Proxy,
    /// Credentials that have to be fetched cannot be, as they are set.
    #[error("{problem}")]
    Credentials {
        /// The key.
        field: &'static str,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A bound of `queue_config` leaves no room for anything.
    #[error("{field} is 0; it is at least 1")]
    Zero {
        /// The key.
        field: &'static str,
    },
    /// A setting that says nothing where the URL is one of gRPC.
    #[error("{field} {why}")]
    NotByGrpc {
        /// The key.
        field: &'static str,
        /// Why not, and the way out.
        why: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ForwardError {
    /// The key the mistake is in, as a path below the entry: `tls_config.ca_file`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Client(_) => "url",
            Self::Rule(_) => "write_relabel_configs",
            Self::Header { field, .. }
            | Self::TlsFile { field, .. }
            | Self::TlsContent { field, .. }
            | Self::TlsVersions { field }
            | Self::Credentials { field, .. }
            | Self::NotByGrpc { field, .. }
            | Self::Zero { field } => field,
            Self::ServerName(_) => "tls_config.server_name",
            Self::NoRoots(_) => "tls_config.ca_file",
            Self::Proxy => "proxy_url",
        }
    }
}
