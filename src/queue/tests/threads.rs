use super::*;
use crate::queue::{FileStorage, SyncPolicy};

async fn through(sync: SyncPolicy) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let config = QueueConfig {
        sync,
        segment_bytes: 2_000,
        ..QueueConfig::default()
    };
    let open = || {
        Queue::open(
            Arc::new(FileStorage::open(folder.path()).unwrap()),
            config.clone(),
        )
        .unwrap()
        .0
    };
    let queue = open();
    let reader = queue.reader("remote", 1, Start::Oldest).unwrap();
    let appends: Vec<Appending> = (0..100)
        .map(|number| queue.append(record(number)).unwrap())
        .collect();
    for appending in appends {
        appending.await.unwrap();
    }
    queue.close().await;
    drop((queue, reader));
    let queue = open();
    let mut reader = queue.reader("remote", 1, Start::Oldest).unwrap();
    let mut arrived = Vec::new();
    for _ in 0..100 {
        arrived.push(reader.next().await.unwrap());
    }
    acknowledge(&reader, &arrived);
    queue.close().await;
    numbers(&arrived)
}

#[tokio::test]
async fn records_pass_through_files_and_a_restart_synced() {
    let arrived = through(SyncPolicy::Always).await;

    assert_eq!(arrived, Vec::from_iter(0..100));
}

#[tokio::test]
async fn records_pass_through_files_and_a_restart_synced_now_and_then() {
    let arrived = through(SyncPolicy::Interval(std::time::Duration::from_millis(1))).await;

    assert_eq!(arrived, Vec::from_iter(0..100));
}

#[tokio::test]
async fn records_pass_through_files_and_a_restart_unsynced() {
    let arrived = through(SyncPolicy::Never).await;

    assert_eq!(arrived, Vec::from_iter(0..100));
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_an_append() {
    let queue = Queue::open(Arc::new(PowerStorage::default()), QueueConfig::default())
        .unwrap()
        .0;
    let mut reader = queue.reader("remote", 1, Start::Oldest).unwrap();

    let (delivery, appended) = tokio::join!(reader.next(), async { queue.append(record(4)).unwrap().await });

    appended.unwrap();
    assert_eq!(numbers(&[delivery.unwrap()]), [4]);
    queue.close().await;
}

#[tokio::test]
async fn closing_finishes_what_waits_and_refuses_what_comes() {
    let queue = Queue::open(Arc::new(PowerStorage::default()), QueueConfig::default())
        .unwrap()
        .0;
    let appending = queue.append(record(1)).unwrap();

    queue.close().await;

    assert!(appending.await.is_ok());
    assert!(matches!(queue.append(record(2)), Err(QueueError::Closed)));
}

#[tokio::test]
async fn who_waits_for_a_position_learns_that_the_disk_failed() {
    let rig = Rig::new().filled(0..1);
    rig.disk.fail_syncs();
    let appending = rig.append(record(1)).unwrap();

    rig.core.write_waiting();

    let waited = rig.queue.wait_committed(appending.end()).await;
    assert!(matches!(waited, Err(QueueError::Failed { .. })));
}
