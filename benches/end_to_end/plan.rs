//! What the command line asks for.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const USAGE: &str =
    "usage: cargo bench --bench end_to_end -- closed | paced | idle | stored | accept --pushgateway <binary>
    [--samples <n>] [--connections <n>] [--groups <n>] [--series <n>] [--every-ms <n>] [--seconds <n>]
    [--sync always|never] [--pushgateway <binary>] [--bridge <binary>]";

/// Longest run, so that a wrong number does no harm.
const MAX_LASTING: Duration = Duration::from_secs(600);
const MAX_SAMPLES: usize = 50_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Closed,
    Paced,
    Idle,
    Stored,
    Accept,
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    pub(crate) samples: usize,
    pub(crate) connections: usize,
    pub(crate) groups: usize,
    pub(crate) series: usize,
    pub(crate) period: Duration,
    pub(crate) lasting: Duration,
    pub(crate) sync: String,
    pub(crate) bridge: PathBuf,
    pub(crate) pushgateway: Option<PathBuf>,
}

impl Plan {
    /// Reads a command line, or says how one is written.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, String> {
        let usage = || USAGE.to_owned();
        let (mode, options) = arguments.split_first().ok_or_else(usage)?;
        let mode = match mode.as_str() {
            "closed" => Mode::Closed,
            "paced" => Mode::Paced,
            "idle" => Mode::Idle,
            "stored" => Mode::Stored,
            "accept" => Mode::Accept,
            _ => return Err(usage()),
        };
        let mut plan = Self::usual(mode);
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let value = options.next().ok_or_else(usage)?;
            plan.set(option, value).ok_or_else(usage)?;
        }
        plan.samples = plan.samples.min(MAX_SAMPLES);
        plan.lasting = plan.lasting.min(MAX_LASTING);
        let has_target = mode == Mode::Stored || (mode == Mode::Accept) == plan.pushgateway.is_some();
        has_target.then_some(plan).ok_or_else(usage)
    }

    fn usual(mode: Mode) -> Self {
        Self {
            mode,
            samples: 2_000_000,
            connections: 8,
            groups: match mode {
                Mode::Paced => 500,
                Mode::Stored => 1_000,
                _ => 64,
            },
            series: 1_000,
            period: Duration::from_secs(30),
            lasting: Duration::from_secs(60),
            sync: "always".to_owned(),
            bridge: PathBuf::from(env!("CARGO_BIN_EXE_flinkbridge")),
            pushgateway: None,
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Option<()> {
        match option {
            "--samples" => self.samples = positive(value)?,
            "--connections" => self.connections = positive(value)?,
            "--groups" => self.groups = positive(value)?,
            "--series" => self.series = positive(value)?,
            "--every-ms" => self.period = Duration::from_millis(u64::from_str(value).ok()?),
            "--seconds" => self.lasting = Duration::from_secs(u64::from_str(value).ok()?),
            "--sync" => self.sync = value.to_owned(),
            "--bridge" => self.bridge = PathBuf::from(value),
            "--pushgateway" => self.pushgateway = Some(PathBuf::from(value)),
            _ => return None,
        }
        Some(())
    }
}

fn positive(value: &str) -> Option<usize> {
    usize::from_str(value).ok().filter(|number| *number > 0)
}
