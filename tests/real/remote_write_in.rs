//! A real Prometheus, old or new, and a real vmagent send to the bridge; what is found behind it is what they hold.

use std::time::Duration;

use prost::Message;

use crate::bridge::{Bridge, Settings};
use crate::metrics_v1::{Counter, Metric, MetricFamily, MetricType, Timestamp};
use crate::page::{Content, Page};
use crate::prometheus::{self, Prometheus, Version};
use crate::recorder::Recorder;
use crate::remote::{Remote, STALE};
use crate::victoria::{self, Agent};
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// `protobuf_message` of remote-write 2.0.
const V2: Option<&str> = Some("io.prometheus.write.v2.Request");

/// `protobuf_message` of remote-write 1.0, which is the default.
const V1: Option<&str> = None;

/// Native histograms as Go's client writes them, some with exemplars.
const NATIVE: &[u8] = include_bytes!("../fixtures/client_golang/native.pb");

/// Floats, summaries and classic histograms as Go's client writes them.
const CLASSIC: &[u8] = include_bytes!("../fixtures/client_golang/push.pb");

/// Values that are easily lost, by their bits: not-a-number as Go, Java and arithmetic write it, signalling, with something
/// to tell; infinities, the smallest and the largest. Negative zero is not among them: Prometheus itself sends it as zero.
const ODD: [u64; 11] = [
    0x7ff8_0000_0000_0001,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0x7ff0_0000_0000_0001,
    0x7ff4_dead_beef_0001,
    0xffff_ffff_ffff_ffff,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x0000_0000_0000_0001,
    0x7fef_ffff_ffff_ffff,
    0x3fb9_9999_9999_999a,
];

/// A sender and the message it is told to send.
type Sender = (Version, Option<&'static str>);

fn everything() -> Content {
    Content::protobuf(&[NATIVE, CLASSIC].concat())
}

fn sending(sender: Sender, page: &Page, bridge: &Bridge) -> Prometheus {
    let (version, message) = sender;
    let url = bridge.write_url();
    Prometheus::sending(
        version,
        page.address(),
        &prometheus::Remote { url: &url, message },
    )
}

#[track_caller]
fn all_is_found_behind_the_bridge(sender: Sender, receiver: Sender) {
    let page = Page::showing(everything());
    let store = Prometheus::keeping_all_of(receiver.0);
    let settings = remote_settings(receiver.1);
    let bridge = Bridge::start(&Settings {
        remote_settings: &settings,
        ..Settings::forwarding_to(&store.write_url())
    });

    let sender = sending(sender, &page, &bridge);
    sender.comes_to_hold("count_over_time(up{job=\"page\"}[1m]) >= 3", 1, SOON);

    sender.is_matched_by(&store, "{job=\"page\"}");
}

fn remote_settings(message: Option<&str>) -> String {
    let message = message.map_or_else(String::new, |message| format!(", protobuf_message: {message}"));
    format!(", send_exemplars: true, send_native_histograms: true{message}")
}

/// PRW R1-02, R1-06: a 1.x sender is read; S1-01 - S1-13, S1-17: a 1.x receiver takes it.
#[test]
fn prometheus_2_by_1_0_is_matched_by_prometheus_2_by_1_0() {
    all_is_found_behind_the_bridge((Version::Two, V1), (Version::Two, V1));
}

/// PRW R1-06, S2-01 - S2-12.
#[test]
fn prometheus_2_by_1_0_is_matched_by_prometheus_3_by_2_0() {
    all_is_found_behind_the_bridge((Version::Two, V1), (Version::Three, V2));
}

/// PRW R1-06, S1-17.
#[test]
fn prometheus_3_by_1_0_is_matched_by_prometheus_3_by_1_0() {
    all_is_found_behind_the_bridge((Version::Three, V1), (Version::Three, V1));
}

/// PRW R2-01, R2-03, R2-05: Prometheus counts an answer without the three headers as a failure; S2-01 - S2-12.
#[test]
fn prometheus_3_by_2_0_is_matched_by_prometheus_3_by_2_0() {
    all_is_found_behind_the_bridge((Version::Three, V2), (Version::Three, V2));
}

/// PRW R2-01, S2-03: what comes by 2.0 leaves by 1.0.
#[test]
fn prometheus_3_by_2_0_is_matched_by_prometheus_2_by_1_0() {
    all_is_found_behind_the_bridge((Version::Three, V2), (Version::Two, V1));
}

#[track_caller]
fn every_exemplar_is_found_behind_the_bridge(sender: Sender, receiver: Sender) {
    let page = Page::showing(Content::open_metrics(
        "# TYPE taken counter\ntaken_total 3 # {trace_id=\"xyz\"} 2.5 1700000000.125\n# EOF\n",
    ));
    let store = Prometheus::keeping_all_of(receiver.0);
    let settings = remote_settings(receiver.1);
    let bridge = Bridge::start(&Settings {
        remote_settings: &settings,
        ..Settings::forwarding_to(&store.write_url())
    });

    let sender = sending(sender, &page, &bridge);

    let theirs = sender.comes_to_have_exemplars("taken_total", 1);
    let behind = store.comes_to_have_exemplars("taken_total", 1);
    assert_eq!(behind, theirs);
}

/// PRW R1-06.
#[test]
fn exemplars_of_prometheus_2_are_found_behind_the_bridge() {
    every_exemplar_is_found_behind_the_bridge((Version::Two, V1), (Version::Three, V1));
}

/// PRW S2-15: Prometheus 3 sends exemplars by 2.0 as series of their own, which Prometheus 3 itself refuses.
#[test]
fn exemplars_of_prometheus_3_are_found_behind_the_bridge() {
    every_exemplar_is_found_behind_the_bridge((Version::Three, V2), (Version::Two, V1));
}

#[track_caller]
fn every_odd_value_arrives_to_the_last_bit_and_ends(sender: Sender) {
    let page = Page::showing(Content::gauges("odd", &ODD));
    let remote = Remote::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&remote.write_url()));
    let key = |bits: u64| {
        format!(
            "odd{{bits=\"{bits:016x}\",instance=\"{}\",job=\"page\"}}",
            page.address()
        )
    };

    let _sender = sending(sender, &page, &bridge);
    for bits in ODD {
        wait::until(&format!("bits {bits:016x}"), SOON, || {
            arrived(&remote, &key(bits), |known| known.contains(&bits))
        });
    }
    page.turn_to(Content::protobuf(b""));

    for bits in ODD {
        wait::until(&format!("end of {bits:016x}"), SOON, || {
            arrived(&remote, &key(bits), |known| {
                known.last() == Some(&STALE) && known[..known.len() - 1].iter().all(|known| *known == bits)
            })
        });
    }
}

/// Whether what has arrived of a series is as it should be; all of it in hexadecimal digits where it is not.
fn arrived(remote: &Remote, key: &str, is_right: impl Fn(&[u64]) -> bool) -> Result<(), String> {
    let arrivals = remote.arrivals();
    let known: Vec<u64> = arrivals
        .get(key)
        .into_iter()
        .flatten()
        .map(|(_, bits)| *bits)
        .collect();
    if is_right(&known) {
        Ok(())
    } else {
        Err(format!("{known:016x?} of {} series", arrivals.len()))
    }
}

/// PRW S1-09, S1-23.
#[test]
fn values_of_prometheus_2_by_1_0_arrive_to_the_last_bit() {
    every_odd_value_arrives_to_the_last_bit_and_ends((Version::Two, V1));
}

/// PRW S1-09, S1-23.
#[test]
fn values_of_prometheus_3_by_1_0_arrive_to_the_last_bit() {
    every_odd_value_arrives_to_the_last_bit_and_ends((Version::Three, V1));
}

/// PRW S2-14.
#[test]
fn values_of_prometheus_3_by_2_0_arrive_to_the_last_bit() {
    every_odd_value_arrives_to_the_last_bit_and_ends((Version::Three, V2));
}

/// PRW S1-23, S2-14: series of native histograms as well.
#[test]
fn a_page_that_is_gone_ends_its_series_behind_the_bridge() {
    let page = Page::showing(everything());
    let store = Prometheus::keeping_all_of(Version::Three);
    let bridge = Bridge::start(&Settings {
        remote_settings: ", send_exemplars: true, send_native_histograms: true",
        ..Settings::forwarding_to(&store.write_url())
    });
    let _sender = sending((Version::Three, V2), &page, &bridge);
    store.comes_to_know("histogram_count(native_seconds{job=\"page\"})", SOON);

    page.turn_to(Content::protobuf(b""));

    store.forgets("{job=\"page\",__name__!~\"up|scrape_.*\"}", SOON);
    store.comes_to_know("up{job=\"page\"}", SOON);
}

/// Prometheus 3 has no metadata in what it sends by 2.0: its storage is never told to keep any (3.11 to 3.15).
#[test]
fn metadata_of_prometheus_is_known_to_victoria_metrics() {
    for sender in [(Version::Two, V1), (Version::Three, V1)] {
        let page = Page::showing(Content::open_metrics(
            "# HELP taken_bytes what was taken\n# TYPE taken_bytes gauge\n# UNIT taken_bytes bytes\ntaken_bytes 3\n# EOF\n",
        ));
        let store = victoria::metrics();
        let bridge = Bridge::start(&Settings {
            remote_settings: ", metadata_config: {send_interval: 1s}",
            ..Settings::forwarding_to(&store.write_url())
        });

        let _sender = sending(sender, &page, &bridge);

        store.comes_to_describe("taken_bytes", "gauge", "what was taken");
    }
}

/// PRW R2-02: its own encoding is refused by 415.
#[test]
fn vmagent_falls_back_from_a_message_of_its_own_and_is_matched() {
    let page = Page::showing(Content::open_metrics(
        "# TYPE taken gauge\ntaken{table=\"orders\"} 0.1\ntaken{table=\"none\"} NaN\ntaken{table=\"all\"} +Inf\n# EOF\n",
    ));
    let store = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&store.write_url()));

    let agent = Agent::scraping(page.address(), &bridge.write_url());

    store.shows("taken{job=\"page\",table=\"orders\"}", 0.1);
    store.shows("taken{job=\"page\",table=\"none\"}", f64::NAN);
    store.shows("taken{job=\"page\",table=\"all\"}", f64::INFINITY);
    assert!(agent.log().contains("Downgrading protocol"), "{}", agent.log());
}

/// PRW S1-23.
#[test]
fn a_page_that_is_gone_ends_its_series_behind_vmagent_and_the_bridge() {
    let page = Page::showing(Content::open_metrics("# TYPE taken gauge\ntaken 1\n# EOF\n"));
    let store = Prometheus::start();
    let bridge = Bridge::start(&Settings::forwarding_to(&store.write_url()));
    let _agent = Agent::scraping(page.address(), &bridge.write_url());
    store.comes_to_know("taken{job=\"page\"}", SOON);

    page.turn_to(Content::open_metrics("# EOF\n"));

    store.forgets("taken{job=\"page\"}", SOON);
}

#[track_caller]
fn all_is_found_behind_an_agent_and_a_forwarder(message: Option<&'static str>) {
    let page = Page::showing(everything());
    let store = Prometheus::keeping_all_of(Version::Three);
    let settings = remote_settings(message);
    let forwarder = Bridge::start(&Settings {
        remote_settings: &settings,
        ..Settings::forwarding_to(&store.write_url())
    });
    let agent = Bridge::start(&Settings {
        remote_settings: &settings,
        ..Settings::forwarding_to(&forwarder.write_url())
    });

    let sender = sending((Version::Three, message), &page, &agent);
    sender.comes_to_hold("count_over_time(up{job=\"page\"}[1m]) >= 3", 1, SOON);

    sender.is_matched_by(&store, "{job=\"page\"}");
}

/// PRW R1-02, S1-08.
#[test]
fn what_goes_through_an_agent_and_a_forwarder_by_1_0_is_matched_behind_both() {
    all_is_found_behind_an_agent_and_a_forwarder(V1);
}

/// PRW S2-01, R2-01.
#[test]
fn what_goes_through_an_agent_and_a_forwarder_by_2_0_is_matched_behind_both() {
    all_is_found_behind_an_agent_and_a_forwarder(V2);
}

/// A counter that says when it began, as clients write it in protobuf.
fn counter_since(seconds: i64) -> Content {
    let family = MetricFamily {
        name: Some("taken_total".to_owned()),
        help: Some("what was taken".to_owned()),
        r#type: Some(MetricType::Counter.into()),
        metric: vec![Metric {
            counter: Some(Counter {
                value: Some(3.0),
                created_timestamp: Some(Timestamp {
                    seconds: Some(seconds),
                    nanos: None,
                }),
                ..Counter::default()
            }),
            ..Metric::default()
        }],
        ..MetricFamily::default()
    };
    Content::protobuf(&family.encode_length_delimited_to_vec())
}

const COUNTER: i32 = 1;

/// PRW S2-13.
#[test]
fn start_times_of_prometheus_3_arrive_by_2_0() {
    let (recorder, _rest) = recorded_by_2_0((Version::Three, V2));

    wait::until("a counter with its start time", SOON, || {
        let kept = recorder.kept();
        let starts = kept.starts.get("taken_total");
        if starts.is_some_and(|starts| starts.iter().all(|start| *start == 1_700_000_000_000)) {
            Ok(())
        } else {
            Err(format!("{kept:?}"))
        }
    });
}

/// PRW S2-10: what is told once by 1.0 is told with every series by 2.0.
#[test]
fn types_and_helps_of_prometheus_by_1_0_arrive_by_2_0() {
    for sender in [(Version::Two, V1), (Version::Three, V1)] {
        let (recorder, _rest) = recorded_by_2_0(sender);

        wait::until("a counter with its type and help", SOON, || {
            let kept = recorder.kept();
            match kept.descriptions.get("taken_total") {
                Some((COUNTER, help)) if help == "what was taken" => Ok(()),
                _ => Err(format!("{kept:?}")),
            }
        });
    }
}

/// A sender of one counter, and what arrives of it behind the bridge.
fn recorded_by_2_0(sender: Sender) -> (Recorder, impl Sized) {
    let page = Page::showing(counter_since(1_700_000_000));
    let recorder = Recorder::start();
    let settings = remote_settings(V2);
    let bridge = Bridge::start(&Settings {
        remote_settings: &settings,
        ..Settings::forwarding_to(&recorder.write_url())
    });
    let sender = sending(sender, &page, &bridge);
    (recorder, (sender, bridge, page))
}
