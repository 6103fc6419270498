use super::{Beyond, Limits, Profile, Refusal};

#[test]
fn each_profile_is_known_by_its_name() {
    let names: std::collections::BTreeSet<&str> =
        Profile::ALL.iter().map(|profile| profile.as_str()).collect();

    assert_eq!(names.len(), 11);
    assert!(names.contains("tencent-tmp") && names.contains("victoriametrics"));
}

#[track_caller]
fn check(host: &str, expected: Option<Profile>) {
    assert_eq!(Profile::of_host(host), expected, "{host}");
}

#[test]
fn hosts_tell_the_provider_where_they_are_its_own() {
    check("cn-hangzhou.arms.aliyuncs.com", Some(Profile::AliyunArms));
    check(
        "cn-hangzhou-intranet.arms.aliyuncs.com",
        Some(Profile::AliyunArms),
    );
    check("aps-workspaces.eu-west-1.amazonaws.com", Some(Profile::AmazonAmp));
    check("aps-workspaces-fips.us-east-1.api.aws", Some(Profile::AmazonAmp));
    check("monitoring.googleapis.com.", Some(Profile::GoogleGmp));
    check(
        "a-b.westeurope-1.metrics.ingest.monitor.azure.com",
        Some(Profile::AzureMonitor),
    );
    check("Prometheus-prod-01.Grafana.net", Some(Profile::GrafanaCloud));
    check(
        "aom-internal-access.cn-north-4.myhuaweicloud.com",
        Some(Profile::HuaweiAom),
    );
    check("x.cloud.victoriametrics.com", Some(Profile::VictoriaMetrics));
    check(
        "write.prometheus-cn-beijing.volces.com",
        Some(Profile::VolcengineVmp),
    );
    check("ec2-1-2-3-4.eu-west-1.compute.amazonaws.com", None);
    check("10.0.0.5", None);
    check("arms.aliyuncs.com.example.org", None);
}

/// Section 3.7, 1; sections 3.3 to 3.6.
#[test]
fn figures_are_those_of_the_documents() {
    let tencent = Profile::TencentTmp.limits();
    let arms = Profile::AliyunArms.limits();
    let google = Profile::GoogleGmp.limits();
    let mimir = Profile::Mimir.limits();

    assert_eq!(
        (tencent.max_labels, tencent.label_value.max_bytes),
        (Some(32), Some(2048))
    );
    assert_eq!(arms.label_value.max_bytes, Some(256));
    assert!(arms.max_raw_bytes.is_some_and(|most| most < 1_000_000));
    assert!(Profile::AliyunArms.is_http1_only());
    assert_eq!(google.max_series, Some(200));
    assert!(Profile::GoogleGmp.takes_version_2_only());
    assert_eq!((mimir.max_labels, mimir.refusal), (Some(30), Refusal::Partial));
    assert!(Profile::AzureMonitor.folds_case());
}

#[test]
fn no_profile_is_no_limit_and_takes_a_400_for_all_of_the_request() {
    let limits = Limits::none();

    assert_eq!(
        (limits.max_labels, limits.max_series, limits.max_raw_bytes),
        (None, None, None)
    );
    assert_eq!(limits.label_value.max_bytes, None);
    assert_eq!(limits.label_value.beyond, Beyond::Truncate);
    assert_eq!(
        limits.drop_labels_first,
        ["task_attempt_id", "task_id", "operator_id"]
    );
    assert_eq!(limits.refusal, Refusal::Whole);
}
