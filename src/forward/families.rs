//! Tells a remote of version 1.0 now and then what is known of families, as Prometheus does (`metadata_config`). Samples
//! neither wait for it nor are held up by it: it has requests of its own, and what fails is said again next time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout_at};

use crate::codec::remote_write::{Message, encode_metadata};
use crate::model::{Metadata, UnixMillis};

use super::lane::Route;
use super::letter::Letter;
use super::retry::backoff;
use super::transport::{SendError, Transport};

/// Families that nobody mentioned for longer are not told of.
const RECENT: Duration = Duration::from_secs(3600);

/// Tells `route`'s remote of families until `stop` is true.
pub(super) async fn announce<T: Transport>(route: Arc<Route<T>>, mut stop: watch::Receiver<bool>) {
    if !route.metadata.send {
        return;
    }
    let every = route.metadata.send_interval.max(Duration::from_millis(1));
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        // version 2.0 has them beside each series
        if route.negotiation.message() == Message::V1 {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = tell_all(&route, Instant::now() + every) => {}
            }
        }
    }
}

async fn tell_all<T: Transport>(route: &Route<T>, deadline: Instant) {
    let recent = i64::try_from(RECENT.as_millis()).unwrap_or_default();
    let since = UnixMillis::new(route.books.now().get().saturating_sub(recent));
    let families = route.catalogue.recent(since);
    let most = usize::try_from(route.metadata.max_samples_per_send)
        .unwrap_or(1)
        .max(1);
    for some in families.chunks(most) {
        let told = timeout_at(deadline, tell(route, some)).await;
        let count = some.len() as u64;
        match told {
            Ok(Ok(())) => route.books.announced(count),
            Ok(Err(words)) => {
                route.books.not_announced(count);
                route.complaints.metadata(&words, count);
            }
            Err(_) => {
                route.books.not_announced(count);
                return;
            }
        }
    }
}

/// Sends until there is an answer; the remote's words, when it does not want them.
async fn tell<T: Transport>(route: &Route<T>, families: &[Arc<Metadata<'static>>]) -> Result<(), String> {
    let body = encode_metadata(families.iter().map(Arc::as_ref)).map_err(|error| error.to_string())?;
    let letter = Letter::plain(body);
    let mut attempt = 0;
    loop {
        match route.transport.send(&letter, attempt).await {
            Ok(_) => return Ok(()),
            Err(SendError::Retry { after, words, .. }) => {
                attempt += 1;
                route.complaints.metadata(&words, families.len() as u64);
                let (min, max) = (route.config.min_backoff, route.config.max_backoff);
                let own = backoff(attempt, min, max, rand::random());
                sleep(after.unwrap_or_default().max(own)).await;
            }
            Err(refused) => return Err(refused.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
