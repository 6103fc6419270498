//! Client libraries push to a real Pushgateway and to the bridge: they see the same, and then both show the same.

use std::net::SocketAddr;
use std::process::Command;

use crate::beside::{Mode, Pair, Patience};
use crate::process;

const STEPS: [&str; 3] = ["push", "replace", "delete"];

#[test]
fn the_examples_of_the_readme_do_what_they_did() {
    notices_nothing("curl");
}

#[test]
fn gos_client_notices_nothing() {
    notices_nothing("go");
}

#[test]
fn pythons_client_notices_nothing() {
    notices_nothing("python");
}

#[test]
fn flinks_java_client_notices_nothing() {
    notices_nothing("simpleclient-0.8.1");
}

#[test]
fn the_last_of_the_old_java_clients_notices_nothing() {
    notices_nothing("simpleclient-0.16.0");
}

#[test]
fn the_new_java_client_notices_nothing() {
    notices_nothing("java-1.5.1");
}

#[test]
fn clients_with_a_password_notice_nothing() {
    for client in ["go", "python", "simpleclient-0.8.1", "java-1.5.1"] {
        // a pair for each: of one family with two texts of help a Pushgateway shows now this one, now that
        let pair = Pair::start(Mode::Secured);

        does_the_same(client, "push", &pair, &["ops", "fakepassword"]);
    }
}

/// Plays all that a client can do.
#[track_caller]
fn notices_nothing(client: &str) {
    let pair = Pair::start(Mode::Plain);

    for step in STEPS {
        does_the_same(client, step, &pair, &[]);
    }
}

/// Runs a step of a client against both; what it prints, and what is then shown, must be the same.
#[track_caller]
fn does_the_same(client: &str, step: &str, pair: &Pair, who: &[&str]) {
    let theirs = printed(client, step, pair.theirs(), who);
    let ours = printed(client, step, pair.ours(), who);

    assert_eq!(
        ours, theirs,
        "what {client} saw of the step {step}, here and there"
    );
    let found = pair.shown_within(Patience::Some);
    assert!(
        found.is_empty(),
        "after the step {step} of {client}:\n{}",
        found.join("\n")
    );
}

/// What a client prints.
#[track_caller]
fn printed(client: &str, step: &str, address: SocketAddr, who: &[&str]) -> String {
    let mut command = Command::new(process::provided("FLINKBRIDGE_CLIENTS"));
    command
        .args(["run", client, &address.to_string(), step])
        .args(who);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{client} failed in the step {step}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
