//! How a Pushgateway is reached: its address, who we say we are, whom we trust.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

use super::error::{AccessError, SweepError};
use super::session::Session;
use crate::model::whole_story;

/// What we call ourselves.
const OUR_NAME: &str = concat!("flinkbridge-sweep/", env!("CARGO_PKG_VERSION"));

/// Longest secret file. A token of a cloud has some thousand bytes.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// What is needed to reach a Pushgateway.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where it is, with its route prefix if it has one; a user and a password may stand in it.
    pub url: String,
    /// Who we say we are. Overrules a user in `url`.
    pub login: Login,
    /// Whom we trust, and by which certificate we are known.
    pub trust: Trust,
    /// Longest wait for a connection, for the next bytes of an answer, and for a deletion.
    pub timeout: Duration,
    /// Connections kept open between requests.
    pub connections: usize,
}

/// Who we say we are. Files are read before each pass, so that they can be changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nobody.
    None,
    /// Basic authentication.
    Basic {
        /// The user.
        username: String,
        /// The file with the password, without blanks around it.
        password_file: PathBuf,
    },
    /// A bearer token.
    Bearer {
        /// The file with the token, without blanks around it.
        token_file: PathBuf,
    },
}

/// Whom we trust, and by which certificate we are known. Files are read once.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Certificates to trust instead of the system's, in PEM form.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, in PEM form.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is taken.
    pub insecure_skip_verify: bool,
}

/// A Pushgateway that can be asked; says nothing to it yet.
pub struct Gateway {
    client: Client,
    /// Ends in a slash, has neither user nor query.
    base: Url,
    login: Login,
    /// From the URL, ready to be sent.
    user: Option<HeaderValue>,
    timeout: Duration,
}

impl Gateway {
    /// Checks everything a request needs; reads all files.
    ///
    /// # Errors
    /// The first thing that is wrong with `access`.
    pub fn try_new(access: &Access) -> Result<Self, AccessError> {
        let (base, user) = address(&access.url)?;
        let builder = Client::builder()
            .user_agent(OUR_NAME)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(access.connections)
            .connect_timeout(access.timeout)
            .read_timeout(access.timeout);
        // a second one is refused, and the first is the same
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = trusting(builder, &access.trust, &base)?
            .build()
            .map_err(|error| AccessError::Tls(whole_story(&error)))?;
        let (flag, file) = match &access.login {
            Login::None => ("", None),
            Login::Basic { password_file, .. } => ("--password-file", Some(password_file)),
            Login::Bearer { token_file } => ("--bearer-token-file", Some(token_file)),
        };
        if let Some(path) = file {
            secret(flag, path)?;
        }
        Ok(Self {
            client,
            base,
            login: access.login.clone(),
            user,
            timeout: access.timeout,
        })
    }

    /// Its address as it may be shown.
    #[must_use]
    pub fn url(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Reads the secret, and is ready to ask.
    pub(super) async fn session(&self) -> Result<Session, SweepError> {
        let login = self.login.clone();
        let read = tokio::task::spawn_blocking(move || authorization(&login)).await;
        let authorization = read
            .map_err(|error| SweepError::Secret(error.to_string()))?
            .map_err(|error| SweepError::Secret(error.to_string()))?;
        Ok(Session {
            client: self.client.clone(),
            base: self.base.clone(),
            authorization: authorization.or_else(|| self.user.clone()),
            timeout: self.timeout,
        })
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

/// The address without secrets, ending in a slash, and the user that stood in it.
fn address(typed: &str) -> Result<(Url, Option<HeaderValue>), AccessError> {
    let refused = |problem: String| AccessError::Url {
        url: without_secrets(typed),
        problem,
    };
    let mut url = Url::parse(typed.trim()).map_err(|error| refused(format!("is not a URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("does not begin with http:// or https://".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused(
            "has a ? or a #, which no gateway's address has".to_owned(),
        ));
    }
    let user = if url.username().is_empty() {
        None
    } else {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (name, password) = (
            decoded(url.username()),
            decoded(url.password().unwrap_or_default()),
        );
        Some(
            basic(&name, &password)
                .ok_or_else(|| refused("has a user that no header may hold".to_owned()))?,
        )
    };
    // fail only for URLs that cannot have a user
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok((url, user))
}

fn without_secrets(typed: &str) -> String {
    let shown = typed.split(['?', '#']).next().unwrap_or_default();
    shown.rsplit('@').next().unwrap_or_default().to_owned()
}

fn trusting(builder: ClientBuilder, trust: &Trust, base: &Url) -> Result<ClientBuilder, AccessError> {
    let mut builder = builder.tls_danger_accept_invalid_certs(trust.insecure_skip_verify);
    if let Some(path) = &trust.ca_file {
        const FLAG: &str = "--ca-file";
        let bad = |problem: String| AccessError::Content {
            flag: FLAG,
            path: path.clone(),
            problem,
        };
        let trusted = Certificate::from_pem_bundle(&read(FLAG, path)?)
            .map_err(|error| bad(format!("is not in PEM form: {}", whole_story(&error))))?;
        if trusted.is_empty() {
            return Err(bad("holds no certificate in PEM form".to_owned()));
        }
        builder = builder.tls_certs_only(trusted);
    } else if base.scheme() == "http" {
        // a host without certificates of its own need not have any for this
        builder = builder.tls_certs_only([]);
    }
    if let Some((certificate, key)) = &trust.client {
        let mut both = read("--key-file", key)?;
        both.push(b'\n');
        both.extend(read("--cert-file", certificate)?);
        let identity = Identity::from_pem(&both).map_err(|error| AccessError::Content {
            flag: "--cert-file",
            path: certificate.clone(),
            problem: format!(
                "is no certificate in PEM form with the key in {}: {}",
                key.display(),
                whole_story(&error)
            ),
        })?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

fn authorization(login: &Login) -> Result<Option<HeaderValue>, AccessError> {
    let (flag, path, header) = match login {
        Login::None => return Ok(None),
        Login::Basic {
            username,
            password_file,
        } => {
            let flag = "--password-file";
            (
                flag,
                password_file,
                basic(username, &secret(flag, password_file)?),
            )
        }
        Login::Bearer { token_file } => {
            let flag = "--bearer-token-file";
            (
                flag,
                token_file,
                sensitive(format!("Bearer {}", secret(flag, token_file)?)),
            )
        }
    };
    header.map(Some).ok_or_else(|| AccessError::Content {
        flag,
        path: path.clone(),
        problem: "holds characters that no header may hold, such as a line break".to_owned(),
    })
}

fn basic(username: &str, password: &str) -> Option<HeaderValue> {
    let user = BASE64_STANDARD.encode(format!("{username}:{password}"));
    sensitive(format!("Basic {user}"))
}

fn sensitive(text: String) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn secret(flag: &'static str, path: &Path) -> Result<String, AccessError> {
    let bad = |problem: String| AccessError::Content {
        flag,
        path: path.to_owned(),
        problem,
    };
    let bytes = read(flag, path)?;
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(bad(format!(
            "has {} bytes, more than {MAX_SECRET_BYTES}",
            bytes.len()
        )));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("is not UTF-8".to_owned()))?;
    match text.trim() {
        "" => Err(bad("is empty".to_owned())),
        secret => Ok(secret.to_owned()),
    }
}

fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, AccessError> {
    std::fs::read(path).map_err(|source| AccessError::File {
        flag,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_kept_and_a_password_is_not_shown() {
        let (base, user) = address("https://me:p%40ss@host:1/behind/nginx").unwrap();

        assert_eq!(base.as_str(), "https://host:1/behind/nginx/");
        assert_eq!(user.unwrap().as_bytes(), b"Basic bWU6cEBzcw==");
    }

    #[track_caller]
    fn refused(typed: &str, expected: &str) {
        let error = address(typed).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        refused(
            "host:9091",
            r#"--pushgateway "host:9091" does not begin with http://"#,
        );
        refused("gateway", r#"--pushgateway "gateway" is not a URL"#);
        refused(
            "ftp://a:b@host/x",
            r#"--pushgateway "host/x" does not begin with"#,
        );
        refused("http://a:b@host/?token=1", r#"--pushgateway "host/" has a ?"#);
    }

    #[test]
    fn an_empty_secret_and_one_with_a_line_break_within_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let told = |content: &str| {
            std::fs::write(&file, content).unwrap();
            authorization(&Login::Bearer {
                token_file: file.clone(),
            })
        };

        assert!(told(" \n").unwrap_err().to_string().ends_with("token: is empty"));
        let broken = told("top\nsecret").unwrap_err().to_string();
        assert!(
            broken.contains("no header may hold") && !broken.contains("top"),
            "{broken}"
        );
        assert_eq!(told(" token\n").unwrap().unwrap().as_bytes(), b"Bearer token");
    }
}
