//! What was pushed, for those who scrape it: GET `/metrics`.
//!
//! It is written on a thread of its own, into a body that is sent meanwhile ([`super::outgoing`]). Pushes do not wait for
//! it: what is shown is taken note of under the lock, which costs little for each group, and read without it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Method};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::accept::{Accepted, Packing};
use super::exhibition::Exhibition;
use super::outgoing::{Chunks, Stream};
use super::reply::Reply;
use super::{Doors, own};
use crate::codec::layer::Layer;
use crate::codec::show::{LeftOut, write};

/// Scrapes that are written at once. Each has a thread to itself and some chunks of 64 KiB. Who scrapes is seldom more than
/// a pair of Prometheus servers; but a reader may be slow, and a handful of such must not keep them out.
pub(super) const MAX_AT_ONCE: usize = 32;

/// How long a scrape waits for its turn: as long as Prometheus waits for everything, unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

const ALLOWED: &str = "GET, OPTIONS";

/// Answers a scrape.
pub(super) async fn metrics(doors: &Arc<Doors>, method: &Method, headers: &HeaderMap) -> Reply {
    match *method {
        Method::GET => {}
        Method::OPTIONS => return Reply::options(ALLOWED),
        _ => return Reply::method_not_allowed(ALLOWED),
    }
    let begun = Instant::now();
    let (accepted, packing) = (Accepted::of(headers), Packing::of(headers));
    let Some(shown) = doors.shown.get() else {
        return Reply::not_ready("still starting");
    };
    let own = match own::layer(shown, doors.clock.now()) {
        Ok(own) => own,
        Err(problem) => return Reply::failed(format!("could not write the metrics: {problem}")),
    };
    let turn = match turn(doors).await {
        Ok(turn) => turn,
        Err(reply) => return reply,
    };
    let (stream, chunks) = Stream::new();
    let content_type = accepted.content_type.clone();
    let scrape = Scrape {
        doors: Arc::clone(doors),
        accepted,
        packing,
        _turn: turn,
    };
    // not awaited: it ends with its reader, by a deadline at the latest
    drop(tokio::task::spawn_blocking(move || {
        scrape.run(own, chunks, begun);
    }));
    Reply::stream(stream, content_type, packing)
}

/// Waits until one more answer may be written while it is sent; the error is what is answered else.
pub(super) async fn turn(doors: &Doors) -> Result<OwnedSemaphorePermit, Reply> {
    let turn = timeout(PATIENCE, Arc::clone(&doors.scrapes).acquire_owned()).await;
    turn.ok()
        .and_then(Result::ok)
        .ok_or_else(|| Reply::too_many_scrapes(MAX_AT_ONCE))
}

/// A scrape under way.
struct Scrape {
    doors: Arc<Doors>,
    accepted: Accepted,
    packing: Packing,
    _turn: OwnedSemaphorePermit,
}

impl Scrape {
    fn run(&self, own: Layer, chunks: Chunks, begun: Instant) {
        let exhibition = Exhibition::new(own, self.doors.intake.shown());
        let books = &self.doors.books;
        match self.write(&exhibition, chunks) {
            Ok(left_out) => books.not_shown(left_out),
            Err(error) => {
                books.broken_scrapes.inc();
                tracing::debug!(%error, "a scrape was not taken to its end");
            }
        }
        books.show_seconds.observe(begun.elapsed().as_secs_f64());
    }

    fn write(&self, exhibition: &Exhibition, mut chunks: Chunks) -> io::Result<LeftOut> {
        let (exhibits, manner) = (
            exhibition.exhibits(),
            (self.accepted.format, self.accepted.escaping),
        );
        let left_out = match self.packing {
            Packing::Plain => write(&exhibits, manner, &mut chunks)?,
            Packing::Gzip => {
                // the lines of a scrape are so much alike that more effort gains little
                let mut packed = GzEncoder::new(&mut chunks, Compression::fast());
                let left_out = write(&exhibits, manner, &mut packed)?;
                packed.finish()?;
                left_out
            }
        };
        chunks.end()?;
        Ok(left_out)
    }
}
