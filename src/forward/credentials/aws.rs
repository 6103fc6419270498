//! Where keys of AWS come from: the order of its SDKs.
//!
//! Keys of the configuration; the profile that it names; keys in the environment; a web identity in the environment
//! (EKS); the default profile; the container's endpoint (ECS, EKS Pod Identity); the machine's (EC2). A `role_arn` of
//! the configuration is then assumed with what was found.

mod metadata;
mod profile;
mod sts;

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use self::metadata::Metadata;
use self::profile::{Profiles, Section};
use self::sts::{Role, Sts};
use super::config::SigV4Config;
use super::environment::Surroundings;
use super::error::AuthError;
use super::secret::{reveal, text_if_there, text_of};
use super::sigv4::Keys;
use super::token::Fetched;
use crate::forward::error::ForwardError;
use crate::model::UnixMillis;

/// How long keys from a file serve before the file is read again.
const FILE_LIFE: Duration = Duration::from_secs(5 * 60);
/// How many profiles may lead to one another by `source_profile`.
const MAX_SOURCES: usize = 8;

/// Finds keys.
#[derive(Debug)]
pub(super) struct Aws {
    config: SigV4Config,
    region: String,
    sts: Sts,
    metadata: Metadata,
    surroundings: Surroundings,
}

impl Aws {
    /// Settles the region; reads the profile where only that may know it.
    ///
    /// # Errors
    /// What is wrong with `config`.
    pub(super) fn try_new(config: &SigV4Config, surroundings: &Surroundings) -> Result<Self, ForwardError> {
        let region = config
            .region
            .clone()
            .or_else(|| surroundings.first_of(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .or_else(|| region_of_profile(config, surroundings));
        let Some(region) = region else {
            return Err(ForwardError::Credentials {
                field: "sigv4",
                problem: "no region is known; set sigv4.region to the region of the remote, as eu-west-1"
                    .to_owned(),
            });
        };
        let sts = Sts::try_new(&region, config.sts, surroundings)?;
        Ok(Self {
            config: config.clone(),
            metadata: Metadata::new(sts.service(), surroundings),
            sts,
            region,
            surroundings: surroundings.clone(),
        })
    }

    /// The region that signatures are for.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Keys, from the first source that has some.
    ///
    /// # Errors
    /// When that source fails, or none has any.
    pub(super) async fn fetch(&self) -> Result<Fetched<Keys>, AuthError> {
        let keys = self.of_the_chain().await?;
        let Some(arn) = &self.config.role_arn else {
            return Ok(keys);
        };
        let role = Role {
            arn: arn.clone(),
            session: self.surroundings.variable("AWS_ROLE_SESSION_NAME"),
            external_id: self.config.external_id.clone(),
        };
        self.sts.assume(&role, &keys.value).await
    }

    async fn of_the_chain(&self) -> Result<Fetched<Keys>, AuthError> {
        if let Some((id, secret)) = &self.config.keys {
            return Ok(lasting(id.clone(), reveal(secret).await?, None));
        }
        if let Some(profile) = &self.config.profile {
            let found = self.of_profile(profile).await?;
            return match found {
                Some(keys) => Ok(keys),
                None => self.of_the_machine().await,
            };
        }
        if let Some(keys) = self.of_environment() {
            return Ok(keys);
        }
        if let Some(token) = self.surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let arn = self.surroundings.variable("AWS_ROLE_ARN").ok_or_else(|| {
                AuthError::Nowhere(
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN; set both".to_owned(),
                )
            })?;
            return self.of_web_identity(arn, PathBuf::from(token)).await;
        }
        let profile = default_profile(&self.surroundings);
        match self.of_profile(&profile).await? {
            Some(keys) => Ok(keys),
            None => self.of_the_machine().await,
        }
    }

    fn of_environment(&self) -> Option<Fetched<Keys>> {
        let variables = &self.surroundings;
        let id = variables.first_of(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"])?;
        let secret = variables.first_of(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"])?;
        Some(lasting(id, secret, variables.variable("AWS_SESSION_TOKEN")))
    }

    async fn of_web_identity(&self, arn: String, token: PathBuf) -> Result<Fetched<Keys>, AuthError> {
        let role = Role {
            arn,
            session: self.surroundings.variable("AWS_ROLE_SESSION_NAME"),
            external_id: None,
        };
        let token = text_of(&token).await?;
        self.sts.assume_with_web_identity(&role, token.trim()).await
    }

    /// `None` where the profile says nothing of keys.
    async fn of_profile(&self, name: &str) -> Result<Option<Fetched<Keys>>, AuthError> {
        let profiles = Profiles::read(&self.surroundings).await?;
        let mut roles = Vec::new();
        let mut name = name.to_owned();
        let mut keys = loop {
            let Some(section) = profiles.section(&name) else {
                return match (roles.is_empty(), name.as_str()) {
                    (true, "default") if self.config.profile.is_none() => Ok(None),
                    _ => Err(profiles.missing(&name)),
                };
            };
            match (section.role(), section.value("source_profile")) {
                (Some(role), Some(source)) if roles.len() < MAX_SOURCES => {
                    roles.push(role);
                    if source == name {
                        break section.keys().map(|keys| self.of_file(keys));
                    }
                    source.clone_into(&mut name);
                }
                (Some(_), Some(_)) => return Err(profiles.bad(&name, "leads in a circle by source_profile")),
                _ => break self.of_section(&profiles, &name, &section).await?,
            }
        };
        for role in roles.iter().rev() {
            let base = keys.ok_or_else(|| profiles.bad(&name, "has a role but no keys to assume it with"))?;
            keys = Some(self.sts.assume(role, &base.value).await?);
        }
        Ok(keys)
    }

    async fn of_section(
        &self,
        profiles: &Profiles,
        name: &str,
        section: &Section<'_>,
    ) -> Result<Option<Fetched<Keys>>, AuthError> {
        if let Some(role) = section.role() {
            return match (
                section.value("web_identity_token_file"),
                section.value("credential_source"),
            ) {
                (Some(token), _) => {
                    let token = text_of(&PathBuf::from(token)).await?;
                    Ok(Some(
                        self.sts.assume_with_web_identity(&role, token.trim()).await?,
                    ))
                }
                (None, Some(source)) => {
                    let base = match source {
                        "Environment" => self.of_environment(),
                        "Ec2InstanceMetadata" => Some(self.metadata.of_instance().await?),
                        "EcsContainer" => self.metadata.of_container().await?,
                        _ => None,
                    };
                    let base =
                        base.ok_or_else(|| profiles.bad(name, "has a credential_source that has no keys"))?;
                    Ok(Some(self.sts.assume(&role, &base.value).await?))
                }
                (None, None) => Err(profiles.bad(name, "has a role_arn but no source_profile")),
            };
        }
        if let Some(keys) = section.keys() {
            return Ok(Some(self.of_file(keys)));
        }
        let foreign = ["sso_session", "sso_start_url", "credential_process"];
        match foreign.iter().find(|key| section.value(key).is_some()) {
            Some(key) => Err(profiles.bad(
                name,
                &format!("has {key}, which is not supported; give it keys or a role"),
            )),
            None => Ok(None),
        }
    }

    fn of_file(&self, keys: Keys) -> Fetched<Keys> {
        Fetched {
            value: keys,
            expires: Some(self.surroundings.now().after(FILE_LIFE)),
        }
    }

    async fn of_the_machine(&self) -> Result<Fetched<Keys>, AuthError> {
        if let Some(keys) = self.metadata.of_container().await? {
            return Ok(keys);
        }
        if self.surroundings.says_yes("AWS_EC2_METADATA_DISABLED") {
            return Err(AuthError::Nowhere(
                "there are no AWS keys: neither in sigv4, nor in the environment, nor in a profile, nor of a container"
                    .to_owned(),
            ));
        }
        self.metadata.of_instance().await
    }
}

fn lasting(id: String, secret: String, session: Option<String>) -> Fetched<Keys> {
    Fetched {
        value: Keys { id, secret, session },
        expires: None,
    }
}

fn default_profile(surroundings: &Surroundings) -> String {
    let named = surroundings.first_of(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
    named.unwrap_or_else(|| "default".to_owned())
}

fn region_of_profile(config: &SigV4Config, surroundings: &Surroundings) -> Option<String> {
    let name = config
        .profile
        .clone()
        .unwrap_or_else(|| default_profile(surroundings));
    let profiles = Profiles::of(surroundings, text_if_there);
    profiles.section(&name)?.value("region").map(str::to_owned)
}

/// Keys as endpoints of containers and machines have them in JSON.
fn of_json(answer: &Value) -> Option<Fetched<Keys>> {
    let field = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let expires = match field("Expiration") {
        None => None,
        Some(text) => Some(instant(&text)?),
    };
    Some(Fetched {
        value: Keys {
            id: field("AccessKeyId")?,
            secret: field("SecretAccessKey")?,
            session: field("Token"),
        },
        expires,
    })
}

/// `2015-08-30T12:36:00Z`.
fn instant(text: &str) -> Option<UnixMillis> {
    let at = humantime::parse_rfc3339_weak(text.trim()).ok()?;
    Some(UnixMillis::new(0).after(at.duration_since(UNIX_EPOCH).ok()?))
}
