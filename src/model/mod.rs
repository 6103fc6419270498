//! The words every floor shares: label sets and what selects them, samples, groups, time.
//!
//! Only values live here. Nothing in this folder does I/O, keeps state, or knows a wire format.

mod exemplar;
mod group;
mod histogram;
mod labels;
mod metadata;
mod name;
mod pattern;
mod re2;
mod sample;
mod selector;
mod series;
mod story;
mod time;

pub use exemplar::Exemplar;
pub use group::{BASE64_SUFFIX, GroupKey, GroupKeyError, INSTANCE, Process};
pub use histogram::{BucketSpan, HistogramBuckets, HistogramCounts, NativeHistogram, ResetHint};
pub use labels::{LabelDraft, LabelSet, METRIC_NAME, SeriesHash, is_label_name, is_metric_name};
pub use metadata::{Metadata, MetricType};
pub use name::{NameScheme, ShownName, escape_name, unescape_name};
pub use pattern::{Found, Pattern};
pub use sample::{Extra, Family, MetricKind, Sample, is_stale, stale_marker};
pub use selector::{Selector, SelectorError};
pub use series::{Encoded, WrittenHistogram, WrittenSample, WrittenSeries};
pub use story::whole_story;
pub use time::{Clock, ManualClock, SystemClock, UnixMillis, UnixNanos};
