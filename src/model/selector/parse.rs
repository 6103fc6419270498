//! From a selector's text to its matchers.

use std::fmt;
use std::str::Chars;

use super::{Matcher, SelectorError, Test, of_name};
use crate::model::{METRIC_NAME, Pattern};

/// Longest selector: a person writes a line, a program a list of some hundred names.
const MAX_BYTES: usize = 64 << 10;

/// Reads all of `text`.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, SelectorError> {
    if text.len() > MAX_BYTES {
        return Err(SelectorError::TooLong {
            len: text.len(),
            limit: MAX_BYTES,
        });
    }
    let mut parser = Parser {
        text,
        rest: text.chars(),
        name: None,
        matchers: Vec::new(),
    };
    parser.selector()?;
    parser.all()
}

struct Parser<'t> {
    text: &'t str,
    rest: Chars<'t>,
    /// The metric's name, where it stands by itself.
    name: Option<String>,
    matchers: Vec<Matcher>,
}

impl Parser<'_> {
    fn selector(&mut self) -> Result<(), SelectorError> {
        self.skip_blanks();
        let name = self.word(|char| char == ':');
        self.skip_blanks();
        if name.is_empty() {
            if !self.eat("{") {
                return Err(self.expected("a metric's name or {"));
            }
            self.braces()?;
        } else {
            self.name = Some(name);
            if self.eat("{") {
                self.braces()?;
            }
        }
        self.skip_blanks();
        if self.peek().is_some() {
            return Err(self.expected("the end of the selector"));
        }
        Ok(())
    }

    /// The matchers, the one for the metric's name first.
    fn all(mut self) -> Result<Vec<Matcher>, SelectorError> {
        if let Some(name) = self.name.take() {
            if let Some(other) = self.matchers.iter().find(|matcher| matcher.name == METRIC_NAME) {
                return Err(self.two_names(name, other.value.clone()));
            }
            self.matchers.insert(0, of_name(name));
        }
        Ok(self.matchers)
    }

    /// What stands behind the opening brace, up to the closing one.
    fn braces(&mut self) -> Result<(), SelectorError> {
        loop {
            self.skip_blanks();
            if self.eat("}") {
                return Ok(());
            }
            self.matcher()?;
            self.skip_blanks();
            if self.eat("}") {
                return Ok(());
            }
            if !self.eat(",") {
                return Err(self.expected(", or }"));
            }
        }
    }

    fn matcher(&mut self) -> Result<(), SelectorError> {
        let (name, is_quoted) = match self.string()? {
            Some(name) => (name, true),
            None => (self.word(|_| false), false),
        };
        if name.is_empty() {
            return Err(self.expected("the name of a label"));
        }
        self.skip_blanks();
        if is_quoted && matches!(self.peek(), Some(',' | '}')) {
            return match self.name.replace(name.clone()) {
                None => Ok(()),
                Some(first) => Err(self.two_names(first, name)),
            };
        }
        let Some(sign) = ["=~", "!~", "!=", "="].into_iter().find(|sign| self.eat(sign)) else {
            return Err(self.expected("one of =, !=, =~, !~"));
        };
        self.skip_blanks();
        let at = self.place();
        let Some(value) = self.string()? else {
            return Err(self.expected("a value in quotes"));
        };
        let test = match sign {
            "=" => Test::Equal,
            "!=" => Test::NotEqual,
            "=~" => Test::Like(self.pattern(&value, at)?),
            _ => Test::NotLike(self.pattern(&value, at)?),
        };
        self.matchers.push(Matcher { name, test, value });
        Ok(())
    }

    fn pattern(&self, regex: &str, at: usize) -> Result<Pattern, SelectorError> {
        Pattern::try_new(regex).map_err(|cause| SelectorError::Regex {
            text: self.text.to_owned(),
            at,
            regex: regex.to_owned(),
            cause,
        })
    }

    /// A string in quotes, if one begins here.
    fn string(&mut self) -> Result<Option<String>, SelectorError> {
        let quote = match self.peek() {
            Some(quote @ ('"' | '\'' | '`')) => quote,
            _ => return Ok(None),
        };
        let begin = self.rest.clone();
        self.rest.next();
        let mut value = String::new();
        loop {
            match self.rest.next() {
                Some(char) if char == quote => return Ok(Some(value)),
                Some('\\') if quote != '`' => value.push(self.escape(quote)?),
                Some('\n') if quote != '`' => {
                    return Err(self.expected("the closing quote before the end of the line"));
                }
                Some(char) => value.push(char),
                None => {
                    let expected = self.expected("the closing quote");
                    self.rest = begin;
                    return Err(expected);
                }
            }
        }
    }

    /// What the escape stands for whose backslash has just been read.
    fn escape(&mut self, quote: char) -> Result<char, SelectorError> {
        const WHAT: &str = "an escape of Go's strings, or \\\\ for a backslash";
        let before = self.rest.clone();
        let read = match self.rest.next() {
            Some('a') => Some('\x07'),
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\x0b'),
            Some('\\') => Some('\\'),
            Some(char) if char == quote => Some(char),
            Some('x') => self.code(2, 16),
            Some('u') => self.code(4, 16),
            Some('U') => self.code(8, 16),
            Some('0'..='7') => {
                self.rest = before.clone();
                self.code(3, 8)
            }
            _ => None,
        };
        read.ok_or_else(|| {
            self.rest = before;
            self.expected(WHAT)
        })
    }

    /// A character by its code of so many digits. Single bytes beyond ASCII would make no text, so there are none.
    fn code(&mut self, digits: usize, radix: u32) -> Option<char> {
        let (code, rest) = self.rest.as_str().split_at_checked(digits)?;
        if !code.chars().all(|digit| digit.is_digit(radix)) {
            return None;
        }
        let number = u32::from_str_radix(code, radix).ok()?;
        self.rest = rest.chars();
        char::from_u32(number).filter(|char| digits > 3 || char.is_ascii())
    }

    /// A name of the classic scheme, with what `also` allows; empty if none begins here.
    fn word(&mut self, also: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(char) = self.peek() {
            let fits = char.is_ascii_alphabetic()
                || char == '_'
                || also(char)
                || (char.is_ascii_digit() && !word.is_empty());
            if !fits {
                break;
            }
            word.push(char);
            self.rest.next();
        }
        word
    }

    fn two_names(&self, first: String, second: String) -> SelectorError {
        let text = self.text.to_owned();
        SelectorError::TwoNames { text, first, second }
    }

    fn skip_blanks(&mut self) {
        loop {
            let blank = self.rest.as_str().trim_start_matches([' ', '\t', '\n', '\r']);
            self.rest = blank.chars();
            if !self.eat("#") {
                return;
            }
            self.rest.by_ref().find(|char| *char == '\n');
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.as_str().strip_prefix(prefix) else {
            return false;
        };
        self.rest = rest.chars();
        true
    }

    /// Where we are, in characters from 1.
    fn place(&self) -> usize {
        self.text.chars().count() - self.rest.clone().count() + 1
    }

    fn expected(&self, expected: &'static str) -> SelectorError {
        SelectorError::Syntax {
            text: self.text.to_owned(),
            at: self.place(),
            expected,
            found: self
                .peek()
                .map_or_else(|| "the end".to_owned(), |char| format!("{char:?}")),
        }
    }
}

/// A text as it is read back.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                char => write!(f, "{char}")?,
            }
        }
        f.write_str("\"")
    }
}
