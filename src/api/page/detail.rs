//! One group: its processes, and the families that it shows.

use std::fmt::{self, Write as _};

use super::html::{Html, Span};
use super::{Moment, PageError, delete_button, last_failure, last_push};
use crate::codec::layer::{Content, LayerFamily, Metric};
use crate::intake::Intake;
use crate::model::GroupKey;
use crate::registry::{GroupInfo, ShownGroup};

/// Most metrics of a page: beyond it nobody reads, and browsers grow slow.
const MAX_METRICS: usize = 1000;

/// Writes the part of the page about one group.
pub(super) fn write(
    page: &mut String,
    intake: &Intake,
    moment: &Moment,
    key: Option<&GroupKey>,
) -> Result<(), PageError> {
    let info = intake.groups().into_iter().find(|group| Some(&group.key) == key);
    let shown = intake
        .shown()
        .into_iter()
        .find(|group| Some(group.key.as_ref()) == key);
    let (Some(info), Some(shown)) = (info, shown) else {
        page.push_str("<p>There is no such group, or not any more.</p>\n");
        return Ok(());
    };
    write!(page, "<h2><code>{}</code></h2>\n<p>Last push: ", Html(&info.key))?;
    last_push(page, &info, moment)?;
    page.push_str(". Last failure: ");
    last_failure(page, &info, moment)?;
    page.push_str(".</p>\n<p>");
    delete_button(page, &info.key, moment)?;
    page.push_str("</p>\n");
    processes(page, &info, moment)?;
    families(page, &shown)
}

fn processes(page: &mut String, group: &GroupInfo, moment: &Moment) -> fmt::Result {
    page.write_str(
        "<h2>Processes</h2>\n<table><thead><tr><th>Process<th>From<th>Last push<th>Every<th class=\"number\">Series</thead>\n",
    )?;
    for source in &group.sources {
        let pause = source
            .interval
            .map_or_else(|| "not known yet".to_owned(), |pause| Span(pause).to_string());
        writeln!(
            page,
            "<tr><td>{}<td data-name=\"From\">{}<td data-name=\"Last push\">{} ago<td data-name=\"Every\">{pause}\
             <td class=\"number\" data-name=\"Series\">{}",
            Html(&source.process),
            Html(&source.peer),
            Span(moment.now.since(source.last_push)),
            source.series
        )?;
    }
    page.write_str("</table>\n")
}

fn families(page: &mut String, group: &ShownGroup) -> Result<(), PageError> {
    page.push_str("<h2>Metrics, as pushed</h2>\n");
    let mut room = MAX_METRICS;
    for layer in &group.layers {
        for family in layer.families()? {
            family_of(page, &family?, &mut room)?;
            if room == 0 {
                writeln!(
                    page,
                    "<p>Here end the first {MAX_METRICS} metrics; all are in <a href=\"api/v1/metrics\">the JSON</a>.</p>"
                )?;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn family_of(page: &mut String, family: &LayerFamily<'_>, room: &mut usize) -> Result<(), PageError> {
    let kind = format!("{:?}", family.kind).to_lowercase();
    write!(
        page,
        "<h2><code>{}</code> <small>{kind}</small></h2>\n<p class=\"dim\">{}</p>\n<table>\n",
        Html(family.name),
        Html(family.help)
    )?;
    for metric in family.metrics().take(*room) {
        *room -= 1;
        let metric = metric?;
        page.push_str("<tr><td><code>");
        labels(page, &metric)?;
        page.push_str("</code><td class=\"number\">");
        content(page, &metric.content)?;
        page.push('\n');
    }
    page.push_str("</table>\n");
    Ok(())
}

fn labels(page: &mut String, metric: &Metric<'_>) -> fmt::Result {
    for (at, (name, value)) in metric.labels.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(page, "{comma}{}={}", Html(name), Html(format_args!("{value:?}")))?;
    }
    Ok(())
}

fn content(page: &mut String, content: &Content<'_>) -> fmt::Result {
    match content {
        Content::Simple { value, .. } => write!(page, "{value}"),
        Content::Summary {
            quantiles,
            sum,
            count,
            ..
        } => {
            for (quantile, value) in quantiles {
                write!(page, "{quantile}: {value}<br>")?;
            }
            write!(page, "sum {sum}, count {count}")
        }
        Content::Histogram {
            buckets, sum, count, ..
        } => {
            for bucket in buckets {
                write!(page, "&le; {}: {}<br>", bucket.bound, bucket.count)?;
            }
            write!(page, "sum {sum}, count {count}")
        }
    }
}
