use super::*;

#[test]
fn readers_see_only_what_is_committed() {
    let rig = Rig::new();
    let mut reader = rig.reader(1);
    let _appending = rig.append(record(1)).unwrap();

    let before = numbers(&read(&mut reader));
    rig.core.write_waiting();

    assert_eq!((before, numbers(&read(&mut reader))), (vec![], vec![1]));
}

#[test]
fn a_record_arrives_in_the_lane_of_its_key_as_it_was_appended() {
    let rig = Rig::new();
    let mut reader = rig.reader(4);
    let appending = rig
        .append(Record {
            fence: true,
            ..record(7)
        })
        .unwrap();
    let (position, end) = (appending.position(), appending.end());

    rig.core.write_waiting();

    let record = Record {
        fence: true,
        ..record(7)
    };
    assert_eq!(
        read(&mut reader),
        [Delivery::Record {
            lane: 3,
            position,
            end,
            record
        }]
    );
}

#[test]
fn a_restart_delivers_again_only_what_was_in_flight() {
    let rig = Rig::new();
    let mut reader = rig.reader(4);
    let rig = rig.filled(0..20);
    let deliveries = read(&mut reader);
    acknowledge(
        &reader,
        deliveries
            .iter()
            .filter(|delivery| !matches!(delivery, Delivery::Record { lane: 2, .. })),
    );
    drop(reader);

    let rig = rig.killed();

    assert_eq!(numbers(&read(&mut rig.reader(4))), [2, 6, 10, 14, 18]);
}

#[test]
fn acknowledgements_outlive_a_change_of_the_lane_count() {
    let rig = Rig::new();
    let mut reader = rig.reader(4);
    let rig = rig.filled(0..20);
    let deliveries = read(&mut reader);
    acknowledge(
        &reader,
        deliveries
            .iter()
            .filter(|delivery| !matches!(delivery, Delivery::Record { lane: 2, .. })),
    );
    drop(reader);

    let rig = rig.killed();
    drop(rig.reader(3));
    let rig = rig.killed();

    assert_eq!(numbers(&read(&mut rig.reader(5))), [2, 6, 10, 14, 18]);
}

#[test]
fn opening_a_reader_again_delivers_what_was_in_flight() {
    let rig = Rig::new().filled(0..3);
    let mut reader = rig.reader(2);
    read(&mut reader);
    drop(reader);

    let again = numbers(&read(&mut rig.reader(3)));

    assert_eq!(again, [0, 1, 2]);
}

#[test]
fn two_readers_of_one_name_are_refused() {
    let rig = Rig::new();
    let _first = rig.reader(1);

    let second = rig.core.reader("remote", 1, Start::Oldest);

    assert!(matches!(second, Err(QueueError::ReaderBusy { .. })));
}

#[test]
fn a_new_reader_begins_where_it_was_told_to() {
    let rig = Rig::new().filled(0..9);
    let mut oldest = rig.core.reader("oldest", 1, Start::Oldest).unwrap();
    let mut newest = rig.core.reader("newest", 1, Start::Newest).unwrap();

    let rig = rig.filled(9..10);

    assert_eq!(numbers(&read(&mut newest)), [9]);
    assert_eq!(numbers(&read(&mut oldest)), rig.scanned());
}

#[test]
fn segments_go_when_every_reader_is_past_them() {
    let rig = Rig::new();
    let (mut slow, mut fast) = (rig.reader(1), rig.core.reader("fast", 1, Start::Oldest).unwrap());
    let rig = rig.filled(0..20);
    let all = rig.files(".log").len();

    drain(&mut fast);
    rig.core.remove_doomed();
    let held = rig.files(".log").len();
    drain(&mut slow);
    rig.core.remove_doomed();

    assert_eq!((held, rig.files(".log").len()), (all, 1));
}

#[test]
fn the_backlog_is_what_is_not_acknowledged() {
    let rig = Rig::new();
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..20);
    let deliveries: Vec<Delivery> = (0..7).map(|_| now(reader.next()).unwrap().unwrap()).collect();

    acknowledge(&reader, &deliveries[..5]);

    let backlog = reader.backlog();
    assert_eq!(
        (backlog.totals.records, backlog.totals.weight, backlog.bytes),
        (15, 150, 15 * 100)
    );
    drop(reader);
    assert_eq!(rig.killed().core.stats().readers[0].backlog, backlog);
}

#[test]
fn what_was_dropped_and_not_told_yet_is_backlog_until_it_is() {
    let rig = Rig::with(QueueConfig {
        max_bytes: 4_000,
        segment_bytes: 400,
        ..QueueConfig::default()
    });
    let mut reader = rig.reader(1);
    let _rig = rig.filled(0..200);

    let before = reader.backlog().totals.weight;
    let gap = now(reader.next()).unwrap().unwrap();

    let Delivery::Gap { weight, .. } = gap else {
        panic!("{gap:?}")
    };
    assert_eq!((before, reader.backlog().totals.weight), (2_000, 2_000 - weight));
}

#[test]
fn a_pin_holds_the_log_until_it_is_advanced() {
    let rig = Rig::new();
    let pin = rig.queue.pin("registry").unwrap();
    let mut reader = rig.reader(1);
    let rig = rig.filled(0..20);
    drain(&mut reader);

    let held = rig.scanned();
    pin.advance(rig.queue.committed());

    assert_eq!(held, Vec::from_iter(0..20));
    assert_eq!(rig.core.stats().segments, 1);
}

#[test]
fn a_forgotten_reader_holds_nothing_back() {
    let rig = Rig::new();
    drop(rig.reader(1));
    let _kept = rig.core.reader("kept", 1, Start::Newest).unwrap();
    let rig = rig.filled(0..20);

    let forgotten = rig.queue.forget_readers_except(&["kept"]);

    assert_eq!(
        forgotten
            .iter()
            .map(|(name, backlog)| (name.as_str(), backlog.totals.records))
            .collect::<Vec<_>>(),
        [("remote", 20)]
    );
    assert_eq!(rig.killed().opened.readers, ["kept"]);
}
