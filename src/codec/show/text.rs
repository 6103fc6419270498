//! Text 0.0.4.

use std::io;

use super::histogram::{Histogram, summary_count};
use super::merge::Family;
use super::page::{Opening, Page, Quotes, put_comment, put_escaped, put_float};
use crate::codec::layer::{Content, Metric};
use crate::model::MetricKind;

/// Writes a family; the number of its parts that cannot be read.
pub(super) fn write(family: &Family<'_>, page: &mut Page<'_>) -> io::Result<u64> {
    let name = page.escaping.apply(family.name);
    if !family.help.is_empty() {
        put_comment(&mut page.bytes, "HELP", &name);
        put_escaped(&mut page.bytes, family.help, Quotes::Plain);
        page.bytes.push(b'\n');
    }
    put_comment(&mut page.bytes, "TYPE", &name);
    page.bytes.extend_from_slice(word(family.kind));
    page.bytes.push(b'\n');
    let mut opening = Opening::new(&name);
    let mut unreadable = 0;
    let damaged = family.each(|metric| {
        opening.set_labels(&metric.labels, page.escaping);
        unreadable += put_metric(&mut page.bytes, &opening, metric);
        page.turn()
    })?;
    Ok(damaged + unreadable)
}

/// The format knows no histograms whose counts may fall.
const fn word(kind: MetricKind) -> &'static [u8] {
    match kind {
        MetricKind::Untyped => b"untyped",
        MetricKind::Counter => b"counter",
        MetricKind::Gauge => b"gauge",
        MetricKind::Summary => b"summary",
        MetricKind::Histogram | MetricKind::GaugeHistogram => b"histogram",
    }
}

fn put_metric(bytes: &mut Vec<u8>, opening: &Opening, metric: Metric<'_>) -> u64 {
    let mut line = |suffix: &str, bound: Option<(&str, f64)>, value: f64| {
        opening.begin(bytes, suffix, bound);
        put_float(bytes, value);
        bytes.push(b'\n');
    };
    match metric.content {
        Content::Simple { value, .. } => line("", None, value),
        Content::Summary {
            quantiles,
            sum,
            count,
            ..
        } => {
            for (quantile, value) in quantiles {
                line("", Some(("quantile", quantile)), value);
            }
            line("_sum", None, sum);
            line("_count", None, summary_count(count));
        }
        Content::Histogram {
            buckets,
            sum,
            count,
            native,
            ..
        } => {
            let Ok(histogram) = Histogram::of(buckets, (sum, count), native) else {
                return 1;
            };
            for bucket in &histogram.buckets {
                line("_bucket", Some(("le", bucket.bound)), bucket.count);
            }
            if histogram.is_open() {
                line("_bucket", Some(("le", f64::INFINITY)), histogram.count);
            }
            line("_sum", None, histogram.sum);
            line("_count", None, histogram.count);
        }
    }
    0
}
