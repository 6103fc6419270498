//! How our own door is protected: what Prometheus' web configuration file says, and what of it is in force.
//!
//! [`WebConfig`] is the file as read; [`Web`] is made of it with the certificates of that moment. A connection is
//! greeted as the `Web` of its beginning says, a request is judged by the `Web` of its own time.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::CipherSuite;
use tokio_rustls::TlsAcceptor;

use super::auth::{Gate, Passwords, Rights, User};
use super::tls;

/// Protocols in the words of ALPN, the dearest first.
const HTTP2_AND_1: &[&[u8]] = &[b"h2", b"http/1.1"];
const HTTP1_ONLY: &[&[u8]] = &[b"http/1.1"];

/// The web configuration file in the format of Prometheus' exporter-toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// `tls_server_config`; `None` speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    /// `http_server_config.http2`: whether HTTP/2 may be spoken. Default true.
    pub http2: bool,
    /// `http_server_config.headers`: added to every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `basic_auth_users`: who may come in; empty lets everybody in.
    pub users: Vec<User>,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            tls: None,
            http2: true,
            headers: Vec::new(),
            users: Vec::new(),
        }
    }
}

impl WebConfig {
    /// The files that it names beside itself.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let Some(tls) = &self.tls else { return Vec::new() };
        let authority = tls.clients.authority();
        [Some(&tls.certificate), Some(&tls.key), authority]
            .into_iter()
            .flatten()
            .filter_map(Pem::file)
            .collect()
    }
}

/// `tls_server_config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// `cert_file` or `cert`: our certificate, then those between it and its authority.
    pub certificate: Pem,
    /// `key_file` or `key`: its private key.
    pub key: Pem,
    /// `client_auth_type` and what belongs to it.
    pub clients: Clients,
    /// `min_version` to `max_version`. Default both.
    pub versions: Versions,
    /// `cipher_suites`: those of TLS 1.2 that may be spoken; empty for all. Those of TLS 1.3 cannot be chosen.
    pub cipher_suites: Vec<CipherSuite>,
}

/// Which TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 and nothing newer.
    Only12,
    /// TLS 1.2 or 1.3, the newer where the client knows it.
    Both,
    /// TLS 1.3 and nothing older.
    Only13,
}

/// Which certificate a client has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clients {
    /// `NoClientCert`: none is asked for.
    Unasked,
    /// `RequestClientCert`: one is asked for; any will do, and none.
    Asked,
    /// `RequireAnyClientCert`: any, of these names if some are given.
    Any {
        /// `client_allowed_sans`; `None` for any.
        names: Option<Vec<String>>,
    },
    /// `VerifyClientCertIfGiven`: one of this authority, or none.
    VerifiedIfGiven {
        /// `client_ca_file` or `client_ca`.
        authority: Pem,
    },
    /// `RequireAndVerifyClientCert`: one of this authority, of these names if some are given.
    Verified {
        /// `client_ca_file` or `client_ca`.
        authority: Pem,
        /// `client_allowed_sans`; `None` for any.
        names: Option<Vec<String>>,
    },
}

impl Clients {
    /// Who certifies clients.
    #[must_use]
    pub const fn authority(&self) -> Option<&Pem> {
        match self {
            Self::VerifiedIfGiven { authority } | Self::Verified { authority, .. } => Some(authority),
            Self::Unasked | Self::Asked | Self::Any { .. } => None,
        }
    }
}

/// Certificates or a key in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file, which is read again when it changes.
    File(PathBuf),
    /// In the web configuration file itself.
    Inline(String),
}

impl Pem {
    /// The file, if it is in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Inline(_) => None,
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Inline(_) => f.write_str("Inline(<hidden>)"),
        }
    }
}

/// Why a web configuration that reads well cannot be put in force. Displayed without the field.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A file that it names cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The field that names it.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What it says or names cannot be used.
    #[error("{problem}")]
    Unusable {
        /// The field.
        field: &'static str,
        /// What is wrong and the way out.
        problem: String,
    },
}

impl WebError {
    /// The path of the field within the web configuration file.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Unreadable { field, .. } | Self::Unusable { field, .. } => field,
        }
    }
}

/// What is in force; the default is an open door with plain HTTP.
#[derive(Default)]
pub struct Web {
    tls: Option<TlsAcceptor>,
    http1_only: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    gate: Option<Gate>,
}

impl Web {
    /// Reads the certificates that `config` names, which blocks on the disk, and puts it in force with `rights`.
    /// Passwords that `before` has found to be right need not be checked again while the users stay the same.
    ///
    /// # Errors
    /// Everything that stands against it.
    pub fn try_new(
        config: &WebConfig,
        rights: Option<&Rights>,
        before: Option<&Self>,
    ) -> Result<Self, Vec<WebError>> {
        let mut errors = Vec::new();
        if rights.is_some() && config.users.is_empty() {
            errors.push(WebError::Unusable {
                field: "basic_auth_users",
                problem: "names nobody, so that http.rights would hold for nobody: add users, or take http.rights out"
                    .to_owned(),
            });
        }
        let spoken = if config.http2 { HTTP2_AND_1 } else { HTTP1_ONLY };
        let tls = match config.tls.as_ref().map(|it| tls::acceptor(it, spoken)) {
            Some(Err(error)) => {
                errors.push(error);
                None
            }
            Some(Ok(acceptor)) => Some(acceptor),
            None => None,
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let known = before.and_then(|web| web.gate.as_ref()).map(Gate::passwords);
        let passwords = match known {
            Some(known) if known.are_those_of(&config.users) => Some(Arc::clone(known)),
            _ => Passwords::of(&config.users).map(Arc::new),
        };
        Ok(Self {
            tls,
            http1_only: !config.http2,
            headers: config.headers.clone(),
            gate: passwords.map(|passwords| Gate::new(passwords, rights.cloned())),
        })
    }

    /// Whether it lets in without TLS, or without a password, where `before` did not.
    #[must_use]
    pub const fn opens_more_than(&self, before: &Self) -> bool {
        (before.tls.is_some() && self.tls.is_none()) || (before.gate.is_some() && self.gate.is_none())
    }

    /// Who greets a connection, where TLS is spoken.
    pub(super) const fn tls(&self) -> Option<&TlsAcceptor> {
        self.tls.as_ref()
    }

    /// Whether HTTP/2 is not spoken.
    pub(super) const fn is_http1_only(&self) -> bool {
        self.http1_only
    }

    /// Who judges a request, where there are users.
    pub(super) const fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Puts the configured headers on an answer.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("tls", &self.tls.is_some())
            .field("http1_only", &self.http1_only)
            .field("headers", &self.headers)
            .field("gate", &self.gate)
            .finish()
    }
}
