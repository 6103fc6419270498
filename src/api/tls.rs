//! TLS on our own door: certificates to what greets a connection, and the greeting itself.

mod clients;
mod names;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion, version};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::web::{Pem, TlsConfig, Versions, WebError};

/// How long a client may take for the handshake.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// The first byte of every TLS connection: a record that holds a handshake (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What came of a greeting.
#[derive(Debug)]
pub(super) enum Greeting {
    /// The connection, from now on encrypted.
    Done(Box<TlsStream<TcpStream>>),
    /// The client does not speak TLS.
    Plain(TcpStream),
    /// The client went away, or was not trusted, or does not trust us.
    Failed(io::Error),
}

/// Greets a client; always ends within the deadline.
pub(super) async fn greet(acceptor: &TlsAcceptor, stream: TcpStream) -> Greeting {
    let greeting = async {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Err(error) => return Greeting::Failed(error),
            Ok(0) => return Greeting::Failed(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) if first != [HANDSHAKE_RECORD] => return Greeting::Plain(stream),
            Ok(_) => {}
        }
        match acceptor.accept(stream).await {
            Ok(stream) => Greeting::Done(Box::new(stream)),
            Err(error) => Greeting::Failed(error),
        }
    };
    tokio::time::timeout(HANDSHAKE_DEADLINE, greeting)
        .await
        .unwrap_or_else(|_| Greeting::Failed(io::ErrorKind::TimedOut.into()))
}

/// Makes `tls` into what greets connections and then has these protocols to choose from; certificates and key are read
/// now.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn acceptor(tls: &TlsConfig, spoken: &[&[u8]]) -> Result<TlsAcceptor, WebError> {
    let provider = Arc::new(provider(&tls.cipher_suites));
    let chain = certificates("tls_server_config.cert_file", &tls.certificate)?;
    let key = private_key(&tls.key)?;
    let verifier = clients::verifier(&tls.clients, &provider)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls.versions))
        .map_err(|error| {
            unusable(
                "tls_server_config.cipher_suites",
                format!("leaves nothing to speak: {error}"),
            )
        })?;
    let trusting = match verifier {
        None => config.with_no_client_auth(),
        Some(verifier) => config.with_client_cert_verifier(verifier),
    };
    let mut config = trusting.with_single_cert(chain, key).map_err(|error| {
        unusable(
            "tls_server_config.key_file",
            format!("does not belong to the certificate: {error}"),
        )
    })?;
    config.alpn_protocols = spoken.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What can be spoken, TLS 1.2 narrowed down to `chosen` where something is.
fn provider(chosen: &[CipherSuite]) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !chosen.is_empty() {
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some() || chosen.contains(&suite.suite()));
    }
    provider
}

fn versions(versions: Versions) -> Vec<&'static SupportedProtocolVersion> {
    match versions {
        Versions::Only12 => vec![&version::TLS12],
        Versions::Both => vec![&version::TLS12, &version::TLS13],
        Versions::Only13 => vec![&version::TLS13],
    }
}

fn private_key(key: &Pem) -> Result<PrivateKeyDer<'static>, WebError> {
    const FIELD: &str = "tls_server_config.key_file";
    let content = read(FIELD, key)?;
    PrivateKeyDer::from_pem_slice(&content)
        .map_err(|error| unusable(FIELD, format!("holds no private key in PEM form: {error}")))
}

fn certificates(field: &'static str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>, WebError> {
    let content = read(field, pem)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(unusable(field, "holds no certificate in PEM form")),
        Err(error) => Err(unusable(field, format!("is not in PEM form: {error}"))),
    }
}

fn read(field: &'static str, pem: &Pem) -> Result<Vec<u8>, WebError> {
    match pem {
        Pem::Inline(text) => Ok(text.clone().into_bytes()),
        Pem::File(path) => std::fs::read(path).map_err(|error| WebError::Unreadable {
            field,
            path: path.clone(),
            error,
        }),
    }
}

fn unusable(field: &'static str, problem: impl Into<String>) -> WebError {
    WebError::Unusable {
        field,
        problem: problem.into(),
    }
}

type Verifier = Arc<dyn ClientCertVerifier>;

#[cfg(test)]
mod tests;
