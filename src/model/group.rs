//! Who pushes: the group named by the URL, and the process told by the body.

mod path;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NameScheme, ShownName};

pub use path::BASE64_SUFFIX;

/// The label that Pushgateway gives to every metric that has none.
pub const INSTANCE: &str = "instance";

/// A group's key: the labels of the push path as they were pushed, `job` among them, sorted by name.
///
/// Unlike in a `LabelSet` values may be empty: `{job="a",b=""}` and `{job="a"}` are two groups (Pushgateway B04).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct GroupKey {
    labels: Vec<(String, String)>,
}

/// Why labels make no group key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupKeyError {
    /// There is no `job`, or it is empty.
    #[error("job name is required")]
    NoJob,
    /// A name is not `[a-zA-Z_][a-zA-Z0-9_]*` where only such names are taken, or begins with `__`, which is reserved.
    #[error(
        "improper label name {0:?}: a grouping label matches [a-zA-Z_][a-zA-Z0-9_]*, or is any text with pushgateway.utf8_names, and does not begin with __"
    )]
    BadName(String),
}

impl GroupKey {
    /// A key from the job of the path and the labels behind it, whose names are classic. Of equal names the last wins,
    /// but the leading `job` wins over a later one (Pushgateway B06).
    ///
    /// # Errors
    /// [`GroupKeyError`]: the client has to mend its path.
    pub fn try_new(
        job: &str,
        labels: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, GroupKeyError> {
        Self::try_named(job, labels, NameScheme::Classic)
    }

    /// As [`GroupKey::try_new`], with names of a scheme.
    ///
    /// # Errors
    /// [`GroupKeyError`]: the client has to mend its path.
    pub fn try_named(
        job: &str,
        labels: impl IntoIterator<Item = (String, String)>,
        names: NameScheme,
    ) -> Result<Self, GroupKeyError> {
        if job.is_empty() {
            return Err(GroupKeyError::NoJob);
        }
        let mut key: Vec<(String, String)> = Vec::new();
        for (name, value) in labels {
            if !names.allows_label(&name) || name.starts_with("__") {
                return Err(GroupKeyError::BadName(name));
            }
            match key.iter_mut().find(|(n, _)| *n == name) {
                Some(pair) => pair.1 = value,
                None => key.push((name, value)),
            }
        }
        key.retain(|(name, _)| name != "job");
        key.push(("job".to_owned(), job.to_owned()));
        key.sort();
        Ok(Self { labels: key })
    }

    /// The value of `job`; never empty.
    #[must_use]
    pub fn job(&self) -> &str {
        self.labels
            .iter()
            .find(|(name, _)| name == "job")
            .map_or("", |(_, value)| value)
    }

    /// Name and value of every grouping label, `job` among them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes the labels of a pushed metric, none of which is the group's, those that Pushgateway gives it: with the
    /// group's, with `instance`, if only an empty one (S32), and sorted by name.
    pub fn complete<'a>(&'a self, labels: &mut Vec<(&'a str, &'a str)>) {
        labels.extend(self.iter());
        if !labels.iter().any(|(name, _)| *name == INSTANCE) {
            labels.push((INSTANCE, ""));
        }
        labels.sort_unstable();
    }

    /// The one other key whose own series are shown with the same labels: with an empty `instance` where this has none,
    /// or the other way round.
    #[must_use]
    pub fn shown_alike(&self) -> Option<Self> {
        let mut labels = self.labels.clone();
        match labels.iter().position(|(name, _)| name == INSTANCE) {
            None => labels.push((INSTANCE.to_owned(), String::new())),
            Some(at) if labels.get(at).is_some_and(|(_, value)| value.is_empty()) => {
                labels.remove(at);
            }
            Some(_) => return None,
        }
        labels.sort();
        Some(Self { labels })
    }

    /// The key as bytes: each name and value followed by 0xFF, which no UTF-8 text contains (Pushgateway S20).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in self.iter() {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0xff);
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(0xff);
        }
        bytes
    }
}

impl TryFrom<Vec<(String, String)>> for GroupKey {
    type Error = GroupKeyError;

    fn try_from(labels: Vec<(String, String)>) -> Result<Self, GroupKeyError> {
        let job = labels
            .iter()
            .find(|(name, _)| name == "job")
            .map_or(String::new(), |(_, value)| value.clone());
        // it was judged when it came, and outlives a change of the scheme
        Self::try_named(&job, labels, NameScheme::Utf8)
    }
}

impl From<GroupKey> for Vec<(String, String)> {
    fn from(key: GroupKey) -> Self {
        key.labels
    }
}

/// As PromQL writes a selector: `{instance="a",job="b"}`.
impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}={value:?}", ShownName(name))?;
        }
        f.write_str("}")
    }
}

/// The process behind a push, told by the `host` and `tm_id` that every sample of a Flink body carries.
///
/// A JobManager has only `host`; a pusher that is not Flink has neither, and is the anonymous process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    /// The host as the body writes it.
    pub host: Option<String>,
    /// The TaskManager's id as the body writes it.
    pub tm_id: Option<String>,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, &self.tm_id) {
            (None, None) => f.write_str("anonymous"),
            (Some(host), None) => write!(f, "host {host}"),
            (None, Some(tm_id)) => write!(f, "tm_id {tm_id}"),
            (Some(host), Some(tm_id)) => write!(f, "host {host}, tm_id {tm_id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(job: &str, labels: &[(&str, &str)]) -> Result<GroupKey, GroupKeyError> {
        GroupKey::try_new(
            job,
            labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn the_leading_job_wins_and_of_equal_names_the_last() {
        let group = key("a", &[("job", "other"), ("b", "1"), ("b", "2")]).unwrap();

        assert_eq!(group.to_string(), r#"{b="2",job="a"}"#);
    }

    #[test]
    fn an_empty_value_makes_another_group() {
        assert_ne!(key("a", &[("b", "")]).unwrap(), key("a", &[]).unwrap());
    }

    #[test]
    fn reserved_and_malformed_names_are_refused() {
        for name in ["__x", "0x", "na-me", "a=b", ""] {
            assert_eq!(
                key("a", &[(name, "v")]),
                Err(GroupKeyError::BadName(name.to_owned()))
            );
        }
        assert_eq!(key("", &[]), Err(GroupKeyError::NoJob));
    }

    #[test]
    fn other_names_are_taken_where_the_scheme_allows_them_and_read_back_anywhere() {
        let labels = || [("a.b".to_owned(), "v".to_owned())];
        let group = GroupKey::try_named("j", labels(), NameScheme::Utf8).unwrap();

        assert_eq!(group.to_string(), r#"{"a.b"="v",job="j"}"#);
        assert_eq!(GroupKey::try_from(Vec::from(group.clone())), Ok(group));
        for name in ["", "__x"] {
            let bad = GroupKey::try_named("j", [(name.to_owned(), "v".to_owned())], NameScheme::Utf8);
            assert_eq!(bad, Err(GroupKeyError::BadName(name.to_owned())));
        }
    }
}
