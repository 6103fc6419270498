//! Names checked and told apart at the price of a look at their bytes: every label of every sample passes here.

/// A set of names that remembers one of 256 marks of each: it may take a stranger for one of its own, never the
/// other way round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameMarks([u64; 4]);

impl NameMarks {
    /// Adds a name; false when it, or another with its mark, is there already.
    pub(super) fn insert(&mut self, name: &str) -> bool {
        let (word, bit) = place(name);
        let Some(word) = self.0.get_mut(word) else {
            return false;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether `name` may be one of the names; false is certain.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        let (word, bit) = place(name);
        self.0.get(word).is_none_or(|word| word & bit != 0)
    }
}

/// Both ends and the length tell most names of a label set apart.
fn place(name: &str) -> (usize, u64) {
    let mut bytes = name.bytes();
    let first = bytes.next().unwrap_or_default();
    let last = bytes.next_back().unwrap_or_default();
    let [len, ..] = name.len().to_le_bytes();
    let mark = first ^ last.rotate_left(3) ^ len.wrapping_mul(37);
    (usize::from(mark >> 6), 1 << (mark & 63))
}

/// What `model::is_label_name` says, by a table.
pub(super) fn is_label_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|first| !first.is_ascii_digit())
        && bytes
            .iter()
            .all(|byte| IN_A_LABEL_NAME.get(usize::from(*byte)) == Some(&true))
}

static IN_A_LABEL_NAME: [bool; 256] = label_name_bytes();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when compiled, where a panic is an error"
)]
const fn label_name_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    #[test]
    fn the_table_agrees_with_the_model() {
        let texts = (0..=0x2ff_u32).filter_map(char::from_u32);

        for name in texts.flat_map(|char| [char.to_string(), format!("a{char}"), format!("{char}9")]) {
            assert_eq!(is_label_name(&name), model::is_label_name(&name), "{name:?}");
        }
        assert!(!is_label_name(""));
    }

    #[test]
    fn a_name_that_was_added_is_always_known() {
        let names = ["", "a", "job", "job_id", "task_attempt_id", "gr\u{f6}\u{df}e"];
        let mut marks = NameMarks::default();

        for name in names {
            marks.insert(name);
        }

        assert!(
            names
                .iter()
                .all(|name| marks.may_hold(name) && !marks.insert(name))
        );
    }
}
