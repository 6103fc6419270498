//! AWS' Security Token Service: keys of a role for some time.

use reqwest::Url;

use super::super::config::StsEndpoint;
use super::super::environment::Surroundings;
use super::super::error::AuthError;
use super::super::service::{Question, Service};
use super::super::sigv4::{Keys, Request, Scope, sign};
use super::super::token::Fetched;
use super::instant;
use crate::forward::error::ForwardError;

const VERSION: &str = "2011-06-15";

/// A role to be assumed.
#[derive(Clone, Debug)]
pub(super) struct Role {
    /// Its name.
    pub(super) arn: String,
    /// What the account's log calls us.
    pub(super) session: Option<String>,
    /// What its owner wants to hear.
    pub(super) external_id: Option<String>,
}

/// Asks for keys of a role.
#[derive(Debug)]
pub(super) struct Sts {
    service: Service,
    url: Url,
    region: String,
    surroundings: Surroundings,
}

impl Sts {
    /// # Errors
    /// When the endpoint is no URL.
    pub(super) fn try_new(
        region: &str,
        endpoint: StsEndpoint,
        surroundings: &Surroundings,
    ) -> Result<Self, ForwardError> {
        let configured = if surroundings.says_yes("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            None
        } else {
            surroundings.first_of(&["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
        };
        let url = configured.unwrap_or_else(|| endpoint_of(region, endpoint));
        let url = Url::parse(&url).map_err(|_| ForwardError::Credentials {
            field: "sigv4",
            problem: "the endpoint of AWS' token service is no URL; look at region and AWS_ENDPOINT_URL_STS"
                .to_owned(),
        })?;
        Ok(Self {
            service: Service::of_a_cloud("AWS' token service (STS)", surroundings)?,
            url,
            region: region.to_owned(),
            surroundings: surroundings.clone(),
        })
    }

    /// The way it is reached.
    pub(super) const fn service(&self) -> &Service {
        &self.service
    }

    /// Assumes `role` with `keys`.
    ///
    /// # Errors
    /// When it is not ours to assume, or nobody answers.
    pub(super) async fn assume(&self, role: &Role, keys: &Keys) -> Result<Fetched<Keys>, AuthError> {
        let session = self.session(role);
        let mut form = vec![
            ("Action", "AssumeRole"),
            ("Version", VERSION),
            ("RoleArn", &role.arn),
            ("RoleSessionName", &session),
        ];
        if let Some(external_id) = &role.external_id {
            form.push(("ExternalId", external_id));
        }
        let mut question = Question::post(self.url.clone(), &form);
        let body = question.body();
        let scope = Scope {
            region: &self.region,
            service: "sts",
            at: self.surroundings.now(),
        };
        let mut request = Request {
            method: "POST",
            url: &self.url,
            headers: &mut question.headers,
            body: body.as_bytes(),
        };
        sign(keys, scope, &mut request)?;
        self.keys(question).await
    }

    /// Assumes `role` by a token that its owner trusts; not signed, as the token says who we are.
    ///
    /// # Errors
    /// As for [`Self::assume`].
    pub(super) async fn assume_with_web_identity(
        &self,
        role: &Role,
        token: &str,
    ) -> Result<Fetched<Keys>, AuthError> {
        let session = self.session(role);
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", VERSION),
            ("RoleArn", &role.arn),
            ("RoleSessionName", &session),
            ("WebIdentityToken", token),
        ];
        self.keys(Question::post(self.url.clone(), &form)).await
    }

    fn session(&self, role: &Role) -> String {
        let session = role.session.clone();
        session.unwrap_or_else(|| format!("flinkbridge-{}", self.surroundings.now().get()))
    }

    async fn keys(&self, question: Question) -> Result<Fetched<Keys>, AuthError> {
        let answer = self.service.ask(question).await.map_err(plain_words)?;
        let keys = || {
            Some(Fetched {
                value: Keys {
                    id: element(&answer, "AccessKeyId")?,
                    secret: element(&answer, "SecretAccessKey")?,
                    session: Some(element(&answer, "SessionToken")?),
                },
                expires: Some(instant(&element(&answer, "Expiration")?)?),
            })
        };
        keys().ok_or_else(|| {
            self.service
                .useless(&self.url, "there are no keys of a role in it")
        })
    }
}

fn endpoint_of(region: &str, endpoint: StsEndpoint) -> String {
    let ending = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    match endpoint {
        // the regions of the US government have validated cryptography at their ordinary endpoints
        StsEndpoint::Fips if !region.starts_with("us-gov-") => format!("https://sts-fips.{region}.{ending}/"),
        _ => format!("https://sts.{region}.{ending}/"),
    }
}

/// A refusal is XML: its code and its message are what an operator wants to read.
fn plain_words(error: AuthError) -> AuthError {
    match error {
        AuthError::Refused {
            what,
            url,
            status,
            words,
        } => AuthError::Refused {
            what,
            url,
            status,
            words: match (element(&words, "Code"), element(&words, "Message")) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                _ => words,
            },
        },
        other => other,
    }
}

/// The text of the first element of this name. AWS' answers have neither attributes in these nor anything nested.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    Some(
        plain
            .iter()
            .fold(text.trim().to_owned(), |text, (escaped, plain)| {
                text.replace(escaped, plain)
            }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_endpoint() {
        let regional = |region| endpoint_of(region, StsEndpoint::Regional);
        let fips = |region| endpoint_of(region, StsEndpoint::Fips);

        assert_eq!(regional("eu-west-1"), "https://sts.eu-west-1.amazonaws.com/");
        assert_eq!(regional("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn/");
        assert_eq!(fips("us-east-2"), "https://sts-fips.us-east-2.amazonaws.com/");
        assert_eq!(fips("us-gov-west-1"), "https://sts.us-gov-west-1.amazonaws.com/");
    }

    #[test]
    fn an_element_is_found_and_unescaped() {
        assert_eq!(
            element("<a><B> x&amp;lt; </B></a>", "B").as_deref(),
            Some("x&lt;")
        );
        assert_eq!(element("<a/>", "B"), None);
    }
}
