use super::*;
use crate::codec::layer::Values;
use crate::codec::shape::{Shape, ShapeKey};
use crate::codec::text;

const SEEN: i64 = 1_583_781_848_025;

fn key(labels: &[(&str, &str)]) -> GroupKey {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    GroupKey::try_new("j", labels).unwrap()
}

fn layer(body: &str, group: &GroupKey, at: i64) -> Arc<Layer> {
    let read = text::parse(body.as_bytes(), 1000).unwrap();
    let shape = Shape::of(&read, group, ShapeKey::of(&read));
    let numbers = read.samples.iter().map(|sample| sample.value).collect();
    let values = Values {
        numbers,
        extras: Vec::new(),
    };
    Arc::new(Layer::new(Arc::new(shape), values, UnixMillis::new(at)))
}

/// A group first seen at `SEEN`, pushed to then and whenever a layer was.
fn group<'a>(key: &'a GroupKey, layers: &'a [Arc<Layer>]) -> Group<'a> {
    let last = layers.iter().map(|layer| layer.at()).max();
    Group {
        key,
        layers,
        first_seen: UnixMillis::new(SEEN),
        last_push: Some(last.unwrap_or(UnixMillis::new(SEEN))),
        last_failure: None,
    }
}

fn shown(group: &Group<'_>, selectors: &[&str]) -> serde_json::Value {
    serde_json::from_str(&written(group, selectors)).unwrap()
}

fn written(group: &Group<'_>, selectors: &[&str]) -> String {
    let selectors: Vec<Selector> = selectors.iter().map(|text| text.parse().unwrap()).collect();
    let mut out = Vec::new();
    group.write(&mut out, &selectors).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a03_a_group_is_written_to_the_byte_as_pushgateway_writes_it() {
    let key = key(&[("instance", "<a & b>")]);
    let body = "# TYPE g gauge\n# HELP g what \"it\" is\ng{x=\"y\"} 1583781848.025745\nzzz 1\n";

    let written = written(&group(&key, &[layer(body, &key, SEEN)]), &[]);

    assert_eq!(
        written,
        concat!(
            r#"{"g":{"time_stamp":"2020-03-09T19:24:08.025Z","type":"GAUGE","help":"what \"it\" is","metrics":"#,
            r#"[{"labels":{"instance":"\u003ca \u0026 b\u003e","job":"j","x":"y"},"value":"1.583781848025745e+09"}]},"#,
            r#""labels":{"instance":"\u003ca \u0026 b\u003e","job":"j"},"last_push_successful":true,"#,
            r#""push_failure_time_seconds":{"time_stamp":"2020-03-09T19:24:08.025Z","type":"GAUGE","#,
            r#""help":"Last Unix time when changing this group in the Pushgateway failed.","metrics":"#,
            r#"[{"labels":{"instance":"\u003ca \u0026 b\u003e","job":"j"},"value":"0"}]},"#,
            r#""push_time_seconds":{"time_stamp":"2020-03-09T19:24:08.025Z","type":"GAUGE","#,
            r#""help":"Last Unix time when changing this group in the Pushgateway succeeded.","metrics":"#,
            r#"[{"labels":{"instance":"\u003ca \u0026 b\u003e","job":"j"},"value":"1.583781848025e+09"}]},"#,
            r#""zzz":{"time_stamp":"2020-03-09T19:24:08.025Z","type":"UNTYPED","metrics":"#,
            r#"[{"labels":{"instance":"\u003ca \u0026 b\u003e","job":"j"},"value":"1"}]}}"#,
        )
    );
}

#[test]
fn a03_values_of_every_type_are_strings_as_go_prints_them() {
    let key = key(&[]);
    let labels = r#""labels":{"instance":"","job":"j"}"#;
    for (body, expected) in [
        ("m +Inf\n", r#"{LABELS,"value":"+Inf"}"#),
        ("m 1e20\n", r#"{LABELS,"value":"1e+20"}"#),
        (
            "# TYPE m summary\nm_count 0\nm_sum 0\n",
            r#"{"count":"0",LABELS,"quantiles":{},"sum":"0"}"#,
        ),
        (
            "# TYPE m summary\nm{quantile=\"0.99\"} NaN\nm{quantile=\"0.5\"} 1000000\nm_count 1000000\n",
            r#"{"count":"1000000",LABELS,"quantiles":{"0.5":"1e+06","0.99":"NaN"},"sum":"0"}"#,
        ),
        (
            "# TYPE m histogram\nm_bucket{le=\"+Inf\"} 2000000\nm_bucket{le=\"1e6\"} 1000000\nm_sum 1.5e6\nm_count 2000000\n",
            r#"{"buckets":{"+Inf":"2000000","1e+06":"1000000"},"count":"2000000",LABELS,"sum":"1.5e+06"}"#,
        ),
        (
            "# TYPE m histogram\nm_bucket{le=\"1\"} 0.5\nm_bucket{le=\"2\"} 0\nm_count 2000000\n",
            r#"{"buckets":{"1":"0.5","2":"0"},"count":"2e+06",LABELS,"sum":"0"}"#,
        ),
        (
            "# TYPE m summary\nm_count NaN\n",
            r#"{"count":"9223372036854775808",LABELS,"quantiles":{},"sum":"0"}"#,
        ),
        (
            "# TYPE m histogram\nm_bucket{le=\"1\"} NaN\nm_bucket{le=\"2\"} 2000000\nm_count 1e20\n",
            r#"{"buckets":{"1":"0","2":"2e+06"},"count":"1e+20",LABELS,"sum":"0"}"#,
        ),
        (
            "# TYPE m gaugehistogram\nm_bucket{le=\"1\"} 3\nm_count 3\n",
            r#"{LABELS,"value":"0"}"#,
        ),
    ] {
        let written = written(&group(&key, &[layer(body, &key, SEEN)]), &[]);

        let metrics = format!("\"metrics\":[{}]", expected.replace("LABELS", labels));
        assert!(written.contains(&metrics), "{body}: {written}");
    }
}

#[test]
fn a04_a_push_was_successful_while_none_has_failed_since() {
    let key = key(&[]);
    for (pushed, failed, expected) in [
        (Some(2), None, true),
        (Some(2), Some(2), true),
        (Some(2), Some(3), false),
        (None, Some(1), false),
    ] {
        let group = Group {
            last_push: pushed.map(UnixMillis::new),
            last_failure: failed.map(UnixMillis::new),
            ..group(&key, &[])
        };

        assert_eq!(
            shown(&group, &[])["last_push_successful"],
            expected,
            "{pushed:?} {failed:?}"
        );
    }
}

#[test]
fn b22_a_pushed_failure_time_is_shown_from_the_second_push_on_until_a_push_fails() {
    let key = key(&[]);
    let body = "push_failure_time_seconds 7\npush_time_seconds 8\n";
    let value = |group: &Group<'_>, name: &str| shown(group, &[])[name]["metrics"][0]["value"].clone();

    for (at, failed, expected) in [
        (0, None, "0"),
        (2, None, "7"),
        (2, Some(3), "1.583781848028e+09"),
        (4, Some(3), "7"),
    ] {
        let layers = [layer(body, &key, SEEN + at)];
        let group = Group {
            last_failure: failed.map(|failed| UnixMillis::new(SEEN + failed)),
            ..group(&key, &layers)
        };

        assert_eq!(
            value(&group, "push_failure_time_seconds"),
            expected,
            "{at} {failed:?}"
        );
        assert_ne!(value(&group, "push_time_seconds"), "8");
    }
}

#[test]
fn a_family_of_several_processes_is_one_with_the_time_of_the_latest() {
    let key = key(&[]);
    let layers = [
        layer(
            "# TYPE a gauge\n# HELP a old\na{tm=\"1\"} 1\nc 3\n",
            &key,
            SEEN + 1,
        ),
        layer(
            "# TYPE a gauge\n# HELP a new\na{tm=\"2\"} 2\nb 2\n",
            &key,
            SEEN + 100,
        ),
    ];

    let shown = shown(&group(&key, &layers), &[]);

    assert_eq!(shown["a"]["time_stamp"], "2020-03-09T19:24:08.125Z");
    assert_eq!(shown["a"]["help"], "new");
    assert_eq!(shown["a"]["metrics"].as_array().unwrap().len(), 2);
    assert_eq!(shown["b"]["metrics"][0]["value"], "2");
    assert_eq!(shown["c"]["metrics"][0]["value"], "3");
}

#[test]
fn families_named_like_a_key_of_the_gateway_stand_in_its_place_as_there() {
    let key = key(&[]);

    let shown = shown(&group(&key, &[layer("labels 1\n", &key, SEEN)]), &[]);

    assert_eq!(shown["labels"]["type"], "UNTYPED");
}

#[test]
fn selectors_leave_the_metrics_that_one_of_them_selects() {
    let key = key(&[]);
    let layers = [layer("a{x=\"1\"} 1\na{x=\"2\"} 2\nb{x=\"1\"} 3\n", &key, SEEN)];
    let group = group(&key, &layers);
    for (selectors, expected) in [
        (&["a"][..], &["a=1", "a=2"][..]),
        (&["{x=\"1\"}"], &["a=1", "b=3"]),
        (&["a{x=\"2\"}", "b"], &["a=2", "b=3"]),
        (&["{instance=\"\",job=\"j\",__name__=\"b\"}"], &["b=3"]),
        (&["push_failure_time_seconds"], &["push_failure_time_seconds=0"]),
        (&["c"], &[]),
    ] {
        let shown = shown(&group, selectors);

        let mut seen = Vec::new();
        for (name, family) in shown.as_object().unwrap() {
            for metric in family["metrics"].as_array().into_iter().flatten() {
                seen.push(format!("{name}={}", metric["value"].as_str().unwrap()));
            }
        }
        assert_eq!(seen, expected, "{selectors:?}");
        let parsed: Vec<Selector> = selectors.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(group.is_selected(&parsed), Ok(!expected.is_empty()));
    }
}

#[test]
fn strings_are_escaped_as_go_escapes_them() {
    let mut out = Vec::new();

    put_string(
        &mut out,
        "a<b>&\"'\\\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{2028}\u{2029}é\u{1b}",
    )
    .unwrap();

    let expected = "\"a\\u003cb\\u003e\\u0026\\\"'\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}\\u2028\\u2029é\\u001b\"";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn times_have_as_much_of_a_fraction_as_there_is() {
    for (millis, expected) in [
        (SEEN, "2020-03-09T19:24:08.025Z"),
        (SEEN + 75, "2020-03-09T19:24:08.1Z"),
        (SEEN - 25, "2020-03-09T19:24:08Z"),
        (1_583_781_840_000, "2020-03-09T19:24:00Z"),
    ] {
        assert_eq!(rfc3339(UnixMillis::new(millis)), expected);
    }
}
