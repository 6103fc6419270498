use proptest::prelude::*;

use super::super::{Problem, RuleField};
use super::*;

/// A rule from lines of `key: value`, as they stand in `prometheus.yml`; `source_labels` without brackets.
fn rule(yaml: &str) -> RuleConfig {
    let mut config = RuleConfig::default();
    for line in yaml.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(':').unwrap();
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match key {
            "source_labels" => config.source_labels = value.split(", ").map(str::to_owned).collect(),
            "separator" => config.separator = Some(value),
            "target_label" => config.target_label = Some(value),
            "regex" => config.regex = Some(value),
            "modulus" => config.modulus = Some(value.parse().unwrap()),
            "replacement" => config.replacement = Some(value),
            "action" => config.action = Some(value),
            other => panic!("{other}"),
        }
    }
    config
}

/// Labels from `a=1 b=2`.
fn labels(text: &str) -> LabelDraft<'_> {
    text.split(' ')
        .filter_map(|label| label.split_once('='))
        .collect()
}

#[track_caller]
fn check(rules: &[&str], input: &str, expected: &str) {
    let rules: Vec<_> = rules.iter().map(|yaml| rule(yaml)).collect();
    let relabelling = Relabelling::try_new(&rules).unwrap();
    let mut draft = labels(input);

    let verdict = relabelling.run(&mut draft);

    let outcome = if verdict == Verdict::Dropped {
        None
    } else {
        Some(draft.into_set())
    };
    assert_eq!(
        outcome,
        (expected != "dropped").then(|| labels(expected).into_set())
    );
    let changed = expected != "dropped" && labels(input).into_set() != labels(expected).into_set();
    assert_eq!(verdict == Verdict::Changed, changed, "{verdict:?}");
}

#[test]
fn replace_writes_what_the_regex_captured() {
    let twice = "source_labels: a\nregex: f(.*)\ntarget_label: d\nreplacement: ch${1}-ch${1}";
    check(&[twice], "a=foo b=bar", "a=foo b=bar d=choo-choo");
    let joined = "source_labels: a, b\nregex: f(.*);(.*)r\ntarget_label: a\nreplacement: b${1}${2}m";
    let next = "source_labels: c, a\nregex: (b).*b(.*)ba(.*)\ntarget_label: d\nreplacement: $1$2$2$3";
    check(
        &[joined, next],
        "a=foo b=bar c=baz",
        "a=boobam b=bar c=baz d=boooom",
    );
    check(
        &["source_labels: a\nregex: .*(b).*\ntarget_label: d"],
        "a=abc",
        "a=abc d=b",
    );
}

#[test]
fn replace_without_a_match_does_nothing() {
    check(
        &["source_labels: a\nregex: f\ntarget_label: b\nreplacement: bar"],
        "a=boo",
        "a=boo",
    );
    check(
        &["source_labels: a\nregex: o\ntarget_label: b\nreplacement: bar"],
        "a=boo",
        "a=boo",
    );
}

#[test]
fn replace_has_the_defaults_of_prometheus() {
    check(
        &["source_labels: a, b\ntarget_label: c"],
        "a=1 b=2",
        "a=1 b=2 c=1;2",
    );
    check(
        &["source_labels: a, b\nseparator: \ntarget_label: c"],
        "a=1 b=2",
        "a=1 b=2 c=12",
    );
    check(&["source_labels: a, missing\ntarget_label: c"], "a=1", "a=1 c=1;");
    check(&["target_label: c\nreplacement: x"], "a=1", "a=1 c=x");
    check(
        &["source_labels: a\ntarget_label: a\nregex: (.+)-(.+)\nreplacement: $1_$2"],
        "a=x-y",
        "a=y",
    );
}

#[test]
fn an_empty_result_deletes_the_target() {
    check(&["source_labels: missing\ntarget_label: a"], "a=1 b=2", "b=2");
    check(&["target_label: a\nreplacement: "], "a=1 b=2", "b=2");
    check(
        &["source_labels: a\nregex: x-(.)\nreplacement: ${3}\ntarget_label: b"],
        "a=x-y b=1",
        "a=x-y",
    );
}

#[test]
fn an_empty_regex_matches_only_an_empty_value() {
    check(
        &["source_labels: a\nregex: \ntarget_label: b\nreplacement: x"],
        "a=1",
        "a=1",
    );
    check(
        &["source_labels: c\nregex: \ntarget_label: b\nreplacement: x"],
        "a=1",
        "a=1 b=x",
    );
}

#[test]
fn a_target_may_refer_to_groups_and_must_become_a_name() {
    let swap = "source_labels: a\nregex: some-([^-]+)-([^,]+)\ntarget_label: ${1}\nreplacement: ${2}";
    check(&[swap], "a=some-name-value", "a=some-name-value name=value");
    check(&[swap], "a=some-9-value", "a=some-9-value");
    let nothing = "source_labels: a\nregex: some-([^-]+)-([^,]+)\ntarget_label: ${3}\nreplacement: ${1}";
    check(&[nothing], "a=some-name-0", "a=some-name-0");
    let tag =
        "source_labels: t\nregex: (?:.+,|^)label:([^=]+)~([^,]+).*\ntarget_label: ${1}\nreplacement: ${2}";
    check(
        &[tag],
        "t=path:/secret,label:foo~bar",
        "t=path:/secret,label:foo~bar foo=bar",
    );
}

#[test]
fn keep_and_drop_match_the_whole_value() {
    check(
        &["source_labels: a\nregex: .*o.*\naction: drop"],
        "a=foo",
        "dropped",
    );
    check(&["source_labels: a\nregex: f|o\naction: drop"], "a=foo", "a=foo");
    check(
        &["source_labels: a\nregex: no-match\naction: drop"],
        "a=foo",
        "a=foo",
    );
    check(
        &["source_labels: a\nregex: no-match\naction: keep"],
        "a=foo",
        "dropped",
    );
    check(&["source_labels: a\nregex: f.*\naction: keep"], "a=foo", "a=foo");
    check(&["source_labels: a\nregex: .+\naction: keep"], "b=foo", "dropped");
    check(
        &["source_labels: a, b\nregex: x;y\naction: KEEP"],
        "a=x b=y",
        "a=x b=y",
    );
    let later = "source_labels: a\ntarget_label: d";
    check(
        &["source_labels: a\nregex: foo\naction: drop", later],
        "a=foo",
        "dropped",
    );
}

#[test]
fn keepequal_and_dropequal_compare_with_the_target() {
    let keep = "source_labels: tmp\naction: keepequal\ntarget_label: port";
    let drop = "source_labels: tmp\naction: dropequal\ntarget_label: port";
    check(&[keep], "tmp=1 port=1", "tmp=1 port=1");
    check(&[keep], "tmp=1 port=2", "dropped");
    check(&[drop], "tmp=1 port=1", "dropped");
    check(&[drop], "tmp=1 port=2", "tmp=1 port=2");
    check(&[drop], "a=1", "dropped");
}

#[test]
fn hashmod_gives_the_shard_that_prometheus_gives() {
    let shard = "source_labels: c\ntarget_label: d\naction: hashmod\nmodulus: 1000";
    check(&[shard], "c=baz", "c=baz d=976");
    check(&[shard], "c=foo\nbar", "c=foo\nbar d=734");
}

#[test]
fn labelmap_copies_labels_to_new_names() {
    let map = "regex: (b.*)\nreplacement: bar_${1}\naction: labelmap";
    check(
        &[map],
        "a=foo b1=bar b2=baz",
        "a=foo b1=bar b2=baz bar_b1=bar bar_b2=baz",
    );
    let meta = "regex: __meta_(my.*)\naction: labelmap";
    check(
        &[meta],
        "__meta_my_x=1 __meta_y=2",
        "__meta_my_x=1 __meta_y=2 my_x=1",
    );
    let invalid = "regex: x(.*)\naction: labelmap";
    check(&[invalid], "x9=1 x=2 xa=3", "x9=1 x=2 xa=3 a=3");
}

#[test]
fn of_labels_mapped_to_one_name_the_last_by_name_wins() {
    let one = "regex: x.\nreplacement: y\naction: labelmap";

    check(&[one], "x1=a x2=b", "x1=a x2=b y=b");
    check(&[one], "x2=b x1=a", "x1=a x2=b y=b");
}

#[test]
fn labeldrop_and_labelkeep_look_at_names() {
    check(
        &["regex: (b.*)\naction: labeldrop"],
        "a=foo b1=bar b2=baz",
        "a=foo",
    );
    check(
        &["regex: (b.*)\naction: labelkeep"],
        "a=foo b1=bar b2=baz",
        "b1=bar b2=baz",
    );
    check(&["regex: ^gone$\naction: labeldrop"], "gone=1 gone2=2", "gone2=2");
}

#[test]
fn case_is_mapped_one_character_for_one() {
    let lower = "source_labels: a\ntarget_label: l\naction: lowercase";
    let upper = "source_labels: a\ntarget_label: u\naction: uppercase";
    check(&[lower, upper], "a=bAr1", "a=bAr1 l=bar1 u=BAR1");
    check(&[lower], "a=ΑΣ", "a=ΑΣ l=ας".replace('ς', "σ").as_str());
    check(&[lower], "a=İ", "a=İ l=i");
    check(&[upper], "a=straße", "a=straße u=STRAßE");
    check(
        &[upper],
        "a=\u{1f80}\u{1fb3}",
        "a=\u{1f80}\u{1fb3} u=\u{1f88}\u{1fbc}",
    );
}

#[test]
fn write_rules_leave_no_reserved_label_behind() {
    let rules = [
        rule("source_labels: a\ntarget_label: __tmp"),
        rule("source_labels: __tmp\ntarget_label: b"),
    ];
    let relabelling = Relabelling::try_new(&rules).unwrap();

    let draft = relabelling.apply(labels("__name__=up a=1")).unwrap();

    assert_eq!(draft.into_set(), labels("__name__=up a=1 b=1").into_set());
}

#[track_caller]
fn refuse(yaml: &str, expected: &[&str]) {
    let errors = Relabelling::try_new(&[
        RuleConfig {
            target_label: Some("a".into()),
            ..Default::default()
        },
        rule(yaml),
    ])
    .unwrap_err();

    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(
            told.starts_with(&format!("relabel rule [1].{expected}")),
            "{told}"
        );
    }
}

#[test]
fn what_prometheus_refuses_is_refused() {
    refuse("action: explode", &["action: \"explode\" is no relabel action"]);
    refuse(
        "action: replace",
        &["target_label: action replace needs a target_label"],
    );
    refuse("action: lowercase", &["target_label: action lowercase needs"]);
    refuse(
        "action: hashmod\nmodulus: 0",
        &["modulus: action hashmod needs a modulus", "target_label: "],
    );
    refuse(
        "target_label: 0${3}",
        &["target_label: \"0${3}\" cannot become a label name"],
    );
    refuse("target_label: -${3}", &["target_label: \"-${3}\" cannot"]);
    refuse(
        "target_label: ${3}\naction: lowercase",
        &["target_label: \"${3}\" cannot"],
    );
    refuse(
        "target_label: ${3}\nmodulus: 2\naction: hashmod",
        &["target_label: \"${3}\" cannot"],
    );
    refuse(
        "target_label: a\nreplacement: x\naction: uppercase",
        &["replacement: action uppercase takes only"],
    );
    refuse(
        "replacement: -$1\naction: labelmap",
        &["replacement: \"-$1\" cannot become a label name"],
    );
    refuse(
        "regex: (\ntarget_label: a",
        &["regex: regular expression \"(\" does not compile: unclosed group"],
    );
    refuse(
        "source_labels: a-b, c\ntarget_label: a",
        &["source_labels: \"a-b\" is no label name"],
    );
}

#[test]
fn actions_that_take_few_keys_refuse_the_others_all_at_once() {
    let all =
        "source_labels: b\nseparator: x\ntarget_label: a\nregex: y\nmodulus: 3\nreplacement: z\naction: ";
    refuse(
        &format!("{all}labeldrop"),
        &[
            "source_labels",
            "target_label",
            "modulus",
            "separator",
            "replacement",
        ],
    );
    refuse(
        &format!("{all}keepequal"),
        &["regex", "modulus", "separator", "replacement"],
    );
}

#[test]
fn a_mistake_tells_its_place_to_programs() {
    let errors = Relabelling::try_new(&[rule("regex: [\ntarget_label: a")]).unwrap_err();

    assert_eq!(
        errors[0].field,
        RuleField::Relabel {
            index: 0,
            key: RuleKey::Regex
        }
    );
    assert!(matches!(&errors[0].problem, Problem::BadRegex { regex, .. } if regex == "["));
}

proptest! {
    #[test]
    fn short_cuts_give_what_the_engine_gives(
        regex in prop::sample::select(vec![".*", "(.*)", ".+", "(.+)", "foo", "", "a;b", "é"]),
        value in prop::sample::select(vec!["", "foo", "a;b", "é", "x\ny", "foo2"]),
        replacement in prop::sample::select(vec!["$1", "${0}x", "k", "$name", ""]),
    ) {
        let config = |regex: &str| RuleConfig {
            source_labels: vec!["a".into()],
            target_label: Some("b".into()),
            replacement: Some(replacement.into()),
            regex: Some(regex.into()),
            ..Default::default()
        };
        let quick = Relabelling::try_new(&[config(regex)]).unwrap();
        let slow = Relabelling::try_new(&[config(&format!("(?:){regex}"))]).unwrap();
        let draft: LabelDraft = [("a", value), ("b", "before")].into_iter().filter(|(_, v)| !v.is_empty()).collect();

        let outcome = quick.apply(draft.clone()).map(LabelDraft::into_set);

        prop_assert_eq!(outcome, slow.apply(draft).map(LabelDraft::into_set));
    }
}
