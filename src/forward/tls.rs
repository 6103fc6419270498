//! `tls_config`: whom to trust and who we are.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::config::TlsConfig;
use super::error::ForwardError;

type Verifier = Arc<dyn ServerCertVerifier>;

/// Makes `tls` into what the client wants to reach `url`. Files are read now; a reload reads them again.
///
/// # Errors
/// The first thing that is wrong with `tls`.
pub(super) fn client_config(tls: &TlsConfig, url: &str) -> Result<ClientConfig, ForwardError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(tls, url, &provider)?;
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ForwardError::Client(Box::new(error)))?;
    let trusting = match verifier {
        Some(verifier) => versions.dangerous().with_custom_certificate_verifier(verifier),
        None => versions.with_root_certificates(RootCertStore::empty()),
    };
    let Some((certificate, key)) = &tls.client else {
        return Ok(trusting.with_no_client_auth());
    };
    let chain = certificates("tls_config.cert_file", certificate)?;
    let content = read("tls_config.key_file", key)?;
    let private = PrivateKeyDer::from_pem_slice(&content).map_err(|error| {
        bad(
            "tls_config.key_file",
            key,
            &format!("holds no private key in PEM form: {error}"),
        )
    })?;
    trusting.with_client_auth_cert(chain, private).map_err(|error| {
        bad(
            "tls_config.key_file",
            key,
            &format!("does not serve with its certificate: {error}"),
        )
    })
}

/// Who decides whether to trust; `None` where nobody can be trusted and nobody needs to be.
fn verifier(
    tls: &TlsConfig,
    url: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Verifier>, ForwardError> {
    if tls.insecure_skip_verify {
        return Ok(Some(Arc::new(TrustAnybody(Arc::clone(provider)))));
    }
    let trusted: Verifier = match &tls.ca_file {
        Some(path) => trust_file(path, provider)?,
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

fn trust_file(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Verifier, ForwardError> {
    const FIELD: &str = "tls_config.ca_file";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(FIELD, path)? {
        roots.add(certificate).map_err(|error| {
            bad(
                FIELD,
                path,
                &format!("holds a certificate that cannot be trusted: {error}"),
            )
        })?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| bad(FIELD, path, &error.to_string()))?;
    Ok(verifier)
}

fn certificates(field: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ForwardError> {
    let content = read(field, path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(bad(field, path, "holds no certificate in PEM form")),
        Err(error) => Err(bad(field, path, &format!("is not in PEM form: {error}"))),
    }
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, ForwardError> {
    std::fs::read(path).map_err(|source| ForwardError::TlsFile {
        field,
        path: path.to_owned(),
        source,
    })
}

fn bad(field: &'static str, path: &Path, problem: &str) -> ForwardError {
    ForwardError::TlsContent {
        field,
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
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
