//! The same requests to a real Pushgateway and to the bridge get the same statuses, and then both show the same.
//!
//! The comparison itself is proved first: between two Pushgateways it finds nothing, between two that are set otherwise
//! it does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::beside::{Deliberate, Mode, Pair, Patience, chapters, get, groups, put};
use crate::capture::{self, Captured};
use crate::exposition;
use crate::http::Connection;
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// Differences that no scenario could show.
const IN_TESTS_OF_THEIR_OWN: [Deliberate; 2] = [Deliberate::GroupsEnd, Deliberate::OpenMetricsShown];

#[test]
fn two_pushgateways_show_no_difference() {
    let mut found = Vec::new();
    for chapter in chapters() {
        let mut twins = Pair::twins(chapter.mode);
        found.extend(chapter.scenarios.iter().flat_map(|scenario| twins.play(scenario)));
    }

    none(&found);
}

#[test]
fn a_pushgateway_that_is_set_otherwise_shows_differences() {
    for mode in [Mode::Open, Mode::Utf8, Mode::Unchecked, Mode::Secured] {
        let mut strangers = Pair::strangers(mode);
        let chapter = chapters().iter().find(|chapter| chapter.mode == mode).unwrap();

        let found = chapter.scenarios.iter().map(|scenario| strangers.play(scenario));

        assert!(
            found.into_iter().any(|found| !found.is_empty()),
            "nothing found between a Pushgateway in {mode:?} and another"
        );
    }
}

#[test]
fn paths_name_the_same_groups() {
    plays("paths");
}

#[test]
fn bodies_mean_the_same() {
    plays("bodies");
}

#[test]
fn text_is_read_to_the_letter() {
    plays("syntax");
}

#[test]
fn packed_bodies_are_unpacked_alike() {
    plays("encodings");
}

#[test]
fn the_same_is_stored_and_deleted() {
    plays("storing");
}

#[test]
fn the_same_does_not_fit_together() {
    plays("consistency");
}

#[test]
fn protobuf_and_histograms_mean_the_same() {
    plays("histograms");
}

#[test]
fn what_only_protobuf_can_say_means_the_same() {
    plays("only in protobuf");
}

#[test]
fn what_is_not_switched_on_is_refused_alike() {
    plays("closed doors");
}

#[test]
fn wiping_and_quitting_are_alike() {
    plays("open doors");
}

#[test]
fn passwords_are_asked_for_alike() {
    plays("guarded doors");
}

#[test]
fn names_in_utf8_are_the_same() {
    plays("names in UTF-8");
}

#[test]
fn pushes_are_taken_with_202_where_that_is_wanted() {
    plays("taken with 202");
}

#[test]
fn groups_end_here_and_stay_there() {
    let pair = Pair::start(Mode::Mortal);
    for path in ["/metrics/job/dead", "/metrics/job/ghost"] {
        let body = if path.ends_with("ghost") {
            "a 1 1000\n"
        } else {
            "a 1\n"
        };
        assert_eq!(pair.ask(&put(path, body)), None);
    }
    assert_eq!(pair.ask(&get("/api/v1/metrics")), None);

    wait::until("end of both groups", SOON, || match groups(pair.ours()) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    });

    assert_eq!(groups(pair.theirs()).len(), 2);
}

#[test]
fn openmetrics_is_shown_here_to_whoever_prefers_it() {
    let pair = Pair::start(Mode::Plain);
    assert_eq!(pair.ask(&put("/metrics/job/j", "# TYPE a gauge\na 1\n")), None);

    let prefers = get("/metrics")
        .accepting("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
    let (theirs, ours) = (
        prefers.send(pair.theirs()).unwrap(),
        prefers.send(pair.ours()).unwrap(),
    );

    let kinds = [&theirs, &ours].map(|answer| answer.header("content-type").unwrap_or_default().to_owned());
    assert!(kinds[0].starts_with("text/plain"), "{}", kinds[0]);
    assert!(
        kinds[1].starts_with("application/openmetrics-text"),
        "{}",
        kinds[1]
    );
    assert!(ours.text().ends_with("# EOF\n"), "{}", ours.text());
}

#[test]
fn captures_of_flink_are_taken_and_shown_alike() {
    let mut found = Vec::new();
    for scenario in capture::scenarios() {
        let pair = Pair::start(Mode::Plain);
        let requests = capture::requests(&scenario);
        let last_put = requests
            .iter()
            .rposition(|request| request.method() == "PUT")
            .expect("a PUT");
        for request in &requests[..=last_put] {
            let [theirs, ours] = [pair.theirs(), pair.ours()].map(|to| replay(to, &request.bytes));
            if theirs != ours {
                found.push(format!(
                    "{} {}: {theirs} there, {ours} here",
                    request.file,
                    request.path()
                ));
            }
        }
        let is_shared = shares_a_group(&requests);
        let shown = pair.shown_within(Patience::None);
        found.extend(
            shown
                .into_iter()
                .filter(|line| !is_shared || line.starts_with("  there only")),
        );
    }

    none(&found);
}

#[test]
fn unchecked_pushes_are_taken_alike() {
    plays("unchecked");
    plays("unchecked protobuf");
}

#[test]
fn every_deliberate_difference_is_looked_at() {
    let named = |why: &Deliberate| {
        chapters()
            .iter()
            .flat_map(|chapter| chapter.scenarios)
            .any(|scenario| {
                scenario.shown_differs == Some(*why)
                    || scenario
                        .requests
                        .iter()
                        .any(|request| request.differs.is_some_and(|(named, ..)| named == *why))
            })
    };

    let forgotten: Vec<Deliberate> = Deliberate::ALL
        .into_iter()
        .filter(|why| !named(why) && !IN_TESTS_OF_THEIR_OWN.contains(why))
        .collect();

    assert!(forgotten.is_empty(), "no scenario shows {forgotten:?}");
}

/// Plays a chapter to a Pushgateway and to the bridge.
#[track_caller]
fn plays(name: &str) {
    let chapter = chapters()
        .iter()
        .find(|chapter| chapter.name == name)
        .expect("a chapter");
    let mut pair = Pair::start(chapter.mode);

    let found: Vec<String> = chapter
        .scenarios
        .iter()
        .flat_map(|scenario| pair.play(scenario))
        .collect();

    none(&found);
}

/// Whether several processes push to one group, told apart by their `tm_id`.
fn shares_a_group(requests: &[Captured]) -> bool {
    let mut sources: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
    for request in requests {
        let lines = exposition::read(request.body());
        let mut told_apart = lines.iter().map(|line| line.labels.get("tm_id").cloned());
        if request.method() == "PUT"
            && let Some(source) = told_apart.next()
        {
            let source = told_apart.find(Option::is_some).unwrap_or(source);
            sources.entry(request.path()).or_default().insert(source);
        }
    }
    sources.values().any(|sources| sources.len() > 1)
}

/// The status of an answer to the bytes of a request.
fn replay(to: SocketAddr, bytes: &[u8]) -> u16 {
    Connection::open(to)
        .and_then(|mut open| open.exchange(bytes))
        .expect("an answer")
        .status
}

#[track_caller]
fn none(found: &[String]) {
    assert!(
        found.is_empty(),
        "{} lines of differences:\n{}",
        found.len(),
        found.join("\n")
    );
}
