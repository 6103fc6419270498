//! `normalise:`, `external_labels:` and relabelling rules.

use super::file::count;
use super::reader::{Block, Item};
use super::value::{NUMBER, any, number, switch};
use crate::normalise::{LabelLimits, Relabelling, RuleConfig, RuleError, RuleField, Rules, RulesConfig};

/// One alias of the table: the canonical name it is listed under, itself, and where it stands.
struct TypedAlias<'a> {
    canonical: &'a str,
    alias: String,
    item: Item<'a>,
}

/// Reads both blocks and has the rules judge them.
pub(super) fn read(block: &Block<'_>, external: &Block<'_>) -> RulesConfig {
    let defaults = RulesConfig::default();
    let table = block.item("aliases").map(|item| item.block());
    let typed: Vec<TypedAlias<'_>> = table.as_ref().map(aliases).unwrap_or_default();
    let relabel: Vec<Block<'_>> = block.items("relabel_configs").iter().map(Item::block).collect();
    let rules = RulesConfig {
        aliases: table
            .as_ref()
            .map_or(defaults.aliases, |table| rows(table, &typed)),
        clean_values: block
            .text("clean_values", switch)
            .unwrap_or(defaults.clean_values),
        plus_as_space: block
            .text("plus_as_space", switch)
            .unwrap_or(defaults.plus_as_space),
        split_random_suffix: block
            .text("split_random_suffix", switch)
            .unwrap_or(defaults.split_random_suffix),
        default_job: block.text("default_job", any).unwrap_or(defaults.default_job),
        yarn: block.text("yarn", switch).unwrap_or(defaults.yarn),
        external_labels: external_labels(external),
        relabel: relabel.iter().map(rule).collect(),
        limits: limits(&block.block("limits")),
        ..defaults
    };
    for RuleError { field, problem } in Rules::try_new(&rules).err().unwrap_or_default() {
        let sentence = problem.to_string();
        match field {
            RuleField::Canonical(name) => table.as_ref().unwrap_or(block).reject_rule(&name, sentence),
            RuleField::Alias { canonical, alias } => {
                let last = typed
                    .iter()
                    .rfind(|typed| typed.canonical == canonical && typed.alias == alias);
                match last {
                    Some(typed) => typed.item.reject_rule(sentence),
                    None => block.reject_rule("aliases", sentence),
                }
            }
            RuleField::DefaultJob => block.reject_rule("default_job", sentence),
            RuleField::ExternalLabel(name) => external.reject_rule(&name, sentence),
            RuleField::Relabel { index, key } => reject_relabel(&relabel, index, key.as_str(), sentence),
        }
    }
    block.finish(&[]);
    rules
}

/// Reads a list of Prometheus' relabelling rules, without variables, and has them compiled.
pub(super) fn relabelling(items: &[Item<'_>]) -> Vec<RuleConfig> {
    let blocks: Vec<Block<'_>> = items.iter().map(Item::block).collect();
    let rules: Vec<RuleConfig> = blocks.iter().map(rule).collect();
    for RuleError { field, problem } in Relabelling::try_new(&rules).err().unwrap_or_default() {
        if let RuleField::Relabel { index, key } = field {
            reject_relabel(&blocks, index, key.as_str(), problem.to_string());
        }
    }
    rules
}

fn reject_relabel(blocks: &[Block<'_>], index: usize, key: &str, sentence: String) {
    if let Some(block) = blocks.get(index) {
        block.reject_rule(key, sentence);
    }
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

fn aliases<'a>(table: &Block<'a>) -> Vec<TypedAlias<'a>> {
    let mut typed = Vec::new();
    for (canonical, _, item) in table.pairs() {
        let items = if item.is_list() { item.items() } else { vec![item] };
        for item in items {
            if let Some(alias) = item.text(any) {
                typed.push(TypedAlias {
                    canonical,
                    alias,
                    item,
                });
            }
        }
    }
    typed
}

fn rows(table: &Block<'_>, typed: &[TypedAlias<'_>]) -> Vec<(String, Vec<String>)> {
    let aliases_of = |name: &str| {
        typed
            .iter()
            .filter(|typed| typed.canonical == name)
            .map(|typed| typed.alias.clone())
            .collect()
    };
    table
        .pairs()
        .into_iter()
        .map(|(name, _, _)| (name.to_owned(), aliases_of(name)))
        .collect()
}

fn external_labels(block: &Block<'_>) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    for (name, _, item) in block.pairs() {
        match item.text(any) {
            Some(value) if value.is_empty() => item.remark("is empty, so that no label is added"),
            Some(value) => labels.push((name.to_owned(), value)),
            None => {}
        }
    }
    labels
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
