use std::path::PathBuf;

use super::Stage;
use crate::forward::config::{Auth, Secret};

fn bearer(credentials: Secret) -> Auth {
    Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials,
    }
}

#[tokio::test]
async fn a_secret_file_is_trimmed_and_read_again_before_each_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, " first\n").unwrap();
    let stage = Stage::new(&bearer(Secret::File(file.clone())), &[]);
    let before = stage.authorization().await;

    std::fs::write(&file, "second").unwrap();
    let after = stage.authorization().await;

    assert_eq!(
        (before.as_str(), after.as_str()),
        ("Bearer first", "Bearer second")
    );
}

#[tokio::test]
async fn an_unreadable_secret_file_is_named() {
    let missing = Secret::File(PathBuf::from("no/such/token"));

    let error = Stage::new(&bearer(missing), &[]).failure().await;

    assert!(
        error.starts_with("cannot read the secret in no/such/token: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_secret_file_that_is_too_long_is_told_with_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, vec![b'a'; 65_537]).unwrap();

    let error = Stage::new(&bearer(Secret::File(file)), &[]).failure().await;

    assert!(error.ends_with("has 65537 bytes, more than 65536"), "{error}");
}

#[tokio::test]
async fn a_secret_with_a_line_break_is_refused_without_being_shown() {
    let stage = Stage::new(&bearer(Secret::Inline("top\nsecret".to_owned())), &[]);

    let error = stage.headers().await.unwrap_err();

    assert!(
        !error.to_string().contains("top") && !format!("{error:?}").contains("top"),
        "{error:?}"
    );
}

#[tokio::test]
async fn without_credentials_nothing_is_added() {
    let headers = Stage::new(&Auth::None, &[]).headers().await.unwrap();

    assert!(headers.is_empty());
}
