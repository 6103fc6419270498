mod consistency;
mod edges;
mod histories;
mod shown;
mod times;
mod world;

use std::collections::BTreeMap;

use super::*;
use crate::codec::block::BlockBuilder;
use crate::codec::layer::{Content, Metric, Values};
use crate::codec::record::Record;
use crate::codec::{protobuf, text};
use crate::model::{LabelDraft, Process, is_stale};
use world::{SEED, World, at, key, push, world};

#[test]
fn a_put_ends_the_series_it_no_longer_carries() {
    let mut world = world();
    world.put("g", "a b", 1);

    world.put("g", "a c", 2);

    world.sent(&["a{}", "a{}", "b{}", "b{} stale", "c{}"]);
}

#[test]
fn an_unchanged_put_ends_nothing() {
    let mut world = world();
    world.put("g", "a b", 1);
    world.sent(&["a{}", "b{}"]);

    world.put("g", "a b", 2);

    world.sent(&["a{}", "b{}"]);
}

#[test]
fn an_empty_put_ends_everything_of_its_source_but_not_the_group() {
    let mut world = world();
    world.put("g", "tm1:a", 1);

    world.put("g", "", 2);

    world.sent(&["a{}", "a{} stale"]);
    assert_eq!(
        world.registry.summary(),
        Summary {
            groups: 1,
            sources: 1,
            series: 1
        }
    );
}

#[test]
fn a_post_ends_only_series_of_the_families_it_replaces() {
    let mut world = world();
    world.put("g", "a{x} a{y} b summary_count summary{q}", 1);
    world.sent(&[
        "a{of=\"x\"}",
        "a{of=\"y\"}",
        "b{}",
        "summary_count{}",
        "summary{of=\"q\"}",
    ]);

    world.post("g", "a{y} a{z}", 2);
    world.sent(&["a{of=\"x\"} stale", "a{of=\"y\"}", "a{of=\"z\"}"]);
    world.post("g", "summary{r}", 3);

    world.sent(&[
        "summary_count{} stale",
        "summary{of=\"q\"} stale",
        "summary{of=\"r\"}",
    ]);
    world.delete("g", 4);
    world.sent(&[
        "a{of=\"y\"} stale",
        "a{of=\"z\"} stale",
        "b{} stale",
        "summary{of=\"r\"} stale",
    ]);
}

#[test]
fn a_delete_ends_the_only_source_at_once() {
    let mut world = world();
    world.put("g", "tm1:a", 1);

    world.delete("g", 1);

    world.sent(&["a{}", "a{} stale"]);
    assert_eq!(world.registry.summary(), Summary::default());
}

#[test]
fn a_delete_of_an_unknown_group_changes_nothing() {
    let mut world = world();

    world.delete("nobody", 1);

    assert!(world.log.is_empty());
}

#[test]
fn processes_that_share_a_group_keep_the_series_of_each() {
    let mut world = world();
    world.put("g", "tm1:a{1} b{1}", 1);
    world.put("g", "tm2:a{2} b{2}", 2);
    world.put("g", "a b", 3);
    world.sent(&[
        "a{of=\"1\"}",
        "a{of=\"2\"}",
        "a{}",
        "b{of=\"1\"}",
        "b{of=\"2\"}",
        "b{}",
    ]);

    world.put("g", "tm1:a{1}", 4);

    world.sent(&["a{of=\"1\"}", "b{of=\"1\"} stale"]);
}

#[test]
fn a_delete_of_a_shared_group_ends_only_those_who_stay_silent() {
    let mut world = world();
    for seconds in [0, 10, 20] {
        world.put("g", "tm1:a{1}", seconds);
        world.put("g", "tm2:a{2}", seconds);
    }
    world.wire.clear();

    world.delete("g", 21);
    world.put("g", "tm2:a{2}", 30);
    world.sweep(40);
    world.sent(&["a{of=\"2\"}"]);
    world.sweep(42);

    world.sent(&["a{of=\"1\"} stale"]);
    assert_eq!(world.registry.history().next().unwrap().why, EndReason::Deleted);
}

#[test]
fn a_process_that_pushed_only_once_is_judged_by_its_neighbours_interval() {
    let mut world = world();
    for seconds in [0, 2, 4] {
        world.put("g", "tm1:a{1}", seconds);
    }
    world.put("g", "tm2:a{2}", 4);
    world.wire.clear();

    world.delete("g", 5);
    world.sweep(9);
    world.sent(&[]);
    world.sweep(10);

    world.sent(&["a{of=\"1\"} stale", "a{of=\"2\"} stale"]);
}

#[test]
fn a_silent_group_is_retired_and_listed() {
    let mut world = world();
    world.put("g", "a", 1);

    world.sweep(61);
    world.sent(&["a{}"]);
    world.sweep(62);

    world.sent(&["a{} stale"]);
    let retired: Vec<_> = world.registry.history().cloned().collect();
    assert_eq!(retired.len(), 1);
    assert_eq!((retired[0].why, retired[0].series), (EndReason::Stale, 2));
}

#[test]
fn a_learned_interval_can_decide_what_silence_is() {
    let mut world = world();
    world.registry.configure(RetentionConfig {
        stale_after_intervals: Some(5),
        ..RetentionConfig::default()
    });
    for seconds in [0, 2, 4, 6] {
        world.put("g", "a", seconds);
    }
    world.wire.clear();

    world.sweep(16);
    world.sent(&[]);
    world.sweep(17);

    world.sent(&["a{} stale"]);
}

#[test]
fn our_own_absence_is_nobodys_silence() {
    let mut world = world();
    world.put("g", "a", 1);
    world.wire.clear();

    world.restart(1000);
    world.sweep(1060);
    world.sent(&[]);
    world.sweep(1061);

    world.sent(&["a{} stale"]);
}

#[test]
fn two_sources_with_one_series_leave_it_to_the_first() {
    let mut world = world();
    world.put("first", "a b", 1);

    world.put("second", "a c", 2);
    world.sent(&["a{}", "b{}", "c{}"]);
    world.delete("first", 3);
    world.put("second", "a c", 4);

    world.sent(&["a{}", "a{} stale", "b{} stale", "c{}"]);
    assert_eq!(
        world.conflicts,
        [Conflict {
            series: "a{}".to_owned(),
            owner: "group {job=\"first\"} (anonymous)".to_owned(),
            other: "group {job=\"second\"} (anonymous)".to_owned(),
        }]
    );
}

#[test]
fn a_series_taken_over_from_another_group_waits_for_all_lanes() {
    let mut world = world();
    world.put("first", "a", 1);
    world.delete("first", 2);

    let taken_over = world
        .registry
        .plan_push(push("second", "a", Mode::Replace, at(2)))
        .unwrap();
    let fresh = world
        .registry
        .plan_push(push("second", "b", Mode::Replace, at(2)))
        .unwrap();

    assert!(taken_over.fence);
    assert!(taken_over.event.at() > at(2));
    assert!(!fresh.fence);
}

#[test]
fn twins_within_a_push_leave_one() {
    let mut world = world();

    let change = world
        .registry
        .plan_push(push("g", "a a b", Mode::Replace, at(1)))
        .unwrap();

    assert_eq!((change.twins, change.samples.samples()), (1, 3));
    world.commit(change);
    world.sent(&["a{}", "b{}"]);
}

#[test]
fn a_failure_leaves_a_ghost_that_ends_by_itself() {
    let mut world = world();

    let change = world
        .registry
        .plan_failure(push("g", "", Mode::Replace, at(1)), "no".to_owned())
        .unwrap();
    world.commit(change);

    assert_eq!(world.registry.push_times(&key("g")), (None, Some(at(1))));
    world.sweep(62);
    assert_eq!(world.registry.summary(), Summary::default());
}

#[test]
fn limits_refuse_and_change_nothing() {
    let mut world = world();
    world.registry.configure(RetentionConfig {
        max_groups: 1,
        max_series_per_group: 2,
        ..RetentionConfig::default()
    });
    world.put("g", "tm1:a", 1);

    let group = world
        .registry
        .plan_push(push("h", "a", Mode::Replace, at(2)))
        .unwrap_err();
    let series = world
        .registry
        .plan_push(push("g", "tm2:b c", Mode::Replace, at(2)))
        .unwrap_err();

    assert_eq!(group, Refused::TooManyGroups { limit: 1 });
    assert!(matches!(series, Refused::TooManySeries { limit: 2, .. }));
}

#[test]
fn a_post_that_replaces_what_it_carries_does_not_count_it_twice() {
    let mut world = world();
    world.registry.configure(RetentionConfig {
        max_series_per_group: 4,
        ..RetentionConfig::default()
    });
    world.put("g", "a{x} a{y} b", 1);

    world.post("g", "a{x} a{z}", 2);
    world.post("g", "a{x} a{y} a{z}", 3);
    let more = world
        .registry
        .plan_push(push("g", "c d", Mode::Merge, at(4)))
        .unwrap_err();

    assert_eq!(more, Refused::TooManySeries { series: 6, limit: 4 });
}

#[test]
fn a_damaged_snapshot_is_told_from_a_good_one() {
    let mut world = world();
    world.put("g", "a b", 1);
    let good = world.registry.snapshot(7).pieces().flatten().collect::<Vec<u8>>();

    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 0x10;
        assert!(
            Registry::restore(RetentionConfig::default(), &bad, at(2)).is_err(),
            "byte {index}"
        );
    }
    assert_eq!(
        Registry::restore(RetentionConfig::default(), &good, at(2))
            .unwrap()
            .1,
        7
    );
}
