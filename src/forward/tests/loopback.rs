//! A small HTTP server on loopback that keeps what it was sent, and an authority that certifies it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Debug)]
pub(in crate::forward) struct Request {
    pub(in crate::forward) method: String,
    pub(in crate::forward) target: String,
    pub(in crate::forward) version: Version,
    pub(in crate::forward) headers: HeaderMap,
    pub(in crate::forward) body: Bytes,
}

impl Request {
    pub(in crate::forward) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The number that the path is.
    pub(in crate::forward) fn path_number(&self) -> u16 {
        self.target.trim_start_matches('/').parse().unwrap()
    }
}

pub(in crate::forward) struct Answer(Option<Response<Full<Bytes>>>);

impl Answer {
    pub(in crate::forward) fn status(status: u16) -> Self {
        let response = Response::builder().status(status);
        Self(Some(response.body(Full::default()).unwrap()))
    }

    pub(in crate::forward) const fn never() -> Self {
        Self(None)
    }

    pub(in crate::forward) fn with(self, name: &'static str, value: &str) -> Self {
        Self(self.0.map(|mut response| {
            response.headers_mut().insert(name, value.parse().unwrap());
            response
        }))
    }

    pub(in crate::forward) fn saying(self, words: &str) -> Self {
        Self(
            self.0
                .map(|response| response.map(|_| Full::from(words.to_owned()))),
        )
    }
}

type Answers = dyn Fn(&Request) -> Answer + Send + Sync;

/// Serves until it is dropped.
pub(in crate::forward) struct Server {
    base: String,
    requests: Arc<Mutex<Vec<Request>>>,
    _serving: JoinSet<()>,
}

impl Server {
    pub(in crate::forward) async fn start(
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::serve(None, Arc::new(answers)).await
    }

    pub(in crate::forward) async fn start_tls(
        authority: &Authority,
        name: &str,
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (chain, key) = authority.certify(name);
        let mut config = tls_builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::serve(Some(config), Arc::new(answers)).await
    }

    /// Speaks nothing newer than TLS 1.2.
    pub(in crate::forward) async fn start_tls_1_2(
        authority: &Authority,
        name: &str,
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (chain, key) = authority.certify(name);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::serve(Some(config), Arc::new(answers)).await
    }

    pub(in crate::forward) async fn start_mutual_tls(
        authority: &Authority,
        name: &str,
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (chain, key) = authority.certify(name);
        let mut roots = RootCertStore::empty();
        roots.add(authority.issuer.as_ref().der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        let config = tls_builder()
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .unwrap();
        Self::serve(Some(config), Arc::new(answers)).await
    }

    pub(in crate::forward) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(in crate::forward) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(tls: Option<ServerConfig>, answers: Arc<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = match tls {
            None => format!("http://127.0.0.1:{port}"),
            Some(_) => format!("https://localhost:{port}"),
        };
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answers, kept, tls) = (Arc::clone(&answers), Arc::clone(&kept), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => answer(stream, answers, kept).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                answer(stream, answers, kept).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            base,
            requests,
            _serving: serving,
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answers: Arc<Answers>,
    kept: Arc<Mutex<Vec<Request>>>,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
        async move {
            let (head, body) = request.into_parts();
            let request = Request {
                method: head.method.to_string(),
                target: match head.version {
                    Version::HTTP_2 => head.uri.path().to_owned(),
                    _ => head.uri.to_string(),
                },
                version: head.version,
                headers: head.headers,
                body: body.collect().await.unwrap().to_bytes(),
            };
            let answer = answers(&request);
            kept.lock().unwrap().push(request);
            match answer.0 {
                Some(response) => Ok::<_, Infallible>(response),
                None => std::future::pending().await,
            }
        }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

fn tls_builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
}

/// Certifies servers and clients; its files live as long as it does.
pub(in crate::forward) struct Authority {
    folder: tempfile::TempDir,
    issuer: rcgen::CertifiedIssuer<'static, KeyPair>,
}

type Certified = (
    Vec<rustls_pki_types::CertificateDer<'static>>,
    PrivateKeyDer<'static>,
);

impl Authority {
    pub(in crate::forward) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = rcgen::CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(in crate::forward) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Certificate and key of a client.
    pub(in crate::forward) fn client_files(&self) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = (
            self.folder.path().join("client.pem"),
            self.folder.path().join("client.key"),
        );
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn certify(&self, name: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        (vec![certificate.der().clone()], key)
    }
}
