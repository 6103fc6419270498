use std::borrow::Cow;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::codec::exposition::Exposition;
use crate::codec::layer::Values;
use crate::codec::shape::{Shape, ShapeKey};
use crate::codec::{openmetrics as read_openmetrics, protobuf as read_protobuf, text as read_text};
use crate::model::{Family, LabelDraft, METRIC_NAME, MetricKind, Sample, UnixMillis, stale_marker};

mod values;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/expfmt/", $name))
    };
}

const ALL: [Format; 3] = [Format::Text, Format::OpenMetrics, Format::Protobuf];

fn layer_of(read: &Exposition<'_>, group: &GroupKey) -> Layer {
    let shape = Shape::of(read, group, ShapeKey::of(read));
    let values = Values {
        numbers: read.samples.iter().map(|sample| sample.value).collect(),
        extras: Vec::new(),
    };
    Layer::new(Arc::new(shape), values, UnixMillis::new(1))
}

/// What the groups of these jobs have pushed.
struct Pushed(Vec<(GroupKey, Layer)>);

impl Pushed {
    fn of(bodies: &[(&str, &[u8])]) -> Self {
        let push = |(job, body): &(&str, &[u8])| {
            let group = GroupKey::try_new(job, []).unwrap();
            let layer = layer_of(&read_text::parse(body, 10_000).unwrap(), &group);
            (group, layer)
        };
        Self(bodies.iter().map(push).collect())
    }

    fn exhibits(&self) -> Vec<Exhibit<'_>> {
        let exhibit = |(group, layer)| Exhibit {
            group: Some(group),
            layer,
            hidden: &[],
        };
        self.0
            .iter()
            .map(|(group, layer)| exhibit((group, layer)))
            .collect()
    }

    fn shown(&self, manner: (Format, Escaping)) -> (Vec<u8>, LeftOut) {
        shown(&self.exhibits(), manner)
    }

    fn text(&self) -> String {
        let (bytes, left_out) = self.shown((Format::Text, Escaping::default()));
        assert_eq!(left_out, LeftOut::default());
        String::from_utf8(bytes).unwrap()
    }
}

fn shown(exhibits: &[Exhibit<'_>], manner: (Format, Escaping)) -> (Vec<u8>, LeftOut) {
    let mut out = Vec::new();
    let left_out = write(exhibits, manner, &mut out).unwrap();
    (out, left_out)
}

#[track_caller]
fn check(pushed: &Pushed, manner: (Format, Escaping), expected: &[u8]) {
    let (bytes, left_out) = pushed.shown(manner);
    let readable = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(readable(&bytes), readable(expected));
    assert_eq!(bytes, expected);
    assert_eq!(left_out, LeftOut::default());
}

#[test]
fn groups_are_shown_as_go_shows_them() {
    let pushed = Pushed::of(&[("one", fixture!("one.pushed")), ("two", fixture!("two.pushed"))]);

    check(
        &pushed,
        (Format::Text, Escaping::default()),
        fixture!("shown.txt"),
    );
    check(
        &pushed,
        (Format::OpenMetrics, Escaping::default()),
        fixture!("shown.om"),
    );
    check(
        &pushed,
        (Format::Protobuf, Escaping::default()),
        fixture!("shown.pb"),
    );
}

#[test]
fn whole_bounds_fractional_counts_and_gauge_histograms_are_shown_as_go_shows_them() {
    let pushed = Pushed::of(&[("text", fixture!("text.pushed"))]);

    check(
        &pushed,
        (Format::Text, Escaping::default()),
        fixture!("text-shown.txt"),
    );
    check(
        &pushed,
        (Format::Protobuf, Escaping::default()),
        fixture!("text-shown.pb"),
    );
}

#[test]
fn openmetrics_has_the_bounds_and_names_of_text() {
    let (bytes, _) =
        Pushed::of(&[("text", fixture!("text.pushed"))]).shown((Format::OpenMetrics, Escaping::default()));

    let series = |line: &&str| !line.starts_with('#');
    let name = |line: &str| line.rsplit_once(' ').unwrap().0.to_owned();
    let openmetrics = String::from_utf8(bytes).unwrap();
    let text = std::str::from_utf8(fixture!("text-shown.txt")).unwrap();
    let names = |text: &str| text.lines().filter(series).map(name).collect::<Vec<_>>();
    assert_eq!(names(&openmetrics), names(text));
    for expected in [
        "# TYPE ups_and_downs histogram\n",
        "quarters_bucket{instance=\"\",job=\"text\",le=\"1\"} 0.25\n",
        "whole_bucket{instance=\"\",job=\"text\",le=\"1e+06\"} 3\n",
    ] {
        assert!(openmetrics.contains(expected), "{openmetrics}");
    }
}

/// As `utf8.pushed` says it.
fn utf8() -> Pushed {
    let families = [
        ("jvm.memory", MetricKind::Gauge, "Bytes of \"memory\"."),
        ("requests.handled_total", MetricKind::Counter, ""),
        ("größe", MetricKind::Histogram, ""),
        ("0 \"quoted\"\\", MetricKind::Gauge, ""),
    ];
    type Line = (usize, &'static str, &'static [(&'static str, &'static str)], f64);
    let samples: [Line; 8] = [
        (0, "jvm.memory", &[("pool.name", "old gen"), ("a_b", "c")], 1.0),
        (0, "jvm.memory", &[("pool.name", "eden")], 2.0),
        (1, "requests.handled_total", &[], 3.0),
        (2, "größe_bucket", &[("le", "0.5")], 1.0),
        (2, "größe_bucket", &[("le", "+Inf")], 2.0),
        (2, "größe_sum", &[], 3.0),
        (2, "größe_count", &[], 2.0),
        (3, "0 \"quoted\"\\", &[], 4.0),
    ];
    let read = Exposition {
        families: families
            .map(|(name, kind, help)| Family {
                name: Cow::Borrowed(name),
                kind,
                help: Cow::Borrowed(help),
            })
            .into(),
        samples: samples
            .map(|(family, name, labels, value)| Sample {
                family,
                labels: std::iter::once((METRIC_NAME, name))
                    .chain(labels.iter().copied())
                    .fold(LabelDraft::with_capacity(4), |mut draft, (name, value)| {
                        draft.push(name, value);
                        draft
                    }),
                value,
                at: None,
                extra: None,
            })
            .into(),
    };
    let group = GroupKey::try_new("utf8", []).unwrap();
    let layer = layer_of(&read, &group);
    Pushed(vec![(group, layer)])
}

#[test]
fn names_that_are_not_classic_are_quoted_or_escaped_as_go_does() {
    let pushed = utf8();

    for (escaping, expected) in [
        (Escaping::AllowUtf8, &fixture!("utf8-allow-utf-8.txt")[..]),
        (Escaping::Underscores, fixture!("utf8-underscores.txt")),
        (Escaping::Dots, fixture!("utf8-dots.txt")),
        (Escaping::Values, fixture!("utf8-values.txt")),
    ] {
        check(&pushed, (Format::Text, escaping), expected);
    }
    check(
        &pushed,
        (Format::OpenMetrics, Escaping::AllowUtf8),
        fixture!("utf8-allow-utf-8.om"),
    );
    check(
        &pushed,
        (Format::OpenMetrics, Escaping::Values),
        fixture!("utf8-values.om"),
    );
    check(
        &pushed,
        (Format::Protobuf, Escaping::Values),
        fixture!("utf8-values.pb"),
    );
}

#[test]
fn a_family_of_another_type_is_left_out_and_counted() {
    let pushed = Pushed::of(&[
        ("one", b"# TYPE a gauge\na 1\n# TYPE b histogram\nb_count 1\n"),
        (
            "two",
            b"# TYPE a counter\na 2\na{b=\"c\"} 3\n# TYPE b gaugehistogram\nb_count 2\n",
        ),
    ]);

    for format in ALL {
        let (_, left_out) = pushed.shown((format, Escaping::default()));
        assert_eq!(left_out.clashing, 2);
    }
    let (text, _) = pushed.shown((Format::Text, Escaping::default()));
    let read = read_text::parse(&text, 100).unwrap();
    assert_eq!(read.families.len(), 2);
    assert_eq!(read.samples.len(), 1 + 2 * 3);
}

#[test]
fn a_family_that_is_a_series_of_another_is_left_out_and_counted() {
    let pushed = Pushed::of(&[
        (
            "one",
            b"# TYPE h histogram\nh_count 1\n# TYPE s summary\ns_count 1\n# TYPE g gauge\ng 1\n",
        ),
        ("two", b"h_bucket 1\nh_other 2\n"),
        ("three", b"s_sum 1\ns_bucket 2\ng_count 3\n"),
    ]);

    let (text, left_out) = pushed.shown((Format::Text, Escaping::default()));

    assert_eq!(left_out.clashing, 2);
    let read = read_text::parse(&text, 100).unwrap();
    let names: Vec<_> = read.families.iter().map(|family| family.name.as_ref()).collect();
    assert_eq!(names, ["g", "g_count", "h", "h_other", "s", "s_bucket"]);
}

#[test]
fn a_counter_whose_base_is_another_family_is_of_unknown_type_in_openmetrics() {
    let pushed = Pushed::of(&[(
        "j",
        b"# TYPE a gauge\na 1\na_b 2\n# TYPE a_total counter\na_total 3\n# TYPE b_total counter\nb_total 4\n",
    )]);

    let (bytes, _) = pushed.shown((Format::OpenMetrics, Escaping::default()));

    let text = String::from_utf8(bytes).unwrap();
    let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(
        types,
        [
            "# TYPE a gauge",
            "# TYPE a_b unknown",
            "# TYPE a_total unknown",
            "# TYPE b counter"
        ]
    );
}

#[test]
fn the_first_help_counts_and_nothing_is_said_of_a_family_without_metrics() {
    let mut pushed = Pushed::of(&[
        ("one", b"# HELP hidden_one x\nhidden_one 1\n"),
        ("two", b"a 1\n"),
        ("three", b"# HELP a Three.\na 1\n# HELP hidden x\nhidden 1\n"),
        ("four", b"# HELP a Four.\na 1\n"),
    ]);
    let layer = &mut pushed.0[0].1;
    let values = Values {
        numbers: vec![stale_marker()],
        extras: Vec::new(),
    };
    *layer = Layer::new(Arc::clone(layer.shape()), values, layer.at());
    let mut exhibits = pushed.exhibits();
    exhibits[2].hidden = &["hidden"];

    let (text, _) = shown(&exhibits, (Format::Text, Escaping::default()));

    assert_eq!(
        String::from_utf8(text).unwrap(),
        "# HELP a Three.\n# TYPE a untyped\na{instance=\"\",job=\"two\"} 1\na{instance=\"\",job=\"three\"} 1\na{instance=\"\",job=\"four\"} 1\n"
    );
}

#[test]
fn without_a_group_labels_stay_as_they_are() {
    let pushed = Pushed::of(&[("j", b"a 1\na{b=\"c\"} 2\n")]);
    let mut exhibits = pushed.exhibits();
    exhibits[0].group = None;

    let (text, _) = shown(&exhibits, (Format::Text, Escaping::default()));

    assert_eq!(
        String::from_utf8(text).unwrap(),
        "# TYPE a untyped\na 1\na{b=\"c\"} 2\n"
    );
}

#[test]
fn nothing_is_shown_of_nothing_but_the_end_of_openmetrics() {
    let written = ALL.map(|format| shown(&[], (format, Escaping::default())).0);

    assert_eq!(written, [&b""[..], b"# EOF\n", b""]);
}

#[test]
fn writing_stops_where_nobody_takes_it() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let pushed = Pushed::of(&[("j", b"a 1\n")]);

    for format in ALL {
        let written = write(&pushed.exhibits(), (format, Escaping::default()), &mut Closed);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

/// Bodies of a few families that may be anything.
fn bodies() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_map(|value| format!("{value:e}")),
        (0..9u8).prop_map(|n| n.to_string())
    ];
    let labels = prop::collection::btree_map("[a-c]", "[\\PC\"\\\\]{0,3}", 0..3);
    let family = (
        0..6u8,
        0..3u8,
        "[ -~]{0,5}",
        prop::collection::btree_map(labels, (number, any::<u8>()), 1..4),
    );
    prop::collection::vec(family, 0..6).prop_map(|families| {
        let mut body = String::new();
        for (index, (kind, name, help, metrics)) in families.into_iter().enumerate() {
            let kind = ["untyped", "counter", "gauge", "summary", "histogram", "gaugehistogram"][kind as usize];
            let name = format!("f{index}{}", ["", "_total", "_info"][name as usize]);
            let help = help.replace('\\', "\\\\");
            body += &format!("# HELP {name} x{help}\n# TYPE {name} {kind}\n");
            for (labels, (number, count)) in metrics {
                let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let labels: String = labels.iter().map(|(name, value)| format!("{name}=\"{}\",", escape(value))).collect();
                body += &match kind {
                    "summary" => format!("{name}{{{labels}quantile=\"0.5\"}} {number}\n{name}_count{{{labels}}} {count}\n"),
                    "histogram" | "gaugehistogram" => {
                        format!("{name}_bucket{{{labels}le=\"2\"}} {count}\n{name}_sum{{{labels}}} {number}\n{name}_count{{{labels}}} {count}\n")
                    }
                    _ => format!("{name}{{{labels}}} {number}\n"),
                };
            }
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_shown_and_pushed_again_is_shown_the_same(body in bodies()) {
        let text = Pushed::of(&[("j", body.as_bytes())]).text();

        prop_assert_eq!(Pushed::of(&[("j", text.as_bytes())]).text(), text);
    }

    #[test]
    fn all_formats_show_the_same_samples(body in bodies()) {
        let pushed = Pushed::of(&[("j", body.as_bytes())]);
        let [text, openmetrics, protobuf] = ALL.map(|format| pushed.shown((format, Escaping::default())).0);

        let text = read_text::parse(&text, 1000).unwrap();
        let openmetrics = read_openmetrics::parse(&openmetrics, 1000).unwrap();
        let protobuf = read_protobuf::decode(&protobuf, 1000).unwrap();

        let said = |read: &Exposition<'_>| {
            let mut said: Vec<String> = read
                .samples
                .iter()
                .map(|sample| format!("{} {:?}", sample.labels.clone().into_set(), if sample.value == 0.0 { 0.0 } else { sample.value }))
                .collect();
            said.sort();
            said
        };
        prop_assert_eq!(said(&text), said(&openmetrics));
        prop_assert_eq!(said(&text), said(&protobuf));
    }
}
