//! The program as typed: exit codes and messages.

use std::process::{Command, Output};

use tempfile::TempDir;

fn flinkbridge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flinkbridge"))
        .args(args)
        .output()
        .unwrap()
}

fn check(yaml: &str) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("flinkbridge.yml");
    std::fs::write(&file, yaml).unwrap();
    let output = flinkbridge(&["check", "--config", file.to_str().unwrap()]);
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .unwrap()
            .replace(&format!("{}/", folder.path().display()), "")
    };
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_good_configuration_is_explained() {
    let (code, said, _) = check("remote_write: [{url: 'http://user:hunter2@127.0.0.1:9090/api/v1/write'}]\n");

    assert_eq!(code, 0);
    assert!(
        said.contains("forwards to remote-1: http://127.0.0.1:9090/api/v1/write"),
        "{said}"
    );
    assert!(!said.contains("hunter2"));
}

#[test]
fn every_mistake_is_named_at_once_with_line_and_way_out() {
    let (code, said, complained) = check(
        "queue:\n  max_bytes: 8 gigs\n  sink: always\njobs: {stale_after: soon}\nremote_write:\n  - {url: 'nonsense', headers: {Content-Type: a}}\n",
    );

    assert_eq!((code, said.as_str()), (2, ""));
    let lines: Vec<&str> = complained.lines().collect();
    assert_eq!(lines.len(), 5, "{complained}");
    assert!(
        lines[0].starts_with("flinkbridge.yml:2:14: queue.max_bytes: "),
        "{complained}"
    );
    assert!(
        lines[1].starts_with("flinkbridge.yml:3:3: queue.sink: "),
        "{complained}"
    );
    assert!(
        lines[2].starts_with("flinkbridge.yml:4:21: jobs.stale_after: "),
        "{complained}"
    );
}

#[track_caller]
fn refused_for_its_ca_file(ca_file: &str, expected: &str) {
    let remote = format!("{{url: 'https://h/w', tls_config: {{ca_file: {ca_file}}}}}");

    let (code, said, complained) = check(&format!("remote_write: [{remote}]\n"));

    assert_eq!((code, said.as_str()), (2, ""), "{complained}");
    assert!(
        complained.starts_with("remote_write[0].tls_config.ca_file: ") && complained.contains(expected),
        "{complained}"
    );
}

#[test]
fn check_does_not_call_good_what_serve_would_refuse() {
    refused_for_its_ca_file("/nonexistent/ca.pem", "No such file or directory");
    refused_for_its_ca_file("flinkbridge.yml", "holds no certificate in PEM form");
}

#[test]
fn serve_refuses_a_wrong_configuration_with_code_2() {
    let output = flinkbridge(&["serve", "--http.listen", "nowhere", "--log.level", "loud"]);

    assert_eq!(output.status.code(), Some(2));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        complained.contains("--http.listen") && complained.contains("--log.level"),
        "{complained}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let output = flinkbridge(&["serve", "--config", "/nonexistent/flinkbridge.yml"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("/nonexistent/flinkbridge.yml: cannot be read")
    );
}

#[test]
fn a_taken_address_is_named_with_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();

    let output = flinkbridge(&[
        "serve",
        "--http.listen",
        &address,
        "--data-dir",
        folder.path().join("d").to_str().unwrap(),
    ]);

    assert_eq!(output.status.code(), Some(1));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        complained.contains(&format!("could not listen on {address} (http.listen)")),
        "{complained}"
    );
}

#[test]
fn wrong_usage_has_code_2() {
    assert_eq!(flinkbridge(&["bark"]).status.code(), Some(2));
    assert_eq!(flinkbridge(&["--version"]).status.code(), Some(0));
}

#[test]
fn the_demo_shows_endings_and_says_that_nothing_was_missed() {
    let output = flinkbridge(&["demo", "--fast", "--for", "6s"]);

    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("series ended") && said.contains("0 missed"),
        "{said}"
    );
}
