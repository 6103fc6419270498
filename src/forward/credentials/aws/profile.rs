//! `~/.aws/credentials` and `~/.aws/config`: profiles as the AWS command line keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::environment::Surroundings;
use super::super::error::AuthError;
use super::super::secret::text_of;
use super::super::sigv4::Keys;
use super::sts::Role;

type Values = BTreeMap<String, String>;

/// What both files say.
pub(super) struct Profiles {
    files: Vec<PathBuf>,
    credentials: BTreeMap<String, Values>,
    config: BTreeMap<String, Values>,
}

/// One profile.
pub(super) struct Section<'a> {
    credentials: Option<&'a Values>,
    config: Option<&'a Values>,
}

impl Profiles {
    /// Reads both; one that is not there says nothing.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(super) async fn read(surroundings: &Surroundings) -> Result<Self, AuthError> {
        let mut texts = BTreeMap::new();
        for path in files(surroundings).into_iter().flatten() {
            if path.exists() {
                texts.insert(path.clone(), text_of(&path).await?);
            }
        }
        Ok(Self::of(surroundings, |path| {
            texts.remove(path).unwrap_or_default()
        }))
    }

    /// The same with texts that `text` knows.
    pub(super) fn of(surroundings: &Surroundings, mut text: impl FnMut(&Path) -> String) -> Self {
        let [credentials, config] = files(surroundings);
        let mut parsed = |path: &Option<PathBuf>| path.as_deref().map(|path| sections(&text(path)));
        Self {
            credentials: parsed(&credentials).unwrap_or_default(),
            config: parsed(&config).unwrap_or_default(),
            files: [credentials, config].into_iter().flatten().collect(),
        }
    }

    /// A profile, if either file has it.
    pub(super) fn section(&self, name: &str) -> Option<Section<'_>> {
        let of_config = if name == "default" {
            self.config
                .get("default")
                .or_else(|| self.config.get("profile default"))
        } else {
            self.config.get(&format!("profile {name}"))
        };
        let section = Section {
            credentials: self.credentials.get(name),
            config: of_config,
        };
        (section.credentials.is_some() || section.config.is_some()).then_some(section)
    }

    /// That no file has the profile.
    pub(super) fn missing(&self, name: &str) -> AuthError {
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        let files = if files.is_empty() {
            "no file (HOME is not set)".to_owned()
        } else {
            files.join(" or ")
        };
        AuthError::Nowhere(format!("there is no AWS profile {name:?} in {files}"))
    }

    /// That a profile cannot be used.
    pub(super) fn bad(&self, name: &str, problem: &str) -> AuthError {
        AuthError::Nowhere(format!("the AWS profile {name:?} {problem}"))
    }
}

impl Section<'_> {
    /// What a key says; the file with the keys is asked first.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let value = self.credentials.and_then(|values| values.get(key));
        let value = value.or_else(|| self.config?.get(key));
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Its own keys.
    pub(super) fn keys(&self) -> Option<Keys> {
        Some(Keys {
            id: self.value("aws_access_key_id")?.to_owned(),
            secret: self.value("aws_secret_access_key")?.to_owned(),
            session: self.value("aws_session_token").map(str::to_owned),
        })
    }

    /// The role it is about.
    pub(super) fn role(&self) -> Option<Role> {
        Some(Role {
            arn: self.value("role_arn")?.to_owned(),
            session: self.value("role_session_name").map(str::to_owned),
            external_id: self.value("external_id").map(str::to_owned),
        })
    }
}

fn files(surroundings: &Surroundings) -> [Option<PathBuf>; 2] {
    [
        surroundings.file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        surroundings.file("AWS_CONFIG_FILE", ".aws/config"),
    ]
}

/// Sections in brackets, `key = value` below; what is indented belongs to the value before and is left out.
fn sections(text: &str) -> BTreeMap<String, Values> {
    let mut sections: BTreeMap<String, Values> = BTreeMap::new();
    let mut current = None;
    for line in text
        .lines()
        .filter(|line| !line.starts_with([' ', '\t', '#', ';']))
    {
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            current = Some(sections.entry(title).or_default());
        } else if let (Some(values), Some((key, value))) = (current.as_mut(), line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            values.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_the_command_line_writes_them() {
        let text = "# mine\n[ default ]\naws_access_key_id = A # old\nS3 =\n  max = 3\n\n[profile  x]\nregion=eu-west-1\n";

        let sections = sections(text);

        assert_eq!(sections["default"]["aws_access_key_id"], "A");
        assert_eq!(sections["default"].get("max"), None);
        assert_eq!(sections["profile x"]["region"], "eu-west-1");
    }
}
