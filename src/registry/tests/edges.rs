//! What comes together rarely: filtered bodies, rules that changed, many things ended at once.

use super::*;
use crate::model::Exemplar;

#[test]
fn a_body_whose_series_are_all_filtered_out_ends_nothing_of_another_process() {
    let mut world = world();
    world.put("g", "tm1:a b", 1);
    world.sent(&["a{}", "b{}"]);

    world.put("g", "jm:", 2);

    world.sent(&[]);
}

#[test]
fn parts_of_summaries_are_found_in_whatever_order_these_were_pushed() {
    let mut world = world();
    world.post("g", "summary_b_count summary_a_count", 1);
    world.post("g", "summary_c_count", 2);
    world.wire.clear();

    world.post("g", "summary_b summary_c", 3);

    world.sent(&[
        "summary_b_count{} stale",
        "summary_b{}",
        "summary_c_count{} stale",
        "summary_c{}",
    ]);
}

#[test]
fn a_refused_push_under_new_rules_ends_the_push_times_under_the_old_ones() {
    let mut world = world();
    world.put("g", "a", 1);
    let mut failed = push("g", "", Mode::Replace, at(2));
    let labels: LabelDraft<'_> = [("__name__", "push_time"), ("region", "gz")]
        .into_iter()
        .collect();
    let mut samples = BlockBuilder::new(SEED);
    failed.series = vec![samples.push(&labels.into_set(), 1.0, at(2))];
    failed.samples = samples.finish();

    let change = world.registry.plan_failure(failed, "why".to_owned()).unwrap();
    world.commit(change);

    assert_eq!(
        world.series["push_time{of=\"g\"}"],
        [(at(1), false), (at(2), true)]
    );
}

#[test]
fn exemplars_of_a_series_that_another_source_owns_are_dropped_with_its_samples() {
    let mut world = world();
    world.put("first", "a", 1);
    let mut second = push("second", "a b", Mode::Replace, at(2));
    let mut exemplars = BlockBuilder::new(SEED);
    for name in ["a", "a", "b"] {
        let labels: LabelDraft<'_> = [("__name__", name)].into_iter().collect();
        exemplars.push_exemplar(&labels.into_set(), &Exemplar::default(), at(2));
    }
    second.exemplars = exemplars.finish();

    let change = world.registry.plan_push(second).unwrap();

    assert_eq!((change.conflicts, change.exemplars.samples()), (3, 1));
    assert_eq!(change.record().weight(), 3);
}

#[test]
fn each_retired_process_is_listed_with_its_own_series() {
    let mut world = world();
    world.put("g", "tm1:a b c", 1);
    world.put("g", "tm2:d", 2);
    world.put("g", "tm3:e", 50);

    world.sweep(70);

    let mut series: Vec<u64> = world.registry.history().map(|retired| retired.series).collect();
    series.sort_unstable();
    assert_eq!(series, [1, 3]);
}

#[test]
fn an_ended_series_is_remembered_as_long_as_its_marker_may_wait() {
    let mut world = world();
    world.registry.remember_ended_for(Duration::from_secs(10 * 3600));
    world.put("g", "a", 1);
    world.delete("g", 2);

    world.registry.forget_old(at(5 * 3600));

    let change = world
        .registry
        .plan_push(push("h", "a", Mode::Replace, at(5 * 3600)))
        .unwrap();
    assert!(change.fence);
}

#[test]
fn what_had_to_be_forgotten_still_makes_new_owners_wait_after_a_restart() {
    let mut world = world();
    world.registry.forgot_until = Some(at(100));
    world.save();

    world.restart(3);

    let change = world
        .registry
        .plan_push(push("h", "a", Mode::Replace, at(4)))
        .unwrap();
    assert!(change.fence);
}

#[test]
fn a_process_started_in_place_of_a_killed_one_takes_over_its_series() {
    let mut world = world();
    world.put("killed", "tm1:a b", 0);
    world.put("killed", "tm1:a b", 2);
    world.wire.clear();

    world.put("started", "tm1:a c", 5);
    world.sent(&["c{}"]);
    world.put("started", "tm1:a c", 7);
    world.sent(&["a{}", "c{}"]);
    world.sweep(63);

    world.sent(&["b{} stale"]);
}

#[test]
fn one_who_comes_back_finds_his_series_in_the_hands_of_another() {
    let mut world = world();
    world.put("first", "a", 0);
    world.put("first", "a", 2);
    world.put("second", "a", 7);
    world.wire.clear();

    world.put("first", "a b", 8);

    world.sent(&["b{}"]);
    assert_eq!(world.conflicts.len(), 1);
}

#[test]
fn a_take_over_from_another_group_waits_for_all_lanes() {
    let mut world = world();
    world.put("first", "a", 0);
    world.put("first", "a", 2);

    let taken_over = world
        .registry
        .plan_push(push("second", "a", Mode::Replace, at(7)))
        .unwrap();

    assert!(taken_over.fence);
}
