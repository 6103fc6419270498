mod credentials;
mod limits;
mod mistakes;
mod pasted;
mod proxies;
mod remote;
mod vendors;

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::proptest;

use super::{Config, ConfigError, LogConfig, LogFormat, LogLevel, Overrides};
use crate::api::{DoorConfig, ReceiverConfig, Right, Rights};
use crate::forward::{Auth, RemoteConfig, Secret};
use crate::intake::{Order, Timestamps};
use crate::model::NameScheme;
use crate::normalise::{LabelLimits, RuleConfig, RulesConfig};
use crate::queue::{QueueConfig, SyncPolicy, WhenFull};
use crate::registry::{Consistency, RetentionConfig};

fn no_variables(_: &str) -> Option<String> {
    None
}

fn read(yaml: &str) -> Result<Config, Vec<ConfigError>> {
    Config::from_yaml(yaml, Path::new("/etc/flinkbridge"), &no_variables)
}

#[track_caller]
fn good(yaml: &str) -> Config {
    match read(yaml) {
        Ok(config) => config,
        Err(errors) => panic!("{}", said(&errors).join("\n")),
    }
}

fn said(errors: &[ConfigError]) -> Vec<String> {
    errors
        .iter()
        .map(|error| match error.position {
            Some(position) => format!("{position}: {error}"),
            None => error.to_string(),
        })
        .collect()
}

#[test]
fn an_empty_file_means_the_defaults_without_forwarding() {
    assert_eq!(good(""), Config::default());
    assert_eq!(good("remote_write:\nqueue:\nhttp: {}\n"), Config::default());
    assert!(Config::default().remotes.is_empty());
}

#[test]
fn the_example_file_says_nothing_but_the_defaults() {
    let example = good(include_str!("../../deploy/flinkbridge.yml"));

    let defaults = Config {
        data_dir: PathBuf::from("/var/lib/flinkbridge"),
        ..Config::default()
    };

    assert_eq!(example, defaults);
}

#[test]
fn the_example_file_still_parses_when_its_remote_is_switched_on() {
    let text = include_str!("../../deploy/flinkbridge.yml");
    let (before, commented) = text.split_once("#remote_write:").unwrap();
    let switched_on: String = commented
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
        .collect();

    let config = good(&format!("{before}remote_write:{switched_on}"));

    let mut expected = RemoteConfig::new("tmp", "http://10.0.0.5:9090/api/v1/prom/write");
    expected.auth = Auth::Basic {
        username: Secret::Inline("1250000000".to_owned()),
        password: Secret::File(PathBuf::from("/etc/flinkbridge/token")),
    };
    assert_eq!(config.remotes, [expected]);
}

#[test]
fn the_reference_explains_every_key_of_the_example() {
    let reference = include_str!("../../docs/config.md");
    let example = include_str!("../../deploy/flinkbridge.yml");

    let lines = example
        .lines()
        .map(|line| line.trim_start_matches(['#', ' ', '-']));
    let keys = lines.filter_map(|line| line.split_once(':')).map(|(key, _)| key);
    let in_aliases = |key: &str| RulesConfig::default().aliases.iter().any(|(name, _)| name == key);
    let missing: Vec<&str> = keys
        .filter(|key| !key.contains([' ', '$', '/']) && !in_aliases(key))
        .filter(|key| {
            ![format!("`{key}"), format!(".{key}`"), format!("`{key}:")]
                .iter()
                .any(|it| reference.contains(it))
        })
        .collect();

    assert_eq!(missing, Vec::<&str>::new());
}

proptest! {
    #[test]
    fn no_damage_to_a_file_brings_the_reader_down(at in 0..3500usize, length in 0..40usize, put in "[-\\[\\]{}:,&*!|>'\"%@`#$~?a\n\t ]{0,8}") {
        let mut damaged: Vec<char> = include_str!("../../deploy/flinkbridge.yml").chars().collect();
        let at = at.min(damaged.len());
        let end = (at + length).min(damaged.len());
        damaged.splice(at..end, put.chars());
        let text: String = damaged.into_iter().collect();

        let read = read(&text);

        assert!(read.is_ok() || read.is_err_and(|errors| errors.iter().all(|error| error.position.is_some())));
    }
}

#[test]
fn every_key_of_the_doors_arrives_where_it_is_needed() {
    let config = good(
        "
data_dir: data
http: {listen: ':9000', path_prefixes: [/a, /b/], max_connections: 7, web_config_file: web.yml, rights: {ops: [push, admin], bob: []}, public_probes: true}
pushgateway: {success_status: 202, consistency_check: false, utf8_names: true, honor_timestamps: true, admin_api: true, lifecycle: true, max_body_bytes: 1MiB, max_series: 9}
remote_write_receiver: {enabled: false, enforce_order: true, max_body_bytes: 2MiB, max_decompressed_bytes: 4MiB}
log: {level: debug, format: json}
",
    );

    let door = DoorConfig {
        listen: "0.0.0.0:9000".to_owned(),
        path_prefixes: vec!["/a".to_owned(), "/b".to_owned()],
        max_connections: 7,
        web_config_file: Some(PathBuf::from("/etc/flinkbridge/web.yml")),
        rights: Some(Rights::from([
            ("ops".to_owned(), [Right::Push, Right::Admin].into()),
            ("bob".to_owned(), [].into()),
        ])),
        public_probes: true,
        success_status: 202,
        consistency: Consistency::Unchecked,
        names: NameScheme::Utf8,
        timestamps: Timestamps::Kept,
        admin_api: true,
        lifecycle: true,
        max_body_bytes: 1 << 20,
        max_series: 9,
        receiver: ReceiverConfig {
            enabled: false,
            order: Order::Enforced,
            max_body_bytes: 2 << 20,
            max_decompressed_bytes: 4 << 20,
        },
    };
    assert_eq!(config.door, door);
    assert_eq!(config.rules.names, NameScheme::Utf8);
    assert_eq!(config.data_dir, Path::new("/etc/flinkbridge/data"));
    assert_eq!(
        config.log,
        LogConfig {
            level: LogLevel::Debug,
            format: LogFormat::Json
        }
    );
}

#[test]
fn every_key_of_the_rules_arrives_where_it_is_needed() {
    let config = good(
        "
external_labels: {instance_id: emr-1}
normalise:
  aliases: {job_id: [jid], host: hn}
  clean_values: no
  plus_as_space: yes
  split_random_suffix: false
  default_job: jobs
  yarn: off
  relabel_configs: [{source_labels: [a, b], separator: '', target_label: c, regex: x, modulus: 8, replacement: '$1', action: Replace}]
  limits: {max_labels: 30, max_name_bytes: 100, max_value_bytes: 0}
",
    );

    let rule = RuleConfig {
        source_labels: vec!["a".to_owned(), "b".to_owned()],
        separator: Some(String::new()),
        target_label: Some("c".to_owned()),
        regex: Some("x".to_owned()),
        modulus: Some(8),
        replacement: Some("$1".to_owned()),
        action: Some("Replace".to_owned()),
    };
    let rules = RulesConfig {
        aliases: vec![
            ("job_id".to_owned(), vec!["jid".to_owned()]),
            ("host".to_owned(), vec!["hn".to_owned()]),
        ],
        clean_values: false,
        plus_as_space: true,
        split_random_suffix: false,
        default_job: "jobs".to_owned(),
        yarn: false,
        external_labels: vec![("instance_id".to_owned(), "emr-1".to_owned())],
        relabel: vec![rule],
        limits: LabelLimits {
            max_labels: 30,
            max_name_bytes: 100,
            max_value_bytes: 0,
        },
        names: NameScheme::Classic,
    };
    assert_eq!(config.rules, rules);
}

#[test]
fn every_key_of_jobs_and_queue_arrives_where_it_is_needed() {
    let config = good(
        "
jobs: {stale_after: 5m, stale_after_intervals: 4, history: 1h, max_groups: 5, max_series_per_group: 6}
queue: {sync: {interval: 100ms}, max_bytes: 1GiB, max_age: 1h, when_full: refuse, segment_bytes: 1MiB}
",
    );

    let retention = RetentionConfig {
        stale_after: Duration::from_secs(300),
        stale_after_intervals: Some(4),
        history: Duration::from_secs(3600),
        max_groups: 5,
        max_series_per_group: 6,
    };
    let queue = QueueConfig {
        sync: SyncPolicy::Interval(Duration::from_millis(100)),
        max_bytes: 1 << 30,
        max_age: Duration::from_secs(3600),
        when_full: WhenFull::Refuse,
        segment_bytes: 1 << 20,
    };
    assert_eq!((config.retention, config.queue), (retention, queue));
}

#[test]
fn sync_is_typed_in_four_ways() {
    let sync = |text: &str| good(&format!("queue: {{sync: {text}}}")).queue.sync;

    assert_eq!(sync("always"), SyncPolicy::Always);
    assert_eq!(sync("never"), SyncPolicy::Never);
    assert_eq!(
        sync("{interval: 1s}"),
        SyncPolicy::Interval(Duration::from_secs(1))
    );
    assert_eq!(
        sync("interval:250ms"),
        SyncPolicy::Interval(Duration::from_millis(250))
    );
}

#[test]
fn a_small_queue_gets_small_segments() {
    assert_eq!(good("queue: {max_bytes: 16MiB}").queue.segment_bytes, 2 << 20);
}

#[test]
fn variables_are_put_in_everywhere_but_in_rules() {
    let environment = |name: &str| (name == "SIZE").then(|| "1GiB".to_owned());
    let yaml = "
queue: {max_bytes: '${SIZE}', max_age: '${AGE:-3h}'}
external_labels: {price: '$5', a: '$${SIZE}'}
normalise: {relabel_configs: [{regex: '(?P<SIZE>.*)', target_label: a, replacement: '${SIZE}-${1}-$1'}]}
";

    let config = Config::from_yaml(yaml, Path::new(""), &environment).unwrap();

    assert_eq!(config.queue.max_bytes, 1 << 30);
    assert_eq!(config.queue.max_age, Duration::from_secs(3 * 3600));
    assert_eq!(config.rules.external_labels[0].1, "$5");
    assert_eq!(config.rules.external_labels[1].1, "${SIZE}");
    assert_eq!(
        config.rules.relabel[0].replacement.as_deref(),
        Some("${SIZE}-${1}-$1")
    );
}

#[test]
fn an_empty_list_of_aliases_switches_the_step_off() {
    assert!(good("normalise: {aliases: {}}").rules.aliases.is_empty());
}

#[test]
fn remotes_without_a_name_are_numbered_and_warned_of() {
    let config = good("remote_write: [{url: 'http://a/'}, {url: 'http://b/'}]");

    let names: Vec<&str> = config.remotes.iter().map(|remote| remote.name.as_str()).collect();
    assert_eq!(names, ["remote-1", "remote-2"]);
    assert_eq!(config.notices.len(), 2);
}

#[test]
fn what_has_no_effect_here_is_taken_and_said() {
    let config = good(
        "remote_write:\n- url: http://a/\n  queue_config: {capacity: 2500, min_shards: 1}\n  metadata_config: {send: true, send_interval: 1m}\n",
    );

    let paths: Vec<&str> = config.notices.iter().map(|notice| notice.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "remote_write[0].queue_config.capacity",
            "remote_write[0].queue_config.min_shards",
        ]
    );
}

#[test]
fn flags_stand_over_the_file() {
    let config = good("http: {listen: ':1'}\nremote_write: [{url: 'http://a/'}, {url: 'http://c/'}]");
    let flags = Overrides {
        grpc_listen: Some("127.0.0.1:0".to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(PathBuf::from("here")),
        remote_write_urls: vec!["http://u:p@b/".to_owned()],
        log_level: Some("warn".to_owned()),
    };

    let config = config.with(&flags).unwrap();

    assert_eq!(
        (config.door.listen.as_str(), config.data_dir.as_path()),
        ("127.0.0.1:0", Path::new("here"))
    );
    assert_eq!(config.grpc.address(), "127.0.0.1:0");
    assert_eq!(config.remotes.len(), 1);
    assert_eq!(
        (config.remotes[0].name.as_str(), config.remotes[0].url.as_str()),
        ("remote-1", "http://b/")
    );
    assert!(matches!(&config.remotes[0].auth, Auth::Header { scheme, .. } if scheme == "Basic"));
    assert_eq!(config.log.level, LogLevel::Warn);
    assert!(config.notices.is_empty());
}

#[test]
fn wrong_flags_are_all_reported_by_their_names() {
    let flags = Overrides {
        grpc_listen: Some("0.0.0.0:9092".to_owned()),
        listen: Some("here".to_owned()),
        data_dir: Some(PathBuf::new()),
        remote_write_urls: vec!["b:9090".to_owned()],
        log_level: Some("loud".to_owned()),
    };

    let errors = Config::default().with(&flags).unwrap_err();

    assert_eq!(
        said(&errors),
        [
            r#"--http.listen: "here" is no address to listen on: write it as 0.0.0.0:9091 or [::]:9091; port 0 lets the system choose"#,
            r#"--grpc.listen: "0.0.0.0:9092" lets everybody in who reaches this machine: add grpc.tokens or grpc.tls with client_ca_file, or write grpc.insecure: true if that is meant"#,
            r#"--log.level: "loud" is not known here: write error, warn, info, debug or trace"#,
            r#"--data-dir: "" names no folder: give a path, or leave the flag away"#,
            r#"--remote-write.url: "b:9090" is no URL of http:// or https://: write it as http://10.0.0.5:9090/api/v1/write"#,
        ]
    );
}
