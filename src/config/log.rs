//! What an operator can set of the log.

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people (the default).
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// The least important lines that are still written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Data lost, or somebody must act.
    Error,
    /// Surprising but whole.
    Warn,
    /// The life cycle (the default).
    #[default]
    Info,
    /// Each request.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name in the file and in `tracing`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The `log:` block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.level`. Default `info`; `debug` writes a line for each request.
    pub level: LogLevel,
    /// `log.format`. Default `text`.
    pub format: LogFormat,
}
