//! The groups in the answer of `/api/v1/metrics`, read while it comes; what was pushed is passed over.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Labels, Listed, MAX_GROUPS, Name, PUSH_FAILURE_TIME, PUSH_TIME, Unread, time};
use crate::gateway::Progress;
use crate::model::UnixMillis;

/// Said by the seed that has had enough, recognised again behind serde's words.
const TOO_MANY: &str = "too many groups";

/// Reads all of it.
pub(super) fn read(body: impl BufRead, progress: &Progress) -> Result<Vec<Listed>, Unread> {
    let mut groups = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_reader(body);
    let read = Answer {
        groups: &mut groups,
        progress,
    }
    .deserialize(&mut deserializer);
    match read.and_then(|()| deserializer.end()) {
        Ok(()) => Ok(groups),
        Err(error) if error.to_string().starts_with(TOO_MANY) => Err(Unread::TooMany),
        Err(error) => Err(Unread::Strange(format!(
            r#"expected {{"status":"success","data":[...]}} with groups, and {error}"#
        ))),
    }
}

struct Answer<'a> {
    groups: &'a mut Vec<Listed>,
    progress: &'a Progress,
}

impl<'de> DeserializeSeed<'de> for Answer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with data")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut has_data = false;
        while let Some(key) = map.next_key::<Key>()? {
            if key == Key::Data {
                has_data = true;
                let (groups, progress) = (&mut *self.groups, self.progress);
                map.next_value_seed(Data { groups, progress })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match has_data {
            true => Ok(()),
            false => Err(de::Error::missing_field("data")),
        }
    }
}

struct Data<'a> {
    groups: &'a mut Vec<Listed>,
    progress: &'a Progress,
}

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of groups")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while let Some(Group(group)) = list.next_element()? {
            if self.groups.len() == MAX_GROUPS {
                return Err(de::Error::custom(TOO_MANY));
            }
            self.groups.push(group);
            self.progress.count_read();
        }
        Ok(())
    }
}

struct Group(Listed);

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GroupVisitor).map(Group)
    }
}

struct GroupVisitor;

impl<'de> Visitor<'de> for GroupVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a group with labels")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Listed, M::Error> {
        let mut labels = None;
        let mut pushed = Family::default();
        let mut failed = Family::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Labels => labels = Some(map.next_value::<BTreeMap<String, LabelValue>>()?),
                Key::PushTime => pushed = map.next_value()?,
                Key::PushFailureTime => failed = map.next_value()?,
                Key::Data | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let labels = labels.ok_or_else(|| de::Error::missing_field("labels"))?;
        Ok(Listed {
            name: name(labels, &pushed),
            pushed: pushed.time(),
            failed: failed.time(),
        })
    }
}

/// A pushed metric that is called `labels` stands where the key should. The key can be told from the labels of the push
/// time then, like in text.
fn name(labels: BTreeMap<String, LabelValue>, push_time: &Family) -> Name {
    let key: Option<Labels> = labels
        .into_iter()
        .map(|(name, LabelValue(value))| Some((name, value?)))
        .collect();
    match (key, push_time.metrics.first()) {
        (Some(key), _) => Name::of_key(key),
        (None, Some(metric)) => Name::of_series(metric.labels.clone().into_iter().collect()),
        (None, None) => Name::None {
            labels: Vec::new(),
            why: "a metric called labels hides its labels",
        },
    }
}

/// The keys that matter, told apart without keeping the others.
#[derive(PartialEq, Eq)]
enum Key {
    Data,
    Labels,
    PushTime,
    PushFailureTime,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "data" => Key::Data,
                    "labels" => Key::Labels,
                    PUSH_TIME => Key::PushTime,
                    PUSH_FAILURE_TIME => Key::PushFailureTime,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// A label's value, or none where something else stands.
struct LabelValue(Option<String>);

impl<'de> Deserialize<'de> for LabelValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LabelVisitor)
    }
}

struct LabelVisitor;

impl<'de> Visitor<'de> for LabelVisitor {
    type Value = LabelValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a label")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<LabelValue, E> {
        Ok(LabelValue(Some(value.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<LabelValue, S::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LabelValue(None))
    }
}

/// A family, of which only the time matters; a histogram that was pushed by this name has none.
#[derive(Default, Deserialize)]
struct Family {
    #[serde(default)]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<String>,
}

impl Family {
    fn time(&self) -> Option<UnixMillis> {
        let value = self.metrics.first()?.value.as_ref()?;
        time(value.parse().ok()?)
    }
}
