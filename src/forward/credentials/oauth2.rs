//! `oauth2`: a token for a client id and a secret (RFC 6749, section 4.4), asked for as Go's `oauth2` package asks.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use reqwest::Url;

use super::config::OAuth2Config;
use super::environment::Surroundings;
use super::error::AuthError;
use super::secret::reveal;
use super::service::{Question, Service, encoded};
use super::token::Fetched;
use crate::forward::error::ForwardError;

/// Where the service wants to see who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In `Authorization: Basic`.
    Header,
    /// In the form.
    Form,
}

/// Asks for tokens.
#[derive(Debug)]
pub(super) struct OAuth2 {
    config: OAuth2Config,
    url: Url,
    service: Service,
    /// What the service took before; unknown at first, and then tried in turn.
    place: Mutex<Option<Place>>,
    surroundings: Surroundings,
}

impl OAuth2 {
    /// # Errors
    /// What is wrong with `config`.
    pub(super) fn try_new(config: &OAuth2Config, surroundings: &Surroundings) -> Result<Self, ForwardError> {
        let refused = |problem: &str| ForwardError::Credentials {
            field: "oauth2",
            problem: problem.to_owned(),
        };
        let url = Url::parse(&config.token_url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| refused("token_url is no URL of http:// or https://"))?;
        if config
            .endpoint_params
            .iter()
            .any(|(name, _)| is_ours(config, name))
        {
            return Err(refused(
                "endpoint_params names a field that is set already; use client_id, client_secret and scopes",
            ));
        }
        let service = Service::with_settings(
            "the OAuth2 token service",
            &config.token_url,
            &config.tls,
            &config.proxy,
        )?;
        Ok(Self {
            config: config.clone(),
            url,
            service,
            place: Mutex::new(None),
            surroundings: surroundings.clone(),
        })
    }

    /// A new token.
    ///
    /// # Errors
    /// When there is none; the next attempt may bring one.
    pub(super) async fn fetch(&self) -> Result<Fetched<HeaderValue>, AuthError> {
        let secret = reveal(&self.config.client_secret).await?;
        let known = self.place.lock().map_or(None, |place| *place);
        let first = known.unwrap_or(Place::Header);
        let (place, answer) = match self.service.ask(self.question(first, &secret)?).await {
            Err(AuthError::Refused { .. }) if known.is_none() => {
                let answer = self.service.ask(self.question(Place::Form, &secret)?).await;
                (Place::Form, answer?)
            }
            answer => (first, answer?),
        };
        let answer =
            serde_json::from_str(&answer).map_err(|_| self.service.useless(&self.url, "it is not JSON"))?;
        let token = self
            .service
            .access_token(&self.url, &answer, self.surroundings.now())?;
        if let Ok(mut known) = self.place.lock() {
            *known = Some(place);
        }
        Ok(token)
    }

    fn question(&self, place: Place, secret: &str) -> Result<Question, AuthError> {
        let config = &self.config;
        let scopes = config.scopes.join(" ");
        let own_grant = config
            .endpoint_params
            .iter()
            .any(|(name, _)| name == "grant_type");
        let mut form = Vec::new();
        if !own_grant {
            form.push(("grant_type", "client_credentials"));
        }
        if !scopes.is_empty() {
            form.push(("scope", scopes.as_str()));
        }
        form.extend(
            config
                .endpoint_params
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        match place {
            Place::Header => {
                let user = format!("{}:{}", encoded(&config.client_id), encoded(secret));
                Question::post(self.url.clone(), &form)
                    .with("authorization", &format!("Basic {}", STANDARD.encode(user)))
            }
            Place::Form => {
                form.push(("client_id", &config.client_id));
                if !secret.is_empty() {
                    form.push(("client_secret", secret));
                }
                Ok(Question::post(self.url.clone(), &form))
            }
        }
    }
}

/// Whether a field is not the operator's to set, as in Go's package; `grant_type` is.
fn is_ours(config: &OAuth2Config, name: &str) -> bool {
    matches!(name, "client_id" | "client_secret") || (name == "scope" && !config.scopes.is_empty())
}
