mod written;

use super::*;
use crate::codec::text;
use crate::model::ManualClock;
use crate::normalise::RulesConfig;
use crate::queue::{PowerStorage, QueueConfig, Start, Survives, SyncPolicy, WhenFull};
use crate::registry::Mode;

struct Rig {
    intake: Intake,
    queue: Queue,
    clock: ManualClock,
    metrics: Metrics,
}

impl Rig {
    fn on(disk: &PowerStorage, config: QueueConfig) -> Self {
        let (queue, _) = Queue::open(Arc::new(disk.clone()), config).unwrap();
        let clock = ManualClock::at(UnixMillis::new(1_795_000_000_000));
        let rules = Rules::try_new(&RulesConfig::default()).unwrap();
        let retention = RetentionConfig {
            stale_after: Duration::from_secs(60),
            ..RetentionConfig::default()
        };
        let mut metrics = Metrics::default();
        let intake = Intake::open(
            queue.clone(),
            (rules, retention),
            Arc::new(clock.clone()),
            &mut metrics,
        );
        Self {
            intake: intake.unwrap(),
            queue,
            clock,
            metrics,
        }
    }

    /// What a metric without labels says.
    fn metric(&self, name: &str) -> Option<u64> {
        let mut shown = String::new();
        prometheus_client::encoding::text::encode(&mut shown, &self.metrics).unwrap();
        let value = shown.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|value| value.trim().parse().ok())
    }

    async fn put(&self, job: &str, body: &str) -> Result<(), Refusal> {
        let submission = self.intake.push(Incoming {
            group: GroupKey::try_new(job, []).unwrap(),
            mode: Mode::Replace,
            peer: "127.0.0.1:1".to_owned(),
            exposition: text::parse(body.as_bytes(), 10_000).unwrap(),
            check: Consistency::Checked,
            timestamps: Timestamps::Refused,
            own: Vec::new(),
        })?;
        self.intake.settle(submission).await
    }
}

#[tokio::test]
async fn nobody_is_retired_because_we_refused_what_he_pushed() {
    let full = QueueConfig {
        max_bytes: 1 << 20,
        when_full: WhenFull::Refuse,
        ..QueueConfig::default()
    };
    let rig = Rig::on(&PowerStorage::default(), full);
    let _waiting = rig.queue.reader("remote", 1, Start::Newest).unwrap();
    rig.put("j", "a 1\n").await.unwrap();
    let many: String = (0..2000).map(|index| format!("b{index} {index}\n")).collect();
    while rig.put("filler", &many).await.is_ok() {}
    while rig.put("j", "a 1\n").await.is_ok() {}

    for _ in 0..10 {
        rig.clock.advance(Duration::from_secs(10));
        assert!(matches!(rig.put("j", "a 1\n").await, Err(Refusal::Full { .. })));
        rig.intake.sweep().await;
    }
    rig.queue.forget_readers_except(&[]);
    rig.intake.snapshot(Closing::Yes).await;
    rig.intake.sweep().await;

    assert_eq!(rig.intake.history(), []);
}

#[tokio::test]
async fn the_log_lasts_as_far_as_a_snapshot_covers_it() {
    let disk = PowerStorage::default();
    let unsynced = QueueConfig {
        sync: SyncPolicy::Never,
        ..QueueConfig::default()
    };
    let rig = Rig::on(&disk, unsynced.clone());
    rig.put("j", "a 1\n").await.unwrap();
    rig.intake.snapshot(Closing::Yes).await;

    let after = disk.copy();
    after.lose_power(Survives(0));

    let rig = Rig::on(&after, unsynced);
    assert_eq!(rig.queue.scan(crate::queue::Position::new(0)).count(), 1);
    assert_eq!(rig.intake.summary().groups, 1);
}

#[tokio::test]
async fn a_snapshot_taken_before_a_failed_write_is_not_stored() {
    let disk = PowerStorage::default();
    let rig = Rig::on(&disk, QueueConfig::default());
    rig.put("j", "a 1\n").await.unwrap();
    let snapshot = rig.intake.0.ledger().snapshot();

    disk.fail_syncs();
    assert!(rig.put("j", "a 2\n").await.is_err());
    disk.heal();
    rig.clock.advance(Duration::from_secs(2));
    rig.intake.sweep().await;

    assert!(rig.put("j", "a 3\n").await.is_ok());
    assert!(!rig.intake.0.ledger().agrees_with(&snapshot));
}

#[tokio::test]
async fn after_a_failed_write_the_log_is_let_go_as_soon_as_possible() {
    let disk = PowerStorage::default();
    let rig = Rig::on(&disk, QueueConfig::default());
    rig.put("j", "a 1\n").await.unwrap();
    assert!(!rig.intake.0.ledger().wants_snapshot());

    disk.fail_syncs();
    assert!(rig.put("j", "a 2\n").await.is_err());
    disk.heal();
    rig.clock.advance(Duration::from_secs(2));
    rig.intake.sweep().await;

    assert!(rig.intake.0.ledger().wants_snapshot());
    rig.intake.snapshot(Closing::No).await;
    assert!(!rig.intake.0.ledger().wants_snapshot());
}

#[tokio::test]
async fn a_push_too_large_for_the_queue_is_not_asked_for_again() {
    let small = QueueConfig {
        max_bytes: 1 << 20,
        ..QueueConfig::default()
    };
    let rig = Rig::on(&PowerStorage::default(), small);
    let noise = |index: u128| {
        let scattered = index.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        format!("{:032x}", scattered ^ (scattered >> 61))
    };
    let huge: String = (1..10_000)
        .map(|index| {
            let value: String = (0..4).map(|part| noise(index * 4 + part)).collect();
            format!("a{{x=\"{value}\"}} 1\n")
        })
        .collect();

    let refused = rig.put("j", &huge).await.unwrap_err();

    assert!(matches!(refused, Refusal::TooLarge(_)), "{refused}");
}
