//! The way out: from the queue to one remote, by remote-write.
//!
//! - A record is acknowledged when the remote has accepted or refused for good every sample of it, and not before:
//!   whatever happens in between, it is sent again.
//! - The samples of a series arrive in the order of the log, always: a record's key decides its lane, a lane sends
//!   one request at a time, and a fence waits for all lanes and makes them wait.
//! - A request is sent at once when a lane is idle; while it is under way, what arrives gathers for the next.
//! - What may pass is tried again for ever: the queue bounds how much waits. What cannot pass is taken apart until
//!   the offending series is alone, so that it takes no neighbour along; it is counted, kept in a list, and logged.
//! - What is known of a remote's limits is kept to before sending; what had to be changed or left out is counted.
//!
//! Reading order: [`Forwarder`] here, `dispatch.rs` (who goes to which lane), `lane.rs` (gather, send, settle),
//! `piece.rs` (a record made ready for the remote), `batch.rs` (what is in a request), `remote_write.rs` (the wire), or
//! `grpc/` where the remote is a bridge.

mod address;
mod batch;
mod books;
mod client;
mod complaints;
mod config;
mod credentials;
mod dispatch;
mod error;
mod families;
mod grpc;
mod headers;
mod lane;
mod letter;
mod metrics;
mod negotiation;
mod piece;
mod profile;
mod proxy;
mod remote_write;
mod retry;
mod search;
mod source;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod way;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::catalogue::Catalogue;
use crate::model::Clock;
use crate::normalise::Relabelling;
use crate::queue::Reader;

pub use books::{Extent, LastError, Rejection, RemoteStatus};
pub use config::{
    Auth, BatchConfig, HeaderConfig, MetadataConfig, ProxyConfig, RemoteConfig, Secret, Takes, TlsConfig,
    TlsVersion,
};
pub use credentials::{
    AzureAdConfig, AzureCloud, AzureIdentity, GoogleIamConfig, OAuth2Config, SigV4Config, StsEndpoint,
};
pub use error::ForwardError;
pub use headers::is_reserved;
pub use metrics::Metrics;
pub use profile::{Beyond, BeyondNames, Limits, Profile, Refusal, TextLimit};

use books::Books;
use complaints::Complaints;
use dispatch::Dispatcher;
use lane::Route;
use negotiation::Negotiation;
use way::Way;

/// Everything that is wrong with the settings of a remote; nothing when [`Forwarder::new`] would take them. Reads the
/// files of `tls_config`.
#[must_use]
pub fn check(config: &RemoteConfig, clock: &Arc<dyn Clock>) -> Vec<ForwardError> {
    prepare(config, clock).err().unwrap_or_default()
}

/// Delivers what one reader of the queue hands out to one remote.
pub struct Forwarder {
    dispatcher: Dispatcher<Reader, Way>,
}

impl Forwarder {
    /// Checks the settings and sets up everything but the first connection. `reader` has as many lanes as
    /// `config.batch.lanes`; `catalogue` is what is known of families. Of two forwarders of one name only one may run.
    ///
    /// # Errors
    /// Everything that is wrong with `config`.
    pub fn new(
        config: &RemoteConfig,
        reader: Reader,
        metrics: &Metrics,
        (clock, catalogue): (&Arc<dyn Clock>, &Arc<Catalogue>),
    ) -> Result<Self, Vec<ForwardError>> {
        let (transport, rules) = prepare(config, clock)?;
        let books = metrics.books(&config.name, clock);
        books.begin(transport.shown_url(), reader.backlog().totals.weight);
        Ok(Self {
            dispatcher: Dispatcher {
                source: reader,
                route: Arc::new(Route {
                    transport,
                    config: config.batch.clone(),
                    rules,
                    takes: config.takes,
                    negotiation: Negotiation::new(&config.name, config.message),
                    catalogue: Arc::clone(catalogue),
                    metadata: config.metadata,
                    limits: config.limits.clone(),
                    complaints: Complaints::new(&config.name),
                    books,
                    recovered: Notify::new(),
                }),
            },
        })
    }

    /// How the remote fares; can be asked for as long as it is kept.
    #[must_use]
    pub fn status(&self) -> Status {
        Status(Arc::clone(&self.dispatcher.route.books))
    }

    /// Delivers until `stop` resolves; then a request under way may end within five seconds, and nothing new begins.
    /// Nothing is acknowledged that did not arrive. Ends by itself only when the queue has closed.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.dispatcher.run(stop).await;
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let books = &self.dispatcher.route.books;
        f.debug_struct("Forwarder")
            .field("books", books)
            .finish_non_exhaustive()
    }
}

/// Tells how a remote fares, while its forwarder runs and after.
#[derive(Clone, Debug)]
pub struct Status(Arc<Books>);

impl Status {
    /// As it stands now.
    #[must_use]
    pub fn read(&self) -> RemoteStatus {
        self.0.status()
    }
}

fn prepare(
    config: &RemoteConfig,
    clock: &Arc<dyn Clock>,
) -> Result<(Way, Option<Relabelling>), Vec<ForwardError>> {
    let mut mistakes = Vec::new();
    for (field, value) in [
        (
            "queue_config.max_samples_per_send",
            config.batch.max_samples_per_send,
        ),
        ("queue_config.max_shards", config.batch.lanes),
    ] {
        if value == 0 {
            mistakes.push(ForwardError::Zero { field });
        }
    }
    let way = Way::try_new(config, clock).map_err(|errors| mistakes.extend(errors));
    let rules = Relabelling::try_new(&config.write_relabel)
        .map_err(|errors| mistakes.extend(errors.into_iter().map(ForwardError::Rule)));
    match (way, rules) {
        (Ok(way), Ok(rules)) if mistakes.is_empty() => {
            let rules = (!config.write_relabel.is_empty()).then_some(rules);
            Ok((way, rules))
        }
        _ => Err(mistakes),
    }
}
