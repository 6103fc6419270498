use super::*;
use crate::queue::SyncPolicy;

#[test]
fn an_append_is_done_only_after_the_sync() {
    let rig = Rig::new();
    let mut appending = pin!(rig.append(record(1)).unwrap());

    let before = now(appending.as_mut());
    rig.core.write_waiting();

    assert!(before.is_none());
    assert!(now(appending).unwrap().is_ok());
}

#[test]
fn one_sync_serves_all_who_wait() {
    let rig = Rig::with(QueueConfig::default());
    let before = rig.disk.syncs();
    let appends: Vec<Appending> = (0..50)
        .map(|number| rig.append(record(number)).unwrap())
        .collect();

    rig.core.write_waiting();

    assert!(
        appends
            .into_iter()
            .all(|appending| now(appending).unwrap().is_ok())
    );
    assert_eq!(rig.disk.syncs() - before, 1);
}

#[test]
fn what_was_acknowledged_outlives_a_loss_of_power() {
    let rig = Rig::new().holding().filled(0..20);

    let rig = rig.powerless(0);

    assert_eq!(rig.scanned(), Vec::from_iter(0..20));
}

#[test]
fn what_was_written_without_a_sync_outlives_a_kill() {
    let rig = Rig::with(QueueConfig {
        sync: SyncPolicy::Never,
        ..QueueConfig::default()
    })
    .filled(0..20);

    let rig = rig.killed();

    assert_eq!(rig.scanned(), Vec::from_iter(0..20));
}

#[test]
fn an_unfinished_append_is_cut_and_reported_wherever_it_ends() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..3);
    let segment = rig.last_segment();
    let frame = usize::try_from(record(0).stored_bytes()).unwrap();

    let outcomes: BTreeSet<(Vec<u64>, bool)> = (1..frame)
        .map(|missing| {
            let disk = rig.disk.copy();
            disk.damage(&segment, |bytes| bytes.truncate(bytes.len() - missing));
            let reopened = Rig::on(disk, rig.config.clone());
            (
                reopened.scanned(),
                reopened.opened.cut_bytes == (frame - missing) as u64,
            )
        })
        .collect();

    assert_eq!(outcomes, BTreeSet::from([(vec![0, 1], true)]));
}

#[test]
fn appends_go_on_after_a_cut() {
    let rig = Rig::new().holding().filled(0..3);
    rig.disk
        .damage(&rig.last_segment(), |bytes| bytes.truncate(bytes.len() - 5));

    let rig = rig.killed().filled(3..5).killed();

    assert_eq!(rig.scanned(), [0, 1, 3, 4]);
}

#[test]
fn a_full_disk_fails_everyone_who_waits_and_refuses_the_next() {
    let rig = Rig::new().holding().filled(0..2);
    rig.disk.leave_room(150);
    let appends: Vec<Appending> = (2..5).map(|number| rig.append(record(number)).unwrap()).collect();

    rig.core.write_waiting();

    assert!(
        appends
            .into_iter()
            .all(|appending| matches!(now(appending), Some(Err(QueueError::Failed { .. }))))
    );
    assert!(matches!(rig.append(record(5)), Err(QueueError::Failed { .. })));
}

#[test]
fn after_resuming_the_log_is_exactly_what_was_acknowledged() {
    let rig = Rig::new().holding().filled(0..2);
    rig.disk.leave_room(90);
    rig.stored(2).unwrap_err();
    rig.disk.heal();

    rig.core.resume().unwrap();

    let rig = rig.filled(3..5);
    assert_eq!(rig.scanned(), [0, 1, 3, 4]);
    assert_eq!(rig.killed().scanned(), [0, 1, 3, 4]);
}

#[test]
fn a_file_that_failed_to_sync_is_never_written_to_again() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..2);
    let before = rig.last_segment();
    rig.disk.fail_syncs();
    rig.stored(2).unwrap_err();
    rig.disk.heal();
    rig.core.resume().unwrap();

    let rig = rig.filled(3..4);

    assert_ne!(rig.last_segment(), before);
    assert_eq!(rig.powerless(255).scanned(), [0, 1, 3]);
}

#[test]
fn a_file_that_cannot_be_cut_ends_where_the_next_begins() {
    let rig = Rig::with(QueueConfig::default()).holding().filled(0..2);
    rig.disk.fail_syncs();
    rig.stored(2).unwrap_err();
    rig.disk.heal();
    rig.disk.fail_cuts();
    rig.core.resume().unwrap();

    let rig = rig.filled(3..4);

    assert_eq!(rig.scanned(), [0, 1, 3]);
    assert_eq!(rig.killed().scanned(), [0, 1, 3]);
}

#[test]
fn resuming_fails_as_long_as_the_disk_does() {
    let rig = Rig::new().holding().filled(0..2);
    rig.disk.fail_syncs();
    rig.stored(2).unwrap_err();

    let resumed = rig.core.resume();

    assert!(matches!(resumed, Err(QueueError::Io { .. })));
    assert!(matches!(rig.append(record(3)), Err(QueueError::Failed { .. })));
}

#[test]
fn a_full_disk_does_not_keep_the_queue_from_being_read_and_freed() {
    let rig = Rig::new();
    let reader = rig.reader(1);
    drop(reader);
    let rig = rig.filled(0..20);
    rig.disk.leave_room(0);

    let rig = rig.killed();
    let mut reader = rig.reader(1);
    let deliveries = read(&mut reader);
    acknowledge(&reader, &deliveries);
    rig.core.remove_doomed();

    assert!(rig.opened.refusing.is_some());
    assert_eq!(numbers(&deliveries), Vec::from_iter(0..20));
    assert!(rig.core.resume().is_ok());
}

#[test]
fn a_segment_of_a_later_version_is_refused() {
    let rig = Rig::new().holding().filled(0..2);
    rig.disk.damage(&rig.last_segment(), |bytes| {
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    });

    let opened = Core::open(Arc::new(rig.disk.clone()), QueueConfig::default());

    assert!(matches!(
        opened,
        Err(QueueError::FutureVersion {
            version: 2,
            supported: 1,
            ..
        })
    ));
}

#[test]
fn a_position_that_a_reader_has_seen_is_not_given_out_again() {
    let rig = Rig::with(QueueConfig {
        sync: SyncPolicy::Never,
        ..QueueConfig::default()
    });
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..5);
    drain(&mut reader);
    rig.core.sync_positions();
    drop(reader);

    let rig = rig.powerless(0).filled(5..7);

    assert_eq!(numbers(&read(&mut rig.reader(1))), [5, 6]);
}
