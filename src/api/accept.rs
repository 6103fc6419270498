//! Which format and packing a scraper wants, by its `Accept` and `Accept-Encoding`, as Go's `promhttp` reads them.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

use crate::codec::show::{Escaping, Format};

/// What a scraper gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) format: Format,
    pub(super) escaping: Escaping,
    pub(super) content_type: String,
}

/// How the answer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
}

impl Accepted {
    /// The format that is liked best of those there are; text when none is.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let mut clauses: Vec<Clause<'_>> = accept.unwrap_or_default().split(',').map(Clause::read).collect();
        clauses.retain(|clause| clause.liked > 0.0);
        clauses.sort_by(|a, b| b.liked.total_cmp(&a.liked));
        let mut escaping = Escaping::default();
        for clause in &clauses {
            // it holds for the formats liked less as well, as in Go
            escaping = clause
                .parameter("escaping")
                .and_then(Escaping::of_parameter)
                .unwrap_or(escaping);
            if let Some((format, content_type)) = clause.format() {
                return Self::new(format, content_type, escaping);
            }
        }
        Self::new(Format::Text, TEXT, escaping)
    }

    fn new(format: Format, content_type: &str, escaping: Escaping) -> Self {
        Self {
            format,
            escaping,
            content_type: format!("{content_type}; escaping={}", escaping.as_str()),
        }
    }
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS_1_0_0: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OPENMETRICS_0_0_1: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// One of the things in a header, and how much it is liked: from 0, not at all, to 1.
struct Clause<'a> {
    what: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    liked: f64,
}

impl<'a> Clause<'a> {
    fn read(clause: &'a str) -> Self {
        let mut parts = clause.split(';').map(str::trim);
        let mut read = Self {
            what: parts.next().unwrap_or_default(),
            parameters: Vec::new(),
            liked: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match (name.trim(), value.trim()) {
                ("q", liked) => read.liked = liked.parse().unwrap_or(0.0),
                parameter => read.parameters.push(parameter),
            }
        }
        read
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    /// The format it means and its content type, if there is such a one.
    fn format(&self) -> Option<(Format, &'static str)> {
        match (self.what, self.parameter("version")) {
            ("text/plain", None | Some("0.0.4")) => Some((Format::Text, TEXT)),
            ("application/openmetrics-text", Some("1.0.0")) => Some((Format::OpenMetrics, OPENMETRICS_1_0_0)),
            ("application/openmetrics-text", None | Some("0.0.1")) => {
                Some((Format::OpenMetrics, OPENMETRICS_0_0_1))
            }
            ("application/vnd.google.protobuf", _)
                if self.parameter("proto") == Some("io.prometheus.client.MetricFamily")
                    && self.parameter("encoding") == Some("delimited") =>
            {
                Some((Format::Protobuf, PROTOBUF))
            }
            _ => None,
        }
    }
}

impl Packing {
    /// gzip where it is liked better than nothing at all.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT_ENCODING).iter();
        let clauses: Vec<Clause<'_>> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(Clause::read)
            .collect();
        let liked = |name: &str| {
            clauses
                .iter()
                .filter(|clause| clause.what == "*" || clause.what == name)
                .map(|clause| clause.liked)
                .fold(0.0, f64::max)
        };
        if liked("gzip") > liked("identity") {
            Self::Gzip
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: (Format, &str)) {
        let headers: HeaderMap = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
        let accepted = Accepted::of(&headers);
        assert_eq!(
            (accepted.format, accepted.content_type.as_str()),
            expected,
            "{accept}"
        );
    }

    const UNDERSCORES: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

    #[test]
    fn text_is_what_everybody_gets_who_wants_nothing_else() {
        assert_eq!(Accepted::of(&HeaderMap::new()).content_type, UNDERSCORES);
        for accept in [
            "",
            "*/*",
            "text/html",
            "text/plain",
            "text/*;q=0.1",
            "text/plain;version=1.0.0",
            "text/plain;q=0.5,application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0",
            "application/vnd.google.protobuf;encoding=delimited",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        ] {
            check(accept, (Format::Text, UNDERSCORES));
        }
    }

    #[test]
    fn what_is_liked_best_is_chosen() {
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let protobuf =
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
        for (accept, format, content_type) in [
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
                format!("{openmetrics}; escaping=underscores"),
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::OpenMetrics,
                format!("{openmetrics}; escaping=allow-utf-8"),
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2",
                Format::Protobuf,
                format!("{protobuf}; escaping=allow-utf-8"),
            ),
            (
                "application/openmetrics-text; q=0.2, text/plain; escaping=dots; q=0.3",
                Format::Text,
                "text/plain; version=0.0.4; charset=utf-8; escaping=dots".to_owned(),
            ),
            (
                "application/openmetrics-text",
                Format::OpenMetrics,
                "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores".to_owned(),
            ),
            (
                "text/html;escaping=values, text/plain;escaping=nonsense;q=0.5",
                Format::Text,
                "text/plain; version=0.0.4; charset=utf-8; escaping=values".to_owned(),
            ),
        ] {
            check(accept, (format, &content_type));
        }
    }

    #[test]
    fn gzip_is_used_where_it_is_liked_better_than_none() {
        for (accepted, expected) in [
            ("gzip", Packing::Gzip),
            ("deflate, gzip;q=0.5", Packing::Gzip),
            ("zstd, br", Packing::Plain),
            ("*", Packing::Plain),
            ("gzip;q=0", Packing::Plain),
            ("identity, gzip", Packing::Plain),
            ("identity;q=0.5, gzip", Packing::Gzip),
            ("", Packing::Plain),
        ] {
            let headers = [(ACCEPT_ENCODING, accepted.parse().unwrap())];
            assert_eq!(
                Packing::of(&headers.into_iter().collect()),
                expected,
                "{accepted}"
            );
        }
    }
}
