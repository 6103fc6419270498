//! The file, block by block: which keys there are, their bounds, and why.

use std::time::Duration;

use super::error::Fault;
use super::log::{LogConfig, LogFormat, LogLevel};
use super::reader::{Block, NotYet};
use super::value::{DURATION, NUMBER, SIZE, one_of, spell_size, switch};
use super::word::{address, path_prefix};
use super::{Config, grpc, remote, rules, web};
use crate::api::{DoorConfig, ReceiverConfig};
use crate::intake::{Order, Timestamps};
use crate::model::NameScheme;
use crate::normalise::RulesConfig;
use crate::queue::{QueueConfig, SyncPolicy, WhenFull};
use crate::registry::{Consistency, RetentionConfig};

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const SECOND: Duration = Duration::from_secs(1);

const JOBS_NOT_YET: NotYet = &[
    ("policies", "jobs.stale_after holds for all groups"),
    (
        "track_remote_write",
        "jobs that come by remote-write are not looked at, only pushes are",
    ),
];

pub(super) const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

/// Reads the whole file.
pub(super) fn read(root: &Block<'_>) -> Config {
    let defaults = Config::default();
    let receiver = receiver(&root.block("remote_write_receiver"));
    let door = DoorConfig {
        receiver,
        ..door(&root.block("http"), &root.block("pushgateway"))
    };
    let config = Config {
        data_dir: root.file("data_dir").unwrap_or(defaults.data_dir),
        rules: RulesConfig {
            names: door.names,
            ..rules::read(&root.block("normalise"), &root.block("external_labels"))
        },
        door,
        grpc: grpc::read(&root.block("grpc")),
        retention: retention(&root.block("jobs")),
        queue: queue(&root.block("queue")),
        remotes: remote::read(&root.items("remote_write")),
        log: log(&root.block("log")),
        notices: Vec::new(),
    };
    root.finish(&[]);
    config
}

fn door(http: &Block<'_>, pushgateway: &Block<'_>) -> DoorConfig {
    let defaults = DoorConfig::default();
    let connections = NUMBER.within(
        (1, "or nobody can connect"),
        (1_000_000, "each takes a file descriptor and some KiB of memory"),
    );
    let body = SIZE.within(
        (64 << 10, "since a Flink JobManager pushes some tens of KiB"),
        (1 << 30, "since a body is held in memory"),
    );
    let series = NUMBER.within(
        (1, "or nothing can be pushed"),
        (10_000_000, "since a push is held in memory"),
    );
    let (rights, public_probes) = web::protection(http);
    let door = DoorConfig {
        listen: http.text("listen", address).unwrap_or(defaults.listen),
        path_prefixes: http
            .items("path_prefixes")
            .iter()
            .filter_map(|item| item.text(path_prefix))
            .collect(),
        max_connections: http
            .text("max_connections", connections)
            .map_or(defaults.max_connections, count),
        web_config_file: http.file("web_config_file"),
        rights,
        public_probes,
        success_status: pushgateway
            .text("success_status", one_of(&[("200", 200), ("202", 202)]))
            .unwrap_or(defaults.success_status),
        consistency: match pushgateway.text("consistency_check", switch) {
            Some(false) => Consistency::Unchecked,
            _ => Consistency::Checked,
        },
        names: match pushgateway.text("utf8_names", switch) {
            Some(true) => NameScheme::Utf8,
            _ => NameScheme::Classic,
        },
        timestamps: match pushgateway.text("honor_timestamps", switch) {
            Some(true) => Timestamps::Kept,
            _ => Timestamps::Refused,
        },
        admin_api: pushgateway
            .text("admin_api", switch)
            .unwrap_or(defaults.admin_api),
        lifecycle: pushgateway
            .text("lifecycle", switch)
            .unwrap_or(defaults.lifecycle),
        max_body_bytes: pushgateway
            .text("max_body_bytes", body)
            .map_or(defaults.max_body_bytes, count),
        max_series: pushgateway
            .text("max_series", series)
            .map_or(defaults.max_series, count),
        receiver: defaults.receiver,
    };
    http.finish(&[]);
    pushgateway.finish(&[]);
    door
}

fn receiver(block: &Block<'_>) -> ReceiverConfig {
    let defaults = ReceiverConfig::default();
    let body = SIZE.within(
        (64 << 10, "since Prometheus sends some hundreds of KiB at once"),
        (1 << 30, "since a request is held in memory"),
    );
    let receiver = ReceiverConfig {
        enabled: block.text("enabled", switch).unwrap_or(defaults.enabled),
        order: match block.text("enforce_order", switch) {
            Some(true) => Order::Enforced,
            _ => Order::AsSent,
        },
        max_body_bytes: block
            .text("max_body_bytes", &body)
            .map_or(defaults.max_body_bytes, count),
        max_decompressed_bytes: block
            .text("max_decompressed_bytes", &body)
            .map_or(defaults.max_decompressed_bytes, count),
    };
    block.finish(&[]);
    receiver
}

fn retention(jobs: &Block<'_>) -> RetentionConfig {
    let defaults = RetentionConfig::default();
    let stale_after = DURATION.within(
        (SECOND, "or groups would end between two pushes"),
        (YEAR, "which is as good as never"),
    );
    let intervals = NUMBER.within(
        (2, "since one late push is no death"),
        (10_000, "which is as good as never"),
    );
    let history = DURATION.within(
        (Duration::ZERO, ""),
        (YEAR, "since retired groups are held in memory"),
    );
    let groups = NUMBER.within(
        (1, "or nothing can be pushed"),
        (10_000_000, "since groups are held in memory"),
    );
    let series = NUMBER.within(
        (1, "or nothing can be pushed"),
        (100_000_000, "since series are held in memory"),
    );
    let retention = RetentionConfig {
        stale_after: jobs
            .text("stale_after", stale_after)
            .unwrap_or(defaults.stale_after),
        stale_after_intervals: jobs
            .text("stale_after_intervals", intervals)
            .and_then(|number| u32::try_from(number).ok()),
        history: jobs.text("history", history).unwrap_or(defaults.history),
        max_groups: jobs.text("max_groups", groups).map_or(defaults.max_groups, count),
        max_series_per_group: jobs
            .text("max_series_per_group", series)
            .map_or(defaults.max_series_per_group, count),
    };
    jobs.finish(JOBS_NOT_YET);
    retention
}

fn queue(block: &Block<'_>) -> QueueConfig {
    let defaults = QueueConfig::default();
    let total = SIZE.within(
        (1 << 20, "room for some segments"),
        (1 << 50, "which no disk has"),
    );
    let age = DURATION.within(
        (SECOND, "or nothing survives a pause of the remote"),
        (YEAR, "which no store takes"),
    );
    let max_bytes = block.text("max_bytes", total).unwrap_or(defaults.max_bytes);
    let queue = QueueConfig {
        sync: sync(block).unwrap_or(defaults.sync),
        max_bytes,
        max_age: block.text("max_age", age).unwrap_or(defaults.max_age),
        when_full: block
            .text(
                "when_full",
                one_of(&[
                    ("drop_oldest", WhenFull::DropOldest),
                    ("refuse", WhenFull::Refuse),
                ]),
            )
            .unwrap_or(defaults.when_full),
        segment_bytes: segment(block, max_bytes),
    };
    block.finish(&[]);
    queue
}

/// As given, if two fit into the queue; else the default, or as much less as a small queue asks for.
fn segment(block: &Block<'_>, max_bytes: u64) -> u64 {
    let within = SIZE.within(
        (64 << 10, "or there are more files than data"),
        (4 << 30, "since space comes back only a whole segment at a time"),
    );
    let Some(given) = block.text("segment_bytes", within) else {
        return QueueConfig::default().segment_bytes.min(max_bytes / 8);
    };
    if max_bytes < given.saturating_mul(2) {
        let rule = "leaves no room for two segments, so that everything would be dropped at once";
        let (enough, given) = (spell_size(given.saturating_mul(2)), spell_size(given));
        let way_out = format!("write {enough} or more, or less than {given} as segment_bytes");
        block.reject("max_bytes", &spell_size(max_bytes), Fault::new(rule, way_out));
    }
    given
}

/// `always`, `never`, `{interval: 100ms}` or, as it is easily typed, `interval:100ms`.
fn sync(block: &Block<'_>) -> Option<SyncPolicy> {
    let interval = DURATION.within(
        (Duration::from_millis(1), "or write always"),
        (
            Duration::from_secs(60),
            "since a power cut loses as much; or write never",
        ),
    );
    let item = block.item("sync")?;
    if item.is_block() {
        let inner = item.block();
        let read = inner.text("interval", interval);
        if !inner.has("interval") {
            inner.miss("interval", "write it as sync: {interval: 100ms}");
        }
        inner.finish(&[]);
        return read.map(SyncPolicy::Interval);
    }
    item.text(|text| match text {
        "always" => Ok(SyncPolicy::Always),
        "never" => Ok(SyncPolicy::Never),
        text => match text.strip_prefix("interval:") {
            Some(span) => interval(span.trim()).map(SyncPolicy::Interval),
            None => Err(Fault::new(
                "is no way to sync",
                "write always, never or {interval: 100ms}",
            )),
        },
    })
}

fn log(block: &Block<'_>) -> LogConfig {
    let defaults = LogConfig::default();
    let log = LogConfig {
        level: block.text("level", one_of(LOG_LEVELS)).unwrap_or(defaults.level),
        format: block
            .text(
                "format",
                one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)]),
            )
            .unwrap_or(defaults.format),
    };
    block.finish(&[]);
    log
}

/// A number that is small enough for memory anyway.
pub(super) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
