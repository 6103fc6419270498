//! `flinkbridge sweep` as typed, at a bridge in the place of the Pushgateway: it has the same API.
//!
//! A sweep judges by the `Date` of the answers, which is the system's time. So what is old here is of 2001.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flinkbridge::model::{Clock as _, GroupKey, NameScheme, SystemClock, UnixMillis};
use serde_json::Value;
use tempfile::TempDir;

use crate::bridge::Bridge;
use crate::http;
use crate::secured::Authority;

const IN_2001: UnixMillis = UnixMillis::new(1_000_000_000_000);

const PATIENT: &str = "jobs: {stale_after: 1y}\npushgateway: {utf8_names: true}\n";

/// Keys that a path can misread.
const AWKWARD: [&[(&str, &str)]; 12] = [
    &[("job", "a/b")],
    &[("job", "..")],
    &[("job", "."), ("instance", "")],
    &[("job", "+ %41 100%")],
    &[("job", "ä"), ("größe.m²", "日本/語")],
    &[("job", "x"), ("instance", "http://h:80/p?q#f")],
    &[("job", "x"), ("instance", "\"quoted\\\n\"")],
    &[("job", "x"), ("a", ""), ("b", "/")],
    &[("job", "x"), ("a", "/"), ("b", "")],
    &[("job", "x"), ("U__y", "1")],
    &[("job", "x@base64"), ("y", "=")],
    &[("job", "x")],
];

fn bridge() -> Bridge {
    Bridge::of_old(IN_2001, PATIENT, |_| {})
}

fn path_of(labels: &[(&str, &str)]) -> String {
    let labels: Vec<(String, String)> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let key = GroupKey::try_from(labels).unwrap();
    format!("/{}", key.path(NameScheme::Utf8))
}

/// Pushes awkward groups in 2001, and one today.
fn fill(bridge: &Bridge) {
    for (at, labels) in AWKWARD.iter().enumerate() {
        bridge.put(&path_of(labels), &format!("m{at} 1\n"));
    }
    bridge.leap(SystemClock.now().since(IN_2001));
    bridge.put("/metrics/job/young", "young 1\n");
}

fn sweep(url: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flinkbridge"))
        .args(["sweep", "--pushgateway", url, "--older-than", "1000d"])
        .args(more)
        .output()
        .unwrap()
}

/// The line of JSON of a sweep that went well.
#[track_caller]
fn told(output: &Output) -> Value {
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complained}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn url(bridge: &Bridge) -> String {
    format!("http://{}", bridge.address())
}

fn jobs(bridge: &Bridge) -> Vec<String> {
    let listed = bridge.send("GET", "/api/v1/metrics", "").text();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let groups = listed["data"].as_array().unwrap().iter();
    groups
        .map(|group| group["labels"]["job"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_old_group_goes_whatever_its_key_and_the_young_stays() {
    let bridge = bridge();
    fill(&bridge);

    let told = told(&sweep(&url(&bridge), &["-o", "json"]));

    assert_eq!(
        (&told["read"], &told["deleted"]),
        (&13.into(), &12.into()),
        "{told}"
    );
    assert_eq!(jobs(&bridge), ["young"]);
}

#[test]
fn a_dry_run_tells_exactly_what_is_deleted_after_it() {
    let bridge = bridge();
    fill(&bridge);
    let paths = |told: &Value| {
        let groups = told["groups"].as_array().unwrap().iter();
        groups
            .map(|group| group["paths"].to_string())
            .collect::<Vec<String>>()
    };
    let flags = ["-o", "json", "--selector", r#"{job="x",instance!~"http.*"}"#];

    let rehearsed = told(&sweep(&url(&bridge), &[&flags[..], &["--dry-run"]].concat()));
    let left = jobs(&bridge).len();
    let done = told(&sweep(&url(&bridge), &flags));

    assert_eq!(
        (&rehearsed["would_delete"], &rehearsed["deleted"], left),
        (&5.into(), &0.into(), 13)
    );
    assert_eq!((paths(&rehearsed), &done["deleted"]), (paths(&done), &5.into()));
    assert_eq!(jobs(&bridge).len(), 8);
}

#[test]
fn what_is_told_to_people_has_figures_and_the_paths_of_a_dry_run() {
    let bridge = bridge();
    bridge.put("/metrics/job/a%20b", "x 1\n");

    let rehearsed = String::from_utf8(sweep(&url(&bridge), &["--dry-run"]).stdout).unwrap();
    let done = String::from_utf8(sweep(&url(&bridge), &[]).stdout).unwrap();

    assert!(
        rehearsed.contains("{job=\"a b\"}  /metrics/job@base64/YSBi="),
        "{rehearsed}"
    );
    assert!(done.contains("deleted            1"), "{done}");
}

#[test]
fn too_many_stale_groups_are_refused_with_code_1() {
    let bridge = bridge();
    fill(&bridge);

    let output = sweep(&url(&bridge), &["--max-groups", "11"]);

    assert_eq!(output.status.code(), Some(1));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        complained.contains("12 groups are stale, and --max-groups allows 11"),
        "{complained}"
    );
    assert_eq!(jobs(&bridge).len(), 13);
}

/// A bridge that speaks TLS and wants a password.
fn secured(authority: &Authority) -> Bridge {
    let hash = bcrypt::hash("of-cleaner", 4).unwrap();
    let web = format!(
        "tls_server_config: {{cert_file: server.crt, key_file: server.key}}\nbasic_auth_users: {{cleaner: '{hash}'}}\n"
    );
    let settings = format!("{PATIENT}http: {{listen: '127.0.0.1:0', web_config_file: web.yml}}\n");
    Bridge::of_old(IN_2001, &settings, |folder| {
        authority.certify("127.0.0.1").store(folder);
        std::fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
        std::fs::write(folder.join("web.yml"), web).unwrap();
        std::fs::write(folder.join("right"), "of-cleaner\n").unwrap();
        std::fs::write(folder.join("wrong"), "of-nobody\n").unwrap();
    })
}

fn sweep_secured(bridge: &Bridge, password: Option<&str>, trust: &str) -> Output {
    let file = |name: &str| bridge.folder().join(name).display().to_string();
    let mut flags = vec![trust.to_owned()];
    if trust == "--ca-file" {
        flags.push(file("ca.crt"));
    }
    if let Some(password) = password {
        let user = ["--username", "cleaner", "--password-file"].map(str::to_owned);
        flags.extend(user);
        flags.push(file(password));
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    sweep(&format!("https://{}", bridge.address()), &flags)
}

#[track_caller]
fn fails(output: &Output, code: i32, expected: &str) {
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complained}");
    assert!(complained.contains(expected), "{complained}");
}

#[test]
fn a_gateway_behind_tls_and_a_password_is_swept_by_who_has_both() {
    let bridge = secured(&Authority::new());

    fails(
        &sweep_secured(&bridge, None, "--ca-file"),
        1,
        "answered 401: it wants to know who asks: give --username with --password-file",
    );
    fails(
        &sweep_secured(&bridge, Some("wrong"), "--ca-file"),
        1,
        "answered 401: user and password, or the token, are wrong",
    );
    fails(
        &sweep_secured(&bridge, Some("right"), "--dry-run"),
        1,
        "certificate",
    );
    fails(
        &sweep_secured(&bridge, Some("missing"), "--ca-file"),
        2,
        "--password-file ",
    );
    for trust in ["--ca-file", "--insecure-skip-verify"] {
        let output = sweep_secured(&bridge, Some("right"), trust);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[track_caller]
fn misused(flags: &[&str], expected: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_flinkbridge"))
        .arg("sweep")
        .args(flags)
        .output()
        .unwrap();

    fails(&output, 2, expected);
}

#[test]
fn wrong_usage_is_named_with_place_and_way_out() {
    let typed = |more: &'static [&'static str]| {
        [
            &["--pushgateway", "http://127.0.0.1:1", "--older-than", "1h"],
            more,
        ]
        .concat()
    };

    misused(&["--older-than", "1h"], "--pushgateway <URL>");
    misused(
        &["--pushgateway", "gateway:9091", "--older-than", "1h"],
        "it reads like http://host:9091",
    );
    misused(
        &["--pushgateway", "http://h", "--older-than", "10ms"],
        "it has to be 1s at least",
    );
    misused(
        &typed(&["--selector", "{job=etl}"]),
        "character 6: expected a value in quotes, found 'e'",
    );
    misused(
        &typed(&["--selector", "{job=~\"(\"}"]),
        "character 7: the regular expression \"(\" does not compile",
    );
    misused(&typed(&["--selector", "{job!=\"a\"}"]), "would select everything");
    misused(&typed(&["--username", "me"]), "--password-file <FILE>");
    misused(
        &typed(&["--ca-file", "/nonexistent/ca.pem"]),
        "--ca-file /nonexistent/ca.pem: cannot be read",
    );
    misused(&typed(&["--http.listen", "127.0.0.1:0"]), "--every <TIME>");
}

#[test]
fn a_gateway_that_is_away_is_told_with_code_1() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    let output = sweep(&format!("http://user:hunter2@{port}/prefix"), &["-o", "json"]);

    fails(
        &output,
        1,
        &format!("http://{port}/prefix/api/v1/metrics does not answer: "),
    );
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["pushgateway"], format!("http://{port}/prefix"));
}

#[test]
fn a_prefix_before_the_api_is_kept() {
    let bridge = Bridge::of_old(
        IN_2001,
        "jobs: {stale_after: 1y}\nhttp: {listen: '127.0.0.1:0', path_prefixes: [/push]}\n",
        |_| {},
    );
    bridge.put("/push/metrics/job/a", "x 1\n");

    let told = told(&sweep(&format!("{}/push/", url(&bridge)), &["-o", "json"]));

    assert_eq!(told["deleted"], 1, "{told}");
    assert_eq!(jobs(&bridge), [""; 0]);
}

#[test]
fn rounds_show_metrics_and_end_well_on_term() {
    let bridge = bridge();
    bridge.put("/metrics/job/a", "x 1\n");
    let mut child = Command::new(env!("CARGO_BIN_EXE_flinkbridge"))
        .args(["sweep", "--pushgateway", &url(&bridge), "--older-than", "1000d"])
        .args(["--every", "1h", "--http.listen", "127.0.0.1:0", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let metrics = said.find_map(|line| {
        line.unwrap()
            .strip_prefix("metrics at http://")
            .map(str::to_owned)
    });
    let pass = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();

    let address = metrics.unwrap().trim_end_matches("/metrics").parse().unwrap();
    let page = http::request(address, "GET", "/metrics", b"").unwrap().text();
    let signalled = Command::new("kill").arg(child.id().to_string()).status().unwrap();

    assert!(pass.contains(r#""deleted":1,"#), "{pass}");
    assert_eq!(missing(&page, Path::new(env!("CARGO_MANIFEST_DIR"))), [""; 0]);
    assert!(signalled.success() && child.wait().unwrap().success());
}

/// The metrics of a page that docs/sweep.md does not explain, and those that it explains and are not there.
fn missing(page: &str, root: &Path) -> Vec<String> {
    let document = std::fs::read_to_string(root.join("docs/sweep.md")).unwrap();
    let explained = |line: &str| {
        let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
        name.starts_with("flinkbridge_sweep_").then(|| name.to_owned())
    };
    let explained: Vec<String> = document.lines().filter_map(explained).collect();
    let shown: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|family| match family.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, _) => name.to_owned(),
        })
        .collect();
    assert_eq!(shown.len(), 9, "{page}");
    let only_in = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    [only_in(&shown, &explained), only_in(&explained, &shown)].concat()
}

#[test]
fn a_client_certificate_that_does_not_fit_its_key_is_named_with_code_2() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "nothing\n").unwrap();
    let file = file.to_str().unwrap();

    let output = sweep(
        "https://127.0.0.1:1",
        &["--cert-file", file, "--key-file", file, "--timeout", "1s"],
    );

    fails(&output, 2, "is no certificate in PEM form with the key in");
}
