//! Numbers and type words as Go reads them.

use crate::model::MetricKind;

/// A float as Go's `strconv.ParseFloat` reads it, without hexadecimal and underscores: what Rust reads, but no sign
/// before `nan` and no overflow to infinity.
pub(super) fn parse_float(token: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(token).ok()?;
    let value: f64 = text.parse().ok()?;
    if value.is_finite() {
        return Some(value);
    }
    let spelled = text.bytes().any(|byte| matches!(byte, b'n' | b'N'));
    (spelled && (!value.is_nan() || text.len() == 3)).then_some(value)
}

/// The type a `# TYPE` line names, in any case.
pub(super) fn parse_kind(word: &[u8]) -> Option<MetricKind> {
    let word = std::str::from_utf8(word).ok()?;
    let known = [
        ("counter", MetricKind::Counter),
        ("gauge", MetricKind::Gauge),
        ("summary", MetricKind::Summary),
        ("histogram", MetricKind::Histogram),
        ("gaugehistogram", MetricKind::GaugeHistogram),
        ("gauge_histogram", MetricKind::GaugeHistogram),
        ("untyped", MetricKind::Untyped),
    ];
    known
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, kind)| kind)
}

/// What a sample's name adds to its family's.
pub(super) fn suffix_of<'a>(name: &'a str, family: &str) -> Option<&'a str> {
    name.strip_prefix(family)
}
