//! `normalise:`, `external_labels:` and relabelling rules.

use regex::Regex;

use super::error::Fault;
use super::file::count;
use super::reader::{Block, Item};
use super::value::{NUMBER, any, number, switch};
use super::word::label_name;
use crate::normalise::{LabelLimits, RuleConfig, RulesConfig};

const ACTIONS: [&str; 11] = [
    "replace",
    "keep",
    "drop",
    "keepequal",
    "dropequal",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
];

/// Reads both blocks.
pub(super) fn read(block: &Block<'_>, external: &Block<'_>) -> RulesConfig {
    let defaults = RulesConfig::default();
    let rules = RulesConfig {
        aliases: block
            .item("aliases")
            .map_or(defaults.aliases, |item| aliases(&item.block())),
        clean_values: block
            .text("clean_values", switch)
            .unwrap_or(defaults.clean_values),
        plus_as_space: block
            .text("plus_as_space", switch)
            .unwrap_or(defaults.plus_as_space),
        split_random_suffix: block
            .text("split_random_suffix", switch)
            .unwrap_or(defaults.split_random_suffix),
        default_job: block
            .text("default_job", default_job)
            .unwrap_or(defaults.default_job),
        yarn: block.text("yarn", switch).unwrap_or(defaults.yarn),
        external_labels: external_labels(external),
        relabel: relabelling(&block.items("relabel_configs")),
        limits: limits(&block.block("limits")),
    };
    block.finish(&[]);
    rules
}

/// Reads a list of Prometheus' relabelling rules, without variables.
pub(super) fn relabelling(items: &[Item<'_>]) -> Vec<RuleConfig> {
    let blocks: Vec<Block<'_>> = items.iter().map(Item::block).collect();
    let rules: Vec<RuleConfig> = blocks.iter().map(rule).collect();
    for fault in check_rules(&rules) {
        if let Some(block) = blocks.get(fault.index) {
            block.reject_rule(fault.key, fault.sentence);
        }
    }
    rules
}

fn rule(block: &Block<'_>) -> RuleConfig {
    let verbatim = |key| block.item(key).and_then(|item| item.verbatim(any));
    let rule = RuleConfig {
        source_labels: block
            .items("source_labels")
            .iter()
            .filter_map(|item| item.verbatim(any))
            .collect(),
        separator: verbatim("separator"),
        target_label: verbatim("target_label"),
        regex: verbatim("regex"),
        modulus: block.item("modulus").and_then(|item| item.verbatim(number)),
        replacement: verbatim("replacement"),
        action: verbatim("action"),
    };
    block.finish(&[]);
    rule
}

/// What is wrong with one rule of a list.
struct RuleFault {
    index: usize,
    key: Option<&'static str>,
    sentence: String,
}

/// Every mistake in a list of rules.
///
/// The one place where rules are judged; both `relabel_configs` and `write_relabel_configs` pass here.
fn check_rules(rules: &[RuleConfig]) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Some(action) = &rule.action
            && !ACTIONS.contains(&action.to_ascii_lowercase().as_str())
        {
            let sentence = format!("{action:?} is no action: write one of {}", ACTIONS.join(", "));
            faults.push(RuleFault {
                index,
                key: Some("action"),
                sentence,
            });
        }
        if let Some(regex) = &rule.regex
            && let Err(error) = Regex::new(&format!("^(?s:{regex})$"))
        {
            let whole = error.to_string();
            let cause = whole
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            let sentence = format!("{regex:?} is no regular expression ({cause}): write it in RE2 syntax");
            faults.push(RuleFault {
                index,
                key: Some("regex"),
                sentence,
            });
        }
    }
    faults
}

fn aliases(block: &Block<'_>) -> Vec<(String, Vec<String>)> {
    let mut table: Vec<(String, Vec<String>)> = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = label_name(name) {
            block.reject_key(name, at, fault);
        }
        let items = if item.is_list() { item.items() } else { vec![item] };
        let mut known: Vec<String> = Vec::new();
        for item in items {
            let Some(alias) = item.text(|text| label_name(text).map(|()| text.to_owned())) else {
                continue;
            };
            let first = table.iter().find(|(_, aliases)| aliases.contains(&alias));
            if alias == name || known.contains(&alias) {
                item.remark(format!("{alias} stands there already"));
            } else if let Some((canonical, _)) = first {
                item.remark(format!(
                    "{alias} is an alias of {canonical} already, which is tried first"
                ));
            }
            if alias != name && !known.contains(&alias) {
                known.push(alias);
            }
        }
        table.push((name.to_owned(), known));
    }
    table
}

fn external_labels(block: &Block<'_>) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = label_name(name) {
            block.reject_key(name, at, fault);
            continue;
        }
        match item.text(any) {
            Some(value) if value.is_empty() => item.remark("is empty, so that no label is added"),
            Some(value) => labels.push((name.to_owned(), value)),
            None => {}
        }
    }
    labels
}

fn default_job(text: &str) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(Fault::new(
            "is empty",
            "give the name that a job without one gets, as flink",
        )),
        text => Ok(text.to_owned()),
    }
}

fn limits(block: &Block<'_>) -> LabelLimits {
    let defaults = LabelLimits::default();
    let labels = NUMBER.off_or_within(
        0,
        (
            4,
            "since name, job, instance and one more are the least; 0 switches the limit off",
        ),
        (10_000, "or 0 to switch the limit off"),
    );
    let names = NUMBER.off_or_within(
        0,
        (64, "since Flink's names are as long; 0 switches the limit off"),
        (1 << 20, "or 0 to switch the limit off"),
    );
    let values = NUMBER.off_or_within(
        0,
        (32, "since a job_id has 32 digits; 0 switches the limit off"),
        (1 << 20, "or 0 to switch the limit off"),
    );
    let limits = LabelLimits {
        max_labels: block
            .text("max_labels", labels)
            .map_or(defaults.max_labels, count),
        max_name_bytes: block
            .text("max_name_bytes", names)
            .map_or(defaults.max_name_bytes, count),
        max_value_bytes: block
            .text("max_value_bytes", values)
            .map_or(defaults.max_value_bytes, count),
    };
    block.finish(&[]);
    limits
}
