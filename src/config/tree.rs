//! YAML text to a tree that remembers where everything stands and keeps duplicate keys, so that both can be reported.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::error::{ConfigError, Position, Problem};

/// Most nodes of a file, aliases expanded: a hundred times the largest sensible file, and an end to YAML bombs.
const MAX_NODES: usize = 100_000;
/// Deepest nesting: ten times what the deepest key needs.
const MAX_DEPTH: usize = 64;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Text(String),
    List(Vec<Node>),
    Block(Vec<Entry>),
}

impl Value {
    /// What it is, to one who expected something else.
    pub(super) const fn shape(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Text(_) => "a single value",
            Self::List(_) => "a list",
            Self::Block(_) => "a block of keys",
        }
    }
}

/// A key of a block, its position, its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Position,
    pub(super) node: Node,
}

/// Reads the one document of `text`; `None` where there is nothing in it.
///
/// # Errors
/// The first place where the text is no YAML.
pub(super) fn parse(text: &str) -> Result<Option<Node>, ConfigError> {
    let mut growth = Growth::default();
    for step in Parser::new_from_str(text) {
        let (event, span) =
            step.map_err(|error| fault(position(*error.marker()), with_way_out(error.info())))?;
        growth.take(event, position(span.start))?;
    }
    Ok(growth.done)
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn fault(at: Position, what: impl Into<String>) -> ConfigError {
    ConfigError {
        position: Some(at),
        path: "the file".to_owned(),
        problem: Problem::Syntax(what.into()),
    }
}

/// The parser's word for a slip, and how such a slip is mended.
fn with_way_out(info: &str) -> String {
    let way_out = if info.contains("tab") {
        "indent with blanks"
    } else if info.contains("mapping values") {
        "look for a second colon in the line (quote the value) or a line indented too far"
    } else {
        "this is where reading stopped, the slip may stand just before"
    };
    format!("{}; {way_out}", info.replace('\n', " "))
}

fn untagged(tag: Option<&Tag>, at: Position) -> Result<(), ConfigError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => Err(fault(
            at,
            "tags have no meaning here; leave the word with `!` away",
        )),
        _ => Ok(()),
    }
}

/// A list or block whose end has not come yet.
enum Open {
    List {
        at: Position,
        anchor: usize,
        items: Vec<Node>,
    },
    Block {
        at: Position,
        anchor: usize,
        entries: Vec<Entry>,
        key: Option<(String, Position)>,
    },
}

#[derive(Default)]
struct Growth {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    done: Option<Node>,
}

impl Growth {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), ConfigError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(
                        at,
                        "a second document begins here; put everything into the first",
                    ));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                untagged(tag.as_deref(), at)?;
                let plain = style == ScalarStyle::Plain;
                let value = match text.as_ref() {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
                    text => Value::Text(text.to_owned()),
                };
                self.place(Node { at, value }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                untagged(tag.as_deref(), at)?;
                self.begin(Open::List {
                    at,
                    anchor,
                    items: Vec::new(),
                })
            }
            Event::MappingStart(anchor, tag) => {
                untagged(tag.as_deref(), at)?;
                self.begin(Open::Block {
                    at,
                    anchor,
                    entries: Vec::new(),
                    key: None,
                })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(size(&node), at)?;
                    self.place(node, 0)
                }
                None => Err(fault(at, "an alias inside of what it stands for")),
            },
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), ConfigError> {
        let (Open::List { at, .. } | Open::Block { at, .. }) = open;
        if self.open.len() >= MAX_DEPTH {
            return Err(fault(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if let Some(Open::Block { key: None, .. }) = self.open.last() {
            return Err(fault(
                at,
                "a list or block cannot be a key; quote it if it is a text",
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ConfigError> {
        match self.open.pop() {
            Some(Open::List { at, anchor, items }) => self.place(
                Node {
                    at,
                    value: Value::List(items),
                },
                anchor,
            ),
            Some(Open::Block {
                at, anchor, entries, ..
            }) => self.place(
                Node {
                    at,
                    value: Value::Block(merged(entries)),
                },
                anchor,
            ),
            None => Ok(()),
        }
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), ConfigError> {
        self.count(1, node.at)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.done = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Block { entries, key, .. }) => match key.take() {
                Some((key, at)) => entries.push(Entry { key, at, node }),
                None => match node.value {
                    Value::Text(text) => *key = Some((text, node.at)),
                    _ => {
                        return Err(fault(
                            node.at,
                            "a key is empty or no text; quote it if it is a text",
                        ));
                    }
                },
            },
        }
        Ok(())
    }

    fn count(&mut self, more: usize, at: Position) -> Result<(), ConfigError> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(fault(
                at,
                format!("more than {MAX_NODES} values, aliases expanded"),
            ));
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Text(_) => 0,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Block(entries) => entries.iter().map(|entry| 1 + size(&entry.node)).sum(),
    }
}

/// Resolves `<<: *anchor` as Prometheus' YAML does: the block's own keys win. A merge of something else stays, for
/// the reader to report as a key it does not know.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| entry.key == "<<");
    for Entry { key, at, node } in merges {
        let sources = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for source in sources {
            match source.value {
                Value::Block(inherited) => {
                    for entry in inherited {
                        if own.iter().all(|mine| mine.key != entry.key) {
                            own.push(entry);
                        }
                    }
                }
                _ => own.push(Entry {
                    key: key.clone(),
                    at,
                    node: source,
                }),
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::{Node, Value, parse};

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Block(entries) => {
                let pairs: Vec<_> = entries
                    .iter()
                    .map(|e| format!("{}@{}={}@{}", e.key, e.at, shown(&e.node), e.node.at))
                    .collect();
                format!("{{{}}}", pairs.join(" "))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = match parse(text) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(node)) => shown(&node),
            Err(error) => format!(
                "{} {error}",
                error.position.map(|p| p.to_string()).unwrap_or_default()
            ),
        };

        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn every_key_and_value_knows_its_line_and_column() {
        check(
            "a: 1\nbc:\n  d: [x, 'y']\n",
            r#"{a@1:1="1"@1:4 bc@2:1={d@3:3=["x" "y"]@3:6}@3:3}"#,
        );
    }

    #[test]
    fn an_empty_file_is_nothing_and_an_empty_value_is_null() {
        check("", "nothing");
        check("# only a remark\n", "nothing");
        check("a: ~", "{a@1:1=null@1:4}");
        check("a: ''", r#"{a@1:1=""@1:4}"#);
    }

    #[test]
    fn duplicate_keys_are_kept_for_the_reader_to_report() {
        check("a: 1\na: 2\n", r#"{a@1:1="1"@1:4 a@2:1="2"@2:4}"#);
    }

    #[test]
    fn a_merge_adds_only_keys_that_the_block_lacks() {
        check(
            "- &base {a: 1, b: 2}\n- {<<: *base, b: 3}\n",
            concat!(
                r#"[{a@1:10="1"@1:13 b@1:16="2"@1:19} "#,
                r#"{b@2:15="3"@2:18 a@1:10="1"@1:13}]"#
            ),
        );
    }

    #[test]
    fn what_is_no_yaml_is_reported_with_its_place() {
        check(
            "a: [1, 2\nb: 3\n",
            "2:2 the file: cannot be read as YAML: illegal placement of ':' indicator; this is where reading stopped, the slip may stand just before",
        );
        check(
            "a: 1\n---\nb: 2\n",
            "2:1 the file: cannot be read as YAML: a second document begins here; put everything into the first",
        );
        check(
            "a: !vault x\n",
            "1:4 the file: cannot be read as YAML: tags have no meaning here; leave the word with `!` away",
        );
    }

    #[test]
    fn a_yaml_bomb_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..8 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
        }

        let refused = parse(&bomb).unwrap_err();

        assert_eq!(
            refused.to_string(),
            "the file: cannot be read as YAML: more than 100000 values, aliases expanded"
        );
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = "[".repeat(100) + &"]".repeat(100);

        assert!(
            parse(&deep)
                .unwrap_err()
                .to_string()
                .contains("nested deeper than 64 levels")
        );
    }
}
