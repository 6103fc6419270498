//! How far a refused record is searched for the series that are to blame (ADR 0013).
//!
//! The search is exact as long as there is no reason to believe that the remote refuses everything: the part is halved
//! until each offender is alone. What ends it is evidence, and evidence is asked for anew each time: single samples from
//! all over what is left are sent, and only when each of them is refused too is the rest rejected unsearched.

use std::collections::BTreeSet;

/// Refusals in a row, without a part of the record accepted in between, until probes are sent. So 100 offenders in 2,000
/// are found wherever they stand, and any number of them when good series are among them now and then.
const PATIENCE: u32 = 256;
/// Records in a row of which nothing was accepted, and nothing of any other record either, after which the remote is
/// taken to refuse everything: a backlog grown too old for it, a wrong URL.
const MAX_FRUITLESS: u32 = 4;
/// Most groups remembered of whose last record nothing was accepted. Beyond it all are forgotten, which costs requests.
const MAX_DISTRUSTED: usize = 4096;

/// What to do with a refused part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send both halves.
    Halve,
    /// Send single samples of it; reject the rest if each of them is refused.
    Probe,
}

/// A refused part of one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The one piece it was taken from; `None` when it was taken from several.
    pub(super) piece: Option<usize>,
    /// The key of that piece's record: its group.
    pub(super) key: u64,
}

/// The searches of one lane, one record after the other. Between records there is no limit: each is halved off from
/// the others, because what is refused anew after a crash stands beside what never arrived.
#[derive(Debug, Default)]
pub(super) struct Search {
    piece: Option<(usize, u64)>,
    refused: u32,
    in_a_row: u32,
    accepted: u32,
    fruitless: u32,
    distrusted: BTreeSet<u64>,
}

impl Search {
    /// Turns to a new batch, whose pieces are counted from zero again.
    pub(super) fn begin(&mut self) {
        self.turn_to(None);
    }

    /// Notes that a part was accepted; `keys` are of all records it was taken from.
    pub(super) fn accepted(&mut self, part: Part, keys: impl Iterator<Item = u64>) {
        self.turn_to(part.piece.map(|piece| (piece, part.key)));
        self.accepted += 1;
        self.in_a_row = 0;
        self.fruitless = 0;
        for key in keys {
            self.distrusted.remove(&key);
        }
    }

    /// Notes that a part was refused, and tells what to do with it.
    pub(super) fn refused(&mut self, part: Part) -> Step {
        let Some(piece) = part.piece else {
            return Step::Halve;
        };
        self.turn_to(Some((piece, part.key)));
        self.refused += 1;
        self.in_a_row += 1;
        let is_distrusted =
            self.accepted == 0 && (self.fruitless >= MAX_FRUITLESS || self.distrusted.contains(&part.key));
        if is_distrusted || self.in_a_row > PATIENCE {
            return Step::Probe;
        }
        Step::Halve
    }

    fn turn_to(&mut self, piece: Option<(usize, u64)>) {
        if self.piece == piece {
            return;
        }
        if let Some((_, key)) = self.piece
            && self.refused > 0
            && self.accepted == 0
        {
            self.fruitless = self.fruitless.saturating_add(1);
            if self.distrusted.len() >= MAX_DISTRUSTED {
                self.distrusted.clear();
            }
            self.distrusted.insert(key);
        }
        self.piece = piece;
        self.refused = 0;
        self.in_a_row = 0;
        self.accepted = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(piece: usize, key: u64) -> Part {
        Part {
            piece: Some(piece),
            key,
        }
    }

    /// How many refusals of a record in a row are looked into by halves.
    fn looks(search: &mut Search, part: Part) -> u32 {
        let mut looks = 0;
        while search.refused(part) == Step::Halve {
            looks += 1;
        }
        looks
    }

    #[test]
    fn a_search_that_saves_nothing_asks_for_evidence() {
        let mut search = Search::default();

        assert_eq!(looks(&mut search, part(0, 1)), PATIENCE);
        assert_eq!(looks(&mut search, part(1, 2)), PATIENCE);
    }

    #[test]
    fn each_accepted_part_lets_it_go_on() {
        let mut search = Search::default();

        for _ in 0..10 {
            assert_eq!(looks(&mut search, part(0, 1)), PATIENCE);
            search.accepted(part(0, 1), [1].into_iter());
        }
    }

    #[test]
    fn a_group_of_whose_last_record_nothing_was_accepted_is_asked_for_evidence_at_once() {
        let mut search = Search::default();
        search.refused(part(0, 1));
        search.accepted(part(1, 2), [2].into_iter());
        search.begin();

        let tired = looks(&mut search, part(0, 1));
        search.accepted(part(0, 1), [1].into_iter());
        search.begin();
        let fresh = looks(&mut search, part(0, 1));

        assert_eq!((tired, fresh), (0, PATIENCE));
    }

    #[test]
    fn a_lane_of_whose_last_records_nothing_was_accepted_is_asked_for_evidence_at_once() {
        let mut search = Search::default();
        for key in 0..u64::from(MAX_FRUITLESS) {
            assert_eq!(search.refused(part(0, key)), Step::Halve);
            search.begin();
        }

        let tired = looks(&mut search, part(0, 99));
        search.accepted(part(1, 100), [100].into_iter());
        let fresh = looks(&mut search, part(2, 101));

        assert_eq!((tired, fresh), (0, PATIENCE));
    }

    #[test]
    fn records_are_always_told_apart() {
        let mut search = Search::default();
        let several = Part { piece: None, key: 0 };

        assert!((0..10_000).all(|_| search.refused(several) == Step::Halve));
    }
}
