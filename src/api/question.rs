//! What `/api/v1/metrics` is asked for: `match[]`, `limit` and `page_token`, none of which Pushgateway knows.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;

use crate::model::{GroupKey, Selector, SelectorError};

/// Most selectors of a question; each is tried on every metric.
const MAX_SELECTORS: usize = 100;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// Metrics that one of these selects; empty for all.
    pub(super) selectors: Vec<Selector>,
    /// Most groups of the answer.
    pub(super) limit: Option<usize>,
    /// Only groups behind this one.
    pub(super) after: Option<GroupKey>,
}

/// Why a question is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum QuestionError {
    #[error("{name}={value:?} is not valid UTF-8 after percent-decoding")]
    NotUtf8 { name: String, value: String },
    #[error("match[]: {0}")]
    Selector(#[from] SelectorError),
    #[error("match[] is given {0} times, at most {MAX_SELECTORS} may be")]
    TooManySelectors(usize),
    #[error("limit={0:?} is no number of groups: write 1 or more, or leave it out for all")]
    Limit(String),
    #[error(
        "page_token={0:?} is none that was given out here: take next_page_token of the answer before, or leave it out for the beginning"
    )]
    Token(String),
}

impl Question {
    /// Reads the query of a request. What is not known is passed over, as Pushgateway passes over everything.
    pub(super) fn read(query: &str) -> Result<Self, QuestionError> {
        let mut question = Self::default();
        for pair in pairs(query) {
            let (name, value) = pair?;
            match name.as_str() {
                "match[]" => question.selectors.push(value.parse()?),
                "limit" => question.limit = Some(read_limit(&value)?),
                "page_token" if !value.is_empty() => question.after = Some(read_token(&value)?),
                _ => {}
            }
        }
        if question.selectors.len() > MAX_SELECTORS {
            return Err(QuestionError::TooManySelectors(question.selectors.len()));
        }
        Ok(question)
    }
}

/// Names and values of a query.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Result<(String, String), QuestionError>> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded(name, name)?, decoded(name, value)?))
    })
}

/// The token with which the list goes on behind `group`, whatever has come or gone until then.
pub(super) fn token(group: &GroupKey) -> String {
    // a list of pairs of strings can always be written
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(group).unwrap_or_default())
}

pub(super) fn read_token(token: &str) -> Result<GroupKey, QuestionError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let group = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    group.ok_or_else(|| QuestionError::Token(token.to_owned()))
}

fn read_limit(limit: &str) -> Result<usize, QuestionError> {
    let number = limit.parse().ok().filter(|limit| *limit > 0);
    number.ok_or_else(|| QuestionError::Limit(limit.to_owned()))
}

/// As browsers encode forms: a plus is a blank.
fn decoded(name: &str, value: &str) -> Result<String, QuestionError> {
    let blanks: Cow<'_, str> = if value.contains('+') {
        value.replace('+', " ").into()
    } else {
        value.into()
    };
    let text = percent_decode_str(&blanks).decode_utf8();
    text.map(Cow::into_owned).map_err(|_| QuestionError::NotUtf8 {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_as_browsers_encode_it() {
        let group = GroupKey::try_new("a", [("b".to_owned(), "ü\"/".to_owned())]).unwrap();
        let query = format!(
            "x=y&match[]=up&match%5B%5D=%7Bjob%3D~%22a+b%7Cc%22%7D&limit=7&page_token={}&&",
            token(&group)
        );

        let question = Question::read(&query).unwrap();

        let selectors: Vec<String> = question.selectors.iter().map(Selector::to_string).collect();
        assert_eq!(selectors, ["{__name__=\"up\"}", "{job=~\"a b|c\"}"]);
        assert_eq!((question.limit, question.after), (Some(7), Some(group)));
    }

    #[test]
    fn what_is_not_understood_is_said_with_a_way_out() {
        for (query, expected) in [
            (
                "match[]=up{",
                "match[]: selector \"up{\", character 4: expected the name of a label, found the end",
            ),
            ("match[]={}", "match[]: selector \"{}\" would select everything"),
            ("limit=0", "limit=\"0\" is no number of groups"),
            ("limit=-1", "limit=\"-1\" is no number of groups"),
            (
                "page_token=abc",
                "page_token=\"abc\" is none that was given out here",
            ),
            ("match[]=%FF", "match[]=\"%FF\" is not valid UTF-8"),
        ] {
            let error = Question::read(query).unwrap_err().to_string();

            assert!(error.starts_with(expected), "{query}: {error}");
        }
    }

    #[test]
    fn a_question_has_so_many_selectors_at_most() {
        let query = "match[]=a&".repeat(MAX_SELECTORS + 1);

        let refused = Question::read(&query);

        assert!(matches!(refused, Err(QuestionError::TooManySelectors(101))));
    }
}
