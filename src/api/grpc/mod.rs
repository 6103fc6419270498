//! The gRPC door, on a port of its own: streams of remote-write messages, health, reflection.
//!
//! - A message is acknowledged when it is on disk, and messages are handed in in the order of their stream.
//! - A sender that comes back after a broken connection goes on where it was: nothing is lost, nothing out of order, and
//!   nothing taken twice unless we were restarted in between.
//! - Health may be asked by anybody who reaches the port; all else wants a token, where tokens are configured.
//!
//! The library frames and names; connections, TLS, routes and deadlines are ours, as at the HTTP door.

mod admission;
mod arriving;
mod books;
mod config;
mod conversation;
mod listen;
mod route;
mod sessions;
mod status;

use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus_client::registry::Registry as Metrics;
use tokio_rustls::TlsAcceptor;
use tonic_health::server::HealthReporter;

use super::web::WebError;
use super::{Doors, tls};
use crate::codec::ingest::Window;

use arriving::Unread;
use books::Books;
use sessions::Sessions;

pub use config::{GrpcConfig, GrpcTls, Role, Token};
pub use listen::serve as serve_grpc;

/// The only protocol in the words of ALPN.
const HTTP2: &[&[u8]] = &[b"h2"];

/// Most bytes of messages that all calls together have unread, or two of the longest if that is more: as the bodies at
/// the HTTP door, and apart from them, so that neither door can shut the other.
const MAX_UNREAD_BYTES: usize = 512 << 20;

/// Everything the gRPC door needs. Shared by all connections.
pub struct GrpcDoor {
    doors: Arc<Doors>,
    config: ArcSwap<GrpcConfig>,
    tls: ArcSwap<Option<TlsAcceptor>>,
    sessions: Sessions,
    unread: Arc<Unread>,
    health: HealthReporter,
    books: Books,
}

/// Certificates as they were read, ready to be put in force.
pub struct GrpcProtection(Option<TlsAcceptor>);

impl GrpcProtection {
    /// Reads the certificates that `config` names and looks at its tokens, which blocks on the disk.
    ///
    /// # Errors
    /// The first thing that is wrong, with the path of its key within `grpc`.
    pub fn read(config: &GrpcConfig) -> Result<Self, GrpcError> {
        for (index, token) in config.tokens.iter().enumerate() {
            admission::read(token).map_err(|error| GrpcError {
                field: format!("tokens[{index}].token_file"),
                problem: format!("{} cannot be used: {error}", token.file.display()),
            })?;
        }
        let acceptor = config.tls.as_ref().map(|it| tls::acceptor(&it.as_web(), HTTP2));
        let acceptor = acceptor.transpose().map_err(|error: WebError| GrpcError {
            field: error.field().replace("tls_server_config", "tls"),
            problem: error.to_string(),
        })?;
        Ok(Self(acceptor))
    }
}

/// Why a gRPC door that reads well cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{problem} (grpc.{field})")]
pub struct GrpcError {
    /// The path of the key within `grpc`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl GrpcDoor {
    /// A door beside `doors`, which takes what they take. `metrics` gets its counters.
    #[must_use]
    pub fn new(
        doors: Arc<Doors>,
        config: GrpcConfig,
        protection: GrpcProtection,
        metrics: &mut Metrics,
    ) -> Self {
        let books = Books::default();
        books.register(metrics);
        let longest = doors.config().receiver.max_body_bytes;
        Self {
            doors,
            config: ArcSwap::from_pointee(config),
            tls: ArcSwap::from_pointee(protection.0),
            sessions: Sessions::default(),
            unread: Arc::new(Unread::new(MAX_UNREAD_BYTES.max(longest.saturating_mul(2)))),
            health: HealthReporter::new(),
            books,
        }
    }

    /// Takes up other tokens and certificates; where to listen and how many connections stay as they are. Streams under
    /// way go on as they were let in.
    pub fn configure(&self, config: GrpcConfig, protection: GrpcProtection) {
        self.config.store(Arc::new(config));
        self.tls.store(Arc::new(protection.0));
    }

    /// What a sender may have under way.
    fn window(&self) -> Window {
        Window {
            messages: conversation::WINDOW_MESSAGES,
            bytes: conversation::WINDOW_BYTES,
            max_message_bytes: self.doors.config().receiver.max_body_bytes as u64,
        }
    }
}

impl std::fmt::Debug for GrpcDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrpcDoor")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GrpcProtection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GrpcProtection").field(&self.0.is_some()).finish()
    }
}
