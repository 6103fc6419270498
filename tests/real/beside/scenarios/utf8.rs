//! Names in UTF-8, where they are switched on.

use crate::beside::request::{PROTOBUF, Request};
use crate::beside::{Deliberate, Scenario, delete, post, put};

const J: &str = "/metrics/job/j";
const DOTTED: &str = "/metrics/job/testjob/instance/testinstance/U__dotted_2e_label_2e_name/testvalue";

pub(super) const UTF8: &[Scenario] = &[
    Scenario::new(
        "H20: a dotted label in the path, a dotted name in the body",
        &[put(
            DOTTED,
            "some_metric 3.14\n{\"another.metric\",instance=\"testinstance\",job=\"testjob\",\"dotted.label.name\"=\"v\"} 42\n",
        )],
    ),
    Scenario::new(
        "H21: the same in base64",
        &[put(
            "/metrics/job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl/U__dotted_2e_label_2e_name@base64/dGVzdC9kb3R0ZWQubGFiZWw=",
            "some_metric 3.14\n{\"another.metric\",instance=\"testinstance\",job=\"testjob\"} 42\n",
        )],
    ),
    Scenario::new(
        "H22: dotted names in protobuf",
        &[Request::made("PUT", DOTTED, super::histograms::dotted).kind(PROTOBUF)],
    ),
    Scenario::new(
        "H34: a deletion by a dotted label",
        &[put(DOTTED, "a 1\n"), delete(DOTTED)],
    ),
    Scenario::new(
        "H35: a deletion in base64",
        &[
            put(DOTTED, "a 1\n"),
            delete(
                "/metrics/job@base64/dGVzdGpvYg==/instance@base64/dGVzdGluc3RhbmNl/U__dotted_2e_label_2e_name@base64/dGVzdHZhbHVl",
            ),
        ],
    ),
    Scenario::new(
        "H49: an escaped name",
        &[put("/metrics/job/j/label_name1/v/U__label_2e_name2/w", "a 1\n")],
    ),
    Scenario::new(
        "H50: escaped names with slashes in base64",
        &[put(
            "/metrics/job/j/label_name1@base64/bGFiZWwvdmFsdWUx/U__label_2e_name2@base64/bGFiZWwvdmFsdWUy",
            "a 1\n",
        )],
    ),
    Scenario::new(
        "escaped names as they can be",
        &[
            put("/metrics/job/j/U__under__score/v", "a 1\n"),
            put("/metrics/job/j/U___1F60A_/v", "b 1\n"),
            put("/metrics/job/j/U___55_____x/v", "c 1\n"),
            put("/metrics/job/j/U__in_xxx_valid/v", "d 1\n"),
            put("/metrics/job/j/U__/v", "e 1\n"),
            put("/metrics/job/j/U__a_2e/v", "f 1\n"),
            put("/metrics/job/j/U___2E_up/v", "g 1\n"),
            put("/metrics/job/j/U____x/v", "h 1\n"),
            put("/metrics/job/j/U___D800_/v", "i 1\n"),
            put("/metrics/job/j/U___110000_/v", "k 1\n"),
        ],
    ),
    Scenario::new(
        "names that need no escape when they are in UTF-8",
        &[
            put("/metrics/job/j/na-me/v", "a 1\n"),
            put("/metrics/job/j/na.me/v", "b 1\n"),
            put("/metrics/job/j/%C3%A4/v", "c 1\n"),
            put("/metrics/job/j/__x/v", "d 1\n"),
            put("/metrics/job/j/U____x/v", "e 1\n"),
            put("/metrics/job/j/0x/v", "f 1\n"),
            put("/metrics/job/j/a=b/v", "g 1\n"),
            put("/metrics/job/j//v", "h 1\n"),
        ],
    ),
    Scenario::new(
        "P05: a quoted name and its HELP",
        &[put(
            J,
            "# HELP \"my.noncompliant.metric\" help text\n# TYPE \"my.noncompliant.metric\" counter\n{\"my.noncompliant.metric\",\"label.name\"=\"value\"} 1\n",
        )],
    ),
    Scenario::new(
        "P06: several samples of a quoted name",
        &[put(
            J,
            "# TYPE \"a.b\" gauge\n{\"a.b\",x=\"1\"} 1\n{\"a.b\",x=\"2\"} 2\n",
        )],
    ),
    Scenario::new(
        "P07: without labels, indented",
        &[put(
            J,
            "  # HELP \"a.b\" words\n  # TYPE \"a.b\" gauge\n  {\"a.b\"} 1\n",
        )],
    ),
    Scenario::new(
        "P08: quoted label names",
        &[put(
            J,
            "# HELP \"a.b\" one\\n\\\"two\n{\"a.b\",\"l.n\"=\"\\\"v\\\\\\n\",\"l*\"=\"Ö\"} 1\n",
        )],
    ),
    Scenario::new(
        "P09: escapes in names",
        &[put(J, "{\"a\\\"b\\nc\\\\d\",\"e\\\"f\\ng\\\\h\"=\"v\"} 1\n")],
    ),
    Scenario::new(
        "P10: a name that is not first",
        &[put(J, "{x=\"y\",\"a.b\"} 1\n")],
    ),
    Scenario::new(
        "P11: several quoted names",
        &[put(J, "{\"a.b\"} 1\n{\"c.d\"} 2\n")],
    ),
    Scenario::new(
        "P53: two quoted names in one brace",
        &[put(J, "{\"one\",\"two\"} 3.14\n")],
    ),
    Scenario::new("P54: an unknown escape in a name", &[put(J, "{\"a\\xc5z\"} 1\n")]),
    Scenario::new(
        "P55: a dot after a quoted name",
        &[put(J, "{\"name\".label=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P56: an unknown escape in TYPE",
        &[put(J, "# TYPE \"a\\xc5z\" counter\n")],
    ),
    Scenario::new(
        "P57: a raw line feed in a name",
        &[put(J, "{\"name\nline\"} 3.14\n")],
    ),
    Scenario::new(
        "P58: a raw line feed in a label name",
        &[put(J, "{\"name\",\"a\nb\"=\"c\"} 3.14\n")],
    ),
    Scenario::new(
        "P65: empty braces, over which a Pushgateway's handler panics",
        &[put(J, "{} 3.14\n").but(Deliberate::BadPushHurtsNobodyElse, 0, 400)],
    ),
    Scenario::new("an empty quoted name", &[put(J, "{\"\"} 3.14\n")]),
    Scenario::new(
        "an empty quoted label name",
        &[put(J, "{\"a\",\"\"=\"b\"} 3.14\n")],
    ),
    Scenario::new(
        "a quoted __name__",
        &[put(J, "{\"a\",\"__name__\"=\"b\"} 3.14\n")],
    ),
    Scenario::new(
        "a quoted reserved label",
        &[put(J, "{\"a\",\"__x\"=\"b\"} 3.14\n")],
    ),
    Scenario::new("a bare name with a dot", &[put(J, "a.b 1\n")]),
    Scenario::new("a name and braces with a name", &[put(J, "a{\"b.c\"} 1\n")]),
    Scenario::new(
        "a histogram with a dotted name",
        &[put(
            J,
            "# TYPE \"h.i\" histogram\n{\"h.i_bucket\",le=\"1\"} 1\n{\"h.i_bucket\",le=\"+Inf\"} 2\n{\"h.i_sum\"} 3\n{\"h.i_count\"} 2\n",
        )],
    ),
    Scenario::new(
        "a summary with a dotted name",
        &[put(
            J,
            "# TYPE \"s.t\" summary\n{\"s.t\",quantile=\"0.5\"} 1\n{\"s.t_sum\"} 3\n{\"s.t_count\"} 2\n",
        )],
    ),
    Scenario::new(
        "another type in another group",
        &[
            put("/metrics/job/a", "# TYPE \"m.n\" gauge\n{\"m.n\"} 1\n"),
            put("/metrics/job/b", "# TYPE \"m.n\" counter\n{\"m.n\"} 1\n"),
            post("/metrics/job/b", "# TYPE \"m.n\" gauge\n{\"m.n\"} 1\n"),
        ],
    ),
    Scenario::new(
        "a name in UTF-8 and the name it is escaped to",
        &[put(J, "{\"m.n\"} 1\nm_n 2\n")],
    ),
];
