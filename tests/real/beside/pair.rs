//! The two servers, and how they are compared.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::get;
use super::request::{OPS, Request, Scenario};
use super::shown::Shown;
use crate::bridge::{Bridge, Settings};
use crate::http::Answer;
use crate::pushgateway::Pushgateway;
use crate::remote::Remote;

/// How both are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they come.
    Plain,
    /// With the admin API and the lifecycle API.
    Open,
    /// With names in UTF-8.
    Utf8,
    /// Without the check of consistency across groups.
    Unchecked,
    /// With users.
    Secured,
    /// With pushes answered by 202 here.
    Accepting,
    /// With groups that end soon here.
    Mortal,
}

/// The users of [`Mode::Secured`]: `ops`, whose password is `fakepassword`.
const WEB: &str = "basic_auth_users:\n  ops: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";

impl Mode {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Secured | Self::Accepting | Self::Mortal => &[],
            Self::Open => &["--web.enable-admin-api", "--web.enable-lifecycle"],
            Self::Utf8 => &["--push.enable-utf8-names"],
            Self::Unchecked => &["--push.disable-consistency-check"],
        }
    }

    fn block(self) -> &'static str {
        match self {
            Self::Plain | Self::Secured | Self::Mortal => "{}",
            Self::Open => "{admin_api: true, lifecycle: true}",
            Self::Utf8 => "{utf8_names: true}",
            Self::Unchecked => "{consistency_check: false}",
            Self::Accepting => "{success_status: 202}",
        }
    }

    fn web(self) -> Option<&'static str> {
        (self == Self::Secured).then_some(WEB)
    }
}

/// Whether what is shown may take a moment to follow what was answered: a Pushgateway only queues what it answers by 202.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It must be the same at once.
    None,
    /// It must become the same.
    Some,
}

const A_MOMENT: Duration = Duration::from_millis(800);

/// One of the two.
enum Server {
    Real(Pushgateway),
    Ours(Box<(Bridge, Remote)>),
}

impl Server {
    fn real(mode: Mode) -> Self {
        Self::Real(Pushgateway::start(mode.flags(), mode.web()))
    }

    fn ours(mode: Mode) -> Self {
        let remote = Remote::start();
        let bridge = Bridge::start(&Settings {
            pushgateway: mode.block(),
            web: mode.web(),
            stale_after: if mode == Mode::Mortal { "1s" } else { "10m" },
            ..Settings::forwarding_to(&remote.write_url())
        });
        Self::Ours(Box::new((bridge, remote)))
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Real(gateway) => gateway.address(),
            Self::Ours(both) => both.0.address(),
        }
    }
}

/// A Pushgateway, and what should be like it.
pub(crate) struct Pair {
    mode: Mode,
    theirs: Server,
    ours: Server,
    start_ours: fn(Mode) -> Server,
}

impl Pair {
    /// A Pushgateway and the bridge.
    #[track_caller]
    pub(crate) fn start(mode: Mode) -> Self {
        Self::of(mode, Server::ours)
    }

    /// Two Pushgateways: what differs between them is a mistake of the comparison.
    #[track_caller]
    pub(crate) fn twins(mode: Mode) -> Self {
        Self::of(mode, Server::real)
    }

    /// A Pushgateway as `mode` has it and one as it comes: what is found the same is not looked at.
    #[track_caller]
    pub(crate) fn strangers(mode: Mode) -> Self {
        Self::of(mode, |_| Server::real(Mode::Plain))
    }

    #[track_caller]
    fn of(mode: Mode, start_ours: fn(Mode) -> Server) -> Self {
        Self {
            mode,
            theirs: Server::real(mode),
            ours: start_ours(mode),
            start_ours,
        }
    }

    /// Whether the bridge is one of them.
    fn is_real_test(&self) -> bool {
        matches!(self.ours, Server::Ours(_))
    }

    /// Where the Pushgateway listens.
    pub(crate) fn theirs(&self) -> SocketAddr {
        self.theirs.address()
    }

    /// Where its counterpart listens.
    pub(crate) fn ours(&self) -> SocketAddr {
        self.ours.address()
    }

    /// Plays a scenario to both, begun with nothing stored; what is different without being meant to be, and what was
    /// meant to be different and is not.
    #[track_caller]
    pub(crate) fn play(&mut self, scenario: &Scenario) -> Vec<String> {
        self.clear();
        let mut found: Vec<String> = scenario
            .requests
            .iter()
            .filter_map(|request| self.ask(request))
            .collect();
        let queued = |request: &Request<'_>| request.method == "DELETE" || request.path.ends_with("/wipe");
        let patience = match scenario.requests.last() {
            Some(last) if self.mode == Mode::Unchecked || queued(last) => Patience::Some,
            _ => Patience::None,
        };
        let shown = self.shown_within(patience);
        match scenario.shown_differs.filter(|_| self.is_real_test()) {
            None => found.extend(shown),
            Some(why) if shown.is_empty() => found.push(format!("  both show the same in spite of {why:?}")),
            Some(_) => {}
        }
        if !found.is_empty() {
            found.insert(0, format!("{} [{:?}]", scenario.case, self.mode));
        }
        found
    }

    /// Sends a request to both; how their answers differ, if they should not.
    pub(crate) fn ask(&self, request: &Request<'_>) -> Option<String> {
        let (theirs, ours) = (answer(request, self.theirs()), answer(request, self.ours()));
        let expected = match request.differs {
            Some((_, there, here)) if self.is_real_test() => (there, here),
            // a twin does as the other, whatever the bridge would do
            Some((_, there, _)) => (there, there),
            None => (theirs.status, theirs.status),
        };
        if (theirs.status, ours.status) != expected {
            let refusal = if ours.is_success() { &theirs } else { &ours };
            return Some(format!(
                "  {}: {} there, {} here: {}",
                request.label(),
                theirs.status,
                ours.status,
                refusal.text().trim_end()
            ));
        }
        let differing =
            |name: &&&str| theirs.status == ours.status && theirs.header(name) != ours.header(name);
        request.compared.iter().find(differing).map(|name| {
            format!(
                "  {}: {name} is {:?} there, {:?} here",
                request.label(),
                theirs.header(name),
                ours.header(name)
            )
        })
    }

    /// How what they show differs, at once or in a moment.
    #[track_caller]
    pub(crate) fn shown_within(&self, patience: Patience) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let found = Shown::by(self.theirs()).differences(&Shown::by(self.ours()));
            if found.is_empty() || patience == Patience::None || begun.elapsed() > A_MOMENT {
                return found;
            }
        }
    }

    /// Deletes every group of both; where that does not help, starts again.
    #[track_caller]
    pub(crate) fn clear(&mut self) {
        for path in groups(self.theirs()).into_iter().chain(groups(self.ours())) {
            for address in [self.theirs(), self.ours()] {
                drop(Request::new("DELETE", &path, "").with(OPS).send(address));
            }
        }
        let begun = Instant::now();
        while begun.elapsed() < A_MOMENT {
            if groups(self.theirs()).is_empty() && groups(self.ours()).is_empty() {
                return;
            }
        }
        self.theirs = Server::real(self.mode);
        self.ours = (self.start_ours)(self.mode);
    }
}

/// The answer to a request; status 0 where the connection is closed without one, as Go does when a handler panics.
fn answer(request: &Request<'_>, to: SocketAddr) -> Answer {
    request.send(to).unwrap_or_else(|error| Answer {
        status: 0,
        headers: Vec::new(),
        body: error.to_string().into_bytes(),
    })
}

/// The paths of all groups that a gateway holds.
pub(crate) fn groups(gateway: SocketAddr) -> Vec<String> {
    let answer = get("/api/v1/metrics").with(OPS).send(gateway).expect("an answer");
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let groups = document["data"].as_array().cloned().unwrap_or_default();
    groups.iter().map(|group| path(&group["labels"])).collect()
}

/// A grouping path in which no value needs care.
fn path(labels: &Value) -> String {
    let encoded = |value: &Value| format!("{}=", URL_SAFE_NO_PAD.encode(value.as_str().unwrap_or_default()));
    let mut path = format!("/metrics/job@base64/{}", encoded(&labels["job"]));
    for (name, value) in labels.as_object().into_iter().flatten() {
        if name != "job" {
            path.push_str(&format!("/{}@base64/{}", escaped(name), encoded(value)));
        }
    }
    path
}

/// A label name as a path has it.
fn escaped(name: &str) -> String {
    let plain = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    if name.chars().all(plain) {
        return name.to_owned();
    }
    let mut escaped = "U__".to_owned();
    for letter in name.chars() {
        match letter {
            '_' => escaped.push_str("__"),
            letter if letter.is_ascii_alphanumeric() => escaped.push(letter),
            letter => escaped.push_str(&format!("_{:x}_", u32::from(letter))),
        }
    }
    escaped
}
