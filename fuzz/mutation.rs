//! Changing bytes at random, the same way in every run, for machines that have no libFuzzer.

use std::fs;
use std::path::Path;

/// How many changed bodies a target gets unless `FLINKBRIDGE_MUTATIONS` says otherwise.
const MUTATIONS: u64 = 20_000;

/// Longest body made.
const MAX_BYTES: usize = 4096;

/// Runs a property over the corpus of `target`, and over its bodies changed at random. What breaks it is shown.
pub(crate) fn shake(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let corpus = corpus(&folder.join("corpus").join(target));
    let words = words(&folder.join("dictionaries").join(format!("{target}.dict")));
    for body in &corpus {
        check(property, body);
    }
    let count = std::env::var("FLINKBRIDGE_MUTATIONS").map_or(MUTATIONS, |count| {
        count.parse().expect("FLINKBRIDGE_MUTATIONS is a number")
    });
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..count {
        let mut body = chance.pick(&corpus).clone();
        for _ in 0..=chance.below(4) {
            change(&mut body, &mut chance, (&corpus, &words));
        }
        body.truncate(MAX_BYTES);
        check(property, &body);
    }
}

/// The bodies of a folder, in the order of their names.
pub(crate) fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files
        .map(|file| file.expect("a file of the corpus").path())
        .collect();
    paths.sort();
    let bodies: Vec<_> = paths
        .iter()
        .map(|path| fs::read(path).expect("a body of the corpus"))
        .collect();
    assert!(!bodies.is_empty(), "{} is empty", folder.display());
    bodies
}

/// The words of a dictionary of libFuzzer; none when there is no such file.
fn words(file: &Path) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let quoted = text.lines().filter(|line| !line.starts_with('#'));
    quoted
        .filter_map(|line| line.split_once('"')?.1.strip_suffix('"'))
        .map(unescaped)
        .collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), word.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digits = [*high, *low].map(char::from).iter().collect::<String>();
                out.push(u8::from_str_radix(&digits, 16).expect("two digits behind \\x"));
                rest = behind;
            }
            (b'\\', [escaped, behind @ ..]) => {
                out.push(*escaped);
                rest = behind;
            }
            _ => out.push(*byte),
        }
    }
    out
}

fn check(property: fn(&[u8]), body: &[u8]) {
    let shown = ShownOnPanic(body);
    property(shown.0);
}

/// Shows a body when the property panics over it.
struct ShownOnPanic<'a>(&'a [u8]);

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the body is b\"{}\"", self.0.escape_ascii());
        }
    }
}

fn change(body: &mut Vec<u8>, chance: &mut Chance, (corpus, words): (&[Vec<u8>], &[Vec<u8>])) {
    let at = chance.below(body.len() + 1);
    let end = (at + 1 + chance.below(16)).min(body.len()).max(at);
    match chance.below(9) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..end)),
        2 => {
            let twice = body[at..end].to_vec();
            body.splice(at..at, twice);
        }
        3 => {
            let other = chance.pick(corpus);
            let from = chance.below(other.len() + 1);
            body.splice(at.., other[from..].iter().copied());
        }
        4 if !words.is_empty() => {
            body.splice(at..at, chance.pick(words).iter().copied());
        }
        5 if !words.is_empty() => {
            body.splice(at..end, chance.pick(words).iter().copied());
        }
        6 => {
            let edges = [0, 1, 0x7f, 0x80, 0xff, b'\n', b' ', b'"', b'\\', b'/', b'%'];
            body.splice(at..end.min(at + 1), [*chance.pick(&edges)]);
        }
        _ => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
    }
}

/// Xorshift: the same numbers in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
