//! `kill -9` in the middle of a push storm, again and again, at points that a seed decides: whatever was acknowledged
//! arrives, in order, and nothing ends.
//!
//! `FLINKBRIDGE_TEST_SEED` repeats a run.

use std::collections::HashSet;
use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::remote::{self, Arrivals, Remote, STALE};
use crate::storm::{self, Storm};
use crate::wait;

const CLIENTS: usize = 8;
const KILLS: u64 = 6;
const MOST_PUSHES_BETWEEN_KILLS: u64 = 600;

#[test]
fn with_the_remote_there() {
    let remote = Remote::start();

    let aftermath = storm_with_kills(&remote);

    everything_arrived_in_order(&remote, &aftermath);
}

#[test]
fn with_the_remote_away_until_the_end() {
    let remote = Remote::start();
    remote.go_away();

    let aftermath = storm_with_kills(&remote);
    assert!(remote.arrivals().is_empty(), "the remote was not away");
    remote.come_back();

    everything_arrived_in_order(&remote, &aftermath);
}

/// The bridge is dropped with the storm's end only after everything arrived, so it is handed back with the result.
struct Aftermath {
    acknowledged: Vec<Vec<u64>>,
    _bridge: Bridge,
}

fn storm_with_kills(remote: &Remote) -> Aftermath {
    let given = std::env::var("FLINKBRIDGE_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed: u64 = given.unwrap_or_else(rand::random);
    eprintln!("FLINKBRIDGE_TEST_SEED={seed}");
    let mut bridge = Bridge::start(&Settings::forwarding_to(&remote.write_url()));
    let storm = Storm::begin(CLIENTS, bridge.address());
    for kill in 0..KILLS {
        let pushes = 1 + mixed(seed.wrapping_add(kill)) % MOST_PUSHES_BETWEEN_KILLS;
        storm.rages_for(usize::try_from(pushes).expect("a small number"));
        bridge.kill();
        storm.turns_to(None);
        bridge.start_again();
        storm.turns_to(Some(bridge.address()));
    }
    storm.rages_for(CLIENTS);
    Aftermath {
        acknowledged: storm.end(),
        _bridge: bridge,
    }
}

#[track_caller]
fn everything_arrived_in_order(remote: &Remote, aftermath: &Aftermath) {
    let total: usize = aftermath.acknowledged.iter().map(Vec::len).sum();
    wait::until(
        "arrival of everything acknowledged",
        Duration::from_secs(60),
        || {
            let lost = lost(&remote.arrivals(), &aftermath.acknowledged);
            match lost.first() {
                None => Ok(()),
                Some(first) => Err(format!(
                    "{} series lack some of {total} pushes, first {first}",
                    lost.len()
                )),
            }
        },
    );
    let arrivals = remote.arrivals();
    for (series, samples) in arrivals
        .iter()
        .filter(|(series, _)| series.starts_with("storm_total"))
    {
        assert_eq!(remote::out_of_order(samples), [], "{series} went back in time");
        assert!(
            samples.iter().all(|(_, bits)| *bits != STALE),
            "{series} was ended"
        );
    }
}

/// The series that lack an acknowledged value, with what they lack.
fn lost(arrivals: &Arrivals, acknowledged: &[Vec<u64>]) -> Vec<String> {
    let mut found = Vec::new();
    for (client, sequences) in acknowledged.iter().enumerate() {
        for series in storm::series_of(client) {
            let got: HashSet<u64> = arrivals
                .get(&series)
                .into_iter()
                .flatten()
                .map(|(_, bits)| *bits)
                .collect();
            let missing: Vec<&u64> = sequences
                .iter()
                .filter(|sequence| !got.contains(&number(**sequence)))
                .collect();
            if !missing.is_empty() {
                found.push(format!(
                    "{series}: {} missing, first {:?}",
                    missing.len(),
                    missing.first()
                ));
            }
        }
    }
    found
}

/// The bits of a sequence number as a sample's value.
fn number(sequence: u64) -> u64 {
    f64::from(u32::try_from(sequence).expect("a short storm")).to_bits()
}

/// `SplitMix64`: a number that looks like chance but comes from the seed.
fn mixed(seed: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
