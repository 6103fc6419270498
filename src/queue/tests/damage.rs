use proptest::prelude::*;

use super::*;
use crate::queue::{DropReason, Storage};

fn damaged(rig: &Rig, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Rig {
    let disk = rig.disk.copy();
    disk.damage(name, change);
    Rig::on(disk, rig.config.clone())
}

#[test]
fn damage_in_the_last_segment_takes_one_record_and_is_set_aside() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..9);

    let rig = damaged(&rig, &rig.last_segment(), |bytes| bytes[32 + 4 * 100 + 60] ^= 1);

    assert_eq!(rig.scanned(), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert_eq!(
        rig.opened
            .quarantined
            .iter()
            .map(|aside| aside.bytes)
            .collect::<Vec<_>>(),
        [100]
    );
}

#[test]
fn damage_to_the_last_record_is_set_aside_before_it_is_cut() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..9);

    let rig = damaged(&rig, &rig.last_segment(), |bytes| *bytes.last_mut().unwrap() ^= 1);

    assert_eq!(rig.scanned(), Vec::from_iter(0..8));
    assert_eq!(rig.opened.quarantined[0].bytes, 100);
}

#[test]
fn damage_is_reported_once_and_kept() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..9);
    let rig = damaged(&rig, &rig.last_segment(), |bytes| bytes[32 + 460] ^= 1);

    let rig = rig.killed();

    assert_eq!(rig.opened.quarantined, []);
    assert_eq!(rig.disk.list("quarantine").unwrap().len(), 1);
}

#[test]
fn damage_found_while_reading_is_a_gap_of_what_it_took() {
    let rig = Rig::with(QueueConfig {
        segment_bytes: 1_000,
        ..QueueConfig::default()
    });
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..20);
    let first = rig.files(".log").first().unwrap().clone();

    rig.disk.damage(&first, |bytes| bytes[32 + 260] ^= 1);

    let deliveries = read(&mut reader);
    assert!(deliveries.contains(&Delivery::Gap {
        records: 1,
        weight: 10,
        reason: DropReason::Damaged
    }));
    assert_eq!(
        numbers(&deliveries),
        (0..20).filter(|number| *number != 2).collect::<Vec<_>>()
    );
    assert_eq!(rig.disk.list("quarantine").unwrap().len(), 1);
}

#[test]
fn segments_that_were_removed_or_cut_are_reported_as_missing_bytes() {
    let rig = Rig::new().holding().filled(0..20);
    let files = Vec::from_iter(rig.files(".log"));
    let whole = rig.disk.read(&files[1]).unwrap().unwrap().len() as u64;
    let missing = rig.killed().opened.missing_bytes;

    let rig = Rig::new().holding().filled(0..20);
    rig.disk.remove(&files[1]).unwrap();
    let rig = damaged(&rig, &files[3], |bytes| bytes.truncate(132));

    let (cut, left) = (whole - 132, rig.opened.missing_bytes);
    assert_eq!((missing, left), (0, whole + cut));
    assert_eq!(rig.scanned().len(), 20 - 3 - 2);
}

#[test]
fn a_lost_header_costs_no_record() {
    let rig = Rig::new().holding().filled(0..9);
    let first = rig.files(".log").first().unwrap().clone();

    let rig = damaged(&rig, &first, |bytes| bytes[..32].fill(0xee));

    assert_eq!(rig.scanned(), Vec::from_iter(0..9));
    assert_eq!(rig.opened.quarantined.len(), 1);
}

#[test]
fn a_lost_position_file_is_set_aside_and_everything_comes_again() {
    let rig = Rig::new();
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..3);
    drain(&mut reader);
    let file = rig.files(".position").first().unwrap().clone();

    let rig = damaged(&rig, &file, |bytes| bytes.fill(0));

    assert_eq!(numbers(&read(&mut rig.reader(1))), [0, 1, 2]);
    assert_eq!(rig.opened.quarantined.len(), 1);
}

#[test]
fn a_lost_position_file_makes_everything_come_again_even_to_a_reader_that_asks_for_the_newest() {
    let rig = Rig::new().holding().filled(0..3);
    let file = rig.files(".position").first().unwrap().clone();

    let rig = damaged(&rig, &file, |bytes| bytes.fill(0xff));

    let mut reader = rig.core.reader("remote", 1, Start::Newest).unwrap();
    assert_eq!(numbers(&read(&mut reader)), [0, 1, 2]);
    assert_eq!(rig.opened.readers, ["remote"]);
    assert_eq!(rig.disk.list("quarantine").unwrap().len(), 1);
}

#[test]
fn a_lost_position_that_cannot_be_written_anew_keeps_the_queue_shut_rather_than_losing_records() {
    let rig = Rig::new().holding().filled(0..3);
    let file = rig.files(".position").first().unwrap().clone();
    rig.disk.damage(&file, |bytes| bytes.fill(0xff));
    rig.disk.leave_room(0);

    let refused = Core::open(Arc::new(rig.disk.clone()), rig.config.clone()).unwrap_err();
    rig.disk.leave_room(1 << 20);

    assert!(matches!(refused, QueueError::Io { .. }), "{refused}");
    let rig = rig.killed();
    let mut reader = rig.core.reader("remote", 1, Start::Newest).unwrap();
    assert_eq!(numbers(&read(&mut reader)), [0, 1, 2]);
}

#[test]
fn strange_files_are_left_alone_and_mentioned() {
    let rig = Rig::new();
    rig.disk.create("notes.txt").unwrap();
    rig.disk.create("registry.snapshot").unwrap();

    let rig = rig.killed();

    assert_eq!(rig.opened.unknown_files, ["notes.txt"]);
    assert_eq!(rig.files(".txt").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn flipped_bits_cost_only_the_records_they_hit(flips in prop::collection::vec((0_usize..20_000, 0_u8..8), 1..4)) {
        let rig = Rig::with(QueueConfig { segment_bytes: 1_000, ..QueueConfig::default() });
        drop(rig.reader(1));
        let rig = rig.filled(0..20);
        let segments = Vec::from_iter(rig.files(".log"));

        for (at, bit) in &flips {
            let segment = &segments[at % segments.len()];
            rig.disk.damage(segment, |bytes| {
                let index = at % bytes.len();
                bytes[index] ^= 1 << bit;
            });
        }

        let rig = rig.killed();
        let scanned = rig.scanned();
        prop_assert!(scanned.len() + flips.len() >= 20, "{scanned:?}");
        prop_assert!(scanned.is_sorted_by(|earlier, later| earlier < later));
        prop_assert_eq!(numbers(&read(&mut rig.reader(1))), scanned);
    }
}
