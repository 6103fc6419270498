//! Writing what was read as text 0.0.4, and reading it again.

use std::fmt::Write as _;

use flinkbridge::codec::exposition::Exposition;
use flinkbridge::codec::text;
use flinkbridge::model::{Family, METRIC_NAME, MetricKind, Sample};

/// Families and samples come back as they were.
pub(super) fn is_the_same_in_text(read: &Exposition<'_>) {
    let written = write(read);
    let again = read_again(&written);
    assert_eq!(again.families, read.families, "{written}");
    same_samples(&again, read, &written);
}

/// Families and samples of another format come back as they were, as far as text has a way to say them.
pub(super) fn says_the_same_in_text(read: &Exposition<'_>) {
    if !read.samples.iter().all(|sample| is_plain(read, sample)) {
        return;
    }
    let written = write(read);
    let again = read_again(&written);
    assert_eq!(again.families.len(), read.families.len(), "{written}");
    for (one, other) in again.families.iter().zip(&read.families) {
        assert_eq!((&one.name, one.kind), (&other.name, other.kind), "{written}");
        let blanks = [' ', '\t'];
        assert_eq!(one.help, other.help.trim_start_matches(blanks), "{written}");
    }
    same_samples(&again, read, &written);
}

fn read_again(written: &str) -> Exposition<'_> {
    match text::parse(written.as_bytes(), usize::MAX) {
        Ok(again) => again,
        Err(error) => panic!("{error}\n{written}"),
    }
}

fn same_samples(again: &Exposition<'_>, read: &Exposition<'_>, written: &str) {
    assert_eq!(again.samples.len(), read.samples.len(), "{written}");
    for (one, other) in again.samples.iter().zip(&read.samples) {
        assert_eq!((one.family, one.at), (other.family, other.at), "{written}");
        assert_eq!(one.labels, other.labels, "{written}");
        assert_eq!(one.value.to_bits(), other.value.to_bits(), "{written}");
    }
}

/// Whether text puts a sample into the family that it has, and takes its value. OpenMetrics and protobuf may give a
/// family the name of another one's part, a histogram a sample of its own name, and a count below zero; a native
/// histogram cannot be said.
fn is_plain(read: &Exposition<'_>, sample: &Sample<'_>) -> bool {
    let name = sample.labels.get(METRIC_NAME).unwrap_or_default();
    let named = |wanted: &str| read.families.iter().position(|family| family.name == wanted);
    let family = &read.families[sample.family];
    let found = named(name).or_else(|| {
        let base = named(name.rsplit_once('_')?.0)?;
        has_part(&read.families[base], name).then_some(base)
    });
    let is_number = |bound: &str| {
        sample
            .labels
            .get(bound)
            .is_none_or(|value| value.parse::<f64>().is_ok())
    };
    let is_bounded = is_number("le") && is_number("quantile");
    let is_itself = name == family.name && sample.labels.get("le").is_some();
    let is_float = sample.histogram().is_none();
    is_float
        && found == Some(sample.family)
        && is_bounded
        && !is_itself
        && !(is_histogram(family) && sample.value < 0.0)
}

fn has_part(family: &Family<'_>, name: &str) -> bool {
    let suffix = name.strip_prefix(family.name.as_ref());
    match family.kind {
        MetricKind::Summary => matches!(suffix, Some("_count" | "_sum")),
        _ => is_histogram(family) && matches!(suffix, Some("_count" | "_sum" | "_bucket")),
    }
}

fn is_histogram(family: &Family<'_>) -> bool {
    matches!(family.kind, MetricKind::Histogram | MetricKind::GaugeHistogram)
}

/// All families are mentioned before any has a type: a type makes other names its parts.
fn write(read: &Exposition<'_>) -> String {
    let mut out = String::new();
    for family in &read.families {
        let help = escape(&family.help);
        let _ = writeln!(out, "# HELP {} {help}", family.name);
    }
    for family in &read.families {
        let _ = writeln!(out, "# TYPE {} {}", family.name, word(family.kind));
    }
    for sample in &read.samples {
        out.push_str(sample.labels.get(METRIC_NAME).unwrap_or_default());
        out.push('{');
        for (name, value) in sample.labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
            let _ = write!(out, "{name}=\"{}\",", escape(value).replace('"', "\\\""));
        }
        let _ = write!(out, "}} {}", sample.value);
        if let Some(at) = sample.at {
            let _ = write!(out, " {}", at.get());
        }
        out.push('\n');
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

const fn word(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Untyped => "untyped",
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
        MetricKind::GaugeHistogram => "gaugehistogram",
        MetricKind::Summary => "summary",
    }
}
