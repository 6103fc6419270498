//! `remote_write:` in Prometheus' own keys, so that a block can be pasted from `prometheus.yml`.

use std::time::Duration;

use super::error::Fault;
use super::reader::{Block, Item, NotYet};
use super::value::{DURATION, NUMBER, any, duration, number, spell_duration, switch};
use super::word::{header_name, header_value, remote_name, web_url};
use super::{auth, limits, rules};
use crate::forward::{Auth, BatchConfig, RemoteConfig, Takes, TlsConfig};

const HOUR: Duration = Duration::from_secs(3600);

const NOT_YET: NotYet = &[
    ("oauth2", "use basic_auth or authorization"),
    ("sigv4", "put a signing proxy (aws-sigv4-proxy) before the remote"),
    ("azuread", "use basic_auth or authorization"),
    (
        "google_iam",
        "use authorization with a token that something else renews in credentials_file",
    ),
    ("grpc", "forward by http:// or https://"),
    ("http_headers", "use headers"),
    ("no_proxy", "leave proxy_url out where no proxy is wanted"),
    ("proxy_from_environment", "write the proxy as proxy_url"),
    ("proxy_connect_header", "take it out"),
    ("round_robin_dns", "take it out"),
];
const TLS_NOT_YET: NotYet = &[
    ("ca", "put it into a file and name that as ca_file"),
    ("cert", "put it into a file and name that as cert_file"),
    ("key", "put it into a file and name that as key_file"),
    ("min_version", "TLS 1.2 is the least anyway"),
    ("max_version", "take it out, the newest that both know is spoken"),
];

/// Reads the list.
pub(super) fn read(items: &[Item<'_>]) -> Vec<RemoteConfig> {
    let mut names: Vec<String> = Vec::new();
    let mut remotes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let block = item.block();
        let name = name(&block, index, &mut names);
        if items.len() > 1 && !block.has("name") {
            let what = "its place in the queue is kept under this number, so give it a name before you reorder the list";
            block.remark("name", format!("is not given, so it is {name}: {what}"));
        }
        remotes.extend(remote(&block, name));
        block.finish(NOT_YET);
    }
    remotes
}

fn name(block: &Block<'_>, index: usize, taken: &mut Vec<String>) -> String {
    let name = block
        .text("name", remote_name)
        .unwrap_or_else(|| format!("remote-{}", index + 1));
    if let Some(other) = taken.iter().position(|known| *known == name) {
        let rule = format!("is the name of remote_write[{other}] already");
        block.reject(
            "name",
            &name,
            Fault::new(rule, "give each remote a name of its own"),
        );
    }
    taken.push(name.clone());
    name
}

fn remote(block: &Block<'_>, name: String) -> Option<RemoteConfig> {
    let (url, auth) = url_and_auth(block);
    let defaults = limits::defaults(block);
    let timeout = DURATION.within(
        (Duration::from_millis(100), "or no answer comes in time"),
        (HOUR, "since a lane waits for as long"),
    );
    let remote = RemoteConfig {
        name,
        url: url.clone().unwrap_or_default(),
        remote_timeout: block
            .text("remote_timeout", timeout)
            .unwrap_or(defaults.remote_timeout),
        headers: headers(&block.block("headers")),
        write_relabel: rules::relabelling(&block.items("write_relabel_configs")),
        auth,
        tls: tls(&block.block("tls_config")),
        proxy_url: block
            .item("proxy_url")
            .and_then(|item| item.url(|text| web_url(text).map(|_| text.to_owned()))),
        follow_redirects: block
            .text("follow_redirects", switch)
            .unwrap_or(defaults.follow_redirects),
        enable_http2: block
            .text("enable_http2", switch)
            .unwrap_or(defaults.enable_http2),
        takes: Takes {
            exemplars: block.text("send_exemplars", switch).unwrap_or(false),
            native_histograms: block.text("send_native_histograms", switch).unwrap_or(false),
        },
        batch: batch(&block.block("queue_config")),
        profile: defaults.profile,
        limits: limits::read(&block.block("limits"), defaults.limits),
    };
    without_effect(block);
    url.map(|_| remote)
}

/// The URL without its user, who becomes the way of authentication.
fn url_and_auth(block: &Block<'_>) -> (Option<String>, Auth) {
    let item = block.item("url");
    if item.is_none() {
        block.miss(
            "url",
            "say where to send, as url: http://10.0.0.5:9090/api/v1/write",
        );
    }
    let mut url = item.and_then(|item| item.url(web_url));
    let auth = auth::read(block, url.as_mut());
    (url.map(String::from), auth)
}

fn headers(block: &Block<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, at, item) in block.pairs() {
        if let Err(fault) = header_name(name) {
            block.reject_key(name, at, fault);
        } else if let Some(value) = item.secret(header_value) {
            headers.push((name.to_owned(), value));
        }
    }
    headers
}

fn tls(block: &Block<'_>) -> TlsConfig {
    let pair = (block.file("cert_file"), block.file("key_file"));
    if block.has("cert_file") && !block.has("key_file") {
        block.miss("key_file", "a certificate needs its key, or take cert_file out");
    }
    if block.has("key_file") && !block.has("cert_file") {
        block.miss("cert_file", "a key needs its certificate, or take key_file out");
    }
    let tls = TlsConfig {
        ca_file: block.file("ca_file"),
        client: pair.0.zip(pair.1),
        server_name: block.text("server_name", any),
        insecure_skip_verify: block.text("insecure_skip_verify", switch).unwrap_or(false),
    };
    block.finish(TLS_NOT_YET);
    tls
}

fn batch(block: &Block<'_>) -> BatchConfig {
    let defaults = BatchConfig::default();
    let samples = NUMBER.within(
        (1, "or nothing is sent"),
        (100_000, "since a request is held in memory"),
    );
    let lanes = NUMBER.within(
        (1, "or nothing is sent"),
        (256, "each holds a request in memory and a connection"),
    );
    let wait = DURATION.within((Duration::ZERO, ""), (HOUR, "since samples wait for as long"));
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let (min_backoff, max_backoff) = backoff(block);
    let batch = BatchConfig {
        max_samples_per_send: block
            .text("max_samples_per_send", samples)
            .map_or(defaults.max_samples_per_send, small),
        batch_send_deadline: block
            .text("batch_send_deadline", wait)
            .unwrap_or(defaults.batch_send_deadline),
        lanes: block.text("max_shards", lanes).map_or(defaults.lanes, small),
        min_backoff,
        max_backoff,
        retry_on_http_429: block
            .text("retry_on_http_429", switch)
            .unwrap_or(defaults.retry_on_http_429),
    };
    for key in ["capacity", "min_shards"] {
        if block.text(key, number).is_some() {
            let text =
                "has no effect: the queue is on disk, its bounds are queue.max_bytes and queue.max_age";
            block.remark(key, text);
        }
    }
    if block
        .text("sample_age_limit", duration)
        .is_some_and(|limit| limit > Duration::ZERO)
    {
        let text = "has no effect: what is too old for every remote is dropped by queue.max_age";
        block.remark("sample_age_limit", text);
    }
    block.finish(&[]);
    batch
}

fn backoff(block: &Block<'_>) -> (Duration, Duration) {
    let defaults = BatchConfig::default();
    let least = (Duration::from_millis(1), "or a remote in trouble is flooded");
    let most = (HOUR, "or nobody notices that the remote is back");
    let first = block
        .text("min_backoff", DURATION.within(least, most))
        .unwrap_or(defaults.min_backoff);
    let longest = block
        .text("max_backoff", DURATION.within(least, most))
        .unwrap_or(defaults.max_backoff);
    if first > longest {
        let way_out = format!(
            "write {} or less, or more for max_backoff",
            spell_duration(longest)
        );
        let key = if block.has("min_backoff") {
            "min_backoff"
        } else {
            "max_backoff"
        };
        block.reject(
            key,
            &spell_duration(first),
            Fault::new("is longer than max_backoff", way_out),
        );
    }
    (first, longest)
}

/// Keys of Prometheus for what does not travel through this version: taken where they ask for nothing else.
fn without_effect(block: &Block<'_>) {
    block.text("protobuf_message", |text| match text {
        "prometheus.WriteRequest" => Ok(()),
        "io.prometheus.write.v2.Request" => Err(Fault::new(
            "is not supported yet by this version",
            "write prometheus.WriteRequest, or take it out",
        )),
        _ => Err(Fault::new(
            "is no message of remote-write",
            "write prometheus.WriteRequest, or take it out",
        )),
    });
    let metadata = block.block("metadata_config");
    if metadata.text("send", switch) == Some(true) {
        metadata.remark("send", "has no effect yet: metadata is not sent by this version");
    }
    metadata.text("send_interval", duration);
    metadata.text("max_samples_per_send", number);
    metadata.finish(&[]);
}
