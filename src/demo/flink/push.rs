//! Pushing as Flink's reporter pushes: the same method, headers and habits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use rustls::crypto::ring;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::CastError;

/// Connect and read timeout of the Java client, which cannot be changed there either.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// SIGTERM: the reporter deletes its group.
    Term,
    /// SIGKILL: nothing more is ever heard of it.
    Kill,
}

/// Pushes that the bridge has taken with a 2xx.
pub(super) type Taken = Arc<AtomicU64>;

/// Where and how often one process pushes.
pub(super) struct Reporter {
    pub(super) client: Client,
    pub(super) url: String,
    pub(super) interval: Duration,
    /// From the start to the first push: processes do not push in step.
    pub(super) phase: Duration,
    pub(super) taken: Taken,
}

/// A client as a Java process has one: its own connections, straight to the bridge.
pub(in crate::demo) fn client() -> Result<Client, CastError> {
    let client = Client::builder()
        .tls_backend_preconfigured(no_tls()?)
        .no_proxy()
        .http1_only()
        .timeout(TIMEOUT)
        .connect_timeout(TIMEOUT)
        .build()?;
    Ok(client)
}

impl Reporter {
    /// Pushes what `body` renders until an ending comes; a dropped sender is a kill.
    pub(super) async fn run(self, body: impl Fn() -> String, mut ending: oneshot::Receiver<Ending>) {
        let mut next = Instant::now() + self.phase;
        loop {
            tokio::select! {
                ending = &mut ending => {
                    if ending == Ok(Ending::Term) {
                        self.delete().await;
                    }
                    return;
                }
                () = sleep_until(next) => self.put(body()).await,
            }
            next = Instant::now() + self.interval;
        }
    }

    /// A push that fails is not repeated: the next one carries newer values.
    async fn put(&self, body: String) {
        let request = self.as_java(Method::PUT).body(body);
        match request.send().await.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {
                self.taken.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => tracing::warn!(%error, "a simulated process could not push"),
        }
    }

    async fn delete(&self) {
        if let Err(error) = self.as_java(Method::DELETE).send().await {
            tracing::warn!(%error, "a simulated process could not delete its group");
        }
    }

    fn as_java(&self, method: Method) -> RequestBuilder {
        self.client
            .request(method, &self.url)
            .header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            .header("User-Agent", "Java/17.0.15")
            .header("Accept", "text/html, image/gif, image/jpeg, */*; q=0.2")
            .header("Connection", "keep-alive")
    }
}

/// The HTTP client insists on a TLS configuration even where it speaks none: this one trusts nobody.
fn no_tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}
