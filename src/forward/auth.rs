//! Who a request says it comes from. Secrets in files are read before each use, so that they can be changed in place.

use std::io;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::config::{Auth, Secret};

/// Longest secret file. A token of a cloud has some thousand bytes.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// Why there is no `Authorization`. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthError {
    #[error("cannot read the secret in {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the secret in {} has {len} bytes, more than {MAX_SECRET_BYTES}", path.display())]
    TooLong { path: PathBuf, len: usize },
    #[error("the credentials hold characters that no header may hold, such as a line break")]
    NoHeader,
}

/// The `Authorization` header, if the remote wants one.
pub(super) async fn authorization(auth: &Auth) -> Result<Option<HeaderValue>, AuthError> {
    let text = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { username, password } => {
            let (username, password) = (reveal(username).await?, reveal(password).await?);
            format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
        }
        Auth::Header { scheme, credentials } => format!("{scheme} {}", reveal(credentials).await?),
    };
    let mut header = HeaderValue::try_from(text).map_err(|_| AuthError::NoHeader)?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// The secret itself.
///
/// # Errors
/// When its file cannot be read, or is too long.
pub(super) async fn reveal(secret: &Secret) -> Result<String, AuthError> {
    let path = match secret {
        Secret::Inline(secret) => return Ok(secret.clone()),
        Secret::File(path) => path.clone(),
    };
    let file = path.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
    match read.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(text) if text.len() > MAX_SECRET_BYTES => Err(AuthError::TooLong {
            path,
            len: text.len(),
        }),
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(AuthError::Unreadable { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(path: &std::path::Path) -> Auth {
        Auth::Header {
            scheme: "Bearer".to_owned(),
            credentials: Secret::File(path.to_owned()),
        }
    }

    #[tokio::test]
    async fn a_secret_file_is_trimmed_and_read_again_before_each_use() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, " first\n").unwrap();
        let before = authorization(&bearer(&file)).await.unwrap();

        std::fs::write(&file, "second").unwrap();
        let after = authorization(&bearer(&file)).await.unwrap();

        assert_eq!(before.unwrap(), "Bearer first");
        assert_eq!(after.unwrap(), "Bearer second");
    }

    #[tokio::test]
    async fn an_unreadable_secret_file_is_named() {
        let error = authorization(&bearer(std::path::Path::new("no/such/token")))
            .await
            .unwrap_err();

        assert!(
            error
                .to_string()
                .starts_with("cannot read the secret in no/such/token: "),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_secret_with_a_line_break_is_refused_without_being_shown() {
        let auth = Auth::Header {
            scheme: "Bearer".to_owned(),
            credentials: Secret::Inline("top\nsecret".to_owned()),
        };

        let error = authorization(&auth).await.unwrap_err();

        assert!(!error.to_string().contains("secret\""), "{error}");
        assert!(!format!("{error:?}").contains("top"), "{error:?}");
    }
}
