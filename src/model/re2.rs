//! RE2's syntax, which operators write, in the dialect of the `regex` crate.
//!
//! The two differ where it hurts: `\d` is ASCII in one and Unicode in the other, `[a&&b]` is a set of characters in
//! one and an intersection in the other, `a{,2}` is text in one and an error in the other. A pattern that Prometheus
//! takes means the same here; some that it refuses (`a**`) are taken.

use std::str::Chars;

/// Why a pattern cannot be translated; the clause ends "does not compile: ...".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untranslatable {
    #[error("\\{0} is not an escape of RE2")]
    Escape(char),
    #[error("\\C matches single bytes, which labels do not have")]
    AnyByte,
    #[error("\\Q without \\E")]
    OpenQuote,
    #[error("a \\ at the end")]
    OpenEscape,
    #[error("[ without ]")]
    OpenClass,
    #[error("[:{0}:] is no class of characters")]
    NamedClass(String),
    #[error("the range {0:?}-{1:?} is upside down")]
    Range(char, char),
    #[error("(?{0}: RE2 knows the flags i, m, s and U")]
    Flag(char),
    #[error("a repetition of more than 1000 times")]
    Repetition,
    #[error("\\x without hex digits of a character")]
    Hex,
}

/// Translates a pattern.
pub(super) fn translate(re2: &str) -> Result<String, Untranslatable> {
    let mut translator = Translator {
        rest: re2.chars(),
        out: String::with_capacity(re2.len() + 16),
    };
    translator.pattern()?;
    Ok(translator.out)
}

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];
/// RE2 allows no repetition beyond.
const MAX_REPETITION: u32 = 1000;

struct Translator<'p> {
    rest: Chars<'p>,
    out: String,
}

impl Translator<'_> {
    fn pattern(&mut self) -> Result<(), Untranslatable> {
        while let Some(char) = self.rest.next() {
            match char {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.open_group()?,
                '{' => self.brace()?,
                '}' | ']' => self.literal(char),
                _ => self.out.push(char),
            }
        }
        Ok(())
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.as_str().strip_prefix(prefix) else {
            return false;
        };
        self.rest = rest.chars();
        true
    }

    fn literal(&mut self, char: char) {
        if char.is_ascii_punctuation() && char != '<' && char != '>' {
            self.out.push('\\');
        }
        self.out.push(char);
    }

    fn escape(&mut self) -> Result<(), Untranslatable> {
        let char = self.rest.next().ok_or(Untranslatable::OpenEscape)?;
        match char {
            'b' | 'B' => self
                .out
                .push_str(if char == 'b' { r"(?-u:\b)" } else { r"(?-u:\B)" }),
            'A' | 'z' => self.out.extend(['\\', char]),
            'C' => return Err(Untranslatable::AnyByte),
            'Q' => self.quote()?,
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.out
                    .push_str(if char.is_ascii_lowercase() { "[" } else { "[^" });
                self.out.push_str(perl(char));
                self.out.push(']');
            }
            'p' | 'P' => self.unicode_class(char),
            _ => {
                let char = self.escaped_char(char)?;
                self.literal(char);
            }
        }
        Ok(())
    }

    fn quote(&mut self) -> Result<(), Untranslatable> {
        let (quoted, rest) = self
            .rest
            .as_str()
            .split_once(r"\E")
            .ok_or(Untranslatable::OpenQuote)?;
        self.rest = rest.chars();
        quoted.chars().for_each(|char| self.literal(char));
        Ok(())
    }

    /// `\pL`, `\p{Greek}` are the same in both; `\p{^Greek}` has to be said as `\P{Greek}`.
    fn unicode_class(&mut self, sign: char) {
        let negated = self.eat("{^");
        let sign = match sign {
            'p' if negated => 'P',
            'P' if negated => 'p',
            same => same,
        };
        self.out.extend(['\\', sign]);
        if negated {
            self.out.push('{');
        }
        // Up to the closing brace nothing is special, and the engine checks the name.
        if negated || self.rest.as_str().starts_with('{') {
            for char in self.rest.by_ref() {
                self.out.push(char);
                if char == '}' {
                    break;
                }
            }
        } else {
            self.out.extend(self.rest.next());
        }
    }

    /// The one character that an escape stands for, `char` being what follows the backslash.
    fn escaped_char(&mut self, char: char) -> Result<char, Untranslatable> {
        let next_is_octal = self.rest.as_str().starts_with(|next: char| next.is_digit(8));
        match char {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hex(),
            '0' => Ok(self.octal(0)),
            '1'..='7' if next_is_octal => Ok(self.octal(char.to_digit(8).unwrap_or(0))),
            _ if char.is_ascii() && !char.is_ascii_alphanumeric() => Ok(char),
            _ => Err(Untranslatable::Escape(char)),
        }
    }

    /// Up to two more octal digits.
    fn octal(&mut self, first: u32) -> char {
        let mut code = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.clone().next().and_then(|char| char.to_digit(8)) else {
                break;
            };
            code = code * 8 + digit;
            self.rest.next();
        }
        char::from_u32(code).unwrap_or_default()
    }

    /// `\x41` or `\x{10ffff}`.
    fn hex(&mut self) -> Result<char, Untranslatable> {
        let (digits, rest) = match self.rest.as_str().strip_prefix('{') {
            Some(inner) => inner.split_once('}'),
            None => self.rest.as_str().split_at_checked(2),
        }
        .ok_or(Untranslatable::Hex)?;
        let code = u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| !digits.starts_with('+'));
        self.rest = rest.chars();
        code.and_then(char::from_u32).ok_or(Untranslatable::Hex)
    }

    /// A group, and the flags it may begin with: those that RE2 does not know are not let through.
    fn open_group(&mut self) -> Result<(), Untranslatable> {
        self.out.push('(');
        if !self.eat("?") {
            return Ok(());
        }
        self.out.push('?');
        if self.rest.as_str().starts_with(['P', '<']) {
            for char in self.rest.by_ref() {
                self.out.push(char);
                if char == '>' {
                    break;
                }
            }
            return Ok(());
        }
        for char in self.rest.by_ref() {
            match char {
                'i' | 'm' | 's' | 'U' | '-' => self.out.push(char),
                ':' | ')' => {
                    self.out.push(char);
                    break;
                }
                other => return Err(Untranslatable::Flag(other)),
            }
        }
        Ok(())
    }

    /// A `{` that is not `{n}`, `{n,}` or `{n,m}` is text to RE2.
    fn brace(&mut self) -> Result<(), Untranslatable> {
        let Some((inside, rest)) = self
            .rest
            .as_str()
            .split_once('}')
            .filter(|(inside, _)| is_count(inside))
        else {
            self.literal('{');
            return Ok(());
        };
        let counts = inside.split(',').filter(|count| !count.is_empty());
        if counts
            .into_iter()
            .any(|count| count.parse().map_or(true, |count: u32| count > MAX_REPETITION))
        {
            return Err(Untranslatable::Repetition);
        }
        self.rest = rest.chars();
        self.out.push('{');
        self.out.push_str(inside);
        self.out.push('}');
        Ok(())
    }

    /// A class is read as RE2 reads it and written out with every character escaped, so that nothing in it can be
    /// taken for the operators `&&`, `--`, `~~` or a class within.
    fn class(&mut self) -> Result<(), Untranslatable> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if !self.named_class()? && !self.class_escape() {
                self.range()?;
            }
        }
    }

    /// `[:alpha:]` or `[:^alpha:]`; a `[:` that is never closed is text.
    fn named_class(&mut self) -> Result<bool, Untranslatable> {
        let Some(inner) = self.rest.as_str().strip_prefix("[:") else {
            return Ok(false);
        };
        let Some((name, rest)) = inner.split_once(":]") else {
            return Ok(false);
        };
        if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(Untranslatable::NamedClass(name.to_owned()));
        }
        self.rest = rest.chars();
        self.out.push_str("[:");
        self.out.push_str(name);
        self.out.push_str(":]");
        Ok(true)
    }

    fn class_escape(&mut self) -> bool {
        for perl_class in ['d', 's', 'w'] {
            if self.eat(&format!("\\{perl_class}")) {
                self.out.push_str(perl(perl_class));
                return true;
            }
            if self.eat(&format!("\\{}", perl_class.to_ascii_uppercase())) {
                self.out.push_str("[^");
                self.out.push_str(perl(perl_class));
                self.out.push(']');
                return true;
            }
        }
        for sign in ['p', 'P'] {
            if self.eat(&format!("\\{sign}")) {
                self.unicode_class(sign);
                return true;
            }
        }
        false
    }

    fn range(&mut self) -> Result<(), Untranslatable> {
        let low = self.class_char()?;
        self.literal(low);
        let rest = self.rest.as_str();
        if rest.starts_with('-') && !rest.starts_with("-]") && rest != "-" {
            self.rest.next();
            let high = self.class_char()?;
            if low > high {
                return Err(Untranslatable::Range(low, high));
            }
            self.out.push('-');
            self.literal(high);
        }
        Ok(())
    }

    fn class_char(&mut self) -> Result<char, Untranslatable> {
        match self.rest.next().ok_or(Untranslatable::OpenClass)? {
            '\\' => {
                let char = self.rest.next().ok_or(Untranslatable::OpenEscape)?;
                self.escaped_char(char)
            }
            char => Ok(char),
        }
    }
}

/// What `\d`, `\s` and `\w` (and, negated, their capitals) hold in RE2.
const fn perl(class: char) -> &'static str {
    match class {
        'd' | 'D' => "0-9",
        's' | 'S' => r"\t\n\x0c\r\x20",
        _ => "0-9A-Z_a-z",
    }
}

fn is_count(inside: &str) -> bool {
    let is_number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'))
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests;
