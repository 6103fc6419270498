mod aws;
mod azure;
mod google;
mod oauth2;
mod plain;
mod signed;
mod token;
mod vectors;
mod verifier;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::{AuthError, Credentials, Outgoing, Surroundings};
use crate::forward::config::Auth;
use crate::forward::tests::loopback::Request;
use crate::model::{ManualClock, UnixMillis};

/// 2026-03-01T12:00:00Z.
const NOON: UnixMillis = UnixMillis::new(1_772_366_400_000);
const HOUR: Duration = Duration::from_secs(3600);

/// Credentials, their clock, and the variables they see.
struct Stage {
    clock: ManualClock,
    credentials: Credentials,
}

impl Stage {
    fn new(auth: &Auth, variables: &[(&'static str, &str)]) -> Self {
        let clock = ManualClock::at(NOON);
        let credentials = Credentials::try_new(auth, surroundings(&clock, variables)).unwrap();
        Self { clock, credentials }
    }

    async fn headers(&self) -> Result<HeaderMap, AuthError> {
        let mut headers = HeaderMap::new();
        let request = Outgoing {
            url: &mut Url::parse("http://remote/api/v1/write").unwrap(),
            headers: &mut headers,
            body: b"body",
        };
        self.credentials.authorize(request).await?;
        Ok(headers)
    }

    async fn authorization(&self) -> String {
        let headers = self.headers().await.unwrap();
        headers["authorization"].to_str().unwrap().to_owned()
    }

    async fn failure(&self) -> String {
        self.headers().await.unwrap_err().to_string()
    }
}

fn surroundings(clock: &ManualClock, variables: &[(&'static str, &str)]) -> Surroundings {
    let variables: BTreeMap<&str, String> = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Surroundings::new(Arc::new(clock.clone()), move |name| variables.get(name).cloned())
}

/// The fields of a form, or of a query.
fn fields(text: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

fn form(request: &Request) -> BTreeMap<String, String> {
    let is_form = request.header("content-type") == "application/x-www-form-urlencoded";
    assert!(is_form && request.method == "POST", "{request:?}");
    fields(std::str::from_utf8(&request.body).unwrap())
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().unwrap())
}
