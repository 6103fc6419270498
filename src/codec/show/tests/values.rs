//! Exemplars and native histograms, which text 0.0.4 cannot push.

use super::*;
use crate::codec::wire::{put_bytes, put_varint};

fn double(tag: u8, value: f64) -> Vec<u8> {
    [&[tag][..], &value.to_bits().to_le_bytes()].concat()
}

fn nested(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, tag, content);
    bytes
}

fn number(tag: u8, number: u64) -> Vec<u8> {
    let mut bytes = vec![tag];
    put_varint(&mut bytes, number);
    bytes
}

fn exemplar(trace: &str) -> Vec<u8> {
    let label = [nested(0x0a, b"trace_id"), nested(0x12, trace.as_bytes())].concat();
    let time = [number(0x08, 1_700_000_000), number(0x10, 5_000_000)].concat();
    [nested(0x0a, &label), double(0x11, 0.5), nested(0x1a, &time)].concat()
}

/// What this body pushes, with extras beside some samples.
fn pushed(body: &str, extras: &[(u32, Vec<u8>)]) -> Pushed {
    let mut pushed = Pushed::of(&[("j", body.as_bytes())]);
    let layer = &mut pushed.0[0].1;
    let values = Values {
        numbers: layer.values().numbers.clone(),
        extras: extras
            .iter()
            .map(|(of, bytes)| (*of, bytes.clone().into()))
            .collect(),
    };
    *layer = Layer::new(Arc::clone(layer.shape()), values, layer.at());
    pushed
}

#[test]
fn exemplars_stand_behind_counters_and_buckets_of_openmetrics() {
    let body = "# TYPE a_total counter\na_total 1\n# TYPE b counter\nb 2\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_count 4\n";
    let extras = [(0, exemplar("x\"")), (1, exemplar("y")), (2, exemplar("z"))];

    let (bytes, left_out) = pushed(body, &extras).shown((Format::OpenMetrics, Escaping::default()));

    assert_eq!(left_out, LeftOut::default());
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"# TYPE a counter
a_total{instance="",job="j"} 1.0 # {trace_id="x\""} 0.5 1700000000.005000000
# TYPE b unknown
b{instance="",job="j"} 2.0
# TYPE h histogram
h_bucket{instance="",job="j",le="1"} 3 # {trace_id="z"} 0.5 1700000000.005000000
h_bucket{instance="",job="j",le="+Inf"} 4
h_sum{instance="",job="j"} 0.0
h_count{instance="",job="j"} 4
# EOF
"#
    );
}

#[test]
fn an_exemplar_longer_than_openmetrics_allows_is_not_shown() {
    let body = "# TYPE a_total counter\na_total 1\n";

    let (bytes, _) =
        pushed(body, &[(0, exemplar(&"x".repeat(121)))]).shown((Format::OpenMetrics, Escaping::default()));

    assert!(
        String::from_utf8(bytes)
            .unwrap()
            .contains("a_total{instance=\"\",job=\"j\"} 1.0\n")
    );
}

#[test]
fn a_damaged_extra_costs_its_metric_and_is_counted() {
    let body = "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{a=\"b\",le=\"1\"} 3\n";

    let (_, left_out) =
        pushed(body, &[(0, vec![0x0a, 0x7f])]).shown((Format::OpenMetrics, Escaping::default()));

    assert_eq!(left_out.damaged, 1);
}

/// A schema, a span and a bucket.
fn native_alone() -> Vec<u8> {
    let span = [number(0x08, 0), number(0x10, 1)].concat();
    [number(0x28, 2), nested(0x62, &span), number(0x68, 12)].concat()
}

/// An `io.prometheus.client.Histogram` of six observations.
fn native(count: Vec<u8>) -> Vec<u8> {
    [count, double(0x11, 9.0), native_alone()].concat()
}

/// A histogram in the native form alone.
fn only_native(native: &[u8]) -> Pushed {
    let mut builder = crate::codec::shape::Builder::default();
    let place = builder.family("h", "", MetricKind::Histogram);
    builder.add(place, &[], (crate::codec::shape::Part::Native, 0));
    let values = Values {
        numbers: vec![6.0],
        extras: vec![(0, native.to_vec().into())],
    };
    let layer = Layer::new(Arc::new(builder.finish(None, 1)), values, UnixMillis::new(1));
    Pushed(vec![(GroupKey::try_new("j", []).unwrap(), layer)])
}

#[test]
fn a_histogram_that_is_only_native_has_its_sum_and_count_in_text() {
    for count in [number(0x08, 6), double(0x21, 6.0)] {
        let text = only_native(&native(count)).text();

        assert_eq!(
            text,
            r#"# TYPE h histogram
h_bucket{instance="",job="j",le="+Inf"} 6
h_sum{instance="",job="j"} 9
h_count{instance="",job="j"} 6
"#
        );
    }
}

#[test]
fn a_native_histogram_is_shown_in_protobuf_as_it_was_pushed() {
    let float = [double(0x11, 9.0), double(0x21, 6.0), native_alone()].concat();

    for (pushed, expected) in [
        (native(number(0x08, 6)), native(number(0x08, 6))),
        (native(double(0x21, 6.0)), float),
    ] {
        let (bytes, left_out) = only_native(&pushed).shown((Format::Protobuf, Escaping::default()));
        assert!(bytes.ends_with(&nested(0x3a, &expected)), "{bytes:x?}");
        assert_eq!(left_out, LeftOut::default());
    }
}

#[test]
fn both_forms_of_a_histogram_are_one_message() {
    let mut pushed = pushed(
        "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 9\nh_count 6\n",
        &[],
    );
    let with_native = only_native(&native(number(0x08, 6)));
    let mut builder = crate::codec::shape::Builder::default();
    let place = builder.family("h", "", MetricKind::Histogram);
    let classic = [
        crate::codec::shape::Part::Bucket(1.0),
        crate::codec::shape::Part::Sum,
        crate::codec::shape::Part::Count,
    ];
    for (number, part) in (0..).zip(classic.into_iter().chain([crate::codec::shape::Part::Native])) {
        builder.add(place, &[], (part, number));
    }
    let mut numbers = pushed.0[0].1.values().numbers.clone();
    numbers.push(6.0);
    let values = Values {
        numbers,
        extras: vec![(3, with_native.0[0].1.values().extras[0].1.clone())],
    };
    pushed.0[0].1 = Layer::new(Arc::new(builder.finish(None, 4)), values, UnixMillis::new(1));

    let (bytes, _) = pushed.shown((Format::Protobuf, Escaping::default()));

    let bucket = [number(0x08, 2), double(0x11, 1.0)].concat();
    let expected = [
        number(0x08, 6),
        double(0x11, 9.0),
        nested(0x1a, &bucket),
        native_alone(),
    ]
    .concat();
    assert!(bytes.ends_with(&nested(0x3a, &expected)), "{bytes:x?}");
}
