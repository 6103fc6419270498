//! The text form, read independently of the program under test.

use super::{TIMES, is_own, time};

/// One line a HELP, a TYPE and a sample, the labels sorted.
pub(super) fn lines(body: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    let mut family = String::new();
    let mut seen = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let (_, rest) = comment.split_once(' ').ok_or(line)?;
            let name = bare(word(rest));
            if name != family {
                if seen.contains(&name) {
                    found.push(format!("the family {name} is in two places"));
                }
                seen.push(name.clone());
                family = name;
            }
            // a HELP of nothing says no more than none
            let is_empty = comment.starts_with("HELP ") && word(rest).len() == rest.trim_end().len();
            if !is_own(&family) && !is_empty {
                found.push(line.to_owned());
            }
        } else if !is_own(&bare(word(line.trim_start_matches('{')))) {
            let sample = sample(line).ok_or(line)?;
            if !sample.0.starts_with(family.as_str()) {
                found.push(format!("outside its family {family}: {line}"));
            }
            found.push(sample.1);
        }
    }
    Ok(found)
}

/// The name of a sample, and the sample with its labels sorted.
fn sample(line: &str) -> Option<(String, String)> {
    let Some((before, inside)) = line.split_once('{') else {
        let (name, value) = line.split_once(' ')?;
        return Some((name.to_owned(), format!("{name}{{}} {}", shown(name, value))));
    };
    let (mut parts, value) = parts(inside)?;
    parts.sort();
    let quoted = parts.iter().position(|part| part.starts_with('"'));
    let name = match quoted {
        Some(at) => bare(&parts.remove(at)),
        None => before.to_owned(),
    };
    let value = shown(&name, value.trim_start());
    Some((name.clone(), format!("{name}{{{}}} {value}", parts.join(","))))
}

/// What stands between the braces, cut at the commas, and what follows them.
fn parts(inside: &str) -> Option<(Vec<String>, &str)> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in inside.char_indices() {
        match letter {
            '}' if !quoted => {
                parts.retain(|part| !part.is_empty());
                return Some((parts, &inside[at + 1..]));
            }
            ',' if !quoted => {
                parts.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
        parts.last_mut()?.push(letter);
    }
    None
}

/// What comes first: a bare word, or all between quotes.
fn word(text: &str) -> &str {
    match text
        .strip_prefix('"')
        .and_then(|rest| rest.find("\" ").or_else(|| rest.find("\",")))
    {
        Some(end) => &text[..end + 2],
        None => text.split([' ', '{', '}']).next().unwrap_or_default(),
    }
}

fn bare(name: &str) -> String {
    name.trim_matches('"').to_owned()
}

fn shown(name: &str, value: &str) -> String {
    match value.parse() {
        Ok(seconds) if TIMES.contains(&name) => time(seconds).to_owned(),
        _ => value.to_owned(),
    }
}
