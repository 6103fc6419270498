//! Who a request says it comes from.
//!
//! - [`Credentials::authorize`] is called for each request, last, anew for each attempt, and only for the configured
//!   host: it adds what proves who sends it. What has to be fetched for that is kept (`token.rs`).
//! - Secrets in files are read before each use, so that they can be changed in place.
//! - No secret is in a message or in `Debug`.
//! - A failure may pass: the request is not sent, and tried again.
//!
//! Token services are asked as the vendors' own libraries ask them, without these: each is one or two questions by HTTP
//! (docs/adr/0011).

mod aws;
mod azure;
mod config;
mod environment;
mod error;
mod google;
mod oauth2;
mod secret;
mod service;
mod sigv4;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Url;

pub use config::{
    AzureAdConfig, AzureCloud, AzureIdentity, GoogleIamConfig, OAuth2Config, SigV4Config, StsEndpoint,
};
pub(super) use environment::Surroundings;
pub(super) use error::AuthError;
pub(super) use secret::reveal;
pub(super) use token::Generation;

use self::aws::Aws;
use self::azure::Azure;
use self::google::Google;
use self::oauth2::OAuth2;
use self::sigv4::{Keys, Request, Scope, normal_path, sign};
use self::token::{Cached, Verdict};
use super::config::Auth;
use super::error::ForwardError;

/// Adds to requests what proves who sends them.
pub(super) struct Credentials {
    way: Way,
    surroundings: Surroundings,
}

enum Way {
    /// From the configuration and its files, nothing to be fetched.
    Plain(Auth),
    /// By a token that somebody gives out.
    Token(Issuer, Cached<HeaderValue>),
    /// By a signature.
    Signature(Box<Aws>, String, Cached<Keys>),
}

enum Issuer {
    OAuth2(Box<OAuth2>),
    Azure(Box<Azure>),
    Google(Box<Google>),
}

/// A POST that is about to be sent.
pub(super) struct Outgoing<'a> {
    /// Where to; a signature wants its path in the plainest form.
    pub(super) url: &'a mut Url,
    /// Its headers, complete but for the proof.
    pub(super) headers: &'a mut HeaderMap,
    /// Its body as it travels.
    pub(super) body: &'a [u8],
}

impl Credentials {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// What is wrong with `auth`.
    pub(super) fn try_new(auth: &Auth, surroundings: Surroundings) -> Result<Self, ForwardError> {
        let tokens = || Cached::new(surroundings.clone());
        let way = match auth {
            Auth::None | Auth::Basic { .. } | Auth::Header { .. } => Way::Plain(auth.clone()),
            Auth::OAuth2(config) => Way::Token(
                Issuer::OAuth2(Box::new(OAuth2::try_new(config, &surroundings)?)),
                tokens(),
            ),
            Auth::AzureAd(config) => Way::Token(
                Issuer::Azure(Box::new(Azure::try_new(config, &surroundings)?)),
                tokens(),
            ),
            Auth::GoogleIam(config) => Way::Token(
                Issuer::Google(Box::new(Google::try_new(config, &surroundings)?)),
                tokens(),
            ),
            Auth::SigV4(config) => Way::Signature(
                Box::new(Aws::try_new(config, &surroundings)?),
                config.service_name.clone(),
                Cached::new(surroundings.clone()),
            ),
        };
        Ok(Self { way, surroundings })
    }

    /// Adds the proof. Returns which token or keys were used, where they are kept.
    ///
    /// # Errors
    /// When there is none to be had now.
    pub(super) async fn authorize(&self, request: Outgoing<'_>) -> Result<Option<Generation>, AuthError> {
        match &self.way {
            Way::Plain(auth) => {
                if let Some(header) = plain(auth).await? {
                    request.headers.insert(AUTHORIZATION, header);
                }
                Ok(None)
            }
            Way::Token(issuer, cached) => {
                let (token, generation) = cached.get(issuer.fetch()).await?;
                request.headers.insert(AUTHORIZATION, token);
                Ok(Some(generation))
            }
            Way::Signature(aws, service, cached) => {
                let (keys, generation) = cached.get(aws.fetch()).await?;
                let scope = Scope {
                    region: aws.region(),
                    service,
                    at: self.surroundings.now(),
                };
                // as Prometheus: what is sent is what is signed
                let path = normal_path(request.url.path());
                request.url.set_path(path.trim_end_matches('/'));
                let mut signed = Request {
                    method: "POST",
                    url: request.url,
                    headers: request.headers,
                    body: request.body,
                };
                sign(&keys, scope, &mut signed)?;
                Ok(Some(generation))
            }
        }
    }

    /// Takes note of the answer to a request that used `generation`. True when it is worth sending the request once
    /// more: the token or the keys may have been revoked, and others can be had.
    pub(super) fn outdated(&self, generation: Option<Generation>, status: StatusCode) -> bool {
        let Some(generation) = generation else {
            return false;
        };
        match &self.way {
            Way::Plain(_) => false,
            Way::Token(_, cached) => cached.judged(generation, verdict(status, &[StatusCode::UNAUTHORIZED])),
            // AWS has no 401: what it thinks of keys is 403
            Way::Signature(_, _, cached) => {
                let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                cached.judged(generation, verdict(status, &refusals))
            }
        }
    }
}

fn verdict(status: StatusCode, refusals: &[StatusCode]) -> Verdict {
    match status {
        _ if refusals.contains(&status) => Verdict::Refused,
        _ if status.is_success() => Verdict::Accepted,
        _ => Verdict::Open,
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<credentials>")
    }
}

impl Issuer {
    async fn fetch(&self) -> Result<token::Fetched<HeaderValue>, AuthError> {
        match self {
            Self::OAuth2(oauth2) => oauth2.fetch().await,
            Self::Azure(azure) => azure.fetch().await,
            Self::Google(google) => google.fetch().await,
        }
    }
}

async fn plain(auth: &Auth) -> Result<Option<HeaderValue>, AuthError> {
    let text = match auth {
        Auth::Basic { username, password } => {
            let (username, password) = (reveal(username).await?, reveal(password).await?);
            format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
        }
        Auth::Header { scheme, credentials } => format!("{scheme} {}", reveal(credentials).await?),
        _ => return Ok(None),
    };
    let mut header = HeaderValue::try_from(text).map_err(|_| AuthError::NoHeader)?;
    header.set_sensitive(true);
    Ok(Some(header))
}
