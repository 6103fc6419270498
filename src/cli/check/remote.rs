//! What a remote is sent, and what looks like a slip in where it is and who we are there. The answer to such a slip is a
//! 4xx, upon which samples are lost as the specification wants, so it is worth a word before the first request.

use reqwest::Url;

use super::credentials;
use crate::codec::remote_write::Message;
use crate::forward::{Auth, Profile, RemoteConfig};

/// Ends of paths that are read from, or belong to another protocol.
const READ_FROM: [&str; 5] = ["/query", "/query_range", "/read", "/api/v1", "/v1/metrics"];

/// In which version samples go, and what goes along with them.
pub(super) fn content(remote: &RemoteConfig) -> String {
    let version = match remote.message {
        Message::V1 => "1.0",
        Message::V2 => "2.0 (1.0 if it does not understand that)",
    };
    let kinds = [
        ("metadata", remote.metadata.send),
        ("native histograms", remote.takes.native_histograms),
        ("exemplars", remote.takes.exemplars),
    ];
    let names = |is_sent: bool| {
        let some = kinds.iter().filter(|(_, sent)| *sent == is_sent);
        some.map(|(name, _)| *name).collect::<Vec<_>>().join(" and ")
    };
    let parts = [("with", names(true)), ("without", names(false))];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(word, names)| format!("{word} {names}")).collect();
    format!("; by remote-write {version} {}", parts.join(", "))
}

/// What is allowed but looks like an oversight: a key and a sentence.
pub(super) fn warnings(remote: &RemoteConfig) -> Vec<(&'static str, String)> {
    let to_tokens = credentials::warnings(&remote.auth).into_iter();
    let mut found: Vec<_> = to_tokens.map(|(key, text)| (key, text.to_owned())).collect();
    let Ok(url) = Url::parse(&remote.url) else {
        return found;
    };
    let host = url.host_str().unwrap_or_default();
    found.extend(path(&url));
    found.extend(stranger(remote, host));
    found.extend(region(remote, host));
    found.extend(version(remote, host));
    found
}

fn path(url: &Url) -> Option<(&'static str, String)> {
    let path = url.path().trim_end_matches('/');
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    if path.is_empty() {
        let text = "has no path: most stores take remote-write at one, as /api/v1/write or /api/v1/push";
        return Some(("url", text.to_owned()));
    }
    let end = READ_FROM.iter().find(|end| path.ends_with(**end))?;
    let text = format!(
        "ends in {end}, where no store that is known takes remote-write: write the address to push to"
    );
    Some(("url", text))
}

/// Who shows nothing, or what the provider does not look at. Headers of the operator's own may be a proof too.
fn stranger(remote: &RemoteConfig, host: &str) -> Option<(&'static str, String)> {
    let has_headers =
        !remote.headers.is_empty() || !remote.http_headers.is_empty() || remote.tls.client.is_some();
    let (ways, is_shown) = match Profile::of_host(host)? {
        Profile::AmazonAmp => ("sigv4", matches!(remote.auth, Auth::SigV4(_))),
        Profile::AzureMonitor => ("azuread", !matches!(remote.auth, Auth::None | Auth::Basic { .. })),
        Profile::GoogleGmp => (
            "google_iam",
            !matches!(remote.auth, Auth::None | Auth::Basic { .. }),
        ),
        Profile::GrafanaCloud | Profile::HuaweiAom | Profile::VolcengineVmp | Profile::VictoriaMetrics => {
            ("basic_auth or authorization", remote.auth != Auth::None)
        }
        _ => return None,
    };
    let owner = Profile::of_host(host)?;
    (!is_shown && !has_headers).then(|| {
        let text = format!("{owner} takes nothing from whom it does not know: add {ways}");
        ("url", text)
    })
}

/// Amazon's hosts name the region that signatures have to be for.
fn region(remote: &RemoteConfig, host: &str) -> Option<(&'static str, String)> {
    let (Auth::SigV4(config), Some(Profile::AmazonAmp)) = (&remote.auth, Profile::of_host(host)) else {
        return None;
    };
    let (of_host, of_config) = (host.split('.').nth(1)?, config.region.as_deref()?);
    (of_host != of_config && of_host.contains('-')).then(|| {
        let text = format!(
            "is {of_config}, but the host of url is in {of_host}: signatures for another region are refused"
        );
        ("sigv4.region", text)
    })
}

/// A store of 2.0 alone, which gets 1.0.
fn version(remote: &RemoteConfig, host: &str) -> Option<(&'static str, String)> {
    let owner = remote.profile.or_else(|| Profile::of_host(host))?;
    let is_lost = owner.takes_version_2_only() && remote.message == Message::V1;
    is_lost.then(|| {
        let text = format!("{owner} takes 2.0 only: write io.prometheus.write.v2.Request");
        ("protobuf_message", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::SigV4Config;

    const AMP: &str = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write";
    const GRAFANA: &str = "https://prometheus-prod-01-eu-west-0.grafana.net/api/prom/push";

    fn signed_for(region: Option<&str>) -> Auth {
        Auth::SigV4(Box::new(SigV4Config {
            region: region.map(str::to_owned),
            ..SigV4Config::default()
        }))
    }

    #[track_caller]
    fn warned(url: &str, auth: Auth, expected: &[(&str, &str)]) {
        let mut remote = RemoteConfig::new("r", url);
        remote.auth = auth;

        let said = warnings(&remote);

        let said: Vec<(&str, &str)> = said.iter().map(|(key, text)| (*key, text.as_str())).collect();
        assert_eq!(said, expected, "{url}");
    }

    #[test]
    fn a_url_that_is_no_address_to_push_to_is_warned_of() {
        warned(
            "http://vm:8428",
            Auth::None,
            &[(
                "url",
                "has no path: most stores take remote-write at one, as /api/v1/write or /api/v1/push",
            )],
        );
        for end in ["/query", "/query_range", "/read"] {
            let said = format!(
                "ends in {end}, where no store that is known takes remote-write: write the address to push to"
            );
            warned(
                &format!("http://vm:8428/api/v1{end}/"),
                Auth::None,
                &[("url", &said)],
            );
        }
        for path in [
            "/api/v1/write",
            "/api/v1/push",
            "/api/v1/receive",
            "/insert/0/prometheus",
        ] {
            warned(&format!("http://vm:8428{path}"), Auth::None, &[]);
        }
    }

    #[test]
    fn a_bridge_that_is_reached_by_stream_needs_no_path() {
        warned("grpc://bridge:9095", Auth::None, &[]);
    }

    #[test]
    fn a_provider_that_wants_to_know_who_sends_is_told_of() {
        warned(
            AMP,
            Auth::None,
            &[(
                "url",
                "amazon-amp takes nothing from whom it does not know: add sigv4",
            )],
        );
        warned(
            GRAFANA,
            Auth::None,
            &[(
                "url",
                "grafana-cloud takes nothing from whom it does not know: add basic_auth or authorization",
            )],
        );
        warned("http://mimir:9009/api/v1/push", Auth::None, &[]);
    }

    #[test]
    fn a_region_that_is_not_the_host_s_is_warned_of() {
        warned(AMP, signed_for(Some("eu-west-1")), &[]);
        warned(AMP, signed_for(None), &[]);
        warned(
            AMP,
            signed_for(Some("us-east-1")),
            &[(
                "sigv4.region",
                "is us-east-1, but the host of url is in eu-west-1: signatures for another region are refused",
            )],
        );
    }

    #[test]
    fn a_store_of_version_2_alone_that_gets_version_1_is_warned_of() {
        let mut remote = RemoteConfig::new("r", "http://h/write").with_profile(Some(Profile::GoogleGmp));
        assert_eq!(warnings(&remote), []);

        remote.message = Message::V1;

        let said = "google-gmp takes 2.0 only: write io.prometheus.write.v2.Request";
        assert_eq!(warnings(&remote), [("protobuf_message", said.to_owned())]);
    }

    #[test]
    fn what_a_remote_is_sent_is_told() {
        let mut remote = RemoteConfig::new("r", "http://h/write");
        remote.message = Message::V2;
        remote.takes.native_histograms = true;
        remote.takes.exemplars = true;

        assert_eq!(
            content(&remote),
            "; by remote-write 2.0 (1.0 if it does not understand that) with metadata and native histograms and exemplars"
        );
        remote.message = Message::V1;
        remote.metadata.send = false;
        remote.takes.native_histograms = false;
        assert_eq!(
            content(&remote),
            "; by remote-write 1.0 with exemplars, without metadata and native histograms"
        );
    }
}
