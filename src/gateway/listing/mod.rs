//! Reads which groups a gateway has and when each was pushed to last: nothing else of them is kept.
//!
//! `/api/v1/metrics` gives keys as they are. Gateways before 1.0 have only `/metrics`, which shows a key without
//! `instance` like one with an empty one; both are deleted then, as a gateway cannot show both.

mod json;
mod text;

use std::io::{self, BufReader, Read};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::SweepError;
use super::report::Source;
use super::session::{Session, date, unreachable};
use super::sweep::Progress;
use crate::model::{GroupKey, INSTANCE, NameScheme, UnixMillis, escape_name, is_label_name};

/// Most groups that are held: some hundred megabytes.
const MAX_GROUPS: usize = 1_000_000;

/// Asks for the times alone. A Pushgateway does not understand it and gives everything; the bridge does.
const JSON: &str =
    "api/v1/metrics?match%5B%5D=%7B__name__%3D~%22push_time_seconds%7Cpush_failure_time_seconds%22%7D";
const TEXT: &str = "metrics";

const PUSH_TIME: &str = "push_time_seconds";
const PUSH_FAILURE_TIME: &str = "push_failure_time_seconds";

/// Chunks of an answer that wait to be read.
const WAITING_CHUNKS: usize = 8;

/// The groups of a gateway at one moment.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) groups: Vec<Listed>,
    pub(super) source: Source,
    /// When the gateway began to answer, by its own clock.
    pub(super) date: Option<UnixMillis>,
    pub(super) took: Duration,
}

/// A group that the gateway shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: Name,
    /// When a push was taken last.
    pub(super) pushed: Option<UnixMillis>,
    /// When a push was refused last.
    pub(super) failed: Option<UnixMillis>,
}

/// How a group can be named to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// By this key, or by the other one that is shown in the same way.
    Key { key: GroupKey, twin: Option<GroupKey> },
    /// Not at all, and why.
    None {
        labels: Vec<(String, String)>,
        why: &'static str,
    },
}

/// Labels as they are shown.
type Labels = Vec<(String, String)>;

/// Why an answer makes no listing.
#[derive(Debug)]
enum Unread {
    /// It is not what a Pushgateway says.
    Strange(String),
    TooMany,
}

impl Listing {
    /// How names are spelled in paths, as far as what is shown says it: `None` where a name could be an escape, or the
    /// name that it spells.
    pub(super) fn names(&self) -> Option<NameScheme> {
        let keys = self.groups.iter().filter_map(|group| match &group.name {
            Name::Key { key, .. } => Some(key),
            Name::None { .. } => None,
        });
        let mut scheme = Some(NameScheme::Classic);
        for (name, _) in keys.flat_map(GroupKey::iter) {
            if !is_label_name(name) {
                return Some(NameScheme::Utf8);
            }
            if escape_name(name) != name {
                scheme = None;
            }
        }
        scheme
    }
}

impl Listed {
    /// What the age of a group is counted from: the last push that was taken. A group that never had one holds nothing
    /// but the time of its failures, which is then its only sign of life.
    pub(super) fn sign_of_life(&self) -> Option<UnixMillis> {
        self.pushed.or(self.failed)
    }
}

impl Name {
    /// Of labels that are the key itself.
    fn of_key(labels: Labels) -> Self {
        // what Go's JSON has for bytes that are no UTF-8, and what we have for them in text
        if labels
            .iter()
            .any(|(name, value)| (name.clone() + value).contains('\u{fffd}'))
        {
            let why = "its labels hold bytes that are not UTF-8, and which ones is not shown";
            return Self::None { labels, why };
        }
        match GroupKey::try_from(labels.clone()) {
            Ok(key) => Self::Key { key, twin: None },
            Err(_) => Self::None {
                labels,
                why: "it has no job, or a label that no path can name",
            },
        }
    }

    /// Of the labels of one of its series, which have an `instance` even if the key has none.
    fn of_series(labels: Labels) -> Self {
        let is_ambiguous = labels
            .iter()
            .any(|(name, value)| name == INSTANCE && value.is_empty());
        match Self::of_key(labels) {
            Self::Key { key, .. } if is_ambiguous => match key.shown_alike() {
                Some(likely) => Self::Key {
                    key: likely,
                    twin: Some(key),
                },
                None => Self::Key { key, twin: None },
            },
            other => other,
        }
    }
}

/// Asks the gateway.
pub(super) async fn read(session: &Session, progress: &Progress) -> Result<Listing, SweepError> {
    let begun = Instant::now();
    let (answer, source) = match session.get(JSON, "application/json").await {
        Ok(answer) => (answer, Source::Json),
        Err(SweepError::Status { status: 404, .. }) => (text_of(session).await?, Source::Text),
        Err(error) => return Err(error),
    };
    let date = date(answer.headers());
    let counted = progress.clone();
    let groups = parsed(answer, session, move |pipe| match source {
        Source::Json => json::read(pipe, &counted),
        Source::Text => text::read(pipe, &counted),
    });
    let groups = groups.await?;
    Ok(Listing {
        groups,
        source,
        date,
        took: begun.elapsed(),
    })
}

/// The answer of gateways without the JSON API.
async fn text_of(session: &Session) -> Result<Response, SweepError> {
    match session.get(TEXT, "text/plain;version=0.0.4").await {
        Err(SweepError::Status { status: 404, .. }) => Err(SweepError::NotOne {
            url: session.base.to_string(),
            problem: "it has neither api/v1/metrics nor metrics; a route prefix belongs into the address"
                .to_owned(),
        }),
        other => other,
    }
}

/// Reads an answer while it comes, on a thread of its own, since a large one takes seconds.
async fn parsed(
    mut answer: Response,
    session: &Session,
    read: impl FnOnce(BufReader<Pipe>) -> Result<Vec<Listed>, Unread> + Send + 'static,
) -> Result<Vec<Listed>, SweepError> {
    let (chunks, waiting) = mpsc::channel(WAITING_CHUNKS);
    let pipe = BufReader::new(Pipe {
        waiting,
        current: Bytes::new(),
    });
    let reading = tokio::task::spawn_blocking(move || read(pipe));
    let url = answer.url().clone();
    let shown = session.shown(url.path().trim_start_matches(session.base.path()));
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                if chunks.send(chunk).await.is_err() {
                    break None;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(unreachable(&url, error)),
        }
    };
    drop(chunks);
    let groups = reading.await;
    if let Some(error) = broken {
        return Err(error);
    }
    match groups {
        Ok(Ok(groups)) => Ok(groups),
        Ok(Err(Unread::TooMany)) => Err(SweepError::TooManyGroups {
            url: shown,
            limit: MAX_GROUPS,
        }),
        Ok(Err(Unread::Strange(problem))) => Err(SweepError::NotOne { url: shown, problem }),
        Err(error) => Err(SweepError::NotOne {
            url: shown,
            problem: error.to_string(),
        }),
    }
}

/// Chunks as they come, to be read by a thread.
struct Pipe {
    waiting: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.waiting.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let chunk = self.current.split_to(into.len().min(self.current.len()));
        let (into, _) = into.split_at_mut(chunk.len());
        into.copy_from_slice(&chunk);
        Ok(chunk.len())
    }
}

/// The time that a gateway shows as seconds; none where it is zero, and so never was.
fn time(seconds: f64) -> Option<UnixMillis> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    (!since.is_zero()).then(|| UnixMillis::new(0).after(since))
}

#[cfg(test)]
mod tests;
