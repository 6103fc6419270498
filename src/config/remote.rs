//! `remote_write:` in Prometheus' own keys, so that a block can be pasted from `prometheus.yml`.

use std::time::Duration;

use super::error::Fault;
use super::reader::{Block, Item};
use super::value::{DURATION, NUMBER, duration, number, spell_duration, switch};
use super::word::{is_grpc, remote_name, remote_url};
use super::{auth, connection, limits, rules};
use crate::codec::remote_write::Message;
use crate::forward::{Auth, BatchConfig, MetadataConfig, RemoteConfig, Takes};

const HOUR: Duration = Duration::from_secs(3600);
/// Most lanes of a remote.
const MAX_LANES: u32 = 256;

/// What a bridge takes besides samples.
pub(super) const EVERYTHING: Takes = Takes {
    exemplars: true,
    native_histograms: true,
    extended: true,
};

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
        block.finish(&[]);
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
    let is_bridge = url.as_deref().is_some_and(is_grpc);
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
        headers: connection::headers(&block.block("headers")),
        http_headers: connection::http_headers(&block.block("http_headers")),
        write_relabel: rules::relabelling(&block.items("write_relabel_configs")),
        auth,
        tls: connection::tls(&block.block("tls_config")),
        proxy: connection::proxy(block),
        follow_redirects: block
            .text("follow_redirects", switch)
            .unwrap_or(defaults.follow_redirects),
        enable_http2: block
            .text("enable_http2", switch)
            .unwrap_or(defaults.enable_http2),
        round_robin_dns: block.text("round_robin_dns", switch).unwrap_or(false),
        message: block
            .text("protobuf_message", message)
            .unwrap_or(defaults.message),
        takes: takes(block, if is_bridge { EVERYTHING } else { Takes::default() }),
        metadata: metadata(&block.block("metadata_config")),
        batch: batch(&block.block("queue_config")),
        profile: defaults.profile,
        limits: limits::read(&block.block("limits"), defaults.limits),
    };
    if is_bridge {
        only_for_http(block);
    }
    url.map(|_| remote)
}

/// What goes to it besides samples.
fn takes(block: &Block<'_>, unless_told: Takes) -> Takes {
    Takes {
        exemplars: block
            .text("send_exemplars", switch)
            .unwrap_or(unless_told.exemplars),
        native_histograms: block
            .text("send_native_histograms", switch)
            .unwrap_or(unless_told.native_histograms),
        extended: unless_told.extended,
    }
}

/// Refuses keys that mean nothing where the URL is one of gRPC.
fn only_for_http(block: &Block<'_>) {
    for (key, way_out) in [
        ("proxy_url", "take it out: a stream goes straight to the bridge"),
        (
            "proxy_from_environment",
            "take it out: a stream goes straight to the bridge",
        ),
        (
            "round_robin_dns",
            "take it out: all goes by one stream, to one address",
        ),
        (
            "metadata_config",
            "take it out: no types or help texts go between bridges",
        ),
        ("follow_redirects", "take it out: a stream is not redirected"),
        ("enable_http2", "take it out: a stream is always HTTP/2"),
        (
            "protobuf_message",
            "take it out: between bridges nothing is left out",
        ),
    ] {
        if block.has(key) {
            block.refuse(key, "means nothing with a grpc:// URL", way_out);
        }
    }
    let what = "means nothing with a grpc:// URL";
    let elsewhere = "take it out here, and set it at the bridge, or queue.max_age";
    for (part, key, way_out) in [
        ("queue_config", "sample_age_limit", elsewhere),
        ("limits", "max_age", elsewhere),
        (
            "queue_config",
            "retry_on_http_429",
            "take it out: what a full bridge does not take is always sent again",
        ),
    ] {
        let part = block.block(part);
        if part.has(key) {
            part.refuse(key, what, way_out);
        }
    }
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
    let mut url = item.and_then(|item| item.url(remote_url));
    let auth = auth::read(block, url.as_mut());
    (url.map(String::from), auth)
}

fn batch(block: &Block<'_>) -> BatchConfig {
    let defaults = BatchConfig::default();
    let samples = NUMBER.within(
        (1, "or nothing is sent"),
        (100_000, "since a request is held in memory"),
    );
    let wait = DURATION.within((Duration::ZERO, ""), (HOUR, "since samples wait for as long"));
    let (min_backoff, max_backoff) = backoff(block);
    let batch = BatchConfig {
        max_samples_per_send: block
            .text("max_samples_per_send", samples)
            .map_or(defaults.max_samples_per_send, small),
        batch_send_deadline: block
            .text("batch_send_deadline", wait)
            .unwrap_or(defaults.batch_send_deadline),
        lanes: lanes(block).unwrap_or(defaults.lanes),
        min_backoff,
        max_backoff,
        retry_on_http_429: block
            .text("retry_on_http_429", switch)
            .unwrap_or(defaults.retry_on_http_429),
        sample_age_limit: block
            .text("sample_age_limit", duration)
            .filter(|limit| *limit > Duration::ZERO),
    };
    for key in ["capacity", "min_shards"] {
        if block.text(key, number).is_some() {
            let text =
                "has no effect: the queue is on disk, its bounds are queue.max_bytes and queue.max_age";
            block.remark(key, text);
        }
    }
    block.finish(&[]);
    batch
}

/// `max_shards`; blocks that were tuned for Prometheus have hundreds of them, which a remote behind a queue on disk never
/// needs.
fn lanes(block: &Block<'_>) -> Option<u32> {
    let least = NUMBER.within((1, "or nothing is sent"), (u64::MAX, ""));
    let wanted = small(block.text("max_shards", least)?);
    if wanted > MAX_LANES {
        let text = format!("is taken as {MAX_LANES}: each lane holds a request in memory and a connection");
        block.remark("max_shards", text);
    }
    Some(wanted.min(MAX_LANES))
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

fn message(text: &str) -> Result<Message, Fault> {
    match text {
        "prometheus.WriteRequest" => Ok(Message::V1),
        "io.prometheus.write.v2.Request" => Ok(Message::V2),
        _ => Err(Fault::new(
            "is no message of remote-write",
            "write prometheus.WriteRequest or io.prometheus.write.v2.Request, or take it out",
        )),
    }
}

fn metadata(block: &Block<'_>) -> MetadataConfig {
    let defaults = MetadataConfig::default();
    let families = NUMBER.within(
        (1, "or nothing is sent"),
        (100_000, "since a request is held in memory"),
    );
    let span = DURATION.within(
        (Duration::from_secs(1), "or little else is sent"),
        (
            24 * HOUR,
            "or a store that was emptied knows no types for as long",
        ),
    );
    let send = block.text("send", switch);
    let metadata = MetadataConfig {
        send: send.unwrap_or(defaults.send),
        send_interval: block
            .text("send_interval", span)
            .unwrap_or(defaults.send_interval),
        max_samples_per_send: block
            .text("max_samples_per_send", families)
            .map_or(defaults.max_samples_per_send, small),
    };
    block.finish(&[]);
    metadata
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
