use std::path::Path;

use super::{describe, warnings};
use crate::config::Config;
use crate::forward::RemoteConfig;

fn remote(yaml: &str) -> RemoteConfig {
    let yaml = format!("remote_write: [{{name: r, url: 'https://{yaml}}}]");
    let mut config = Config::from_yaml(&yaml, Path::new("/nowhere"), &|_| None).unwrap();
    config.remotes.remove(0)
}

#[test]
fn a_remote_without_limits_has_nothing_to_say() {
    assert!(describe(&remote("h/'")).is_empty());
}

#[test]
fn each_limit_is_said_with_its_origin_and_what_is_done_beyond_it() {
    let said = describe(&remote(
        "h/', profile: tencent-tmp, limits: {max_labels: 40, label_value: {max_bytes: 256, beyond: drop_label}}",
    ));

    assert_eq!(
        said,
        [
            "  r has limits of profile tencent-tmp and its own:",
            "    up to 40 labels a series; of more task_attempt_id, task_id, operator_id go first, and a series that still \
             has more is dropped [override]",
            "    up to 1024 bytes a metric's name; the series of a longer one is dropped [profile]",
            "    up to 1024 bytes a label's name; a longer one ends in a hash [profile]",
            "    up to 256 bytes a label's value; the label of a longer one is dropped [override]",
            "    names of letters, digits and _; others are spelled with U__ and escapes [profile]",
            "    a 400 refuses a whole request, which is taken apart until the offender is alone [profile]",
        ]
    );
}

#[test]
fn limits_on_requests_and_times_are_said_too() {
    let said = describe(&remote(
        "h/', profile: aliyun-arms, limits: {max_age: 1h, max_series_per_send: 500, refusal: partial}",
    ));

    for line in [
        "    up to 800000B a request before compression; more make several requests [profile]",
        "    up to 500 series a request; more make several requests [override]",
        "    samples up to 1h old; older ones are dropped [override]",
        "    a 400 refuses some series, the others are stored and nothing is sent again [override]",
    ] {
        assert!(said.iter().any(|said| said == line), "{said:#?}");
    }
}

#[track_caller]
fn warned(yaml: &str, expected: &[(&str, &str)]) {
    let said = warnings(&remote(yaml));
    let said: Vec<(&str, &str)> = said.iter().map(|(key, text)| (*key, text.as_str())).collect();

    assert_eq!(said, expected, "{yaml}");
}

#[test]
fn a_host_of_another_provider_is_warned_of() {
    warned("h/', profile: mimir", &[]);
    warned("10.0.0.5:9090/api/v1/prom/write', profile: tencent-tmp", &[]);
    warned(
        "cn-hangzhou.arms.aliyuncs.com/w'",
        &[(
            "url",
            "the host is one of aliyun-arms: write profile: aliyun-arms, and its limits are kept to",
        )],
    );
    warned(
        "p.grafana.net/api/prom/push', profile: amazon-amp",
        &[(
            "profile",
            "is amazon-amp, but the host of url is one of grafana-cloud",
        )],
    );
}

#[test]
fn what_does_not_go_with_the_profile_is_warned_of() {
    warned(
        "h/', profile: aliyun-arms, enable_http2: true",
        &[("enable_http2", "aliyun-arms speaks HTTP/1.1 only: take it out")],
    );
    warned(
        "h/', profile: azure-monitor",
        &[(
            "profile",
            "azure-monitor takes names that differ in case alone for one: keep them apart by more",
        )],
    );
}
