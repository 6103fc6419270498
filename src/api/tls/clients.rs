//! Which clients are let in by their certificates: the client authentication types of Go's `crypto/tls`.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::super::web::{Clients, Pem, WebError};
use super::names::alternative_names;
use super::{Verifier, certificates, unusable};

const FIELD: &str = "tls_server_config.client_ca_file";

/// Who judges the certificates of clients; `None` where none is asked for.
pub(super) fn verifier(
    clients: &Clients,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Verifier>, WebError> {
    let algorithms = provider.signature_verification_algorithms;
    let any = |is_mandatory| -> Verifier {
        Arc::new(AnyCertificate {
            is_mandatory,
            algorithms,
        })
    };
    let (verifier, names) = match clients {
        Clients::Unasked => return Ok(None),
        Clients::Asked => (any(false), None),
        Clients::Any { names } => (any(true), names.clone()),
        Clients::VerifiedIfGiven { authority } => {
            let trusted =
                WebPkiClientVerifier::builder_with_provider(roots(authority)?, Arc::clone(provider));
            (built(trusted.allow_unauthenticated().build())?, None)
        }
        Clients::Verified { authority, names } => {
            let trusted =
                WebPkiClientVerifier::builder_with_provider(roots(authority)?, Arc::clone(provider));
            (built(trusted.build())?, names.clone())
        }
    };
    Ok(Some(match names {
        None => verifier,
        Some(names) => Arc::new(Named { names, verifier }),
    }))
}

fn built(built: Result<Arc<dyn ClientCertVerifier>, impl std::fmt::Display>) -> Result<Verifier, WebError> {
    built.map_err(|error| unusable(FIELD, error.to_string()))
}

fn roots(authority: &Pem) -> Result<Arc<RootCertStore>, WebError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(FIELD, authority)? {
        roots.add(certificate).map_err(|error| {
            unusable(
                FIELD,
                format!("holds a certificate that cannot be trusted: {error}"),
            )
        })?;
    }
    Ok(Arc::new(roots))
}

/// Takes any certificate, but only from who holds its key.
#[derive(Debug)]
struct AnyCertificate {
    is_mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// `client_allowed_sans`: what another verifier takes, if one of its names is on the list, to the letter.
#[derive(Debug)]
struct Named {
    names: Vec<String>,
    verifier: Verifier,
}

impl ClientCertVerifier for Named {
    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(end_entity, intermediates, now)?;
        if alternative_names(end_entity)
            .iter()
            .any(|name| self.names.contains(name))
        {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
