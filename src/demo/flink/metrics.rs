//! The metrics of a real Flink 1.20.5 and how the demo moves them.

use crate::model::UnixMillis;

/// Scope, type, logical scope, name, labels in wire order, motion; tab-separated, one metric a line.
const TABLE: &str = include_str!("metrics.tsv");

/// The quantiles of a summary, as Flink's reporter writes them.
pub(super) const QUANTILES: [&str; 6] = ["0.5", "0.75", "0.95", "0.98", "0.99", "0.999"];

/// What a metric is counted for; decides its labels and who pushes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    JobManager,
    JobManagerJob,
    JobManagerOperator,
    TaskManager,
    Task,
    /// Every operator of a task.
    Operator,
    /// Only a source.
    Source,
    /// Only a sink's writer.
    Sink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Summary,
}

/// One metric: what its `# HELP` and `# TYPE` say, its labels, its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) scope: Scope,
    pub(super) kind: Kind,
    logical_scope: &'static str,
    name: &'static str,
    /// In the order in which the real reporter wrote them.
    pub(super) labels: Vec<&'static str>,
    motion: Motion,
}

/// How a value moves with time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Motion {
    /// It does not.
    Is(f64),
    /// Swings around a figure.
    Around(f64),
    /// Rises by about so much a second, in whole steps, from zero.
    Grows(f64),
    /// Busy and idle milliseconds of a second; a source does not know how busy it is.
    Busy,
    Idle,
    /// Since its subject began.
    AgeMs,
    /// One every ten seconds.
    Checkpoints,
    Restarts,
    Jobs,
    TaskManagers,
    Slots,
    FreeSlots,
    /// Event time; not known before the first record.
    Watermark,
}

/// What the values of one subject depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pulse {
    /// Tells one subject's values from another's.
    pub(super) seed: u32,
    /// When its counters stood at zero.
    pub(super) since: UnixMillis,
    pub(super) restarts: u32,
    pub(super) jobs: u32,
    pub(super) task_managers: u32,
    pub(super) slots: u32,
    pub(super) free_slots: u32,
    /// Whether it reads from outside rather than from another task.
    pub(super) is_source: bool,
}

/// Every metric of the table, in the table's order.
pub(super) fn table() -> Vec<Metric> {
    TABLE.lines().filter_map(Metric::read).collect()
}

impl Metric {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let scope = Scope::read(columns.next()?)?;
        let kind = match columns.next()? {
            "gauge" => Kind::Gauge,
            "summary" => Kind::Summary,
            _ => return None,
        };
        Some(Self {
            scope,
            kind,
            logical_scope: columns.next()?,
            name: columns.next()?,
            labels: columns.next()?.split(',').collect(),
            motion: Motion::read(columns.next()?)?,
        })
    }

    /// The family's name, as on the wire.
    pub(super) fn family(&self) -> String {
        format!("flink_{}_{}", self.logical_scope, self.name)
    }

    /// What the `# HELP` line says behind the name.
    pub(super) fn help(&self) -> String {
        format!("{} (scope: {})", self.name, self.logical_scope)
    }

    /// The value at `now`.
    pub(super) fn value(&self, pulse: &Pulse, now: UnixMillis) -> f64 {
        self.motion.value(pulse, now)
    }
}

impl Scope {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "jm" => Self::JobManager,
            "jm-job" => Self::JobManagerJob,
            "jm-operator" => Self::JobManagerOperator,
            "tm" => Self::TaskManager,
            "task" => Self::Task,
            "operator" => Self::Operator,
            "source" => Self::Source,
            "sink" => Self::Sink,
            _ => return None,
        })
    }
}

impl Motion {
    fn read(words: &str) -> Option<Self> {
        let (word, figure) = words.split_once(' ').unwrap_or((words, "0"));
        let figure: f64 = figure.parse().ok()?;
        Some(match word {
            "is" => Self::Is(figure),
            "around" => Self::Around(figure),
            "grows" => Self::Grows(figure),
            "busy" => Self::Busy,
            "idle" => Self::Idle,
            "age-ms" => Self::AgeMs,
            "checkpoints" => Self::Checkpoints,
            "restarts" => Self::Restarts,
            "jobs" => Self::Jobs,
            "taskmanagers" => Self::TaskManagers,
            "slots" => Self::Slots,
            "free-slots" => Self::FreeSlots,
            "watermark" => Self::Watermark,
            _ => return None,
        })
    }

    fn value(self, pulse: &Pulse, now: UnixMillis) -> f64 {
        let age = now.since(pulse.since).as_secs_f64();
        let share = f64::from(pulse.seed % 97) / 97.0;
        let swing = (age / 7.0 + share * std::f64::consts::TAU).sin();
        let busy = (420.0 + 330.0 * swing).round();
        match self {
            Self::Is(figure) => figure,
            Self::Around(figure) if figure < 10.0 => figure * (1.0 + 0.2 * swing),
            Self::Around(figure) => (figure * (1.0 + 0.2 * swing)).round(),
            Self::Grows(figure) => (figure * (0.75 + 0.5 * share) * age).floor(),
            Self::Busy if pulse.is_source => f64::NAN,
            Self::Busy => busy,
            Self::Idle => 1000.0 - busy,
            Self::AgeMs => (age * 1000.0).round(),
            Self::Checkpoints => (age / 10.0).floor(),
            Self::Restarts => f64::from(pulse.restarts),
            Self::Jobs => f64::from(pulse.jobs),
            Self::TaskManagers => f64::from(pulse.task_managers),
            Self::Slots => f64::from(pulse.slots),
            Self::FreeSlots => f64::from(pulse.free_slots),
            Self::Watermark if pulse.is_source => -9.223_372_036_854_776E18,
            Self::Watermark => (now.as_seconds() * 1000.0).round() - 850.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_metric() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();

        assert_eq!(table().len(), lines);
    }

    #[test]
    fn a_counter_never_falls_and_starts_at_zero() {
        let pulse = Pulse {
            seed: 5,
            since: UnixMillis::new(1_000),
            ..Pulse::default()
        };

        let values: Vec<f64> = (0..100)
            .map(|step| UnixMillis::new(1_000).after(Duration::from_millis(step * 700)))
            .map(|now| Motion::Grows(9.5).value(&pulse, now))
            .collect();

        assert_eq!(values[0], 0.0);
        assert!(values.is_sorted());
        assert!(values[99] > 100.0);
    }
}
