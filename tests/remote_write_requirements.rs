//! `docs/remote-write-requirements.md` has every requirement of remote-write, and the tests that it names are there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The requirements of each side and version, and how many each has.
const REQUIREMENTS: [(&str, u32); 4] = [("S1", 25), ("R1", 8), ("S2", 21), ("R2", 10)];

#[test]
fn every_requirement_is_in_the_table_once() {
    let mut listed = BTreeSet::new();
    for row in rows() {
        for requirement in row.requirements {
            assert!(listed.insert(requirement.clone()), "{requirement} has two rows");
        }
    }

    let all: BTreeSet<String> = REQUIREMENTS
        .iter()
        .flat_map(|(side, count)| (1..=*count).map(move |number| format!("{side}-{number:02}")))
        .collect();
    let missing: Vec<_> = all.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&all).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing {missing:?}, unknown {unknown:?}"
    );
}

#[test]
fn every_test_that_the_tables_name_is_there_and_cites_what_it_shows() {
    for row in rows() {
        for place in &row.places {
            let (file, name) = place.split_once(": ").unwrap_or((place, ""));
            let text = read(file);
            assert!(
                name.is_empty() || text.contains(&format!("fn {name}(")),
                "{file} has no test {name}"
            );
            let bare: Vec<_> = row.requirements.iter().filter(|id| !text.contains(*id)).collect();
            assert!(bare.is_empty(), "{file} does not cite {bare:?}");
        }
    }
}

struct Row {
    requirements: Vec<String>,
    places: Vec<String>,
}

/// The rows that name tests: of requirements, and of cases, which have no number.
fn rows() -> Vec<Row> {
    let document = read("docs/remote-write-requirements.md");
    let lines = document
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(".rs"));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let is_requirement = |word: &&str| REQUIREMENTS.iter().any(|(side, _)| word.starts_with(side));
            Row {
                requirements: columns[1]
                    .split(", ")
                    .filter(is_requirement)
                    .map(str::to_owned)
                    .collect(),
                places: columns[3]
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect(),
            }
        })
        .collect()
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
