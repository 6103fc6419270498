//! Step 1: many names for one thing become one name.

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::model::{INSTANCE, LabelDraft, is_label_name};

use super::names::NameMarks;
use super::{Effects, Problem, RuleError, RuleField, RulesConfig, identity, value};

/// The table of aliases, with each alias findable by one look.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases {
    rows: Vec<Row>,
    /// Alias to its row and its rank in the row. A fixed seed will do: the keys come from the operator.
    places: HashMap<String, Place, FixedState>,
    /// Most names are no alias; this says so faster than the map.
    marks: NameMarks,
}

#[derive(Clone, Debug)]
struct Row {
    canonical: String,
    aliases: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    row: usize,
    rank: usize,
}

impl Aliases {
    /// Checks the table; mistakes go to `errors`.
    pub(super) fn try_new(config: &RulesConfig, errors: &mut Vec<RuleError>) -> Self {
        let mut table = Self::default();
        for (row, (canonical, aliases)) in config.aliases.iter().enumerate() {
            let field = || RuleField::Canonical(canonical.clone());
            let mut report = |problem| {
                errors.push(RuleError {
                    field: field(),
                    problem,
                })
            };
            if let Some(problem) = bad_name(canonical).or_else(|| unfit_as_canonical(canonical, config)) {
                report(problem);
            }
            if config
                .aliases
                .iter()
                .take(row)
                .any(|(earlier, _)| earlier == canonical)
            {
                report(Problem::Duplicate(canonical.clone()));
            }
            for (rank, alias) in aliases.iter().enumerate() {
                let field = RuleField::Alias {
                    canonical: canonical.clone(),
                    alias: alias.clone(),
                };
                if let Some(problem) = bad_name(alias).or_else(|| unfit_as_alias(alias, config)) {
                    errors.push(RuleError {
                        field: field.clone(),
                        problem,
                    });
                }
                table.marks.insert(alias);
                if table.places.insert(alias.clone(), Place { row, rank }).is_some() {
                    errors.push(RuleError {
                        field,
                        problem: Problem::Duplicate(alias.clone()),
                    });
                }
            }
            table.rows.push(Row {
                canonical: canonical.clone(),
                aliases: aliases.clone(),
            });
        }
        table
    }

    /// `canonical` and its aliases, in order of preference.
    pub(super) fn names_of(&self, canonical: &str) -> Vec<String> {
        let row = self.rows.iter().find(|row| row.canonical == canonical);
        let aliases = row.map(|row| row.aliases.as_slice()).unwrap_or_default();
        std::iter::once(canonical.to_owned())
            .chain(aliases.iter().cloned())
            .collect()
    }

    /// Renames aliases in `draft`, which has unique names and no empty values.
    pub(super) fn apply<'a>(&'a self, draft: &mut LabelDraft<'a>, effects: &mut Effects) {
        let mut found: Vec<Place> = draft
            .iter()
            .filter(|(name, _)| self.marks.may_hold(name))
            .filter_map(|(name, _)| self.places.get(name))
            .copied()
            .collect();
        found.sort_unstable();
        for place in found {
            let Some(row) = self.rows.get(place.row) else {
                continue;
            };
            let Some(alias) = row.aliases.get(place.rank) else {
                continue;
            };
            resolve(draft, &row.canonical, alias, effects);
        }
    }
}

fn resolve<'a>(draft: &mut LabelDraft<'a>, canonical: &'a str, alias: &str, effects: &mut Effects) {
    match (draft.get(canonical), draft.get(alias)) {
        (None, _) => {
            if let Some((name, _)) = draft.iter_mut().find(|(name, _)| name == alias) {
                *name = Cow::Borrowed(canonical);
                effects.aliased += 1;
            }
        }
        (Some(held), Some(also)) if value::agree(canonical, held, also) => {
            draft.remove(alias);
            effects.aliased += 1;
        }
        _ => effects.alias_conflicts += 1,
    }
}

/// Why `name` cannot be given to a label by an operator.
pub(super) fn bad_name(name: &str) -> Option<Problem> {
    if !is_label_name(name) {
        Some(Problem::BadName(name.to_owned()))
    } else if name.starts_with("__") {
        Some(Problem::ReservedName(name.to_owned()))
    } else {
        None
    }
}

/// A kept alias is compared with its canonical label again in a second pass, so no later step may touch the latter.
fn unfit_as_canonical(name: &str, config: &RulesConfig) -> Option<Problem> {
    let touched = config.split_random_suffix && [identity::JOB, identity::REPORTER_ID].contains(&name);
    touched.then(|| Problem::MadeHere {
        name: name.to_owned(),
        step: "split_random_suffix",
    })
}

/// An alias that a later step writes would be renamed in a second pass.
fn unfit_as_alias(name: &str, config: &RulesConfig) -> Option<Problem> {
    if config.aliases.iter().any(|(canonical, _)| canonical == name) {
        return Some(Problem::AliasIsCanonical(name.to_owned()));
    }
    let made = |step| {
        Some(Problem::MadeHere {
            name: name.to_owned(),
            step,
        })
    };
    match name {
        identity::JOB | INSTANCE if config.split_random_suffix => made("split_random_suffix"),
        super::yarn::CONTAINER_ID | super::yarn::APPLICATION_ID if config.yarn => made("yarn"),
        value::JOB_ID if config.clean_values => made("clean_values"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[(&str, &str)], expected: &[(&str, &str)], aliased: u64, conflicts: u64) {
        let table = Aliases::try_new(&RulesConfig::default(), &mut Vec::new());
        let mut draft: LabelDraft = labels.iter().copied().collect();
        let mut effects = Effects::default();

        table.apply(&mut draft, &mut effects);

        assert_eq!(
            draft.into_set(),
            expected.iter().copied().collect::<LabelDraft>().into_set()
        );
        assert_eq!((effects.aliased, effects.alias_conflicts), (aliased, conflicts));
    }

    #[test]
    fn an_alias_becomes_the_canonical_name_where_that_is_absent() {
        check(
            &[("tmId", "a"), ("other", "x")],
            &[("tm_id", "a"), ("other", "x")],
            1,
            0,
        );
    }

    #[test]
    fn an_alias_that_says_the_same_goes() {
        check(&[("tm_id", "a"), ("tmId", "a")], &[("tm_id", "a")], 1, 0);
        check(
            &[
                ("job_id", "00112233445566778899aabbccddeeff"),
                ("jobid", "00112233-4455-6677-8899-AABBCCDDEEFF"),
            ],
            &[("job_id", "00112233445566778899aabbccddeeff")],
            1,
            0,
        );
    }

    #[test]
    fn an_alias_that_disagrees_is_kept_and_counted() {
        check(
            &[("tm_id", "a"), ("tmId", "b")],
            &[("tm_id", "a"), ("tmId", "b")],
            0,
            1,
        );
    }

    #[test]
    fn of_several_aliases_the_first_in_the_table_wins() {
        check(
            &[
                ("emr_id", "c"),
                ("cluster_id", "b"),
                ("InstanceId", "a"),
                ("clusterId", "a"),
            ],
            &[("instance_id", "a"), ("cluster_id", "b"), ("emr_id", "c")],
            2,
            2,
        );
    }
}
