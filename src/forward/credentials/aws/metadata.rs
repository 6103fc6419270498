//! Keys that a container or a machine has of its own.

use http::{HeaderMap, Method};
use reqwest::Url;

use super::super::environment::Surroundings;
use super::super::error::AuthError;
use super::super::secret::text_of;
use super::super::service::{Question, Service};
use super::super::sigv4::Keys;
use super::super::token::Fetched;
use super::of_json;

const CONTAINER: &str = "http://169.254.170.2";
/// Where a token may be sent without TLS: ECS, EKS Pod Identity; beside them only this machine itself.
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
const MACHINE: &str = "http://169.254.169.254";
const MACHINE_IPV6: &str = "http://[fd00:ec2::254]";
const ROLES: &str = "latest/meta-data/iam/security-credentials/";
/// How long a session with the machine's service lasts; ours ends with the two questions that follow.
const SESSION_SECONDS: &str = "300";

/// Asks the endpoints of container and machine.
#[derive(Debug)]
pub(super) struct Metadata {
    container: Service,
    machine: Service,
    surroundings: Surroundings,
}

impl Metadata {
    /// Reaches them as `like` is reached.
    pub(super) fn new(like: &Service, surroundings: &Surroundings) -> Self {
        Self {
            container: like.named("the container's credentials endpoint"),
            machine: like.named("the metadata service of EC2"),
            surroundings: surroundings.clone(),
        }
    }

    /// Keys of the container; `None` outside of one.
    ///
    /// # Errors
    /// When the container's endpoint is not one that may be trusted, or fails.
    pub(super) async fn of_container(&self) -> Result<Option<Fetched<Keys>>, AuthError> {
        let variables = &self.surroundings;
        let url = match variables.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            Some(path) => format!("{CONTAINER}{path}"),
            None => match variables.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
                Some(url) => url,
                None => return Ok(None),
            },
        };
        let url = Url::parse(&url).ok().filter(may_be_told).ok_or_else(|| {
            AuthError::Nowhere(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor an address of this machine or of ECS and EKS"
                    .to_owned(),
            )
        })?;
        let token = match variables.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => Some(text_of(file.as_ref()).await?.trim().to_owned()),
            None => variables.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        let mut question = Question::get(url.clone());
        if let Some(token) = token {
            question = question.with("authorization", &token)?;
        }
        let answer = self.container.ask_json(question).await?;
        let keys = of_json(&answer).ok_or_else(|| self.container.useless(&url, "there are no keys in it"));
        keys.map(Some)
    }

    /// Keys of the machine's role, by the second version of its service.
    ///
    /// # Errors
    /// When there is no such service, or the machine has no role.
    pub(super) async fn of_instance(&self) -> Result<Fetched<Keys>, AuthError> {
        let base = self.base()?;
        let at = |path: &str| {
            base.join(path)
                .map_err(|_| self.machine.useless(&base, "it names an odd role"))
        };
        let session = Question {
            method: Method::PUT,
            url: at("latest/api/token")?,
            headers: HeaderMap::new(),
            form: Vec::new(),
        };
        let session = session.with("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS)?;
        let session = self.machine.ask(session).await?;
        let ask = |url: Url| Question::get(url).with("x-aws-ec2-metadata-token", session.trim());
        let roles = self.machine.ask(ask(at(ROLES)?)?).await?;
        let role = roles.lines().next().unwrap_or_default().trim();
        if role.is_empty() {
            return Err(self.machine.useless(&base, "the machine has no role"));
        }
        let url = at(&format!("{ROLES}{role}"))?;
        let answer = self.machine.ask_json(ask(url.clone())?).await?;
        of_json(&answer).ok_or_else(|| self.machine.useless(&url, "there are no keys in it"))
    }

    fn base(&self) -> Result<Url, AuthError> {
        let variables = &self.surroundings;
        let mode = variables
            .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            .unwrap_or_default();
        let usual = if mode.eq_ignore_ascii_case("ipv6") {
            MACHINE_IPV6
        } else {
            MACHINE
        };
        let named = variables.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let base = named.unwrap_or_else(|| usual.to_owned());
        Url::parse(&format!("{}/", base.trim_end_matches('/')))
            .map_err(|_| AuthError::Nowhere("AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL".to_owned()))
    }
}

/// Whether the container's token may go there, as the SDKs see it.
fn may_be_told(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && (here || CONTAINER_HOSTS.contains(&host)))
}
