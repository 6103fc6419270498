//! Without the check of consistency across groups.

use crate::beside::{Deliberate, Scenario, delete, post, put};

const ONE: &str = "/metrics/job/job1/instance/instance1";
const TWO: &str = "/metrics/job/job1/instance/instance2";

pub(super) const UNCHECKED: &[Scenario] = &[
    Scenario::new(
        "M05: what is taken is answered with 202",
        &[put(ONE, "a 1\n"), post(ONE, "b 1\n"), delete(TWO)],
    ),
    Scenario::new(
        "M05: what cannot be read is 400",
        &[
            put(ONE, "a{\n"),
            put("/metrics/job/j/x", "a 1\n"),
            put("/metrics/job@base64/=", "a 1\n"),
        ],
    ),
    Scenario::new(
        "M06: a timestamp is refused, but not to the pusher's face",
        &[put(ONE, "a 1 1000\n")],
    ),
    Scenario::new(
        "M06: a timestamp leaves what is stored",
        &[put(ONE, "a 1\n"), put(ONE, "b 1 1000\n")],
    ),
    Scenario::new(
        "another type in another group",
        &[
            put(ONE, "# TYPE m gauge\nm 1\n"),
            put(TWO, "# TYPE m counter\nm 1\n"),
        ],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new("B12: an empty body", &[put(ONE, ""), post(TWO, "")]),
    Scenario::new(
        "PUT, POST and DELETE",
        &[
            put(ONE, "a 1\nb 2\n"),
            post(ONE, "b 3\n"),
            put(TWO, "c 1\n"),
            delete(TWO),
        ],
    ),
];
