use proptest::prelude::*;
use regex::Regex;

use super::*;

#[track_caller]
fn check(re2: &str, matching: &[&str], others: &[&str]) {
    let translated = translate(re2).unwrap();

    let regex = Regex::new(&format!("^(?s:{translated})$")).unwrap();

    for text in matching {
        assert!(regex.is_match(text), "{re2} ({translated}) should match {text:?}");
    }
    for text in others {
        assert!(
            !regex.is_match(text),
            "{re2} ({translated}) should not match {text:?}"
        );
    }
}

#[test]
fn perl_classes_are_ascii() {
    check(r"\d+", &["07"], &["٣", "a"]);
    check(r"\D", &["٣", "a"], &["7"]);
    check(r"\w+", &["a_Z9"], &["é", "-"]);
    check(r"\W", &["é", "-", " "], &["_", "a"]);
    check(r"\s", &[" ", "\t", "\n", "\r", "\x0c"], &["\x0b", "\u{a0}", "x"]);
    check(r"\S", &["\x0b", "\u{a0}", "x"], &[" ", "\n"]);
    check(r"[\d_]+", &["1_2"], &["٣"]);
    check(r"[^\w]", &["é"], &["a"]);
    check(r"[\D]", &["a"], &["1"]);
    check(r"[^\S]", &[" "], &["a", "\x0b"]);
}

#[test]
fn word_boundaries_are_ascii() {
    check(r"a\b.+", &["aé", "a-"], &["ab"]);
    check(r"a\B.+", &["ab"], &["aé", "a-"]);
}

#[test]
fn nothing_in_a_class_is_an_operator() {
    check("[a&&b]", &["a", "b", "&"], &["-"]);
    check("[+--b]", &["+", ",", "-", "b"], &["a", "."]);
    check("[+~~b]", &["+", "~", "b"], &["a"]);
    check("[[a]", &["[", "a"], &["]"]);
    check("[]a]", &["]", "a"], &["["]);
    check("[^]a]", &["b", "\n"], &["]", "a"]);
    check("[a-]", &["a", "-"], &["b"]);
    check("[-a]", &["a", "-"], &["b"]);
    check("[a-c-e]", &["b", "-", "e"], &["d"]);
    check(r"[\d-z]", &["5", "-", "z"], &["a"]);
    check(r"[\]\\^]", &["]", "\\", "^"], &["a"]);
    check(r"[\x41-\x{43}]", &["A", "B", "C"], &["D"]);
    check("[[:alpha:]_]+", &["ab_"], &["é", "1"]);
    check("[[:^digit:]]", &["a"], &["1"]);
    check("[[:a]", &["[", ":", "a"], &["b"]);
    check("[a{,}#]", &["{", ",", "}", "#"], &["b"]);
}

#[test]
fn a_brace_that_repeats_nothing_is_text() {
    check("a{,2}", &["a{,2}"], &["a", "aa"]);
    check("a{", &["a{"], &["a"]);
    check("{a}", &["{a}"], &["a"]);
    check("a{x}", &["a{x}"], &["a"]);
    check("a{01}", &["a{01}"], &["a"]);
    check("a}", &["a}"], &["a"]);
    check("a]", &["a]"], &["a"]);
    check("a{2}", &["aa"], &["a", "aaa"]);
    check("a{2,}", &["aa", "aaa"], &["a"]);
    check("a{1,2}?b", &["ab", "aab"], &["b"]);
}

#[test]
fn escapes_mean_what_they_mean_in_re2() {
    check(r"\Qa.b{\E+", &["a.b{", "a.b{{"], &["axb{"]);
    check(r"\Q\E\Q[\Ex", &["[x"], &["x"]);
    check(r"\101\60", &["A0"], &[]);
    check(r"\07", &["\x07"], &[]);
    check(r"\x41\x{e9}", &["Aé"], &[]);
    check(r"\<\>\ \_\-\/\%", &["<> _-/%"], &[]);
    check(r"\a\f\t\n\r\v", &["\x07\x0c\t\n\r\x0b"], &[]);
    check(r"\Aa\z", &["a"], &["b"]);
    check(r"\pL\p{Greek}\P{Greek}", &["éαx"], &["1αx"]);
    check(r"\p{^Greek}\P{^Greek}", &["xα"], &["αx"]);
    check(r"[\p{Lu}\P{^Nd}]+", &["A1"], &["a"]);
}

#[test]
fn groups_flags_and_dots_stay() {
    check("(?i)abc", &["ABC"], &["abd"]);
    check("(?i:a)b", &["Ab"], &["AB"]);
    check("(?P<n>a)|(?<m>b)", &["a", "b"], &["c"]);
    check("a.b", &["a\nb", "aéb"], &["ab"]);
    check("(?-s)a.b", &["axb"], &["a\nb"]);
    check("(?m)a$\nb", &["a\nb"], &["ab"]);
    check("f|o", &["f", "o"], &["foo", "fo"]);
    check("a#b c~&-", &["a#b c~&-"], &[]);
}

#[test]
fn what_re2_refuses_is_refused_with_a_reason() {
    for (re2, expected) in [
        (r"\C", r"\C matches single bytes, which labels do not have"),
        (r"\1", r"\1 is not an escape of RE2"),
        (r"\u0041", r"\u is not an escape of RE2"),
        (r"\Qa", r"\Q without \E"),
        (r"a\", r"a \ at the end"),
        ("[a", "[ without ]"),
        ("[]", "[ without ]"),
        ("[[:foo:]]", "[:foo:] is no class of characters"),
        ("[a--b]", "the range 'a'-'-' is upside down"),
        ("[b-a]", "the range 'b'-'a' is upside down"),
        ("(?x) a", "(?x: RE2 knows the flags i, m, s and U"),
        ("(?=a)", "(?=: RE2 knows the flags i, m, s and U"),
        ("a{1001}", "a repetition of more than 1000 times"),
        (r"\xg1", r"\x without hex digits of a character"),
        (r"\x{110000}", r"\x without hex digits of a character"),
    ] {
        assert_eq!(translate(re2).unwrap_err().to_string(), expected, "{re2}");
    }
}

proptest! {
    #[test]
    fn no_pattern_makes_the_translator_stumble(pattern in "[\\\\\\[\\]{}()^$.|?*+a-c0-9,:<>PQEpdwbx&~-]{0,16}") {
        if let Ok(translated) = translate(&pattern) {
            let _ = Regex::new(&format!("^(?s:{translated})$"));
        }
    }
}
