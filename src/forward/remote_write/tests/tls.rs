use std::path::{Path, PathBuf};

use crate::forward::config::{Secret, TlsVersion};
use crate::forward::tests::loopback::{Answer, Authority, Server};
use crate::forward::transport::Code;

use super::{BODY, config, http, judged};

fn file(path: &Path) -> Secret {
    Secret::File(path.to_owned())
}

fn text_of(path: &Path) -> Secret {
    Secret::Inline(std::fs::read_to_string(path).unwrap())
}

#[tokio::test]
async fn a_remote_is_trusted_by_the_authority_in_ca_file_only() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);

    let stranger = http(&config).send(BODY, 0).await.unwrap_err();
    config.tls.ca = Some(file(&authority.ca_file()));
    let trusted = http(&config).send(BODY, 0).await;

    assert!(stranger.to_string().contains("certificate"), "{stranger}");
    assert_eq!(trusted, Ok(204));
}

#[tokio::test]
async fn any_certificate_will_do_where_verification_is_skipped() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.insecure_skip_verify = true;

    assert_eq!(http(&config).send(BODY, 0).await, Ok(204));
}

#[tokio::test]
async fn the_expected_name_is_that_of_server_name() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "prometheus.internal", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));

    let unexpected = http(&config).send(BODY, 0).await.unwrap_err();
    config.tls.server_name = Some("prometheus.internal".to_owned());
    let expected = http(&config).send(BODY, 0).await;

    assert!(
        unexpected.to_string().contains("not valid for name"),
        "{unexpected}"
    );
    assert_eq!(expected, Ok(204));
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_remote_that_asks_for_one() {
    let authority = Authority::new();
    let server = Server::start_mutual_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));

    let nobody = http(&config).send(BODY, 0).await;
    let (certificate, key) = authority.client_files();
    config.tls.client = Some((file(&certificate), file(&key)));
    let somebody = http(&config).send(BODY, 0).await;

    judged(0, &nobody, "retry");
    assert_eq!(somebody, Ok(204));
}

#[tokio::test]
async fn certificates_and_keys_may_stand_in_the_configuration() {
    let authority = Authority::new();
    let server = Server::start_mutual_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let (certificate, key) = authority.client_files();
    let mut config = config(&server);
    config.tls.ca = Some(text_of(&authority.ca_file()));
    config.tls.client = Some((text_of(&certificate), text_of(&key)));

    assert_eq!(http(&config).send(BODY, 0).await, Ok(204));
}

#[tokio::test]
async fn an_authority_that_changes_on_disk_holds_for_the_next_request() {
    let (old, new) = (Authority::new(), Authority::new());
    let server = Server::start_tls(&new, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&old.ca_file()));
    let http = http(&config);

    let before = http.send(BODY, 0).await;
    std::fs::copy(new.ca_file(), old.ca_file()).unwrap();
    let after = http.send(BODY, 1).await;

    judged(0, &before, "retry");
    assert_eq!(after, Ok(204));
}

#[tokio::test]
async fn an_authority_that_is_taken_back_ends_connections_that_it_vouched_for() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));
    let http = http(&config);

    let before = http.send(BODY, 0).await;
    std::fs::copy(other.ca_file(), authority.ca_file()).unwrap();
    let after = http.send(BODY, 0).await;

    assert_eq!(before, Ok(204));
    assert_eq!(after.unwrap_err().code(), Code::Network);
}

#[tokio::test]
async fn a_client_certificate_that_is_renewed_on_disk_is_shown_from_then_on() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = Server::start_mutual_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let (certificate, key) = stranger.client_files();
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));
    config.tls.client = Some((file(&certificate), file(&key)));
    let http = http(&config);

    let before = http.send(BODY, 0).await;
    let renewed = authority.client_files();
    std::fs::copy(renewed.0, certificate).unwrap();
    std::fs::copy(renewed.1, key).unwrap();
    let after = http.send(BODY, 1).await;

    judged(0, &before, "retry");
    assert_eq!(after, Ok(204));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_any_more_is_told_and_nothing_is_sent() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));
    let http = http(&config);

    std::fs::write(authority.ca_file(), "half a certifi").unwrap();
    let broken = http.send(BODY, 0).await.unwrap_err();
    std::fs::remove_file(authority.ca_file()).unwrap();
    let gone = http.send(BODY, 1).await.unwrap_err();

    assert_eq!((broken.code(), gone.code()), (Code::Local, Code::Local));
    assert!(
        broken
            .to_string()
            .ends_with("ca.pem holds no certificate in PEM form"),
        "{broken}"
    );
    assert!(gone.to_string().starts_with("cannot read "), "{gone}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_remote_that_speaks_only_older_versions_than_the_least_is_not_reached() {
    let authority = Authority::new();
    let server = Server::start_tls_1_2(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));
    config.tls.max_version = Some(TlsVersion::Tls12);
    let spoken = http(&config).send(BODY, 0).await;

    config.tls.max_version = None;
    config.tls.min_version = Some(TlsVersion::Tls13);
    let unspoken = http(&config).send(BODY, 0).await;

    assert_eq!(spoken, Ok(204));
    assert_eq!(unspoken.unwrap_err().code(), Code::Network);
}

#[tokio::test]
async fn http2_is_spoken_only_where_it_is_enabled() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let mut config = config(&server);
    config.tls.ca = Some(file(&authority.ca_file()));

    http(&config).send(BODY, 0).await.unwrap();
    config.enable_http2 = true;
    http(&config).send(BODY, 0).await.unwrap();

    let versions: Vec<http::Version> = server.requests().iter().map(|request| request.version).collect();
    assert_eq!(versions, [http::Version::HTTP_11, http::Version::HTTP_2]);
}

#[tokio::test]
async fn a_remote_that_knows_no_http2_is_spoken_to_as_it_can() {
    let authority = Authority::new();
    let server = Server::start_mutual_tls(&authority, "localhost", |_| Answer::status(204)).await;
    let (certificate, key) = authority.client_files();
    let mut config = config(&server);
    config.enable_http2 = true;
    config.tls.ca = Some(file(&authority.ca_file()));
    config.tls.client = Some((file(&certificate), file(&key)));

    http(&config).send(BODY, 0).await.unwrap();

    assert_eq!(server.requests()[0].version, http::Version::HTTP_11);
}

#[test]
fn a_text_that_is_no_certificate_is_named_by_its_key() {
    let mut config = crate::forward::RemoteConfig::new("test", "https://a/");
    config.tls.ca = Some(Secret::Inline("secret".to_owned()));

    let mistakes = crate::forward::check(&config, &crate::forward::tests::clock());

    assert_eq!(mistakes[0].field(), "tls_config.ca");
    assert_eq!(
        mistakes[0].to_string(),
        "the text holds no certificate in PEM form"
    );
}

#[test]
fn versions_that_exclude_each_other_are_a_mistake() {
    let mut config = crate::forward::RemoteConfig::new("test", "https://a/");
    config.tls.min_version = Some(TlsVersion::Tls13);
    config.tls.max_version = Some(TlsVersion::Tls12);
    config.tls.ca = Some(file(&PathBuf::from("no/such/ca.pem")));

    let mistakes = crate::forward::check(&config, &crate::forward::tests::clock());
    config.tls.ca = None;
    let next = crate::forward::check(&config, &crate::forward::tests::clock());

    assert_eq!(mistakes[0].field(), "tls_config.ca_file");
    assert_eq!(next[0].field(), "tls_config.min_version");
}
