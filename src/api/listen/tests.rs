use std::sync::atomic::Ordering;

use prometheus_client::registry::Registry as Metrics;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;
use crate::api::DoorConfig;
use crate::intake::Intake;
use crate::model::{ManualClock, UnixMillis};
use crate::normalise::{Rules, RulesConfig};
use crate::queue::{PowerStorage, Queue, QueueConfig};
use crate::registry::RetentionConfig;

/// Doors to a bridge on a disk in memory, and what tells connections to end.
struct House {
    doors: Arc<Doors>,
    stop: watch::Sender<bool>,
}

impl House {
    fn new() -> Self {
        let (queue, _) = Queue::open(Arc::new(PowerStorage::default()), QueueConfig::default()).unwrap();
        let clock = Arc::new(ManualClock::at(UnixMillis::new(1_795_000_000_000)));
        let known = (
            Rules::try_new(&RulesConfig::default()).unwrap(),
            RetentionConfig::default(),
        );
        let intake = Intake::open(
            queue,
            known,
            Arc::<ManualClock>::clone(&clock),
            &mut Metrics::default(),
        );
        let (reload, _) = tokio::sync::mpsc::channel(1);
        let doors = Doors::new(
            (intake.unwrap(), clock),
            DoorConfig::default(),
            &mut Metrics::default(),
            reload,
        );
        Self {
            doors: Arc::new(doors),
            stop: watch::channel(false).0,
        }
    }

    /// A connection, and a task that serves it.
    fn visit(&self) -> DuplexStream {
        let (ours, theirs) = duplex(4096);
        let visit = Visit {
            doors: Arc::clone(&self.doors),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            stop: self.stop.subscribe(),
        };
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move { visit.look(ours, &Web::default()).await });
        theirs
    }

    fn bad_connections(&self) -> u64 {
        self.doors.books.bad_connections.inner().load(Ordering::Relaxed)
    }
}

/// What is said until the end of the connection, and how long that took.
async fn rest_of(mut stream: DuplexStream) -> (String, Duration) {
    let (begun, mut said) = (Instant::now(), String::new());
    stream.read_to_string(&mut said).await.unwrap();
    (said, begun.elapsed())
}

/// The head of one answer and its body, which ends with a line feed.
async fn answer(stream: &mut DuplexStream) -> String {
    let mut said = Vec::new();
    while !said.ends_with(b"\n") || said.ends_with(b"\r\n") {
        stream.read_buf(&mut said).await.unwrap();
    }
    String::from_utf8(said).unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_first_line_is_hung_up_on() {
    let house = House::new();

    for begun in [
        &b""[..],
        b"P",
        b"PUT /metrics/job/j",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
    ] {
        let mut stream = house.visit();
        stream.write_all(begun).await.unwrap();

        let (said, after) = rest_of(stream).await;

        assert_eq!((said.as_str(), after), ("", HEAD_DEADLINE), "{begun:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_head_is_hung_up_on() {
    let house = House::new();
    let mut stream = house.visit();
    stream
        .write_all(b"PUT /metrics/job/j HTTP/1.1\r\nHost:")
        .await
        .unwrap();

    let (_, after) = rest_of(stream).await;

    assert_eq!(after, REST_DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_head_byte_by_byte_is_hung_up_on() {
    let house = House::new();
    let mut stream = house.visit();
    let begun = Instant::now();
    stream
        .write_all(b"PUT /metrics/job/j HTTP/1.1\r\nX: ")
        .await
        .unwrap();

    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    assert!(
        begun.elapsed() <= REST_DEADLINE + Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_or_trickles_is_late() {
    let house = House::new();
    for pause in [Duration::from_secs(1), Duration::from_secs(3600)] {
        let mut stream = house.visit();
        let head = b"PUT /metrics/job/j HTTP/1.1\r\nHost: b\r\nContent-Length: 100000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let begun = Instant::now();

        let (mut hears, mut says) = tokio::io::split(stream);
        let trickling = async {
            while says.write_all(b"x").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        };
        let mut said = String::new();
        tokio::select! {
            read = hears.read_to_string(&mut said) => drop(read.unwrap()),
            () = trickling => {}
        }

        assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(said.contains("did not arrive within 60 seconds"), "{said}");
        assert_eq!(begun.elapsed().as_secs(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_between_requests_but_not_for_ever() {
    let house = House::new();
    let mut stream = house.visit();
    let request = b"GET /nowhere HTTP/1.1\r\nHost: b\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(request).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 404 "));
        tokio::time::sleep(REST_DEADLINE - Duration::from_secs(1)).await;
    }

    let (said, after) = rest_of(stream).await;

    assert_eq!((said.as_str(), after), ("", Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn who_reads_no_answers_is_hung_up_on() {
    let house = House::new();
    let mut stream = house.visit();
    let request = b"GET /nowhere HTTP/1.1\r\nHost: b\r\n\r\n";
    let begun = Instant::now();

    while stream.write_all(request).await.is_ok() {}

    assert!(
        begun.elapsed() <= Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(house.bad_connections(), 1);
}
