//! What it costs to give a push its clean labels, at 1, 100 and 10,000 series of Flink's operator scope: 11 labels
//! and a name in the body, two labels in the group, the random suffix on, a TaskManager on YARN.
//!
//! `steps` runs every step but relabelling; `five_rules` adds five relabel rules of the usual kind. The drafts are
//! made outside the measurement, the finished sets are dropped within it. This is paid when a push has a line that
//! the push before had not, never for a push that repeats its lines.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use flinkbridge::model::{GroupKey, LabelDraft};
use flinkbridge::normalise::{Effects, RuleConfig, Rules, RulesConfig};

const JOB: &str = "etl7a85b677988fb7be9d8e2a33abacae01";
const BODY: [(&str, &str); 11] = [
    ("job_id", "5f1c2d9ea7cf4be1a2b05d8fd6a3e7c4"),
    ("task_id", "cbc357ccb763df2852fee8c4fc7d55f2"),
    (
        "task_attempt_id",
        "9a3bb32ed0c1f1a4d1d2b8f3a7a60d5e_cbc357ccb763df2852fee8c4fc7d55f2_3_0",
    ),
    ("host", "node_17_example_internal"),
    ("operator_id", "bc764cd8ddf7a0cff126f51c16239658"),
    ("operator_name", "Source__orders_____Filter____Map"),
    ("task_name", "Source:_orders____Filter____Map"),
    ("task_attempt_num", "0"),
    ("job_name", "orders_to_warehouse"),
    ("tm_id", "container_e08_1700000000000_0012_01_000002"),
    ("subtask_index", "3"),
];

fn relabelling(criterion: &mut Criterion) {
    let steps = RulesConfig {
        external_labels: vec![("region".to_owned(), "north".to_owned())],
        ..RulesConfig::default()
    };
    let five_rules = RulesConfig {
        relabel: usual_rules(),
        ..steps.clone()
    };
    let key = GroupKey::try_new(JOB, [("instance_id".to_owned(), "emr-abcd1234".to_owned())]).expect("a key");
    let mut group = criterion.benchmark_group("relabel");
    for (name, config) in [("steps", &steps), ("five_rules", &five_rules)] {
        let rules = Rules::try_new(config).expect("rules");
        let grouping = rules.grouping(&key);
        for series in [1, 100, 10_000] {
            let names: Vec<String> = (0..series)
                .map(|at| format!("flink_taskmanager_job_task_operator_m{at}"))
                .collect();
            group.throughput(Throughput::Elements(series));
            group.bench_function(BenchmarkId::new(name, series), |bencher| {
                bencher.iter_batched(
                    || names.iter().map(|name| draft(name)).collect::<Vec<_>>(),
                    |drafts| {
                        let mut effects = Effects::default();
                        for draft in drafts {
                            let _ = black_box(rules.apply(&grouping, draft, &mut effects));
                        }
                        effects
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

fn draft(name: &str) -> LabelDraft<'_> {
    let mut draft = LabelDraft::with_capacity(16);
    draft.push("__name__", name);
    for (name, value) in BODY {
        draft.push(name, value);
    }
    draft
}

fn usual_rules() -> Vec<RuleConfig> {
    let rule = |action: &str, source: &str, regex: &str, target: &str| RuleConfig {
        action: Some(action.to_owned()),
        source_labels: source.split_whitespace().map(str::to_owned).collect(),
        regex: Some(regex.to_owned()),
        target_label: Some(target.to_owned()),
        ..RuleConfig::default()
    };
    vec![
        rule("drop", "__name__", "flink_jobmanager_.*|.*_latency_.*", ""),
        rule("labeldrop", "", "task_attempt_(id|num)", ""),
        rule("replace", "host", "(node_[0-9]+)_.*", "node"),
        rule("replace", "instance_id job_name", "(.*)", "job_key"),
        rule("replace", "job_id", "(.*)", "flink_job"),
    ]
}

criterion_group!(benches, relabelling);
criterion_main!(benches);
