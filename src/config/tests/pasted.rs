use std::path::PathBuf;
use std::time::Duration;

use super::good;
use crate::forward::{Auth, Secret};

#[test]
fn a_block_of_grafana_cloud_pastes_in() {
    let config = good(
        "
remote_write:
  - url: https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push
    basic_auth:
      username: 123456
      password: glc_eyJvIjoiMSJ9
    write_relabel_configs:
      - source_labels: [__name__]
        regex: 'flink_(.+)_numRecords(In|Out)'
        action: keep
",
    );

    let remote = &config.remotes[0];
    assert_eq!(
        remote.url,
        "https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push"
    );
    let password = Secret::Inline("glc_eyJvIjoiMSJ9".to_owned());
    assert_eq!(
        remote.auth,
        Auth::Basic {
            username: Secret::Inline("123456".to_owned()),
            password
        }
    );
    assert_eq!(
        remote.write_relabel[0].regex.as_deref(),
        Some("flink_(.+)_numRecords(In|Out)")
    );
    assert!(config.notices.is_empty());
}

#[test]
fn a_block_of_tencent_pastes_in() {
    let config = good(
        "
remote_write:
- url: http://10.0.0.5:9090/api/v1/prom/write
  name: tmp
  remote_timeout: 30s
  bearer_token_file: token
  queue_config:
    capacity: 10000
    max_shards: 200
    min_shards: 1
    max_samples_per_send: 5000
    batch_send_deadline: 5s
    min_backoff: 30ms
    max_backoff: 100ms
    retry_on_http_429: true
  metadata_config:
    send: false
",
    );

    let remote = &config.remotes[0];
    let credentials = Secret::File(PathBuf::from("/etc/flinkbridge/token"));
    assert_eq!(
        remote.auth,
        Auth::Header {
            scheme: "Bearer".to_owned(),
            credentials
        }
    );
    assert_eq!(
        (remote.batch.lanes, remote.batch.max_samples_per_send),
        (200, 5000)
    );
    assert_eq!(remote.batch.batch_send_deadline, Duration::from_secs(5));
    assert_eq!(remote.batch.max_backoff, Duration::from_millis(100));
}

#[test]
fn a_block_of_victoriametrics_pastes_in() {
    let config = good(
        r#"
remote_write:
  - url: "https://vm.example.com:8427/insert/0/prometheus/api/v1/write"
    authorization:
      type: Bearer
      credentials_file: /etc/prometheus/vm.token
    headers:
      X-Scope-OrgID: team-a
    tls_config:
      ca_file: /etc/prometheus/ca.pem
      cert_file: client.pem
      key_file: client.key
      server_name: vm.internal
      insecure_skip_verify: false
    proxy_url: http://proxy:3128
    follow_redirects: true
    enable_http2: true
    send_exemplars: true
    send_native_histograms: false
    protobuf_message: prometheus.WriteRequest
"#,
    );

    let remote = &config.remotes[0];
    let credentials = Secret::File(PathBuf::from("/etc/prometheus/vm.token"));
    assert_eq!(
        remote.auth,
        Auth::Header {
            scheme: "Bearer".to_owned(),
            credentials
        }
    );
    assert_eq!(
        remote.headers,
        [("X-Scope-OrgID".to_owned(), "team-a".to_owned())]
    );
    let file = |path: &str| Secret::File(PathBuf::from(path));
    let pair = (
        file("/etc/flinkbridge/client.pem"),
        file("/etc/flinkbridge/client.key"),
    );
    assert_eq!(remote.tls.client, Some(pair));
    assert_eq!(remote.tls.ca, Some(file("/etc/prometheus/ca.pem")));
    assert_eq!(remote.proxy.http.as_deref(), Some("http://proxy:3128"));
    assert!(remote.enable_http2);
    assert!(remote.takes.exemplars && !remote.takes.native_histograms);
}

#[test]
fn anchors_and_merges_are_read_as_prometheus_reads_them() {
    let config = good(
        "
remote_write:
  - &base
    url: http://a/
    name: a
    basic_auth: {username: u, password: p}
  - <<: *base
    name: b
",
    );

    assert_eq!(config.remotes[1].name, "b");
    assert_eq!(config.remotes[1].auth, config.remotes[0].auth);
}
