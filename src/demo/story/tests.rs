mod bridge;

use self::bridge::{Bridge, Flaw};
use super::*;
use crate::model::SystemClock;

/// Everything real but the bridge: HTTP pushes on loopback, a store, the clock of the system.
struct Stage {
    pace: Pace,
    store: Arc<Store>,
    bridge: Bridge,
}

impl Stage {
    async fn new(flaw: Flaw) -> Self {
        let pace = Pace::of(Duration::from_millis(20));
        let store = Store::new(Arc::new(SystemClock));
        let bridge = Bridge::start(Arc::clone(&store), pace, flaw).await;
        Self { pace, store, bridge }
    }

    async fn play(self, rounds: Option<u32>, until: impl Future<Output = ()>) -> (Summary, Vec<String>) {
        let mut lines = Vec::new();
        let cast = Cast::sparse(&self.bridge.url(), self.pace, Arc::new(SystemClock)).unwrap();
        let tell = |line: String| lines.push(line);
        let story = Story::new(cast, Some(self.store), self.pace, Arc::new(SystemClock), tell);
        let summary = story.play(rounds, until).await.unwrap();
        self.bridge.stop().await;
        (summary, lines)
    }
}

#[tokio::test]
async fn a_round_shows_every_effect_and_ends_with_every_series_ended() {
    let stage = Stage::new(Flaw::None).await;

    let (summary, lines) = stage.play(Some(1), std::future::pending()).await;

    let told = lines.join("\n");
    assert_eq!(
        (summary.seen, summary.missed, summary.refused),
        (10, 0, 0),
        "{told}"
    );
    for words in [
        "is cancelled",
        "SIGTERM",
        "restarts",
        "-9",
        "shares",
        "503",
        "nothing is lost",
        "the bridge knows",
        "0 others alive",
    ] {
        assert!(told.contains(words), "{words} is missing in\n{told}");
    }
}

#[tokio::test]
async fn a_story_that_is_stopped_early_still_ends_every_series() {
    let stage = Stage::new(Flaw::None).await;
    let mut changes = stage.store.changes();
    let until = async move {
        changes.wait_for(|revision| *revision > 10).await.unwrap();
    };

    let (summary, lines) = stage.play(None, until).await;

    assert!(summary.is_good(), "{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains("0 others alive")));
}

#[tokio::test(start_paused = true)]
async fn without_a_store_the_story_says_what_to_ask() {
    let pace = Pace::of(Duration::from_secs(2));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let cast = Cast::sparse(&format!("http://{nobody}"), pace, Arc::clone(&clock)).unwrap();
    let mut lines = Vec::new();

    let story = Story::new(cast, None, pace, clock, |line| lines.push(line));
    story.play(Some(1), std::future::pending()).await.unwrap();

    let asked = lines
        .iter()
        .filter(|line| line.contains("ask your store: count"))
        .count();
    assert_eq!(asked, 9, "{lines:#?}");
}

#[tokio::test]
async fn an_effect_that_does_not_come_is_told_and_counted() {
    let mut stage = Stage::new(Flaw::NeverEnds).await;
    stage.pace = Pace::of(Duration::from_millis(20)).impatient();

    let (summary, lines) = stage.play(Some(0), std::future::pending()).await;

    assert_eq!(summary.missed, 1, "{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains("NOT SEEN within")));
}
