//! Paths that lead to another path: as Pushgateway does, whoever asks is sent on, whatever lies at its end (B02).

use http::{Method, Uri};

use super::reply::Reply;

/// What is shown at a path of its own, with nothing behind it.
const PAGES: [&str; 6] = [
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/status",
    "/api/v1/metrics",
    "/api/v1/status",
];

/// The answer to a request for `asked` whose path has to be written otherwise first; `path` is without a prefix.
pub(super) fn of(method: &Method, path: &str, asked: &Uri) -> Option<Reply> {
    let whole = asked.path();
    let elsewhere = |path: String, moved| {
        let to = match asked.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        Some(Reply::elsewhere(to, moved))
    };
    if !is_well_escaped(whole) {
        return Some(Reply::bad_escape(whole));
    }
    if let Some(clean) = cleaned(whole) {
        return elsewhere(clean, Moved::ForNow);
    }
    if path == "/api/v1" {
        return elsewhere(format!("{whole}/"), Moved::ForNow);
    }
    match path.strip_suffix('/') {
        Some(page) if *method == Method::GET && PAGES.contains(&page) => {
            elsewhere(whole.trim_end_matches('/').to_owned(), Moved::ForGood)
        }
        _ => None,
    }
}

/// How long a redirect holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    ForGood,
    ForNow,
}

/// Whether two hexadecimal digits follow every percent sign.
fn is_well_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut is_digit = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        is_digit() && is_digit()
    })
}

/// The path without empty and dotted segments, if it has any; a slash at its end stays.
fn cleaned(path: &str) -> Option<String> {
    let segments = path.split('/').skip(1);
    let count = segments.clone().count();
    let mut clean: Vec<&str> = Vec::new();
    let mut is_clean = true;
    for (index, segment) in segments.enumerate() {
        match segment {
            "" if index + 1 == count => clean.push(""),
            "" | "." => is_clean = false,
            ".." => {
                clean.pop();
                is_clean = false;
            }
            segment => clean.push(segment),
        }
    }
    (!is_clean).then(|| format!("/{}", clean.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_dotted_segments_are_left_out() {
        for (path, clean) in [
            ("/metrics/job/a//b/c", "/metrics/job/a/b/c"),
            ("/metrics/job/a/../b", "/metrics/job/b"),
            ("/metrics/./job/a/", "/metrics/job/a/"),
            ("//metrics/job/a", "/metrics/job/a"),
            ("/../../a", "/a"),
        ] {
            assert_eq!(cleaned(path).as_deref(), Some(clean), "{path}");
        }
        for path in ["/", "/metrics/job/a/", "/metrics/job/a.b/..c"] {
            assert_eq!(cleaned(path), None, "{path}");
        }
    }

    #[test]
    fn a_percent_sign_wants_two_digits() {
        for path in ["/a%zz", "/a%", "/a%2", "/a%2/b", "/%%41"] {
            assert!(!is_well_escaped(path), "{path}");
        }
        for path in ["/a%2F", "/%41%e4b", "/"] {
            assert!(is_well_escaped(path), "{path}");
        }
    }
}
