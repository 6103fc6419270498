//! Families as a scrape gets them: those of all groups merged by name, in one of three formats.
//!
//! Layers are read in place, and what is written is handed on as it comes. So it costs memory for each layer, and none
//! for each series. Pushgateway writes the same way, but for what [`LeftOut`] counts: it shows nothing at all then.

mod escaping;
mod histogram;
mod merge;
mod openmetrics;
mod page;
mod protobuf;
mod push_times;
#[cfg(test)]
mod tests;
mod text;

use std::io;

use super::layer::Layer;
use crate::model::GroupKey;

use merge::Merge;
use page::Page;

pub use escaping::Escaping;
pub use push_times::{OWN_FAMILIES, PUSH_FAILURE_TIME, PUSH_TIME, PushTimes};
pub(super) use push_times::{PUSH_FAILURE_TIME_HELP, PUSH_TIME_HELP};

/// One layer among those that are shown.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<'a> {
    /// Whose labels its metrics get; `None` leaves them as they are.
    pub group: Option<&'a GroupKey>,
    /// What is shown.
    pub layer: &'a Layer,
    /// Names of its families that are not.
    pub hidden: &'static [&'static str],
}

/// The formats of a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4.
    Text,
    /// OpenMetrics 1.0, with the names and labels that the text has, so that a scraper who changes over sees the same
    /// series.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    Protobuf,
}

/// What could not be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Metrics of a family that has another type elsewhere, or whose name is a series of a summary or histogram: with
    /// them nobody could read the rest. Of such families the first one is shown.
    pub clashing: u64,
    /// Families that cannot be read.
    pub damaged: u64,
}

/// Writes what the exhibits hold to `out`. Of two help texts of one family the first counts; its metrics come in the
/// order of the exhibits.
///
/// # Errors
/// Those of `out`.
pub fn write(
    exhibits: &[Exhibit<'_>],
    (format, escaping): (Format, Escaping),
    out: &mut dyn io::Write,
) -> io::Result<LeftOut> {
    let mut merge = Merge::of(exhibits);
    let mut page = Page::new(escaping, out);
    while let Some(family) = merge.next() {
        let damaged = match format {
            Format::Text => text::write(&family, &mut page)?,
            Format::OpenMetrics => openmetrics::write(&family, &mut page)?,
            Format::Protobuf => protobuf::write(&family, &mut page)?,
        };
        merge.left_out.damaged += damaged;
    }
    if format == Format::OpenMetrics {
        page.bytes.extend_from_slice(b"# EOF\n");
    }
    page.finish()?;
    Ok(merge.left_out)
}
