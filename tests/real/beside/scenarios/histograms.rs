//! Pushes in protobuf, and histograms of every sort.

use prost::Message as _;

use crate::beside::request::{PROTOBUF, Request};
use crate::beside::{Deliberate, Scenario};
use crate::metrics_v1::{
    Bucket, BucketSpan, Counter, Exemplar, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
    Quantile, Summary, Timestamp, Untyped,
};

const J: &str = "/metrics/job/j";
const FAR: &str = "/metrics/job/Bj%C3%B6rn/instance@base64/YW5faW5zdGFuY2UnIlw=";

/// The content type with its parameters the other way round.
const TURNED: &str =
    "application/vnd.google.protobuf; encoding=delimited; proto=io.prometheus.client.MetricFamily";

pub(super) const HISTOGRAMS: &[Scenario] = &[
    Scenario::new(
        "H18: protobuf",
        &[pushed(J, || {
            body(&[
                untyped("some_metric", 3.5),
                untyped("another", 42.0),
                native_floats("h"),
            ])
        })],
    ),
    Scenario::new(
        "H18: protobuf with its parameters turned",
        &[pushed(J, || body(&[untyped("a", 1.0)])).kind(TURNED)],
    ),
    Scenario::new(
        "M04: a name twice",
        &[pushed(J, || body(&[untyped("a", 1.0), untyped("a", 2.0)]))],
    ),
    Scenario::new("M04: nothing", &[pushed(J, Vec::new)]),
    Scenario::new(
        "M04: a family of nothing",
        &[pushed(J, || body(&[family("a", MetricType::Gauge, vec![])]))],
    ),
    Scenario::new(
        "M04: cut off",
        &[pushed(J, || {
            let mut bytes = body(&[untyped("a", 1.0)]);
            bytes.truncate(bytes.len() - 2);
            bytes
        })],
    ),
    Scenario::new("M04: no length", &[pushed(J, || vec![0xff, 0xff])]),
    Scenario::new("M04: text", &[pushed(J, || b"some_metric 3.14\n".to_vec())]),
    Scenario::new(
        "S40: a timestamp",
        &[pushed(J, || {
            let mut family = untyped("a", 1.0);
            family.metric[0].timestamp_ms = Some(1000);
            body(&[family])
        })],
    ),
    Scenario::new(
        "all kinds",
        &[pushed(J, || {
            body(&[
                gauge("g", 1.5),
                counter("c_total", 2.0),
                untyped("u", 3.0),
                classic("h"),
                summary("s"),
            ])
        })],
    ),
    Scenario::new(
        "a metric of another kind than its family",
        &[pushed(J, || {
            let mut family = gauge("g", 1.0);
            family.r#type = Some(MetricType::Counter.into());
            body(&[family])
        })],
    ),
    Scenario::new(
        "a family of no kind",
        &[pushed(J, || {
            let mut family = counter("c", 1.0);
            family.r#type = None;
            body(&[family])
        })],
    ),
    Scenario::new(
        "a metric without a value",
        &[pushed(J, || {
            body(&[family("g", MetricType::Gauge, vec![Metric::default()])])
        })],
    ),
    Scenario::new(
        "a family without a name, over which every scrape stumbles",
        &[pushed(J, || {
            body(&[MetricFamily {
                name: None,
                ..gauge("", 1.0)
            }])
        })
        .but(Deliberate::BadPushHurtsNobodyElse, 200, 400)],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new(
        "a family with an improper name",
        &[pushed(J, || body(&[gauge("a b", 1.0)]))],
    ),
    Scenario::new(
        "a family with a dotted name",
        &[pushed(J, || body(&[gauge("a.b", 1.0)]))],
    ),
    Scenario::new(
        "a label with an improper name",
        &[pushed(J, || body(&[labelled(&[("a-b", "c")])]))],
    ),
    Scenario::new(
        "a label without a name",
        &[pushed(J, || body(&[labelled(&[("", "c")])]))],
    ),
    Scenario::new(
        "a reserved label",
        &[pushed(J, || body(&[labelled(&[("__x", "c")])]))],
    ),
    Scenario::new(
        "a label __name__",
        &[pushed(J, || body(&[labelled(&[("__name__", "c")])]))],
    ),
    Scenario::new(
        "a label twice",
        &[pushed(J, || body(&[labelled(&[("x", "1"), ("x", "2")])]))],
    ),
    Scenario::new(
        "the label le on a histogram, over which every scrape stumbles",
        &[pushed(J, || {
            let mut family = classic("h");
            family.metric[0].label = pairs(&[("le", "1")]);
            body(&[family])
        })
        .but(Deliberate::BadPushHurtsNobodyElse, 200, 400)],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new(
        "a series twice",
        &[pushed(J, || {
            let mut family = gauge("g", 1.0);
            family.metric.push(family.metric[0].clone());
            body(&[family])
        })],
    ),
    Scenario::new(
        "HELP and unit",
        &[pushed(J, || {
            let mut family = gauge("g_seconds", 1.0);
            family.help = Some("some \"words\"\nand \\ more".to_owned());
            family.unit = Some("seconds".to_owned());
            body(&[family])
        })],
    ),
    Scenario::new(
        "A03: the JSON of a summary and of histograms",
        &[pushed(FAR, || {
            body(&[
                family(
                    "mf3",
                    MetricType::Summary,
                    vec![Metric {
                        summary: Some(Summary {
                            sample_count: Some(0),
                            sample_sum: Some(0.0),
                            ..Default::default()
                        }),
                        ..Default::default()
                    }],
                ),
                classic("h1"),
                classic_floats("h2"),
                native("h3"),
                native_floats("h4"),
                gauge("g", 1_583_781_848.025_745),
            ])
        })],
    ),
    Scenario::new(
        "S02.3: a native histogram beside a gauge",
        &[
            Request::new("PUT", J, "mf3 42\n"),
            Request::made("POST", J, || body(&[native_floats("h")])).kind(PROTOBUF),
        ],
    ),
    Scenario::new(
        "a native histogram with classic buckets",
        &[pushed(J, || {
            let mut family = native("h");
            family.metric[0].histogram.as_mut().unwrap().bucket = vec![bucket(1.0, 1), bucket(2.0, 6)];
            body(&[family])
        })],
    ),
    Scenario::new(
        "a native histogram of nothing",
        &[pushed(J, || {
            let histogram = Histogram {
                schema: Some(3),
                zero_threshold: Some(1e-128),
                sample_count: Some(0),
                sample_sum: Some(0.0),
                positive_span: vec![span(0, 0)],
                ..Default::default()
            };
            body(&[histograms("h", MetricType::Histogram, histogram)])
        })],
    ),
    Scenario::new(
        "a gauge histogram",
        &[pushed(J, || {
            let mut family = classic("h");
            family.r#type = Some(MetricType::GaugeHistogram.into());
            body(&[family])
        })],
    ),
    Scenario::new(
        "exemplars and times of creation",
        &[pushed(J, || {
            let mut c = counter("c_total", 2.0);
            let value = c.metric[0].counter.as_mut().unwrap();
            value.exemplar = Some(exemplar());
            value.created_timestamp = Some(Timestamp {
                seconds: Some(1_700_000_000),
                nanos: Some(5),
            });
            let mut h = classic("h");
            h.metric[0].histogram.as_mut().unwrap().bucket[0].exemplar = Some(exemplar());
            body(&[c, h])
        })],
    ),
    Scenario::new(
        "a histogram with +Inf and one without",
        &[pushed(J, || {
            let mut with = classic("with");
            with.metric[0]
                .histogram
                .as_mut()
                .unwrap()
                .bucket
                .push(bucket(f64::INFINITY, 5));
            body(&[with, classic("without")])
        })],
    ),
    Scenario::new(
        "a summary of quantiles only",
        &[pushed(J, || {
            let mut family = summary("s");
            let value = family.metric[0].summary.as_mut().unwrap();
            (value.sample_count, value.sample_sum) = (None, None);
            body(&[family])
        })],
    ),
    Scenario::new(
        "values that are no numbers",
        &[pushed(J, || {
            body(&[gauge("a", f64::NAN), gauge("b", f64::INFINITY), gauge("c", -0.0)])
        })],
    ),
    Scenario::new(
        "text and protobuf in one group",
        &[
            pushed("/metrics/job/j/a/1", || body(&[classic("h"), summary("s")])),
            Request::new(
                "PUT",
                "/metrics/job/j/a/2",
                "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n",
            ),
        ],
    ),
    Scenario::new(
        "another type in another group",
        &[
            Request::new("PUT", "/metrics/job/j/a/2", "# TYPE h gauge\nh 1\n"),
            pushed("/metrics/job/j/a/1", || body(&[native("h")])),
        ],
    ),
    Scenario::new(
        "B17: the count of a native histogram",
        &[
            pushed("/metrics/job/j/a/1", || body(&[native("h")])),
            Request::new("PUT", "/metrics/job/j/a/2", "h_count 1\n"),
        ],
    ),
];

pub(super) const fn pushed(path: &'static str, body: fn() -> Vec<u8>) -> Request<'static> {
    Request::made("PUT", path, body).kind(PROTOBUF)
}

/// Dotted names in every place.
pub(super) fn dotted() -> Vec<u8> {
    body(&[
        untyped("some.metric", 1.234),
        untyped("another.metric", 3.5),
        native_floats("a.histogram"),
    ])
}

pub(super) fn body(families: &[MetricFamily]) -> Vec<u8> {
    families
        .iter()
        .flat_map(MetricFamily::encode_length_delimited_to_vec)
        .collect()
}

pub(super) fn family(name: &str, kind: MetricType, metric: Vec<Metric>) -> MetricFamily {
    MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        metric,
        ..Default::default()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<LabelPair> {
    let pair = |(name, value): &(&str, &str)| LabelPair {
        name: Some((*name).to_owned()),
        value: Some((*value).to_owned()),
    };
    pairs.iter().map(pair).collect()
}

pub(super) fn labelled(labels: &[(&str, &str)]) -> MetricFamily {
    let mut family = gauge("g", 1.0);
    family.metric[0].label = pairs(labels);
    family
}

pub(super) fn gauge(name: &str, value: f64) -> MetricFamily {
    let gauge = Some(Gauge { value: Some(value) });
    family(
        name,
        MetricType::Gauge,
        vec![Metric {
            gauge,
            ..Default::default()
        }],
    )
}

pub(super) fn untyped(name: &str, value: f64) -> MetricFamily {
    let untyped = Some(Untyped { value: Some(value) });
    family(
        name,
        MetricType::Untyped,
        vec![Metric {
            untyped,
            ..Default::default()
        }],
    )
}

pub(super) fn counter(name: &str, value: f64) -> MetricFamily {
    let counter = Some(Counter {
        value: Some(value),
        ..Default::default()
    });
    family(
        name,
        MetricType::Counter,
        vec![Metric {
            counter,
            ..Default::default()
        }],
    )
}

pub(super) fn summary(name: &str) -> MetricFamily {
    let quantile = |quantile, value| Quantile {
        quantile: Some(quantile),
        value: Some(value),
    };
    let summary = Some(Summary {
        sample_count: Some(7),
        sample_sum: Some(8.5),
        quantile: vec![quantile(0.5, 1.0), quantile(0.99, f64::NAN)],
        ..Default::default()
    });
    family(
        name,
        MetricType::Summary,
        vec![Metric {
            summary,
            ..Default::default()
        }],
    )
}

fn histograms(name: &str, kind: MetricType, histogram: Histogram) -> MetricFamily {
    let histogram = Some(histogram);
    family(
        name,
        kind,
        vec![Metric {
            histogram,
            ..Default::default()
        }],
    )
}

fn bucket(upper_bound: f64, count: u64) -> Bucket {
    Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(upper_bound),
        ..Default::default()
    }
}

fn exemplar() -> Exemplar {
    Exemplar {
        label: pairs(&[("trace_id", "abc")]),
        value: Some(1.0),
        timestamp: Some(Timestamp {
            seconds: Some(1_700_000_000),
            nanos: Some(5),
        }),
    }
}

pub(super) fn classic(name: &str) -> MetricFamily {
    let histogram = Histogram {
        sample_count: Some(5),
        sample_sum: Some(6.5),
        bucket: vec![bucket(0.5, 1), bucket(1e6, 4)],
        ..Default::default()
    };
    histograms(name, MetricType::Histogram, histogram)
}

fn classic_floats(name: &str) -> MetricFamily {
    let float = |upper_bound, count| Bucket {
        cumulative_count_float: Some(count),
        upper_bound: Some(upper_bound),
        ..Default::default()
    };
    let histogram = Histogram {
        sample_count_float: Some(5.5),
        sample_sum: Some(6.5),
        bucket: vec![float(0.5, 1.25), float(1e6, 4.0)],
        ..Default::default()
    };
    histograms(name, MetricType::Histogram, histogram)
}

fn span(offset: i32, length: u32) -> BucketSpan {
    BucketSpan {
        offset: Some(offset),
        length: Some(length),
    }
}

pub(super) fn native(name: &str) -> MetricFamily {
    let histogram = Histogram {
        sample_count: Some(8),
        sample_sum: Some(-5.5),
        schema: Some(1),
        zero_threshold: Some(1e-128),
        zero_count: Some(1),
        negative_span: vec![span(0, 2), span(2, 2)],
        negative_delta: vec![0, 2, -2, 0],
        positive_span: vec![span(0, 2), span(2, 2)],
        positive_delta: vec![0, 2, -2, 0],
        ..Default::default()
    };
    histograms(name, MetricType::Histogram, histogram)
}

fn native_floats(name: &str) -> MetricFamily {
    let histogram = Histogram {
        sample_count_float: Some(20.5),
        sample_sum: Some(1234.5),
        schema: Some(1),
        zero_threshold: Some(1e-128),
        zero_count_float: Some(2.5),
        negative_span: vec![span(0, 2), span(2, 2)],
        negative_count: vec![2.0, 2.0, -2.0, 0.0],
        positive_span: vec![span(0, 2), span(2, 2)],
        positive_count: vec![2.0, 2.0, -2.0, 0.0],
        ..Default::default()
    };
    histograms(name, MetricType::Histogram, histogram)
}
