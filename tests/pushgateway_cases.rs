//! `docs/pushgateway-cases.md` has every case of Pushgateway, and the tests that it names are there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what it expects by failing"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// All cases, as first and last of each run.
const CASES: [&str; 20] = [
    "H01-H02", "H10-H18", "H20-H22", "H30-H35", "H40-H50", "H60-H65", "S01-S02", "S10-S10", "S20-S21",
    "S30-S32", "S40-S44", "S50-S54", "A01-A05", "M01-M11", "B01-B08", "B10-B23", "B30-B35", "F01-F14",
    "P00-P17", "P20-P66",
];

#[test]
fn every_case_is_in_the_table_once() {
    let mut listed = BTreeSet::new();
    for row in rows() {
        for case in row.cases {
            assert!(listed.insert(case.clone()), "{case} has two rows");
        }
    }

    let all: BTreeSet<String> = CASES.iter().flat_map(|run| between(run)).collect();
    let missing: Vec<_> = all.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&all).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing {missing:?}, unknown {unknown:?}"
    );
}

#[test]
fn what_the_table_names_is_there() {
    for row in rows() {
        let mut shown = BTreeSet::new();
        for place in &row.places {
            match place.split_once(": ") {
                Some((file, name)) => {
                    assert!(read(file).contains(name), "{file} has no {name}");
                    shown.extend(row.cases.iter().cloned());
                }
                None => shown.extend(cited(&read(place))),
            }
        }
        let bare: Vec<_> = row.cases.iter().filter(|case| !shown.contains(*case)).collect();
        assert!(bare.is_empty(), "{:?} cite no {bare:?}", row.places);
    }
}

struct Row {
    cases: Vec<String>,
    places: Vec<String>,
}

fn rows() -> Vec<Row> {
    let document = read("docs/pushgateway-cases.md");
    let lines = document
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(".rs"));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let cases = columns[1]
                .split(", ")
                .flat_map(|run| between(&run.replace(' ', "")));
            let places = columns[3].split('`').skip(1).step_by(2).map(str::to_owned);
            Row {
                cases: cases.collect(),
                places: places.collect(),
            }
        })
        .collect()
}

/// `B01-B03` as `B01`, `B02`, `B03`.
fn between(run: &str) -> Vec<String> {
    let (first, last) = run.split_once('-').unwrap_or((run, run));
    let number = |case: &str| case[1..].parse::<u32>().unwrap();
    (number(first)..=number(last))
        .map(|number| format!("{}{number:02}", &first[..1]))
        .collect()
}

/// The cases that a file cites, one by one (`B01`, `fn b01_...`) or as a run (`B01 - B03`, `b01_to_b03`).
fn cited(text: &str) -> BTreeSet<String> {
    let text = text.to_uppercase().replace("_TO_", "-").replace(" - ", "-");
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    words.flat_map(runs).collect()
}

/// The cases of a word, if it is one or a run of them.
fn runs(word: &str) -> Vec<String> {
    let is_case = |word: &str| {
        word.len() == 3
            && word.starts_with(|letter| "HSAMBFP".contains(letter))
            && word[1..].parse::<u32>().is_ok()
    };
    match word.split_once('-') {
        Some((first, last)) if is_case(first) && is_case(last) => between(word),
        _ => word
            .split('-')
            .filter(|word| is_case(word))
            .map(str::to_owned)
            .collect(),
    }
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
