//! A Pushgateway with thousands of groups is swept in seconds, whatever their keys.

use std::process::Command;
use std::time::{Duration, Instant};

use flinkbridge::model::{GroupKey, NameScheme};
use serde_json::Value;

use crate::http::Connection;
use crate::process;
use crate::pushgateway::Pushgateway;
use crate::wait;

const GROUPS: usize = 5_000;

/// How long is waited for what a Pushgateway does a moment later.
const ENOUGH: Duration = Duration::from_secs(10);

/// Values that a path can misread.
const AWKWARD: [&str; 12] = [
    "a/b", "", "+", "%41", "100%", "ä ö", "..", ".", "日本", "a=b", "x?y#z", "\"q\\\n",
];

#[test]
fn five_thousand_groups_go_in_seconds_and_a_dry_run_tells_which() {
    let gateway = Pushgateway::start(&["--push.disable-consistency-check"], None);
    let mut paths = fill(&gateway);
    wait::until_true("groups that are more than a second old", ENOUGH, || {
        sweep(&gateway, &["--dry-run"])["would_delete"] == paths.len()
    });

    let rehearsed = sweep(&gateway, &["--dry-run"]);
    let begun = Instant::now();
    let done = sweep(&gateway, &[]);
    let took = begun.elapsed();

    let groups = rehearsed["groups"].as_array().unwrap();
    let mut told: Vec<&str> = groups
        .iter()
        .map(|group| group["paths"][0].as_str().unwrap())
        .collect();
    told.sort_unstable();
    paths.sort();
    assert_eq!(told, paths);
    assert_eq!(done["deleted"], paths.len());
    eprintln!("swept {} groups in {took:?}", paths.len());
    wait::until_true("an empty Pushgateway", ENOUGH, || {
        sweep(&gateway, &[])["read"] == 0
    });
}

/// Pushes to all groups; their paths.
fn fill(gateway: &Pushgateway) -> Vec<String> {
    let path = |labels: Vec<(&str, String)>| {
        let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value));
        let key = GroupKey::try_from(labels.collect::<Vec<_>>()).unwrap();
        key.path(NameScheme::Classic)
    };
    let plain = (0..GROUPS).map(|at| {
        path(vec![
            ("job", format!("etl_{}", at % 50)),
            ("instance", format!("host-{at}")),
        ])
    });
    let as_label = AWKWARD.map(|value| path(vec![("job", "awkward".to_owned()), ("v", value.to_owned())]));
    let as_job = AWKWARD[..1]
        .iter()
        .chain(&AWKWARD[2..])
        .map(|value| path(vec![("job", (*value).to_owned())]));
    let paths: Vec<String> = plain.chain(as_label).chain(as_job).collect();
    let body: String = (0..20)
        .map(|at| format!("metric_{at}{{k=\"v\"}} {at}\n"))
        .collect();
    let mut connection = Connection::open(gateway.address()).unwrap();
    for path in &paths {
        let answer = connection
            .request("PUT", &format!("/{path}"), "text/plain", body.as_bytes())
            .unwrap();
        assert!(answer.is_success(), "{path}: {}", answer.text());
    }
    paths
}

/// What a sweep tells.
#[track_caller]
fn sweep(gateway: &Pushgateway, more: &[&str]) -> Value {
    let output = Command::new(process::provided("FLINKBRIDGE_BINARY"))
        .args(["sweep", "--pushgateway", &format!("http://{}", gateway.address())])
        .args(["--older-than", "1s", "-o", "json"])
        .args(more)
        .output()
        .unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    serde_json::from_slice(&output.stdout).unwrap()
}
