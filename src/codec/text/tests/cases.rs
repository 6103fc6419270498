//! The cases P00 - P66 of the reference, each under its name.

use super::*;

/// What a body says in a scheme, a sample a line.
#[track_caller]
fn said(id: &str, body: &str, names: NameScheme) -> Vec<String> {
    let read = parse_named(body.as_bytes(), 1000, names);
    read.unwrap_or_else(|error| panic!("{id} {body:?}: {error}"))
        .lines()
}

#[track_caller]
fn check_utf8(id: &str, body: &str, expected: &[&str]) {
    assert_eq!(said(id, body, NameScheme::Utf8), expected, "{id} {body:?}");
}

/// Names in quotes apart the schemes read alike.
#[track_caller]
fn check(id: &str, body: &str, expected: &[&str]) {
    assert_eq!(said(id, body, NameScheme::Classic), expected, "{id} {body:?}");
    check_utf8(id, body, expected);
}

#[track_caller]
fn check_bad_in(names: NameScheme, id: &str, body: &[u8], (place, problem): ((usize, usize), &str)) {
    let shown = String::from_utf8_lossy(body);
    let error = parse_named(body, 1000, names)
        .err()
        .unwrap_or_else(|| panic!("{id}: {shown:?} was read"));
    assert!(error.problem.contains(problem), "{id} {shown:?}: {error}");
    assert_eq!((error.line, error.column), place, "{id} {shown:?}: {error}");
}

#[track_caller]
fn check_bad(id: &str, body: impl AsRef<[u8]>, place: (usize, usize), problem: &str) {
    for names in [NameScheme::Classic, NameScheme::Utf8] {
        check_bad_in(names, id, body.as_ref(), (place, problem));
    }
}

#[test]
fn p00_to_p02_plain_lines() {
    check("P00", "\n\n\n  \t\n", &[]);
    check(
        "P01",
        "one 1.5\ntwo -3e-3 103948\nthree{} 3\n# a comment\n# HELP nobody has it\n",
        &[
            "one{} 1.5 [one Untyped]",
            "two{} -0.003 @103948 [two Untyped]",
            "three{} 3.0 [three Untyped]",
        ],
    );
    check(
        "P02",
        "\t # HELP c the  \\\\ help \\n of c\n  # TYPE\tc   counter\nc{a=\"\\\"q\\\\\\n\",b=\"x\"} NaN\n  c\t { a = \"y\" , } -Inf\ng{a=\"z\"}+Inf\n#a comment\n# HELP g after its samples\n",
        &[
            "c{a=\"\\\"q\\\\\\n\",b=\"x\"} NaN [c Counter]",
            "c{a=\"y\"} -inf [c Counter]",
            "g{a=\"z\"} inf [g Untyped]",
        ],
    );
}

#[test]
fn p03_p04_p12_to_p17_summaries_and_histograms() {
    check(
        "P03",
        "# TYPE s summary\n# HELP s\ns{a=\"1\",quantile=\"0.5\"} 1\nother 7\ns_count{a=\"1\"} 9 5\nfake_sum 3\ns{quantile=\"0.90\",a=\"1\"} NaN 6\ns_sum{a=\"1\"} 08\ns{a=\"2\",quantile=\"-1\"} -2\n",
        &[
            "s{a=\"1\",quantile=\"0.5\"} 1.0 [s Summary]",
            "other{} 7.0 [other Untyped]",
            "s_count{a=\"1\"} 9.0 @5 [s Summary]",
            "fake_sum{} 3.0 [fake_sum Untyped]",
            "s{a=\"1\",quantile=\"0.9\"} NaN @6 [s Summary]",
            "s_sum{a=\"1\"} 8.0 [s Summary]",
            "s{a=\"2\",quantile=\"-1\"} -2.0 [s Summary]",
        ],
    );
    check(
        "P04",
        "# TYPE h histogram\nh_bucket{le=\"100\"} 123\nh_bucket{le=\"120\"} 412\nh_bucket{le=\"144\"} 592\nh_bucket{le=\"172.8\"} 1524\nh_bucket{le=\"+Inf\"} 2693\nh_sum 1.7560473e+06\nh_count 2693\n",
        &[
            "h_bucket{le=\"100\"} 123.0 [h Histogram]",
            "h_bucket{le=\"120\"} 412.0 [h Histogram]",
            "h_bucket{le=\"144\"} 592.0 [h Histogram]",
            "h_bucket{le=\"172.8\"} 1524.0 [h Histogram]",
            "h_bucket{le=\"+Inf\"} 2693.0 [h Histogram]",
            "h_sum{} 1756047.3 [h Histogram]",
            "h_count{} 2693.0 [h Histogram]",
        ],
    );
    for (id, word, kind, bucket, count) in [
        ("P12", "histogram", "Histogram", "0.5", "1.5"),
        ("P13", "histogram", "Histogram", "1.0", "1.5"),
        ("P14", "histogram", "Histogram", "0.5", "2.0"),
        ("P15", "gaugehistogram", "GaugeHistogram", "1.0", "2.0"),
        ("P16", "gauge_histogram", "GaugeHistogram", "1.0", "2.0"),
        ("P17", "GaugeHistogram", "GaugeHistogram", "0.5", "2.0"),
    ] {
        check(
            id,
            &format!("# TYPE h {word}\nh_bucket{{le=\"1\"}} {bucket}\nh_count {count}\n"),
            &[
                &format!("h_bucket{{le=\"1\"}} {bucket} [h {kind}]"),
                &format!("h_count{{}} {count} [h {kind}]"),
            ],
        );
    }
}

#[test]
fn p05_to_p11_names_in_quotes() {
    check_utf8(
        "P05",
        "# HELP \"my.noncompliant\" a name\n# TYPE \"my.noncompliant\" counter\n{\"my.noncompliant\",\"dotted.label\"=\"v\",plain=\"w\"} 1\n",
        &["{\"my.noncompliant\",\"dotted.label\"=\"v\",plain=\"w\"} 1.0 [my.noncompliant Counter]"],
    );
    check_utf8(
        "P06",
        "# TYPE \"a.b\" gauge\n{\"a.b\",l=\"1\"} 1\n{\"a.b\",l=\"2\"} 2 1000\n",
        &[
            "{\"a.b\",l=\"1\"} 1.0 [a.b Gauge]",
            "{\"a.b\",l=\"2\"} 2.0 @1000 [a.b Gauge]",
        ],
    );
    check_utf8(
        "P07",
        "  # TYPE \"a.b\" gauge\n\t {\"a.b\"} 1\n  {\"a.b\"} 2 1000\n",
        &["{\"a.b\"} 1.0 [a.b Gauge]", "{\"a.b\"} 2.0 @1000 [a.b Gauge]"],
    );
    check_utf8(
        "P08",
        "# HELP \"a.b\" two\\nlines \\\"quoted\\\"\n{\"a.b\",\"l.*\"=\"\\\"\\\\\\nö\",\"ö\"=\"x\"} 1\n",
        &["{\"a.b\",\"l.*\"=\"\\\"\\\\\\nö\",\"ö\"=\"x\"} 1.0 [a.b Untyped]"],
    );
    check_utf8(
        "P09",
        "{\"a\\\"b\\nc\\\\d\",\"l\\\"m\\nn\\\\o\"=\"v\"} 1\n",
        &["{\"a\\\"b\\nc\\\\d\",\"l\\\"m\\nn\\\\o\"=\"v\"} 1.0 [a\"b\nc\\d Untyped]"],
    );
    check_utf8(
        "P10",
        "{k=\"v\",\"a.b\",\"l.m\"=\"w\"} 1\n{k=\"v\" , \"c.d\" } 2\n",
        &[
            "{\"a.b\",k=\"v\",\"l.m\"=\"w\"} 1.0 [a.b Untyped]",
            "{\"c.d\",k=\"v\"} 2.0 [c.d Untyped]",
        ],
    );
    check_utf8(
        "P11",
        "{\"a.b\"} 1\n{\"c.d\",} 2\n{\"e.f\"}3\n",
        &[
            "{\"a.b\"} 1.0 [a.b Untyped]",
            "{\"c.d\"} 2.0 [c.d Untyped]",
            "{\"e.f\"} 3.0 [e.f Untyped]",
        ],
    );
}

#[test]
fn p08_help_keeps_what_was_escaped_in_it() {
    let body = "# HELP \"a.b\" two\\nlines \\\"quoted\\\" \\\\\n";

    let read = parse_named(body.as_bytes(), 10, NameScheme::Utf8).unwrap();

    assert_eq!(read.families[0].name, "a.b");
    assert_eq!(read.families[0].help, "two\nlines \"quoted\" \\");
}

#[test]
fn p05_to_p11_what_prometheus_reads_besides() {
    check(
        "P05",
        "{\"a\",x=\"1\"} 1\n{a,x=\"2\"} 2\n\"a\"{x=\"3\"} 3\na{\"x\"=\"4\"} 4\na\"b\" 5\n",
        &[
            "a{x=\"1\"} 1.0 [a Untyped]",
            "a{x=\"2\"} 2.0 [a Untyped]",
            "a{x=\"3\"} 3.0 [a Untyped]",
            "a{x=\"4\"} 4.0 [a Untyped]",
            "ab{} 5.0 [ab Untyped]",
        ],
    );
    check_utf8(
        "P05",
        "# TYPE \"s.t\" summary\n{quantile=\"0.50\",\"s.t\"} 1\n{\"s.t_count\"} 2\n# TYPE \"h.i\" histogram\n{\"h.i_bucket\",\"le\"=\"1.0\"} 3\n",
        &[
            "{\"s.t\",quantile=\"0.5\"} 1.0 [s.t Summary]",
            "{\"s.t_count\"} 2.0 [s.t Summary]",
            "{\"h.i_bucket\",le=\"1\"} 3.0 [h.i Histogram]",
        ],
    );
    check("P36", "# HELP \n# TYPE a\n# TYPE \"a.b\"\n# HELP\ta \n", &[]);
}

#[test]
fn p20_to_p31_bad_samples() {
    check_bad("P20", "a 1\nb 2", (2, 4), "no line feed");
    check_bad("P21", "a{b=\"\\t\"} 1\n", (1, 7), "invalid escape sequence '\\t'");
    check_bad("P22", "a{b=\"x\ny\"} 1\n", (1, 7), "unescaped line feed");
    check_bad("P23", "a{@=\"b\"} 1\n", (1, 3), "invalid label name");
    check_bad("P24", "a{__name__=\"b\"} 1\n", (1, 11), "reserved");
    check_bad("P25", "a{b+=\"c\"} 1\n", (1, 4), "expected '='");
    check_bad("P26", "a{b=c} 1\n", (1, 5), "expected '\"'");
    check_bad(
        "P27",
        "# TYPE s summary\ns{quantile=\"foo\"} 1\n",
        (2, 17),
        "expected float as value for \"quantile\"",
    );
    check_bad(
        "P27",
        "# TYPE s summary\n{\"s\",quantile=\"foo\"} 1\n",
        (2, 21),
        "expected float as value for \"quantile\"",
    );
    check_bad("P28", "a{b=\"c\"x} 1\n", (1, 8), "expected ',' or '}'");
    check_bad("P29", "a 1 2.8\n", (1, 8), "expected integer as timestamp");
    check_bad("P30", "a 1 28 x\n", (1, 7), "spurious string");
    check_bad("P31", "a one\n", (1, 6), "expected float as value, got \"one\"");
}

#[test]
fn p32_to_p41_bad_comments_and_names() {
    check_bad("P32", "# HELP a one\n# HELP a two\n", (2, 10), "second HELP line");
    check_bad(
        "P33",
        "# TYPE a gauge\n# TYPE a gauge\n",
        (2, 10),
        "second TYPE line",
    );
    check_bad(
        "P34",
        "a 1\n# TYPE a gauge\n",
        (2, 10),
        "TYPE reported after samples",
    );
    check_bad("P35", "# TYPE a bla\n", (1, 13), "unknown metric type \"bla\"");
    check_bad(
        "P36",
        "# TYPE a-b gauge\n",
        (1, 9),
        "invalid metric name in comment",
    );
    check_bad("P37", "@x 1\n", (1, 1), "invalid metric name");
    check_bad("P38", "{a=\"b\"} 1\n", (1, 8), "invalid metric name");
    check_bad(
        "P39",
        "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
        (2, 16),
        "expected float as value for \"le\"",
    );
    check_bad("P40", b"a{b=\"\xff\"} 1\n", (1, 7), "invalid UTF-8");
    check_bad("P41", "a 1_2\n", (1, 6), "expected float as value, got \"1_2\"");
}

#[test]
fn p42_to_p51_numbers_that_only_programs_write() {
    for (id, number) in [
        ("P42", "0x1p-3"),
        ("P43", "0x1P-3"),
        ("P44", "0x12"),
        ("P45", "0X12"),
        ("P46", "0b1"),
        ("P47", "0B1"),
        ("P48", "0o1"),
        ("P49", "0O1"),
    ] {
        let end = number.len() + 1;
        let problem = "expected float as value";
        check_bad(id, format!("a {number}\n"), (1, end + 2), problem);
        let bucket = format!("# TYPE h histogram\nh_bucket{{le=\"{number}\"}} 1\n");
        check_bad("P50", bucket, (2, end + 14), "for \"le\" label");
        let quantile = format!("# TYPE s summary\ns{{quantile=\"{number}\"}} 1\n");
        check_bad("P51", quantile, (2, end + 13), "for \"quantile\" label");
    }
}

#[test]
fn p52_to_p60_bad_names_in_quotes() {
    check_bad("P52", "a{b=\"1\",b=\"2\"} 1\n", (1, 10), "duplicate label name");
    check_bad(
        "P52",
        "{\"a\",b=\"1\",\"b\"=\"2\"} 1\n",
        (1, 15),
        "duplicate label name",
    );
    check_bad("P53", "{\"a\",\"b\"} 1\n", (1, 9), "multiple metric names");
    check_bad("P54", "{\"a\\t\"} 1\n", (1, 5), "invalid escape sequence '\\t'");
    check_bad(
        "P55",
        "{\"a\".} 1\n",
        (1, 5),
        "unexpected end of metric name \"a\"",
    );
    check_bad(
        "P56",
        "# TYPE \"a\\t\" gauge\n",
        (1, 11),
        "invalid escape sequence '\\t'",
    );
    check_bad("P57", "{\"a\nb\"} 1\n", (1, 4), "unescaped line feed");
    check_bad("P58", "{\"a\",\"b\nc\"=\"d\"} 1\n", (1, 8), "unescaped line feed");
}

#[test]
fn p53_p58_to_p60_are_read_by_the_scheme() {
    for (id, body, classic, utf8) in [
        (
            "P53",
            "{\"a.b\",\"c.d\"} 1\n",
            ((1, 7), "invalid metric name \"a.b\""),
            Some(((1, 13), "multiple metric names")),
        ),
        (
            "P58",
            "{\"a.b\",\"c\nd\"=\"e\"} 1\n",
            ((1, 7), "invalid metric name \"a.b\""),
            Some(((1, 10), "unescaped line feed")),
        ),
        (
            "P59",
            "{\"a.b\"} 1\n",
            ((1, 7), "invalid metric name \"a.b\": it matches [a-zA-Z_:]"),
            None,
        ),
        (
            "P59",
            "# TYPE \"a.b\" gauge\n",
            ((1, 13), "invalid metric name \"a.b\""),
            None,
        ),
        (
            "P59",
            "\"a.b\" 1\n",
            ((1, 6), "invalid metric name \"a.b\""),
            None,
        ),
        (
            "P60",
            "{\"a\",\"b.c\"=\"d\"} 1\n",
            ((1, 11), "invalid label name \"b.c\" for metric \"a\""),
            None,
        ),
        (
            "P60",
            "a{\"b.c\"=\"d\"} 1\n",
            ((1, 8), "invalid label name \"b.c\" for metric \"a\""),
            None,
        ),
    ] {
        check_bad_in(NameScheme::Classic, id, body.as_bytes(), classic);
        match utf8 {
            Some(problem) => check_bad_in(NameScheme::Utf8, id, body.as_bytes(), problem),
            None => assert!(!said(id, &format!("{body}end 1\n"), NameScheme::Utf8).is_empty()),
        }
    }
}

#[test]
fn p61_to_p66_bad_counts_and_ends() {
    let histogram = |sample: &str| format!("# TYPE h histogram\n{sample}\n");
    check_bad("P61", histogram("h_count -1"), (2, 11), "negative value");
    check_bad(
        "P62",
        histogram("h_bucket{le=\"1\"} -1"),
        (2, 20),
        "negative value",
    );
    check_bad("P63", histogram("h_count -0.5"), (2, 13), "negative value");
    check_bad(
        "P64",
        histogram("h_bucket{le=\"1\"} -0.5"),
        (2, 22),
        "negative value",
    );
    check_bad("P65", "{} 3.14\n", (1, 3), "invalid metric name");
    check_bad("P65", "a 1\n{} 3.14\n", (2, 3), "invalid metric name");
    check_bad("P65", "{\"\"} 3.14\n", (1, 4), "invalid label name");
    check_bad("P65", "\"\" 3.14\n", (1, 3), "invalid metric name");
    check("P66", "", &[]);
}

#[test]
fn b10_to_b19_bodies_of_one_push() {
    check_bad("B10", "a 1\r\n", (1, 5), "expected float as value");
    check_bad("B10", "a 1 \n", (1, 5), "expected integer as timestamp");
    check("B10", " \ta 1\n", &["a{} 1.0 [a Untyped]"]);
    check("B11", "# only a comment\n", &[]);
    check("B11", "# HELP a x\n# TYPE a gauge\n", &[]);
    check(
        "B12",
        "a{x=\"1\"} 1\nb 1\na{y=\"1\"} 2\n",
        &[
            "a{x=\"1\"} 1.0 [a Untyped]",
            "b{} 1.0 [b Untyped]",
            "a{y=\"1\"} 2.0 [a Untyped]",
        ],
    );
    check("B14", "# EOF\n", &[]);
    check_bad("B14", "# TYPE a unknown\n", (1, 17), "unknown metric type");
    check_bad(
        "B14",
        "a 1 # {t=\"x\"} 2\n",
        (1, 6),
        "expected integer as timestamp",
    );
    check("B15", "a{__x=\"1\"} 1\n", &["a{__x=\"1\"} 1.0 [a Untyped]"]);
    check_bad("B15", "a.b 1\n", (1, 4), "expected float as value, got \".b\"");
    check(
        "B18",
        "# TYPE s summary\ns{quantile=\"1\"} 1\n# TYPE t summary\nt_count 1\n",
        &["s{quantile=\"1\"} 1.0 [s Summary]", "t_count{} 1.0 [t Summary]"],
    );
    check("B19", "# TYPE c counter\nc 1\n", &["c{} 1.0 [c Counter]"]);
}
