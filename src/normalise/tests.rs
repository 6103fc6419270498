use super::*;
use crate::model::METRIC_NAME;

const HEX: &str = "7a85b677988fb7be9d8e2a33abacae01";

fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> LabelDraft<'a> {
    pairs.iter().copied().collect()
}

fn key(pairs: &[(&str, &str)]) -> GroupKey {
    let job = pairs
        .iter()
        .find(|(name, _)| *name == "job")
        .map_or("etl", |(_, value)| value);
    GroupKey::try_new(job, pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))).unwrap()
}

fn rules(change: impl FnOnce(&mut RulesConfig)) -> Rules {
    let mut config = RulesConfig::default();
    change(&mut config);
    Rules::try_new(&config).unwrap()
}

#[track_caller]
fn check(rules: &Rules, group: &[(&str, &str)], body: &[(&str, &str)], expected: &str) -> Effects {
    let mut effects = Effects::default();
    let grouping = rules.grouping(&key(group));
    let mut sample = labels(body);
    sample.push("__name__", "up");

    let set = rules.apply(&grouping, sample, &mut effects).unwrap();

    assert_eq!(set.to_string(), format!("up{expected}"));
    effects
}

#[track_caller]
fn refuse(rules: &Rules, body: &[(&str, &str)], reason: &str) {
    let dropped = rules
        .apply_labels(labels(body), &mut Effects::default())
        .unwrap_err();

    assert_eq!(dropped.reason(), reason, "{dropped}");
}

#[track_caller]
fn wrong(change: impl FnOnce(&mut RulesConfig), expected: &[&str]) {
    let mut config = RulesConfig::default();
    change(&mut config);

    let errors = Rules::try_new(&config).unwrap_err();

    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_flink_push_gets_its_clean_labels() {
    let job = format!("etl{HEX}");
    let rules = rules(|config| config.external_labels = vec![("region".into(), "north".into())]);

    let effects = check(
        &rules,
        &[("job", &job), ("InstanceId", "emr-1")],
        &[
            ("tm_id", "container_e08_1700000000000_0012_01_000002_node_1_8041"),
            ("host", "node_1 "),
            ("jobId", "00112233-4455-6677-8899-AABBCCDDEEFF"),
            ("empty", ""),
        ],
        &format!(
            "{{application_id=\"application_1700000000000_0012\",\
             container_id=\"container_e08_1700000000000_0012_01_000002\",host=\"node_1\",instance=\"{HEX}\",\
             instance_id=\"emr-1\",job=\"etl\",job_id=\"00112233445566778899aabbccddeeff\",region=\"north\",\
             tm_id=\"container_e08_1700000000000_0012_01_000002_node_1_8041\"}}"
        ),
    );

    let expected = Effects {
        aliased: 2,
        values_trimmed: 1,
        job_ids_cleaned: 1,
        suffixes_split: 1,
        yarn_ids: 2,
        external_labels: 1,
        ..Effects::default()
    };
    assert_eq!(effects, expected);
}

#[test]
fn the_grouping_key_wins_over_the_body() {
    let rules = rules(|_| {});
    check(
        &rules,
        &[("env", "prod")],
        &[("env", "dev"), ("job", "body")],
        r#"{env="prod",job="etl"}"#,
    );
    check(&rules, &[("env", "")], &[("env", "dev")], r#"{job="etl"}"#);
}

#[test]
fn the_grouping_key_wins_under_its_canonical_name_too() {
    let rules = rules(|_| {});

    let told = check(
        &rules,
        &[("InstanceId", "a")],
        &[("instance_id", "b"), ("InstanceId", "c")],
        r#"{instance_id="a",job="etl"}"#,
    );

    assert_eq!((told.aliased, told.alias_conflicts), (1, 1));
}

#[test]
fn an_alias_in_the_body_that_disagrees_with_the_grouping_key_is_kept() {
    let rules = rules(|_| {});

    let told = check(
        &rules,
        &[("instance_id", "a")],
        &[("InstanceId", "b")],
        r#"{InstanceId="b",instance_id="a",job="etl"}"#,
    );

    assert_eq!((told.aliased, told.alias_conflicts), (0, 1));
}

#[test]
fn two_grouping_labels_that_disagree_are_one_conflict() {
    let rules = rules(|_| {});

    let told = check(
        &rules,
        &[("instance_id", "a"), ("InstanceId", "b")],
        &[("InstanceId", "c")],
        r#"{InstanceId="b",instance_id="a",job="etl"}"#,
    );

    assert_eq!(told.alias_conflicts, 1);
}

#[test]
fn an_alias_that_differs_only_by_blanks_says_the_same() {
    check(
        &rules(|_| {}),
        &[("tm_id", "a ")],
        &[("tmId", "  a")],
        r#"{job="etl",tm_id="a"}"#,
    );
}

#[test]
fn a_plus_in_a_grouping_value_is_a_blank_if_the_operator_says_so() {
    let with = rules(|config| config.plus_as_space = true);
    let without = rules(|_| {});
    let group = [("job", "my+job"), ("zone", "+eu+west+")];

    check(
        &with,
        &group,
        &[("a", "1+1")],
        r#"{a="1+1",job="my job",zone="eu west"}"#,
    );
    check(
        &without,
        &group,
        &[("a", "1+1")],
        r#"{a="1+1",job="my+job",zone="+eu+west+"}"#,
    );
}

#[test]
fn each_step_can_be_switched_off() {
    let off = rules(|config| {
        config.aliases.clear();
        config.clean_values = false;
        config.split_random_suffix = false;
        config.yarn = false;
    });

    let effects = check(
        &off,
        &[("job", HEX)],
        &[
            ("jobId", "AB "),
            ("job_id", "<x>"),
            ("tm_id", "container_1_2_3_4"),
        ],
        &format!(r#"{{job="{HEX}",jobId="AB ",job_id="<x>",tm_id="container_1_2_3_4"}}"#),
    );

    assert_eq!(effects, Effects::default());
}

#[test]
fn relabel_rules_see_the_clean_labels_and_may_drop() {
    let rules = rules(|config| {
        config.relabel = vec![
            RuleConfig {
                source_labels: vec!["job".into()],
                target_label: Some("__tmp".into()),
                ..RuleConfig::default()
            },
            RuleConfig {
                source_labels: vec!["__tmp".into(), "zone".into()],
                target_label: Some("place".into()),
                ..RuleConfig::default()
            },
            RuleConfig {
                source_labels: vec!["zone".into()],
                regex: Some("secret".into()),
                action: Some("drop".into()),
                ..RuleConfig::default()
            },
        ];
    });

    let effects = check(
        &rules,
        &[("job", &format!("etl{HEX}"))],
        &[("zone", "eu")],
        &format!(r#"{{instance="{HEX}",job="etl",place="etl;eu",zone="eu"}}"#),
    );

    assert_eq!(effects.relabelled, 1);
    refuse(&rules, &[("__name__", "up"), ("zone", "secret")], "relabel");
}

/// PRW S1-11, S1-15, S1-16.
#[test]
fn a_series_without_a_proper_name_is_dropped() {
    let rules = rules(|_| {});
    let refuse_pushed = |body: &[(&str, &str)], reason: &str| {
        let dropped = rules
            .apply(&rules.grouping(&key(&[])), labels(body), &mut Effects::default())
            .unwrap_err();
        assert_eq!(dropped.reason(), reason, "{dropped}");
    };

    refuse(&rules, &[("job", "a")], "metric_name");
    refuse_pushed(&[("job", "a")], "metric_name");
    refuse_pushed(&[("__name__", "9up")], "metric_name");
    refuse_pushed(&[("__name__", "up"), ("na-me", "a")], "label_name");
}

#[test]
fn a_series_of_remote_write_may_have_any_names() {
    let rules = rules(|_| {});

    let set = rules
        .apply_labels(
            labels(&[("__name__", "9up"), ("na-me", "a")]),
            &mut Effects::default(),
        )
        .unwrap();

    assert_eq!(set.to_string(), r#"{"9up","na-me"="a"}"#);
}

#[test]
fn any_name_passes_where_names_are_utf8() {
    let rules = rules(|config| config.names = NameScheme::Utf8);
    let labels = labels(&[
        ("__name__", "up.time"),
        ("na-me", "a"),
        ("größe", "b"),
        ("__x", "c"),
    ]);

    let set = rules.apply_labels(labels, &mut Effects::default()).unwrap();

    assert_eq!(set.to_string(), r#"{"up.time","größe"="b","na-me"="a"}"#);
    refuse(&rules, &[("job", "a")], "metric_name");
}

#[test]
fn limits_are_kept() {
    let narrow = rules(|config| {
        config.limits = LabelLimits {
            max_labels: 2,
            max_name_bytes: 8,
            max_value_bytes: 4,
        };
    });
    let open = rules(|config| {
        config.limits = LabelLimits {
            max_labels: 0,
            max_name_bytes: 0,
            max_value_bytes: 0,
        };
    });
    let long = "x".repeat(5000);
    let many = [("__name__", "up"), ("a", "1"), ("b", "2")];

    refuse(&narrow, &many, "label_count");
    refuse(
        &narrow,
        &[("__name__", "up"), ("abcdefghi", "1")],
        "label_name_length",
    );
    refuse(
        &narrow,
        &[("__name__", "up"), ("a", "12345")],
        "label_value_length",
    );
    assert!(
        narrow
            .apply_labels(
                labels(&[("__name__", "up"), ("a", "1234")]),
                &mut Effects::default()
            )
            .is_ok()
    );
    assert!(
        open.apply_labels(
            labels(&[("__name__", "up"), ("a", &long)]),
            &mut Effects::default()
        )
        .is_ok()
    );
}

#[test]
fn a_process_is_told_by_labels_on_which_all_samples_agree() {
    let rules = rules(|_| {});
    let told_by = |name: &'static str, samples: &[&[(&'static str, &'static str)]]| {
        let sample = |pairs: &&[_]| Sample {
            family: 0,
            labels: std::iter::once((METRIC_NAME, name))
                .chain(pairs.iter().copied())
                .collect(),
            value: 0.0,
            at: None,
            extra: None,
        };
        rules
            .process_of(&samples.iter().map(sample).collect::<Vec<_>>())
            .to_string()
    };
    let told = |samples: &[&[(&'static str, &'static str)]]| told_by("flink_a", samples);

    assert_eq!(
        told(&[&[("host", "h"), ("tm_id", "t")], &[("tmId", "t"), ("host", "h")]]),
        "host h, tm_id t"
    );
    assert_eq!(told(&[&[("host", "h")], &[("hostname", "h")]]), "host h");
    assert_eq!(
        told(&[&[("host", "h")], &[("host", "h"), ("tm_id", "t")]]),
        "anonymous"
    );
    assert_eq!(told(&[&[("host", "h")], &[("host", "i")]]), "anonymous");
    assert_eq!(told(&[&[("host", "")], &[("a", "b")]]), "anonymous");
    assert_eq!(told(&[]), "anonymous");
    assert_eq!(told_by("backup_ok", &[&[("host", "h")]]), "anonymous");
}

#[test]
fn mistakes_in_the_alias_table_are_told_all_at_once() {
    wrong(
        |config| {
            let row = |name: &str, also: &[&str]| {
                (
                    name.to_owned(),
                    also.iter().map(|alias| (*alias).to_owned()).collect::<Vec<_>>(),
                )
            };
            config.aliases = vec![
                row("a", &["b", "c-d", "b"]),
                row("b", &["__x", "instance"]),
                row("job", &[]),
            ];
        },
        &[
            "aliases.a: b: \"b\" is a canonical name as well: a name is either canonical or an alias",
            "aliases.a: c-d: \"c-d\" is no label name: use letters, digits and _, not beginning with a digit",
            "aliases.a: b: \"b\" is a canonical name as well: a name is either canonical or an alias",
            "aliases.a: b: \"b\" is listed twice: keep one of them",
            "aliases.b: __x: \"__x\" begins with __, which is reserved and removed before sending: choose another \
             name",
            "aliases.b: instance: \"instance\" is written by split_random_suffix itself and cannot stand here: \
             switch split_random_suffix off, or use relabel_configs",
            "aliases.job: \"job\" is written by split_random_suffix itself and cannot stand here: switch \
             split_random_suffix off, or use relabel_configs",
        ],
    );
}

#[test]
fn external_labels_have_to_be_clean_already() {
    wrong(
        |config| {
            let pairs = [
                ("cluster_id", "c"),
                ("zone", " eu"),
                ("a-b", "1"),
                ("zone", "eu"),
                ("ok", "1"),
            ];
            config.external_labels = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
            config.default_job = format!("x{HEX}");
        },
        &[
            &format!(
                "default_job: \"x{HEX}\" cannot be a job's name: it is empty, has blanks around it, or ends in 32 \
                 hex digits"
            ),
            "external_labels.cluster_id: \"c\" does not stay as it is, normalisation makes {instance_id=\"c\"} of \
             it: write that instead",
            "external_labels.zone: \" eu\" does not stay as it is, normalisation makes {zone=\"eu\"} of it: write \
             that instead",
            "external_labels.a-b: \"a-b\" is no label name: use letters, digits and _, not beginning with a digit",
            "external_labels.zone: \"zone\" is listed twice: keep one of them",
        ],
    );
}
