use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::super::error::AuthError;
use super::super::token::{Cached, Fetched, Verdict};
use super::{HOUR, NOON, surroundings};
use crate::model::ManualClock;

/// A service that counts its tokens and gives each an hour.
struct Counter {
    clock: ManualClock,
    cached: Cached<u32>,
    fetches: AtomicU32,
}

impl Counter {
    fn new() -> Self {
        let clock = ManualClock::at(NOON);
        Self {
            cached: Cached::new(surroundings(&clock, &[])),
            clock,
            fetches: AtomicU32::new(0),
        }
    }

    async fn get(&self) -> u32 {
        self.cached.get(self.fetch()).await.unwrap().0
    }

    async fn fetch(&self) -> Result<Fetched<u32>, AuthError> {
        let expires = super::super::Surroundings::now(&surroundings(&self.clock, &[])).after(HOUR);
        tokio::task::yield_now().await;
        Ok(Fetched {
            value: self.fetches.fetch_add(1, Ordering::SeqCst) + 1,
            expires: Some(expires),
        })
    }

    async fn get_where_all_fails(&self) -> Result<u32, AuthError> {
        let failing = async {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            Err(AuthError::Nowhere("the service is down".to_owned()))
        };
        self.cached.get(failing).await.map(|(value, _)| value)
    }

    fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn lanes_that_ask_together_fetch_once() {
    let counter = Counter::new();

    let values = tokio::join!(counter.get(), counter.get(), counter.get(), counter.get());

    assert_eq!(values, (1, 1, 1, 1));
    assert_eq!(counter.fetches(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_some_minutes_before_its_end() {
    let counter = Counter::new();
    counter.get().await;

    counter.clock.advance(HOUR - Duration::from_secs(451));
    let early = counter.get().await;
    counter.clock.advance(Duration::from_secs(152));
    let late = counter.get().await;

    assert_eq!((early, late), (1, 2));
}

#[tokio::test]
async fn the_time_of_renewal_varies_between_bridges() {
    let mut renewed_early = 0;
    for _ in 0..64 {
        let counter = Counter::new();
        counter.get().await;
        counter.clock.advance(HOUR - Duration::from_secs(375));
        renewed_early += counter.get().await - 1;
    }

    assert!((1..64).contains(&renewed_early), "{renewed_early} of 64");
}

#[tokio::test]
async fn a_token_stays_in_use_while_its_renewal_fails() {
    let counter = Counter::new();
    counter.get().await;
    counter.clock.advance(HOUR - Duration::from_secs(60));

    let while_valid = counter.get_where_all_fails().await;
    counter.clock.advance(Duration::from_secs(60));
    let after_its_end = counter.get_where_all_fails().await;

    assert_eq!(while_valid, Ok(1));
    assert_eq!(after_its_end.unwrap_err().to_string(), "the service is down");
}

#[tokio::test]
async fn a_failed_renewal_is_tried_again_after_a_pause() {
    let counter = Counter::new();
    counter.get().await;
    counter.clock.advance(HOUR - Duration::from_secs(60));
    counter.get_where_all_fails().await.unwrap();

    counter.get().await;
    let at_once = counter.fetches();
    counter.clock.advance(Duration::from_secs(6));
    counter.get().await;

    assert_eq!((at_once, counter.fetches()), (2, 3));
}

#[tokio::test]
async fn a_failure_is_that_of_all_lanes_for_a_second() {
    let counter = Counter::new();

    let errors = tokio::join!(counter.get_where_all_fails(), counter.get_where_all_fails());
    let together = counter.fetches();
    counter.clock.advance(Duration::from_secs(1));
    let later = counter.get().await;

    assert!(errors.0.is_err() && errors.1.is_err());
    assert_eq!((together, later), (1, 2));
}

#[tokio::test]
async fn a_service_that_hangs_holds_nobody_up_who_has_a_valid_token() {
    let counter = Counter::new();
    counter.get().await;
    counter.clock.advance(HOUR - Duration::from_secs(60));
    let mut hanging = pin!(counter.cached.get(std::future::pending()));
    tokio::select! {
        biased;
        _ = &mut hanging => panic!("it should hang"),
        () = async {} => {}
    }

    let other = counter.get().await;

    assert_eq!(other, 1);
}

#[tokio::test]
async fn a_fetch_that_is_cut_off_leaves_the_next_one_free() {
    let counter = Counter::new();
    {
        let hanging = pin!(counter.cached.get(std::future::pending()));
        tokio::select! {
            biased;
            _ = hanging => panic!("it should hang"),
            () = async {} => {}
        }
    }

    let next = counter.get().await;

    assert_eq!(next, 1);
}

#[tokio::test]
async fn a_token_that_comes_expired_is_no_token() {
    let counter = Counter::new();
    let expired = async {
        Ok(Fetched {
            value: 7,
            expires: Some(NOON),
        })
    };

    let error = counter.cached.get(expired).await.unwrap_err();

    assert_eq!(error, AuthError::Expired);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_until_one_is_accepted() {
    let counter = Counter::new();
    let (_, first) = counter.cached.get(counter.fetch()).await.unwrap();

    let worth_it = counter.cached.judged(first, Verdict::Refused);
    let (_, second) = counter.cached.get(counter.fetch()).await.unwrap();
    let still_worth_it = counter.cached.judged(second, Verdict::Refused);
    counter.cached.judged(second, Verdict::Accepted);
    let worth_it_again = counter.cached.judged(second, Verdict::Refused);

    assert_eq!((worth_it, still_worth_it, worth_it_again), (true, false, true));
}

#[tokio::test]
async fn lanes_whose_token_is_refused_together_fetch_once() {
    let counter = Counter::new();
    let (_, token) = counter.cached.get(counter.fetch()).await.unwrap();

    let worth_it = [(); 3].map(|()| counter.cached.judged(token, Verdict::Refused));
    tokio::join!(counter.get(), counter.get(), counter.get());

    assert_eq!(worth_it, [true; 3]);
    assert_eq!(counter.fetches(), 2);
}
