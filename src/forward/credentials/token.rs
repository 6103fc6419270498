//! Something that is fetched, serves for a while, and is fetched anew: an access token, or keys of a role.
//!
//! - One lane fetches at a time. The others go on with what there is while that is valid, else they wait for the one.
//! - What is fetched is renewed before it expires: after four fifths of its life or five minutes before its end,
//!   whichever is later, and up to half of that margin sooner, so that bridges started together do not ask together.
//! - A failure while the old one is valid changes nothing but that it is tried again some seconds later. Without a
//!   valid one the failure is every lane's for a second, so that a service in trouble is not flooded.
//! - What a remote has refused is fetched anew once; when the new one is refused as well, it was not the token.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::environment::Surroundings;
use super::error::AuthError;
use crate::model::UnixMillis;

/// The longest time before its end at which a token is renewed (without jitter).
const MOST_MARGIN: Duration = Duration::from_secs(5 * 60);
/// A token is not used within so much of its end, as Go's clients do: it has to get there.
const ON_THE_WAY: Duration = Duration::from_secs(10);
/// The pause before a renewal is tried again while the old token is valid.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);
/// How long a failure stands for all lanes while there is no token.
const FAILURE_STANDS: Duration = Duration::from_secs(1);

/// What has been fetched.
#[derive(Clone)]
pub(super) struct Fetched<T> {
    /// The thing itself.
    pub(super) value: T,
    /// When it ends; `None` for never.
    pub(super) expires: Option<UnixMillis>,
}

/// Which fetch a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::forward) struct Generation(u64);

/// What a remote thought of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It let us in.
    Accepted,
    /// It did not.
    Refused,
    /// It answered something that says neither.
    Open,
}

/// Keeps what was fetched last.
pub(super) struct Cached<T> {
    surroundings: Surroundings,
    state: Mutex<State<T>>,
    fetching: tokio::sync::Mutex<()>,
}

struct State<T> {
    held: Option<Held<T>>,
    generation: u64,
    failure: Option<(UnixMillis, AuthError)>,
    /// What is held replaces one that was refused, and has not been accepted since.
    on_trial: bool,
}

struct Held<T> {
    value: T,
    renew: Option<UnixMillis>,
    unusable: Option<UnixMillis>,
}

impl<T: Clone> Cached<T> {
    pub(super) fn new(surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            state: Mutex::new(State {
                held: None,
                generation: 0,
                failure: None,
                on_trial: false,
            }),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// What is held, or what `fetch` brings.
    ///
    /// # Errors
    /// What `fetch` says, now or within the last second, when nothing valid is held.
    pub(super) async fn get(
        &self,
        fetch: impl Future<Output = Result<Fetched<T>, AuthError>>,
    ) -> Result<(T, Generation), AuthError> {
        if let Some(answer) = self.without_fetching() {
            return answer;
        }
        let usable = self.state().usable(self.surroundings.now());
        let _alone = match usable {
            None => self.fetching.lock().await,
            Some(usable) => match self.fetching.try_lock() {
                Ok(alone) => alone,
                Err(_) => return Ok(usable),
            },
        };
        if let Some(answer) = self.without_fetching() {
            return answer;
        }
        self.state().postpone_renewal(self.surroundings.now());
        let outcome = fetch.await;
        self.settle(outcome)
    }

    /// Takes note of what a remote thought of `generation`. True when it is worth trying once more with another.
    pub(super) fn judged(&self, generation: Generation, verdict: Verdict) -> bool {
        let mut state = self.state();
        let is_held = state.generation == generation.0 && state.held.is_some();
        match verdict {
            Verdict::Accepted if is_held => state.on_trial = false,
            Verdict::Refused if !is_held => return true,
            Verdict::Refused if !state.on_trial => {
                state.held = None;
                state.on_trial = true;
                return true;
            }
            _ => {}
        }
        false
    }

    fn without_fetching(&self) -> Option<Result<(T, Generation), AuthError>> {
        let now = self.surroundings.now();
        let state = self.state();
        if let Some(held) = state.held.as_ref().filter(|held| held.is_fresh(now)) {
            return Some(Ok((held.value.clone(), Generation(state.generation))));
        }
        let (until, error) = state.failure.as_ref().filter(|(until, _)| now < *until)?;
        // a clock that was set back must not make the failure last
        let stands = until.since(now) <= FAILURE_STANDS && state.usable(now).is_none();
        stands.then(|| Err(error.clone()))
    }

    fn settle(&self, outcome: Result<Fetched<T>, AuthError>) -> Result<(T, Generation), AuthError> {
        let now = self.surroundings.now();
        let mut state = self.state();
        let usable = |fetched: &Fetched<T>| fetched.expires.is_none_or(|expires| now < expires);
        match outcome.and_then(|fetched| usable(&fetched).then_some(fetched).ok_or(AuthError::Expired)) {
            Ok(fetched) => {
                state.generation += 1;
                state.failure = None;
                state.held = Some(Held::until(fetched.expires, fetched.value.clone(), now));
                Ok((fetched.value, Generation(state.generation)))
            }
            Err(error) => {
                state.failure = Some((now.after(FAILURE_STANDS), error.clone()));
                state.usable(now).ok_or(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    fn usable(&self, now: UnixMillis) -> Option<(T, Generation)> {
        let held = self.held.as_ref()?;
        let usable = held.unusable.is_none_or(|end| now < end);
        usable.then(|| (held.value.clone(), Generation(self.generation)))
    }

    /// Before the fetch, not after: a lane that is cut off by its deadline leaves the others no worse.
    fn postpone_renewal(&mut self, now: UnixMillis) {
        if let Some(held) = &mut self.held {
            held.renew = Some(now.after(RENEWAL_PAUSE));
        }
    }
}

impl<T> Held<T> {
    fn until(expires: Option<UnixMillis>, value: T, now: UnixMillis) -> Self {
        let before_end = |margin: Duration| {
            let life = expires?.since(now);
            Some(now.after(life.saturating_sub(margin)))
        };
        let life = expires.map_or(Duration::MAX, |expires| expires.since(now));
        let margin = (life / 5).min(MOST_MARGIN);
        Self {
            value,
            renew: before_end(margin.mul_f64(rand::random_range(1.0..1.5))),
            unusable: before_end((life / 10).min(ON_THE_WAY)),
        }
    }

    fn is_fresh(&self, now: UnixMillis) -> bool {
        let before = |end: Option<UnixMillis>| end.is_none_or(|end| now < end);
        before(self.renew) && before(self.unusable)
    }
}

impl<T> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").finish_non_exhaustive()
    }
}
