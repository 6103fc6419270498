//! Whatever happens in whatever order, against a model of a few sets.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::queue::lanes::MAX_EARLIER;

#[derive(Clone, Debug)]
enum Action {
    Append { key: u64, bytes: usize },
    Write,
    Next,
    Ack { lane: u32 },
    Keep,
    Reopen { lanes: u32 },
    Kill { lanes: u32 },
    LosePower { lanes: u32, survives: u8 },
    LeaveRoom(u64),
    FailSyncs,
    FailCuts,
    Heal,
    Resume,
}

fn action() -> impl Strategy<Value = Action> {
    let lanes = || prop_oneof![Just(1_u32), Just(2), Just(3), Just(5)];
    prop_oneof![
        20 => (0_u64..7, 8_usize..300).prop_map(|(key, bytes)| Action::Append { key, bytes }),
        10 => Just(Action::Write),
        15 => Just(Action::Next),
        10 => (0_u32..5).prop_map(|lane| Action::Ack { lane }),
        2 => Just(Action::Keep),
        1 => lanes().prop_map(|lanes| Action::Reopen { lanes }),
        2 => lanes().prop_map(|lanes| Action::Kill { lanes }),
        2 => (lanes(), any::<u8>()).prop_map(|(lanes, survives)| Action::LosePower { lanes, survives }),
        1 => (0_u64..600).prop_map(Action::LeaveRoom),
        1 => Just(Action::FailSyncs),
        1 => Just(Action::FailCuts),
        3 => Just(Action::Heal),
        4 => Just(Action::Resume),
    ]
}

/// The queue, and what we know of it.
struct World {
    rig: Rig,
    reader: Option<Reader>,
    next_number: u64,
    under_way: Vec<(u64, Appending)>,
    keys: BTreeMap<u64, u64>,
    /// Acknowledged by the queue: must never be lost.
    durable: BTreeSet<u64>,
    /// Acknowledged to the queue: must not come again.
    done: BTreeSet<u64>,
    /// The same, as far as it is synced.
    done_for_good: BTreeSet<u64>,
    /// Acknowledged to the queue before power was lost, so that both is right.
    perhaps_done: BTreeSet<u64>,
    /// May be in the log without having been acknowledged, as a crash came between.
    survivors: BTreeSet<u64>,
    in_flight: BTreeMap<u32, Vec<(u64, Position)>>,
    last_delivered: Option<u64>,
    lanes: Vec<u32>,
}

impl World {
    fn new() -> Self {
        let rig = Rig::new();
        let reader = Some(rig.reader(3));
        Self {
            rig,
            reader,
            next_number: 0,
            under_way: Vec::new(),
            keys: BTreeMap::new(),
            durable: BTreeSet::new(),
            done: BTreeSet::new(),
            done_for_good: BTreeSet::new(),
            perhaps_done: BTreeSet::new(),
            survivors: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            last_delivered: None,
            lanes: vec![3],
        }
    }

    fn act(mut self, action: Action) -> Self {
        match action {
            Action::Append { key, bytes } => self.append(key, bytes),
            Action::Write => self.write(),
            Action::Next => {
                self.next();
            }
            Action::Ack { lane } => self.ack(lane),
            Action::Keep => self.keep(),
            Action::Reopen { lanes } => self.open_reader(lanes),
            Action::Kill { lanes } => return self.restart(lanes, None),
            Action::LosePower { lanes, survives } => return self.restart(lanes, Some(survives)),
            Action::LeaveRoom(bytes) => self.rig.disk.leave_room(bytes),
            Action::FailSyncs => self.rig.disk.fail_syncs(),
            Action::FailCuts => self.rig.disk.fail_cuts(),
            Action::Heal => self.heal(),
            Action::Resume => self.resume(),
        }
        self
    }

    fn append(&mut self, key: u64, bytes: usize) {
        let number = self.next_number;
        if let Ok(appending) = self.rig.append(Record {
            key,
            ..sized(number, bytes)
        }) {
            self.next_number += 1;
            self.keys.insert(number, key);
            self.under_way.push((number, appending));
        }
    }

    fn write(&mut self) {
        self.rig.core.write_waiting();
        for (number, appending) in self.under_way.drain(..) {
            if now(appending).expect("a write answers everyone").is_ok() {
                self.durable.insert(number);
            }
        }
    }

    fn next(&mut self) -> bool {
        let reader = self.reader.as_mut().unwrap();
        let Some(delivery) = now(reader.next()) else {
            return false;
        };
        let Delivery::Record {
            lane, end, record, ..
        } = delivery.unwrap()
        else {
            panic!("nothing may be dropped")
        };
        let number = number_of(&record);
        assert_eq!(record.key, self.keys[&number]);
        assert!(
            self.durable.contains(&number) || self.survivors.contains(&number),
            "{number} is not in the log"
        );
        assert!(!self.done.contains(&number), "{number} came again");
        assert!(
            self.last_delivered < Some(number),
            "{number} after {:?}",
            self.last_delivered
        );
        self.last_delivered = Some(number);
        self.in_flight.entry(lane).or_default().push((number, end));
        true
    }

    fn ack(&mut self, lane: u32) {
        let Some(flying) = self.in_flight.get_mut(&lane).filter(|flying| !flying.is_empty()) else {
            return;
        };
        let (number, end) = flying.remove(0);
        self.reader.as_ref().unwrap().ack(lane, end);
        self.done.insert(number);
    }

    fn keep(&mut self) {
        self.rig.core.remove_doomed();
        let before = self.rig.core.stats().position_failures;
        self.rig.core.sync_positions();
        if self.rig.core.stats().position_failures == before {
            self.done_for_good = self.done.clone();
        }
    }

    fn heal(&mut self) {
        self.rig.disk.heal();
    }

    fn resume(&mut self) {
        let failed = self.rig.core.stats().refusing.is_some();
        if self.rig.core.resume().is_ok() && failed {
            self.check_log();
        }
    }

    fn open_reader(&mut self, lanes: u32) {
        if self.lanes.last() != Some(&lanes) && self.lanes.len() < MAX_EARLIER {
            self.lanes.push(lanes);
        }
        self.reader = None;
        self.reader = Some(self.rig.reader(self.lanes[self.lanes.len() - 1]));
        self.in_flight.clear();
        self.last_delivered = None;
    }

    fn restart(mut self, lanes: u32, survives: Option<u8>) -> Self {
        self.reader = None;
        if survives.is_some() {
            self.perhaps_done.append(&mut self.done);
            self.done = self.done_for_good.clone();
        }
        self.under_way.clear();
        self.rig = match survives {
            Some(survives) => self.rig.powerless(survives),
            None => self.rig.killed(),
        };
        self.survivors = self.rig.scanned().into_iter().collect();
        self.open_reader(lanes);
        self.check_log();
        self
    }

    /// Holds everything that was acknowledged and is still needed, nothing that failed, in order.
    fn check_log(&self) {
        let scanned = self.rig.scanned();
        assert!(
            scanned.is_sorted_by(|earlier, later| earlier < later),
            "{scanned:?}"
        );
        let scanned = BTreeSet::from_iter(scanned);
        let lost: Vec<u64> = self.needed().filter(|number| !scanned.contains(number)).collect();
        assert!(lost.is_empty(), "lost {lost:?}");
        let strange: Vec<_> = scanned
            .iter()
            .filter(|n| !self.durable.contains(n) && !self.survivors.contains(n))
            .collect();
        assert!(strange.is_empty(), "not acknowledged {strange:?}");
    }

    fn needed(&self) -> impl Iterator<Item = u64> {
        self.durable
            .iter()
            .copied()
            .filter(|number| !self.done.contains(number) && !self.perhaps_done.contains(number))
    }

    fn finish(mut self) {
        self.heal();
        self.resume();
        self.write();
        self.check_log();
        while self.next() {}
        let lanes: Vec<u32> = self.in_flight.keys().copied().collect();
        for lane in lanes {
            while self.in_flight.get(&lane).is_some_and(|flying| !flying.is_empty()) {
                self.ack(lane);
            }
        }
        let missing: Vec<u64> = self.needed().collect();
        assert!(missing.is_empty(), "never delivered {missing:?}");
        let reader = self.rig.core.stats().readers.remove(0);
        assert_eq!(
            (reader.backlog.totals.records, reader.dropped),
            (0, crate::queue::Dropped::default())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_reordered_or_delivered_twice(actions in prop::collection::vec(action(), 1..150)) {
        let world = actions.into_iter().fold(World::new(), World::act);

        world.finish();
    }
}
