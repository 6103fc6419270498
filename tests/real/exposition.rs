//! What a captured push says, read independently of the program under test.

use std::collections::BTreeMap;

/// One line of a push.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The name before the brace.
    pub(crate) name: String,
    /// The labels as written, unescaped.
    pub(crate) labels: BTreeMap<String, String>,
    /// The number.
    pub(crate) value: f64,
}

/// The samples of a body in text format 0.0.4 as Java writes it.
#[track_caller]
pub(crate) fn read(body: &[u8]) -> Vec<Line> {
    let text = std::str::from_utf8(body).expect("UTF-8");
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(line)
        .collect()
}

#[track_caller]
fn line(text: &str) -> Line {
    let (series, value) = text.rsplit_once(' ').expect("a value");
    let (name, rest) = series.split_once('{').unwrap_or((series, ""));
    Line {
        name: name.to_owned(),
        labels: labels(rest),
        value: value.parse().expect("a number"),
    }
}

/// `a="b",c="d\"e",}` up to the brace.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut letters = after.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    rest = after[at + 1..].trim_start_matches(',');
                    break;
                }
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => break,
                },
                other => value.push(other),
            }
        }
        found.insert(name.to_owned(), value);
    }
    found
}
