//! The way that a remote's URL asks for.

use std::sync::Arc;

use super::config::RemoteConfig;
use super::error::ForwardError;
use super::grpc::Grpc;
use super::letter::Letter;
use super::remote_write::Http;
use super::transport::{Accepted, SendError, Transport};
use crate::model::Clock;

/// How requests get to a remote.
pub(super) enum Way {
    /// `http://` and `https://`: remote-write.
    Http(Box<Http>),
    /// `grpc://` and `grpcs://`: another bridge.
    Grpc(Box<Grpc>),
}

impl Way {
    /// Checks everything a request needs.
    ///
    /// # Errors
    /// Everything that is wrong with `config`.
    pub(super) fn try_new(config: &RemoteConfig, clock: &Arc<dyn Clock>) -> Result<Self, Vec<ForwardError>> {
        if !Grpc::is_meant_by(&config.url) {
            return Http::try_new(config, Arc::clone(clock)).map(|http| Self::Http(Box::new(http)));
        }
        Grpc::try_new(config, clock).map(|grpc| Self::Grpc(Box::new(grpc)))
    }

    /// The URL as logs and status pages show it.
    pub(super) fn shown_url(&self) -> String {
        match self {
            Self::Http(http) => http.shown_url(),
            Self::Grpc(grpc) => grpc.shown_url(),
        }
    }
}

impl Transport for Way {
    async fn send(&self, letter: &Letter, attempt: u32) -> Result<Accepted, SendError> {
        match self {
            Self::Http(http) => Transport::send(http.as_ref(), letter, attempt).await,
            Self::Grpc(grpc) => Transport::send(grpc.as_ref(), letter, attempt).await,
        }
    }
}
