//! Where log lines go and which are written; the level can change while running.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt, reload};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Changes the level of what is logged.
#[derive(Clone, Debug)]
pub(super) struct Level(reload::Handle<Targets, Registry>);

/// Begins to log to standard error.
pub(super) fn begin(config: LogConfig) -> Level {
    let (filter, handle) = reload::Layer::new(filter_of(config.level));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // fails only when something else logs already, as in tests
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Level(handle)
}

impl Level {
    /// Takes up another level.
    pub(super) fn set(&self, level: LogLevel) {
        // fails only when nothing logs any more
        let _ = self.0.reload(filter_of(level));
    }
}

/// What is logged at `level`. Of HTTP/2 every frame would be a line below INFO, so those are left to the lowest level.
fn filter_of(level: LogLevel) -> Targets {
    let lines = Targets::new().with_default(filter(level));
    match level {
        LogLevel::Debug => lines.with_target("h2", LevelFilter::INFO),
        LogLevel::Error | LogLevel::Warn | LogLevel::Info | LogLevel::Trace => lines,
    }
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
