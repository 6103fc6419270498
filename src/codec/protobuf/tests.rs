mod flaws;
mod histograms;

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::codec::generated::client as v1;
use crate::codec::text;

fn stream(families: &[v1::MetricFamily]) -> Vec<u8> {
    families
        .iter()
        .flat_map(v1::MetricFamily::encode_length_delimited_to_vec)
        .collect()
}

fn family(name: &str, kind: v1::MetricType, metric: Vec<v1::Metric>) -> v1::MetricFamily {
    v1::MetricFamily {
        name: Some(name.to_owned()),
        r#type: Some(kind.into()),
        metric,
        ..Default::default()
    }
}

fn labels(pairs: &[(&str, &str)]) -> Vec<v1::LabelPair> {
    pairs
        .iter()
        .map(|(name, value)| v1::LabelPair {
            name: Some((*name).to_owned()),
            value: Some((*value).to_owned()),
        })
        .collect()
}

fn gauge(value: f64) -> v1::Metric {
    v1::Metric {
        gauge: Some(v1::Gauge { value: Some(value) }),
        ..Default::default()
    }
}

fn histogram(histogram: v1::Histogram) -> v1::Metric {
    v1::Metric {
        histogram: Some(histogram),
        ..Default::default()
    }
}

fn bucket(upper_bound: f64, count: u64) -> v1::Bucket {
    v1::Bucket {
        upper_bound: Some(upper_bound),
        cumulative_count: Some(count),
        ..Default::default()
    }
}

#[track_caller]
fn reads(families: &[v1::MetricFamily], expected: &[&str]) {
    let body = stream(families);
    let exposition = decode(&body, 1000).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(exposition.lines(), expected);
}

#[track_caller]
fn refuses(families: &[v1::MetricFamily], message: usize, problem: &str) {
    let error = decode(&stream(families), 1000).unwrap_err();
    assert!(error.problem.contains(problem), "{error}");
    assert_eq!(error.message, message, "{error}");
}

#[test]
fn single_values_are_read_by_their_familys_type() {
    let counter = v1::Metric {
        label: labels(&[("a", "é"), ("b", "")]),
        counter: Some(v1::Counter {
            value: Some(2.5),
            exemplar: Some(v1::Exemplar::default()),
            created_timestamp: Some(v1::Timestamp::default()),
        }),
        ..Default::default()
    };
    let untyped = v1::Metric {
        untyped: Some(v1::Untyped { value: None }),
        timestamp_ms: Some(-7),
        ..Default::default()
    };

    reads(
        &[
            family("c_total", v1::MetricType::Counter, vec![counter]),
            family("g", v1::MetricType::Gauge, vec![gauge(f64::NEG_INFINITY)]),
            family("u", v1::MetricType::Untyped, vec![untyped]),
            family("nothing", v1::MetricType::Gauge, vec![]),
        ],
        &[
            "c_total{a=\"é\"} 2.5 [c_total Counter]",
            "g{} -inf [g Gauge]",
            "u{} 0.0 @-7 [u Untyped]",
        ],
    );
}

#[test]
fn a_stale_marker_is_pushed_in_vain() {
    let body = stream(&[family(
        "g",
        v1::MetricType::Gauge,
        vec![gauge(crate::model::stale_marker())],
    )]);

    let value = decode(&body, 10).unwrap().samples[0].value;

    assert!(value.is_nan() && !crate::model::is_stale(value));
}

#[test]
fn a_summary_becomes_quantiles_sum_and_count() {
    let quantile = |quantile, value| v1::Quantile {
        quantile: Some(quantile),
        value: Some(value),
    };
    let metric = v1::Metric {
        label: labels(&[("a", "b")]),
        summary: Some(v1::Summary {
            sample_count: Some(9),
            sample_sum: Some(1.5),
            quantile: vec![quantile(0.5, 1.0), quantile(1.0, f64::NAN)],
            created_timestamp: None,
        }),
        ..Default::default()
    };

    reads(
        &[family("s", v1::MetricType::Summary, vec![metric])],
        &[
            "s{a=\"b\",quantile=\"0.5\"} 1.0 [s Summary]",
            "s{a=\"b\",quantile=\"1\"} NaN [s Summary]",
            "s_sum{a=\"b\"} 1.5 [s Summary]",
            "s_count{a=\"b\"} 9.0 [s Summary]",
        ],
    );
}

#[test]
fn m04_of_two_families_of_one_name_the_last_counts() {
    reads(
        &[
            family("a", v1::MetricType::Gauge, vec![gauge(1.0), gauge(2.0)]),
            family("b", v1::MetricType::Gauge, vec![gauge(3.0)]),
            family(
                "a",
                v1::MetricType::Untyped,
                vec![v1::Metric {
                    untyped: Some(v1::Untyped::default()),
                    ..Default::default()
                }],
            ),
        ],
        &["b{} 3.0 [b Gauge]", "a{} 0.0 [a Untyped]"],
    );
}

#[test]
fn h22_any_name_is_read_where_names_are_utf8() {
    let metric = v1::Metric {
        label: labels(&[("l.m", "v"), ("größe", "w")]),
        ..gauge(1.0)
    };
    let body = stream(&[family("a.b", v1::MetricType::Gauge, vec![metric])]);

    let read = decode_named(&body, 10, NameScheme::Utf8).unwrap();

    assert_eq!(
        read.lines(),
        ["{\"a.b\",\"größe\"=\"w\",\"l.m\"=\"v\"} 1.0 [a.b Gauge]"]
    );
    let nameless = stream(&[family("", v1::MetricType::Gauge, vec![])]);
    assert!(decode_named(&nameless, 10, NameScheme::Utf8).is_err());
}

#[test]
fn what_is_wrong_is_refused_with_the_number_of_its_message() {
    let with = |pairs: &[(&str, &str)]| v1::Metric {
        label: labels(pairs),
        ..gauge(1.0)
    };
    let of = |metric| family("g", v1::MetricType::Gauge, vec![metric]);

    refuses(
        &[family("", v1::MetricType::Gauge, vec![])],
        1,
        "invalid metric name \"\"",
    );
    refuses(
        &[family("a.b", v1::MetricType::Gauge, vec![])],
        1,
        "invalid metric name \"a.b\"",
    );
    refuses(
        &[of(gauge(1.0)), of(with(&[("a-b", "c")]))],
        2,
        "invalid label name \"a-b\"",
    );
    refuses(&[of(with(&[("", "c")]))], 1, "invalid label name \"\"");
    refuses(&[of(with(&[("__name__", "c")]))], 1, "\"__name__\" is reserved");
    refuses(
        &[of(with(&[("a", "b"), ("a", "c")]))],
        1,
        "duplicate label name \"a\"",
    );
    refuses(
        &[family("c", v1::MetricType::Counter, vec![gauge(1.0)])],
        1,
        "has no counter, which is its family's type",
    );
    let mut unknown = of(gauge(1.0));
    unknown.r#type = Some(6);
    refuses(&[unknown], 1, "unknown metric type 6");
    let mut bounded = histogram(v1::Histogram::default());
    bounded.label = labels(&[("le", "1")]);
    refuses(
        &[family("h", v1::MetricType::Histogram, vec![bounded])],
        1,
        "\"le\" is reserved",
    );
}

#[test]
fn a_label_that_stands_twice_is_found_however_many_there_are() {
    let many: Vec<(String, &str)> = (0..999).map(|number| (format!("l{number}"), "v")).collect();
    for twin in ["l0", "l31", "l32", "l33", "l998"] {
        let mut pairs: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let good = v1::Metric {
            label: labels(&pairs),
            ..gauge(1.0)
        };
        pairs.push((twin, "w"));
        let bad = v1::Metric {
            label: labels(&pairs),
            ..gauge(1.0)
        };

        let metrics = vec![good.clone(), good, bad];
        let problem = format!("duplicate label name {twin:?}");
        refuses(&[family("g", v1::MetricType::Gauge, metrics)], 1, &problem);
    }
}

#[test]
fn too_many_samples_or_families_are_refused() {
    let two = stream(&[family("g", v1::MetricType::Gauge, vec![gauge(1.0), gauge(2.0)])]);
    let empty = |name| family(name, v1::MetricType::Gauge, vec![]);
    let families = stream(&[empty("a"), empty("b")]);

    assert!(decode(&two, 2).is_ok());
    assert!(
        decode(&two, 1)
            .unwrap_err()
            .problem
            .contains("more than 1 samples")
    );
    assert!(
        decode(&families, 1)
            .unwrap_err()
            .problem
            .contains("more than 1 metric families")
    );
}

#[test]
fn a_body_cut_at_any_byte_but_between_messages_is_refused() {
    let first = family("g", v1::MetricType::Gauge, vec![gauge(1.0)]);
    let second = histogram(v1::Histogram {
        sample_count: Some(300),
        bucket: vec![bucket(1.0, 1)],
        ..Default::default()
    });
    let between = stream(std::slice::from_ref(&first)).len();
    let body = stream(&[first, family("h", v1::MetricType::Histogram, vec![second])]);

    for end in 0..body.len() {
        let is_whole = end == 0 || end == between;
        assert_eq!(decode(&body[..end], 10).is_ok(), is_whole, "cut at {end}");
    }
}

#[test]
fn the_same_data_in_text_gives_the_same_series() {
    let body = "# TYPE c_total counter\nc_total{a=\"b\"} 3\n# TYPE h histogram\nh_bucket{le=\"0.50\"} 1\nh_bucket{le=\"2.0\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 2.5\nh_count 2\n# TYPE s summary\ns{quantile=\"0.0\"} 1\ns{quantile=\"1.0\"} 2\ns_sum 3\ns_count 2\n";
    let counter = v1::Metric {
        label: labels(&[("a", "b")]),
        counter: Some(v1::Counter {
            value: Some(3.0),
            ..Default::default()
        }),
        ..Default::default()
    };
    let classic = v1::Histogram {
        sample_count: Some(2),
        sample_sum: Some(2.5),
        bucket: vec![bucket(0.5, 1), bucket(2.0, 2)],
        ..Default::default()
    };
    let quantile = |quantile, value| v1::Quantile {
        quantile: Some(quantile),
        value: Some(value),
    };
    let summary = v1::Metric {
        summary: Some(v1::Summary {
            sample_count: Some(2),
            sample_sum: Some(3.0),
            quantile: vec![quantile(0.0, 1.0), quantile(1.0, 2.0)],
            created_timestamp: None,
        }),
        ..Default::default()
    };
    let messages = stream(&[
        family("c_total", v1::MetricType::Counter, vec![counter]),
        family("h", v1::MetricType::Histogram, vec![histogram(classic)]),
        family("s", v1::MetricType::Summary, vec![summary]),
    ]);

    let written = text::parse(body.as_bytes(), 100).unwrap();
    let encoded = decode(&messages, 100).unwrap();

    assert_eq!(encoded.lines(), written.lines());
}

/// Gauges of any names, labels and values, some of them wrong.
fn any_families() -> impl Strategy<Value = Vec<v1::MetricFamily>> {
    let label = (
        proptest::option::of("[a-c_:0]{0,3}"),
        proptest::option::of("\\PC{0,5}"),
    )
        .prop_map(|(name, value)| v1::LabelPair { name, value });
    let metric = (
        proptest::collection::vec(label, 0..3),
        proptest::option::of(proptest::option::of(any::<f64>())),
        proptest::option::of(any::<i64>()),
    );
    let metric = metric.prop_map(|(label, value, timestamp_ms)| v1::Metric {
        label,
        gauge: value.map(|value| v1::Gauge { value }),
        timestamp_ms,
        ..Default::default()
    });
    let family = ("[a-c_:0.]{0,3}", proptest::collection::vec(metric, 0..3))
        .prop_map(|(name, metric)| family(&name, v1::MetricType::Gauge, metric));
    proptest::collection::vec(family, 0..3)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&body, 10);
    }

    #[test]
    fn mutated_bodies_never_panic(families in any_families(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = stream(&families);
        if !body.is_empty() {
            let at = at.index(body.len());
            body[at] = byte;
        }

        let _ = decode(&body, 10);
    }

    #[test]
    fn what_another_encoder_wrote_is_read_as_it_was_meant(families in any_families()) {
        let body = stream(&families);

        let Ok(read) = decode(&body, 100) else { return Ok(()) };

        let mut expected = Vec::new();
        for (index, family) in families.iter().enumerate() {
            let is_last = !families[index + 1..].iter().any(|later| later.name == family.name);
            for metric in family.metric.iter().filter(|_| is_last) {
                let mut draft: LabelDraft<'_> = metric.label.iter().map(|label| (label.name(), label.value())).collect();
                draft.push(METRIC_NAME, family.name());
                let value = metric.gauge.as_ref().unwrap().value();
                let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
                expected.push((draft.into_set(), bits, metric.timestamp_ms));
            }
        }
        let read: Vec<_> = read.samples.into_iter()
            .map(|sample| (sample.labels.into_set(), sample.value.to_bits(), sample.at.map(UnixMillis::get)))
            .collect();
        prop_assert_eq!(read, expected);
    }
}
