//! Which message the headers of a request announce. Only they say it (PRW R2-01); what they leave out is version 1.0 in a
//! snappy block, as it was before there were two.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::api::format::media_type;
use crate::codec::remote_write::Message;

/// Why a body cannot be read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::api) enum Unsupported {
    #[error(
        "the Content-Type {0:?} is not understood: send application/x-protobuf, with ;proto=io.prometheus.write.v2.Request for version 2.0"
    )]
    Type(String),
    #[error(
        "the Content-Encoding {0:?} is not understood: send a snappy block, with Content-Encoding: snappy"
    )]
    Encoding(String),
}

/// The message that the headers announce.
pub(super) fn message_of(headers: &HeaderMap) -> Result<Message, Unsupported> {
    let content_type = text_of(headers, CONTENT_TYPE);
    let message = typed(&content_type).ok_or(Unsupported::Type(content_type))?;
    let encoding = text_of(headers, CONTENT_ENCODING);
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("snappy") {
        Ok(message)
    } else {
        Err(Unsupported::Encoding(encoding))
    }
}

fn typed(content_type: &str) -> Option<Message> {
    if content_type.is_empty() {
        return Some(Message::V1);
    }
    let (kind, parameters) = media_type(content_type)?;
    if !kind.eq_ignore_ascii_case("application/x-protobuf") {
        return None;
    }
    let proto = parameters
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("proto"));
    match proto {
        Some((_, message)) => Message::named(message),
        None => Some(Message::V1),
    }
}

/// All values of a header as one, as they may also be sent.
fn text_of(headers: &HeaderMap, name: http::HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(", ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(content_type: Option<&'static str>, encoding: Option<&'static str>) -> HeaderMap {
        let content_type = content_type.map(|value| (CONTENT_TYPE, value.parse().unwrap()));
        let encoding = encoding.map(|value| (CONTENT_ENCODING, value.parse().unwrap()));
        content_type.into_iter().chain(encoding).collect()
    }

    #[track_caller]
    fn check(content_type: Option<&'static str>, encoding: Option<&'static str>, expected: Option<Message>) {
        let message = message_of(&headers(content_type, encoding));

        assert_eq!(message.ok(), expected, "{content_type:?} {encoding:?}");
    }

    /// PRW R2-01, R2-02; Prometheus, `HeadersHandling_V1` and `HeadersHandling_V2`.
    #[test]
    fn the_content_type_says_which_message_it_is() {
        let snappy = Some("snappy");
        for (content_type, expected) in [
            ("application/x-protobuf", Some(Message::V1)),
            (
                "application/x-protobuf;proto=prometheus.WriteRequest",
                Some(Message::V1),
            ),
            (
                "application/x-protobuf;proto=io.prometheus.write.v2.Request",
                Some(Message::V2),
            ),
            (
                "Application/X-Protobuf ; PROTO=\"io.prometheus.write.v2.Request\"",
                Some(Message::V2),
            ),
            (
                "application/x-protobuf; charset=utf-8; proto=io.prometheus.write.v2.Request",
                Some(Message::V2),
            ),
            ("application/x-protobuf;charset=utf-8", Some(Message::V1)),
            ("", Some(Message::V1)),
            ("yolo", None),
            ("application/x-protobuf;proto=yolo", None),
            ("application/x-protobuf;proto=", None),
            (
                "application/x-protobuf;proto=IO.prometheus.write.v2.Request",
                None,
            ),
            ("application/x-protobuf;proto", None),
            ("application/json", None),
            ("text/plain;proto=prometheus.WriteRequest", None),
        ] {
            check(Some(content_type), snappy, expected);
        }
        check(None, snappy, Some(Message::V1));
    }

    /// PRW R2-02; Prometheus takes a missing encoding for snappy.
    #[test]
    fn only_snappy_is_understood_and_it_may_go_without_saying() {
        let v2 = Some("application/x-protobuf;proto=io.prometheus.write.v2.Request");
        for (encoding, is_known) in [
            (None, true),
            (Some(""), true),
            (Some("snappy"), true),
            (Some("Snappy"), true),
            (Some("identity"), false),
            (Some("zstd"), false),
            (Some("gzip"), false),
            (Some("snappy, gzip"), false),
            (Some("yolo"), false),
        ] {
            check(v2, encoding, is_known.then_some(Message::V2));
            check(None, encoding, is_known.then_some(Message::V1));
        }
    }
}
