use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::api::Clients;

/// A certificate that vouches for itself, and its key.
fn own() -> (Pem, Pem) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["bridge.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (Pem::Inline(certificate.pem()), Pem::Inline(key.serialize_pem()))
}

fn config() -> TlsConfig {
    let (certificate, key) = own();
    TlsConfig {
        certificate,
        key,
        clients: Clients::Unasked,
        versions: Versions::Both,
        cipher_suites: Vec::new(),
    }
}

#[track_caller]
fn refused(tls: &TlsConfig, field: &str, words: &str) {
    let error = acceptor(tls, &[]).err().unwrap();

    assert_eq!(error.field(), field);
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_certificate_with_its_key_is_taken_under_every_policy() {
    let authority = own().0;
    for clients in [
        Clients::Unasked,
        Clients::Asked,
        Clients::Any { names: None },
        Clients::VerifiedIfGiven {
            authority: authority.clone(),
        },
        Clients::Verified {
            authority: authority.clone(),
            names: Some(vec!["a".to_owned()]),
        },
    ] {
        let tls = TlsConfig { clients, ..config() };

        assert!(acceptor(&tls, &[b"h2"]).is_ok(), "{:?}", tls.clients);
    }
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let tls = TlsConfig {
        key: own().1,
        ..config()
    };

    refused(
        &tls,
        "tls_server_config.key_file",
        "does not belong to the certificate",
    );
}

#[test]
fn what_is_not_there_or_no_pem_is_named_by_its_field() {
    let text = Pem::Inline("nonsense".to_owned());
    let certificate = TlsConfig {
        certificate: text.clone(),
        ..config()
    };
    let key = TlsConfig {
        key: text.clone(),
        ..config()
    };
    let missing = TlsConfig {
        key: Pem::File("no/such.key".into()),
        ..config()
    };
    let clients = Clients::VerifiedIfGiven { authority: text };
    let authority = TlsConfig { clients, ..config() };

    refused(
        &certificate,
        "tls_server_config.cert_file",
        "holds no certificate",
    );
    refused(&key, "tls_server_config.key_file", "holds no private key");
    refused(
        &missing,
        "tls_server_config.key_file",
        "no/such.key cannot be read",
    );
    refused(
        &authority,
        "tls_server_config.client_ca_file",
        "holds no certificate",
    );
}

#[test]
fn a_choice_of_cipher_suites_narrows_only_tls_1_2() {
    let narrow = provider(&[CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]);

    let older = narrow
        .cipher_suites
        .iter()
        .filter(|suite| suite.tls13().is_none());

    assert_eq!(older.count(), 1);
    assert_eq!(narrow.cipher_suites.len(), 4);
}

#[test]
fn a_choice_that_leaves_nothing_to_speak_is_refused() {
    let tls = TlsConfig {
        versions: Versions::Only12,
        cipher_suites: vec![CipherSuite::TLS13_AES_128_GCM_SHA256],
        ..config()
    };

    refused(&tls, "tls_server_config.cipher_suites", "leaves nothing to speak");
}
