//! What holds for every label set, however nasty.

use proptest::prelude::*;

use crate::model::{LabelDraft, is_label_name, is_metric_name};

use super::*;

const HEX: &str = "7a85b677988fb7be9d8e2a33abacae01";

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "job",
            "instance",
            "job_id",
            "jobid",
            "jobId",
            "flink_job_id",
            "tm_id",
            "tmId",
            "taskmanager_id",
            "instance_id",
            "InstanceId",
            "cluster_id",
            "host",
            "hostname",
            "container_id",
            "application_id",
            "flink_prometheus_push_gateway_reporter_id",
            "region",
            "__meta",
            "env",
        ])
        .prop_map(str::to_owned),
        "[a-c_]{1,3}",
    ]
}

fn any_value() -> impl Strategy<Value = String> {
    let id = "00112233445566778899aabbccddeeff";
    let uuid = "00112233-4455-6677-8899-AABBCCDDEEFF";
    let piece = prop::sample::select(vec![
        "",
        " ",
        "\u{a0}",
        "a",
        "b",
        "x+y",
        HEX,
        id,
        uuid,
        "<",
        ">",
        "-",
        "_",
        "(",
        "7",
        "größe",
        "container_e08_1700000000000_0012_01_000002",
        "container_1_2_3_4",
    ]);
    prop_oneof![
        2 => prop::sample::select(vec!["a", "b", " a", "", id, uuid]).prop_map(str::to_owned),
        3 => prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat()),
    ]
}

fn any_labels(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((any_name(), any_value()), 0..most)
}

fn any_rules() -> impl Strategy<Value = RulesConfig> {
    prop::collection::vec(any::<bool>(), 5).prop_map(|on| RulesConfig {
        aliases: if on[0] {
            RulesConfig::default().aliases
        } else {
            Vec::new()
        },
        clean_values: on[1],
        plus_as_space: on[2],
        split_random_suffix: on[3],
        yarn: on[4],
        external_labels: ["instance_id", "region", "instance", "application_id", "job"]
            .map(|name| (name.to_owned(), "given".to_owned()))
            .to_vec(),
        relabel: vec![RuleConfig {
            regex: Some("b.*".into()),
            action: Some("labeldrop".into()),
            ..RuleConfig::default()
        }],
        ..RulesConfig::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_clean_set_is_sorted_unique_and_without_empties_and_stays_as_it_is(
        config in any_rules(),
        job in any_value().prop_map(|job| if job.is_empty() { "etl".to_owned() } else { job }),
        group in any_labels(4).prop_map(|mut labels| { labels.retain(|(name, _)| !name.starts_with("__")); labels }),
        body in any_labels(8),
    ) {
        let rules = Rules::try_new(&config).unwrap();
        let key = GroupKey::try_new(&job, group).unwrap();
        let grouping = rules.grouping(&key);
        let mut sample: LabelDraft = body.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sample.push("__name__", "up");

        let set = rules.apply(&grouping, sample, &mut Effects::default()).unwrap();

        let pairs: Vec<_> = set.iter().collect();
        prop_assert!(pairs.is_sorted_by(|one, other| one.0 < other.0));
        prop_assert!(pairs.iter().all(|(name, value)| is_label_name(name) && !value.is_empty()));
        prop_assert!(pairs.iter().all(|(name, _)| *name == "__name__" || !name.starts_with("__")));
        prop_assert!(set.get("__name__").is_some_and(is_metric_name));
        let mut again = Effects::default();
        let second = rules.apply_labels(set.clone().into_draft(), &mut again).unwrap();
        prop_assert_eq!(&second, &set);
        let quiet = Effects { alias_conflicts: 0, invalid_job_ids: 0, ..again };
        prop_assert_eq!(quiet, Effects::default(), "{}", set);
    }

    #[test]
    fn the_order_of_labels_does_not_matter(body in any_labels(8), turn in 0usize..8) {
        let rules = Rules::try_new(&RulesConfig::default()).unwrap();
        let mut unique: Vec<(&str, &str)> = vec![("__name__", "up")];
        for (name, value) in &body {
            if unique.iter().all(|(earlier, _)| earlier != name) {
                unique.push((name, value));
            }
        }
        let mut turned = unique.clone();
        turned.rotate_left(turn % unique.len());

        let set = rules.apply_labels(unique.iter().copied().collect(), &mut Effects::default());

        prop_assert_eq!(set, rules.apply_labels(turned.iter().copied().collect(), &mut Effects::default()));
    }
}
