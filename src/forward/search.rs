//! How far a refused record is searched for the series that are to blame.

/// Refusals that a search may gather before it has saved anything: enough to come down from a request of any size to
/// a single series, and to see that its neighbours fare no better.
const PATIENCE: u32 = 32;
/// Refusals that each accepted part is worth: where parts keep being accepted, the search pays.
const WORTH_OF_ACCEPTED: u32 = 2;
/// Most refusals of one record, however well the search goes: some 40 offenders apart from each other in 2,000.
const MAX_REFUSALS: u32 = 256;
/// Searches in a row that saved nothing, after which the remote is taken to refuse everything: a backlog grown too
/// old for it, a wrong URL.
const MAX_FRUITLESS: u32 = 4;
/// The patience left then: a record is refused in two halves, and given up.
const PATIENCE_LOST: u32 = 1;

/// The searches of one lane, one record after the other. Between records there is no limit: each is halved off from
/// the others, because what is refused anew after a crash stands beside what never arrived.
#[derive(Debug, Default)]
pub(super) struct Search {
    piece: Option<usize>,
    refused: u32,
    accepted: u32,
    fruitless: u32,
}

impl Search {
    /// Turns to a new batch, whose pieces are counted from zero again.
    pub(super) const fn begin(&mut self) {
        self.turn_to(None);
    }

    /// Notes that a part was accepted; `piece` as of [`Search::may_go_on`].
    pub(super) fn accepted(&mut self, piece: Option<usize>) {
        if self.piece != piece {
            self.turn_to(piece);
        }
        self.accepted += 1;
        self.fruitless = 0;
    }

    /// Notes that a part was refused and tells whether to look into it; `piece` is the one piece the part was taken
    /// from, `None` when it was taken from several.
    pub(super) fn may_go_on(&mut self, piece: Option<usize>) -> bool {
        if piece.is_none() {
            return true;
        }
        if self.piece != piece {
            self.turn_to(piece);
        }
        self.refused += 1;
        let patience = if self.fruitless < MAX_FRUITLESS {
            PATIENCE
        } else {
            PATIENCE_LOST
        };
        let worth = patience.saturating_add(self.accepted.saturating_mul(WORTH_OF_ACCEPTED));
        self.refused <= worth.min(MAX_REFUSALS)
    }

    const fn turn_to(&mut self, piece: Option<usize>) {
        if self.refused > 0 && self.accepted == 0 {
            self.fruitless = self.fruitless.saturating_add(1);
        }
        self.piece = piece;
        self.refused = 0;
        self.accepted = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many refusals of `piece` in a row are looked into.
    fn looks(search: &mut Search, piece: usize) -> u32 {
        let mut looks = 0;
        while search.may_go_on(Some(piece)) {
            looks += 1;
        }
        looks
    }

    #[test]
    fn a_search_that_saves_nothing_ends() {
        let mut search = Search::default();

        assert_eq!(looks(&mut search, 0), PATIENCE);
        assert_eq!(looks(&mut search, 1), PATIENCE);
    }

    #[test]
    fn what_is_accepted_lets_it_go_on_but_not_for_ever() {
        let mut search = Search::default();

        search.accepted(Some(0));
        let after_one = looks(&mut search, 0);
        (0..1000).for_each(|_| search.accepted(Some(1)));

        assert_eq!(after_one, PATIENCE + WORTH_OF_ACCEPTED);
        assert_eq!(looks(&mut search, 1), MAX_REFUSALS);
    }

    #[test]
    fn a_remote_that_refuses_everything_is_searched_less_until_it_accepts() {
        let mut search = Search::default();
        (0..4).for_each(|piece| {
            looks(&mut search, piece);
        });

        search.begin();
        let tired = looks(&mut search, 0);
        search.accepted(None);
        let fresh = looks(&mut search, 1);

        assert_eq!((tired, fresh), (PATIENCE_LOST, PATIENCE));
    }

    #[test]
    fn records_are_always_told_apart() {
        let mut search = Search::default();

        assert!((0..10_000).all(|_| search.may_go_on(None)));
    }
}
