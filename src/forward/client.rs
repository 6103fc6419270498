//! The connections to one remote: how they are made, and made anew when a certificate's file has changed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rand::seq::SliceRandom;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::config::RemoteConfig;
use super::error::ForwardError;
use super::proxy::proxies;
use super::tls::{Papers, client_config, has_files};

/// Hands out the client of a remote.
pub(super) struct Connections {
    config: RemoteConfig,
    current: Mutex<(Papers, Client)>,
}

impl Connections {
    /// Reads the files of `tls_config` and makes a client of it; connects to nobody yet.
    ///
    /// # Errors
    /// The first thing that is wrong with `tls_config` or with the proxy.
    pub(super) fn try_new(config: &RemoteConfig) -> Result<Self, ForwardError> {
        let papers = Papers::read(&config.tls)?;
        let client = build(config, &papers)?;
        Ok(Self {
            config: config.clone(),
            current: Mutex::new((papers, client)),
        })
    }

    /// The client for the next request. When a file of `tls_config` has changed, a new one, so that no connection made
    /// by the old certificates is used again.
    ///
    /// # Errors
    /// When a file cannot be read or used. Nothing is sent then: an authority may have been taken back.
    pub(super) async fn client(&self) -> Result<Client, ForwardError> {
        if !has_files(&self.config.tls) {
            return Ok(self.current(|(_, client)| client.clone()));
        }
        let tls = self.config.tls.clone();
        let read = tokio::task::spawn_blocking(move || Papers::read(&tls)).await;
        let papers = read.map_err(|error| ForwardError::Client(Box::new(error)))??;
        self.current(|current| {
            if current.0 != papers {
                let client = build(&self.config, &papers)?;
                *current = (papers, client);
            }
            Ok(current.1.clone())
        })
    }

    fn current<T>(&self, use_it: impl FnOnce(&mut (Papers, Client)) -> T) -> T {
        use_it(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn build(config: &RemoteConfig, papers: &Papers) -> Result<Client, ForwardError> {
    let mut tls = client_config(&config.tls, papers, &config.url)?;
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy();
    if config.enable_http2 {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    } else {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        builder = builder.http1_only();
    }
    for proxy in proxies(&config.proxy)? {
        builder = builder.proxy(proxy);
    }
    if config.round_robin_dns {
        builder = builder.dns_resolver(Arc::new(AnyAddress));
    }
    builder
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| ForwardError::Client(Box::new(error.without_url())))
}

/// `round_robin_dns`: the addresses of a host in a new order for each connection. The first that answers is taken, so
/// connections spread over all of them.
struct AnyAddress;

impl Resolve for AnyAddress {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(shuffled(found.collect(), &mut rand::rng()))
        })
    }
}

fn shuffled(mut addresses: Vec<SocketAddr>, chance: &mut impl rand::Rng) -> Addrs {
    addresses.shuffle(chance);
    Box::new(addresses.into_iter())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn every_address_of_a_host_comes_first_at_some_time() {
        let addresses: Vec<SocketAddr> = ["10.0.0.1:0", "10.0.0.2:0", "10.0.0.3:0"]
            .map(|address| address.parse().unwrap())
            .to_vec();
        let mut chance = StdRng::seed_from_u64(7);

        let first: BTreeSet<SocketAddr> = (0..50)
            .filter_map(|_| shuffled(addresses.clone(), &mut chance).next())
            .collect();

        assert_eq!(first.len(), 3);
    }
}
