//! What an operator can set of the gRPC door.

use std::path::{Path, PathBuf};

use super::super::web::{Clients, Pem, TlsConfig, Versions};

/// The `grpc:` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcConfig {
    /// `grpc.listen`: address and port; port 0 lets the system choose, and the choice is logged. `None` is
    /// `127.0.0.1:9092` as long as nobody else has that port, which is Kafka's too: then there is no such door.
    pub listen: Option<String>,
    /// `grpc.tls`; `None` speaks without encryption.
    pub tls: Option<GrpcTls>,
    /// `grpc.tokens`: who may come in; empty lets everybody in who gets as far as here.
    pub tokens: Vec<Token>,
    /// `grpc.insecure`: whether the door may be open beyond this machine to everybody. Default false.
    pub insecure: bool,
    /// `grpc.max_connections`: connections served at once. Default 1,024: a fleet of agents, one each.
    pub max_connections: usize,
}

impl GrpcConfig {
    /// Where it listens unless told otherwise.
    pub const DEFAULT_LISTEN: &'static str = "127.0.0.1:9092";

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        self.listen.as_deref().unwrap_or(Self::DEFAULT_LISTEN)
    }

    /// Whether whoever reaches the port may write.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let asks_for_certificate = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        self.tokens.is_empty() && !asks_for_certificate
    }

    /// Whether others than this machine's own programs reach the port.
    #[must_use]
    pub fn is_beyond_loopback(&self) -> bool {
        let address = self.address();
        match address.parse::<std::net::SocketAddr>() {
            Ok(address) => !address.ip().is_loopback(),
            Err(_) => address
                .rsplit_once(':')
                .is_none_or(|(host, _)| host != "localhost"),
        }
    }
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            listen: None,
            tls: None,
            tokens: Vec::new(),
            insecure: false,
            max_connections: 1024,
        }
    }
}

/// `grpc.tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcTls {
    /// `cert_file`: our certificate, then those between it and its authority.
    pub certificate: PathBuf,
    /// `key_file`: its private key.
    pub key: PathBuf,
    /// `client_ca_file`: whose certificates a client has to show one of; `None` asks for none.
    pub client_ca: Option<PathBuf>,
}

impl GrpcTls {
    /// The same in the words of the HTTP door.
    pub(super) fn as_web(&self) -> TlsConfig {
        let pem = |path: &Path| Pem::File(path.to_owned());
        TlsConfig {
            certificate: pem(&self.certificate),
            key: pem(&self.key),
            clients: match &self.client_ca {
                None => Clients::Unasked,
                Some(authority) => Clients::Verified {
                    authority: pem(authority),
                    names: None,
                },
            },
            versions: Versions::Both,
            cipher_suites: Vec::new(),
        }
    }
}

/// One of `grpc.tokens`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is; for logs.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Where it is; read again at each use, surrounding white space is not part of it.
    pub file: PathBuf,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Writing and nothing else: an agent.
    Writer,
    /// Looking and nothing else.
    Viewer,
    /// Looking, writing, and what belongs to everyday work.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The word for it in `grpc.tokens`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Whether it may write.
    #[must_use]
    pub const fn may_write(self) -> bool {
        !matches!(self, Self::Viewer)
    }
}
