//! The gRPC door: opened where it is wanted, or where nobody else is.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use prometheus_client::registry::Registry as Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{AppError, spawn};
use crate::api::{self, Doors, GrpcConfig, GrpcDoor, GrpcProtection};

/// The port and what protects it, found to be usable before anything else is begun.
pub(super) struct Opened {
    config: GrpcConfig,
    protection: GrpcProtection,
    listener: Option<TcpListener>,
}

/// The door, and where it is.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) door: Arc<GrpcDoor>,
    pub(super) address: Option<SocketAddr>,
}

impl Opened {
    /// Reads what protects the door, and opens its port. There is none when nobody has asked for the door and its port is
    /// taken, which is Kafka's too.
    ///
    /// # Errors
    /// [`AppError::Listen`] where it was asked for; [`AppError::Grpc`] with the first thing that is wrong.
    pub(super) async fn try_new(config: &GrpcConfig) -> Result<Self, AppError> {
        let protection = read(config.clone()).await?;
        let address = config.address();
        let listener = match api::listen(address).await {
            Ok(listener) => Some(listener),
            Err(error) if config.listen.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
                warn!(
                    address,
                    "no gRPC door: somebody else has its port; set grpc.listen to another"
                );
                None
            }
            Err(source) => {
                return Err(AppError::Listen {
                    key: "grpc.listen",
                    address: address.to_owned(),
                    source,
                });
            }
        };
        Ok(Self {
            config: config.clone(),
            protection,
            listener,
        })
    }

    /// The door beside `doors`, and its port, to be [served](Side::serve) when all else is ready.
    pub(super) fn beside(self, doors: &Arc<Doors>, metrics: &mut Metrics) -> (Side, Option<TcpListener>) {
        let door = GrpcDoor::new(Arc::clone(doors), self.config, self.protection, metrics);
        let side = Side {
            door: Arc::new(door),
            address: self.listener.as_ref().and_then(|it| it.local_addr().ok()),
        };
        (side, self.listener)
    }
}

impl Side {
    /// Takes streams until `stop` changes.
    pub(super) fn serve(
        &self,
        listener: Option<TcpListener>,
        stop: watch::Receiver<bool>,
    ) -> Option<JoinHandle<()>> {
        if let Some(address) = self.address {
            info!(%address, door = %"grpc", "listening");
        }
        listener.map(|listener| spawn(api::serve_grpc(listener, Arc::clone(&self.door), stop)))
    }
}

/// Reads certificates and tokens away from the threads that serve.
///
/// # Errors
/// [`AppError::Grpc`] with the first thing that is wrong.
pub(super) async fn read(config: GrpcConfig) -> Result<GrpcProtection, AppError> {
    let read = tokio::task::spawn_blocking(move || GrpcProtection::read(&config)).await;
    Ok(read.map_err(io::Error::other).map_err(AppError::Reading)??)
}
