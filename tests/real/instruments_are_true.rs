//! What the other tests measure with, measured: without the program under test.

use std::time::Duration;

use prost::Message;

use crate::http::Connection;
use crate::page::{Content, Page};
use crate::prometheus::{self, Prometheus, Version};
use crate::remote::{self, Remote, STALE};
use crate::write_v1::{Label, Sample, TimeSeries, WriteRequest};

#[test]
fn prometheus_shows_what_it_was_written_until_a_stale_marker() {
    let prometheus = Prometheus::start();
    let now = now();

    write(
        prometheus.address(),
        &[("here", now - 2, 0.1), ("gone", now - 2, 0.2)],
    );
    write(prometheus.address(), &[("gone", now - 1, f64::from_bits(STALE))]);

    prometheus.shows("here", 0.1);
    prometheus.forgets("gone", Duration::from_secs(5));
}

#[test]
fn the_remote_keeps_every_sample_in_the_order_of_arrival() {
    let remote = Remote::start();
    let address = remote
        .write_url()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();

    write(address, &[("a", 2, 1.0)]);
    write(address, &[("a", 1, 2.0), ("b", 1, 3.0)]);

    let arrivals = remote.arrivals();
    assert_eq!(arrivals["a{}"], [(2, 1f64.to_bits()), (1, 2f64.to_bits())]);
    assert_eq!(arrivals["b{}"], [(1, 3f64.to_bits())]);
}

#[test]
fn disorder_is_a_first_arrival_that_comes_late_and_not_a_repetition() {
    let repeated = [(1, 10), (2, 20), (1, 10), (2, 20), (3, 30)];
    let late = [(2, 20), (1, 10), (3, 30)];
    let two_values_at_once = [(1, 10), (1, 11)];

    let found = [&repeated[..], &late[..], &two_values_at_once[..]].map(remote::out_of_order);

    assert_eq!(found, [vec![], vec![(1, 10)], vec![(1, 11)]]);
}

#[test]
fn a_prometheus_is_matched_by_another_that_it_sends_to() {
    let page = Page::showing(Content::gauges("seen", &[0x3fb9_9999_9999_999a]));
    let store = Prometheus::keeping_all_of(Version::Three);

    let sender = sending_by_2_0(&page, &store);

    sender.is_matched_by(&store, "{job=\"page\"}");
}

/// A Prometheus that has scraped a page and sends what it found.
fn sending_by_2_0(page: &Page, store: &Prometheus) -> Prometheus {
    let url = store.write_url();
    let remote = prometheus::Remote {
        url: &url,
        message: Some("io.prometheus.write.v2.Request"),
    };
    let sender = Prometheus::sending(Version::Three, page.address(), &remote);
    sender.comes_to_know("seen{job=\"page\"}", Duration::from_secs(20));
    sender
}

fn write(address: std::net::SocketAddr, samples: &[(&str, i64, f64)]) {
    let timeseries = samples.iter().map(|(name, timestamp, value)| TimeSeries {
        labels: vec![Label {
            name: "__name__".to_owned(),
            value: (*name).to_owned(),
        }],
        samples: vec![Sample {
            value: *value,
            timestamp: *timestamp,
        }],
        ..TimeSeries::default()
    });
    let request = WriteRequest {
        timeseries: timeseries.collect(),
        ..WriteRequest::default()
    };
    let body = snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .unwrap();
    let answer = Connection::open(address)
        .and_then(|mut open| open.request("POST", "/api/v1/write", "application/x-protobuf", &body))
        .unwrap();
    assert!(answer.is_success(), "{} {}", answer.status, answer.text());
}

#[expect(clippy::disallowed_methods, reason = "Prometheus reads the wall clock too")]
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
