use super::*;

/// A gauge with a label twice.
fn flawed(name: &str) -> v1::MetricFamily {
    let metric = v1::Metric {
        label: labels(&[("a", "b"), ("a", "c")]),
        ..gauge(1.0)
    };
    family(name, v1::MetricType::Gauge, vec![metric])
}

fn sound(name: &str) -> v1::MetricFamily {
    family(name, v1::MetricType::Gauge, vec![gauge(1.0)])
}

fn flaw_of(body: &[u8]) -> Option<String> {
    let read = decode_named(body, 1000, NameScheme::Utf8).unwrap();
    read.flaw.map(|flaw| flaw.to_string())
}

#[test]
fn what_makes_no_sense_is_a_flaw_of_a_body_that_can_be_read() {
    let no_name = |name| v1::Metric {
        label: labels(&[(name, "c")]),
        ..gauge(1.0)
    };
    let of = |metric| stream(&[family("g", v1::MetricType::Gauge, vec![metric])]);
    let mut not_text = of(no_name("a"));
    let value = not_text.iter().position(|byte| *byte == b'c').unwrap();
    not_text[value] = 0xff;

    for (body, expected) in [
        (stream(&[flawed("g")]), "duplicate label name \"a\""),
        (of(no_name("")), "invalid label name \"\""),
        (of(no_name("__name__")), "\"__name__\" is reserved"),
        (of(v1::Metric::default()), "has no gauge"),
        (not_text, "label value: is not valid UTF-8"),
    ] {
        let flaw = flaw_of(&body).unwrap();

        assert!(flaw.contains(expected), "{flaw}");
    }
}

#[test]
fn the_first_flaw_is_told_with_its_message() {
    let body = stream(&[sound("a"), flawed("b"), sound("c"), flawed("d")]);

    let flaw = flaw_of(&body).unwrap();

    assert!(
        flaw.starts_with("protobuf parsing error in metric family 2: "),
        "{flaw}"
    );
}

#[test]
fn of_two_families_of_one_name_only_the_last_ones_flaw_counts() {
    assert_eq!(flaw_of(&stream(&[flawed("g"), sound("g")])), None);
    assert!(flaw_of(&stream(&[sound("g"), flawed("g")])).is_some());
}

#[test]
fn what_cannot_be_read_counts_more_than_a_flaw_before_it() {
    let mut body = stream(&[flawed("a"), sound("b")]);
    body.pop();

    let error = decode_named(&body, 1000, NameScheme::Utf8).unwrap_err();

    assert_eq!(error.message, 2);
}

#[test]
fn more_labels_than_anybody_writes_are_no_flaw_but_an_error() {
    let many: Vec<(String, &str)> = (0..1001).map(|number| (format!("l{number}"), "v")).collect();
    let pairs: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let metric = v1::Metric {
        label: labels(&pairs),
        ..gauge(1.0)
    };
    let body = stream(&[family("g", v1::MetricType::Gauge, vec![metric])]);

    let error = decode_named(&body, 1000, NameScheme::Utf8).unwrap_err();

    assert!(error.problem.contains("more than 1000 labels"), "{error}");
}
