//! What only protobuf can say: families without metrics, times of creation, and what makes no sense.

use super::histograms::{body, classic, counter, family, gauge, labelled, native, pushed, summary, untyped};
use crate::beside::request::{PROTOBUF, Request};
use crate::beside::{Deliberate, Scenario, post, put};
use crate::metrics_v1::{MetricFamily, MetricType, Timestamp};

const J: &str = "/metrics/job/j";
const K: &str = "/metrics/job/k";

pub(super) const ONLY_IN_PROTOBUF: &[Scenario] = &[
    Scenario::new(
        "a label twice in a family that comes again",
        &[pushed(J, || body(&[twice("g"), gauge("g", 1.0)]))],
    ),
    Scenario::new(
        "a label twice in the second of two families of one name",
        &[pushed(J, || body(&[gauge("g", 1.0), twice("g")]))],
    ),
    Scenario::new(
        "a label twice, and then the end of the body too early",
        &[pushed(J, || {
            let mut bytes = body(&[twice("g"), gauge("h", 1.0)]);
            bytes.pop();
            bytes
        })],
    ),
    Scenario::new(
        "a label twice beside what is stored",
        &[
            put(J, "a 1\n"),
            pushed(J, || body(&[twice("g")])),
            pushed(K, || body(&[gauge("g", 1.0)])),
        ],
    ),
    Scenario::new(
        "a label value that is not UTF-8",
        &[pushed(J, || {
            let mut bytes = body(&[labelled(&[("a", "~")])]);
            let value = bytes.iter_mut().find(|byte| **byte == b'~').unwrap();
            *value = 0xff;
            bytes
        })],
    ),
    Scenario::new(
        "a quantile on a summary",
        &[pushed(J, || {
            let mut family = summary("s");
            family.metric[0].label = labelled(&[("quantile", "1")]).metric[0].label.clone();
            body(&[family])
        })],
    ),
    Scenario::new(
        "a kind that nobody knows, in the middle of which every scrape ends",
        &[pushed(J, || {
            let mut family = counter("c", 1.0);
            family.r#type = Some(17);
            body(&[family])
        })
        .but(Deliberate::BadPushHurtsNobodyElse, 200, 400)],
    )
    .but(Deliberate::BadPushHurtsNobodyElse),
    Scenario::new(
        "M04: a family of nothing among others, with HELP",
        &[pushed(J, || {
            let mut nothing = bare("a", MetricType::Summary);
            nothing.help = Some("nothing".to_owned());
            body(&[nothing, gauge("b", 1.0)])
        })],
    ),
    Scenario::new(
        "a family of nothing in the place of one of something",
        &[
            put(J, "a 1\nb 2\n"),
            Request::made("POST", J, || body(&[bare("a", MetricType::Gauge)])).kind(PROTOBUF),
        ],
    ),
    Scenario::new(
        "a family of nothing is filled",
        &[
            pushed(J, || body(&[bare("a", MetricType::Gauge)])),
            post(J, "# TYPE a counter\na 1\n"),
        ],
    ),
    // what becomes of another type for a family without metrics is not asked: there it depends on the order of a map
    Scenario::new(
        "a family of nothing and a name of its series",
        &[
            pushed(J, || body(&[bare("h", MetricType::Histogram)])),
            put(K, "h_count 1\n"),
        ],
    ),
    Scenario::new(
        "times of creation",
        &[pushed(J, || {
            let mut families = [counter("c", 2.0), classic("h"), native("n"), summary("s")];
            let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
            let [c, h, n, s] = &mut families;
            c.metric[0].counter.as_mut().unwrap().created_timestamp = at(Some(1_700_000_000), None);
            h.metric[0].histogram.as_mut().unwrap().created_timestamp = at(Some(1_700_000_000), Some(7));
            n.metric[0].histogram.as_mut().unwrap().created_timestamp = at(None, Some(7));
            s.metric[0].summary.as_mut().unwrap().created_timestamp = at(None, None);
            body(&families)
        })],
    ),
    Scenario::new(
        "times of creation are gone with the push that had them",
        &[
            pushed(J, || {
                let mut family = counter("c", 2.0);
                let value = family.metric[0].counter.as_mut().unwrap();
                value.created_timestamp = Some(Timestamp {
                    seconds: Some(1),
                    nanos: None,
                });
                body(&[family])
            }),
            pushed(J, || body(&[counter("c", 3.0), untyped("u", 1.0)])),
        ],
    ),
    Scenario::new(
        "B13: counts of a summary that are none",
        &[
            put("/metrics/job/a", "# TYPE s summary\ns_count NaN\n"),
            put("/metrics/job/b", "# TYPE s summary\ns_count +Inf\n"),
            put("/metrics/job/c", "# TYPE s summary\ns_count -5.5\n"),
            put("/metrics/job/d", "# TYPE s summary\ns_count 1e20\n"),
            put("/metrics/job/e", "# TYPE s summary\ns_count 2.5\n"),
            put("/metrics/job/f", "# TYPE s summary\ns_count -0.5\n"),
            put("/metrics/job/g", "# TYPE s summary\ns_count -1e20\n"),
        ],
    ),
    Scenario::new(
        "B13: counts of a histogram that are none",
        &[
            put(
                "/metrics/job/a",
                "# TYPE h histogram\nh_bucket{le=\"1\"} NaN\nh_bucket{le=\"2\"} 1000000\nh_count 3\n",
            ),
            put(
                "/metrics/job/b",
                "# TYPE h histogram\nh_bucket{le=\"1\"} +Inf\nh_count 3\n",
            ),
            put(
                "/metrics/job/c",
                "# TYPE h histogram\nh_bucket{le=\"1\"} 1000000\nh_count 1e20\n",
            ),
            put(
                "/metrics/job/d",
                "# TYPE h histogram\nh_bucket{le=\"1\"} 1000000\nh_count NaN\n",
            ),
            put(
                "/metrics/job/e",
                "# TYPE h histogram\nh_bucket{le=\"1\"} 0.5\nh_count 2000000\n",
            ),
        ],
    ),
];

pub(super) const UNCHECKED: &[Scenario] = &[Scenario::new(
    "M06: a label twice, over which every scrape stumbles",
    &[pushed(J, || body(&[twice("g")]))],
)
.but(Deliberate::BadPushHurtsNobodyElse)];

fn twice(name: &str) -> MetricFamily {
    let mut family = labelled(&[("x", "1"), ("x", "2")]);
    family.name = Some(name.to_owned());
    family
}

fn bare(name: &str, kind: MetricType) -> MetricFamily {
    family(name, kind, vec![])
}
