//! Whatever happens, in whatever order, the promises to the wire hold.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push {
        group: usize,
        body: String,
        mode: Mode,
    },
    Ahead {
        group: usize,
        body: String,
        mode: Mode,
        seconds: i64,
    },
    Delete(usize),
    Sweep,
    Wait(i64),
    Save,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let body = (
        prop::sample::select(vec!["", "tm1:", "tm2:"]),
        proptest::collection::vec("[abc](\\{[12]\\})?", 0..5),
    )
        .prop_map(|(process, names)| format!("{process}{}", names.join(" ")));
    let mode = prop::sample::select(vec![Mode::Replace, Mode::Replace, Mode::Merge]);
    prop_oneof![
        2 => (0..3_usize, body.clone(), mode.clone(), -100..60_i64)
            .prop_map(|(group, body, mode, seconds)| Step::Ahead { group, body, mode, seconds }),
        6 => (0..3_usize, body, mode).prop_map(|(group, body, mode)| Step::Push { group, body, mode }),
        1 => (0..3_usize).prop_map(Step::Delete),
        2 => Just(Step::Sweep),
        2 => (0..50_i64).prop_map(Step::Wait),
        1 => Just(Step::Save),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_each_series_has_one_ordered_history(steps in proptest::collection::vec(step(), 1..40)) {
        let groups = ["g", "h", "i"];
        let (mut world, mut now) = (world(), 1);

        for step in steps {
            match step {
                Step::Push { group, body, mode } => world.push(groups[group], &body, mode, now),
                Step::Ahead { group, body, mode, seconds } => {
                    let push = push(groups[group], &body, mode, at(now));
                    let taken = world.push_ahead(push, seconds);
                    prop_assert!(matches!(taken, Ok(()) | Err(Refused::Clash(Clash::Past { .. }))), "{:?}", taken);
                }
                Step::Delete(group) => world.delete(groups[group], now),
                Step::Sweep => world.sweep(now),
                Step::Wait(seconds) => now += seconds,
                Step::Save => world.save(),
                Step::Restart => {
                    let before = world.state();
                    world.restart(now);
                    prop_assert_eq!(before, world.state());
                }
            }
        }

        let mut alive = 0;
        for (series, history) in &world.series {
            // what brings its time may bring the same twice, but a marker stands by itself
            let in_order = |a: &(UnixMillis, bool), b: &(UnixMillis, bool)| a.0 < b.0 || (a.0 == b.0 && !a.1 && !b.1);
            prop_assert!(history.is_sorted_by(in_order), "{} goes back in time: {:?}", series, history);
            let twice_ended = history.windows(2).any(|pair| pair[0].1 && pair[1].1);
            prop_assert!(!twice_ended && !history[0].1, "{} ended twice or before it began", series);
            alive += usize::from(!history.last().unwrap().1);
        }
        prop_assert_eq!(alive, world.registry.summary().series);
    }
}
