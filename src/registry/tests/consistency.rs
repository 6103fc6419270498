//! A push has to agree with what others have pushed (Pushgateway S41 - S43, B16, B17, B20, B21).

use super::*;

/// A push of a body in the text format.
fn pushed(group: &str, labels: &[(&str, &str)], body: &str) -> Push {
    let read = text::parse(body.as_bytes(), 100).unwrap();
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let group = GroupKey::try_new(group, labels).unwrap();
    let mut samples = BlockBuilder::new(SEED);
    let mut series = Vec::new();
    for sample in &read.samples {
        let mut labels = sample.labels.clone();
        for (name, value) in group.iter() {
            labels.set(name.to_owned(), value.to_owned());
        }
        series.push(samples.push(&labels.into_set(), sample.value, at(1)));
    }
    let shape = Shape::of(&read, &group, ShapeKey::of(&read));
    Push {
        shape: Arc::new(shape),
        samples: samples.finish(),
        series,
        own: 0,
        values: Values {
            numbers: read.samples.iter().map(|sample| sample.value).collect(),
            extras: Vec::new(),
        },
        group,
        ..push("g", "", Mode::Replace, at(1))
    }
}

/// Pushes the first bodies, which have to be taken, and then says what becomes of the last.
fn outcome(bodies: &[(&str, &str)]) -> Result<(), String> {
    let mut world = world();
    let (last, before) = bodies.split_last().unwrap();
    for (group, body) in before {
        let change = world.registry.plan_push(pushed(group, &[], body)).unwrap();
        world.commit(change);
    }
    let planned = world.registry.plan_push(pushed(last.0, &[], last.1));
    planned.map(|_| ()).map_err(|refused| refused.to_string())
}

#[track_caller]
fn refused(bodies: &[(&str, &str)], why: &str) {
    let error = outcome(bodies).expect_err("it was taken");
    assert!(error.contains(why), "{error}");
}

const GAUGE: &str = "# TYPE m gauge\nm 1\n";
const COUNTER: &str = "# TYPE m counter\nm 1\n";
const HISTOGRAM: &str = "# TYPE m histogram\nm_bucket{le=\"+Inf\"} 1\nm_sum 1\nm_count 1\n";
const SUMMARY: &str = "# TYPE m summary\nm_sum 1\nm_count 1\n";

#[test]
fn b22_a_pushed_time_of_failure_is_a_gauge_where_other_groups_have_one() {
    let untyped = "push_failure_time_seconds 7\n";

    assert_eq!(outcome(&[("a", untyped)]), Ok(()));
    assert_eq!(outcome(&[("a", untyped), ("b", GAUGE)]), Ok(()));
    refused(&[("a", GAUGE), ("b", untyped)], "is known as gauge");
}

#[test]
fn b16_a_family_has_one_type_in_all_groups() {
    refused(
        &[("a", GAUGE), ("b", COUNTER)],
        "the metric family \"m\" has type counter, but is known as gauge",
    );
    refused(&[("a", "m 1\n"), ("b", COUNTER)], "known as untyped");
    assert_eq!(outcome(&[("a", GAUGE), ("b", GAUGE)]), Ok(()));
}

#[test]
fn b16_a_put_may_change_the_type_of_its_own_family() {
    assert_eq!(outcome(&[("a", GAUGE), ("a", COUNTER)]), Ok(()));
    assert_eq!(
        outcome(&[("a", GAUGE), ("b", "x 1\n"), ("b", "y 1\n"), ("a", COUNTER)]),
        Ok(())
    );
    refused(&[("a", GAUGE), ("b", GAUGE), ("a", COUNTER)], "known as gauge");
}

#[test]
fn b17_no_family_has_the_name_of_another_ones_series() {
    for part in ["m_count 1\n", "m_sum 1\n", "m_bucket 1\n"] {
        refused(&[("a", HISTOGRAM), ("b", part)], "collides with \"m\"");
        refused(&[("a", part), ("b", HISTOGRAM)], "collides with \"m_");
    }
    refused(&[("a", SUMMARY), ("b", "m_count 1\n")], "collides with \"m\"");
    assert_eq!(outcome(&[("a", SUMMARY), ("b", "m_bucket 1\n")]), Ok(()));
    assert_eq!(outcome(&[("a", GAUGE), ("b", "m_count 1\n")]), Ok(()));
}

#[test]
fn b17_nor_within_one_push() {
    let both = format!("m_count 1\n{}", HISTOGRAM.replace("m_count 1\n", ""));

    refused(&[("a", &both)], "collides with");
}

#[test]
fn s43_a_series_is_pushed_through_one_group() {
    let mut world = world();
    let first = pushed("j", &[("instance", "i")], "m{a=\"b\"} 1\n");
    let change = world.registry.plan_push(first).unwrap();
    world.commit(change);

    let same = world
        .registry
        .plan_push(pushed("j", &[], "n 1\nm{instance=\"i\",a=\"b\"} 1\n"));
    let error = same.unwrap_err().to_string();
    assert!(
        error.contains("the series m{a=\"b\",instance=\"i\",job=\"j\"} was pushed before"),
        "{error}"
    );
    assert!(error.contains("{instance=\"i\",job=\"j\"}"), "{error}");

    let other = world
        .registry
        .plan_push(pushed("j", &[], "m{instance=\"i\",a=\"c\"} 1\n"));
    assert!(other.is_ok());
}

#[test]
fn what_is_the_same_after_normalisation_only_is_no_duplicate() {
    let mut world = world();
    let change = world.registry.plan_push(pushed("a", &[], "m 1\n")).unwrap();
    world.commit(change);
    let mut renamed = pushed("b", &[], "m 1\n");
    renamed.series = pushed("a", &[], "m 1\n").series;

    let change = world.registry.plan_push(renamed).unwrap();

    assert_eq!(change.conflicts, 1);
}

#[test]
fn a_push_that_need_not_agree_is_taken_and_harms_nobody() {
    let mut world = world();
    for (group, body) in [("a", GAUGE), ("b", COUNTER)] {
        let mut push = pushed(group, &[], body);
        push.check = Consistency::Unchecked;
        let change = world.registry.plan_push(push).unwrap();
        world.commit(change);
    }

    for (group, body) in [("a", GAUGE), ("b", COUNTER), ("c", "other 1\n")] {
        assert!(
            world.registry.plan_push(pushed(group, &[], body)).is_ok(),
            "{group}"
        );
    }
}

#[test]
fn what_has_ended_stands_in_nobodys_way() {
    let mut world = world();
    for (group, body) in [
        ("a", GAUGE),
        ("b", HISTOGRAM.replace("m_", "h_").replace(" m ", " h ").as_str()),
    ] {
        let change = world.registry.plan_push(pushed(group, &[], body)).unwrap();
        world.commit(change);
    }
    world.delete("a", 2);
    world.delete("b", 2);

    for body in [COUNTER, "h_count 1\n"] {
        assert!(world.registry.plan_push(pushed("c", &[], body)).is_ok(), "{body}");
    }
}

#[test]
fn b04_an_empty_instance_and_none_are_one_to_whoever_scrapes() {
    let mut world = world();
    let change = world.registry.plan_push(pushed("g", &[], GAUGE)).unwrap();
    world.commit(change);

    let alike = || pushed("g", &[("instance", "")], "x 1\n");
    let refused = world.registry.plan_push(alike()).unwrap_err().to_string();
    let ghost = world.registry.plan_failure(alike(), "no reason".to_owned());

    assert!(
        refused.contains("was pushed before, through the group {job=\"g\"}"),
        "{refused}"
    );
    assert!(ghost.is_err());
    assert!(
        world
            .registry
            .plan_push(pushed("g", &[("instance", "i")], "x 1\n"))
            .is_ok()
    );
}
