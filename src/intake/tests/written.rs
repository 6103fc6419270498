//! Series that come by remote-write.

use super::*;
use crate::codec::block::Block;
use crate::codec::record::Record;
use crate::codec::remote_write::{Counts, Limits, Message, Request};
use crate::model::{Encoded, LabelDraft, WrittenSample, WrittenSeries};
use crate::queue::Position;

const NOW: i64 = 1_795_000_000_000;

fn series(name: &str, samples: &[(f64, i64)]) -> WrittenSeries<'static> {
    let samples = samples.iter().map(|(value, at)| WrittenSample {
        value: *value,
        at: UnixMillis::new(*at),
        created: Some(UnixMillis::new(7)),
    });
    WrittenSeries {
        labels: LabelDraft::from_iter([("__name__".to_owned(), name.to_owned())]),
        samples: samples.collect(),
        ..WrittenSeries::default()
    }
}

fn at_place(place: &str, mut series: WrittenSeries<'static>) -> WrittenSeries<'static> {
    series.labels.push("place", place.to_owned());
    series
}

fn request(series: Vec<WrittenSeries<'static>>) -> Request<'static> {
    Request {
        series,
        ..Request::default()
    }
}

async fn write(rig: &Rig, request: Request<'_>, order: Order) -> Result<(u64, u64), Refusal> {
    let written = rig.intake.write(request, &rig.intake.reading(order))?;
    if let Some(submission) = written.submission {
        rig.intake.settle(submission).await?;
    }
    Ok((written.taken.weight(), written.flawed.counts.weight()))
}

/// Every sample in the log as series, time, start time, in the order of each key.
fn logged(rig: &Rig) -> Vec<(u64, String)> {
    let records = rig.queue.scan(Position::new(0)).map(|record| record.unwrap().1);
    let mut all = Vec::new();
    for record in records {
        let block: Block = Record::decode(record.payload).unwrap().samples;
        for one in block.open().unwrap().series() {
            let one = one.unwrap();
            let labels = one.labels().unwrap();
            let created = one.created.map(UnixMillis::get);
            all.push((record.key, format!("{labels}@{}>{created:?}", one.at.get())));
        }
    }
    all
}

#[tokio::test]
async fn a_series_stays_in_one_lane_in_the_order_it_was_sent() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());
    let places: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for round in 0..3 {
        let all = places
            .iter()
            .map(|place| at_place(place, series("m", &[(1.0, round), (2.0, round + 10)])));
        let taken = write(&rig, request(all.collect()), Order::AsSent).await.unwrap();
        assert_eq!(taken, (200, 0));
    }

    let logged = logged(&rig);

    let keys: std::collections::BTreeSet<u64> = logged.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, (0..8).collect());
    for place in places {
        let of_series: Vec<_> = logged
            .iter()
            .filter(|(_, sample)| sample.contains(&format!("\"{place}\"")))
            .collect();
        let expected = [0, 10, 1, 11, 2, 12].map(|at| format!("m{{place=\"{place}\"}}@{at}>Some(7)"));
        assert!(of_series.iter().all(|(key, _)| *key == of_series[0].0));
        assert_eq!(
            of_series
                .iter()
                .map(|(_, sample)| sample.clone())
                .collect::<Vec<_>>(),
            expected
        );
    }
}

#[tokio::test]
async fn what_is_measured_at_one_place_stays_together() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());
    let all = (0..100).map(|number| at_place("a", series(&format!("m{number}"), &[(1.0, NOW)])));

    write(&rig, request(all.collect()), Order::AsSent).await.unwrap();

    let keys: std::collections::BTreeSet<u64> = logged(&rig).iter().map(|(key, _)| *key).collect();
    assert_eq!((logged(&rig).len(), keys.len()), (100, 1));
}

#[tokio::test]
async fn what_becomes_long_in_the_log_is_cut_into_records() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());
    let mut one = series("m", &vec![(1.0, NOW); 20_000]);
    one.labels.push("long", "x".repeat(2_000));

    write(&rig, request(vec![one]), Order::AsSent).await.unwrap();

    let lengths: Vec<usize> = rig
        .queue
        .scan(Position::new(0))
        .map(|record| {
            Record::decode(record.unwrap().1.payload)
                .unwrap()
                .samples
                .raw_len()
                .unwrap()
        })
        .collect();
    assert!(lengths.len() > 4, "{lengths:?}");
    assert!(lengths.iter().all(|length| *length < 9 << 20), "{lengths:?}");
}

/// PRW R1-03: what the disk did not take is asked for again, and is then no duplicate.
#[tokio::test]
async fn what_could_not_be_made_durable_is_taken_when_it_comes_again() {
    for order in [Order::AsSent, Order::Enforced] {
        let disk = PowerStorage::default();
        let rig = Rig::on(&disk, QueueConfig::default());
        let batch = || request(vec![series("m", &[(1.0, NOW - 5), (2.0, NOW)])]);
        disk.fail_syncs();

        let refused = write(&rig, batch(), order).await.unwrap_err();
        disk.heal();
        rig.clock.advance(Duration::from_secs(2));
        rig.intake.sweep().await;

        assert!(matches!(refused, Refusal::NotDurable(_)), "{refused}");
        assert_eq!(write(&rig, batch(), order).await.unwrap(), (2, 0));
        assert_eq!(logged(&rig).len(), 2);
    }
}

#[tokio::test]
async fn a_full_queue_takes_nothing_for_known() {
    let full = QueueConfig {
        max_bytes: 1 << 20,
        when_full: WhenFull::Refuse,
        ..QueueConfig::default()
    };
    let rig = Rig::on(&PowerStorage::default(), full);
    let _waiting = rig.queue.reader("remote", 1, Start::Newest).unwrap();
    let many: String = (0..2000).map(|index| format!("b{index} {index}\n")).collect();
    while rig.put("filler", &many).await.is_ok() {}
    while rig.put("j", "a 1\n").await.is_ok() {}
    let batch = || request(vec![series("m", &[(1.0, NOW)])]);

    let refused = write(&rig, batch(), Order::Enforced).await.unwrap_err();
    rig.queue.forget_readers_except(&[]);
    rig.intake.snapshot(Closing::Yes).await;
    rig.queue.expire(rig.clock.now());

    assert!(matches!(refused, Refusal::Full { .. }), "{refused}");
    assert_eq!(write(&rig, batch(), Order::Enforced).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn the_books_say_of_a_refused_request_what_is_in_the_log() {
    let disk = PowerStorage::default();
    let full = QueueConfig {
        max_bytes: 1 << 20,
        when_full: WhenFull::Refuse,
        ..QueueConfig::default()
    };
    let rig = Rig::on(&disk, full);
    let _waiting = rig.queue.reader("remote", 1, Start::Newest).unwrap();
    let mut noise = 1_u64;
    let mut long = |name: usize| {
        let mut one = series(&format!("m{name}"), &[(1.0, NOW)]);
        let digits = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{noise:016x}")
        });
        one.labels.push("long", digits.take(120).collect::<String>());
        one
    };
    let batch = request((0..300).map(&mut long).collect());
    assert!(write(&rig, batch.clone(), Order::AsSent).await.is_ok());

    disk.fail_syncs();
    let reading = rig.intake.reading(Order::AsSent);
    let written = rig.intake.write(batch, &reading).unwrap();
    let has_room = written.submission.as_ref().map(Submission::is_whole);
    let refused = rig.intake.settle(written.submission.unwrap()).await;

    assert_eq!(has_room, Some(false));
    assert!(matches!(refused, Err(Refusal::NotDurable(_))), "{refused:?}");
    assert_eq!(rig.metric("intake_queued_samples_total"), Some(300));
    assert_eq!(rig.metric("intake_received_samples_total"), Some(600));
}

#[tokio::test]
async fn at_close_nothing_is_promised() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());
    rig.queue.close().await;

    let refused = write(&rig, request(vec![series("m", &[(1.0, NOW)])]), Order::AsSent).await;

    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn a_request_of_nothing_needs_no_disk() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());

    let reading = rig.intake.reading(Order::AsSent);
    let written = rig.intake.write(Request::default(), &reading).unwrap();

    assert!(written.submission.is_none());
    assert_eq!(
        (written.taken, written.flawed.is_empty()),
        (Counts::default(), true)
    );
}

/// Two series of version 1.0, one with an alias, and one sample each.
fn body() -> Vec<u8> {
    let mut block = crate::codec::block::BlockBuilder::default();
    for labels in [
        [("__name__", "plain"), ("job", "j")],
        [("__name__", "renamed"), ("tmId", "t")],
    ] {
        let labels = LabelDraft::from_iter(labels).into_set();
        block.push(&labels, 1.0, UnixMillis::new(NOW));
    }
    let block = block.finish();
    snap::raw::Decoder::new().decompress_vec(block.bytes()).unwrap()
}

/// Writes [`body`] as a door does; of how many series the labels were not read.
async fn write_body(rig: &Rig, body: &[u8], order: Order) -> usize {
    let reading = rig.intake.reading(order);
    let recall = |labels: &[u8]| reading.recall(labels);
    let request = Message::V1
        .decode_beside(body, &Limits::default(), &recall)
        .unwrap();
    let unread = |series: &&WrittenSeries<'_>| matches!(series.encoded, Encoded::Known(..));
    let count = request.series.iter().filter(unread).count();
    let written = rig.intake.write(request, &reading).unwrap();
    rig.intake.settle(written.submission.unwrap()).await.unwrap();
    count
}

async fn write_twice(rig: &Rig, body: &[u8], order: Order) -> [usize; 2] {
    [
        write_body(rig, body, order).await,
        write_body(rig, body, order).await,
    ]
}

#[tokio::test]
async fn labels_are_read_once_until_the_rules_change() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());
    let body = body();

    let unread = write_twice(&rig, &body, Order::AsSent).await;
    let rules = Rules::try_new(&RulesConfig {
        external_labels: vec![("region".to_owned(), "r".to_owned())],
        ..RulesConfig::default()
    });
    rig.intake.configure(rules.unwrap(), RetentionConfig::default());
    let afterwards = write_twice(&rig, &body, Order::AsSent).await;

    assert_eq!((unread, afterwards), ([0, 2], [0, 2]));
    let mut logged: Vec<String> = logged(&rig).into_iter().map(|(_, sample)| sample).collect();
    logged.sort();
    let expected = [
        "plain{job=\"j\",region=\"r\"}",
        "plain{job=\"j\"}",
        "renamed{region=\"r\",tm_id=\"t\"}",
        "renamed{tm_id=\"t\"}",
    ];
    let twice = expected.map(|series| vec![format!("{series}@{NOW}>None"); 2]);
    assert_eq!(logged, twice.concat());
}

#[tokio::test]
async fn labels_are_always_read_where_order_is_looked_at() {
    let rig = Rig::on(&PowerStorage::default(), QueueConfig::default());

    let unread = write_twice(&rig, &body(), Order::Enforced).await;

    assert_eq!(unread, [0, 0]);
}
