//! What has to hold for any path and any packed body: for the targets in `fuzz/`, and for tests. Built for no other
//! purpose.

use std::sync::Arc;

use super::body::{BodyError, Held, Limit};
use super::encoding::Encoding;
use super::group_path::{self, GroupPath};
use crate::model::{GroupKey, NameScheme};

/// Longest body here, packed and unpacked.
const MAX_BYTES: usize = 1 << 16;

const LIMIT: Limit = Limit {
    bytes: MAX_BYTES,
    key: "the test",
};

/// A path is refused, or names a group that is named again by the path written for it, or leads to where it stays.
///
/// # Panics
/// When it does not.
pub fn any_path(path: &[u8]) {
    let Ok(path) = std::str::from_utf8(path) else {
        return;
    };
    for names in [NameScheme::Classic, NameScheme::Utf8] {
        any_path_of(path, names);
    }
}

fn any_path_of(path: &str, names: NameScheme) {
    match group_path::read(path, names) {
        // a path of escapes may be four times as long
        Ok(GroupPath::Group(group)) if path.len() <= MAX_BYTES / 16 => {
            let again = group_path::read(&written(&group, names), names);
            assert_eq!(again, Ok(GroupPath::Group(group)), "{path:?}");
        }
        Ok(GroupPath::Elsewhere(to)) => {
            let loops = matches!(group_path::read(&to, names), Ok(GroupPath::Elsewhere(_)));
            assert!(!loops, "{path:?} leads to {to:?} and on");
            assert!(to.len() < path.len(), "{path:?} leads to {to:?}");
        }
        Ok(GroupPath::Group(_) | GroupPath::Unknown) | Err(_) => {}
    }
}

/// The path with job and values in base64, which can say every group but one of too many labels.
fn written(group: &GroupKey, names: NameScheme) -> String {
    use base64::Engine as _;
    let encoded = |value: &str| base64::prelude::BASE64_URL_SAFE.encode(value);
    let mut path = format!("/metrics/job@base64/{}", encoded(group.job()));
    for (name, value) in group.iter().filter(|(name, _)| *name != "job") {
        let value = if value.is_empty() {
            "=".to_owned()
        } else {
            encoded(value)
        };
        let name = match names {
            NameScheme::Classic => name.to_owned(),
            NameScheme::Utf8 => escaped(name),
        };
        path.push_str(&format!("/{name}@base64/{value}"));
    }
    path
}

/// A label's name with `U__` and escapes, which can spell every one.
fn escaped(name: &str) -> String {
    let escaped = |char: char| match char {
        '_' => "__".to_owned(),
        'a'..='z' | 'A'..='Z' | '0'..='9' => char.to_string(),
        other => format!("_{:x}_", u32::from(other)),
    };
    format!("U__{}", name.chars().map(escaped).collect::<String>())
}

/// A packed body comes to no more than its limit, and to the same each time. The first byte says how it is packed.
///
/// # Panics
/// When it does not.
pub fn any_packed_body(packed: &[u8]) {
    let Some((first, sent)) = packed.split_first() else {
        return;
    };
    let encoding = match first % 4 {
        0 => Encoding::Gzip,
        1 => Encoding::Deflate,
        2 => Encoding::Zstd,
        _ => Encoding::Snappy,
    };
    let mut held = Held::new(&Arc::default(), LIMIT);
    if held.push(sent, |limit| BodyError::TooLong { limit }).is_err() {
        return;
    }
    let (once, again) = (encoding.unpack(&held), encoding.unpack(&held));
    match (once, again) {
        (Ok(once), Ok(again)) => {
            assert!(once.bytes().len() <= MAX_BYTES, "{encoding:?} passed the limit");
            assert_eq!(once.bytes(), again.bytes(), "{encoding:?}");
        }
        (Err(once), Err(again)) => assert_eq!(once.to_string(), again.to_string(), "{encoding:?}"),
        (once, again) => assert_eq!(once.is_ok(), again.is_ok(), "{encoding:?}"),
    }
}

#[cfg(test)]
mod tests;
