use std::time::Duration;

use super::{good, read, said};
use crate::codec::remote_write::Message;
use crate::forward::{Beyond, BeyondNames, Limits, Profile, Refusal, RemoteConfig, TextLimit};
use crate::model::NameScheme;

fn remote(keys: &str) -> RemoteConfig {
    let mut config = good(&format!("remote_write: [{{url: 'http://h/', {keys}}}]"));
    config.remotes.remove(0)
}

#[track_caller]
fn mistake(keys: &str, expected: &str) {
    let said = said(&read(&format!("remote_write: [{{url: 'http://h/', {keys}}}]")).unwrap_err());

    assert!(said.len() == 1 && said[0].contains(expected), "{said:#?}");
}

#[test]
fn without_a_profile_nothing_is_limited() {
    let remote = remote("name: a");

    assert_eq!((remote.profile, remote.limits), (None, Limits::none()));
}

#[test]
fn every_profile_brings_its_limits() {
    for profile in Profile::ALL {
        let remote = remote(&format!("profile: {profile}"));

        assert_eq!((remote.profile, remote.limits), (Some(profile), profile.limits()));
    }
}

#[test]
fn a_profile_brings_the_message_that_its_provider_takes_unless_another_is_set() {
    let google = remote("profile: google-gmp");
    let set = remote("profile: google-gmp, protobuf_message: prometheus.WriteRequest");

    assert_eq!((google.message, set.message), (Message::V2, Message::V1));
}

#[test]
fn what_is_set_stands_over_the_profile_and_0_is_no_limit() {
    let remote = remote(
        "profile: tencent-tmp, limits: {max_labels: 0, drop_labels_first: [a], label_value: {max_bytes: 256}, \
         label_name: {beyond: drop_label}, max_ahead: 5m}",
    );

    let expected = Limits {
        max_labels: None,
        drop_labels_first: vec!["a".to_owned()],
        label_value: TextLimit::of(256, Beyond::Truncate),
        label_name: TextLimit::of(1024, Beyond::DropLabel),
        max_ahead: Some(Duration::from_secs(300)),
        ..Profile::TencentTmp.limits()
    };
    assert_eq!(remote.limits, expected);
}

#[test]
fn every_limit_can_be_set_without_a_profile() {
    let remote = remote(
        "limits: {max_labels: 40, drop_labels_first: [], metric_name: {max_bytes: 200, beyond: truncate}, \
         label_name: {max_bytes: 100, beyond: drop_series}, label_value: {max_bytes: 64, beyond: leave}, \
         names: classic, beyond_names: drop_series, max_series_per_send: 200, max_bytes_per_send: 800KiB, max_age: 1h, \
         max_ahead: 10m, refusal: partial}",
    );

    let expected = Limits {
        max_labels: Some(40),
        drop_labels_first: Vec::new(),
        metric_name: TextLimit::of(200, Beyond::Truncate),
        label_name: TextLimit::of(100, Beyond::DropSeries),
        label_value: TextLimit::of(64, Beyond::Leave),
        names: NameScheme::Classic,
        beyond_names: BeyondNames::DropSeries,
        max_series: Some(200),
        max_raw_bytes: Some(800 << 10),
        max_age: Some(Duration::from_secs(3600)),
        max_ahead: Some(Duration::from_secs(600)),
        refusal: Refusal::Partial,
    };
    assert_eq!(remote.limits, expected);
}

#[test]
fn mistakes_in_profile_and_limits_are_told() {
    mistake(
        "profile: tencent",
        "is no profile: write one of tencent-tmp, aliyun-arms,",
    );
    mistake("limits: {max_labels: 2}", "is too little: write 4 or more");
    mistake(
        "limits: {label_value: {max_bytes: 16}}",
        "is too little: write 32 or more",
    );
    mistake(
        "limits: {label_value: {beyond: cut}}",
        "write truncate, drop_label, drop_series or leave",
    );
    mistake(
        "limits: {metric_name: {beyond: drop_label}}",
        "write truncate, drop_series or leave",
    );
    mistake("limits: {refusal: none}", "write whole or partial");
    mistake("limits: {max_lables: 30}", "did you mean max_labels?");
}
