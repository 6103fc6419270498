use proptest::prelude::*;

use super::*;
use crate::codec::exposition::tests::refused;

#[track_caller]
fn reads(body: &str, expected: &[&str]) {
    let body = format!("{body}# EOF\n");
    let exposition = parse(body.as_bytes(), 1000).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    assert_eq!(exposition.lines(), expected, "{body:?}");
}

#[track_caller]
fn refuses(body: impl AsRef<[u8]>, place: (usize, usize), problem: &str) {
    let body = body.as_ref();
    refused(body, parse(body, 1000), place, problem);
}

#[test]
fn the_end_need_not_be_said_as_by_gos_push_client_and_nothing_comes_after_it() {
    reads("", &[]);
    assert!(parse(b"# EOF", 1).is_ok());
    assert_eq!(parse(b"", 1).unwrap().lines(), [""; 0]);
    assert_eq!(parse(b"a 1\n", 1).unwrap().lines(), ["a{} 1.0 [a Untyped]"]);
    refuses("a 1", (1, 4), "the last line has no line feed");
    refuses("# EOF\na 1\n", (2, 1), "unexpected data after \"# EOF\"");
    refuses("# EOF\n\n", (2, 1), "unexpected data after \"# EOF\"");
    refuses("# EOFs\n", (1, 7), "expected TYPE, HELP, UNIT or EOF");
}

#[test]
fn counters_keep_their_total_and_their_creation() {
    reads(
        "# TYPE a counter\n# HELP a what \\\"it\\\" is\na_total{x=\"1\"} 17.0 # {trace=\"KOO5\"} 0.67 1520879607.7\na_created{x=\"1\"} 1520430000.123\n",
        &[
            "a_total{x=\"1\"} 17.0 [a_total Counter]",
            "a_created{x=\"1\"} 1520430000.123 [a_created Gauge]",
        ],
    );
    reads(
        "# TYPE a counter\na 1\n# TYPE b_total counter\nb_total 2\n",
        &["a{} 1.0 [a Counter]", "b_total{} 2.0 [b_total Counter]"],
    );
}

#[test]
fn parts_of_histograms_and_summaries_belong_to_them() {
    reads(
        "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2 # {} 9\nh_count 2\nh_sum 1e3\nh_created 5\nh_other 6\n",
        &[
            "h_bucket{le=\"1\"} 1.0 [h Histogram]",
            "h_bucket{le=\"+Inf\"} 2.0 [h Histogram]",
            "h_count{} 2.0 [h Histogram]",
            "h_sum{} 1000.0 [h Histogram]",
            "h_created{} 5.0 [h_created Gauge]",
            "h_other{} 6.0 [h_other Untyped]",
        ],
    );
    reads(
        "# TYPE s summary\ns{quantile=\"0.50\"} 1\ns_sum 2\ns_count 3\n# TYPE g gaugehistogram\ng_bucket{le=\"1e6\"} 1\ng_gsum 2\ng_gcount 3\n",
        &[
            "s{quantile=\"0.5\"} 1.0 [s Summary]",
            "s_sum{} 2.0 [s Summary]",
            "s_count{} 3.0 [s Summary]",
            "g_bucket{le=\"1e+06\"} 1.0 [g GaugeHistogram]",
            "g_gsum{} 2.0 [g_gsum Gauge]",
            "g_gcount{} 3.0 [g_gcount Gauge]",
        ],
    );
}

#[test]
fn other_types_are_gauges_or_nothing() {
    reads(
        "# TYPE i info\ni_info{version=\"1\"} 1\n# TYPE s stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# TYPE u unknown\nu 3\nbare NaN\n",
        &[
            "i_info{version=\"1\"} 1.0 [i_info Gauge]",
            "s{s=\"on\"} 1.0 [s Gauge]",
            "s{s=\"off\"} 0.0 [s Gauge]",
            "u{} 3.0 [u Untyped]",
            "bare{} NaN [bare Untyped]",
        ],
    );
}

#[test]
fn units_are_checked_against_the_name() {
    reads(
        "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1\n# UNIT b \nb 1\n",
        &["a_seconds{} 1.0 [a_seconds Gauge]", "b{} 1.0 [b Untyped]"],
    );
    refuses(
        "# UNIT a seconds\n# EOF\n",
        (1, 17),
        "not the end of the metric name",
    );
    refuses(
        "# UNIT seconds seconds\n# EOF\n",
        (1, 23),
        "not the end of the metric name",
    );
    refuses(
        "# UNIT aseconds seconds\n# EOF\n",
        (1, 24),
        "not the end of the metric name",
    );
}

#[test]
fn times_are_seconds_and_kept_for_the_judge() {
    reads(
        "a 1 1520879607.789\na 2 -1.5\na 3 5 # {} 1\n",
        &[
            "a{} 1.0 @1520879607789 [a Untyped]",
            "a{} 2.0 @-1500 [a Untyped]",
            "a{} 3.0 @5000 [a Untyped]",
        ],
    );
    refuses("a 1 NaN\n# EOF\n", (1, 8), "is no time");
    refuses("a 1 1e300\n# EOF\n", (1, 10), "is no time");
}

#[test]
fn exemplars_are_kept_wherever_they_stand() {
    let body = "# TYPE a counter\na_total 1 # {a=\"b\",c=\"d\"} 1.5 1520879607.789\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {} 1 -2.5\nh_count 1\nu 1 # {} 2\n# EOF\n";

    let read = parse(body.as_bytes(), 10).unwrap();

    let exemplar = |labels: &[(&'static str, &'static str)], value, at: Option<i64>| Exemplar {
        labels: labels.iter().copied().collect(),
        value,
        at: at.map(UnixNanos::new),
    };
    let exemplars: Vec<&[Exemplar<'_>]> = read.samples.iter().map(Sample::exemplars).collect();
    let expected: [&[Exemplar<'_>]; 4] = [
        &[exemplar(
            &[("a", "b"), ("c", "d")],
            1.5,
            Some(1_520_879_607_789_000_000),
        )],
        &[exemplar(&[], 1.0, Some(-2_500_000_000))],
        &[],
        &[exemplar(&[], 2.0, None)],
    ];
    assert_eq!(exemplars, expected);
}

#[test]
fn the_time_of_an_exemplar_is_as_exact_as_its_digits() {
    for (seconds, parts) in [
        (1_795_167_715.372, Some((1_795_167_715, 372_000_000))),
        (1.795167715788999e9, Some((1_795_167_715, 788_999_000))),
        (0.0, Some((0, 0))),
        (1e-9, Some((0, 1))),
        (1e-30, Some((0, 0))),
        (-1.5, Some((-2, 500_000_000))),
        (1e300, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ] {
        assert_eq!(exact_time(seconds).map(UnixNanos::parts), parts, "{seconds}");
    }
}

#[test]
fn any_name_is_read_in_quotes_where_names_are_utf8() {
    let body = "# TYPE \"a.b\" counter\n# HELP \"a.b\" help\n# UNIT \"c.d_seconds\" seconds\n{\"a.b_total\",\"l.m\"=\"v\"} 1 5 # {\"t.u\"=\"x\"} 2\n{k=\"w\",\"c.d_seconds\"} 3\n# TYPE \"h\\\"i\" histogram\n{\"h\\\"i_bucket\",le=\"1.0\"} 4\n# EOF\n";

    let read = parse_named(body.as_bytes(), 10, NameScheme::Utf8).unwrap();

    assert_eq!(
        read.lines(),
        [
            "{\"a.b_total\",\"l.m\"=\"v\"} 1.0 @5000 [a.b_total Counter]",
            "{\"c.d_seconds\",k=\"w\"} 3.0 [c.d_seconds Untyped]",
            "{\"h\\\"i_bucket\",le=\"1\"} 4.0 [h\"i Histogram]",
        ]
    );
    assert_eq!(read.families[0].help, "help");
}

#[test]
fn names_in_quotes_are_classic_unless_names_are_utf8() {
    reads(
        "# TYPE \"a\" gauge\n{\"a\",\"l\"=\"v\"} 1\n",
        &["a{l=\"v\"} 1.0 [a Gauge]"],
    );
    refuses("{\"a.b\"} 1\n# EOF\n", (1, 7), "invalid metric name \"a.b\"");
    refuses(
        "a{\"l.m\"=\"v\"} 1\n# EOF\n",
        (1, 8),
        "invalid label name \"l.m\"",
    );
    refuses("{\"a\",\"b\"} 1\n# EOF\n", (1, 9), "multiple metric names");
    refuses("{l=\"v\"} 1\n# EOF\n", (1, 8), "invalid metric name");
}

#[test]
fn bad_input_is_refused_with_its_place() {
    refuses("\n# EOF\n", (1, 1), "invalid metric name");
    refuses("a  1\n# EOF\n", (1, 3), "expected float as value, got \"\"");
    refuses(" a 1\n# EOF\n", (1, 1), "invalid metric name");
    refuses("a 1 \n# EOF\n", (1, 5), "expected float as timestamp");
    refuses("a 1 5 \n# EOF\n", (1, 7), "expected an exemplar");
    refuses("a\t1\n# EOF\n", (1, 2), "expected a blank");
    refuses("a 1\r\n# EOF\n", (1, 5), "expected float as value");
    refuses("a 0x1\n# EOF\n", (1, 6), "expected float as value");
    refuses("a 1 # 5\n# EOF\n", (1, 7), "expected '{'");
    refuses(
        "a 1 # {} x\n# EOF\n",
        (1, 11),
        "expected float as an exemplar's value",
    );
    refuses("a 1 # {} 1 2 3\n# EOF\n", (1, 13), "expected the end of the line");
    refuses("a{b=\"1\",b=\"2\"} 1\n# EOF\n", (1, 10), "duplicate label name");
    refuses("a{__name__=\"b\"} 1\n# EOF\n", (1, 11), "reserved");
    refuses("a{b=\"c", (1, 7), "unexpected end of input stream");
    refuses(b"a{b=\"\xff\"} 1\n# EOF\n", (1, 7), "invalid UTF-8");
    refuses("#TYPE a gauge\n# EOF\n", (1, 2), "expected a blank");
    refuses("# some words\n# EOF\n", (1, 7), "knows no other comments");
    refuses(
        "# TYPE a untyped\n# EOF\n",
        (1, 17),
        "unknown metric type \"untyped\"",
    );
    refuses(
        "# TYPE a gauge \n# EOF\n",
        (1, 16),
        "unknown metric type \"gauge \"",
    );
    refuses("# TYPE 1 gauge\n# EOF\n", (1, 8), "invalid metric name \"\"");
    refuses(
        "# TYPE a gauge\n# TYPE a gauge\n# EOF\n",
        (2, 15),
        "second TYPE line",
    );
    refuses("# HELP a b\n# HELP a c\n# EOF\n", (2, 11), "second HELP line");
    refuses(
        "# TYPE a gauge\na 1\n# HELP a b\n# EOF\n",
        (3, 11),
        "HELP reported after samples",
    );
    refuses(
        "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n# EOF\n",
        (2, 16),
        "expected float as value for \"le\"",
    );
}

#[test]
fn a_body_with_too_many_samples_is_refused() {
    assert!(parse(b"a 1\nb 1\n# EOF\n", 2).is_ok());
    assert!(
        parse(b"a 1\nb 1\n# EOF\n", 1)
            .unwrap_err()
            .problem
            .contains("more than 1 samples")
    );
}

#[test]
fn a_body_cut_within_a_line_is_refused() {
    let body = b"# TYPE a counter\n# HELP a h\na_total{b=\"c\"} 1.5 # {d=\"e\"} 1 2\n# EOF\n";

    for end in 0..body.len() - 1 {
        let is_whole = end == 0 || body[end - 1] == b'\n';
        assert_eq!(parse(&body[..end], 10).is_ok(), is_whole, "cut at {end}");
    }
    assert!(parse(&body[..body.len() - 1], 10).is_ok());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, 10);
    }

    #[test]
    fn text_made_of_the_formats_own_pieces_never_panics(
        pieces in proptest::collection::vec(
            prop::sample::select(vec!["a", "{", "}", "b=\"", "\"", "\\", "n", ",", "=", " ", "\n", "1", "# TYPE ", "# HELP ",
                "# UNIT ", "# EOF\n", "counter", "histogram", "_total", "_bucket", "le=\"", " # {", "é", "NaN", "-"]), 0..40)
    ) {
        let _ = parse(pieces.concat().as_bytes(), 10);
    }
}
