use std::time::Duration;

use super::*;
use crate::queue::{DropReason, WhenFull};

fn bounded(when_full: WhenFull) -> QueueConfig {
    QueueConfig {
        max_bytes: 4_000,
        segment_bytes: 400,
        when_full,
        ..QueueConfig::default()
    }
}

fn lost(deliveries: &[Delivery], because: DropReason) -> (u64, u64) {
    let gaps = deliveries.iter().filter_map(|delivery| match delivery {
        Delivery::Gap {
            records,
            weight,
            reason,
        } if *reason == because => Some((*records, *weight)),
        _ => None,
    });
    gaps.fold((0, 0), |(records, weight), gap| (records + gap.0, weight + gap.1))
}

#[test]
fn a_full_queue_drops_its_oldest_and_counts_every_record() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));
    let mut reader = rig.reader(1);

    let rig = rig.filled(0..200);

    let deliveries = read(&mut reader);
    let arrived = numbers(&deliveries);
    assert!(rig.core.stats().bytes <= 4_000);
    assert_eq!(
        lost(&deliveries, DropReason::Full),
        (200 - arrived.len() as u64, 10 * (200 - arrived.len() as u64))
    );
    assert_eq!(arrived, Vec::from_iter(200 - arrived.len() as u64..200));
}

#[test]
fn what_was_read_before_a_drop_is_not_counted_as_lost() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..10);
    let before: Vec<Delivery> = (0..5).map(|_| now(reader.next()).unwrap().unwrap()).collect();

    let _rig = rig.filled(10..200);

    let after = read(&mut reader);
    let (records, _) = lost(&after, DropReason::Full);
    assert_eq!(before.len() as u64 + records + numbers(&after).len() as u64, 200);
}

#[test]
fn what_was_in_flight_when_its_segment_was_dropped_is_reported_after_a_kill() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..10);
    let first = now(reader.next()).unwrap().unwrap();
    let before = rig.opened.overtaken.clone();
    let rig = rig.filled(10..200);
    rig.core.remove_doomed();
    drop((reader, first));

    let rig = rig.killed();

    let oldest = rig.core.oldest();
    let [(remote, bytes)] = rig.opened.overtaken.as_slice() else {
        panic!("{:?}", rig.opened)
    };
    assert_eq!(
        (before.len(), remote.as_str(), *bytes),
        (0, "remote", oldest.get() - 64)
    );
}

#[test]
fn a_gap_comes_before_the_record_after_it() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));
    let mut reader = rig.reader(1);
    let _rig = rig.filled(0..200);

    let first = now(reader.next()).unwrap().unwrap();

    assert!(matches!(
        first,
        Delivery::Gap {
            reason: DropReason::Full,
            ..
        }
    ));
}

#[test]
fn a_queue_that_may_not_drop_refuses_until_space_is_freed() {
    let rig = Rig::with(bounded(WhenFull::Refuse));
    let mut reader = rig.reader(1);
    let stored = (0..).take_while(|number| rig.stored(*number).is_ok()).count();

    let refused = rig.append(record(0)).unwrap_err();
    drain(&mut reader);

    assert!((35..=40).contains(&stored), "{stored}");
    assert!(matches!(refused, QueueError::Full { .. }));
    assert!(rig.stored(1).is_ok());
}

#[test]
fn a_pin_is_not_dropped_so_the_queue_refuses_instead() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));
    let pin = rig.queue.pin("registry").unwrap();
    let stored = (0..).take_while(|number| rig.stored(*number).is_ok()).count();

    let refused = rig.append(record(0)).unwrap_err();
    pin.advance(rig.queue.committed());

    assert_eq!(rig.core.stats().appended.records, stored as u64);
    assert!(matches!(refused, QueueError::Full { .. }));
    assert!(rig.stored(1).is_ok());
}

#[test]
fn records_that_grew_too_old_are_passed_over_and_counted() {
    let rig = Rig::with(QueueConfig {
        segment_bytes: 400,
        max_age: Duration::from_secs(60),
        ..QueueConfig::default()
    });
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..10);
    let young = Record {
        at: UnixMillis::new(61_001),
        ..record(10)
    };

    let _appending = rig.append(young).unwrap();
    rig.core.write_waiting();

    let deliveries = read(&mut reader);
    assert_eq!(
        (lost(&deliveries, DropReason::TooOld), numbers(&deliveries)),
        ((10, 100), vec![10])
    );
    assert_eq!(rig.core.stats().segments, 1);
}

#[test]
fn a_record_larger_than_any_may_be_is_refused_alone() {
    let rig = Rig::with(bounded(WhenFull::DropOldest));

    let refused = rig.append(sized(1, 2_001)).unwrap_err();

    assert!(matches!(refused, QueueError::TooLarge { max_bytes: 2_000, .. }));
    assert!(rig.stored(2).is_ok());
}

#[test]
fn a_disk_that_stalls_does_not_fill_the_memory() {
    let rig = Rig::with(QueueConfig::default());
    let large = || Record {
        payload: Bytes::from_static(&[0; 1 << 20]),
        ..record(1)
    };
    let taken = (0..).map_while(|_| rig.append(large()).ok()).count();

    let refused = rig.append(large()).unwrap_err();

    assert_eq!(taken, 127);
    assert!(matches!(refused, QueueError::Overloaded { .. }));
}
