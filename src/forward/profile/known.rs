//! The figures. \[A\]: read in a source; \[B\]: in the provider's document; \[C\]: said by others.

use std::time::Duration;

use super::{Beyond, Limits, Profile, Refusal, TextLimit};
use crate::model::NameScheme;

/// How far ahead Mimir (distributor) takes samples \[A\].
const TEN_MINUTES: Duration = Duration::from_secs(600);

pub(super) fn limits(profile: Profile) -> Limits {
    match profile {
        Profile::TencentTmp => tencent(),
        Profile::AliyunArms => arms(),
        Profile::AmazonAmp => amp(),
        Profile::GoogleGmp => gmp(),
        Profile::GrafanaCloud | Profile::Mimir => mimir(),
        Profile::VictoriaMetrics => victoriametrics(),
        // Azure: limits on rates and on active series only [B]. VMP and AOM: none found. Prometheus: none on labels; a
        // 1.0 request with a sample out of order, too old or more than ten minutes ahead is rolled back [A:
        // storage/remote/write_handler.go]. To look at the times of all samples before sending would cost more than to
        // search for one that a broken clock has put ahead.
        Profile::AzureMonitor | Profile::HuaweiAom | Profile::VolcengineVmp | Profile::Prometheus => {
            Limits::none()
        }
    }
}

/// 32 labels, names of 1,024 and values of 2,048 characters, classic names \[B: cloud.tencent.com 1416/73370\]. How a 400
/// is meant is not documented.
fn tencent() -> Limits {
    Limits {
        max_labels: Some(32),
        metric_name: TextLimit::of(1024, Beyond::DropSeries),
        label_name: TextLimit::of(1024, Beyond::Truncate),
        label_value: TextLimit::of(2048, Beyond::Truncate),
        names: NameScheme::Classic,
        ..Limits::none()
    }
}

/// 256 labels, names and values of 256 characters (a longer value becomes `MAX_TAG_VALUE_LIMITED`, so that series run
/// into one), 1 MB a request, the excess thrown away in silence \[B: service-quotas-legacy\]. Which side of the
/// compression the 1 MB means is not said, so 800 kB before it.
fn arms() -> Limits {
    Limits {
        max_labels: Some(256),
        metric_name: TextLimit::of(256, Beyond::DropSeries),
        label_name: TextLimit::of(256, Beyond::Truncate),
        label_value: TextLimit::of(256, Beyond::Truncate),
        max_raw_bytes: Some(800_000),
        ..Limits::none()
    }
}

/// 70 labels \[B: AMP_quotas; may be raised on request\]. It grew out of Cortex: a 400 names the first bad sample, the
/// others are stored \[B\]. Lengths are hearsay \[C\], so they are left to it.
fn amp() -> Limits {
    Limits {
        max_labels: Some(70),
        refusal: Refusal::Partial,
        ..Limits::none()
    }
}

/// 200 series a request \[A: prwproxy; B: monitoring/quotas\], label names of 100 and values of 1,024 characters \[B:
/// monitoring/quotas, for custom metrics\].
fn gmp() -> Limits {
    Limits {
        max_series: Some(200),
        label_name: TextLimit::of(100, Beyond::Truncate),
        label_value: TextLimit::of(1024, Beyond::Truncate),
        ..Limits::none()
    }
}

/// 30 labels, names of 1,024 and values of 2,048 bytes, ten minutes ahead; who is over is refused alone, and 400 tells
/// of it \[A: Mimir's validation and distributor, defaults\]. Grafana Cloud has the same \[B\].
fn mimir() -> Limits {
    Limits {
        max_labels: Some(30),
        metric_name: TextLimit::of(1024, Beyond::DropSeries),
        label_name: TextLimit::of(1024, Beyond::Truncate),
        label_value: TextLimit::of(2048, Beyond::Truncate),
        max_ahead: Some(TEN_MINUTES),
        refusal: Refusal::Partial,
        ..Limits::none()
    }
}

/// It passes over a series beyond its limits without a word and answers 204; its 400 is about a body that it cannot
/// read. 40 labels, label names of 256 and values of 4,096 bytes, the metric's name being a value; 32 MiB a request \[A:
/// app/vminsert, lib/protoparser\].
fn victoriametrics() -> Limits {
    Limits {
        max_labels: Some(40),
        metric_name: TextLimit::of(4096, Beyond::DropSeries),
        label_name: TextLimit::of(256, Beyond::Truncate),
        label_value: TextLimit::of(4096, Beyond::Truncate),
        max_raw_bytes: Some(32 << 20),
        ..Limits::none()
    }
}
