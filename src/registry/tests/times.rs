//! Samples that bring times of their own, and what becomes of their series.

use super::*;

#[track_caller]
fn is_past(taken: Result<(), Refused>) {
    assert!(
        matches!(taken, Err(Refused::Clash(Clash::Past { .. }))),
        "{taken:?}"
    );
}

#[test]
fn a_time_of_its_own_stays_when_the_others_are_moved() {
    let mut world = world();
    world.put("g", "a b", 10);

    world
        .push_ahead(push("g", "c a", Mode::Replace, at(5)), 2)
        .unwrap();

    assert_eq!(world.series["c{}"], [(at(7), false)]);
    assert_eq!(world.series["a{}"], [(at(10), false), (at(10).next(), false)]);
    assert_eq!(world.series["b{}"], [(at(10), false), (at(10).next(), true)]);
}

#[test]
fn time_goes_back_in_no_series_of_the_same_source() {
    let mut world = world();
    world
        .push_ahead(push("g", "a", Mode::Replace, at(10)), -5)
        .unwrap();

    is_past(world.push_ahead(push("g", "a", Mode::Replace, at(11)), -7));
    is_past(world.push_ahead(push("g", "a b", Mode::Merge, at(11)), -7));
    world
        .push_ahead(push("g", "a", Mode::Replace, at(11)), -6)
        .unwrap();

    assert_eq!(world.series["a{}"], [(at(5), false), (at(5), false)]);
}

#[test]
fn a_series_that_has_ended_goes_on_later_than_its_end() {
    let mut world = world();
    world.put("g", "a", 10);
    world.delete("g", 20);

    is_past(world.push_ahead(push("g", "a", Mode::Replace, at(21)), -1));
    world
        .push_ahead(push("g", "a", Mode::Replace, at(22)), -1)
        .unwrap();

    assert_eq!(
        world.series["a{}"],
        [(at(10), false), (at(20), true), (at(21), false)]
    );
}

#[test]
fn who_takes_up_a_series_of_a_silent_process_goes_on_behind_its_last_sample() {
    let mut world = world();
    world
        .push_ahead(push("g", "tm1:a", Mode::Replace, at(0)), -30)
        .unwrap();

    is_past(world.push_ahead(push("g", "tm2:a", Mode::Replace, at(300)), -331));
    world
        .push_ahead(push("g", "tm2:a", Mode::Replace, at(300)), -320)
        .unwrap();

    assert_eq!(world.series["a{}"], [(at(-30), false), (at(-20), false)]);
}

#[test]
fn a_marker_is_later_than_the_latest_time_also_after_a_restart() {
    let mut world = world();
    world
        .push_ahead(push("g", "a", Mode::Replace, at(10)), 60)
        .unwrap();

    world.restart(11);
    world.delete("g", 12);

    assert_eq!(world.series["a{}"], [(at(70), false), (at(70).next(), true)]);
    assert!(world.series["push_time{of=\"g\"}"].is_sorted_by(|a, b| a.0 < b.0));
}
