mod cases;

use proptest::prelude::*;

use super::*;
use crate::codec::exposition::tests::refused;

#[track_caller]
fn reads(body: &str, expected: &[&str]) {
    let exposition = parse(body.as_bytes(), 1000).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    assert_eq!(exposition.lines(), expected, "{body:?}");
}

#[track_caller]
fn refuses(body: impl AsRef<[u8]>, place: (usize, usize), problem: &str) {
    let body = body.as_ref();
    refused(body, parse(body, 1000), place, problem);
}

#[test]
fn a_flink_body_is_read_with_its_trailing_commas() {
    reads(
        "# HELP flink_jm_Load Load (scope: jm)\n# TYPE flink_jm_Load gauge\nflink_jm_Load{host=\"127_0_0_1\",tm_id=\"a\",} 2.68435456E8\n",
        &["flink_jm_Load{host=\"127_0_0_1\",tm_id=\"a\"} 268435456.0 [flink_jm_Load Gauge]"],
    );
}

#[test]
fn bounds_are_written_as_pushgateway_shows_them() {
    reads(
        "# TYPE s summary\ns{quantile=\"0.0\",} 1\ns{quantile=\"0.50\"} 2\n# TYPE h histogram\nh_bucket{le=\"1e6\"} 3\nh_bucket{le=\"inf\"} 4\n# TYPE g gauge\ng{le=\"1.0\",quantile=\"1.0\"} 5\n",
        &[
            "s{quantile=\"0\"} 1.0 [s Summary]",
            "s{quantile=\"0.5\"} 2.0 [s Summary]",
            "h_bucket{le=\"1e+06\"} 3.0 [h Histogram]",
            "h_bucket{le=\"+Inf\"} 4.0 [h Histogram]",
            "g{le=\"1.0\",quantile=\"1.0\"} 5.0 [g Gauge]",
        ],
    );
}

#[test]
fn a_label_that_stands_twice_is_found_however_many_there_are() {
    let many: String = (0..999).map(|number| format!("l{number}=\"v\",")).collect();

    assert!(parse(format!("a{{{many}}} 1\na{{{many}}} 2\n").as_bytes(), 10).is_ok());
    for twin in ["l0", "l31", "l32", "l998"] {
        let error = parse(format!("a{{{many}{twin}=\"w\"}} 1\n").as_bytes(), 10).unwrap_err();
        assert!(error.problem.contains("duplicate label name"), "{error}");
    }
}

#[test]
fn help_is_unescaped_and_keeps_its_inner_blanks() {
    let read = parse(b"# HELP a  one\\\\ \\n two \n# HELP b\n# TYPE a gauge\n", 10).unwrap();

    assert_eq!(read.families[0].help, "one\\ \n two ");
    assert_eq!(read.families[0].kind, MetricKind::Gauge);
}

#[test]
fn b13_numbers_are_read_as_go_reads_them() {
    for good in [
        "NaN",
        "nan",
        "+Inf",
        "-Inf",
        "inf",
        "infinity",
        "-Infinity",
        "1e3",
        "+1",
        ".5",
        "5.",
        "08",
    ] {
        assert!(parse(format!("a {good}\n").as_bytes(), 1).is_ok(), "{good}");
    }
    for bad in [
        "0x1p3", "0x1", "0b1", "0o7", "1_2", "+nan", "-NaN", "1e400", "in", "", ".", "1e", "1,5",
    ] {
        assert!(parse(format!("a {bad}\n").as_bytes(), 1).is_err(), "{bad}");
    }
}

#[test]
fn bad_input_is_refused_with_its_place() {
    refuses("a{b=\"c\",,} 1\n", (1, 9), "invalid label name");
    refuses("a{b=\"c", (1, 7), "unexpected end of input stream");
    refuses("{\"a", (1, 4), "unexpected end of input stream in a quoted name");
    refuses("bare\n", (1, 5), "expected float as value, got \"\"");
    refuses("a{b} 1\n", (1, 4), "expected '=' after label name \"b\"");
    refuses(b"{\"\xff\"} 1\n", (1, 4), "invalid UTF-8 in a quoted name");
}

#[test]
fn a_body_with_too_many_samples_is_refused() {
    assert!(parse(b"a 1\nb 1\n", 2).is_ok());
    assert!(
        parse(b"a 1\nb 1\n", 1)
            .unwrap_err()
            .problem
            .contains("more than 1 samples")
    );
}

#[test]
fn a_body_cut_at_any_byte_but_a_line_end_is_refused() {
    let body = b"# HELP a h\n# TYPE a gauge\na{b=\"c\",} 1.5\na{b=\"d\",} 2\n";

    for end in 0..body.len() {
        let whole_lines = end == 0 || body[end - 1] == b'\n';
        assert_eq!(parse(&body[..end], 10).is_ok(), whole_lines, "cut at {end}");
    }
}

#[test]
fn a_sample_with_more_labels_than_anybody_writes_is_refused() {
    let labels = |count: usize| {
        (0..count)
            .map(|index| format!("l{index}=\"\","))
            .collect::<String>()
    };

    assert!(parse(format!("a{{{}}} 1\n", labels(1000)).as_bytes(), 1).is_ok());
    let error = parse(format!("a{{{}}} 1\n", labels(1001)).as_bytes(), 1).unwrap_err();

    assert!(error.problem.starts_with("more than 1000 labels"), "{error}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_named(&body, 10, NameScheme::Utf8);
    }

    #[test]
    fn text_made_of_the_formats_own_pieces_never_panics(
        pieces in proptest::collection::vec(
            prop::sample::select(vec!["a", "{", "}", "b=\"", "\"", "\\", "n", ",", "=", " ", "\n", "1", "# TYPE ", "# HELP ",
                "summary", "_count", "le=\"", "\"a\"", "\t", "é", "NaN", "-"]), 0..40)
    ) {
        let _ = parse_named(pieces.concat().as_bytes(), 10, NameScheme::Utf8);
    }

    #[test]
    fn any_name_is_read_back(metric in "\\PC{1,9}", label in "\\PC{1,9}") {
        let quoted = |name: &str| name.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!("{{\"{}\"=\"v\",\"{}\"}} 1\n", quoted(&label), quoted(&metric));

        let read = parse_named(body.as_bytes(), 1, NameScheme::Utf8).unwrap();

        prop_assert_eq!(read.samples[0].labels.get(METRIC_NAME), Some(metric.as_str()));
        prop_assert_eq!(read.samples[0].labels.get(&label), Some("v"));
    }

    #[test]
    fn what_is_written_is_read_back(
        value in any::<f64>().prop_filter("text has one NaN", |value| !value.is_nan()),
        label in "\\PC{0,20}",
    ) {
        let escaped = label.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!("a{{b=\"{escaped}\",}} {value:?}\n");

        let read = parse(body.as_bytes(), 1).unwrap();

        prop_assert_eq!(read.samples[0].value.to_bits(), value.to_bits());
        prop_assert_eq!(read.samples[0].labels.get("b"), Some(label.as_str()));
    }
}
