//! One question to a token service, and its answer.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, NoProxy, Proxy, Response, Url};
use serde_json::Value;

use super::environment::Surroundings;
use super::error::AuthError;
use super::token::Fetched;
use crate::forward::address::redacted;
use crate::forward::config::{ProxyConfig, TlsConfig};
use crate::forward::error::ForwardError;
use crate::forward::headers::without_secrets;
use crate::forward::proxy::proxies;
use crate::forward::tls::{Papers, client_config};
use crate::model::{UnixMillis, whole_story};

/// How long an answer may take. Less than `remote_timeout` is by default, so that the failure is told as what it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take; where a cloud's metadata address does not exist, nothing answers at all.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// What is read of an answer. A token has a few thousand bytes.
const MAX_ANSWER_BYTES: usize = 256 << 10;
/// What is shown of a refusal.
const MAX_WORDS: usize = 300;
/// What stays as it is in a form (RFC 3986, "unreserved").
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// Fields of forms that no message may repeat, whatever the service says.
const SECRET_FIELDS: [&str; 6] = [
    "client_secret",
    "client_assertion",
    "assertion",
    "refresh_token",
    "password",
    "WebIdentityToken",
];

/// Reaches token services.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// How messages call it, as `the OAuth2 token service`.
    pub(super) what: &'static str,
    client: Client,
}

/// A question.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) form: Vec<(String, String)>,
}

impl Question {
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            form: Vec::new(),
        }
    }

    pub(super) fn post(url: Url, form: &[(&str, &str)]) -> Self {
        let form = form
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut question = Self {
            method: Method::POST,
            form: form.collect(),
            ..Self::get(url)
        };
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        question.headers.insert(http::header::CONTENT_TYPE, form_type);
        question
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Result<Self, AuthError> {
        let mut value = HeaderValue::try_from(value).map_err(|_| AuthError::NoHeader)?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// The form as it travels.
    pub(super) fn body(&self) -> String {
        let pairs: Vec<String> = self
            .form
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        pairs.join("&")
    }
}

impl Service {
    /// A service that is reached directly, or by the proxy that the environment names for `https`.
    ///
    /// # Errors
    /// When no client can be set up.
    pub(super) fn of_a_cloud(what: &'static str, surroundings: &Surroundings) -> Result<Self, ForwardError> {
        // metadata services speak plain HTTP, so trusted certificates need not be there
        let tls = TlsConfig::default();
        let tls = client_config(&tls, &Papers::read(&tls)?, "http://169.254.169.254/")?;
        let mut builder = Client::builder().connect_timeout(CONNECT_PATIENCE).no_proxy();
        if let Some(proxy) = surroundings.first_of(&["HTTPS_PROXY", "https_proxy"]) {
            let but = surroundings.first_of(&["NO_PROXY", "no_proxy"]);
            let proxy = Proxy::https(proxy).map_err(|_| ForwardError::Proxy)?;
            let but = but.and_then(|but| NoProxy::from_string(&but));
            builder = builder.proxy(proxy.no_proxy(but));
        }
        Self::new(what, builder.tls_backend_preconfigured(tls))
    }

    /// Another service, reached in the same way.
    pub(super) fn named(&self, what: &'static str) -> Self {
        Self {
            what,
            client: self.client.clone(),
        }
    }

    /// A service with TLS settings and a proxy of its own.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub(super) fn with_settings(
        what: &'static str,
        url: &str,
        tls: &TlsConfig,
        proxy: &ProxyConfig,
    ) -> Result<Self, ForwardError> {
        let tls = client_config(tls, &Papers::read(tls)?, url)?;
        let mut builder = Client::builder().no_proxy().tls_backend_preconfigured(tls);
        for proxy in proxies(proxy)? {
            builder = builder.proxy(proxy);
        }
        Self::new(what, builder)
    }

    fn new(what: &'static str, builder: reqwest::ClientBuilder) -> Result<Self, ForwardError> {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(PATIENCE)
            .user_agent(concat!("flinkbridge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ForwardError::Client(Box::new(error.without_url())))?;
        Ok(Self { what, client })
    }

    /// The body of a 2xx.
    ///
    /// # Errors
    /// Any other outcome.
    pub(super) async fn ask(&self, question: Question) -> Result<String, AuthError> {
        let url = redacted(&question.url);
        let request = self
            .client
            .request(question.method.clone(), question.url.clone())
            .headers(question.headers.clone())
            .body(question.body());
        let unanswered = |error: reqwest::Error| AuthError::Unanswered {
            what: self.what,
            url: url.clone(),
            problem: whole_story(&error.without_url()),
        };
        let response = request.send().await.map_err(&unanswered)?;
        let status = response.status();
        let body = read(response).await.map_err(unanswered)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(AuthError::Refused {
            what: self.what,
            url,
            status: status.as_u16(),
            words: words(&body, &question),
        })
    }

    /// The same for an answer in JSON.
    ///
    /// # Errors
    /// Any other outcome.
    pub(super) async fn ask_json(&self, question: Question) -> Result<Value, AuthError> {
        let url = question.url.clone();
        let body = self.ask(question).await?;
        serde_json::from_str(&body).map_err(|_| self.useless(&url, "it is not JSON"))
    }

    /// An error about an answer of 2xx.
    pub(super) fn useless(&self, url: &Url, problem: &str) -> AuthError {
        AuthError::Useless {
            what: self.what,
            url: redacted(url),
            problem: problem.to_owned(),
        }
    }

    /// The access token in an answer, as what stands behind `Authorization:`.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn access_token(
        &self,
        url: &Url,
        answer: &Value,
        now: UnixMillis,
    ) -> Result<Fetched<HeaderValue>, AuthError> {
        let token = answer
            .get("access_token")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if token.is_empty() {
            return Err(self.useless(url, "there is no access_token in it"));
        }
        let scheme = match answer.get("token_type").and_then(Value::as_str) {
            None | Some("") => "Bearer",
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => "Bearer",
            Some(scheme) => scheme,
        };
        let mut value =
            HeaderValue::try_from(format!("{scheme} {token}")).map_err(|_| AuthError::NoHeader)?;
        value.set_sensitive(true);
        Ok(Fetched {
            value,
            expires: expiry(answer, now),
        })
    }
}

/// `expires_in`, or `expires_on` where that is not there: numbers, or numbers as text.
fn expiry(answer: &Value, now: UnixMillis) -> Option<UnixMillis> {
    let seconds = |name: &str| match answer.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match seconds("expires_in") {
        Some(0) | None => seconds("expires_on").map(|at| UnixMillis::new(0).after(Duration::from_secs(at))),
        Some(life) => Some(now.after(Duration::from_secs(life))),
    }
}

/// Escaped as in a form.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string()
}

async fn read(mut response: Response) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend(chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// What a refusal says: OAuth's two fields, AWS' message, or its beginning. Never what was secret in the question.
fn words(body: &str, question: &Question) -> String {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    let mut said = match (
        field("error"),
        field("error_description").or_else(|| field("Message")),
    ) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => body.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    said = without_secrets(said, &question.headers);
    for (name, value) in &question.form {
        if SECRET_FIELDS.contains(&name.as_str()) && !value.is_empty() {
            said = said.replace(value.as_str(), "<secret>");
            said = said.replace(&encoded(value), "<secret>");
        }
    }
    if said.is_empty() {
        "no reason given".clone_into(&mut said);
    }
    said.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect()
}
