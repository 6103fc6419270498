//! Which group a path names.

use crate::beside::request::Request;
use crate::beside::{Deliberate, Scenario, delete, get, post, put};

pub(super) const PATHS: &[Scenario] = &[
    Scenario::new(
        "H10, B01: no job",
        &[
            put("/metrics/job", ""),
            put("/metrics/job/", "a 1\n"),
            post("/metrics/job/", "a 1\n"),
            delete("/metrics/job/"),
            put("/metrics/job@base64/=", "a 1\n"),
            put("/metrics/job@base64/", "a 1\n"),
            put("/metrics", "a 1\n"),
            put("/metrics/", "a 1\n"),
        ],
    ),
    Scenario::new("H11: a job and nothing more", &[put("/metrics/job/testjob", "")]),
    Scenario::new(
        "H13: labels of the body give way to those of the path",
        &[put(
            "/metrics/job/testjob/instance/testinstance",
            "some_metric 3.14\nanother_metric{instance=\"testinstance42\",job=\"testjob42\"} 42\n",
        )],
    ),
    Scenario::new(
        "H15: base64 in the path",
        &[put(
            "/metrics/job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl",
            "some_metric 3.14\nanother_metric{job=\"testjob\"} 42\n",
        )],
    ),
    Scenario::new(
        "H16: an instance in the body only",
        &[put(
            "/metrics/job/testjob",
            "some_metric 3.14\nanother_metric{instance=\"testinstance\",job=\"testjob\"} 42\n",
        )],
    ),
    Scenario::new(
        "H30: a deletion without a job",
        &[delete("/metrics/job@base64/="), delete("/metrics/job")],
    ),
    Scenario::new(
        "H31 - H33: a deletion of exactly one group",
        &[
            put("/metrics/job/testjob", "a 1\n"),
            put("/metrics/job/testjob/instance/testinstance", "b 1\n"),
            put("/metrics/job@base64/dGVzdC9qb2I/instance/testinstance", "c 1\n"),
            delete("/metrics/job/testjob"),
            delete("/metrics/job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl"),
        ],
    ),
    Scenario::new(
        "H40: two labels",
        &[put(
            "/metrics/job/j/label_name1/label_value1/label_name2/label_value2",
            "a 1\n",
        )],
    ),
    Scenario::new(
        "H41: a label name with an equals sign",
        &[put(
            "/metrics/job/j/label_name1/label_value1/a=b/label_value2",
            "a 1\n",
        )],
    ),
    Scenario::new(
        "H42, B05: reserved and improper label names",
        &[
            put("/metrics/job/j/__label_name1/label_value1", "a 1\n"),
            put("/metrics/job/j/__x/v", "a 1\n"),
            put("/metrics/job/j/0x/v", "a 1\n"),
            put("/metrics/job/j/na-me/v", "a 1\n"),
            put("/metrics/job/j/na.me/v", "a 1\n"),
            put("/metrics/job/j/na:me/v", "a 1\n"),
            put("/metrics/job/j/%C3%A4/v", "a 1\n"),
            put("/metrics/job/j//v", "a 1\n"),
            put("/metrics/job/j/__x@base64/dg", "a 1\n"),
            put("/metrics/instance/x", "a 1\n"),
            delete("/metrics/job/j/__x/v"),
            delete("/metrics/job/j/0x/v"),
        ],
    ),
    Scenario::new(
        "H43, B03: parts that are no pairs",
        &[
            put("/metrics/job/j/a/b/c", "a 1\n"),
            put("/metrics/job/a/b", "a 1\n"),
            delete("/metrics/job/a/b"),
            post("/metrics/job/j/a/b/c/d/e", "a 1\n"),
        ],
    ),
    Scenario::new(
        "H44 - H46: base64 of values with slashes, with any padding",
        &[
            put(
                "/metrics/job/j/label_name1@base64/bGFiZWwvdmFsdWUx/label_name2/v",
                "a 1\n",
            ),
            put(
                "/metrics/job/j/label_name1/v/label_name2@base64/bGFiZWwvdmFsdWUy",
                "b 1\n",
            ),
            put(
                "/metrics/job/j/label_name1/v/label_name2@base64/bGFiZWwvdmFsdWUy==",
                "c 1\n",
            ),
        ],
    ),
    Scenario::new(
        "H47, B04: what is no URL-safe base64",
        &[
            put("/metrics/job/j/a@base64/bGFiZWwvdmFsdWUy.", "a 1\n"),
            put("/metrics/job/j/b@base64/+++=", "a 1\n"),
            put("/metrics/job/j/b@base64/YQ=a", "a 1\n"),
            put("/metrics/job/j/b@base64/Y", "a 1\n"),
            put("/metrics/job@base64/Y", "a 1\n"),
            delete("/metrics/job/j/b@base64/+++="),
        ],
    ),
    Scenario::new(
        "B04: base64 with bits left over at its end",
        &[put("/metrics/job/j/b@base64/YR", "a 1\n")],
    ),
    Scenario::new(
        "H48: an escaped name without UTF-8 names",
        &[
            put("/metrics/job/j/U__label_2e_name2/v", "a 1\n"),
            put("/metrics/job/j/U__label_2e_name2@base64/dg", "b 1\n"),
        ],
    ),
    Scenario::new(
        "B02: slashes and dots",
        &[
            put("/metrics/job/a/", "a 1\n"),
            put("/metrics/job/a/b/c/", "b 1\n"),
            put("/metrics/job/a//b/c", "c 1\n"),
            put("//metrics/job/a", "c 1\n"),
            put("/metrics/job/a/../b", "d 1\n"),
            put("/metrics/job/./b", "d 1\n"),
            delete("/metrics//job/a"),
            get("/metrics/"),
        ],
    ),
    Scenario::new(
        "B04: an empty value",
        &[
            put("/metrics/job/j/b@base64/=", "d 1\n"),
            put("/metrics/job/j/b@base64/YQ====", "e 1\n"),
            put("/metrics/job/j/instance@base64/=", "f 1\n"),
        ],
    ),
    Scenario::new(
        "B04: an empty instance and none are shown alike, and a Pushgateway is wedged by the ghost of the refused push",
        &[
            put("/metrics/job/j", "a 1\n"),
            put("/metrics/job/j/instance@base64/=", "b 1\n"),
            put("/metrics/job/other", "c 1\n").but(Deliberate::BadPushHurtsNobodyElse, 400, 200),
        ],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new(
        "B06: a label twice",
        &[
            put("/metrics/job/j/job/k", "f 1\n"),
            put("/metrics/job/j/a/1/a/2", "g 1\n"),
            put("/metrics/job/j/job@base64/aw", "h 1\n"),
        ],
    ),
    Scenario::new(
        "B07: percent signs",
        &[
            put("/metrics/job/a%2Fb", "a 1\n"),
            put("/metrics/job/a%2Fb%2Fc", "a 1\n"),
            put("/metrics/job/%C3%A4%20b", "g 1\n"),
            put("/metrics/job/a+b", "h 1\n"),
            put("/metrics/job/%22%5C%0A", "i 1\n"),
            put("/metrics/job/j?x=y", "k 1\n"),
            put("/metrics/job/j%3Fx", "l 1\n"),
            put("/metrics/job/100%25", "m 1\n"),
        ],
    ),
    Scenario::new("B07: a percent sign alone", &[put("/metrics/job/a%zz", "a 1\n")]),
    Scenario::new(
        "B08: a value that is not UTF-8",
        &[
            put("/metrics/job/good", "a 1\n"),
            put("/metrics/job/j/b@base64/_w==", "b 1\n"),
            put("/metrics/job/also_good", "c 1\n").but(Deliberate::PathValueThatIsNotUtf8, 400, 200),
        ],
    )
    .but(Deliberate::PathValueThatIsNotUtf8),
    Scenario::new(
        "B08: a job that is not UTF-8",
        &[
            put("/metrics/job/%FF", "a 1\n"),
            put("/metrics/job/good", "b 1\n").but(Deliberate::PathValueThatIsNotUtf8, 400, 200),
        ],
    )
    .but(Deliberate::PathValueThatIsNotUtf8),
    Scenario::new(
        "B32: other methods",
        &[
            put("/metrics/job/j", "a 1\n"),
            get("/metrics/job/j"),
            Request::new("HEAD", "/metrics/job/j", ""),
            Request::new("PATCH", "/metrics/job/j", "a 1\n"),
            Request::new("OPTIONS", "/metrics/job/j", ""),
            Request::new("OPTIONS", "/metrics", ""),
            Request::new("HEAD", "/metrics", ""),
            post("/metrics", "a 1\n"),
            delete("/metrics"),
        ],
    ),
];
