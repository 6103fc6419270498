mod credentials;
mod secrets;

use std::path::Path;

use super::{describe, mistakes, remarks, unreadable_files, warnings};
use crate::config::Config;

const FILE: &str = "flinkbridge.yml";

fn read(yaml: &str) -> Config {
    Config::from_yaml(yaml, Path::new("/nowhere"), &|_| None).unwrap()
}

#[track_caller]
fn warned(yaml: &str, expected: &[&str]) {
    let said = remarks(Path::new(FILE), &warnings(&read(yaml)));

    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{yaml}");
}

#[test]
fn the_defaults_are_described_in_sentences() {
    let said = describe(&Config::default());

    let expected = r#"listens on 0.0.0.0:9091 for pushes to /metrics/job/...; takes up to 64MiB and 200000 series a push from up to 20000 connections, answers 200; takes remote-write at /api/v1/write
keeps queue and registry in flinkbridge-data
answers a push after it is synced to disk: nothing acknowledged is lost
queues up to 8GiB or 2h in segments of 64MiB; drops the oldest samples when full, and counts them
brings aliases of instance_id, job_id, job_name, tm_id, host, task_id, task_name, operator_id, operator_name, subtask_index to these names
cleans values and job ids
splits Flink's random suffix off job into instance (a job that is nothing else becomes "flink")
takes container_id and application_id out of a YARN tm_id
allows 64 labels a series, 1024 bytes a name, 2048 bytes a value
retires a source that is silent for 10m and lists it for 1d more; knows up to 100000 groups of up to 1000000 series
forwards nothing: there is no remote_write
logs as text what is info or worse
"#;
    assert_eq!(said, expected);
}

#[test]
fn what_the_doors_take_beyond_the_usual_is_described() {
    let said = describe(&read("pushgateway: {utf8_names: true, honor_timestamps: true}"));

    assert!(
        said.contains("answers 200; takes remote-write at /api/v1/write; names may be any text; samples may bring their times\n"),
        "{said}"
    );
}

#[test]
fn a_remote_is_described_without_its_secrets() {
    let said = describe(&read(
        "remote_write: [{name: tmp, url: 'https://h/w?token=x', basic_auth: {username: me, password_file: t}, headers: {X-A: b}}]",
    ));

    assert!(
        said.contains(
            r#"forwards to tmp: https://h/w?<hidden>, as user "me" with a password from /nowhere/t, with the headers X-A; by remote-write 1.0 with metadata, without native histograms and exemplars; up to 2000 samples a request on 4 lanes, 30s for an answer, retries after 30ms to 5s, tries again after 429 too"#
        ),
        "{said}"
    );
}

#[test]
fn the_way_to_a_remote_is_described_without_its_secrets() {
    let config = read(
        "remote_write: [{name: tmp, url: 'https://h/w', proxy_url: 'http://me:hidden1@proxy:3128', basic_auth: {username_file: /u, password: hidden2}, http_headers: {X-B: {secrets: [hidden3]}}, queue_config: {sample_age_limit: 1h}}]",
    );

    let text = describe(&config);

    assert!(text.contains("by the proxy http://<hidden>@proxy:3128"), "{text}");
    assert!(
        text.contains("as user named in /u with a password from the configuration"),
        "{text}"
    );
    assert!(text.contains("with the headers X-B"), "{text}");
    assert!(text.contains("drops samples older than 1h"), "{text}");
    assert!(
        !text.contains("hidden1") && !text.contains("hidden2") && !text.contains("hidden3"),
        "{text}"
    );
}

#[test]
fn a_choice_against_durability_says_what_it_costs() {
    let said = describe(&read("queue: {sync: {interval: 100ms}, when_full: refuse}"));

    assert!(
        said.contains("syncs every 100ms: a power cut loses as much"),
        "{said}"
    );
    assert!(said.contains("refuses pushes with 503 when full"), "{said}");
}

#[test]
fn mistakes_are_printed_with_file_line_and_column() {
    let errors = Config::from_yaml("queue:\n  max_bytes: 8 gigs\n", Path::new(""), &|_| None).unwrap_err();

    let said = mistakes(Path::new(FILE), &errors);

    assert_eq!(
        said,
        "flinkbridge.yml:2:14: queue.max_bytes: \"8 gigs\" is no size: write it as 8GiB\n"
    );
}

#[test]
fn what_looks_like_an_oversight_is_warned_of() {
    warned("", &["remote_write: there is none, so nothing is forwarded"]);
    warned(
        "remote_write: [{url: 'http://a/w', name: a}, {url: 'http://a/w', name: b}]",
        &["remote_write[1].url: another remote has the same URL: it receives everything twice"],
    );
    warned(
        "remote_write: [{url: 'https://a/w', tls_config: {insecure_skip_verify: true}}]",
        &[
            "remote_write[0].tls_config.insecure_skip_verify: any server may pose as the remote: set ca_file instead",
        ],
    );
    warned(
        "remote_write: [{url: 'http://a/w'}]\njobs: {stale_after: 3h}",
        &[
            "jobs.stale_after: is longer than queue.max_age, so that in an outage samples are dropped before their end is noticed",
        ],
    );
}

#[test]
fn credentials_in_the_clear_are_warned_of_beyond_private_networks() {
    let warns = |host: &str| {
        let yaml = format!("remote_write: [{{url: 'http://{host}/', bearer_token: x}}]");
        warnings(&read(&yaml))
            .iter()
            .any(|notice| notice.text.contains("unencrypted"))
    };

    for host in [
        "8.8.8.8",
        "prometheus.example.com",
        "[2001:4860::1]:9090",
        "100.128.0.1",
        "172.32.0.1",
    ] {
        assert!(warns(host), "{host}");
    }
    for host in [
        "10.0.0.5:9090",
        "127.0.0.1",
        "172.16.3.4",
        "localhost",
        "mimir",
        "[::1]",
        "[fd00::1]",
        "m.ns.svc",
        "100.64.0.1",
    ] {
        assert!(!warns(host), "{host}");
    }
}

#[test]
fn a_named_file_that_is_not_there_is_noticed() {
    let config = read("remote_write: [{url: 'https://a/', bearer_token_file: t, tls_config: {ca_file: c}}]");

    let paths: Vec<String> = unreadable_files(&config)
        .into_iter()
        .map(|notice| notice.path)
        .collect();

    assert_eq!(paths, ["remote_write[0].authorization.credentials_file"]);
}

#[test]
fn who_may_end_everything_is_looked_at() {
    let said = describe(&read("pushgateway: {admin_api: true, lifecycle: true}"));

    assert!(
        said.contains("; /api/v1/admin/wipe ends every group; /-/quit ends the program"),
        "{said}"
    );
    warned(
        "remote_write: [{url: 'http://a/w'}]\npushgateway: {admin_api: true, lifecycle: true}\n",
        &[
            "pushgateway.admin_api: whoever reaches the port may end every group: name users in http.web_config_file",
            "pushgateway.lifecycle: whoever reaches the port may end the program: name users in http.web_config_file",
        ],
    );
}

#[test]
fn every_file_of_a_secret_that_is_not_there_is_noticed() {
    let config = read(
        "remote_write: [{url: 'https://a/', basic_auth: {username_file: u, password_file: p}, http_headers: {X-B: {files: [k]}}}]",
    );

    let paths: Vec<String> = unreadable_files(&config)
        .into_iter()
        .map(|notice| notice.path)
        .collect();

    assert_eq!(
        paths,
        [
            "remote_write[0].basic_auth.username_file",
            "remote_write[0].basic_auth.password_file",
            "remote_write[0].http_headers.X-B.files"
        ]
    );
}
