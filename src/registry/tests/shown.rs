//! What was pushed is shown as it was pushed.

use super::*;

#[track_caller]
fn shows(world: &World, expected: &[&str]) {
    assert_eq!(world.shown(), expected);
}

#[test]
fn a_put_shows_itself_and_nothing_of_before() {
    let mut world = world();
    world.put("g", "a b{1}", 1);
    shows(&world, &["g: a  0 @1", "g: b 1 1 @1"]);

    world.put("g", "b{1} c", 2);

    shows(&world, &["g: b 1 0 @2", "g: c  1 @2"]);
}

#[test]
fn a_post_shows_beside_it_the_families_it_does_not_carry_with_their_own_time() {
    let mut world = world();
    world.put("g", "a{1} a{2} b c", 1);

    world.post("g", "a{3} d", 2);
    shows(&world, &["g: a 3 0 @2", "g: b  2 @1", "g: c  3 @1", "g: d  1 @2"]);

    world.post("g", "b", 3);
    shows(&world, &["g: a 3 0 @2", "g: b  0 @3", "g: c  3 @1", "g: d  1 @2"]);
}

#[test]
fn processes_of_one_group_are_shown_side_by_side() {
    let mut world = world();
    world.put("g", "tm1:a{1}", 1);
    world.put("g", "tm2:a{2}", 2);

    shows(&world, &["g: a 1 0 @1", "g: a 2 0 @2"]);

    world.put("g", "tm1:b", 3);
    shows(&world, &["g: a 2 0 @2", "g: b  0 @3"]);
}

#[test]
fn a_series_of_two_processes_of_one_group_is_shown_once() {
    let mut world = world();
    world.put("g", "tm1:a b", 1);
    world.put("g", "tm2:a c", 2);

    shows(&world, &["g: a  0 @1", "g: b  1 @1", "g: c  1 @2"]);
    world.restart(3);
    shows(&world, &["g: a  0 @1", "g: b  1 @1", "g: c  1 @2"]);
}

#[test]
fn a_series_that_two_processes_push_under_other_labels_is_shown_as_each_pushed_it() {
    let mut world = world();
    world.put("g", "tm1:a b", 1);
    let mut second = push("g", "tm2:a c", Mode::Replace, at(2));
    let read = text::parse(b"a{tm=\"2\"} 5\nc 6\n", 10).unwrap();
    second.shape = Arc::new(Shape::of(&read, &second.group, ShapeKey::of(&read)));
    second.values.numbers = vec![5.0, 6.0];
    let change = world.registry.plan_push(second).unwrap();
    assert_eq!(change.conflicts, 1);
    world.commit(change);

    let expected = ["g: a  0 @1", "g: a 2 5 @2", "g: b  1 @1", "g: c  6 @2"];
    shows(&world, &expected);
    world.restart(3);
    shows(&world, &["g: a  0 @1", "g: a 2 5 @2", "g: b  1 @1", "g: c  1 @2"]);
}

#[test]
fn what_was_not_sent_is_shown_also_after_a_restart() {
    let mut world = world();
    let mut filtered = push("g", "a c", Mode::Replace, at(1));
    let read = text::parse(b"a 1\nb 2\nc 3\nd 4\n", 10).unwrap();
    let key = ShapeKey::of(&read);
    filtered.shape = Arc::new(Shape::of(&read, &filtered.group, key));
    filtered.values.numbers = vec![0.0, 2.0, 1.0, 4.0];
    filtered.skipped = vec![1, 3];
    let change = world.registry.plan_push(filtered).unwrap();
    world.commit(change);

    let expected = ["g: a  0 @1", "g: b  2 @1", "g: c  1 @1", "g: d  4 @1"];
    shows(&world, &expected);
    world.restart(2);
    shows(&world, &expected);
    world.save();
    world.restart(3);
    shows(&world, &expected);
}

#[test]
fn a_shape_is_written_to_the_log_when_it_changes_only() {
    let mut world = world();
    for (second, body) in (1..).zip(["a b", "a b", "a c", "a c"]) {
        world.put("g", body, second);
    }

    let told: Vec<bool> = world
        .log
        .iter()
        .map(|record| match Event::decode(&record.event).unwrap() {
            Event::Pushed { pushed, .. } => pushed.shape.is_some(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [true, false, true, false]);
}

#[test]
fn many_posts_make_a_bounded_number_of_layers() {
    let mut world = world();
    for number in 0..200 {
        world.post("g", &format!("m{number}"), number + 1);
    }

    let groups: Vec<_> = world.registry.shown().collect();
    assert_eq!(groups[0].layers.len(), 64);
    assert_eq!(world.shown().len(), 200);
    let before = world.state();
    world.restart(300);
    assert_eq!(world.state(), before);
}

#[test]
fn what_ended_is_not_shown() {
    let mut world = world();
    world.put("g", "a", 1);
    world.put("h", "b", 1);
    world.delete("g", 2);

    shows(&world, &["h: b  0 @1"]);
    world.sweep(100);
    shows(&world, &[]);
}

#[test]
fn a_native_histogram_is_shown_also_after_a_restart() {
    let native = include_bytes!("../../../tests/fixtures/client_golang/native.pb");
    let read = protobuf::decode(native, 100).unwrap();
    let mut world = world();
    let mut pushed = push("g", "", Mode::Replace, at(1));
    let mut samples = BlockBuilder::new(SEED);
    pushed.series = read
        .samples
        .iter()
        .map(|sample| {
            let labels = sample.labels.clone().into_set();
            match sample.histogram() {
                None => samples.push(&labels, sample.value, at(1)),
                Some(histogram) => samples.push_histogram(&labels, histogram, at(1)),
            }
        })
        .collect();
    pushed.samples = samples.finish();
    pushed.own = 0;
    pushed.shape = Arc::new(Shape::of(&read, &pushed.group, ShapeKey::of(&read)));
    pushed.values = Values::of(&read.samples);
    let change = world.registry.plan_push(pushed).unwrap();
    world.commit(change);

    let shown = world.shown();
    world.restart(2);

    assert_eq!(world.shown(), shown);
    assert_eq!(
        shown.iter().filter(|line| line.contains("native: Some(")).count(),
        4
    );
}
