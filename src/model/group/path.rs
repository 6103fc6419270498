//! A group's key as the path that names it to a Pushgateway.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::GroupKey;
use crate::model::{NameScheme, escape_name};

/// What a label's name ends with whose value stands in URL-safe base64 (Pushgateway H40 - H46).
pub const BASE64_SUFFIX: &str = "@base64";

impl GroupKey {
    /// The path that pushes to this group and deletes it, without a slash before it, where `names` may stand: names in
    /// escapes and values in base64 where they could be taken for something else.
    #[must_use]
    pub fn path(&self, names: NameScheme) -> String {
        let mut path = "metrics".to_owned();
        let job = ("job", self.job());
        for (name, value) in [job]
            .into_iter()
            .chain(self.iter().filter(|(name, _)| *name != "job"))
        {
            let name = match names {
                NameScheme::Classic => name.into(),
                NameScheme::Utf8 => escape_name(name),
            };
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            path += if value.bytes().all(is_plain) && !value.is_empty() {
                format!("/{name}/{value}")
            } else {
                // so that an empty value, too, is a segment
                format!("/{name}{BASE64_SUFFIX}/{}=", BASE64_URL_SAFE_NO_PAD.encode(value))
            }
            .as_str();
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[(&str, &str)], names: NameScheme, expected: &str) {
        let labels: Vec<(String, String)> = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(GroupKey::try_from(labels).unwrap().path(names), expected);
    }

    #[test]
    fn job_leads_and_what_a_path_could_misread_is_base64() {
        let classic = NameScheme::Classic;
        check(&[("job", "a"), ("b", "v-1_2")], classic, "metrics/job/a/b/v-1_2");
        check(&[("job", "a/b")], classic, "metrics/job@base64/YS9i=");
        check(&[("job", "a"), ("b", "")], classic, "metrics/job/a/b@base64/=");
        check(
            &[("job", "."), ("b", "..")],
            classic,
            "metrics/job@base64/Lg=/b@base64/Li4=",
        );
        check(
            &[("job", "+"), ("b", "%41")],
            classic,
            "metrics/job@base64/Kw=/b@base64/JTQx=",
        );
        check(&[("job", "ä?>")], classic, "metrics/job@base64/w6Q_Pg=");
    }

    #[test]
    fn names_are_escaped_only_where_escapes_are_read() {
        let labels = [("job", "a"), ("U__x", "1")];
        check(&labels, NameScheme::Classic, "metrics/job/a/U__x/1");
        check(&labels, NameScheme::Utf8, "metrics/job/a/U__U____x/1");
        check(
            &[("job", "a"), ("größe.m", "1")],
            NameScheme::Utf8,
            "metrics/job/a/U__gr_f6__df_e_2e_m/1",
        );
    }
}
