//! Step 3: Flink's random suffix is the process, not the job.

use std::borrow::Cow;

use crate::model::{INSTANCE, LabelDraft};

use super::{Effects, Problem, RuleError, RuleField, RulesConfig, value};

/// The label that Flink's suffix is glued to.
pub(super) const JOB: &str = "job";
/// The label in which newer reporters send what older ones glue to `job`.
pub(super) const REPORTER_ID: &str = "flink_prometheus_push_gateway_reporter_id";

/// Splits `job` into the name and the process.
///
/// The name is what is left when no suffix is left: several suffixes in a row, and blanks before them, are cut
/// together, else a second pass would cut the next one. All that is cut becomes `instance` where that is unset; where
/// it is set `job` is split all the same, since a new `job` with every start of a process is what the step prevents.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    default_job: String,
}

impl Identity {
    /// `None` when the step is off; a mistake goes to `errors`.
    pub(super) fn try_new(config: &RulesConfig, errors: &mut Vec<RuleError>) -> Option<Self> {
        if !config.split_random_suffix {
            return None;
        }
        let job = &config.default_job;
        if job.is_empty() || job.trim() != job || value::without_hex_suffix(job).is_some() {
            let problem = Problem::BadDefaultJob(job.clone());
            errors.push(RuleError {
                field: RuleField::DefaultJob,
                problem,
            });
        }
        Some(Self {
            default_job: job.clone(),
        })
    }

    /// Works on a draft with unique names and no empty values. A reporter id goes before a suffix: it is explicit.
    pub(super) fn apply<'a>(&'a self, draft: &mut LabelDraft<'a>, effects: &mut Effects) {
        if let Some(id) = draft.remove(REPORTER_ID) {
            effects.suffixes_split += 1;
            set_instance(draft, id);
        }
        let Some((_, job)) = draft.iter_mut().find(|(name, _)| name == JOB) else {
            return;
        };
        let Some((name, suffix)) = split_shared(job) else {
            return;
        };
        *job = if name.is_empty() {
            Cow::Borrowed(self.default_job.as_str())
        } else {
            name
        };
        effects.suffixes_split += 1;
        set_instance(draft, suffix);
    }
}

fn set_instance<'a>(draft: &mut LabelDraft<'a>, value: Cow<'a, str>) {
    if draft.get(INSTANCE).is_none() {
        draft.push(INSTANCE, value);
    }
}

fn split_shared<'a>(job: &Cow<'a, str>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    match job {
        Cow::Borrowed(job) => split(job).map(|(name, suffix)| (Cow::Borrowed(name), Cow::Borrowed(suffix))),
        Cow::Owned(job) => {
            split(job).map(|(name, suffix)| (Cow::Owned(name.to_owned()), Cow::Owned(suffix.to_owned())))
        }
    }
}

fn split(job: &str) -> Option<(&str, &str)> {
    let mut name = value::without_hex_suffix(job)?.trim_end();
    while let Some(shorter) = value::without_hex_suffix(name) {
        name = shorter.trim_end();
    }
    Some((name, job.strip_prefix(name)?.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "7a85b677988fb7be9d8e2a33abacae01";

    #[track_caller]
    fn check(labels: &[(&str, &str)], expected: &[(&str, &str)]) {
        let identity = Identity::try_new(&RulesConfig::default(), &mut Vec::new()).unwrap();
        let mut draft: LabelDraft = labels.iter().copied().collect();

        identity.apply(&mut draft, &mut Effects::default());

        assert_eq!(
            draft.into_set(),
            expected.iter().copied().collect::<LabelDraft>().into_set()
        );
    }

    #[test]
    fn a_suffix_moves_from_job_to_instance() {
        check(
            &[("job", &format!("etl{HEX}"))],
            &[("job", "etl"), ("instance", HEX)],
        );
        check(
            &[("job", &format!("abc{HEX}"))],
            &[("job", "abc"), ("instance", HEX)],
        );
        check(
            &[("job", &format!("größe{HEX}"))],
            &[("job", "größe"), ("instance", HEX)],
        );
    }

    #[test]
    fn a_job_that_is_only_a_suffix_gets_the_default_name() {
        check(&[("job", HEX)], &[("job", "flink"), ("instance", HEX)]);
    }

    #[test]
    fn a_set_instance_stays_and_the_job_is_split_all_the_same() {
        check(
            &[("job", &format!("etl{HEX}")), ("instance", "i-1")],
            &[("job", "etl"), ("instance", "i-1")],
        );
    }

    #[test]
    fn suffixes_in_a_row_are_cut_together() {
        let twice = format!("{HEX}{HEX}");
        check(
            &[("job", &format!("etl{twice}"))],
            &[("job", "etl"), ("instance", &twice)],
        );
        check(&[("job", &twice)], &[("job", "flink"), ("instance", &twice)]);
    }

    #[test]
    fn blanks_before_a_suffix_go_with_it() {
        check(
            &[("job", &format!("my job {HEX}"))],
            &[("job", "my job"), ("instance", HEX)],
        );
    }

    #[test]
    fn a_reporter_id_becomes_the_instance_and_goes() {
        check(
            &[("job", "etl"), (REPORTER_ID, HEX)],
            &[("job", "etl"), ("instance", HEX)],
        );
        check(&[("instance", "i-1"), (REPORTER_ID, HEX)], &[("instance", "i-1")]);
    }

    #[test]
    fn what_only_resembles_a_suffix_stays() {
        for job in [
            "etl",
            "etl7a85",
            &format!("etl{}", HEX.to_uppercase()),
            &format!("{HEX}x"),
        ] {
            check(&[("job", job)], &[("job", job)]);
        }
    }
}
