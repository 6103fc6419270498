//! What is taken arrives at the remote as it was sent, to the last bit.

use super::sender::{
    as_v1, exemplar_v2, float_v2, post_v1, post_v2, request_v2, series_v1, series_v2, whole_v2, written,
};
use crate::bridge::Bridge;
use crate::remote::STALE;
use crate::{write_v1 as v1, write_v2 as v2};

const UP: [(&str, &str); 2] = [("__name__", "up"), ("job", "a")];
const NAME: &str = "up{job=\"a\"}";

/// Values that nothing may touch on the way.
const PAYLOADS: [u64; 6] = [
    STALE,
    0x7ff8_0000_0000_0001,
    0x7ff8_dead_beef_0000,
    0xfff8_0000_0000_0000,
    0x8000_0000_0000_0001,
    0x7ff0_0000_0000_0000,
];

/// PRW R1-02, S1-09, S1-23; Prometheus, `V1Message`.
#[test]
fn all_of_a_request_of_version_1_arrives_bit_by_bit() {
    let bridge = Bridge::sending_all();
    let samples: Vec<(f64, i64)> = PAYLOADS
        .iter()
        .map(|bits| f64::from_bits(*bits))
        .zip(1..)
        .collect();
    let histograms = vec![as_v1(&whole_v2(10)), as_v1(&float_v2(11))];
    let exemplar = v1::Exemplar {
        labels: vec![v1::Label {
            name: "trace_id".to_owned(),
            value: "x".to_owned(),
        }],
        value: 0.5,
        timestamp: 12,
    };
    let series = v1::TimeSeries {
        histograms: histograms.clone(),
        exemplars: vec![exemplar],
        ..series_v1(&UP, &samples)
    };

    let answer = post_v1(&bridge, vec![series]);
    bridge.delivered();

    assert_eq!(
        (answer.status, answer.body.len(), written(&answer)),
        (204, 0, None)
    );
    let expected: Vec<(i64, u64)> = (1..).zip(PAYLOADS).collect();
    assert_eq!(bridge.remote().arrivals()[NAME], expected);
    let extras = bridge.remote().extras();
    assert_eq!(extras.histograms[NAME], histograms);
    assert_eq!(extras.exemplars[NAME], ["{trace_id=\"x\"} 0.5 @12"]);
}

/// PRW R2-03, R2-05, R2-09, R2-10, S2-14; Prometheus, `V2Message`.
#[test]
fn all_of_a_request_of_version_2_arrives_bit_by_bit() {
    let bridge = Bridge::sending_all();
    let samples: Vec<(f64, i64)> = PAYLOADS
        .iter()
        .map(|bits| f64::from_bits(*bits))
        .zip(1..)
        .collect();
    let stale = v2::Histogram {
        sum: f64::from_bits(STALE),
        timestamp: 12,
        ..v2::Histogram::default()
    };
    let histograms = [whole_v2(10), float_v2(11), stale];
    let metadata = v2::Metadata {
        r#type: 1,
        help_ref: 7,
        unit_ref: 8,
    };
    let request = request_v2(vec![
        v2::TimeSeries {
            exemplars: vec![exemplar_v2(12)],
            metadata: Some(metadata),
            ..series_v2(&[1, 2, 3, 4], &samples)
        },
        v2::TimeSeries {
            histograms: histograms.to_vec(),
            ..series_v2(&[3, 4, 1, 2], &[])
        },
    ]);

    let answer = post_v2(&bridge, &request);
    bridge.delivered();

    assert_eq!(
        (answer.status, answer.body.len(), written(&answer)),
        (204, 0, Some([6, 3, 1]))
    );
    let expected: Vec<(i64, u64)> = (1..).zip(PAYLOADS).collect();
    assert_eq!(bridge.remote().arrivals()[NAME], expected);
    let extras = bridge.remote().extras();
    let sums =
        |histograms: &[v1::Histogram]| histograms.iter().map(|one| one.sum.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        sums(&extras.histograms[NAME]),
        sums(&histograms.each_ref().map(as_v1))
    );
    assert_eq!(
        extras.histograms[NAME][..2],
        [as_v1(&whole_v2(10)), as_v1(&float_v2(11))]
    );
    assert_eq!(extras.exemplars[NAME], ["{trace_id=\"a\"} 0.5 @12"]);
}

/// PRW S1-13, S1-14, S1-15; labels are normalised as those of pushes are, names may be any text.
#[test]
fn labels_arrive_sorted_normalised_and_without_empty_ones() {
    let bridge = Bridge::with("external_labels: {site: x}\n");
    let labels = [
        ("z.ü", "1"),
        ("jobId", "<0123456789ABCDEF0123456789abcdef>"),
        ("empty", ""),
        ("__type__", "counter"),
        ("__tmp", "gone"),
        ("__name__", "größe.x"),
    ];

    let answer = post_v1(&bridge, vec![series_v1(&labels, &[(1.0, 1)])]);

    assert_eq!(answer.status, 204, "{}", answer.text());
    bridge.remote_has(&[(
        "größe.x{__type__=\"counter\",job_id=\"0123456789abcdef0123456789abcdef\",site=\"x\",z.ü=\"1\"}",
        &["1"],
    )]);
}

/// Prometheus, `OutOfOrderSample_V1`, `OutOfOrderExemplar_V1`: what the order is worth, the remote decides.
#[test]
fn samples_of_any_time_are_passed_on_as_they_came() {
    let bridge = Bridge::sending_all();
    let exemplar = |timestamp| v1::Exemplar {
        labels: Vec::new(),
        value: 1.0,
        timestamp,
    };
    let series = v1::TimeSeries {
        exemplars: vec![exemplar(5), exemplar(4)],
        ..series_v1(
            &UP,
            &[(1.0, 100), (2.0, 0), (3.0, 100), (4.0, i64::MAX), (5.0, -1)],
        )
    };

    let answers = [
        post_v1(&bridge, vec![series]),
        post_v1(&bridge, vec![series_v1(&UP, &[(1.0, 100)])]),
    ];
    bridge.delivered();

    assert_eq!(answers.map(|answer| answer.status), [204, 204]);
    let times: Vec<i64> = bridge.remote().arrivals()[NAME]
        .iter()
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(times, [100, 0, 100, i64::MAX, -1, 100]);
    assert_eq!(bridge.remote().extras().exemplars[NAME], ["{} 1 @5", "{} 1 @4"]);
}

#[test]
fn what_was_acknowledged_arrives_after_a_restart() {
    let mut bridge = Bridge::start();
    bridge.remote().go_away();
    for value in 1..=3 {
        let samples = [(f64::from(value), i64::from(value))];
        assert_eq!(post_v1(&bridge, vec![series_v1(&UP, &samples)]).status, 204);
    }

    bridge.stop();
    bridge.remote().come_back();
    bridge.begin();

    bridge.remote_has(&[(NAME, &["1", "2", "3"])]);
}

#[test]
fn the_books_balance_over_what_is_taken_dropped_and_refused() {
    let bridge = Bridge::begun_with_extras(
        "normalise: {relabel_configs: [{action: drop, source_labels: [__name__], regex: noise}]}\n",
    );
    let request = request_v2(vec![
        v2::TimeSeries {
            exemplars: vec![exemplar_v2(1)],
            histograms: vec![whole_v2(2), whole_v2(3)],
            ..series_v2(&[1, 2, 3, 4], &[(1.0, 1), (2.0, 2)])
        },
        series_v2(&[3, 4], &[(1.0, 1)]),
    ]);

    let noise = post_v1(&bridge, vec![series_v1(&[("__name__", "noise")], &[(1.0, 1)])]);
    let partly = post_v2(&bridge, &request);
    bridge.delivered();

    assert_eq!((noise.status, partly.status), (204, 400));
    let metric = |name: &str| bridge.metric(&format!("flinkbridge_{name}_total"));
    assert_eq!(metric("intake_received_samples"), 7.0);
    assert_eq!(metric("intake_dropped_samples"), 2.0);
    assert_eq!(
        (metric("intake_queued_samples"), metric("forward_sent_samples")),
        (5.0, 5.0)
    );
    assert_eq!(metric("http_written_samples"), 7.0);
    let page = bridge.send("GET", "/-/metrics", "").text();
    for line in [
        "flinkbridge_http_written_samples_total{door=\"http\",version=\"2.0\",kind=\"histogram\",outcome=\"taken\"} 2",
        "flinkbridge_http_written_samples_total{door=\"http\",version=\"2.0\",kind=\"sample\",outcome=\"refused\"} 1",
        "flinkbridge_http_written_samples_total{door=\"http\",version=\"1.0\",kind=\"sample\",outcome=\"taken\"} 1",
        "flinkbridge_http_requests_total{method=\"POST\",code=\"400\",handler=\"write\"} 1",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}
