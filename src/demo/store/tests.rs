use super::query::{Question, State};
use super::*;
use crate::codec::block::BlockBuilder;
use crate::model::{ManualClock, stale_marker};

const NOW: UnixMillis = UnixMillis::new(1_763_600_000_000);

struct Bench {
    clock: ManualClock,
    store: Arc<Store>,
}

impl Bench {
    fn new() -> Self {
        Self::bounded(MAX_SERIES)
    }

    fn bounded(max_series: usize) -> Self {
        let clock = ManualClock::at(NOW);
        let store = Store::bounded(Arc::new(clock.clone()), max_series);
        Self { clock, store }
    }

    fn write(&self, name: &'static str, value: f64, at: UnixMillis) -> Result<(), StoreError> {
        self.store.write(&body(&[(name, value, at)]))
    }

    fn question(&self, question: &Question) -> serde_json::Value {
        serde_json::to_value(self.store.answer(question)).unwrap()
    }
}

fn labels(name: &'static str) -> LabelDraft<'static> {
    [(METRIC_NAME, name), ("instance", "i1"), ("job", "orders")]
        .into_iter()
        .collect()
}

fn body(samples: &[(&'static str, f64, UnixMillis)]) -> Vec<u8> {
    let mut block = BlockBuilder::new(0);
    for (name, value, at) in samples {
        block.push(&labels(name).into_set(), *value, *at);
    }
    block.finish().bytes().to_vec()
}

fn later(seconds: u64) -> UnixMillis {
    NOW.after(Duration::from_secs(seconds))
}

#[track_caller]
fn refused(outcome: Result<(), StoreError>, expected: &str) {
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_stale_marker_ends_a_series_and_a_sample_brings_it_back() {
    let bench = Bench::new();
    let census = || bench.store.count(&Selector::all().with("job", "orders"));
    bench.write("up", 1.0, NOW).unwrap();
    assert_eq!((census().alive, census().ended), (1, 0));

    bench.write("up", stale_marker(), later(1)).unwrap();

    assert_eq!((census().alive, census().ended), (0, 1));
    bench.write("up", 2.0, later(2)).unwrap();
    assert_eq!((census().alive, census().received), (1, 2));
}

#[test]
fn another_nan_ends_nothing() {
    let bench = Bench::new();

    bench.write("busy", f64::NAN, NOW).unwrap();

    assert_eq!(bench.store.count(&Selector::all()).alive, 1);
}

#[test]
fn a_sample_before_the_last_is_refused_and_its_neighbours_are_kept() {
    let bench = Bench::new();
    bench.write("up", 1.0, later(5)).unwrap();

    let outcome = bench
        .store
        .write(&body(&[("up", 2.0, later(4)), ("other", 1.0, later(4))]));

    refused(
        outcome,
        "1 of the request's samples were refused, the first: out of order sample for up{",
    );
    assert_eq!(bench.store.count(&Selector::all()).alive, 2);
    assert_eq!(bench.store.refused(), 1);
}

#[test]
fn the_same_sample_twice_is_taken_but_not_another_value_for_its_time() {
    let bench = Bench::new();
    bench.write("up", 1.0, NOW).unwrap();

    bench.write("up", 1.0, NOW).unwrap();

    refused(bench.write("up", 2.0, NOW), "duplicate sample for timestamp");
}

#[test]
fn samples_too_old_and_too_far_ahead_are_refused() {
    let bench = Bench::new();

    let old = bench.write("up", 1.0, UnixMillis::new(NOW.get() - 3_600_001));
    let ahead = bench.write("up", 1.0, later(601));

    refused(old, "older than an hour");
    refused(ahead, "more than ten minutes ahead");
    assert_eq!(bench.store.count(&Selector::all()), Census::default());
}

#[test]
fn labels_that_the_sender_did_not_sort_are_refused() {
    for unfit in [
        [("job", "b"), (METRIC_NAME, "up")],
        [(METRIC_NAME, "up"), (METRIC_NAME, "up")],
        [(METRIC_NAME, "up"), ("job", "")],
        [("instance", "a"), ("job", "b")],
    ] {
        assert!(finished(unfit.into_iter().collect()).is_none(), "{unfit:?}");
    }
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    let bench = Bench::new();
    let mut bomb = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    bomb.extend([0; 8]);

    for body in [b"".as_slice(), b"plain text", &bomb] {
        assert!(
            matches!(bench.store.write(body), Err(StoreError::Body(_))),
            "{body:?}"
        );
    }
}

#[test]
fn an_away_store_takes_nothing_until_it_comes_back() {
    let bench = Bench::new();
    bench.store.go_away();

    refused(bench.write("up", 1.0, NOW), "away");

    bench.store.come_back();
    bench.write("up", 1.0, NOW).unwrap();
}

#[test]
fn a_full_store_keeps_what_it_has_and_says_its_limit() {
    let bench = Bench::bounded(1);
    bench.write("up", 1.0, NOW).unwrap();

    refused(bench.write("other", 1.0, NOW), "one more than 1 series");

    bench.write("up", 2.0, later(1)).unwrap();
}

#[test]
fn after_an_hour_a_series_is_forgotten() {
    let bench = Bench::new();
    bench.write("old", 1.0, NOW).unwrap();

    bench.clock.advance(Duration::from_secs(3601));
    bench.write("new", 1.0, later(3601)).unwrap();

    assert_eq!(bench.store.count(&Selector::all()).alive, 1);
}

#[test]
fn the_answer_shows_values_as_text_and_when_a_series_ended() {
    let bench = Bench::new();
    bench.write("busy", f64::NAN, NOW).unwrap();
    bench.write("up", 1.5, NOW).unwrap();
    bench.write("up", stale_marker(), later(1)).unwrap();

    let answer = bench.question(&Question {
        limit: 10,
        recent: 5,
        ..Question::default()
    });

    let [busy, up] = [&answer["series"][0], &answer["series"][1]];
    assert_eq!((&busy["value"], &busy["state"]), (&"NaN".into(), &"alive".into()));
    assert_eq!((&up["value"], &up["state"]), (&"1.5".into(), &"ended".into()));
    assert_eq!(up["ended_at_ms"], later(1).get());
    assert_eq!(up["recent"], serde_json::json!(["1.5"]));
    assert_eq!(answer["groups"][0]["alive"], 1);
}

#[test]
fn a_question_picks_by_words_state_and_limit() {
    let bench = Bench::new();
    for name in ["flink_a_records", "flink_b_records", "flink_c_bytes"] {
        bench.write(name, 1.0, NOW).unwrap();
    }
    bench.write("flink_b_records", stale_marker(), later(1)).unwrap();

    let mut question = Question {
        words: vec!["records".to_owned()],
        limit: 1,
        ..Question::default()
    };
    let both = bench.question(&question);
    question.state = Some(State::Ended);
    let ended = bench.question(&question);

    assert_eq!(
        (both["series"].as_array().unwrap().len(), &both["left_off"]),
        (1, &1.into())
    );
    assert_eq!(ended["series"][0]["labels"]["__name__"], "flink_b_records");
}

mod over_http {
    use reqwest::StatusCode;

    use super::*;
    use crate::demo::flink::client;

    async fn serving(bench: &Bench) -> (StoreServer, reqwest::Client) {
        let server = StoreServer::start("127.0.0.1:0", Arc::clone(&bench.store))
            .await
            .unwrap();
        (server, client().unwrap())
    }

    async fn read(client: &reqwest::Client, server: &StoreServer, path: &str) -> (StatusCode, String) {
        let answer = client
            .get(format!("http://{}{path}", server.address()))
            .send()
            .await
            .unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn a_write_is_answered_204_and_can_be_read_as_json() {
        let bench = Bench::new();
        let (server, client) = serving(&bench).await;

        let written = client
            .post(server.write_url())
            .body(body(&[("up", 1.0, NOW)]))
            .send()
            .await
            .unwrap();

        assert_eq!(written.status(), StatusCode::NO_CONTENT);
        let (status, json) = read(
            &client,
            &server,
            "/api/series?match=up+job%3D%22orders%22&state=alive&limit=5",
        )
        .await;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((status, &json["counts"]["alive"]), (StatusCode::OK, &1.into()));
        assert_eq!(json["series"][0]["labels"]["job"], "orders");
        server.stop().await;
    }

    #[tokio::test]
    async fn what_prometheus_would_refuse_is_answered_400_and_an_outage_503() {
        let bench = Bench::new();
        let (server, client) = serving(&bench).await;
        let send = |body: Vec<u8>| client.post(server.write_url()).body(body).send();
        send(body(&[("up", 1.0, later(5))])).await.unwrap();

        let earlier = send(body(&[("up", 1.0, NOW)])).await.unwrap();
        let junk = send(b"junk".to_vec()).await.unwrap();
        bench.store.go_away();
        let away = send(body(&[("up", 1.0, later(9))])).await.unwrap();

        assert_eq!(earlier.status(), StatusCode::BAD_REQUEST);
        assert!(earlier.text().await.unwrap().contains("out of order"));
        assert_eq!(junk.status(), StatusCode::BAD_REQUEST);
        assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
        server.stop().await;
    }

    #[tokio::test]
    async fn the_page_needs_nothing_from_elsewhere() {
        let bench = Bench::new();
        let (server, client) = serving(&bench).await;

        let (status, page) = read(&client, &server, "/").await;

        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("/api/series"));
        assert!(!page.contains("http://") && !page.contains("https://"));
        server.stop().await;
    }

    #[tokio::test]
    async fn wrong_paths_methods_and_parameters_are_told_apart() {
        let bench = Bench::new();
        let (server, client) = serving(&bench).await;

        for (path, status, words) in [
            ("/nothing", StatusCode::NOT_FOUND, "there is no /nothing"),
            ("/api/v1/write", StatusCode::METHOD_NOT_ALLOWED, "POST"),
            (
                "/api/series?state=gone",
                StatusCode::BAD_REQUEST,
                "alive, ended, all",
            ),
            ("/api/series?limit=x", StatusCode::BAD_REQUEST, "not a number"),
            ("/api/series?colour=red", StatusCode::BAD_REQUEST, "no parameter"),
        ] {
            let (answered, text) = read(&client, &server, path).await;
            assert_eq!(answered, status, "{path}");
            assert!(text.contains(words), "{path}: {text}");
        }
        server.stop().await;
    }
}
