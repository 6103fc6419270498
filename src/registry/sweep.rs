//! Ending what has been silent for too long, or what somebody cleans up.

use super::change::{Change, Refused};
use super::event::EndReason;
use super::{Group, Registry};
use crate::model::{GroupKey, Process, UnixMillis};

impl Registry {
    /// The groups in which something is due to end at `now`. Cheap: it looks at times only.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Vec<GroupKey> {
        self.groups
            .iter()
            .filter(|(_, group)| self.group_is_due(group, now))
            .map(|(key, _)| key.as_ref().clone())
            .collect()
    }

    /// What ending the due sources of one group would mean; the group ends with its last source, and a ghost without
    /// any when its last failure is long ago.
    ///
    /// # Errors
    /// [`Refused::Damaged`] only.
    pub fn plan_sweep(&self, key: &GroupKey, now: UnixMillis) -> Result<Option<Change>, Refused> {
        let Some(group) = self.groups.get(key).filter(|group| self.group_is_due(group, now)) else {
            return Ok(None);
        };
        let due: Vec<(Process, EndReason)> = self.due_sources(group, now).collect();
        let why = due.first().map_or(EndReason::Stale, |(_, why)| *why);
        let processes =
            (due.len() < group.sources.len()).then(|| due.into_iter().map(|(process, _)| process).collect());
        self.plan_end(key, processes, why, now).map(Some)
    }

    /// What ending `group` at once would mean, however many processes it has; `None` when there is no such group.
    ///
    /// # Errors
    /// [`Refused::Damaged`] only.
    pub fn plan_clean_up(&self, group: &GroupKey, now: UnixMillis) -> Result<Option<Change>, Refused> {
        let is_known = self.groups.contains_key(group);
        let end = || self.plan_end(group, None, EndReason::Admin, now);
        is_known.then(end).transpose()
    }

    /// Forgets what nobody will ask for any more: retired groups beyond `jobs.history`, ended series whose markers
    /// have long been sent or dropped.
    pub fn forget_old(&mut self, now: UnixMillis) {
        while self
            .history
            .front()
            .is_some_and(|retired| now.since(retired.at) > self.config.history)
        {
            self.history.pop_front();
        }
        self.released
            .retain(|_, released| now.since(released.at) <= self.released_for);
        self.forgot_until = self.forgot_until.filter(|until| *until > now);
    }

    fn group_is_due(&self, group: &Group, now: UnixMillis) -> bool {
        if group.sources.is_empty() {
            return now.since(group.last_at.max(self.awake_since)) > self.config.stale_after;
        }
        self.due_sources(group, now).next().is_some()
    }

    fn due_sources(&self, group: &Group, now: UnixMillis) -> impl Iterator<Item = (Process, EndReason)> {
        let neighbours = group.sources.iter().filter_map(|source| source.interval).max();
        group.sources.iter().filter_map(move |source| {
            let why = source.is_due(now, (self.awake_since, neighbours), &self.config)?;
            Some((source.process.clone(), why))
        })
    }
}
