//! What an operator can set of one remote, in Prometheus' own words (`remote_write:`).

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::{AzureAdConfig, GoogleIamConfig, OAuth2Config, SigV4Config};
use crate::codec::remote_write::Message;
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
        username: Secret,
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
    /// `oauth2`.
    OAuth2(Box<OAuth2Config>),
    /// `sigv4`.
    SigV4(Box<SigV4Config>),
    /// `azuread`.
    AzureAd(Box<AzureAdConfig>),
    /// `google_iam`.
    GoogleIam(GoogleIamConfig),
}

/// `tls_config` of a remote. Files are read again for each request, so that they can be changed in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates to trust instead of the system's, in PEM form.
    pub ca: Option<Secret>,
    /// Our own certificate and key, in PEM form.
    pub client: Option<(Secret, Secret)>,
    /// The name to expect in the remote's certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// Takes any certificate; for trials only.
    pub insecure_skip_verify: bool,
    /// The oldest version to speak. Default TLS 1.2, the oldest there is here.
    pub min_version: Option<TlsVersion>,
    /// The newest version to speak. Default TLS 1.3, the newest there is.
    pub max_version: Option<TlsVersion>,
}

/// A version of TLS; nothing older than 1.2 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// `TLS12`.
    Tls12,
    /// `TLS13`.
    Tls13,
}

/// A header with its values, each sent as a header of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderConfig {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<Secret>,
}

/// `proxy_url` and its like: by which proxy a remote is reached.
///
/// `Debug` shows no user of a proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// The proxy to ask for an `http://` URL.
    pub http: Option<String>,
    /// The proxy to ask for a tunnel to the host of an `https://` URL.
    pub https: Option<String>,
    /// Hosts that are reached without, as Go reads `NO_PROXY`: then this machine is always among them. `None`: the
    /// proxy is asked for every host.
    pub no_proxy: Option<String>,
    /// `proxy_connect_header`: what goes along when a tunnel is asked for.
    pub connect_headers: Vec<HeaderConfig>,
}

impl std::fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("http", &self.http.as_deref().map(RemoteConfig::redact))
            .field("https", &self.https.as_deref().map(RemoteConfig::redact))
            .field("no_proxy", &self.no_proxy)
            .field("connect_headers", &self.connect_headers)
            .finish()
    }
}

/// `metadata_config`: types, help texts and units beside 1.0 requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataConfig {
    /// Whether they are sent. Default yes, as Prometheus.
    pub send: bool,
    /// How often. Default 1 min, as Prometheus.
    pub send_interval: Duration,
    /// Most families of one request. Default 2,000, as Prometheus.
    pub max_samples_per_send: u32,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self {
            send: true,
            send_interval: Duration::from_secs(60),
            max_samples_per_send: 2000,
        }
    }
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
    /// How old a sample may be when it is sent; older ones are dropped, before each attempt. Default `None`, as
    /// Prometheus: the queue has a limit of its own.
    pub sample_age_limit: Option<Duration>,
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
            sample_age_limit: None,
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
    /// Whether it reads start times and custom bounds in a request of version 1.0, as another bridge does.
    pub extended: bool,
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
    /// `http_headers`: the same with several values each, of which some may be in files.
    pub http_headers: Vec<HeaderConfig>,
    /// Rules applied to what goes to this remote only.
    pub write_relabel: Vec<RuleConfig>,
    /// Who we say we are.
    pub auth: Auth,
    /// TLS beyond the system's defaults.
    pub tls: TlsConfig,
    /// An HTTP proxy on the way.
    pub proxy: ProxyConfig,
    /// Whether redirects are followed. Default yes, as Prometheus; credentials never go to another host.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be spoken. Default no, as Prometheus 3: one connection would serialise the lanes.
    pub enable_http2: bool,
    /// Whether each connection goes to one of the host's addresses at random. Default no, as Prometheus.
    pub round_robin_dns: bool,
    /// What a request holds.
    pub message: Message,
    /// What it takes besides samples.
    pub takes: Takes,
    /// Types, help texts and units.
    pub metadata: MetadataConfig,
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
            http_headers: Vec::new(),
            write_relabel: Vec::new(),
            auth: Auth::None,
            tls: TlsConfig::default(),
            proxy: ProxyConfig::default(),
            follow_redirects: true,
            enable_http2: false,
            round_robin_dns: false,
            message: Message::default(),
            takes: Takes::default(),
            metadata: MetadataConfig::default(),
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
            message: match profile {
                Some(profile) if profile.takes_version_2_only() => Message::V2,
                _ => self.message,
            },
            ..self
        }
    }

    /// A URL fit for messages: without its user, its query and its fragment, any of which may hold a secret.
    ///
    /// Takes any text, also what is no URL; where it cannot tell a user from a path, it shows less.
    #[must_use]
    pub fn redact(url: &str) -> String {
        let known = |scheme: &str| {
            ["http", "https", "grpc", "grpcs"]
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
            .field("http_headers", &self.http_headers)
            .field("write_relabel", &self.write_relabel)
            .field("auth", &self.auth)
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .field("follow_redirects", &self.follow_redirects)
            .field("enable_http2", &self.enable_http2)
            .field("round_robin_dns", &self.round_robin_dns)
            .field("message", &self.message)
            .field("takes", &self.takes)
            .field("metadata", &self.metadata)
            .field("batch", &self.batch)
            .field("profile", &self.profile)
            .field("limits", &self.limits)
            .finish()
    }
}
