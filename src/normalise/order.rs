//! The order of a finished set, found faster than by comparing names.

use crate::model::LabelDraft;

use super::names::NameMarks;

/// `draft` in the order of its names.
pub(super) fn sorted(mut draft: LabelDraft<'_>) -> LabelDraft<'_> {
    // the first eight bytes of a name, as a number, nearly always decide
    let mut keyed: Vec<_> = draft
        .iter_mut()
        .map(|label| (beginning(&label.0), label))
        .collect();
    keyed.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.0.cmp(&other.0)));
    let mut sorted = LabelDraft::with_capacity(keyed.len());
    for (_, (name, value)) in keyed {
        sorted.push(std::mem::take(name), std::mem::take(value));
    }
    sorted
}

/// Whether names are unique and nothing is empty.
pub(super) fn is_clean(draft: &LabelDraft<'_>) -> bool {
    let mut marks = NameMarks::default();
    for (at, (name, value)) in draft.iter().enumerate() {
        if name.is_empty() || value.is_empty() {
            return false;
        }
        if !marks.insert(name) && draft.iter().take(at).any(|(earlier, _)| earlier == name) {
            return false;
        }
    }
    true
}

fn beginning(name: &str) -> u64 {
    let bytes = name.as_bytes();
    match bytes.first_chunk::<8>() {
        Some(first) => big_endian(first),
        None => {
            let mut padded = [0; 8];
            for (place, byte) in padded.iter_mut().zip(bytes) {
                *place = *byte;
            }
            big_endian(&padded)
        }
    }
}

/// Big-endian numbers compare as the bytes do.
fn big_endian(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes).swap_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sorted_draft_is_in_the_order_of_its_set(
            names in proptest::collection::hash_set("[ab_]{1,12}|[\0\u{e9}a]{1,9}", 0..40)
        ) {
            let draft: LabelDraft = names.into_iter().map(|name| (name, "v")).collect();
            let expected = draft.clone().into_set();

            let sorted = sorted(draft);

            let (names, expected): (Vec<_>, Vec<_>) = (sorted.iter().collect(), expected.iter().collect());
            prop_assert_eq!(names, expected);
        }

        #[test]
        fn a_draft_is_clean_when_finishing_it_takes_nothing_away(
            labels in proptest::collection::vec(("[ab]{0,3}", "[xy]{0,2}"), 0..12)
        ) {
            let draft: LabelDraft = labels.into_iter().collect();

            prop_assert_eq!(is_clean(&draft), draft.clone().into_set().len() == draft.len());
        }
    }
}
