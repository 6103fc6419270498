//! The rules of the house that can be checked by reading the sources; each failure says the rule and the way out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every part of the crate and the floor it stands on.
const FLOORS: [(&str, u8); 17] = [
    ("model", 0),
    ("codec", 1),
    ("normalise", 1),
    ("queue", 1),
    ("registry", 2),
    ("catalogue", 2),
    ("intake", 3),
    ("forward", 3),
    ("gateway", 3),
    ("api", 4),
    ("sweep", 4),
    ("config", 5),
    ("app", 6),
    ("demo", 7),
    ("cli", 7),
    ("lib", 8),
    ("main", 8),
];

/// Uses between siblings of a floor, each with its reason.
const SIBLINGS: [(&str, &str); 1] = [
    // the demonstration is a command
    ("cli", "demo"),
];

const MOST_LINES: usize = 500;

const DRAWERS: [&str; 9] = [
    "utils", "util", "helpers", "helper", "common", "misc", "types", "shared", "manager",
];

/// Who may pick a status: the doors' one file; the remote's answers are read, not picked, by `forward`; the store of
/// `demo` plays a remote; `gateway` reads those of a Pushgateway.
const PICKS_A_STATUS: [&str; 4] = ["api/reply.rs", "forward/", "demo/", "gateway/"];

/// Who may touch files.
/// Secrets are read before each use, certificates when a remote or the own door is set up.
const TOUCHES_FILES: [&str; 9] = [
    "queue/",
    "app.rs",
    "app/",
    "cli/",
    "api/tls.rs",
    "api/grpc/admission.rs",
    "forward/credentials/",
    "forward/tls.rs",
    "gateway/access.rs",
];

#[test]
fn imports_point_down() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let from = source.part();
        for to in source.uses() {
            if from != to && !may_use(&from, &to) {
                broken.push(format!("{}: {from} uses {to}", source.path));
            }
        }
    }

    none(
        &broken,
        "a part uses lower floors only, and siblings do not know each other: move what both need to a lower \
         floor (model, if two floors need it), or hand it down as a value",
    );
}

#[test]
fn every_part_has_a_floor() {
    let known: BTreeSet<&str> = FLOORS.iter().map(|(part, _)| *part).collect();
    let parts: BTreeSet<String> = sources("src")
        .iter()
        .map(Source::part)
        .filter(|part| part != "main")
        .collect();

    let homeless: Vec<&String> = parts
        .iter()
        .filter(|part| !known.contains(part.as_str()))
        .collect();

    none(
        &homeless,
        "every part stands on a floor: give it one in FLOORS, in src/lib.rs and in ARCHITECTURE.md",
    );
}

#[test]
fn modules_have_one_front_door() {
    let open = |source: &Source| source.path != "lib.rs" && source.path != "codec/mod.rs";
    let broken = lines_where(open, |line| line.starts_with("pub mod "));

    none(
        &broken,
        "children are private: write `mod x;` and export by `pub use` what others need; only codec's children \
         are its vocabulary",
    );
}

#[test]
fn no_file_is_long() {
    let everywhere = ["src", "tests", "benches"].into_iter().flat_map(sources);
    let long: Vec<String> = everywhere
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();

    none(
        &long,
        "a file has 500 lines at most: move the tests to x/tests.rs, or an idea to a file of its own",
    );
}

#[test]
fn nothing_is_named_after_a_drawer() {
    let everywhere = ["src", "tests", "benches"].into_iter().flat_map(sources);
    let named: Vec<String> = everywhere
        .map(|source| source.path)
        .filter(|path| path.split(['/', '.', '_']).any(|word| DRAWERS.contains(&word)))
        .collect();

    none(&named, "name the thing, not the drawer: say what is in the file");
}

#[test]
fn every_folder_is_on_the_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    let folders: BTreeSet<String> = sources("src")
        .iter()
        .filter_map(|source| source.path.rsplit_once('/').map(|(folder, _)| folder.to_owned()))
        .filter(|folder| !folder.ends_with("/tests"))
        .collect();

    let unknown: Vec<&String> = folders
        .iter()
        .filter(|folder| !map.contains(&format!("{folder}/")))
        .collect();

    none(
        &unknown,
        "ARCHITECTURE.md names every folder of src, as `folder/`: add a line to its code map",
    );
}

#[test]
fn one_file_picks_the_status() {
    let broken = lines_where(
        |source| !within(&source.path, &PICKS_A_STATUS),
        |line| line.contains("StatusCode::"),
    );

    none(
        &broken,
        "only api/reply.rs picks a status: return an error that says what happened, and map it there",
    );
}

#[test]
fn few_touch_files() {
    let touching = |line: &str| {
        ["std::fs", "tokio::fs", "File::open", "File::create"]
            .iter()
            .any(|way| line.contains(way))
    };
    let broken = lines_where(|source| !within(&source.path, &TOUCHES_FILES), touching);

    none(
        &broken,
        "only queue, app, cli and what reads secrets in forward touch files: take bytes, or a value read above you",
    );
}

/// One file, its path below the folder that was asked for.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The part it belongs to: the first folder, or the file's own name.
    fn part(&self) -> String {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Lines of code that is not test code, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.path.ends_with("tests.rs") || self.path.contains("/tests/");
        let until = if tests {
            0
        } else {
            self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len())
        };
        code(self.text.get(..until).unwrap())
    }

    /// The parts that it names, test code included.
    fn uses(&self) -> BTreeSet<String> {
        let code: String = code(&self.text).flat_map(|(_, line)| [line, "\n"]).collect();
        let mut found = BTreeSet::new();
        for root in ["crate::", "flinkbridge::"] {
            for (at, _) in code.match_indices(root) {
                found.extend(first_names(code.get(at + root.len()..).unwrap()));
            }
        }
        let own = self.children();
        for (at, _) in code.match_indices("super::") {
            let names = first_names(code.get(at + "super::".len()..).unwrap());
            found.extend(
                names
                    .into_iter()
                    .filter(|name| floor(name).is_some() && !own.contains(name)),
            );
        }
        found
    }

    /// The modules of its own part.
    fn children(&self) -> BTreeSet<String> {
        let part = self.part();
        let siblings = sources("src").into_iter().filter(|source| source.part() == part);
        siblings
            .flat_map(|source| {
                source
                    .path
                    .split(['/', '.'])
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// The names that follow a path's root: one, or each in braces.
fn first_names(after: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim_start()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap()
            .to_owned()
    };
    let Some(list) = after.strip_prefix('{') else {
        return vec![name(after)];
    };
    let mut names = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(list.get(begin..at).unwrap()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(list.get(begin..at).unwrap()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn may_use(from: &str, to: &str) -> bool {
    let Some(target) = floor(to) else { return true };
    floor(from).is_some_and(|own| target < own) || SIBLINGS.contains(&(from, to))
}

fn floor(part: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == part)
        .map(|(_, floor)| *floor)
}

/// Lines of code with their numbers, without those that are comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim_start()));
    numbered.filter(|(_, line)| !line.starts_with("//"))
}

/// Where code outside of tests has such a line, in files of such a kind.
fn lines_where(of: impl Fn(&Source) -> bool, wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| of(source)) {
        found.extend(
            source
                .code()
                .filter(|(_, line)| wrong(line))
                .map(|(at, line)| format!("{}:{at}: {line}", source.path)),
        );
    }
    found
}

fn within(path: &str, places: &[&str]) -> bool {
    places
        .iter()
        .any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

/// The Rust files below a folder of the project.
fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut found = Vec::new();
    let mut waiting = vec![base.clone()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(&base).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[track_caller]
fn none(broken: &[impl std::fmt::Display], rule: &str) {
    let list: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{rule}\n  {}", list.join("\n  "));
}
