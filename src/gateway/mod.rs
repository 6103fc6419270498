//! Cleans an existing Pushgateway: a client of its API that deletes the groups nobody pushes to any more.
//!
//! A Pushgateway keeps a group for ever, so whatever died goes on being scraped with its last values. A pass reads all
//! groups with the time of their last push (`listing/`), judges them ([`Wish`]) by the gateway's own clock, and deletes
//! the stale ones, some at a time. Nothing of a group but its key and its times is kept, so that a gateway of millions
//! of series costs no memory here.
//!
//! The API has no conditional DELETE: a push between our reading and our deleting is lost, until its client pushes
//! again. So a pass that takes long reads again before it goes on, and lets go what was pushed to meanwhile
//! (docs/sweep.md, "What can go wrong").

mod access;
mod books;
mod deleting;
mod error;
mod exhibit;
mod listing;
mod report;
mod rounds;
mod session;
mod sweep;
#[cfg(test)]
mod tests;

pub use access::{Access, Gateway, Login, Trust};
pub use books::Books;
pub use error::{AccessError, SweepError};
pub use exhibit::Exhibit;
pub use report::{Outcome, Report, Source, Swept};
pub use sweep::{Effect, Progress, Sweep, Wish};
