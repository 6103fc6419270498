//! The whole chain with the real program twice: pushes at an agent, a gRPC stream, a forwarder, Prometheus; and `kill -9`
//! of either in the middle.

use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::cutter::Cutter;
use crate::prometheus::Prometheus;
use crate::remote::{Remote, out_of_order};
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(60);
const GROUPS: u32 = 8;
const ROUNDS: u32 = 60;

#[test]
fn what_is_pushed_at_an_agent_is_shown_by_the_prometheus_behind_the_forwarder() {
    let prometheus = Prometheus::start();
    let forwarder = Bridge::start(&Settings::forwarding_to(&prometheus.write_url()));
    let url = format!("grpc://{}", forwarder.grpc_address());
    let agent = Bridge::start(&Settings::forwarding_to(&url));

    agent.accepts("PUT", "/metrics/job/chain", "exact 0.1\nleaving 1\n");
    prometheus.shows("leaving{job=\"chain\"}", 1.0);
    agent.accepts("PUT", "/metrics/job/chain", "exact 4.9E-324\n");

    prometheus.shows("exact{job=\"chain\"}", 5e-324);
    prometheus.forgets("leaving{job=\"chain\"}", PATIENCE);
}

#[test]
fn a_killed_forwarder_a_killed_agent_and_a_way_that_breaks_lose_nothing_that_was_acknowledged() {
    let remote = Remote::start();
    let mut forwarder = Bridge::start(&Settings::forwarding_to(&remote.write_url()));
    let way = Cutter::before(forwarder.grpc_address());
    let url = format!("grpc://{}", way.address());
    let mut agent = Bridge::start(&Settings {
        remote_settings: ", queue_config: {min_backoff: 1ms, max_backoff: 50ms}",
        ..Settings::forwarding_to(&url)
    });
    way.cut();

    for round in 1..=ROUNDS {
        for group in 0..GROUPS {
            agent.accepts("PUT", &format!("/metrics/job/j{group}"), &format!("a {round}\n"));
        }
        match round % 20 {
            7 => {
                forwarder.start_again();
                way.lead_to(forwarder.grpc_address());
            }
            14 => agent.start_again(),
            _ => {}
        }
    }
    assert!(way.cuts() > 0, "the way never broke");
    way.mend();

    for group in 0..GROUPS {
        let series = format!("a{{job=\"j{group}\"}}");
        wait::until(&format!("all of {series}"), PATIENCE, || {
            let arrivals = remote.arrivals();
            let got = arrivals.get(&series).map(Vec::as_slice).unwrap_or_default();
            let has = |round: u32| got.iter().any(|(_, bits)| *bits == f64::from(round).to_bits());
            match (1..=ROUNDS).find(|round| !has(*round)) {
                None => Ok(()),
                Some(lost) => Err(format!("{lost} is not there")),
            }
        });
        assert_eq!(out_of_order(&remote.arrivals()[&series]), [], "{series}");
    }
}
