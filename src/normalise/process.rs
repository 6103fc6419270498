//! Who pushes, told by the body.

use crate::model::{LabelDraft, Process, Sample};

use super::alias::Aliases;
use super::yarn::TM_ID;

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

    /// The process that all samples agree on.
    pub(super) fn of(&self, samples: &[Sample<'_>]) -> Process {
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

fn first_of<'d>(labels: &'d LabelDraft<'_>, names: &[String]) -> Option<&'d str> {
    names
        .iter()
        .find_map(|name| labels.get(name).filter(|value| !value.is_empty()))
}
