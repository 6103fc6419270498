//! Who pushes, told by the body.

use crate::model::{LabelDraft, METRIC_NAME, Process, Sample};

use super::alias::Aliases;
use super::yarn::TM_ID;

/// What every name begins with that Flink's reporter sends. In other bodies a `host` is a label like any other: a script
/// that pushes the figures of several hosts in turn is one pusher.
const FLINK: &str = "flink_";

/// The names under which a body may tell its process, most preferred first.
#[derive(Clone, Debug)]
pub(super) struct ProcessLabels {
    host: Vec<String>,
    tm_id: Vec<String>,
}

impl ProcessLabels {
    pub(super) fn new(aliases: &Aliases) -> Self {
        Self {
            host: aliases.names_of("host"),
            tm_id: aliases.names_of(TM_ID),
        }
    }

    /// The process that all samples agree on, if they are Flink's.
    pub(super) fn of(&self, samples: &[Sample<'_>]) -> Process {
        if !samples.iter().all(is_of_flink) {
            return Process::default();
        }
        let mut told = samples.iter().map(|sample| self.told_by(&sample.labels));
        let Some(first) = told.next() else {
            return Process::default();
        };
        if told.any(|other| other != first) {
            return Process::default();
        }
        let (host, tm_id) = first;
        Process {
            host: host.map(str::to_owned),
            tm_id: tm_id.map(str::to_owned),
        }
    }

    fn told_by<'d>(&self, labels: &'d LabelDraft<'_>) -> (Option<&'d str>, Option<&'d str>) {
        (first_of(labels, &self.host), first_of(labels, &self.tm_id))
    }
}

fn is_of_flink(sample: &Sample<'_>) -> bool {
    sample
        .labels
        .get(METRIC_NAME)
        .is_some_and(|name| name.starts_with(FLINK))
}

fn first_of<'d>(labels: &'d LabelDraft<'_>, names: &[String]) -> Option<&'d str> {
    names
        .iter()
        .find_map(|name| labels.get(name).filter(|value| !value.is_empty()))
}
