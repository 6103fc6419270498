//! Step 2: blanks around values, and the one form of a `job_id`.

use std::borrow::Cow;

use crate::model::{LabelDraft, METRIC_NAME};

use super::Effects;

/// The label that names a Flink job.
pub(super) const JOB_ID: &str = "job_id";

/// Takes the blanks (Unicode white space) off both ends of every value but the metric's name.
pub(super) fn trim_all(draft: &mut LabelDraft<'_>, effects: &mut Effects) {
    for (name, value) in draft.iter_mut() {
        if has_blank_end(value) && name != METRIC_NAME {
            trim(value);
            effects.values_trimmed += 1;
        }
    }
}

/// Brings `job_id` into 32 lower-case hex digits; what cannot be brought there stays and is counted.
pub(super) fn clean_job_id(draft: &mut LabelDraft<'_>, effects: &mut Effects) {
    let Some((_, value)) = draft.iter_mut().find(|(name, _)| name == JOB_ID) else {
        return;
    };
    if is_job_id(value) {
        return;
    }
    match as_job_id(value).map(Cow::into_owned) {
        Some(clean) => {
            *value = Cow::Owned(clean);
            effects.job_ids_cleaned += 1;
        }
        None => effects.invalid_job_ids += 1,
    }
}

/// Whether two values of `canonical` mean the same, so that one of them can go.
pub(super) fn agree(canonical: &str, one: &str, other: &str) -> bool {
    one == other
        || canonical == JOB_ID
            && as_job_id(one).is_some_and(|one| as_job_id(other).is_some_and(|other| one == other))
}

/// Whether `text` ends in Flink's random suffix, 32 lower-case hex digits; then what stands before it.
pub(super) fn without_hex_suffix(text: &str) -> Option<&str> {
    let (before, digits) = text.split_at_checked(text.len().checked_sub(HEX_DIGITS)?)?;
    is_job_id(digits).then_some(before)
}

/// The digits of a Flink id: 16 bytes in hex.
const HEX_DIGITS: usize = 32;
/// Where a UUID has its dashes.
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

fn is_job_id(text: &str) -> bool {
    let Ok(digits) = <&[u8; HEX_DIGITS]>::try_from(text.as_bytes()) else {
        return false;
    };
    // without a way out in the middle all bytes are looked at together
    digits
        .iter()
        .fold(true, |hex, byte| hex & matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn as_job_id(value: &str) -> Option<Cow<'_, str>> {
    let bare = value.trim_start_matches('<').trim_end_matches('>');
    if is_job_id(bare) {
        return Some(Cow::Borrowed(bare));
    }
    let mut digits = bare.to_ascii_lowercase();
    if digits.match_indices('-').map(|(at, _)| at).eq(UUID_DASHES) {
        digits.retain(|char| char != '-');
    }
    is_job_id(&digits).then_some(Cow::Owned(digits))
}

fn has_blank_end(value: &str) -> bool {
    let plain = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_graphic());
    let mut bytes = value.bytes();
    if plain(bytes.next()) && plain(bytes.next_back()) {
        return false;
    }
    value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace)
}

fn trim(value: &mut Cow<'_, str>) {
    match value {
        Cow::Borrowed(text) => *text = text.trim(),
        Cow::Owned(text) => *text = text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";

    #[track_caller]
    fn check(job_id: &str, expected: &str, cleaned: u64, invalid: u64) {
        let mut draft: LabelDraft = [(JOB_ID, job_id)].into_iter().collect();
        let mut effects = Effects::default();

        clean_job_id(&mut draft, &mut effects);

        assert_eq!(draft.get(JOB_ID), Some(expected));
        assert_eq!(
            (effects.job_ids_cleaned, effects.invalid_job_ids),
            (cleaned, invalid)
        );
    }

    #[test]
    fn a_job_id_becomes_32_lower_case_hex_digits() {
        check(ID, ID, 0, 0);
        check("<00112233445566778899aabbccddeeff>", ID, 1, 0);
        check("00112233-4455-6677-8899-AABBCCDDEEFF", ID, 1, 0);
        check("<00112233-4455-6677-8899-aabbccddeeff>", ID, 1, 0);
        check("00112233445566778899AABBCCDDEEFF", ID, 1, 0);
    }

    #[test]
    fn anything_else_stays_and_is_counted_as_invalid() {
        for text in [
            "nightly",
            "<>",
            "0011",
            "0011-2233445566778899aabbccddeeff",
            "größe",
        ] {
            check(text, text, 0, 1);
        }
    }

    #[test]
    fn blanks_go_from_every_value_but_the_metric_name() {
        let mut draft: LabelDraft = [
            ("__name__", " up "),
            ("a", " x y\t"),
            ("b", "\u{a0}ü\u{3000}"),
            ("c", "  "),
            ("d", "plain"),
        ]
        .into_iter()
        .collect();
        let mut effects = Effects::default();

        trim_all(&mut draft, &mut effects);

        let values: Vec<_> = draft.iter().map(|(_, value)| value).collect();
        assert_eq!(values, [" up ", "x y", "ü", "", "plain"]);
        assert_eq!(effects.values_trimmed, 3);
    }
}
