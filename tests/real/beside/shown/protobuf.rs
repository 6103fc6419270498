//! The delimited protobuf form, decoded by code generated from `proto/`.

use prost::Message as _;

use super::{TIMES, is_own, time};
use crate::metrics_v1::{Metric, MetricFamily, Timestamp};

/// One line a family and one a metric, its labels sorted.
pub(super) fn lines(mut body: &[u8]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    while !body.is_empty() {
        let family = MetricFamily::decode_length_delimited(&mut body).map_err(|error| error.to_string())?;
        let name = family.name().to_owned();
        if is_own(&name) {
            continue;
        }
        found.push(format!(
            "family {name:?} {:?} {:?} {:?}",
            family.r#type(),
            family.help(),
            family.unit
        ));
        for mut metric in family.metric {
            created(&mut metric).into_iter().for_each(blur);
            fill(&mut metric);
            metric.label.sort_by(|left, right| left.name().cmp(right.name()));
            let labels: Vec<String> = metric
                .label
                .drain(..)
                .map(|label| format!("{}={:?}", label.name(), label.value()))
                .collect();
            let value = match &metric.gauge {
                Some(gauge) if TIMES.contains(&name.as_str()) => time(gauge.value()).to_owned(),
                _ => format!("{metric:?}"),
            };
            found.push(format!("{name}{{{}}} {value}", labels.join(",")));
        }
    }
    Ok(found)
}

/// Writes out what is read as zero where it is absent, so that both are the same.
fn fill(metric: &mut Metric) {
    if let Some(summary) = &mut metric.summary {
        summary.sample_count.get_or_insert_default();
        summary.sample_sum.get_or_insert_default();
    }
    if let Some(histogram) = &mut metric.histogram {
        histogram.sample_count.get_or_insert_default();
        histogram.sample_sum.get_or_insert_default();
        histogram.zero_count.get_or_insert_default();
    }
}

/// A time later than this was when a test ran, and is not the same on both sides.
const RECENTLY: i64 = 1_750_000_000;

/// When a metric says that it was created.
fn created(metric: &mut Metric) -> Option<&mut Timestamp> {
    let counter = metric
        .counter
        .as_mut()
        .and_then(|value| value.created_timestamp.as_mut());
    let summary = metric
        .summary
        .as_mut()
        .and_then(|value| value.created_timestamp.as_mut());
    let histogram = metric
        .histogram
        .as_mut()
        .and_then(|value| value.created_timestamp.as_mut());
    counter.or(summary).or(histogram)
}

fn blur(time: &mut Timestamp) {
    if time.seconds() > RECENTLY {
        (time.seconds, time.nanos) = (Some(RECENTLY), None);
    }
}
