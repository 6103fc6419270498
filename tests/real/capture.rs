//! Captured requests of real Flink clusters, byte for byte.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use percent_encoding::percent_decode_str;

/// One request as Flink sent it.
pub(crate) struct Captured {
    /// Its file within the fixtures, for messages.
    pub(crate) file: String,
    /// Head and body as they went over the wire.
    pub(crate) bytes: Vec<u8>,
}

impl Captured {
    /// `PUT`, `DELETE`.
    pub(crate) fn method(&self) -> &str {
        self.line().split(' ').next().unwrap_or_default()
    }

    /// All between the method and the version, raw blanks included.
    pub(crate) fn path(&self) -> &str {
        self.line()
            .split_once(' ')
            .and_then(|(_, rest)| rest.rsplit_once(' '))
            .map_or("", |(path, _)| path)
    }

    /// What follows the head.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .map_or(&[], |at| &self.bytes[at + 4..])
    }

    fn line(&self) -> &str {
        let end = self
            .bytes
            .iter()
            .position(|byte| *byte == b'\r')
            .expect("a request line");
        std::str::from_utf8(&self.bytes[..end]).expect("ASCII")
    }
}

/// The folders of the fixtures, one a captured scenario, as `1.17.2/base`.
pub(crate) fn scenarios() -> Vec<String> {
    let mut found = Vec::new();
    for version in folders(&root()) {
        for scenario in folders(&version) {
            let name = scenario.strip_prefix(root()).expect("below the root");
            found.push(name.to_string_lossy().into_owned());
        }
    }
    assert!(!found.is_empty(), "no captures in {}", root().display());
    found
}

/// The requests of a scenario in the order in which they were sent.
pub(crate) fn requests(scenario: &str) -> Vec<Captured> {
    let mut files: Vec<PathBuf> = entries(&root().join(scenario));
    files.retain(|file| file.to_string_lossy().contains(".req"));
    files
        .into_iter()
        .map(|path| Captured {
            file: path.to_string_lossy().into_owned(),
            bytes: read(&path),
        })
        .collect()
}

/// `job` and `instance` that a grouping path stands for once Flink's random suffix is split off.
pub(crate) fn identity(path: &str) -> (String, Option<String>) {
    let after = path.split("/metrics/job").nth(1).expect("a grouping path");
    let (encoding, rest) = after.split_once('/').expect("a job");
    let raw = rest.split('/').next().unwrap_or_default();
    let job = match encoding {
        "@base64" => String::from_utf8(URL_SAFE_NO_PAD.decode(raw.trim_end_matches('=')).expect("base64"))
            .expect("UTF-8"),
        _ => percent_decode_str(raw).decode_utf8().expect("UTF-8").into_owned(),
    };
    match job.len().checked_sub(32).map(|at| job.split_at(at)) {
        Some((name, suffix))
            if suffix
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            (
                if name.is_empty() {
                    "flink".to_owned()
                } else {
                    name.to_owned()
                },
                Some(suffix.to_owned()),
            )
        }
        _ => (job, None),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/flink")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|entry| entry.is_dir()).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(path).unwrap_or_else(|error| panic!("cannot list {}: {error}", path.display()));
    let mut found: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut unpacked)
        .expect("gzip");
    unpacked
}
