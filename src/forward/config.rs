//! What an operator can set of one remote, in Prometheus' own words (`remote_write:`).

use std::path::PathBuf;
use std::time::Duration;

use crate::normalise::RuleConfig;

use super::profile::{Limits, Profile};

/// A secret from the file itself or from a file of its own, which is read again before each use.
///
/// `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Written in the configuration (or put there by `${ENV}`).
    Inline(String),
    /// In this file; surrounding white space is not part of it.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("<secret>"),
            Self::File(path) => write!(f, "<secret from {}>", path.display()),
        }
    }
}

/// How a request proves who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It does not.
    None,
    /// `basic_auth`.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// `authorization`: the scheme (default `Bearer`) and what follows it.
    Header {
        /// The scheme.
        scheme: String,
        /// The credentials.
        credentials: Secret,
    },
}

/// `tls_config` of a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates to trust instead of the system's, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and key, as PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The name to expect in the remote's certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// Takes any certificate; for trials only.
    pub insecure_skip_verify: bool,
}

/// `queue_config` of a remote: batching and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// Most samples of one request. Default 2,000, as Prometheus 3.
    pub max_samples_per_send: u32,
    /// How long a batch that is not full waits for more. Default 0: send at once when idle, batch when busy.
    pub batch_send_deadline: Duration,
    /// `max_shards`: lanes, each an ordered stream of requests; a group keeps to one lane. Default 4.
    pub lanes: u32,
    /// First pause after a failure that may pass. Default 30 ms, as Prometheus.
    pub min_backoff: Duration,
    /// Longest pause. Default 5 s, as Prometheus.
    pub max_backoff: Duration,
    /// Whether 429 is tried again rather than rejected. Default yes: the queue is on disk and can wait.
    pub retry_on_http_429: bool,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            max_samples_per_send: 2000,
            batch_send_deadline: Duration::ZERO,
            lanes: 4,
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            retry_on_http_429: true,
        }
    }
}

/// What a remote takes besides samples. Both default to no, as in Prometheus: stores that know neither are the majority,
/// and some answer 500 for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// `send_exemplars`.
    pub exemplars: bool,
    /// `send_native_histograms`.
    pub native_histograms: bool,
}

/// One entry of `remote_write:`.
///
/// `Debug` shows neither header values nor the user and query of a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteConfig {
    /// Its name in metrics, logs and the folder of positions; unique. Default `remote-<n>`, counted from 1.
    pub name: String,
    /// Where requests go.
    pub url: String,
    /// How long one request may take. Default 30 s, as Prometheus.
    pub remote_timeout: Duration,
    /// Further headers; the four that the protocol owns may not be among them (PRW S1-06).
    pub headers: Vec<(String, String)>,
    /// Rules applied to what goes to this remote only.
    pub write_relabel: Vec<RuleConfig>,
    /// Who we say we are.
    pub auth: Auth,
    /// TLS beyond the system's defaults.
    pub tls: TlsConfig,
    /// An HTTP proxy on the way.
    pub proxy_url: Option<String>,
    /// Whether redirects are followed. Default yes, as Prometheus; credentials never go to another host.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be spoken. Default no, as Prometheus 3: one connection would serialise the lanes.
    pub enable_http2: bool,
    /// What it takes besides samples.
    pub takes: Takes,
    /// Batching and retries.
    pub batch: BatchConfig,
    /// Whose limits are kept to; `None` for those of nobody.
    pub profile: Option<Profile>,
    /// The limits themselves: the profile's, and what is set over them.
    pub limits: Limits,
}

impl RemoteConfig {
    /// A remote at `url` with every other setting at its default.
    #[must_use]
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            remote_timeout: Duration::from_secs(30),
            headers: Vec::new(),
            write_relabel: Vec::new(),
            auth: Auth::None,
            tls: TlsConfig::default(),
            proxy_url: None,
            follow_redirects: true,
            enable_http2: false,
            takes: Takes::default(),
            batch: BatchConfig::default(),
            profile: None,
            limits: Limits::none(),
        }
    }

    /// The same remote with what `profile` knows as its defaults.
    #[must_use]
    pub fn with_profile(self, profile: Option<Profile>) -> Self {
        Self {
            profile,
            limits: profile.map(Profile::limits).unwrap_or_default(),
            ..self
        }
    }

    /// A URL fit for messages: without its user, its query and its fragment, any of which may hold a secret.
    ///
    /// Takes any text, also what is no URL; where it cannot tell a user from a path, it shows less.
    #[must_use]
    pub fn redact(url: &str) -> String {
        let known = |scheme: &str| {
            ["http", "https"]
                .iter()
                .any(|word| scheme.eq_ignore_ascii_case(word))
        };
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if known(scheme) => (format!("{scheme}://"), rest),
            _ => (String::new(), url),
        };
        let shown = match (rest.rfind('@'), rest.find(['?', '#'])) {
            (Some(at), Some(query)) if query < at => "<hidden>".to_owned(),
            (Some(at), _) => {
                let behind = rest.get(at + 1..).unwrap_or_default();
                format!("<hidden>@{}", behind.split(['?', '#']).next().unwrap_or_default())
            }
            (None, Some(query)) => format!("{}?<hidden>", rest.get(..query).unwrap_or_default()),
            (None, None) => rest.to_owned(),
        };
        scheme + &shown
    }
}

impl std::fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header_names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RemoteConfig")
            .field("name", &self.name)
            .field("url", &Self::redact(&self.url))
            .field("remote_timeout", &self.remote_timeout)
            .field("headers", &header_names)
            .field("write_relabel", &self.write_relabel)
            .field("auth", &self.auth)
            .field("tls", &self.tls)
            .field("proxy_url", &self.proxy_url.as_deref().map(Self::redact))
            .field("follow_redirects", &self.follow_redirects)
            .field("enable_http2", &self.enable_http2)
            .field("takes", &self.takes)
            .field("batch", &self.batch)
            .field("profile", &self.profile)
            .field("limits", &self.limits)
            .finish()
    }
}
