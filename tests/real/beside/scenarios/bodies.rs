//! What a body in text may say, and what it may not.

use crate::beside::request::Request;
use crate::beside::{Deliberate, Scenario, post, put};

const J: &str = "/metrics/job/j";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) const BODIES: &[Scenario] = &[
    Scenario::new("H12: a bare word", &[put(J, "blablabla\n")]),
    Scenario::new(
        "H17, S40: a timestamp",
        &[put(J, "a 3.14\nb{instance=\"i\"} 42 1000\n")],
    ),
    Scenario::new("S40: a timestamp of zero", &[put(J, "a 3.14 0\n")]),
    Scenario::new("B10: no line feed at the end", &[put(J, "a 1")]),
    Scenario::new("B10: line ends of Windows", &[put(J, "a 1\r\n")]),
    Scenario::new("B10: blanks before a name", &[put(J, "  \t a 1\n")]),
    Scenario::new("B10: a blank after the value", &[put(J, "a 1 \n")]),
    Scenario::new("B11: an empty PUT", &[put(J, "")]),
    Scenario::new("B11: an empty POST", &[post(J, "")]),
    Scenario::new("B11: nothing but a comment", &[put(J, "# only words\n")]),
    Scenario::new(
        "B11: HELP and TYPE without samples",
        &[put(J, "# HELP h words\n# TYPE h gauge\n")],
    ),
    Scenario::new("B12: a series twice", &[put(J, "a 1\na 2\n")]),
    Scenario::new(
        "B12: a series twice in another order of labels",
        &[put(J, "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n")],
    ),
    Scenario::new(
        "B12: families interleaved",
        &[put(J, "a{x=\"1\"} 1\nb 1\na{x=\"2\"} 2\n")],
    ),
    Scenario::new(
        "B12: other label names",
        &[put(J, "a{x=\"1\"} 1\na{y=\"2\"} 2\na 3\n")],
    ),
    Scenario::new("B12: an empty label and none", &[put(J, "m{a=\"\"} 1\nm 2\n")]),
    Scenario::new(
        "B12: an empty label and none over two pushes",
        &[
            put("/metrics/job/j/g/1", "m{a=\"\"} 1\n"),
            put("/metrics/job/j/g/2", "m 2\n"),
        ],
    ),
    Scenario::new(
        "B13: numbers",
        &[put(
            J,
            "n1 NaN\nn2 nan\nn3 +Inf\nn4 -Inf\nn5 inf\nn6 infinity\nn7 1e3\nn8 -0\nn9 +5\nn10 .5\nn11 5.\nn12 1E-9\n",
        )],
    ),
    Scenario::new(
        "B13: how numbers are written",
        &[put(
            J,
            "w1 100000\nw2 1000000\nw3 123456789\nw4 1e21\nw5 1e-5\nw6 0.0001\nw7 1e20\nw8 4.9E-324\nw9 1.7976931348623157E308\nw10 0.1\nw11 2.68435456E8\nw12 123456789012345680\n",
        )],
    ),
    Scenario::new("B13: a number that is too large", &[put(J, "a 1e999\n")]),
    Scenario::new("B13: a number that is too small", &[put(J, "a 1e-999\n")]),
    Scenario::new("B14: HELP twice", &[put(J, "# HELP a x\n# HELP a x\na 1\n")]),
    Scenario::new(
        "B14: TYPE twice",
        &[put(J, "# TYPE a gauge\n# TYPE a gauge\na 1\n")],
    ),
    Scenario::new("B14: TYPE after a sample", &[put(J, "a 1\n# TYPE a gauge\n")]),
    Scenario::new("B14: HELP after a sample", &[put(J, "a 1\n# HELP a words\n")]),
    Scenario::new(
        "B14: the end of OpenMetrics as a comment",
        &[put(J, "a 1\n# EOF\n")],
    ),
    Scenario::new("B14: the type unknown", &[put(J, "# TYPE a unknown\na 1\n")]),
    Scenario::new(
        "B14: an exemplar",
        &[put(J, "# TYPE a counter\na 1 # {t=\"x\"} 1\n")],
    ),
    Scenario::new("B15: a label __name__", &[put(J, "a{__name__=\"b\"} 1\n")]),
    Scenario::new("B15: another reserved label", &[put(J, "a{__x=\"b\"} 1\n")]),
    Scenario::new(
        "B15: a label value that is not UTF-8",
        &[Request::made("PUT", J, || b"a{x=\"\xff\"} 1\n".to_vec())],
    ),
    Scenario::new(
        "B15: HELP that is not UTF-8",
        &[Request::made("PUT", J, || b"# HELP a \xff\na 1\n".to_vec())],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new(
        "B15: a comment that is not UTF-8",
        &[Request::made("PUT", J, || b"# \xff\na 1\n".to_vec())],
    ),
    Scenario::new("B15: a zero byte in a label value", &[put(J, "a{x=\"\0\"} 1\n")]),
    Scenario::new("B15: a name with a dot", &[put(J, "a.b 1\n")]),
    Scenario::new("B15: a quoted name", &[put(J, "{\"a.b\"} 1\n")]),
    Scenario::new(
        "B18: a summary with quantiles only",
        &[put(
            J,
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\n",
        )],
    ),
    Scenario::new(
        "B18, F07: a summary as Flink writes it, without sum",
        &[put(
            J,
            "# TYPE s summary\ns_count 2\ns{quantile=\"0.5\",} 1\ns{quantile=\"0.99\",} NaN\n",
        )],
    ),
    Scenario::new(
        "B18: a summary with nothing but a count",
        &[put(J, "# TYPE s summary\ns_count 2\n")],
    ),
    Scenario::new(
        "B18: a summary with nothing but a sum",
        &[put(J, "# TYPE s summary\ns_sum 2\n")],
    ),
    Scenario::new(
        "B18: a histogram without +Inf",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\nh_sum 3\nh_count 4\n",
        )],
    ),
    Scenario::new(
        "B18: a histogram with buckets only",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\n",
        )],
    ),
    Scenario::new(
        "B18: a histogram with its bare name",
        &[put(J, "# TYPE h histogram\nh 1\nh_count 2\n")],
    ),
    Scenario::new(
        "B19: a counter",
        &[put(
            J,
            "# TYPE c counter\nc 1\n# TYPE d_total counter\nd_total 2\n",
        )],
    ),
    Scenario::new(
        "B20: series that become one",
        &[put(J, "a{job=\"1\"} 1\na{job=\"2\"} 2\n")],
    ),
    Scenario::new(
        "M03: other content types are text",
        &[
            put(J, "a 1\n").kind("application/json"),
            post(J, "b 1\n").kind("application/vnd.google.protobuf"),
            post(J, "c 1\n").kind("application/vnd.google.protobuf; encoding=delimited"),
            post(J, "d 1\n").kind("application/x-www-form-urlencoded"),
            post(J, "e 1\n").kind("what's that;;"),
            post(J, "f 1\n").kind(""),
        ],
    ),
    Scenario::new(
        "M03: OpenMetrics with an end is read either way",
        &[put(J, "# TYPE a gauge\na 1\n# EOF\n").kind(OPENMETRICS)],
    ),
    Scenario::new(
        "M03, B14: OpenMetrics without an end",
        &[put(J, "# TYPE a gauge\na 1\n").kind(OPENMETRICS)],
    ),
    Scenario::new(
        "M03, B14: OpenMetrics with what text has not",
        &[put(J, "# TYPE a unknown\na 1 # {t=\"x\"} 1\n# EOF\n")
            .kind(OPENMETRICS)
            .but(Deliberate::OpenMetricsBody, 400, 200)],
    )
    .but(Deliberate::OpenMetricsBody),
    Scenario::new(
        "M03, B14: OpenMetrics with types and exemplars that text has not",
        &[put(
            J,
            "# TYPE a unknown\na 1\n# TYPE c counter\nc_total 1 # {t=\"x\"} 1\n# EOF\n",
        )
        .kind(OPENMETRICS)
        .but(Deliberate::OpenMetricsBody, 400, 200)],
    )
    .but(Deliberate::OpenMetricsBody),
];
