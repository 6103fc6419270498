//! A client of the bridge's own door when TLS is spoken there, and the authority behind the certificates.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{self, Answer};

/// A certificate and its key.
pub(crate) struct Certified {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Certified {
    /// Writes it where the web configuration file looks for it.
    pub(crate) fn store(&self, folder: &Path) {
        // the key first: between the two writes it must not fit
        std::fs::write(folder.join("server.key"), self.key.serialize_pem()).unwrap();
        std::fs::write(folder.join("server.crt"), &self.pem).unwrap();
    }

    /// The certificate as it goes over the wire.
    pub(crate) fn der(&self) -> &[u8] {
        &self.certificate
    }
}

/// Certifies servers and clients.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn certify(&self, name: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certified {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }
}

/// A client that trusts one authority, and may have a certificate of its own.
pub(crate) struct Client(Arc<ClientConfig>);

impl Client {
    pub(crate) fn trusting(authority: &Authority) -> Self {
        Self::with(authority, None)
    }

    pub(crate) fn certified(authority: &Authority, own: &Certified) -> Self {
        Self::with(authority, Some(own))
    }

    fn with(authority: &Authority, own: Option<&Certified>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trusting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            None => trusting.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
                trusting
                    .with_client_auth_cert(vec![own.certificate.clone()], key)
                    .unwrap()
            }
        };
        Self(Arc::new(config))
    }

    /// Asks for the head of a page as an HTTP client of its own making does; returns protocol, status and length.
    pub(crate) fn head(
        &self,
        address: SocketAddr,
        path: &str,
    ) -> Result<(String, u16, String), reqwest::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut tls = (*self.0).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .resolve("bridge.example", address)
            .build()?;
        let url = format!("https://bridge.example:{}{path}", address.port());
        runtime.block_on(async {
            let answer = client.head(url).send().await?;
            let length = answer.headers()["content-length"].to_str().unwrap().to_owned();
            let seen = (
                format!("{:?}", answer.version()),
                answer.status().as_u16(),
                length,
            );
            answer.bytes().await.map(|_| seen)
        })
    }

    /// Sends a request on a connection of its own; also returns the certificate that the server showed.
    pub(crate) fn request(
        &self,
        address: SocketAddr,
        (method, path): (&str, &str),
        body: &str,
    ) -> Result<(Answer, Vec<u8>), String> {
        let name = ServerName::try_from("bridge.example").unwrap();
        let session = ClientConnection::new(Arc::clone(&self.0), name).unwrap();
        let socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(session, socket));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bridge.example\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let sent = stream.get_mut().write_all(request.as_bytes());
        sent.map_err(|error| error.to_string())?;
        let (start, headers) = http::read_head(&mut stream)
            .map_err(|error| error.to_string())?
            .ok_or("no answer")?;
        let body = http::read_body(&mut stream, &headers).map_err(|error| error.to_string())?;
        let status = start.split(' ').nth(1).unwrap().parse().unwrap();
        let shown = stream.get_ref().conn.peer_certificates().unwrap()[0].to_vec();
        Ok((
            Answer {
                status,
                headers,
                body,
            },
            shown,
        ))
    }
}
