//! Which records a reader still needs, when its lanes acknowledge at their own pace.
//!
//! A lane needs everything from its first unacknowledged delivery on; a lane that has none follows the read position,
//! so that it holds nothing back. What is kept over a restart is one position for each lane: what the lane needs.

use std::collections::VecDeque;

use crate::queue::Position;
use crate::queue::stats::{Backlog, Totals};

/// Most lanes of one reader: what its position file has room for.
pub const MAX_LANES: u32 = 256;

/// How many earlier lane counts are remembered until their records are worked off. A further change makes the
/// acknowledgements beyond the floor of the oldest one forgotten, so that its records may be delivered again.
pub(super) const MAX_EARLIER: usize = 6;

/// For each lane of one lane count, the position before which all its records are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needs(pub(super) Vec<Position>);

impl Needs {
    fn acknowledged(&self, position: Position, key: u64) -> bool {
        self.0
            .get(lane_of(key, self.0.len()))
            .is_some_and(|need| position < *need)
    }

    fn lowest(&self) -> Position {
        self.0.iter().copied().min().unwrap_or_default()
    }

    fn highest(&self) -> Position {
        self.0.iter().copied().max().unwrap_or_default()
    }
}

/// What outlives the process: the lanes' needs, newest count last; never empty. A record is done if any of them says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress(pub(super) Vec<Needs>);

impl Progress {
    /// Nothing before `position` is needed.
    pub(super) fn at(position: Position) -> Self {
        Self(vec![Needs(vec![position])])
    }

    /// The first position that any lane needs: all counts agree on what lies before it.
    pub(super) fn floor(&self) -> Position {
        self.0.iter().map(Needs::lowest).max().unwrap_or_default()
    }

    /// The last position that any lane spoke of.
    pub(super) fn highest(&self) -> Position {
        self.0.iter().map(Needs::highest).max().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
struct Lane {
    resumed_at: Position,
    outstanding: VecDeque<Outstanding>,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    position: Position,
    end: Position,
    weight: u32,
}

/// The lanes of an open reader.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    earlier: Vec<Needs>,
    lanes: Vec<Lane>,
    outstanding: Backlog,
}

impl Lanes {
    /// Takes up `progress` with `count` lanes (at least one).
    pub(super) fn resume(progress: Progress, count: usize) -> Self {
        let floor = progress.floor();
        let mut earlier = progress.0;
        let current = earlier.pop_if(|newest| newest.0.len() == count);
        let needs = current.unwrap_or_else(|| Needs(vec![floor; count.max(1)]));
        earlier.retain(|needs| needs.highest() > floor);
        let surplus = earlier.len().saturating_sub(MAX_EARLIER);
        earlier.drain(..surplus);
        let lanes = needs.0.into_iter().map(|resumed_at| Lane {
            resumed_at,
            outstanding: VecDeque::new(),
        });
        Self {
            earlier,
            lanes: lanes.collect(),
            outstanding: Backlog::default(),
        }
    }

    pub(super) fn lane(&self, key: u64) -> u32 {
        u32::try_from(lane_of(key, self.lanes.len())).unwrap_or(u32::MAX)
    }

    /// Whether the record was acknowledged before the last restart.
    pub(super) fn acknowledged(&self, position: Position, key: u64) -> bool {
        let current = self.lanes.get(lane_of(key, self.lanes.len()));
        current.is_some_and(|lane| position < lane.resumed_at)
            || self.earlier.iter().any(|needs| needs.acknowledged(position, key))
    }

    /// Notes that a record is on its way.
    pub(super) fn deliver(&mut self, key: u64, position: Position, end: Position, weight: u32) {
        let index = lane_of(key, self.lanes.len());
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.outstanding.push_back(Outstanding {
                position,
                end,
                weight,
            });
            self.outstanding.totals += Totals::one(weight);
            self.outstanding.bytes += end.bytes_since(position);
        }
    }

    /// Everything delivered in `lane` up to `end` is done. Returns how much that was.
    pub(super) fn acknowledge(&mut self, lane: u32, end: Position) -> Totals {
        let mut done = Totals::default();
        let Some(lane) = self.lanes.get_mut(lane as usize) else {
            return done;
        };
        while let Some(first) = lane.outstanding.pop_front_if(|first| first.end <= end) {
            done += Totals::one(first.weight);
            self.outstanding.bytes = self
                .outstanding
                .bytes
                .saturating_sub(first.end.bytes_since(first.position));
        }
        self.outstanding.totals -= done;
        done
    }

    /// What was delivered and not acknowledged.
    pub(super) fn outstanding(&self) -> Backlog {
        self.outstanding
    }

    /// The first position that any lane needs when everything before `read` was delivered or skipped.
    pub(super) fn floor(&self, read: Position) -> Position {
        self.lanes
            .iter()
            .map(|lane| lane.need(read))
            .min()
            .unwrap_or(read)
            .min(read)
    }

    /// What has to be kept to take up from here.
    pub(super) fn progress(&mut self, read: Position) -> Progress {
        let needs = Needs(self.lanes.iter().map(|lane| lane.need(read)).collect());
        let floor = needs.lowest();
        self.earlier.retain(|earlier| earlier.highest() > floor);
        let mut all = self.earlier.clone();
        all.push(needs);
        Progress(all)
    }
}

impl Lane {
    fn need(&self, read: Position) -> Position {
        self.outstanding
            .front()
            .map_or(read.max(self.resumed_at), |first| first.position)
    }
}

fn lane_of(key: u64, lanes: usize) -> usize {
    usize::try_from(key % (lanes.max(1) as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position::new(offset)
    }

    fn two_lanes_with_records_at_0_10_20_30() -> Lanes {
        let mut lanes = Lanes::resume(Progress::at(at(0)), 2);
        for index in 0..4 {
            lanes.deliver(index, at(index * 10), at(index * 10 + 10), 1);
        }
        lanes
    }

    #[test]
    fn the_floor_stands_before_the_first_unacknowledged_record() {
        let mut lanes = two_lanes_with_records_at_0_10_20_30();

        lanes.acknowledge(0, at(30));

        assert_eq!(lanes.floor(at(40)), at(10));
    }

    #[test]
    fn a_lane_without_deliveries_follows_the_read_position() {
        let mut lanes = Lanes::resume(Progress::at(at(0)), 8);
        lanes.deliver(3, at(0), at(10), 1);

        lanes.acknowledge(3, at(10));

        assert_eq!(lanes.floor(at(500)), at(500));
    }

    #[test]
    fn what_a_lane_acknowledged_is_known_after_a_restart() {
        let mut lanes = two_lanes_with_records_at_0_10_20_30();
        lanes.acknowledge(0, at(30));

        let again = Lanes::resume(lanes.progress(at(40)), 2);

        let done: Vec<bool> = (0..4)
            .map(|index| again.acknowledged(at(index * 10), index))
            .collect();
        assert_eq!(done, [true, false, true, false]);
    }

    #[test]
    fn acknowledgements_outlive_a_change_of_the_lane_count() {
        let mut lanes = two_lanes_with_records_at_0_10_20_30();
        lanes.acknowledge(0, at(30));
        let mut three = Lanes::resume(lanes.progress(at(40)), 3);

        let again = Lanes::resume(three.progress(at(10)), 5);

        let done: Vec<bool> = (0..4)
            .map(|index| again.acknowledged(at(index * 10), index))
            .collect();
        assert_eq!(done, [true, false, true, false]);
    }

    #[test]
    fn an_earlier_count_is_forgotten_once_it_is_worked_off() {
        let mut lanes = two_lanes_with_records_at_0_10_20_30();
        let mut three = Lanes::resume(lanes.progress(at(40)), 3);

        let progress = three.progress(at(40));

        assert_eq!(progress, Progress(vec![Needs(vec![at(40); 3])]));
    }
}
