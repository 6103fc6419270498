//! From the path of a push to the key of its group, as Pushgateway reads it (cases H40 - H50, B01 - B08).

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

use crate::model::{BASE64_SUFFIX, GroupKey, GroupKeyError, NameScheme, unescape_name};

/// Most labels of a group besides its job. Each sample gets them all; Flink's users write a handful.
const MAX_LABELS: usize = 100;

/// Longest path. Groups are kept in memory, so their number alone would be no bound.
const MAX_PATH_BYTES: usize = 16 << 10;

/// As Go's `base64.RawURLEncoding` after all `=` at the end are cut off.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupPath {
    /// A group to push to.
    Group(GroupKey),
    /// The same place without the slash at its end.
    Elsewhere(String),
    /// No path of pushes at all.
    Unknown,
}

/// Why a path of pushes names no group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GroupPathError {
    #[error("the path is not valid UTF-8 after percent-decoding: {0:?}")]
    NotUtf8(String),
    #[error(
        "odd number of components in label string {0:?}: behind the job stand pairs of /<label>/<value>; a value with a slash is sent as <label>@base64/<value in URL-safe base64>"
    )]
    OddParts(String),
    #[error("the group has {0} labels, at most {MAX_LABELS} may stand behind the job")]
    TooManyLabels(usize),
    #[error("the path is {0} bytes long, at most {MAX_PATH_BYTES} may name a group")]
    TooLong(usize),
    #[error("invalid base64 encoding of the value of {name:?}: {value:?} is not URL-safe base64")]
    Base64 { name: String, value: String },
    #[error("the base64 value of {name:?} is not valid UTF-8 when decoded")]
    Base64NotUtf8 { name: String },
    #[error(transparent)]
    Key(#[from] GroupKeyError),
}

/// Reads the path of a request, prefixes already cut off. Where names may be any text, those of labels may be spelled
/// with `U__` and escapes.
pub(super) fn read(path: &str, names: NameScheme) -> Result<GroupPath, GroupPathError> {
    let decoded = percent_decode_str(path).decode_utf8();
    let decoded = decoded.map_err(|_| GroupPathError::NotUtf8(path.to_owned()))?;
    let Some(rest) = decoded.strip_prefix("/metrics/job") else {
        return Ok(GroupPath::Unknown);
    };
    if !rest.starts_with('/') && !rest.starts_with(BASE64_SUFFIX) {
        return Ok(GroupPath::Unknown);
    }
    let (is_base64, rest) = match rest.strip_prefix(BASE64_SUFFIX) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let Some(rest) = rest.strip_prefix('/') else {
        return Ok(GroupPath::Unknown);
    };
    if path.len() > MAX_PATH_BYTES {
        return Err(GroupPathError::TooLong(path.len()));
    }
    if rest.is_empty() {
        return Ok(match is_base64 {
            false => GroupPath::Elsewhere(decoded.trim_end_matches('/').to_owned()),
            true => GroupPath::Unknown,
        });
    }
    let (job, labels) = rest.split_once('/').unwrap_or((rest, ""));
    let job = if is_base64 {
        decode("job", job)?
    } else {
        job.to_owned()
    };
    let labels = read_labels(labels, names)?;
    Ok(GroupPath::Group(GroupKey::try_named(&job, labels, names)?))
}

fn read_labels(labels: &str, names: NameScheme) -> Result<Vec<(String, String)>, GroupPathError> {
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = labels.split('/').collect();
    let (pairs, []) = parts.as_chunks::<2>() else {
        return Err(GroupPathError::OddParts(format!("/{labels}")));
    };
    if pairs.len() > MAX_LABELS {
        return Err(GroupPathError::TooManyLabels(pairs.len()));
    }
    pairs
        .iter()
        .map(|[name, value]| match name.strip_suffix(BASE64_SUFFIX) {
            Some(name) => Ok((unescaped(name, names), decode(name, value)?)),
            None => Ok((unescaped(name, names), (*value).to_owned())),
        })
        .collect()
}

fn unescaped(name: &str, names: NameScheme) -> String {
    let unescaped = match names {
        NameScheme::Classic => None,
        NameScheme::Utf8 => unescape_name(name),
    };
    unescaped.unwrap_or_else(|| name.to_owned())
}

fn decode(name: &str, value: &str) -> Result<String, GroupPathError> {
    let bytes = ENGINE
        .decode(value.trim_end_matches('='))
        .map_err(|_| GroupPathError::Base64 {
            name: name.to_owned(),
            value: value.to_owned(),
        })?;
    String::from_utf8(bytes).map_err(|_| GroupPathError::Base64NotUtf8 {
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        check_named(path, NameScheme::Classic, expected);
    }

    #[track_caller]
    fn check_named(path: &str, names: NameScheme, expected: &str) {
        let read = match read(path, names) {
            Ok(GroupPath::Group(key)) => key.to_string(),
            Ok(GroupPath::Elsewhere(to)) => format!("307 {to}"),
            Ok(GroupPath::Unknown) => "404".to_owned(),
            Err(error) => format!("400 {error}"),
        };
        assert!(read.starts_with(expected), "{path}: {read}");
    }

    #[test]
    fn h40_to_h46_labels_are_pairs_and_may_be_base64() {
        check("/metrics/job/j/a/v1/b/v2", r#"{a="v1",b="v2",job="j"}"#);
        check("/metrics/job/j/a=b/v", "400 improper label name \"a=b\"");
        check("/metrics/job/j/__a/v", "400 improper label name \"__a\"");
        check("/metrics/job/j/a/v/b/x/y", "400 odd number of components");
        check(
            "/metrics/job@base64/dGVzdC9qb2I=/a@base64/dGVzdC9pbnN0YW5jZQ",
            r#"{a="test/instance",job="test/job"}"#,
        );
        check("/metrics/job/j/b@base64/YQ====", r#"{b="a",job="j"}"#);
        check("/metrics/job/j/b@base64/a.b", "400 invalid base64");
        check(
            "/metrics/job/j/U__label_2e_name/v",
            r#"{U__label_2e_name="v",job="j"}"#,
        );
    }

    #[test]
    fn b01_to_b08_paths_are_read_as_the_real_one_reads_them() {
        check("/metrics/job/", "307 /metrics/job");
        check("/metrics/job", "404");
        check("/metrics/jobs/a", "404");
        check("/metrics", "404");
        check("/metrics/job@base64/", "404");
        check("/metrics/job@base64/=", "400 job name is required");
        check("/metrics/job/a/", r#"{job="a"}"#);
        check("/metrics/job/a/b", "400 odd number");
        check("/metrics/job/a/b@base64/=", r#"{b="",job="a"}"#);
        check("/metrics/job/a/b@base64/+++=", "400 invalid base64");
        check("/metrics/job/a/0x/v", "400 improper label name");
        check("/metrics/job/a/job/b", r#"{job="a"}"#);
        check("/metrics/job/a/b/1/b/2", r#"{b="2",job="a"}"#);
        check("/metrics/job/a%2Fb", "400 odd number");
        check("/metrics/job/%C3%A4%20+", r#"{job="ä +"}"#);
        check("/metrics/job/%FF", "400 the path is not valid UTF-8");
        check(
            "/metrics/job/a/b@base64/_w",
            "400 the base64 value of \"b\" is not valid UTF-8",
        );
    }

    #[test]
    fn h20_h21_h34_h35_h48_to_h50_escaped_label_names_are_read_where_names_are_utf8() {
        let escaped = "/metrics/job/j/U__label_2e_name2/v";
        check(escaped, r#"{U__label_2e_name2="v",job="j"}"#);
        let check = |path, expected| check_named(path, NameScheme::Utf8, expected);
        check(escaped, r#"{job="j","label.name2"="v"}"#);
        check(
            "/metrics/job/j/instance/i/U__dotted_2e_label_2e_name/v",
            r#"{"dotted.label.name"="v",instance="i",job="j"}"#,
        );
        check(
            "/metrics/job@base64/dGVzdC9qb2I=/instance@base64/aW5zdA==/U__dotted_2e_label_2e_name@base64/YS9i",
            r#"{"dotted.label.name"="a/b",instance="inst",job="test/job"}"#,
        );
        check(
            "/metrics/job/j/größe/v/a.b/w",
            r#"{"a.b"="w","größe"="v",job="j"}"#,
        );
        check("/metrics/job/j/U__a/1/a/2", r#"{a="2",job="j"}"#);
        check("/metrics/job/j/U__a_/v", r#"{U__a_="v",job="j"}"#);
    }

    #[test]
    fn h42_reserved_names_are_refused_whatever_they_are_spelled_like() {
        for name in [
            "__a",
            "U______a",
            "U___5f__5f_a",
            "U__",
            "__name__",
            "U______name____",
        ] {
            let path = format!("/metrics/job/j/{name}/v");
            check_named(&path, NameScheme::Utf8, "400 improper label name");
        }
    }

    #[test]
    fn a_slash_in_disguise_is_not_redirected_to_itself() {
        check("/metrics/job%2f", "307 /metrics/job");
        check("/metrics%2Fjob@base64%2F", "404");
    }

    #[test]
    fn a_path_that_would_cost_every_sample_dearly_is_refused() {
        check(
            &format!("/metrics/job/a{}", "/b/1".repeat(100)),
            r#"{b="1",job="a"}"#,
        );
        check(
            &format!("/metrics/job/a{}", "/b/1".repeat(101)),
            "400 the group has 101 labels",
        );
        check(
            &format!("/metrics/job/{}", "a".repeat(16 << 10)),
            "400 the path is 16397 bytes long",
        );
    }

    proptest! {
        #[test]
        fn a_written_path_leads_back_to_its_group(
            job in "\\PC{1,8}",
            labels in proptest::collection::vec(("[a-z]{1,3}", "\\PC{0,8}|[./=]{1,3}"), 0..4),
        ) {
            let key = GroupKey::try_new(&job, labels).unwrap();

            let path = format!("/{}", key.path(NameScheme::Classic));

            prop_assert_eq!(read(&path, NameScheme::Classic), Ok(GroupPath::Group(key)));
        }

        #[test]
        fn so_does_one_with_names_that_are_any_text(name in "\\PC{1,6}|[U_.a-f0-9/@]{1,9}", value in "\\PC{0,4}") {
            let key = GroupKey::try_named("j", [(name, value)], NameScheme::Utf8);
            let Ok(key) = key else { return Ok(()) };

            let path = format!("/{}", key.path(NameScheme::Utf8));

            prop_assert_eq!(read(&path, NameScheme::Utf8), Ok(GroupPath::Group(key)));
        }

        #[test]
        fn no_path_panics(path in "(/metrics/job)?(@base64)?[/a-zU.%0-9=@_]{0,40}") {
            let _ = read(&path, NameScheme::Classic);
            let _ = read(&path, NameScheme::Utf8);
        }
    }
}
