//! The same requests to a real Pushgateway and to the bridge get the same statuses, and then both show the same.
//!
//! The comparison itself is proved first: between two Pushgateways it finds nothing, between two that are set otherwise
//! it does.

use crate::beside::{Deliberate, Mode, Pair, chapters};

#[test]
fn two_pushgateways_show_no_difference() {
    let mut found = Vec::new();
    for chapter in chapters() {
        let mut twins = Pair::twins(chapter.mode);
        found.extend(chapter.scenarios.iter().flat_map(|scenario| twins.play(scenario)));
    }

    none(&found);
}

#[test]
fn a_pushgateway_that_is_set_otherwise_shows_differences() {
    for mode in [Mode::Open, Mode::Utf8, Mode::Unchecked, Mode::Secured] {
        let mut strangers = Pair::strangers(mode);
        let chapter = chapters().iter().find(|chapter| chapter.mode == mode).unwrap();

        let found = chapter.scenarios.iter().map(|scenario| strangers.play(scenario));

        assert!(
            found.into_iter().any(|found| !found.is_empty()),
            "nothing found between a Pushgateway in {mode:?} and another"
        );
    }
}

#[test]
fn paths_name_the_same_groups() {
    plays("paths");
}

#[test]
fn bodies_mean_the_same() {
    plays("bodies");
}

#[test]
fn text_is_read_to_the_letter() {
    plays("syntax");
}

#[test]
fn packed_bodies_are_unpacked_alike() {
    plays("encodings");
}

#[test]
fn the_same_is_stored_and_deleted() {
    plays("storing");
}

#[test]
fn the_same_does_not_fit_together() {
    plays("consistency");
}

#[test]
fn protobuf_and_histograms_mean_the_same() {
    plays("histograms");
}

#[test]
fn what_is_not_switched_on_is_refused_alike() {
    plays("closed doors");
}

#[test]
fn wiping_and_quitting_are_alike() {
    plays("open doors");
}

#[test]
fn passwords_are_asked_for_alike() {
    plays("guarded doors");
}

#[test]
fn names_in_utf8_are_the_same() {
    plays("names in UTF-8");
}

#[test]
fn unchecked_pushes_are_taken_alike() {
    plays("unchecked");
}

#[test]
fn every_deliberate_difference_is_looked_at() {
    let named = |why: &Deliberate| {
        chapters()
            .iter()
            .flat_map(|chapter| chapter.scenarios)
            .any(|scenario| {
                scenario.shown_differs == Some(*why)
                    || scenario
                        .requests
                        .iter()
                        .any(|request| request.differs.is_some_and(|(named, ..)| named == *why))
            })
    };

    let forgotten: Vec<Deliberate> = Deliberate::ALL.into_iter().filter(|why| !named(why)).collect();

    assert!(forgotten.is_empty(), "no scenario shows {forgotten:?}");
}

/// Plays a chapter to a Pushgateway and to the bridge.
#[track_caller]
fn plays(name: &str) {
    let chapter = chapters()
        .iter()
        .find(|chapter| chapter.name == name)
        .expect("a chapter");
    let mut pair = Pair::start(chapter.mode);

    let found: Vec<String> = chapter
        .scenarios
        .iter()
        .flat_map(|scenario| pair.play(scenario))
        .collect();

    none(&found);
}

#[track_caller]
fn none(found: &[String]) {
    assert!(
        found.is_empty(),
        "{} lines of differences:\n{}",
        found.len(),
        found.join("\n")
    );
}
