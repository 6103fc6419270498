//! Which format the body of a push is in, by its `Content-Type`.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::codec::exposition::{Exposition, ProtobufError, TextError};
use crate::codec::{openmetrics, protobuf, text};
use crate::model::NameScheme;

/// A format of pushed bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The text format 0.0.4: whatever is not one of the others, as at a Pushgateway (M03).
    Text,
    OpenMetrics,
    /// Delimited `io.prometheus.client.MetricFamily` messages.
    Protobuf,
}

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormatError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Protobuf(#[from] ProtobufError),
}

impl Format {
    /// Reads the header. Protobuf is only what has both of its parameters, in any order.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some((kind, parameters)) = content_type.and_then(media_type) else {
            return Self::Text;
        };
        let says = |name: &str, value: &str| {
            parameters
                .iter()
                .any(|(n, v)| n.eq_ignore_ascii_case(name) && *v == value)
        };
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else if kind.eq_ignore_ascii_case("application/vnd.google.protobuf")
            && says("encoding", "delimited")
            && says("proto", "io.prometheus.client.MetricFamily")
        {
            Self::Protobuf
        } else {
            Self::Text
        }
    }

    /// Reads a body of at most `max_series` samples.
    pub(super) fn read(
        self,
        body: &[u8],
        max_series: usize,
        names: NameScheme,
    ) -> Result<Exposition<'_>, FormatError> {
        Ok(match self {
            Self::Text => text::parse_named(body, max_series, names)?,
            Self::OpenMetrics => openmetrics::parse_named(body, max_series, names)?,
            // as at Pushgateway; `pushgateway.utf8_names` says what of it goes on to the remotes
            Self::Protobuf => protobuf::decode_named(body, max_series, NameScheme::Utf8)?,
        })
    }
}

/// A media type and its parameters; `None` when it is malformed.
pub(super) fn media_type(text: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next()?;
    let parameters = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=')?;
        let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Some((name, quoted.unwrap_or(value)))
    });
    Some((kind, parameters.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: &str, expected: Format) {
        let headers: HeaderMap = [(CONTENT_TYPE, content_type.parse().unwrap())]
            .into_iter()
            .collect();
        assert_eq!(Format::of(&headers), expected, "{content_type}");
    }

    #[test]
    fn m03_only_the_whole_protobuf_type_means_protobuf() {
        for whole in [
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            "application/vnd.google.protobuf;encoding=delimited;proto=io.prometheus.client.MetricFamily",
            "Application/Vnd.Google.Protobuf ; Encoding=\"delimited\"; PROTO=io.prometheus.client.MetricFamily;",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores",
        ] {
            check(whole, Format::Protobuf);
        }
        for other in [
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf; encoding=delimited",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text",
            "application/vnd.google.protobuf; proto=other; encoding=delimited",
            "application/vnd.google.protobuf; proto; encoding=delimited",
            "application/json",
            "text/plain; version=0.0.4; charset=utf-8",
            "",
        ] {
            check(other, Format::Text);
        }
        assert_eq!(Format::of(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn openmetrics_is_known_by_its_type_whatever_the_version() {
        check("application/openmetrics-text", Format::OpenMetrics);
        check(
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::OpenMetrics,
        );
    }
}
