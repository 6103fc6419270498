//! `tls_config`: whom to trust and who we are.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::config::{Secret, TlsConfig, TlsVersion};
use super::error::ForwardError;

type Verifier = Arc<dyn ServerCertVerifier>;

/// What stands in the files and texts that `tls_config` names, as it was read.
#[derive(PartialEq, Eq)]
pub(super) struct Papers {
    ca: Option<Paper>,
    client: Option<(Paper, Paper)>,
}

/// One of them, and how to speak of it.
#[derive(PartialEq, Eq)]
struct Paper {
    field: &'static str,
    place: String,
    content: Vec<u8>,
}

impl Papers {
    /// Reads every file that `tls` names.
    ///
    /// # Errors
    /// [`ForwardError::TlsFile`] for the first that cannot be read.
    pub(super) fn read(tls: &TlsConfig) -> Result<Self, ForwardError> {
        let ca = tls.ca.as_ref();
        let client = tls.client.as_ref();
        Ok(Self {
            ca: ca
                .map(|ca| Paper::read(ca, "tls_config.ca", "tls_config.ca_file"))
                .transpose()?,
            client: client
                .map(|(certificate, key)| {
                    Ok((
                        Paper::read(certificate, "tls_config.cert", "tls_config.cert_file")?,
                        Paper::read(key, "tls_config.key", "tls_config.key_file")?,
                    ))
                })
                .transpose()?,
        })
    }
}

impl Paper {
    fn read(secret: &Secret, inline: &'static str, file: &'static str) -> Result<Self, ForwardError> {
        match secret {
            Secret::Inline(text) => Ok(Self {
                field: inline,
                place: "the text".to_owned(),
                content: text.clone().into_bytes(),
            }),
            Secret::File(path) => match std::fs::read(path) {
                Ok(content) => Ok(Self {
                    field: file,
                    place: path.display().to_string(),
                    content,
                }),
                Err(source) => Err(ForwardError::TlsFile {
                    field: file,
                    path: path.clone(),
                    source,
                }),
            },
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, ForwardError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.content).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            Ok(_) => Err(self.bad("holds no certificate in PEM form")),
            Err(error) => Err(self.bad(&format!("is not in PEM form: {error}"))),
        }
    }

    fn bad(&self, problem: &str) -> ForwardError {
        ForwardError::TlsContent {
            field: self.field,
            place: self.place.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// Whether a file stands behind anything in `tls`, so that it may change.
pub(super) fn has_files(tls: &TlsConfig) -> bool {
    let client = tls
        .client
        .iter()
        .flat_map(|(certificate, key)| [certificate, key]);
    tls.ca
        .iter()
        .chain(client)
        .any(|secret| matches!(secret, Secret::File(_)))
}

/// Makes `tls`, whose files hold `papers`, into what the client wants to reach `url`.
///
/// # Errors
/// The first thing that is wrong with `tls`.
pub(super) fn client_config(
    tls: &TlsConfig,
    papers: &Papers,
    url: &str,
) -> Result<ClientConfig, ForwardError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(tls, papers, url, &provider)?;
    let versions = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls)?)
        .map_err(|error| ForwardError::Client(Box::new(error)))?;
    let trusting = match verifier {
        Some(verifier) => versions.dangerous().with_custom_certificate_verifier(verifier),
        None => versions.with_root_certificates(RootCertStore::empty()),
    };
    let Some((certificate, key)) = &papers.client else {
        return Ok(trusting.with_no_client_auth());
    };
    let chain = certificate.certificates()?;
    let private = PrivateKeyDer::from_pem_slice(&key.content)
        .map_err(|error| key.bad(&format!("holds no private key in PEM form: {error}")))?;
    trusting
        .with_client_auth_cert(chain, private)
        .map_err(|error| key.bad(&format!("does not serve with its certificate: {error}")))
}

fn versions(tls: &TlsConfig) -> Result<Vec<&'static SupportedProtocolVersion>, ForwardError> {
    let within = |version| {
        tls.min_version.is_none_or(|least| least <= version)
            && tls.max_version.is_none_or(|most| version <= most)
    };
    let known = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)];
    let spoken: Vec<_> = known
        .into_iter()
        .filter_map(|(version, rustls)| within(version).then_some(rustls))
        .collect();
    match spoken.is_empty() {
        true => Err(ForwardError::TlsVersions {
            field: "tls_config.min_version",
        }),
        false => Ok(spoken),
    }
}

/// Who decides whether to trust; `None` where nobody can be trusted and nobody needs to be.
fn verifier(
    tls: &TlsConfig,
    papers: &Papers,
    url: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Verifier>, ForwardError> {
    if tls.insecure_skip_verify {
        return Ok(Some(Arc::new(TrustAnybody(Arc::clone(provider)))));
    }
    let trusted: Verifier = match &papers.ca {
        Some(authorities) => trust(authorities, provider)?,
        None => match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
            Ok(system) => Arc::new(system),
            Err(_) if url.starts_with("http:") => return Ok(None),
            Err(error) => return Err(ForwardError::NoRoots(error)),
        },
    };
    let Some(name) = &tls.server_name else {
        return Ok(Some(trusted));
    };
    let name = ServerName::try_from(name.clone()).map_err(|_| ForwardError::ServerName(name.clone()))?;
    Ok(Some(Arc::new(ExpectName { name, trusted })))
}

fn trust(authorities: &Paper, provider: &Arc<CryptoProvider>) -> Result<Verifier, ForwardError> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities.certificates()? {
        roots.add(certificate).map_err(|error| {
            authorities.bad(&format!("holds a certificate that cannot be trusted: {error}"))
        })?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| authorities.bad(&error.to_string()))?;
    Ok(verifier)
}

/// Expects `name` in the certificate, whatever the URL says.
#[derive(Debug)]
struct ExpectName {
    name: ServerName<'static>,
    trusted: Verifier,
}

impl ServerCertVerifier for ExpectName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.trusted
            .verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trusted
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.supported_verify_schemes()
    }
}

/// `insecure_skip_verify`: takes any certificate, but still only from who holds its key.
#[derive(Debug)]
struct TrustAnybody(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
