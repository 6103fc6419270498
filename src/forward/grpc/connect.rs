//! From the URL of a remote to a connection that speaks HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use reqwest::Url;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tower_service::Service;

use super::super::address::Address;
use super::super::config::{Auth, RemoteConfig, TlsConfig};
use super::super::error::ForwardError;
use super::super::tls::{Papers, client_config};
use super::super::transport::{Code, SendError};
use super::local;
use crate::model::whole_story;

/// The port where a bridge takes streams unless it is told otherwise.
const DEFAULT_PORT: u16 = 9092;

/// How often is asked whether the other side is still there, and how long it may take to say so. A connection that was
/// torn without a word, as by a firewall, is noticed within twice that.
const PING_EVERY: Duration = Duration::from_secs(20);

/// What drives a connection until it ends.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How to greet the other side by TLS. Files are read for each connection, so that they can be changed in place.
#[derive(Clone)]
struct Tls {
    config: TlsConfig,
    url: String,
    name: ServerName<'static>,
}

/// Where a stream goes, and how to get there.
pub(super) struct Endpoint {
    host: String,
    port: u16,
    tls: Option<Tls>,
    url: Url,
    origin: Uri,
    user: Option<Auth>,
}

impl Endpoint {
    /// Reads the URL, and the files of `tls_config`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn try_new(config: &RemoteConfig) -> Result<Self, ForwardError> {
        let wrong = |problem: &str| ForwardError::Url {
            url: RemoteConfig::redact(&config.url),
            problem: problem.to_owned(),
        };
        let typed = config.url.trim();
        let (scheme, rest) = typed.split_once("://").unwrap_or_default();
        let is_encrypted = scheme.eq_ignore_ascii_case("grpcs");
        let like = format!("{}://{rest}", if is_encrypted { "https" } else { "http" });
        let Address { url, user } = Address::parse(&like)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "has something behind host and port, where gRPC has nothing",
            ));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = port(rest).unwrap_or(DEFAULT_PORT);
        let authority = Authority::try_from(format!("{host}:{port}")).map_err(|_| wrong("names no host"))?;
        let bare = host.trim_matches(['[', ']']).to_owned();
        let tls = if is_encrypted {
            Some(Tls::try_new(&config.tls, &like, &bare)?)
        } else if config.tls == TlsConfig::default() {
            None
        } else {
            return Err(ForwardError::NotByGrpc {
                field: "tls_config",
                why: "goes with grpcs://",
            });
        };
        let origin = Uri::builder()
            .scheme(if is_encrypted { Scheme::HTTPS } else { Scheme::HTTP })
            .authority(authority)
            .path_and_query("/")
            .build()
            .map_err(|_| wrong("names no host"))?;
        Ok(Self {
            host: bare,
            port,
            tls,
            url,
            origin,
            user,
        })
    }

    /// The user who stood in the URL.
    pub(super) const fn user(&self) -> Option<&Auth> {
        self.user.as_ref()
    }

    /// The URL as credentials want it, without user.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// What calls begin with.
    pub(super) fn origin(&self) -> Uri {
        self.origin.clone()
    }

    /// The URL as logs and status pages show it.
    pub(super) fn shown_url(&self) -> String {
        let scheme = if self.tls.is_some() { "grpcs" } else { "grpc" };
        let authority = self.origin.authority().map(Authority::as_str);
        format!("{scheme}://{}", authority.unwrap_or_default())
    }

    /// A new connection, and what has to be driven for it to live.
    pub(super) async fn connect(&self) -> Result<(Channel, Driver), SendError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| unreachable(&format!("cannot connect: {error}")))?;
        // without it a request waits for the acknowledgement of the one before
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => speak(stream).await,
            Some(tls) => {
                let greeted = tls.connector().await?.connect(tls.name.clone(), stream).await;
                speak(greeted.map_err(|error| unreachable(&format!("TLS: {error}")))?).await
            }
        }
    }
}

impl Tls {
    fn try_new(config: &TlsConfig, url: &str, host: &str) -> Result<Self, ForwardError> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| ForwardError::ServerName(host.to_owned()))?;
        let tls = Self {
            config: config.clone(),
            url: url.to_owned(),
            name,
        };
        tls.read().map(|_| tls)
    }

    fn read(&self) -> Result<TlsConnector, ForwardError> {
        let papers = Papers::read(&self.config)?;
        let mut config = client_config(&self.config, &papers, &self.url)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    async fn connector(&self) -> Result<TlsConnector, SendError> {
        let tls = self.clone();
        let read = tokio::task::spawn_blocking(move || tls.read()).await;
        match read {
            Ok(Ok(connector)) => Ok(connector),
            Ok(Err(error)) => Err(local(whole_story(&error))),
            Err(error) => Err(local(error)),
        }
    }
}

/// The port as it was typed: the URL's own reader takes 80 for none.
fn port(rest: &str) -> Option<u16> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let (_, port) = host.rsplit_once(':')?;
    port.parse().ok()
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(Channel, Driver), SendError> {
    let (requests, connection) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(PING_EVERY))
        .keep_alive_timeout(PING_EVERY)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&whole_story(&error)))?;
    let driver = async move {
        // why it ends is told by the stream on it
        let _ = connection.await;
    };
    Ok((Channel(requests), Box::pin(driver)))
}

fn unreachable(words: &str) -> SendError {
    SendError::Retry {
        code: Code::Network,
        after: None,
        words: words.to_owned(),
    }
}

/// A connection as the generated client wants it.
#[derive(Clone)]
pub(super) struct Channel(SendRequest<Body>);

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(url: &str) -> String {
        match Endpoint::try_new(&RemoteConfig::new("r", url)) {
            Ok(endpoint) => endpoint.shown_url(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_port_is_the_one_that_was_typed_or_a_bridges_own() {
        assert_eq!(shown("grpc://host"), "grpc://host:9092");
        assert_eq!(shown("GRPC://user:pass@host:80/"), "grpc://host:80");
        assert_eq!(shown("grpc://[::1]:7"), "grpc://[::1]:7");
        assert_eq!(shown("grpc://[::1]"), "grpc://[::1]:9092");
    }

    #[test]
    fn what_no_stream_can_go_to_is_refused_without_showing_secrets() {
        assert_eq!(
            shown("grpc://u:secret@host/api/v1/write?token=t"),
            "url \"grpc://<hidden>@host/api/v1/write\" has something behind host and port, where gRPC has nothing; it reads like http://host:9090/api/v1/write"
        );
        assert!(shown("grpc://").contains("empty host"));
    }
}
