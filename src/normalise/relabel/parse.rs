//! From a rule as typed to a rule that can run; refuses what Prometheus refuses.

use std::fmt;
use std::num::NonZeroU64;

use crate::model::{Pattern, is_label_name};

use super::super::{Problem, RuleConfig, RuleError, RuleField};
use super::rule::{Rule, Sources};
use super::template::{self, Template};

/// The key of a relabel rule in which a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKey {
    /// `source_labels`.
    SourceLabels,
    /// `separator`.
    Separator,
    /// `target_label`.
    TargetLabel,
    /// `regex`.
    Regex,
    /// `modulus`.
    Modulus,
    /// `replacement`.
    Replacement,
    /// `action`.
    Action,
}

impl RuleKey {
    /// The key as it is typed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SourceLabels => "source_labels",
            Self::Separator => "separator",
            Self::TargetLabel => "target_label",
            Self::Regex => "regex",
            Self::Modulus => "modulus",
            Self::Replacement => "replacement",
            Self::Action => "action",
        }
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Compiles one rule, or tells every mistake in it.
pub(super) fn rule(index: usize, config: &RuleConfig) -> Result<Rule, Vec<RuleError>> {
    let mut reader = Reader {
        index,
        config,
        action: "",
        errors: Vec::new(),
    };
    let typed = config.action.as_deref().unwrap_or("replace");
    let Some(action) = ACTIONS.iter().find(|action| action.eq_ignore_ascii_case(typed)) else {
        reader.report(RuleKey::Action, Problem::UnknownAction(typed.to_owned()));
        return Err(reader.errors);
    };
    reader.action = action;
    let rule = reader.rule();
    rule.filter(|_| reader.errors.is_empty()).ok_or(reader.errors)
}

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
const ANYTHING: &str = "(.*)";
const FIRST_GROUP: &str = "$1";
const SEPARATOR: &str = ";";

struct Reader<'c> {
    index: usize,
    config: &'c RuleConfig,
    action: &'static str,
    errors: Vec<RuleError>,
}

impl<'c> Reader<'c> {
    /// `None` only where a mistake was reported; fields are all read before one is missed, so that all are reported.
    fn rule(&mut self) -> Option<Rule> {
        match self.action {
            "keep" => self.filter(|sources, pattern| Rule::Keep { sources, pattern }),
            "drop" => self.filter(|sources, pattern| Rule::Drop { sources, pattern }),
            "keepequal" => self.equality(|sources, target| Rule::KeepEqual { sources, target }),
            "dropequal" => self.equality(|sources, target| Rule::DropEqual { sources, target }),
            "hashmod" => self.hash_mod(),
            "labelmap" => self.label_map(),
            "labeldrop" => self.names(|pattern| Rule::LabelDrop { pattern }),
            "labelkeep" => self.names(|pattern| Rule::LabelKeep { pattern }),
            "lowercase" => self.case(|sources, target| Rule::Lowercase { sources, target }),
            "uppercase" => self.case(|sources, target| Rule::Uppercase { sources, target }),
            _ => self.replace(),
        }
    }

    fn replace(&mut self) -> Option<Rule> {
        let (sources, pattern, target) = (self.sources(), self.pattern(), self.target_template());
        let replacement = Template::new(self.replacement());
        Some(Rule::Replace {
            sources,
            pattern: pattern?,
            target: target?,
            replacement,
        })
    }

    fn filter(&mut self, rule: impl Fn(Sources, Pattern) -> Rule) -> Option<Rule> {
        let (sources, pattern) = (self.sources(), self.pattern());
        Some(rule(sources, pattern?))
    }

    fn equality(&mut self, rule: impl Fn(Sources, String) -> Rule) -> Option<Rule> {
        let (config, takes) = (self.config, "source_labels and target_label");
        self.refuse(RuleKey::Regex, other_than(ANYTHING, config.regex.as_ref()), takes);
        self.refuse_what_makes_values(takes);
        let (sources, target) = (self.sources(), self.target());
        Some(rule(sources, target?))
    }

    fn hash_mod(&mut self) -> Option<Rule> {
        let modulus = self.config.modulus.and_then(NonZeroU64::new);
        if modulus.is_none() {
            self.report_missing(RuleKey::Modulus, "a modulus above zero");
        }
        let (sources, target) = (self.sources(), self.target());
        Some(Rule::HashMod {
            sources,
            modulus: modulus?,
            target: target?,
        })
    }

    fn label_map(&mut self) -> Option<Rule> {
        let replacement = self.replacement();
        if !template::may_become_name(replacement) {
            self.report_bad_target(RuleKey::Replacement, replacement.to_owned());
        }
        let replacement = Template::new(replacement);
        Some(Rule::LabelMap {
            pattern: self.pattern()?,
            replacement,
        })
    }

    /// The keys that say how a new value is made, for actions that make none.
    fn refuse_what_makes_values(&mut self, takes: &'static str) {
        let config = self.config;
        self.refuse(
            RuleKey::Modulus,
            config.modulus.filter(|modulus| *modulus > 0),
            takes,
        );
        self.refuse(
            RuleKey::Separator,
            other_than(SEPARATOR, config.separator.as_ref()),
            takes,
        );
        self.refuse(
            RuleKey::Replacement,
            other_than(FIRST_GROUP, config.replacement.as_ref()),
            takes,
        );
    }

    fn names(&mut self, rule: impl Fn(Pattern) -> Rule) -> Option<Rule> {
        let (config, takes) = (self.config, "regex");
        self.refuse(RuleKey::SourceLabels, config.source_labels.first(), takes);
        self.refuse(
            RuleKey::TargetLabel,
            other_than("", config.target_label.as_ref()),
            takes,
        );
        self.refuse_what_makes_values(takes);
        self.pattern().map(rule)
    }

    fn case(&mut self, rule: impl Fn(Sources, String) -> Rule) -> Option<Rule> {
        let replacement = other_than(FIRST_GROUP, self.config.replacement.as_ref());
        self.refuse(
            RuleKey::Replacement,
            replacement,
            "source_labels, separator and target_label",
        );
        let (sources, target) = (self.sources(), self.target());
        Some(rule(sources, target?))
    }

    fn sources(&mut self) -> Sources {
        let names = self.config.source_labels.clone();
        for name in names.iter().filter(|name| !is_label_name(name)) {
            self.report(RuleKey::SourceLabels, Problem::BadName(name.clone()));
        }
        let separator = self.config.separator.as_deref().unwrap_or(SEPARATOR);
        Sources {
            names,
            separator: separator.to_owned(),
        }
    }

    fn pattern(&mut self) -> Option<Pattern> {
        let regex = self.config.regex.as_deref().unwrap_or(ANYTHING);
        match Pattern::try_new(regex) {
            Ok(pattern) => Some(pattern),
            Err(cause) => {
                self.report(
                    RuleKey::Regex,
                    Problem::BadRegex {
                        regex: regex.to_owned(),
                        cause,
                    },
                );
                None
            }
        }
    }

    /// A target that is a name as it stands.
    fn target(&mut self) -> Option<String> {
        let target = self.typed_target()?;
        if is_label_name(target) {
            return Some(target.to_owned());
        }
        let rule = "letters, digits and _, not beginning with a digit (references only with replace)";
        let value = target.to_owned();
        self.report(RuleKey::TargetLabel, Problem::BadTarget { value, rule });
        None
    }

    /// A target that may refer to what the regex captured.
    fn target_template(&mut self) -> Option<Template> {
        let target = self.typed_target()?;
        if template::may_become_name(target) {
            return Some(Template::new(target));
        }
        self.report_bad_target(RuleKey::TargetLabel, target.to_owned());
        None
    }

    fn typed_target(&mut self) -> Option<&'c str> {
        let config = self.config;
        let target = config.target_label.as_deref().filter(|target| !target.is_empty());
        if target.is_none() {
            self.report_missing(RuleKey::TargetLabel, "a target_label");
        }
        target
    }

    fn replacement(&self) -> &'c str {
        self.config.replacement.as_deref().unwrap_or(FIRST_GROUP)
    }

    fn report(&mut self, key: RuleKey, problem: Problem) {
        self.errors.push(RuleError {
            field: RuleField::Relabel {
                index: self.index,
                key,
            },
            problem,
        });
    }

    fn report_missing(&mut self, key: RuleKey, needs: &'static str) {
        self.report(
            key,
            Problem::Missing {
                action: self.action,
                needs,
            },
        );
    }

    fn report_bad_target(&mut self, key: RuleKey, value: String) {
        let rule = "letters, digits, _ and references like ${1}, not beginning with a digit";
        self.report(key, Problem::BadTarget { value, rule });
    }

    fn refuse<T>(&mut self, key: RuleKey, typed: Option<T>, takes: &'static str) {
        if typed.is_some() {
            self.report(
                key,
                Problem::NotTaken {
                    action: self.action,
                    takes,
                },
            );
        }
    }
}

/// What was typed, unless it says what holds anyway.
fn other_than<'c>(default: &str, typed: Option<&'c String>) -> Option<&'c String> {
    typed.filter(|typed| *typed != default)
}
