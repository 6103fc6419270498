//! Whole blocks as vendors document them, pasted unchanged.

use std::path::PathBuf;

use super::good;
use crate::forward::{Auth, AzureIdentity, RemoteConfig, Secret};

/// The one remote of a block, and what is remarked on it.
#[track_caller]
fn pasted(block: &str) -> (RemoteConfig, Vec<String>) {
    let mut config = good(block);
    let remarks = config.notices.iter().map(ToString::to_string).collect();
    (config.remotes.remove(0), remarks)
}

fn basic(username: &str, password: &str) -> Auth {
    Auth::Basic {
        username: Secret::Inline(username.to_owned()),
        password: Secret::Inline(password.to_owned()),
    }
}

fn bearer(token: &str) -> Auth {
    Auth::Header {
        scheme: "Bearer".to_owned(),
        credentials: Secret::Inline(token.to_owned()),
    }
}

const NO_REMARKS: [String; 0] = [];

#[test]
fn a_block_of_mimir_with_a_tenant_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
  - url: http://load-balancer:9009/api/v1/push
    headers:
      X-Scope-OrgID: demo
",
    );

    assert_eq!(remote.url, "http://load-balancer:9009/api/v1/push");
    assert_eq!(remote.headers, [("X-Scope-OrgID".to_owned(), "demo".to_owned())]);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_cortex_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- url: http://cortex-nginx:80/api/v1/push
  remote_timeout: 30s
  name: cortex
  headers: {X-Scope-OrgID: '1'}
  write_relabel_configs:
  - separator: ;
    regex: '^(endpoint|pod)$'
    replacement: $1
    action: labeldrop
  basic_auth:
    username: cortex
    password: secret
  queue_config:
    capacity: 100000
    max_shards: 100
    min_shards: 1
    max_samples_per_send: 3000
    batch_send_deadline: 5s
    min_backoff: 30ms
    max_backoff: 100ms
  metadata_config:
    send: false
",
    );

    assert_eq!(remote.auth, basic("cortex", "secret"));
    assert_eq!(
        (remote.batch.lanes, remote.batch.max_samples_per_send),
        (100, 3000)
    );
    assert_eq!(remote.write_relabel[0].action.as_deref(), Some("labeldrop"));
    assert_eq!(remarks.len(), 2, "{remarks:?}");
}

#[test]
fn a_block_of_thanos_receive_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- url: https://thanos-receive.example.com/api/v1/receive
  headers: {THANOS-TENANT: team-a}
  tls_config:
    ca_file: /etc/certs/ca.crt
    cert_file: /etc/certs/tls.crt
    key_file: /etc/certs/tls.key
    server_name: receiver
    min_version: TLS12
  send_exemplars: true
  send_native_histograms: true
",
    );

    let file = |path: &str| Secret::File(PathBuf::from(path));
    assert_eq!(remote.headers[0].0, "THANOS-TENANT");
    assert_eq!(remote.tls.ca, Some(file("/etc/certs/ca.crt")));
    assert_eq!(
        remote.tls.client,
        Some((file("/etc/certs/tls.crt"), file("/etc/certs/tls.key")))
    );
    assert!(remote.takes.exemplars && remote.takes.native_histograms);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_new_relic_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- url: https://metric-api.newrelic.com/prometheus/v1/write?prometheus_server=flink
  authorization:
    credentials: eu01xxNRAL
",
    );

    assert_eq!(
        remote.url,
        "https://metric-api.newrelic.com/prometheus/v1/write?prometheus_server=flink"
    );
    assert_eq!(remote.auth, bearer("eu01xxNRAL"));
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_alibaba_arms_pastes_in() {
    let (remote, remarks) = pasted(
        r#"
remote_write:
  - url: "https://cn-hangzhou.arms.aliyuncs.com/prometheus/1234567890/abcdefghij/cn-hangzhou/api/v3/write"
    basic_auth:
      username: LTAI5tExample
      password: 'secret: with a colon'
"#,
    );

    assert_eq!(remote.auth, basic("LTAI5tExample", "secret: with a colon"));
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_huawei_aom_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
  - url: 'https://aom-internal-access.cn-north-4.myhuaweicloud.com:8443/v1/0123456789abcdef/push'
    tls_config:
      insecure_skip_verify: true
    bearer_token: 'Access1Code'
",
    );

    assert_eq!(remote.auth, bearer("Access1Code"));
    assert!(remote.tls.insecure_skip_verify);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_volcengine_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- name: vmp
  url: https://write.prometheus-cn-beijing.volces.com/workspaces/0a1b2c3d-0000-1111-2222-333344445555/api/v1/write
  remote_timeout: 30s
  authorization:
    type: Bearer
    credentials: token
  follow_redirects: true
  enable_http2: true
  queue_config:
    batch_send_deadline: 5s
    max_samples_per_send: 2000
    retry_on_http_429: true
",
    );

    assert_eq!((remote.name.as_str(), remote.auth), ("vmp", bearer("token")));
    assert!(remote.enable_http2 && remote.batch.retry_on_http_429);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_amazon_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
  - url: https://aps-workspaces.us-west-2.amazonaws.com/workspaces/ws-12345678-abcd-1234-abcd-123456789012/api/v1/remote_write
    sigv4:
      region: us-west-2
      role_arn: arn:aws:iam::123456789012:role/prometheus-writer
    queue_config:
      max_samples_per_send: 1000
      max_shards: 200
      capacity: 2500
",
    );

    let Auth::SigV4(signature) = &remote.auth else {
        unreachable!("{:?}", remote.auth);
    };
    assert_eq!(signature.region.as_deref(), Some("us-west-2"));
    assert_eq!(
        signature.role_arn.as_deref(),
        Some("arn:aws:iam::123456789012:role/prometheus-writer")
    );
    assert_eq!(
        (remote.batch.lanes, remote.batch.max_samples_per_send),
        (200, 1000)
    );
    assert_eq!(remarks.len(), 1, "{remarks:?}");
}

#[test]
fn a_block_of_azure_monitor_pastes_in() {
    let (remote, remarks) = pasted(
        r#"
remote_write:
  - url: "https://flink-ab12.eastus-1.metrics.ingest.monitor.azure.com/dataCollectionRules/dcr-0123/streams/Microsoft-PrometheusMetrics/api/v1/write?api-version=2023-04-24"
    azuread:
      cloud: 'AzurePublic'
      managed_identity:
        client_id: "00000000-1111-2222-3333-444444444444"
"#,
    );

    let Auth::AzureAd(identity) = &remote.auth else {
        unreachable!("{:?}", remote.auth);
    };
    let expected = AzureIdentity::Managed {
        client_id: Some("00000000-1111-2222-3333-444444444444".to_owned()),
    };
    assert_eq!(identity.identity, expected);
    assert!(remote.url.ends_with("?api-version=2023-04-24"), "{}", remote.url);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_of_google_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- name: google
  url: https://monitoring.googleapis.com/v1/projects/flink-prod/location/global/prometheus/api/v1/write
  google_iam:
    credentials_file: /etc/gcp/key.json
  queue_config: {max_samples_per_send: 200}
",
    );

    let Auth::GoogleIam(identity) = &remote.auth else {
        unreachable!("{:?}", remote.auth);
    };
    assert_eq!(
        identity.credentials_file,
        Some(PathBuf::from("/etc/gcp/key.json"))
    );
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_with_oauth2_behind_a_proxy_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- url: https://thanos-receive.example.com/api/v1/receive
  oauth2:
    client_id: flink
    client_secret_file: /run/secrets/oauth2
    token_url: https://login.example.com/oauth2/token
    scopes: [metrics.write]
    proxy_url: http://proxy:3128
    no_proxy: .internal
    tls_config: {ca_file: /etc/certs/ca.crt, min_version: TLS12}
",
    );

    let Auth::OAuth2(token) = &remote.auth else {
        unreachable!("{:?}", remote.auth);
    };
    assert_eq!(token.proxy.https.as_deref(), Some("http://proxy:3128"));
    assert_eq!(token.proxy.no_proxy.as_deref(), Some(".internal"));
    assert_eq!(remote.proxy.https, None);
    assert_eq!(remarks, NO_REMARKS);
}

#[test]
fn a_block_as_prometheus_prints_it_with_every_default_pastes_in() {
    let (remote, remarks) = pasted(
        "
remote_write:
- url: https://prometheus.example.com/api/v1/write
  remote_timeout: 30s
  protobuf_message: prometheus.WriteRequest
  follow_redirects: true
  enable_http2: false
  queue_config:
    capacity: 10000
    max_shards: 50
    min_shards: 1
    max_samples_per_send: 2000
    batch_send_deadline: 5s
    min_backoff: 30ms
    max_backoff: 5s
  metadata_config:
    send: true
    send_interval: 1m
    max_samples_per_send: 2000
",
    );

    assert_eq!(remote.batch.lanes, 50);
    assert!(remote.metadata.send);
    assert!(
        remarks.iter().all(|remark| remark.contains("has no effect")),
        "{remarks:?}"
    );
}
