//! Who may come in: tokens, each with a role. Their files are read at each call, so that they can be changed in place;
//! calls are few, since a stream is one call.

use std::fs;
use std::io;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;
use tonic::Status;
use tracing::error;

use super::config::{Role, Token};
use super::status;

/// Longest token file. A token of a cloud has some thousand bytes.
const MAX_TOKEN_BYTES: usize = 64 << 10;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// The token's name; empty where none is asked for.
    pub(super) name: String,
    /// What it may do.
    pub(super) role: Role,
}

impl Caller {
    /// Lets it write, or says why not.
    pub(super) fn may_write(&self) -> Result<(), Status> {
        if self.role.may_write() {
            Ok(())
        } else {
            Err(status::forbidden(&self.name, self.role.as_str()))
        }
    }
}

/// Who calls with these headers.
pub(super) async fn admit(tokens: &[Token], headers: &HeaderMap) -> Result<Caller, Status> {
    if tokens.is_empty() {
        return Ok(Caller {
            name: String::new(),
            role: Role::Writer,
        });
    }
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned());
    let Some(shown) = shown else {
        return Err(status::stranger());
    };
    let tokens = tokens.to_vec();
    let found = tokio::task::spawn_blocking(move || find(&tokens, &shown)).await;
    found.unwrap_or_else(|_| Err(status::unreadable_tokens()))
}

/// Whose token it is. All are compared, so that the time it takes tells nothing of them.
fn find(tokens: &[Token], shown: &str) -> Result<Caller, Status> {
    let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
        .map_err(|_| status::unreadable_tokens())?;
    let shown = hmac::sign(&key, shown.as_bytes());
    let mut found = None;
    let mut unreadable = false;
    for token in tokens {
        match read(token) {
            Ok(known) => {
                if hmac::verify(&key, known.as_bytes(), shown.as_ref()).is_ok() {
                    found = Some(Caller {
                        name: token.name.clone(),
                        role: token.role,
                    });
                }
            }
            Err(problem) => {
                unreadable = true;
                error!(token = token.name, file = %token.file.display(), error = %problem, "cannot read a token");
            }
        }
    }
    match found {
        Some(caller) => Ok(caller),
        None if unreadable => Err(status::unreadable_tokens()),
        None => Err(status::stranger()),
    }
}

/// The token in its file. An empty one would let in whoever shows an empty one.
pub(super) fn read(token: &Token) -> io::Result<String> {
    let text = fs::read_to_string(&token.file)?;
    let secret = text.trim();
    let problem = match secret.len() {
        0 => "is empty",
        1..=MAX_TOKEN_BYTES => return Ok(secret.to_owned()),
        _ => "is longer than 64 KiB",
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tonic::Code;

    use super::*;

    fn tokens(folder: &std::path::Path) -> Vec<Token> {
        let token = |name: &str, role, secret: &str| {
            let file = folder.join(name);
            fs::write(&file, secret).unwrap();
            Token {
                name: name.to_owned(),
                role,
                file,
            }
        };
        vec![
            token("agents", Role::Writer, "s3cret\n"),
            token("boards", Role::Viewer, "looking"),
        ]
    }

    async fn asked(tokens: &[Token], header: Option<&str>) -> Result<Caller, Code> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        }
        admit(tokens, &headers).await.map_err(|status| status.code())
    }

    #[tokio::test]
    async fn a_token_lets_in_whom_it_belongs_to_and_as_far_as_its_role_goes() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path());

        let agent = asked(&tokens, Some("Bearer s3cret")).await.unwrap();
        let board = asked(&tokens, Some("bearer  looking ")).await.unwrap();

        assert_eq!(agent.name, "agents");
        assert!(agent.may_write().is_ok());
        assert_eq!(board.may_write().unwrap_err().code(), Code::PermissionDenied);
    }

    #[tokio::test]
    async fn who_shows_no_token_or_a_wrong_one_stays_outside() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path());

        for header in [
            None,
            Some("Bearer "),
            Some("Bearer wrong"),
            Some("Basic s3cret"),
            Some("s3cret"),
        ] {
            assert_eq!(
                asked(&tokens, header).await,
                Err(Code::Unauthenticated),
                "{header:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_token_changed_in_its_file_holds_at_once_and_an_empty_file_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path());
        fs::write(folder.path().join("agents"), "newer").unwrap();
        assert!(asked(&tokens, Some("Bearer newer")).await.is_ok());
        assert!(asked(&tokens, Some("Bearer s3cret")).await.is_err());

        fs::write(folder.path().join("agents"), "").unwrap();

        assert_eq!(asked(&tokens, Some("Bearer ")).await, Err(Code::Unavailable));
    }

    #[tokio::test]
    async fn where_no_tokens_are_configured_everybody_may_write() {
        assert!(asked(&[], None).await.unwrap().may_write().is_ok());
    }
}
