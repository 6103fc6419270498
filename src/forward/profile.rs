//! What the known providers take: limits on series and requests, and what a refusal of theirs means.
//!
//! Figures come from the providers' sources and documents; each has its origin and how far it can be trusted beside it
//! (`known.rs`). What would lose samples rests on a source or a document, never on hearsay (ADR 0013).

mod effect;
mod fit;
mod known;
mod limits;

pub(super) use effect::{Changed, Dropped, Effects};
pub(super) use fit::{Bounds, identity};
pub use limits::{Beyond, BeyondNames, Limits, Refusal, TextLimit};

/// A provider whose limits are known: `profile:` of a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Tencent Cloud Managed Service for Prometheus.
    TencentTmp,
    /// Alibaba Cloud ARMS, Managed Service for Prometheus.
    AliyunArms,
    /// Amazon Managed Service for Prometheus.
    AmazonAmp,
    /// Google Cloud Managed Service for Prometheus.
    GoogleGmp,
    /// Azure Monitor workspace.
    AzureMonitor,
    /// Grafana Cloud Metrics.
    GrafanaCloud,
    /// Grafana Mimir, and Cortex before it.
    Mimir,
    /// Huawei Cloud AOM.
    HuaweiAom,
    /// VictoriaMetrics in all its forms.
    VictoriaMetrics,
    /// Volcengine VMP.
    VolcengineVmp,
    /// Prometheus itself.
    Prometheus,
}

/// Ends of host names that belong to one provider alone.
const HOSTS: [(&str, Profile); 11] = [
    (".arms.aliyuncs.com", Profile::AliyunArms),
    (".amazonaws.com", Profile::AmazonAmp),
    (".amazonaws.com.cn", Profile::AmazonAmp),
    (".api.aws", Profile::AmazonAmp),
    ("monitoring.googleapis.com", Profile::GoogleGmp),
    (".metrics.ingest.monitor.azure.com", Profile::AzureMonitor),
    (".metrics.ingest.monitor.azure.cn", Profile::AzureMonitor),
    (".grafana.net", Profile::GrafanaCloud),
    (".myhuaweicloud.com", Profile::HuaweiAom),
    (".cloud.victoriametrics.com", Profile::VictoriaMetrics),
    (".volces.com", Profile::VolcengineVmp),
];

impl Profile {
    /// Every profile, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::TencentTmp,
        Self::AliyunArms,
        Self::AmazonAmp,
        Self::GoogleGmp,
        Self::AzureMonitor,
        Self::GrafanaCloud,
        Self::Mimir,
        Self::HuaweiAom,
        Self::VictoriaMetrics,
        Self::VolcengineVmp,
        Self::Prometheus,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TencentTmp => "tencent-tmp",
            Self::AliyunArms => "aliyun-arms",
            Self::AmazonAmp => "amazon-amp",
            Self::GoogleGmp => "google-gmp",
            Self::AzureMonitor => "azure-monitor",
            Self::GrafanaCloud => "grafana-cloud",
            Self::Mimir => "mimir",
            Self::HuaweiAom => "huawei-aom",
            Self::VictoriaMetrics => "victoriametrics",
            Self::VolcengineVmp => "volcengine-vmp",
            Self::Prometheus => "prometheus",
        }
    }

    /// The provider a host name plainly belongs to; `None` for addresses, names of one's own, and what several share.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let known = HOSTS.iter().find(|(end, _)| host.ends_with(end))?.1;
        let is_workspace = known != Self::AmazonAmp || host.starts_with("aps-workspaces");
        is_workspace.then_some(known)
    }

    /// What it takes, and what is done with more.
    #[must_use]
    pub fn limits(self) -> Limits {
        known::limits(self)
    }

    /// Whether it speaks HTTP/1.1 only: Alibaba's write and read addresses have no HTTP/2 \[B, doc-detail/332882\].
    #[must_use]
    pub const fn is_http1_only(self) -> bool {
        matches!(self, Self::AliyunArms)
    }

    /// Whether it takes remote-write 2.0 only: Google's write address does \[A, Google's prwproxy\].
    #[must_use]
    pub const fn takes_version_2_only(self) -> bool {
        matches!(self, Self::GoogleGmp)
    }

    /// Whether names that differ in case alone collide there: Azure's do \[A, title of its document\].
    #[must_use]
    pub const fn folds_case(self) -> bool {
        matches!(self, Self::AzureMonitor)
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
