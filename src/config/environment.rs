//! `${NAME}` and `${NAME:-default}` in a value; everything else with a `$` stays as it is.
//!
//! A name begins with a letter or `_`, so `$1` and `${1}` of a relabelling rule are no variables (and rules are not
//! substituted at all, since `${name}` may be a group of their regex). `$${` stands for `${` itself.

use super::error::Problem;

/// Puts the variables of `text` in; `None` where it names none.
///
/// # Errors
/// A variable that is not set and has no default.
pub(super) fn substitute(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Problem> {
    let mut out = String::new();
    let mut rest = text;
    let mut changed = false;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(kept) = before.strip_suffix('$') {
            out.push_str(kept);
            out.push_str("${");
            changed = true;
        } else if let Some((name, default, tail)) = variable(after) {
            out.push_str(before);
            match (environment(name), default) {
                (Some(value), Some(default)) if value.is_empty() => out.push_str(default),
                (Some(value), _) => out.push_str(&value),
                (None, Some(default)) => out.push_str(default),
                (None, None) => return Err(Problem::UnsetVariable(name.to_owned())),
            }
            changed = true;
            rest = tail;
            continue;
        } else {
            out.push_str(before);
            out.push_str("${");
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(changed.then_some(out))
}

/// Name, default and what follows the brace of `NAME}...` or `NAME:-default}...`.
fn variable(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (inside, tail) = text.split_once('}')?;
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let mut bytes = name.bytes();
    let first = bytes.next()?;
    let valid = (first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    valid.then_some((name, default, tail))
}

#[cfg(test)]
mod tests {
    use super::{Problem, substitute};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let environment = |name: &str| match name {
            "HOST" => Some("emr-1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };

        let put = substitute(text, &environment)
            .unwrap()
            .unwrap_or_else(|| text.to_owned());

        assert_eq!(put, expected);
    }

    #[test]
    fn a_variable_is_put_in_wherever_it_stands() {
        check("${HOST}", "emr-1");
        check("http://${HOST}:9090/${HOST}", "http://emr-1:9090/emr-1");
    }

    #[test]
    fn a_default_stands_in_for_what_is_unset_or_empty() {
        check("${NOBODY:-x:-y}", "x:-y");
        check("${EMPTY:-x}", "x");
        check("${HOST:-x}", "emr-1");
        check("${NOBODY:-}", "");
        check("a${EMPTY}b", "ab");
    }

    #[test]
    fn any_other_dollar_stays() {
        for text in [
            "$1", "${1}", "${1}_x", "$$", "a$", "$HOST", "${HOST", "${}", "${a-b}", "pa$$word",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_doubled_dollar_before_a_brace_makes_it_plain_text() {
        check("$${HOST}", "${HOST}");
        check("$${HOST} ${HOST}", "${HOST} emr-1");
    }

    #[test]
    fn a_variable_that_is_not_set_is_an_error() {
        let refused = substitute("a${NOBODY}", &|_| None).unwrap_err();

        assert_eq!(refused, Problem::UnsetVariable("NOBODY".to_owned()));
    }
}
