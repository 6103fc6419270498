//! Everything that is shown: what groups have pushed, their push times, and our own metrics.

use crate::codec::layer::Layer;
use crate::codec::show::{Exhibit, PUSH_FAILURE_TIME, PUSH_TIME, PushTimes};
use crate::model::UnixMillis;
use crate::registry::ShownGroup;

/// What is shown at one moment. What comes later does not change it.
#[derive(Debug)]
pub(super) struct Exhibition {
    own: Layer,
    groups: Vec<(ShownGroup, Layer)>,
}

impl Exhibition {
    /// What these groups show, and `own`, which belongs to none.
    pub(super) fn new(own: Layer, groups: Vec<ShownGroup>) -> Self {
        let times = PushTimes::default();
        let with_times = |group: ShownGroup| {
            let layer = push_times(&times, &group);
            (group, layer)
        };
        Self {
            own,
            groups: groups.into_iter().map(with_times).collect(),
        }
    }

    /// Its layers, our own first.
    pub(super) fn exhibits(&self) -> Vec<Exhibit<'_>> {
        let own = Exhibit {
            group: None,
            layer: &self.own,
            hidden: &[],
        };
        let of_groups = self.groups.iter().flat_map(|(group, times)| {
            let times = Exhibit {
                group: Some(&group.key),
                layer: times,
                hidden: &[],
            };
            let pushed = group.layers.iter().map(|layer| Exhibit {
                group: Some(&group.key),
                layer,
                hidden: hidden(group, layer),
            });
            std::iter::once(times).chain(pushed)
        });
        std::iter::once(own).chain(of_groups).collect()
    }
}

/// The push times of a group, but for the failure where a pushed one takes its place.
fn push_times(times: &PushTimes, group: &ShownGroup) -> Layer {
    let has_pushed_one = group.layers.iter().any(|layer| {
        let names = layer.families().into_iter().flatten().flatten();
        may_show_failure(group, layer)
            && names
                .map(|family| family.name)
                .any(|name| name == PUSH_FAILURE_TIME)
    });
    let failed = group.last_failure.unwrap_or_default();
    times.layer(
        group.last_push.unwrap_or_default(),
        (!has_pushed_one).then_some(failed),
    )
}

/// What of a pushed layer is not shown, since the group shows it itself.
fn hidden(group: &ShownGroup, layer: &Layer) -> &'static [&'static str] {
    if may_show_failure(group, layer) {
        &[PUSH_TIME]
    } else {
        &[PUSH_TIME, PUSH_FAILURE_TIME]
    }
}

/// Whether a pushed failure time is shown: only the first push to a group and a failure set the group's own (B22).
fn may_show_failure(group: &ShownGroup, layer: &Layer) -> bool {
    let is_later = |than: UnixMillis| layer.at() > than;
    is_later(group.first_seen) && group.last_failure.is_none_or(is_later)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::layer::Values;
    use crate::codec::shape::{Shape, ShapeKey};
    use crate::codec::show::{Escaping, Format, write};
    use crate::codec::text;
    use crate::model::GroupKey;

    fn layer(body: &str, at: i64) -> Layer {
        let read = text::parse(body.as_bytes(), 100).unwrap();
        let numbers = read.samples.iter().map(|sample| sample.value).collect();
        let values = Values {
            numbers,
            extras: Vec::new(),
        };
        let shape = Shape::ungrouped(&read, ShapeKey::of(&read));
        Layer::new(Arc::new(shape), values, UnixMillis::new(at))
    }

    fn group(job: &str, times: [Option<i64>; 3], layers: Vec<Layer>) -> ShownGroup {
        let [first_seen, last_push, last_failure] = times.map(|time| time.map(UnixMillis::new));
        ShownGroup {
            key: Arc::new(GroupKey::try_new(job, []).unwrap()),
            first_seen: first_seen.unwrap(),
            last_push,
            last_failure,
            layers: layers.into_iter().map(Arc::new).collect(),
        }
    }

    fn shown(groups: Vec<ShownGroup>) -> Vec<String> {
        let mut out = Vec::new();
        let exhibition = Exhibition::new(layer("own 1\n", 0), groups);
        write(
            &exhibition.exhibits(),
            (Format::Text, Escaping::default()),
            &mut out,
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_group_has_its_push_times_and_our_own_metrics_have_no_group() {
        let groups = vec![
            group("a", [Some(1), Some(1500), None], vec![layer("m 1\n", 1500)]),
            group("b", [Some(2), None, Some(2)], Vec::new()),
        ];

        assert_eq!(
            shown(groups),
            [
                "# TYPE m untyped",
                "m{instance=\"\",job=\"a\"} 1",
                "# TYPE own untyped",
                "own 1",
                "# HELP push_failure_time_seconds Last Unix time when changing this group in the Pushgateway failed.",
                "# TYPE push_failure_time_seconds gauge",
                "push_failure_time_seconds{instance=\"\",job=\"a\"} 0",
                "push_failure_time_seconds{instance=\"\",job=\"b\"} 0.002",
                "# HELP push_time_seconds Last Unix time when changing this group in the Pushgateway succeeded.",
                "# TYPE push_time_seconds gauge",
                "push_time_seconds{instance=\"\",job=\"a\"} 1.5",
                "push_time_seconds{instance=\"\",job=\"b\"} 0",
            ]
        );
    }

    #[test]
    fn a_pushed_push_time_is_never_shown_and_a_failure_time_only_after_the_first_push_and_a_failure() {
        let body = "# TYPE push_time_seconds gauge\npush_time_seconds 7\n# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds 7\n";

        for (first_seen, failed, expected) in [
            (10, None, "0"),
            (9, None, "7"),
            (9, Some(10), "0.01"),
            (9, Some(9), "7"),
        ] {
            let times = [Some(first_seen), Some(10), failed];
            let lines = shown(vec![group("j", times, vec![layer(body, 10)])]);
            let samples: Vec<_> = lines.iter().filter(|line| line.starts_with("push_")).collect();
            assert_eq!(
                samples,
                [
                    &format!("push_failure_time_seconds{{instance=\"\",job=\"j\"}} {expected}"),
                    "push_time_seconds{instance=\"\",job=\"j\"} 0.01",
                ]
            );
        }
    }

    #[test]
    fn a_pushed_failure_time_of_another_type_hides_no_other_groups() {
        let groups = vec![
            group(
                "a",
                [Some(1), Some(10), None],
                vec![layer("push_failure_time_seconds 7\n", 10)],
            ),
            group("b", [Some(2), None, Some(2)], Vec::new()),
        ];

        let lines = shown(groups);

        assert!(lines.contains(&"push_failure_time_seconds{instance=\"\",job=\"b\"} 0.002".to_owned()));
    }
}
