//! Each key of Prometheus' `remote_write` entry: what it becomes, and what may not stand beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{good, read, said};
use crate::codec::remote_write::Message;
use crate::config::Config;
use crate::forward::{Auth, HeaderConfig, MetadataConfig, RemoteConfig, Secret, TlsVersion};

/// The remote of a block that has a URL and `lines`, and what is remarked on it.
#[track_caller]
pub(super) fn remote(lines: &str) -> (RemoteConfig, Vec<String>) {
    let mut config = good(&block(lines));
    let remarks = config.notices.iter().map(ToString::to_string).collect();
    (config.remotes.remove(0), remarks)
}

#[track_caller]
pub(super) fn refused(lines: &str, expected: &[&str]) {
    let errors = read(&block(lines)).expect_err("a mistake was expected");

    assert_eq!(said(&errors), expected, "{lines}");
}

fn block(lines: &str) -> String {
    format!("remote_write:\n- url: http://a/\n{lines}")
}

pub(super) fn with_environment(lines: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let environment = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::from_yaml(&block(lines), Path::new("/etc/flinkbridge"), &environment)
        .map_err(|errors| said(&errors))
}

pub(super) fn inline(text: &str) -> Secret {
    Secret::Inline(text.to_owned())
}

fn file(path: &str) -> Secret {
    Secret::File(PathBuf::from(path))
}

#[test]
fn a_url_alone_has_the_defaults_of_prometheus() {
    let (remote, remarks) = remote("");

    assert_eq!(remote, RemoteConfig::new("remote-1", "http://a/"));
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn remote_timeout_name_and_the_switches_are_taken() {
    let (remote, remarks) = remote(
        "  name: tmp\n  remote_timeout: 1m30s\n  follow_redirects: false\n  enable_http2: true\n  round_robin_dns: true\n  send_exemplars: true\n  send_native_histograms: true\n",
    );

    assert_eq!(remote.name, "tmp");
    assert_eq!(remote.remote_timeout, Duration::from_secs(90));
    assert!(!remote.follow_redirects && remote.enable_http2 && remote.round_robin_dns);
    assert!(remote.takes.exemplars && remote.takes.native_histograms);
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn protobuf_message_names_the_message_of_either_version() {
    let message = |text: &str| remote(text).0.message;

    assert_eq!(
        message("  protobuf_message: prometheus.WriteRequest\n"),
        Message::V1
    );
    assert_eq!(
        message("  protobuf_message: io.prometheus.write.v2.Request\n"),
        Message::V2
    );
    assert_eq!(message("  name: a\n"), Message::V1);
}

#[test]
fn the_keys_of_queue_config_are_taken() {
    let (remote, remarks) = remote(
        "  queue_config: {max_shards: 7, max_samples_per_send: 500, batch_send_deadline: 5s, min_backoff: 1s, max_backoff: 2m, retry_on_http_429: false, sample_age_limit: 6h}\n",
    );

    let batch = remote.batch;
    assert_eq!((batch.lanes, batch.max_samples_per_send), (7, 500));
    assert_eq!(batch.batch_send_deadline, Duration::from_secs(5));
    assert_eq!(
        (batch.min_backoff, batch.max_backoff),
        (Duration::from_secs(1), Duration::from_secs(120))
    );
    assert!(!batch.retry_on_http_429);
    assert_eq!(batch.sample_age_limit, Some(Duration::from_secs(6 * 3600)));
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn a_sample_age_limit_of_zero_is_none() {
    let (remote, _) = remote("  queue_config: {sample_age_limit: 0s}\n");

    assert_eq!(remote.batch.sample_age_limit, None);
}

#[test]
fn hundreds_of_shards_are_taken_as_the_most_there_are() {
    let (remote, remarks) = remote("  queue_config: {max_shards: 1000}\n");

    assert_eq!(remote.batch.lanes, 256);
    assert_eq!(
        remarks,
        [
            "remote_write[0].queue_config.max_shards: is taken as 256: each lane holds a request in memory and a connection"
        ]
    );
}

#[test]
fn capacity_and_min_shards_are_taken_and_said_to_have_no_effect() {
    let (_, remarks) = remote("  queue_config: {capacity: 10000, min_shards: 4}\n");

    assert_eq!(remarks.len(), 2);
    assert!(
        remarks
            .iter()
            .all(|remark| remark.contains(": has no effect: the queue is on disk")),
        "{remarks:?}"
    );
}

#[test]
fn the_keys_of_metadata_config_are_taken() {
    let (remote, _) =
        remote("  metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 100}\n");

    let expected = MetadataConfig {
        send: false,
        send_interval: Duration::from_secs(300),
        max_samples_per_send: 100,
    };
    assert_eq!(remote.metadata, expected);
}

#[test]
fn user_and_password_may_both_be_in_files() {
    let (remote, _) = remote("  basic_auth: {username_file: user, password_file: /run/secrets/password}\n");

    let expected = Auth::Basic {
        username: file("/etc/flinkbridge/user"),
        password: file("/run/secrets/password"),
    };
    assert_eq!(remote.auth, expected);
}

#[test]
fn a_user_may_not_stand_in_the_block_and_in_a_file() {
    refused(
        "  basic_auth: {username: me, username_file: user}\n",
        &[
            "3:30: remote_write[0].basic_auth.username_file: the value may not stand beside username: keep one of the two",
        ],
    );
}

#[test]
fn authorization_and_its_old_spellings_are_taken() {
    let header = |scheme: &str, credentials| Auth::Header {
        scheme: scheme.to_owned(),
        credentials,
    };

    for (lines, expected) in [
        (
            "  authorization: {credentials: abc}\n",
            header("Bearer", inline("abc")),
        ),
        (
            "  authorization: {type: ' Token ', credentials_file: t}\n",
            header("Token", file("/etc/flinkbridge/t")),
        ),
        ("  bearer_token: abc\n", header("Bearer", inline("abc"))),
        ("  bearer_token_file: /t\n", header("Bearer", file("/t"))),
    ] {
        assert_eq!(remote(lines).0.auth, expected, "{lines}");
    }
}

#[test]
fn a_reference_to_a_secret_manager_is_known_and_not_supported() {
    let errors = read(&block(
        "  basic_auth: {username_ref: a, password_ref: b, username: c}\n  tls_config: {ca_ref: a, cert_ref: b, key_ref: c}\n",
    ));
    let of_header = read(&block("  authorization: {credentials_ref: a, credentials: b}\n"));

    let mut lines = said(&errors.unwrap_err());
    lines.extend(said(&of_header.unwrap_err()));
    assert_eq!(lines.len(), 6);
    assert!(
        lines
            .iter()
            .all(|line| line.contains("_ref: is not supported yet by this version: use ")),
        "{lines:#?}"
    );
}

#[test]
fn headers_are_taken_in_both_forms() {
    let (remote, _) = remote(
        "  headers: {X-Scope-OrgID: team}\n  http_headers:\n    X-Api-Key: {values: [a, b], secrets: [c], files: [key]}\n    X-Other: {values: ['1']}\n",
    );

    assert_eq!(remote.headers, [("X-Scope-OrgID".to_owned(), "team".to_owned())]);
    let expected = [
        HeaderConfig {
            name: "X-Api-Key".to_owned(),
            values: vec![
                inline("a"),
                inline("b"),
                inline("c"),
                file("/etc/flinkbridge/key"),
            ],
        },
        HeaderConfig {
            name: "X-Other".to_owned(),
            values: vec![inline("1")],
        },
    ];
    assert_eq!(remote.http_headers, expected);
}

/// PRW S1-06, S2-06.
#[test]
fn headers_of_the_protocol_may_be_set_in_neither_form() {
    let reserved = "is a header that belongs to remote-write itself: take it out";
    for name in [
        "Content-Encoding",
        "Content-Type",
        "User-Agent",
        "X-Prometheus-Remote-Write-Version",
        "Host",
        "Www-Authenticate",
        "X-Amz-Date",
    ] {
        refused(
            &format!("  headers: {{{name}: x}}\n"),
            &[&format!(
                "3:13: remote_write[0].headers.{name}: {name:?} {reserved}"
            )],
        );
        refused(
            &format!("  http_headers: {{{name}: {{values: [x]}}}}\n"),
            &[&format!(
                "3:18: remote_write[0].http_headers.{name}: {name:?} {reserved}"
            )],
        );
    }
    refused(
        "  http_headers: {authorization: {values: [x]}}\n",
        &[
            r#"3:18: remote_write[0].http_headers.authorization: "authorization" may not be set as a header: use basic_auth or authorization"#,
        ],
    );
}

#[test]
fn tls_config_names_files_or_holds_the_texts_themselves() {
    let (of_files, _) = remote(
        "  tls_config: {ca_file: ca.pem, cert_file: /c.pem, key_file: /k.pem, server_name: s, insecure_skip_verify: true, min_version: TLS12, max_version: TLS13}\n",
    );
    let (of_texts, _) = remote("  tls_config:\n    ca: |\n      PEM\n    cert: c\n    key: k\n");

    let tls = of_files.tls;
    assert_eq!(tls.ca, Some(file("/etc/flinkbridge/ca.pem")));
    assert_eq!(tls.client, Some((file("/c.pem"), file("/k.pem"))));
    assert_eq!(tls.server_name.as_deref(), Some("s"));
    assert!(tls.insecure_skip_verify);
    assert_eq!(
        (tls.min_version, tls.max_version),
        (Some(TlsVersion::Tls12), Some(TlsVersion::Tls13))
    );
    assert_eq!(of_texts.tls.ca, Some(inline("PEM\n")));
    assert_eq!(of_texts.tls.client, Some((inline("c"), inline("k"))));
    assert!(!format!("{:?}", of_texts.tls).contains("PEM"));
}

#[test]
fn a_certificate_and_its_key_come_together_and_from_one_place_each() {
    refused(
        "  tls_config: {ca: a, ca_file: b, cert: c, cert_file: d, key: e, key_file: f}\n",
        &[
            "3:23: remote_write[0].tls_config.ca_file: the value may not stand beside ca: keep one of the two",
            "3:44: remote_write[0].tls_config.cert_file: the value may not stand beside cert: keep one of the two",
            "3:66: remote_write[0].tls_config.key_file: the value may not stand beside key: keep one of the two",
        ],
    );
    refused(
        "  tls_config: {cert_file: c}\n",
        &[
            "3:15: remote_write[0].tls_config.key_file: is missing: a certificate needs its key, or take the certificate out",
        ],
    );
    refused(
        "  tls_config: {key: k}\n",
        &[
            "3:15: remote_write[0].tls_config.cert_file: is missing: a key needs its certificate, or take the key out",
        ],
    );
}

#[test]
fn versions_of_tls_that_are_not_spoken_are_remarked_or_refused() {
    let (remote, remarks) = remote("  tls_config: {min_version: TLS10}\n");

    assert_eq!(remote.tls.min_version, None);
    assert_eq!(
        remarks,
        ["remote_write[0].tls_config.min_version: has no effect: nothing older than TLS 1.2 is spoken"]
    );
    refused(
        "  tls_config: {max_version: TLS11}\n",
        &[
            r#"3:29: remote_write[0].tls_config.max_version: "TLS11" is not spoken here: write TLS12 or TLS13; what speaks neither cannot be reached"#,
        ],
    );
    refused(
        "  tls_config: {min_version: TLS13, max_version: TLS12}\n",
        &[
            r#"3:49: remote_write[0].tls_config.max_version: "TLS12" is less than min_version: leave max_version out"#,
        ],
    );
    refused(
        "  tls_config: {min_version: '1.2'}\n",
        &[
            r#"3:29: remote_write[0].tls_config.min_version: "1.2" is no version of TLS: write TLS12 or TLS13"#,
        ],
    );
}

#[test]
fn every_value_may_come_from_the_environment() {
    let config = with_environment(
        r#"  name: "${V}"
  remote_timeout: "${SPAN}"
  headers: {X-A: "${V}"}
  http_headers: {X-B: {values: ["${V}"], secrets: ["${V}"], files: ["${V}"]}}
  basic_auth: {username: "${V}", password_file: "${V}"}
  tls_config: {ca: "${V}", cert_file: "${V}", key: "${V}", server_name: "${V}", insecure_skip_verify: "${YES}"}
  proxy_url: "http://${V}"
  no_proxy: "${V}"
  proxy_connect_header: {X-C: ["${V}"]}
  enable_http2: "${YES}"
  queue_config: {max_shards: "${NUMBER}", sample_age_limit: "${SPAN}", retry_on_http_429: "${YES}"}
  metadata_config: {send: "${NO}", send_interval: "${SPAN}"}
"#,
        &[
            ("V", "value"),
            ("SPAN", "7s"),
            ("YES", "yes"),
            ("NO", "no"),
            ("NUMBER", "7"),
        ],
    );

    let remote = &config.unwrap().remotes[0];
    let (span, in_file) = (Duration::from_secs(7), file("/etc/flinkbridge/value"));
    assert_eq!((remote.name.as_str(), remote.remote_timeout), ("value", span));
    assert_eq!(remote.headers[0].1, "value");
    assert_eq!(
        remote.http_headers[0].values,
        [inline("value"), inline("value"), in_file.clone()]
    );
    assert_eq!(
        remote.auth,
        Auth::Basic {
            username: inline("value"),
            password: in_file.clone()
        }
    );
    assert_eq!(remote.tls.ca, Some(inline("value")));
    assert_eq!(remote.tls.client, Some((in_file, inline("value"))));
    assert!(remote.tls.insecure_skip_verify && remote.enable_http2);
    assert_eq!(remote.proxy.http.as_deref(), Some("http://value"));
    assert_eq!(remote.proxy.no_proxy.as_deref(), Some("value"));
    assert_eq!(remote.proxy.connect_headers[0].values, [inline("value")]);
    assert_eq!(
        (remote.batch.lanes, remote.batch.sample_age_limit),
        (7, Some(span))
    );
    assert!(remote.batch.retry_on_http_429 && !remote.metadata.send);
    assert_eq!(remote.metadata.send_interval, span);
}
