//! What does not fit together.

use crate::beside::{Deliberate, Scenario, delete, post, put};

const ONE: &str = "/metrics/job/job1/instance/instance1";
const TWO: &str = "/metrics/job/job1/instance/instance2";
const JOB: &str = "/metrics/job/job1";
const GAUGE: &str = "# TYPE m gauge\nm 1\n";
const COUNTER: &str = "# TYPE m counter\nm 1\n";
const HISTOGRAM: &str =
    "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n";
const SUMMARY: &str = "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n";

pub(super) const CONSISTENCY: &[Scenario] = &[
    Scenario::new(
        "S41: a name of the Pushgateway's own",
        &[put(ONE, "# TYPE go_goroutines counter\ngo_goroutines 1\n").but(Deliberate::OwnNames, 400, 200)],
    )
    .but(Deliberate::OwnNames),
    Scenario::new(
        "S42: a good push after it",
        &[
            put(ONE, "# TYPE go_goroutines counter\ngo_goroutines 1\n").but(Deliberate::OwnNames, 400, 200),
            put(ONE, "a 1\n"),
        ],
    )
    .but(Deliberate::OwnNames),
    Scenario::new(
        "B23: a name of the Pushgateway's own with its type",
        &[put(ONE, "# TYPE go_goroutines gauge\ngo_goroutines 1\n")],
    ),
    Scenario::new(
        "S41: a name of our own",
        &[put(
            ONE,
            "# TYPE flinkbridge_intake_received_samples_total gauge\nflinkbridge_intake_received_samples_total 1\n",
        )
        .but(Deliberate::OwnNames, 200, 400)],
    )
    .but(Deliberate::OwnNames),
    Scenario::new(
        "S43, B21: a series through another group",
        &[put(JOB, "mf1{instance=\"instance2\"} 1\n"), put(TWO, "mf1 1\n")],
    ),
    Scenario::new(
        "S43: the other way round",
        &[put(TWO, "mf1 1\n"), put(JOB, "mf1{instance=\"instance2\"} 1\n")],
    ),
    Scenario::new(
        "S43: a series through another group in another order of labels",
        &[
            put("/metrics/job/job1/a/1", "mf1{b=\"2\"} 1\n"),
            put("/metrics/job/job1/b/2", "mf1{a=\"1\"} 1\n"),
        ],
    ),
    Scenario::new(
        "S32: an empty instance and none in one push",
        &[put(JOB, "m{instance=\"\"} 1\nm 1\n"), put(ONE, "m{instance=\"\"} 1\n")],
    ),
    Scenario::new(
        "S32: an empty instance and none in two groups",
        &[put("/metrics/job/a/x/1", "m 1\n"), put("/metrics/job/a", "m{x=\"1\",instance=\"\"} 1\n")],
    ),
    Scenario::new(
        "S43: a series that moved",
        &[
            put(JOB, "mf1{instance=\"instance2\"} 1\n"),
            put(JOB, "mf2 1\n"),
            put(TWO, "mf1 1\n"),
        ],
    ),
    Scenario::new(
        "S43: a series that was deleted",
        &[
            put(JOB, "mf1{instance=\"instance2\"} 1\n"),
            delete(JOB),
            put(TWO, "mf1 1\n"),
        ],
    ),
    Scenario::new(
        "S43: one of many series of a histogram",
        &[
            put(
                JOB,
                "# TYPE h histogram\nh_bucket{instance=\"instance2\",le=\"1\"} 1\nh_bucket{instance=\"instance2\",le=\"+Inf\"} 1\nh_sum{instance=\"instance2\"} 1\nh_count{instance=\"instance2\"} 1\n",
            ),
            put(
                TWO,
                "# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
            ),
        ],
    ),
    Scenario::new(
        "B21: one more label",
        &[
            put(JOB, "mf1{instance=\"instance2\"} 1\n"),
            put(TWO, "mf1{x=\"y\"} 1\n"),
        ],
    ),
    Scenario::new(
        "S44: another HELP in the same group",
        &[
            put(ONE, "# HELP m one\n# TYPE m gauge\nm 1\n"),
            put(ONE, "# HELP m two\n# TYPE m gauge\nm 1\n"),
        ],
    ),
    Scenario::new(
        "B16: another type in another group",
        &[put(ONE, GAUGE), put(TWO, COUNTER)],
    ),
    Scenario::new(
        "B16: no type in another group",
        &[put(ONE, GAUGE), put(TWO, "m 2\n")],
    ),
    Scenario::new(
        "B16: a type where there was none",
        &[put(ONE, "m 2\n"), put(TWO, GAUGE)],
    ),
    Scenario::new(
        "B16: another type in the same group",
        &[put(ONE, GAUGE), put(ONE, COUNTER)],
    ),
    Scenario::new(
        "B16: another type in the same group by POST",
        &[put(ONE, GAUGE), post(ONE, COUNTER)],
    ),
    Scenario::new(
        "B16: another type in one of two groups",
        &[
            put(ONE, GAUGE),
            put(TWO, GAUGE),
            put(ONE, COUNTER),
            post(ONE, COUNTER),
        ],
    ),
    Scenario::new(
        "B16: another type once the other has gone",
        &[put(ONE, GAUGE), put(TWO, COUNTER), delete(ONE), put(TWO, COUNTER)],
    ),
    Scenario::new(
        "B16: another type once the other has replaced it",
        &[
            put(ONE, GAUGE),
            put(ONE, "x 1\n"),
            put(TWO, COUNTER),
            put(ONE, GAUGE),
        ],
    ),
    Scenario::new(
        "B16: a family without series has no type",
        &[put(ONE, "# TYPE m gauge\n"), put(TWO, COUNTER)],
    ),
    Scenario::new(
        "B17: a histogram's count",
        &[put(ONE, HISTOGRAM), put(TWO, "# TYPE h_count gauge\nh_count 1\n")],
    ),
    Scenario::new(
        "B17: the same by POST",
        &[
            put(ONE, HISTOGRAM),
            post(ONE, "# TYPE h_count gauge\nh_count 1\n"),
        ],
    ),
    Scenario::new(
        "B17: a histogram's sum",
        &[put(ONE, HISTOGRAM), put(TWO, "h_sum 1\n")],
    ),
    Scenario::new(
        "B17: a histogram's bucket",
        &[put(ONE, HISTOGRAM), put(TWO, "h_bucket 1\n")],
    ),
    Scenario::new(
        "B17: a histogram after its count",
        &[put(ONE, "h_count 1\n"), put(TWO, HISTOGRAM)],
    ),
    Scenario::new(
        "B17: a histogram after its sum",
        &[put(ONE, "h_sum 1\n"), put(TWO, HISTOGRAM)],
    ),
    Scenario::new(
        "B17: a histogram after its bucket",
        &[put(ONE, "h_bucket 1\n"), put(TWO, HISTOGRAM)],
    ),
    Scenario::new(
        "B17: a summary's count",
        &[put(ONE, SUMMARY), put(TWO, "s_count 1\n")],
    ),
    Scenario::new(
        "B17: a summary's sum",
        &[put(ONE, SUMMARY), put(TWO, "s_sum 1\n")],
    ),
    Scenario::new(
        "B17: a summary's bucket is free",
        &[put(ONE, SUMMARY), put(TWO, "s_bucket 1\n")],
    ),
    Scenario::new(
        "B17: a summary after its count",
        &[put(ONE, "s_count 1\n"), put(TWO, SUMMARY)],
    ),
    Scenario::new(
        "B17: a summary after its bucket",
        &[put(ONE, "s_bucket 1\n"), put(TWO, SUMMARY)],
    ),
    Scenario::new(
        "B17: a count of its own after the histogram has gone",
        &[put(ONE, HISTOGRAM), delete(ONE), put(TWO, "h_count 1\n")],
    ),
    Scenario::new(
        "B17: in one body",
        &[put(
            ONE,
            "h_count{x=\"y\"} 5\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        )],
    ),
    Scenario::new(
        "B17: a gauge's count is free",
        &[put(ONE, GAUGE), put(TWO, "m_count 1\nm_sum 2\nm_bucket 3\n")],
    ),
    Scenario::new(
        "a summary and a histogram of one name",
        &[
            put(ONE, SUMMARY),
            put(
                TWO,
                "# TYPE s histogram\ns_bucket{le=\"+Inf\"} 1\ns_sum 1\ns_count 1\n",
            ),
        ],
    ),
    Scenario::new(
        "B17: a collision with a pushed time",
        &[put(
            ONE,
            "# TYPE push_time_seconds_count gauge\npush_time_seconds_count 1\n",
        )],
    ),
    Scenario::new(
        "a summary with the label quantile",
        &[put(ONE, "# TYPE m gauge\nm{quantile=\"x\"} 1\nm{le=\"y\"} 2\n")],
    ),
    Scenario::new(
        "a grouping label named quantile",
        &[put(
            "/metrics/job/j/quantile/0.5",
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n",
        )],
    ),
    Scenario::new(
        "a grouping label named le",
        &[put(
            "/metrics/job/j/le/1",
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        )],
    ),
    Scenario::new(
        "a grouping label named le on gauges",
        &[put("/metrics/job/j/le/1", "# TYPE m gauge\nm 1\n")],
    ),
    Scenario::new(
        "one bad push among good ones",
        &[
            put(ONE, GAUGE),
            put(TWO, COUNTER),
            put(JOB, "x 1\n"),
            put(TWO, "y 1\n"),
            post(ONE, "z 1\n"),
        ],
    ),
];
