//! One metric: its labels, and its values as strings.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::WriteError;
use super::native::{count_of, has_spans, put_buckets};
use super::write::put_strings;
use crate::codec::histogram::read_pushed;
use crate::codec::layer::{Bucket, Content, Metric};
use crate::codec::number::{TOO_MANY, shortest, whole_as_in_go};
use crate::model::{GroupKey, MetricKind};

/// Numbers by the bound that they belong to, as both are written.
type Bounds = BTreeMap<String, String>;

/// Writes a metric of a family of this type.
pub(super) fn put_metric(
    out: &mut impl Write,
    (metric, kind): (&Metric<'_>, MetricKind),
    group: &GroupKey,
) -> Result<(), WriteError> {
    let labels = metric.labels_in(group);
    let put_labels = |out: &mut _| put_strings(out, labels.iter().copied());
    match &metric.content {
        // Pushgateway's API does not know the type and shows a nought
        Content::Histogram { .. } if kind == MetricKind::GaugeHistogram => put_value(out, put_labels, 0.0)?,
        Content::Simple { value, .. } => put_value(out, put_labels, *value)?,
        Content::Summary {
            quantiles,
            sum,
            count,
            ..
        } => {
            write!(out, "{{\"count\":\"{}\",\"labels\":", whole_as_in_go(*count))?;
            put_labels(out)?;
            out.write_all(b",\"quantiles\":")?;
            let of = |(quantile, value): &(f64, f64)| (shortest(*quantile), shortest(*value));
            put_bounds(out, &quantiles.iter().map(of).collect())?;
            write!(out, ",\"sum\":\"{}\"}}", shortest(*sum))?;
        }
        Content::Histogram {
            buckets,
            sum,
            count,
            native,
            ..
        } => {
            let native = native.map(|native| read_pushed(native, kind)).transpose()?;
            out.write_all(b"{\"buckets\":")?;
            let (count, sum) = match native.flatten() {
                Some(native) if has_spans(&native) => {
                    put_buckets(out, &native)?;
                    (count_of(&native), native.sum)
                }
                // the one up to infinity may be our own addition
                Some(native) if buckets.iter().all(|bucket| bucket.bound == f64::INFINITY) => {
                    out.write_all(b"{}")?;
                    (count_of(&native), native.sum)
                }
                _ => {
                    let written = count_writer(*count, buckets);
                    let of = |bucket: &Bucket<'_>| (shortest(bucket.bound), written(bucket.count));
                    put_bounds(out, &buckets.iter().map(of).collect())?;
                    (written(*count), *sum)
                }
            };
            write!(out, ",\"count\":\"{count}\",\"labels\":")?;
            put_labels(out)?;
            write!(out, ",\"sum\":\"{}\"}}", shortest(sum))?;
        }
    }
    Ok(())
}

fn put_value<W: Write>(
    out: &mut W,
    put_labels: impl Fn(&mut W) -> io::Result<()>,
    value: f64,
) -> io::Result<()> {
    out.write_all(b"{\"labels\":")?;
    put_labels(out)?;
    write!(out, ",\"value\":\"{}\"}}", shortest(value))
}

fn put_bounds(out: &mut impl Write, bounds: &Bounds) -> io::Result<()> {
    put_strings(
        out,
        bounds
            .iter()
            .map(|(bound, value)| (bound.as_str(), value.as_str())),
    )
}

/// How the counts of a histogram are written: as floats if one of them is no whole number, as Go's parser decides.
fn count_writer(count: f64, buckets: &[Bucket<'_>]) -> fn(f64) -> String {
    let mut counts = buckets.iter().map(|bucket| bucket.count).chain([count]);
    let is_whole = |count: f64| (0.0..TOO_MANY).contains(&count) && count.fract() == 0.0;
    if counts.all(is_whole) { whole } else { above_zero }
}

/// A count without an exponent.
fn whole(count: f64) -> String {
    whole_as_in_go(count).to_string()
}

/// A count as a float; what is not above zero, not a number among it, is taken for none.
fn above_zero(count: f64) -> String {
    shortest(if count > 0.0 { count } else { 0.0 })
}
