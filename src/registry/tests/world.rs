//! A registry with its log, driven by words.

use super::*;

pub(super) const SEED: u64 = 42;

pub(super) fn at(seconds: i64) -> UnixMillis {
    UnixMillis::new(1_795_000_000_000 + seconds * 1000)
}

pub(super) fn at_zero() -> i64 {
    at(0).get()
}

/// A registry with its log, and what the log sends over the wire.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) log: Vec<Record>,
    pub(super) wire: Vec<String>,
    pub(super) series: BTreeMap<String, Vec<(UnixMillis, bool)>>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) saved: Option<Vec<u8>>,
}

pub(super) fn world() -> World {
    let config = RetentionConfig {
        stale_after: Duration::from_secs(60),
        ..RetentionConfig::default()
    };
    World {
        registry: Registry::new(config, SEED, at(0)),
        log: Vec::new(),
        wire: Vec::new(),
        series: BTreeMap::new(),
        conflicts: Vec::new(),
        saved: None,
    }
}

pub(super) fn key(group: &str) -> GroupKey {
    GroupKey::try_new(group, []).unwrap()
}

/// `body` names series: `a b{x}` is a metric `a` and a metric `b` with label `of="x"`; a leading `tm1:` names the process.
pub(super) fn push(group: &str, body: &str, mode: Mode, when: UnixMillis) -> Push {
    let (process, body) = match body.split_once(':') {
        Some((tm_id, body)) => (
            Process {
                host: Some("h".to_owned()),
                tm_id: Some(tm_id.to_owned()),
            },
            body,
        ),
        None => (Process::default(), body),
    };
    let mut samples = BlockBuilder::new(SEED);
    let mut series = Vec::new();
    let mut text = String::new();
    let own = format!("push_time{{{group}}}");
    for (index, name) in body.split_whitespace().chain([own.as_str()]).enumerate() {
        let (name, label) = name.trim_end_matches('}').split_once('{').unwrap_or((name, ""));
        let labels: LabelDraft<'_> = [("__name__", name), ("of", label)].into_iter().collect();
        series.push(samples.push(&labels.into_set(), index as f64, when));
        if name == "push_time" {
            continue;
        }
        let family = name.trim_end_matches("_count");
        if name.starts_with("summary") && !text.contains(&format!("# TYPE {family} ")) {
            text += &format!("# TYPE {family} summary\n");
        }
        text += &format!("{name}{{of={label:?}}} {index}\n");
    }
    let read = text::parse(text.as_bytes(), 10_000).unwrap();
    let key_of = ShapeKey::of(&read);
    let samples = samples.finish();
    let (group, peer) = (key(group), "127.0.0.1:1".to_owned());
    let numbers = read.samples.iter().map(|sample| sample.value).collect();
    Push {
        shape: Arc::new(Shape::of(&read, &group, key_of)),
        values: Values {
            numbers,
            ..Values::default()
        },
        skipped: Vec::new(),
        own_times: Vec::new(),
        check: Consistency::Checked,
        group,
        process,
        peer,
        mode,
        at: when,
        samples,
        exemplars: Block::default(),
        series,
        own: 1,
    }
}

/// The same push, every other sample of which brings a time of its own.
pub(super) fn timed(push: Push, time: UnixMillis) -> Push {
    let mut samples = BlockBuilder::new(SEED);
    let own_times: Vec<usize> = (0..push.series.len() - push.own).step_by(2).collect();
    for (index, series) in push.samples.open().unwrap().series().enumerate() {
        let series = series.unwrap();
        let at = if own_times.contains(&index) {
            time
        } else {
            series.at
        };
        samples.copy_at(&series, at);
    }
    Push {
        samples: samples.finish(),
        own_times,
        ..push
    }
}

impl World {
    /// Pushes samples of which every other is so many seconds ahead; whether they were taken.
    pub(super) fn push_ahead(&mut self, push: Push, seconds: i64) -> Result<(), Refused> {
        let time = UnixMillis::new(push.at.get() + seconds * 1000);
        let change = self.registry.plan_push(timed(push, time))?;
        self.commit(change);
        Ok(())
    }

    pub(super) fn commit(&mut self, change: Change) {
        let record = change.record();
        for block in [&change.samples, &change.markers] {
            for series in block.open().unwrap().series() {
                let series = series.unwrap();
                let name = series.labels().unwrap().to_string();
                let stale = series.content.number().is_ok_and(is_stale);
                if !name.starts_with("push_time") {
                    self.wire.push(if stale {
                        format!("{name} stale")
                    } else {
                        name.clone()
                    });
                }
                self.series.entry(name).or_default().push((series.at, stale));
            }
        }
        self.conflicts.extend(change.conflict.clone());
        self.log.push(Record::decode(record.encode()).unwrap());
        self.registry.apply(change).unwrap();
    }

    pub(super) fn push(&mut self, group: &str, body: &str, mode: Mode, seconds: i64) {
        let change = self
            .registry
            .plan_push(push(group, body, mode, at(seconds)))
            .unwrap();
        self.commit(change);
    }

    pub(super) fn put(&mut self, group: &str, body: &str, seconds: i64) {
        self.push(group, body, Mode::Replace, seconds);
    }

    pub(super) fn post(&mut self, group: &str, body: &str, seconds: i64) {
        self.push(group, body, Mode::Merge, seconds);
    }

    pub(super) fn delete(&mut self, group: &str, seconds: i64) {
        if let Some(change) = self.registry.plan_delete(&key(group), at(seconds)).unwrap() {
            self.commit(change);
        }
    }

    pub(super) fn sweep(&mut self, seconds: i64) {
        for due in self.registry.due(at(seconds)) {
            if let Some(change) = self.registry.plan_sweep(&due, at(seconds)).unwrap() {
                self.commit(change);
            }
        }
    }

    /// What went over the wire since the last look.
    #[track_caller]
    pub(super) fn sent(&mut self, expected: &[&str]) {
        let mut sent = std::mem::take(&mut self.wire);
        sent.sort();
        assert_eq!(sent, expected);
    }

    pub(super) fn save(&mut self) {
        self.saved = Some(
            self.registry
                .snapshot(self.log.len() as u64)
                .pieces()
                .flatten()
                .collect(),
        );
    }

    pub(super) fn restart(&mut self, seconds: i64) {
        let config = self.registry.config.clone();
        let (mut registry, position) = match &self.saved {
            Some(bytes) => Registry::restore(config, bytes, at(seconds)).unwrap(),
            None => (Registry::new(config, SEED, at(seconds)), 0),
        };
        for record in &self.log[usize::try_from(position).unwrap()..] {
            registry.replay(record).unwrap();
        }
        self.registry = registry;
    }

    /// What is shown, a metric a line: the group's job, family, labels, content.
    pub(super) fn shown(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for group in self.registry.shown() {
            for layer in &group.layers {
                for family in layer.families().unwrap() {
                    let family = family.unwrap();
                    for metric in family.metrics() {
                        let Metric { labels, content } = metric.unwrap();
                        let (job, name, at) = (group.key.job(), family.name, layer.at().get());
                        let of: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
                        let value = match content {
                            Content::Simple { value, .. } => value.to_string(),
                            other => format!("{other:?}"),
                        };
                        lines.push(format!(
                            "{job}: {name} {} {value} @{}",
                            of.join(","),
                            (at - at_zero()) / 1000
                        ));
                    }
                }
            }
        }
        lines.sort();
        lines
    }

    /// The state in words that do not depend on the order of maps.
    pub(super) fn state(&self) -> Vec<String> {
        let mut groups: Vec<String> = self
            .registry
            .groups()
            .map(|mut group| {
                group.sources.sort_by(|a, b| a.process.cmp(&b.process));
                format!("{group:?}")
            })
            .collect();
        groups.sort();
        groups.push(format!("{:?}", self.registry.summary()));
        groups.extend(self.shown());
        groups
    }
}
