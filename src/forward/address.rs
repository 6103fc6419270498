//! Where requests go, and how that is shown.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::config::{Auth, Secret};
use super::error::ForwardError;

/// The URL of a remote, free of what must not be shown.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// Without user and password.
    pub(super) url: Url,
    /// User and password that stood in it.
    pub(super) user: Option<Auth>,
}

impl Address {
    /// Reads the URL of a remote.
    ///
    /// # Errors
    /// [`ForwardError::Url`] when it is not an absolute `http` or `https` URL.
    pub(super) fn parse(typed: &str) -> Result<Self, ForwardError> {
        let mut url = Url::parse(typed.trim()).map_err(|error| ForwardError::Url {
            url: cut_secrets(typed),
            problem: format!("is not a URL ({error})"),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ForwardError::Url {
                url: cut_secrets(typed),
                problem: "does not begin with http:// or https://".to_owned(),
            });
        }
        let user = (!url.username().is_empty()).then(|| Auth::Basic {
            username: Secret::Inline(decoded(url.username())),
            password: Secret::Inline(decoded(url.password().unwrap_or_default())),
        });
        hide_user(&mut url);
        Ok(Self { url, user })
    }
}

/// A URL as logs and status pages show it: without user, password, query and fragment.
pub(super) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    hide_user(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Fails only for URLs that cannot have a user.
fn hide_user(url: &mut Url) {
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What can be shown of text that is not a URL: nothing before an `@`, nothing after a `?`.
fn cut_secrets(typed: &str) -> String {
    let shown = typed.split('?').next().unwrap_or_default();
    shown.rsplit('@').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_password_and_query_are_not_shown() {
        let address = Address::parse("https://me:p%40ss@host:1/api?token=t#f").unwrap();

        assert_eq!(redacted(&address.url), "https://host:1/api");
        assert_eq!(address.url.as_str(), "https://host:1/api?token=t#f");
        let user = Auth::Basic {
            username: Secret::Inline("me".to_owned()),
            password: Secret::Inline("p@ss".to_owned()),
        };
        assert_eq!(address.user, Some(user));
    }

    #[track_caller]
    fn refused(typed: &str, expected: &str) {
        let error = Address::parse(typed).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_cannot_be_posted_to_is_refused_without_showing_secrets() {
        let like = "it reads like http://host:9090/api/v1/write";
        refused(
            "me:secret@host/write?token=t",
            &format!(r#"url "host/write" does not begin with http:// or https://; {like}"#),
        );
        refused(
            "/api/v1/write?token=t",
            &format!(r#"url "/api/v1/write" is not a URL (relative URL without a base); {like}"#),
        );
        refused(
            "http://",
            &format!(r#"url "http://" is not a URL (empty host); {like}"#),
        );
    }
}
