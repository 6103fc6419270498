//! What is asked, chapter by chapter; the letters are the cases of `pushgateway.md`.

mod bodies;
mod consistency;
mod doors;
mod encodings;
mod histograms;
mod paths;
mod protobuf;
mod storing;
mod syntax;
mod unchecked;
mod utf8;

use super::{Mode, Scenario};

/// Scenarios that are played to servers that are set alike.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    pub(crate) mode: Mode,
    pub(crate) scenarios: &'static [Scenario],
}

const fn chapter(name: &'static str, mode: Mode, scenarios: &'static [Scenario]) -> Chapter {
    Chapter {
        name,
        mode,
        scenarios,
    }
}

const CHAPTERS: [Chapter; 15] = [
    chapter("paths", Mode::Plain, paths::PATHS),
    chapter("bodies", Mode::Plain, bodies::BODIES),
    chapter("syntax", Mode::Plain, syntax::SYNTAX),
    chapter("encodings", Mode::Plain, encodings::ENCODINGS),
    chapter("storing", Mode::Plain, storing::STORING),
    chapter("consistency", Mode::Plain, consistency::CONSISTENCY),
    chapter("histograms", Mode::Plain, histograms::HISTOGRAMS),
    chapter("only in protobuf", Mode::Plain, protobuf::ONLY_IN_PROTOBUF),
    chapter("closed doors", Mode::Plain, doors::CLOSED),
    chapter("open doors", Mode::Open, doors::OPEN),
    chapter("guarded doors", Mode::Secured, doors::GUARDED),
    chapter("names in UTF-8", Mode::Utf8, utf8::UTF8),
    chapter("taken with 202", Mode::Accepting, storing::ACCEPTED),
    chapter("unchecked", Mode::Unchecked, unchecked::UNCHECKED),
    chapter("unchecked protobuf", Mode::Unchecked, protobuf::UNCHECKED),
];

/// All there are.
pub(crate) fn chapters() -> &'static [Chapter] {
    &CHAPTERS
}
