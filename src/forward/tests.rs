pub(super) mod double;
pub(super) mod loopback;
pub(super) mod proxy;

use std::sync::{Arc, Mutex};

use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use self::double::{record, series};
use self::loopback::{Answer, Request, Server};
use super::{Forwarder, Metrics, RemoteConfig, check};
use crate::codec::remote_write::{Limits, Message};
use crate::model::{Clock, SystemClock};
use crate::queue::{FileStorage, Queue, QueueConfig, Record, Start};

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn now(record: Record) -> Record {
    Record {
        at: clock().now(),
        ..record
    }
}

/// A server that takes everything, and tells when it has seen `samples`.
async fn remote(samples: usize) -> (Server, oneshot::Receiver<()>) {
    let (tell, told) = oneshot::channel();
    let left = Mutex::new((samples, Some(tell)));
    let server = Server::start(move |request| {
        let mut left = left.lock().unwrap();
        left.0 = left.0.saturating_sub(values(request).len());
        if left.0 == 0 {
            left.1.take().map(|tell| tell.send(()));
        }
        Answer::status(204)
    });
    (server.await, told)
}

fn values(request: &Request) -> Vec<(String, f64)> {
    let raw = snap::raw::Decoder::new().decompress_vec(&request.body).unwrap();
    let series = Message::V1
        .decode(&raw, &Limits::default())
        .unwrap()
        .series
        .into_iter();
    series
        .map(|series| (series.labels.into_set().to_string(), series.samples[0].value))
        .collect()
}

#[tokio::test]
async fn what_is_in_the_queue_reaches_the_remote_and_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(FileStorage::open(folder.path()).unwrap());
    let (queue, _) = Queue::open(storage, QueueConfig::default()).unwrap();
    for value in [1.0, 2.0] {
        queue.append(now(record("a", 3, value))).unwrap().await.unwrap();
    }
    let (server, arrived) = remote(6).await;
    let config = RemoteConfig::new("tmp", server.url("/api/v1/write"));
    let reader = queue.reader("tmp", config.batch.lanes, Start::Oldest).unwrap();
    let metrics = Metrics::register(&mut Registry::default());
    let forwarder = Forwarder::new(&config, reader, &metrics, (&clock(), &Arc::default())).unwrap();
    let status = forwarder.status();

    let before = status.read();
    forwarder.run(async { arrived.await.unwrap() }).await;
    let after = status.read();

    assert_eq!((before.pending_samples, before.sent_samples), (6, 0));
    assert_eq!((after.pending_samples, after.sent_samples), (0, 6));
    assert_eq!(after.url, server.url("/api/v1/write"));
    let arrived: Vec<_> = server.requests().iter().flat_map(values).collect();
    let of_first = arrived
        .iter()
        .filter(|(name, _)| *name == series("a", 0).to_string());
    assert_eq!(of_first.map(|(_, value)| *value).collect::<Vec<_>>(), [1.0, 2.0]);
    assert_eq!(queue.stats().readers[0].acknowledged.weight, 6);
    queue.close().await;
}

#[tokio::test]
async fn a_forwarder_ends_when_the_queue_closes() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(FileStorage::open(folder.path()).unwrap());
    let (queue, _) = Queue::open(storage, QueueConfig::default()).unwrap();
    let config = RemoteConfig::new("tmp", "http://127.0.0.1:1/");
    let reader = queue.reader("tmp", config.batch.lanes, Start::Oldest).unwrap();
    let metrics = Metrics::default();
    let forwarder = Forwarder::new(&config, reader, &metrics, (&clock(), &Arc::default())).unwrap();

    queue.close().await;

    forwarder.run(std::future::pending()).await;
}

#[test]
fn good_settings_pass_and_bad_ones_are_all_told_with_their_keys() {
    let good = RemoteConfig::new("tmp", "https://host/api/v1/write");
    let mut bad = RemoteConfig::new("tmp", "host");
    bad.batch.max_samples_per_send = 0;
    bad.batch.lanes = 0;
    bad.proxy.http = Some("not a proxy".to_owned());

    let mistakes = check(&bad, &clock());

    assert!(check(&good, &clock()).is_empty(), "{:?}", check(&good, &clock()));
    let fields: Vec<&str> = mistakes.iter().map(super::ForwardError::field).collect();
    assert_eq!(
        fields,
        [
            "queue_config.max_samples_per_send",
            "queue_config.max_shards",
            "url",
            "proxy_url"
        ]
    );
}
