//! What pushes and deletions do to what is stored.

use crate::beside::{Deliberate, Scenario, delete, post, put};

const ONE: &str = "/metrics/job/job1/instance/instance1";
const TWO: &str = "/metrics/job/job1/instance/instance2";
const MF1A: &str = "# TYPE mf1 untyped\nmf1{instance=\"instance2\",job=\"job1\"} -3e3\n";
const MF1B: &str = "mf1{instance=\"instance2\",job=\"job1\"} 42\n";
const MF2: &str = "# HELP mf2 doc string 2\n# TYPE mf2 gauge\nmf2{basename=\"basevalue2\",labelname=\"val2\"} +Inf\nmf2{labelname=\"val1\"} -Inf\n";
const MF3: &str = "mf3 42\n";
const MF4: &str = "mf4 3.14159\n";
const PUSHED_FAILURE: &str = "# HELP push_failure_time_seconds Last Unix time when changing this group in the Pushgateway failed.\n# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds 7\n";
const TM_ONE: &str = "flink_up{tm_id=\"tm-1\",} 1\n";
const TM_TWO: &str = "flink_up{tm_id=\"tm-2\",} 1\n";

pub(super) const STORING: &[Scenario] = &[
    Scenario::new(
        "S01: families of several groups are one family",
        &[
            put(ONE, MF2),
            put(TWO, "mf1 1\nmf3 3\n"),
            put("/metrics/job/job2/instance/instance1", "mf1 2\n"),
            put("/metrics/job/job3/instance/instance1", ""),
            put("/metrics/job/job3/instance/instance2", "mf4 4\nmf1 5\n"),
            put("/metrics/job/job4", ""),
        ],
    ),
    Scenario::new("S02.1: one push", &[put(ONE, MF3)]),
    Scenario::new(
        "S02.2 - S02.10: add and delete",
        &[
            put(ONE, MF3),
            put(
                TWO,
                "mf1{instance=\"instance2\",job=\"job1\"} 42\n# HELP mf2 doc string 2\n# TYPE mf2 gauge\nmf2{basename=\"basevalue2\",labelname=\"val2\"} +Inf\nmf2{labelname=\"val1\"} -Inf\n",
            ),
            post(TWO, MF1A),
            put("/metrics/job/job5", "# TYPE s summary\ns_sum 0\ns_count 0\n"),
            delete(ONE),
            delete("/metrics/job/job5"),
            put("/metrics/job/job3/instance/instance2", MF4),
            delete("/metrics/job/job1"),
            delete("/metrics/job/job3/instance/instance2"),
        ],
    ),
    Scenario::new(
        "S02.4: POST replaces a family and keeps the others",
        &[post(TWO, MF1B), post(TWO, MF2), post(TWO, MF1A)],
    ),
    Scenario::new(
        "S02.5: a summary with no observations",
        &[put(
            "/metrics/job/job5",
            "# HELP s words\n# TYPE s summary\ns_sum 0\ns_count 0\n",
        )],
    ),
    Scenario::new(
        "S02.11: one push after another",
        &[put(TWO, MF4), put(TWO, MF4), post(TWO, MF4), post(TWO, MF4)],
    ),
    Scenario::new("S21: two groups", &[put(ONE, MF3), put(TWO, MF1B)]),
    Scenario::new(
        "S30: labels of the path win",
        &[put(TWO, "mf1{job=\"job2\",instance=\"instance1\"} 1\n")],
    ),
    Scenario::new(
        "S31: the instance of the path",
        &[put(TWO, "mf1{labelname=\"val2\"} 1\n")],
    ),
    Scenario::new(
        "S32: a missing instance is an empty one",
        &[put("/metrics/job/job1", "mf1 1\n"), put(TWO, "mf1 2\n")],
    ),
    Scenario::new(
        "S30: labels are sorted",
        &[put(ONE, "mf1{z=\"1\",k=\"2\",a=\"3\"} 1\n")],
    ),
    Scenario::new("S40: a failed push makes a group", &[put(ONE, "mf1 1 1000\n")]),
    Scenario::new(
        "S42: a good push after a failed one",
        &[put(ONE, "mf1 1 1000\n"), put(ONE, "mf1 1\n")],
    ),
    Scenario::new(
        "S50 - S53: PUT",
        &[
            put(ONE, "mf1 1 1000\n"),
            put(ONE, MF1A),
            put(ONE, MF2),
            put(ONE, "mf3 3 1000\n"),
        ],
    ),
    Scenario::new("S54: an empty PUT empties", &[put(ONE, MF1A), put(ONE, "")]),
    Scenario::new(
        "S54: an empty POST changes nothing",
        &[put(ONE, MF1A), post(ONE, "")],
    ),
    Scenario::new(
        "B34: ghosts of failed pushes",
        &[
            put("/metrics/job/ghost", "a{__x=\"1\"} 1\n"),
            put("/metrics/job/b/c/d", "a 1\na 1\n"),
        ],
    ),
    Scenario::new(
        "what cannot be read makes no group",
        &[
            put("/metrics/job/ghost", "a{\n"),
            put("/metrics/job/j/x", "a 1\n"),
        ],
    ),
    Scenario::new(
        "a deletion of nothing",
        &[delete("/metrics/job/unknown"), delete("/metrics/job/unknown/a/b")],
    ),
    Scenario::new(
        "a group comes back",
        &[put(ONE, MF1A), delete(ONE), put(ONE, MF2)],
    ),
    Scenario::new(
        "POST of several families keeps the others",
        &[put(ONE, "a 1\nb 2\nc 3\n"), post(ONE, "b 4\nd 5\n")],
    ),
    Scenario::new(
        "POST of one series of a family replaces all of it",
        &[
            put(ONE, "a{x=\"1\"} 1\na{x=\"2\"} 2\n"),
            post(ONE, "a{x=\"3\"} 3\n"),
        ],
    ),
    Scenario::new(
        "a failed POST changes nothing",
        &[put(ONE, "a 1\nb 2\n"), post(ONE, "b 4\nb 5\n")],
    ),
    Scenario::new(
        "M10: pushed times are overwritten",
        &[put(ONE, "# TYPE push_time_seconds gauge\npush_time_seconds 7\n")],
    ),
    Scenario::new(
        "M10: pushed times of another type are overwritten",
        &[put(
            ONE,
            "# TYPE push_time_seconds counter\npush_time_seconds 7\n",
        )],
    ),
    Scenario::new(
        "M10: a pushed time of failure is overwritten at first",
        &[put(
            ONE,
            "# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds 7\n",
        )],
    ),
    Scenario::new(
        "B22: a pushed time of failure is shown the second time",
        &[put(ONE, PUSHED_FAILURE), put(ONE, PUSHED_FAILURE)],
    ),
    Scenario::new(
        "B22: a pushed time of failure of another type, its HELP as it is without",
        &[
            put(ONE, "push_failure_time_seconds 7\n"),
            put(ONE, "push_failure_time_seconds 7\n"),
        ],
    ),
    Scenario::new(
        "B35: TaskManagers that share a group",
        &[
            put("/metrics/job/flink", TM_ONE),
            put("/metrics/job/flink", TM_TWO),
        ],
    )
    .but(Deliberate::SharedGroup),
    Scenario::new(
        "B35: a TaskManager alone",
        &[
            put("/metrics/job/flink", TM_ONE),
            put("/metrics/job/flink", "flink_down{tm_id=\"tm-1\",} 2\n"),
        ],
    ),
    Scenario::new(
        "labels as pushed, not as forwarded",
        &[put(
            "/metrics/job/etl45b92b4ffe20ca2528b3c0714a8bd0ad/InstanceId/emr-1",
            "up{jobid=\"<A>\",tm_id=\"container_e17_1410901177871_0001_01_000005\",host=\" h \"} 1\n",
        )],
    ),
    Scenario::new(
        "an alias and its canonical name",
        &[put(
            "/metrics/job/aliased",
            "up{jobid=\"x\",job_id=\"x\"} 1\nup{jobid=\"y\",job_id=\"z\"} 2\n",
        )],
    ),
    Scenario::new(
        "series that only normalising makes one",
        &[put(
            "/metrics/job/merged",
            "up{jobid=\"x\"} 1\nup{job_id=\"x\"} 2\n",
        )],
    ),
];

pub(super) const ACCEPTED: &[Scenario] = &[
    Scenario::new(
        "F11: 202 for clients that accept nothing else",
        &[
            put(ONE, MF1A).but(Deliberate::SuccessStatus, 200, 202),
            post(ONE, MF2).but(Deliberate::SuccessStatus, 200, 202),
            delete(TWO),
        ],
    ),
    Scenario::new(
        "F11: 400 for what is wrong all the same",
        &[put(ONE, "a{\n"), put(ONE, "a 1 1000\n")],
    ),
];
