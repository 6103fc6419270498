//! Secrets in files are read before each use, so that they can be changed in place.

use std::io;
use std::path::Path;

use super::AuthError;
use crate::forward::config::Secret;

/// Longest file with a secret. A token of a cloud has some thousand bytes.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// The secret itself, without the white space around that of a file.
///
/// # Errors
/// When its file cannot be read, or is no file with a secret in it.
pub(in crate::forward) async fn reveal(secret: &Secret) -> Result<String, AuthError> {
    match secret {
        Secret::Inline(secret) => Ok(secret.clone()),
        Secret::File(path) => Ok(text_of(path).await?.trim().to_owned()),
    }
}

/// What stands in a file of credentials.
///
/// # Errors
/// As for [`reveal`].
pub(super) async fn text_of(path: &Path) -> Result<String, AuthError> {
    let file = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
    match read.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(text) if text.len() > MAX_SECRET_BYTES => Err(AuthError::TooLong {
            path: path.to_owned(),
            len: text.len(),
        }),
        Ok(text) => Ok(text),
        Err(error) => Err(AuthError::Unreadable {
            path: path.to_owned(),
            problem: error.to_string(),
        }),
    }
}

/// What stands in a file that need not be there, read at once; for settings beside secrets, such as a region.
pub(super) fn text_if_there(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Longest file that is taken for one with a secret.
pub(super) const fn most_bytes() -> usize {
    MAX_SECRET_BYTES
}
