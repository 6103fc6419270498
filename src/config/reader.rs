//! Walks the tree and collects every mistake instead of stopping at the first.
//!
//! A [`Block`] notes which keys were asked for; what is left when it is [finished](Block::finish) is an unknown key. A
//! value that is wrong is reported once and read as absent, so that its default does not lead to further complaints.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::environment::substitute;
use super::error::{ConfigError, Fault, Notice, Position, Problem};
use super::nearest::nearest;
use super::tree::{Entry, Node, Value};
use crate::forward::RemoteConfig;

/// Keys of the contract that this version does not know yet, and a sentence on each.
pub(super) type NotYet = &'static [(&'static str, &'static str)];

/// What the walk knows and what it has found.
pub(super) struct Reader<'a> {
    folder: &'a Path,
    environment: &'a dyn Fn(&str) -> Option<String>,
    errors: RefCell<Vec<ConfigError>>,
    notices: RefCell<Vec<Notice>>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(folder: &'a Path, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            folder,
            environment,
            errors: RefCell::new(Vec::new()),
            notices: RefCell::new(Vec::new()),
        }
    }

    /// The block at the top of the file.
    pub(super) fn root(&'a self, node: Option<&'a Node>) -> Block<'a> {
        match node {
            Some(node) => Item {
                reader: self,
                path: String::new(),
                node,
            }
            .block(),
            None => Block::absent(self, String::new(), Position { line: 1, column: 1 }),
        }
    }

    /// Everything found, in the order of the file.
    pub(super) fn into_findings(self) -> (Vec<ConfigError>, Vec<Notice>) {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|error| error.position);
        let mut notices = self.notices.into_inner();
        notices.sort_by_key(|notice| notice.position);
        (errors, notices)
    }

    fn report(&self, position: Position, path: &str, problem: Problem) {
        let path = if path.is_empty() { "the file" } else { path }.to_owned();
        self.errors.borrow_mut().push(ConfigError {
            position: Some(position),
            path,
            problem,
        });
    }
}

/// A value and the path that leads to it.
pub(super) struct Item<'a> {
    reader: &'a Reader<'a>,
    path: String,
    node: &'a Node,
}

impl<'a> Item<'a> {
    /// The value as `parse` understands it; shown in the message if it does not.
    pub(super) fn text<T>(&self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let (typed, value) = self.substituted()?;
        parse(&value).map_err(|fault| self.report(fault.of(typed))).ok()
    }

    /// The same for a URL, which is shown without user and query.
    pub(super) fn url<T>(&self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let (typed, value) = self.substituted()?;
        parse(&value)
            .map_err(|fault| self.report(fault.of(&RemoteConfig::redact(typed))))
            .ok()
    }

    /// The same for a value that no message may show.
    pub(super) fn secret<T>(&self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let (_, value) = self.substituted()?;
        parse(&value).map_err(|fault| self.report(fault.of_secret())).ok()
    }

    /// The path; a relative one starts at the file's folder.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let path = self.text(|text| match text {
            "" => Err(Fault::new("names no file", "give a path, or leave the key away")),
            text => Ok(PathBuf::from(text)),
        })?;
        Some(self.reader.folder.join(path))
    }

    /// The same without looking for variables.
    pub(super) fn verbatim<T>(&self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let typed = self.typed()?;
        parse(typed).map_err(|fault| self.report(fault.of(typed))).ok()
    }

    /// The items of a list; none where it is no list.
    pub(super) fn items(&self) -> Vec<Item<'a>> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::List(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(index, node)| Item {
                    reader: self.reader,
                    path: format!("{}[{index}]", self.path),
                    node,
                })
                .collect(),
            other => {
                self.report_shape(other, "write it as a list, one `- ` line for each or [a, b]");
                Vec::new()
            }
        }
    }

    /// The block; an absent one where it is none.
    pub(super) fn block(&self) -> Block<'a> {
        let mut block = Block::absent(self.reader, self.path.clone(), self.node.at);
        match &self.node.value {
            Value::Null => {}
            Value::Block(entries) => block.fill(entries),
            other => self.report_shape(other, "write it as a block of `key: value` lines"),
        }
        block
    }

    /// Whether it is a block of keys.
    pub(super) const fn is_block(&self) -> bool {
        matches!(self.node.value, Value::Block(_))
    }

    /// Whether it is a list.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// Reports what `sentence` says of the value.
    pub(super) fn reject_rule(&self, sentence: String) {
        self.report(Problem::Rule(sentence));
    }

    /// Says something about a value that may stay.
    pub(super) fn remark(&self, text: impl Into<String>) {
        let notice = Notice {
            position: Some(self.node.at),
            path: self.path.clone(),
            text: text.into(),
        };
        self.reader.notices.borrow_mut().push(notice);
    }

    fn substituted(&self) -> Option<(&'a str, String)> {
        let typed = self.typed()?;
        match substitute(typed, self.reader.environment) {
            Ok(value) => Some((typed, value.unwrap_or_else(|| typed.to_owned()))),
            Err(problem) => {
                self.report(problem);
                None
            }
        }
    }

    fn typed(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            other => {
                self.report_shape(other, "write it as a single value");
                None
            }
        }
    }

    fn report_shape(&self, found: &Value, way_out: &str) {
        self.report(Problem::WrongShape {
            found: found.shape(),
            way_out: way_out.to_owned(),
        });
    }

    fn report(&self, problem: Problem) {
        self.reader.report(self.node.at, &self.path, problem);
    }
}

/// A block of keys on its way to becoming a struct.
pub(super) struct Block<'a> {
    reader: &'a Reader<'a>,
    path: String,
    at: Position,
    entries: Vec<&'a Entry>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Block<'a> {
    const fn absent(reader: &'a Reader<'a>, path: String, at: Position) -> Self {
        Self {
            reader,
            path,
            at,
            entries: Vec::new(),
            asked: RefCell::new(Vec::new()),
        }
    }

    fn fill(&mut self, entries: &'a [Entry]) {
        for entry in entries {
            match self.entries.iter().find(|first| first.key == entry.key) {
                Some(first) => {
                    let problem = Problem::Duplicate {
                        first_line: first.at.line,
                    };
                    self.reader.report(entry.at, &self.path_of(&entry.key), problem);
                }
                None => self.entries.push(entry),
            }
        }
    }

    /// The value of `key`; `None` where it is absent or empty.
    pub(super) fn item(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().push(key);
        self.entry(key)
            .filter(|entry| !matches!(entry.node.value, Value::Null))
            .map(|entry| self.item_of(entry))
    }

    /// Every key with its value, for blocks whose keys are the operator's own.
    pub(super) fn pairs(&self) -> Vec<(&'a str, Position, Item<'a>)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.at, self.item_of(entry)))
            .collect()
    }

    /// Reports a key of the operator's own that is wrong.
    pub(super) fn reject_key(&self, key: &str, at: Position, fault: Fault) {
        self.reader.report(at, &self.path_of(key), fault.of(&shown(key)));
    }

    /// The value of `key` as `parse` understands it.
    pub(super) fn text<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.item(key)?.text(parse)
    }

    /// The same for a value that no message may show.
    pub(super) fn secret<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.item(key)?.secret(parse)
    }

    /// The path at `key`; a relative one starts at the file's folder.
    pub(super) fn file(&self, key: &'static str) -> Option<PathBuf> {
        self.item(key)?.file()
    }

    /// What the variable of the environment holds, as it stands there; `None` where it is unset or empty.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.reader.environment)(name).filter(|value| !value.is_empty())
    }

    /// The block at `key`.
    pub(super) fn block(&self, key: &'static str) -> Self {
        self.item(key).map_or_else(
            || Block::absent(self.reader, self.path_of(key), self.at),
            |item| item.block(),
        )
    }

    /// The items of the list at `key`.
    pub(super) fn items(&self, key: &'static str) -> Vec<Item<'a>> {
        self.item(key).map(|item| item.items()).unwrap_or_default()
    }

    /// Whether anything stands at `key`.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.item(key).is_some()
    }

    /// Reports that the value of `key`, shown as `value`, does not go with another one.
    pub(super) fn reject(&self, key: &'static str, value: &str, fault: Fault) {
        let at = self.entry(key).map_or(self.at, |entry| entry.node.at);
        self.reader.report(at, &self.path_of(key), fault.of(value));
    }

    /// Reports that `key` may not stand here; its value is not shown.
    pub(super) fn refuse(&self, key: &'static str, rule: &str, way_out: &str) {
        let at = self.entry(key).map_or(self.at, |entry| entry.at);
        self.reader
            .report(at, &self.path_of(key), Fault::new(rule, way_out).of_secret());
    }

    /// Reports what `sentence` says of `key`, or of the whole block where the key is not there.
    pub(super) fn reject_rule(&self, key: &str, sentence: String) {
        let entry = self.entry(key);
        let at = entry.map_or(self.at, |entry| entry.node.at);
        let path = entry.map_or_else(|| self.path.clone(), |entry| self.path_of(&entry.key));
        self.reader.report(at, &path, Problem::Rule(sentence));
    }

    /// Reports that `key` has to be there.
    pub(super) fn miss(&self, key: &'static str, way_out: &str) {
        self.reader.report(
            self.at,
            &self.path_of(key),
            Problem::Missing {
                way_out: way_out.to_owned(),
            },
        );
    }

    /// Says something about `key`.
    pub(super) fn remark(&self, key: &'static str, text: impl Into<String>) {
        let at = self.entry(key).map_or(self.at, |entry| entry.at);
        let notice = Notice {
            position: Some(at),
            path: self.path_of(key),
            text: text.into(),
        };
        self.reader.notices.borrow_mut().push(notice);
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(&self, not_yet: NotYet) {
        let asked = self.asked.borrow();
        for entry in &self.entries {
            if asked.contains(&entry.key.as_str()) {
                continue;
            }
            let problem = match not_yet.iter().find(|(key, _)| *key == entry.key) {
                Some((_, sentence)) => Problem::NotYet(sentence),
                None if entry.key.contains(':') => Problem::UnknownKey {
                    way_out: "put a blank behind the colon".to_owned(),
                },
                None => Problem::UnknownKey {
                    way_out: nearest(&entry.key, &asked),
                },
            };
            self.reader.report(entry.at, &self.path_of(&entry.key), problem);
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key).copied()
    }

    fn item_of(&self, entry: &'a Entry) -> Item<'a> {
        Item {
            reader: self.reader,
            path: self.path_of(&entry.key),
            node: &entry.node,
        }
    }

    fn path_of(&self, key: &str) -> String {
        let key = shown(key);
        if self.path.is_empty() {
            key
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

/// A key as far as it can be one: `{password:hunter2}`, with the blank forgotten, is a key in YAML and a secret.
fn shown(key: &str) -> String {
    let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.');
    match key.split_once(odd) {
        Some((plain, _)) => format!("{plain}..."),
        None => key.to_owned(),
    }
}
