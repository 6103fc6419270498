//! What an operator can set of the doors.

use std::path::PathBuf;

use super::auth::Rights;
use crate::intake::{Consistency, Order, Timestamps};
use crate::model::NameScheme;

/// The `http:` and `pushgateway:` blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorConfig {
    /// `http.listen`: address and port; port 0 lets the system choose, and the choice is logged.
    pub listen: String,
    /// `http.path_prefixes`: what may stand before every path, as in a Flink `hostUrl` with a token.
    pub path_prefixes: Vec<String>,
    /// `http.max_connections`: connections served at once. Default 20,000: a fleet of pushers, within a raised `nofile`.
    pub max_connections: usize,
    /// `http.web_config_file`: TLS and users, in Prometheus' own format; `None` opens the door to everybody.
    pub web_config_file: Option<PathBuf>,
    /// `http.rights`: what each user of the web configuration file may do; `None` lets each do everything.
    pub rights: Option<Rights>,
    /// `http.public_probes`: whether `/-/healthy` and `/-/ready` answer strangers too. Default false, as at Pushgateway.
    pub public_probes: bool,
    /// `pushgateway.success_status`: 200, or 202 for clients that accept nothing else. Default 200.
    pub success_status: u16,
    /// `pushgateway.consistency_check`: whether a push has to agree with what others have pushed. Default true; without
    /// it pushes are answered 202, also those that turn out to be wrong, as at Pushgateway.
    pub consistency: Consistency,
    /// `pushgateway.utf8_names`: whether names of metrics and labels may be any text, as at Pushgateway with
    /// `--push.enable-utf8-names`. Default false.
    pub names: NameScheme,
    /// `pushgateway.honor_timestamps`: whether a sample may bring its own time. Default false, as at Pushgateway.
    pub timestamps: Timestamps,
    /// `pushgateway.admin_api`: whether there is `/api/v1/admin/wipe`, which ends every group. Default false.
    pub admin_api: bool,
    /// `pushgateway.lifecycle`: whether `/-/quit` ends the program. Default false.
    pub lifecycle: bool,
    /// `pushgateway.max_body_bytes`: longest body, as sent and as decompressed. Default 64 MiB: a hundred times the
    /// largest push seen of Flink.
    pub max_body_bytes: usize,
    /// `pushgateway.max_series`: most series of one push. Default 200,000.
    pub max_series: usize,
    /// `remote_write_receiver:`.
    pub receiver: ReceiverConfig,
}

/// The `remote_write_receiver:` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// `remote_write_receiver.enabled`: whether remote-write is taken. Default true.
    pub enabled: bool,
    /// `remote_write_receiver.enforce_order`: whether samples that are not later than the last of their series are refused
    /// here. Default false: they are passed on as they came, and the remote decides.
    pub order: Order,
    /// `remote_write_receiver.max_body_bytes`: longest body as sent. Default 32 MiB, as VictoriaMetrics.
    pub max_body_bytes: usize,
    /// `remote_write_receiver.max_decompressed_bytes`: longest body decompressed. Default 128 MiB: a hundred times what
    /// Prometheus sends at once.
    pub max_decompressed_bytes: usize,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            order: Order::AsSent,
            max_body_bytes: 32 << 20,
            max_decompressed_bytes: 128 << 20,
        }
    }
}

impl DoorConfig {
    /// The status of a push that was taken.
    #[must_use]
    pub const fn taken_status(&self) -> u16 {
        match self.consistency {
            Consistency::Checked => self.success_status,
            Consistency::Unchecked => 202,
        }
    }
}

impl Default for DoorConfig {
    fn default() -> Self {
        Self {
            listen: "0.0.0.0:9091".to_owned(),
            path_prefixes: Vec::new(),
            max_connections: 20_000,
            web_config_file: None,
            rights: None,
            public_probes: false,
            success_status: 200,
            consistency: Consistency::Checked,
            names: NameScheme::Classic,
            timestamps: Timestamps::Refused,
            admin_api: false,
            lifecycle: false,
            max_body_bytes: 64 << 20,
            max_series: 200_000,
            receiver: ReceiverConfig::default(),
        }
    }
}
