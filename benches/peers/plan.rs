//! What the command line asks for.

use std::path::PathBuf;
use std::str::FromStr;

use crate::subject::Kind;

const USAGE: &str =
    "usage: cargo bench --bench peers -- [--vmagent <binary>] [--prometheus <binary>] [--bridge <binary>]
    [--samples <n>] [--connections <n>] [--sources <n>] [--rounds <n>]
a peer whose binary is not given is left out";

/// Longest run, so that a wrong number does no harm.
const MAX_SAMPLES: u64 = 50_000_000;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) samples: u64,
    pub(crate) connections: usize,
    pub(crate) sources: usize,
    pub(crate) rounds: usize,
    pub(crate) bridge: PathBuf,
    pub(crate) vmagent: Option<PathBuf>,
    pub(crate) prometheus: Option<PathBuf>,
}

impl Plan {
    /// Reads a command line, or says how one is written.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self {
            samples: 2_000_000,
            connections: 4,
            sources: 32,
            rounds: 3,
            bridge: PathBuf::from(env!("CARGO_BIN_EXE_flinkbridge")),
            vmagent: None,
            prometheus: None,
        };
        let mut words = arguments.iter();
        while let Some(option) = words.next() {
            words
                .next()
                .and_then(|value| plan.set(option, value))
                .ok_or_else(|| USAGE.to_owned())?;
        }
        plan.samples = plan.samples.min(MAX_SAMPLES);
        plan.connections = plan.connections.min(plan.sources);
        Ok(plan)
    }

    /// Whom to measure.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let all = [
            (Kind::Vmagent, self.vmagent.is_some()),
            (Kind::VmagentStrict, self.vmagent.is_some()),
            (Kind::PrometheusAgent, self.prometheus.is_some()),
            (Kind::Flinkbridge, true),
        ];
        all.into_iter()
            .filter_map(|(kind, is_here)| is_here.then_some(kind))
    }

    fn set(&mut self, option: &str, value: &str) -> Option<()> {
        match option {
            "--samples" => self.samples = positive(value)?,
            "--connections" => self.connections = positive(value)?,
            "--sources" => self.sources = positive(value)?,
            "--rounds" => self.rounds = positive(value)?,
            "--bridge" => self.bridge = PathBuf::from(value),
            "--vmagent" => self.vmagent = Some(PathBuf::from(value)),
            "--prometheus" => self.prometheus = Some(PathBuf::from(value)),
            _ => return None,
        }
        Some(())
    }
}

fn positive<N: FromStr + PartialOrd + Default>(value: &str) -> Option<N> {
    value.parse().ok().filter(|number| *number > N::default())
}
