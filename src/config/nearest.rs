//! Which key was meant.

/// The way out for a key that nobody knows: the one it looks like, or all that may stand there.
pub(super) fn nearest(typed: &str, known: &[&'static str]) -> String {
    let simplified = simplify(typed);
    let allowed = (simplified.chars().count() / 3).max(1);
    let closest = known
        .iter()
        .map(|key| (distance(&simplified, &simplify(key)), key))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed);
    match closest {
        Some((_, key)) => format!("did you mean {key}?"),
        None => {
            let mut known = known.to_vec();
            known.sort_unstable();
            known.dedup();
            format!("known here are {}", known.join(", "))
        }
    }
}

fn simplify(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(64)
        .collect()
}

/// Fewest insertions, deletions and replacements between the two (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut next = vec![above + 1];
        for ((to, &diagonal), &over) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            let before = next.last().copied().unwrap_or(0);
            let replaced = diagonal + usize::from(*to != from);
            next.push(replaced.min(over + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_slip_of_the_hand_names_the_key_that_was_meant() {
        let known = ["max_bytes", "max_age", "when_full"];

        for typed in ["max_byte", "maxBytes", "max-bytes", "mx_bytes"] {
            assert_eq!(nearest(typed, &known), "did you mean max_bytes?");
        }
    }

    #[test]
    fn a_key_like_no_other_names_them_all() {
        assert_eq!(
            nearest("shards", &["sync", "max_age", "sync"]),
            "known here are max_age, sync"
        );
    }

    #[test]
    fn distance_counts_single_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
