//! Single values: text to what it means, or the rule it breaks and the way out.

use std::time::Duration;

use super::error::Fault;

/// Units of a duration, longest first, in milliseconds; Prometheus' own, so a year has 365 days.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Units of a size, largest first.
const SIZE_UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// How to read an ordered value, and how to write it in a message.
#[derive(Clone, Copy)]
pub(super) struct Kind<T> {
    parse: fn(&str) -> Result<T, Fault>,
    show: fn(T) -> String,
}

pub(super) const DURATION: Kind<Duration> = Kind {
    parse: duration,
    show: spell_duration,
};
pub(super) const SIZE: Kind<u64> = Kind {
    parse: size,
    show: spell_size,
};
pub(super) const NUMBER: Kind<u64> = Kind {
    parse: number,
    show: spell_number,
};

impl<T: PartialOrd + Copy> Kind<T> {
    /// Reads a value between `least` and `most`, each with the reason for it.
    pub(super) fn within(
        self,
        least: (T, &'static str),
        most: (T, &'static str),
    ) -> impl Fn(&str) -> Result<T, Fault> {
        move |text| {
            let value = (self.parse)(text)?;
            if value < least.0 {
                let way_out = format!("write {} or more, {}", (self.show)(least.0), least.1);
                return Err(Fault::new("is too little", way_out));
            }
            if value > most.0 {
                let way_out = format!("write {} or less, {}", (self.show)(most.0), most.1);
                return Err(Fault::new("is too much", way_out));
            }
            Ok(value)
        }
    }

    /// The same, with `0` meaning "off".
    pub(super) fn off_or_within(
        self,
        off: T,
        least: (T, &'static str),
        most: (T, &'static str),
    ) -> impl Fn(&str) -> Result<T, Fault> {
        let within = self.within(least, most);
        move |text| match (self.parse)(text) {
            Ok(value) if value == off => Ok(value),
            _ => within(text),
        }
    }
}

/// A Prometheus duration: whole numbers with `y w d h m s ms`, longest unit first; or `0`.
pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    let millis = if text == "0" { Some(0) } else { millis_of(text) };
    millis.map(Duration::from_millis).ok_or_else(|| {
        let example = meant_duration(text).unwrap_or_else(|| "10m, 1h30m or 1d".to_owned());
        Fault::new("is no duration", format!("write it as {example}"))
    })
}

fn millis_of(text: &str) -> Option<u64> {
    let mut units = DURATION_UNITS.iter();
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let (count, after) = rest.split_at_checked(digits(rest))?;
        let (unit, tail) = after.split_at_checked(letters(after))?;
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(*millis)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// `10 minutes` and `1.5h` have a spelling here; anything else has not.
fn meant_duration(text: &str) -> Option<String> {
    let (count, word) = number_and_word(text)?;
    let unit = match word.as_str() {
        "" => return Some(format!("{count}s, with its unit")),
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        word if word.starts_with("mo") => return None,
        word => match word.chars().next()? {
            's' => "s",
            'm' => "m",
            'h' => "h",
            'd' => "d",
            'w' => "w",
            'y' => "y",
            _ => return None,
        },
    };
    Some(format!("{count}{unit}")).filter(|text| millis_of(text).is_some())
}

/// Bytes: a whole number, alone or with `B KiB MiB GiB TiB`.
pub(super) fn size(text: &str) -> Result<u64, Fault> {
    bytes_of(text).ok_or_else(|| {
        let example = meant_size(text).unwrap_or_else(|| "512MiB, 8GiB or plain bytes".to_owned());
        Fault::new("is no size", format!("write it as {example}"))
    })
}

fn bytes_of(text: &str) -> Option<u64> {
    let (count, unit) = text.split_at_checked(digits(text))?;
    let count: u64 = count.parse().ok()?;
    if unit.is_empty() {
        return Some(count);
    }
    let (_, shift) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    count.checked_mul(1u64.checked_shl(*shift)?)
}

fn meant_size(text: &str) -> Option<String> {
    let (count, word) = number_and_word(text)?;
    let unit = match word.chars().next()? {
        'k' => "KiB",
        'm' => "MiB",
        'g' => "GiB",
        't' => "TiB",
        'b' => "B",
        _ => return None,
    };
    Some(format!("{count}{unit}")).filter(|text| bytes_of(text).is_some())
}

/// A whole number and the lower-case word behind it, blanks between them left out.
fn number_and_word(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let (count, word) = text.split_at_checked(digits(text))?;
    let word = word.trim().to_ascii_lowercase();
    let plain = word.chars().all(|c| c.is_ascii_alphabetic());
    plain.then(|| count.parse().ok().map(|count| (count, word)))?
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn letters(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}

/// A whole number.
pub(super) fn number(text: &str) -> Result<u64, Fault> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| Fault::new("is no whole number", "write it in digits, as 2000"))
}

/// `true` or `false`, in all the spellings that Prometheus' YAML knows.
pub(super) fn switch(text: &str) -> Result<bool, Fault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err(Fault::new("is neither yes nor no", "write true or false")),
    }
}

/// Any text.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands where other readers may refuse"
)]
pub(super) fn any(text: &str) -> Result<String, Fault> {
    Ok(text.to_owned())
}

/// One of the given words, in exactly this spelling.
pub(super) fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&str) -> Result<T, Fault> {
    move |text| {
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| Fault::new("is not known here", format!("write {}", choice(words))))
    }
}

/// `a, b or c`.
fn choice<T>(words: &[(&str, T)]) -> String {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    match known.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => known.concat(),
    }
}

/// A duration in Prometheus' spelling: `1h30m`, `150ms`, `0s`.
#[must_use]
pub fn spell_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, millis) in DURATION_UNITS {
        let exact_only = matches!(unit, "y" | "w");
        if rest < millis || (exact_only && !rest.is_multiple_of(millis)) {
            continue;
        }
        out.push_str(&format!("{}{unit}", rest / millis));
        rest %= millis;
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// A size in the largest unit that divides it: `8GiB`, `1536MiB`, `1000B`.
#[must_use]
pub fn spell_size(bytes: u64) -> String {
    SIZE_UNITS
        .iter()
        .map(|(unit, shift)| (unit, 1u64 << shift))
        .find(|(_, unit_bytes)| bytes >= *unit_bytes && bytes.is_multiple_of(*unit_bytes))
        .map_or_else(
            || "0B".to_owned(),
            |(unit, unit_bytes)| format!("{}{unit}", bytes / unit_bytes),
        )
}

fn spell_number(number: u64) -> String {
    number.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, proptest};

    use super::{Fault, NUMBER, bytes_of, duration, millis_of, size, spell_duration, spell_size, switch};

    fn said<T: std::fmt::Debug>(read: Result<T, Fault>) -> String {
        match read {
            Ok(value) => format!("{value:?}"),
            Err(fault) => format!("{}: {}", fault.rule, fault.way_out),
        }
    }

    #[track_caller]
    fn duration_is(text: &str, expected: &str) {
        assert_eq!(said(duration(text)), expected, "{text}");
    }

    #[track_caller]
    fn size_is(text: &str, expected: &str) {
        assert_eq!(said(size(text)), expected, "{text}");
    }

    #[test]
    fn durations_are_written_as_in_prometheus() {
        duration_is("10m", "600s");
        duration_is("1h30m", "5400s");
        duration_is("1d", "86400s");
        duration_is("1y2w3d4h5m6s7ms", "33019506.007s");
        duration_is("150ms", "150ms");
        duration_is("0", "0ns");
        duration_is("0s", "0ns");
    }

    #[test]
    fn what_is_no_duration_is_told_its_spelling_where_one_is_near() {
        duration_is("10", "is no duration: write it as 10s, with its unit");
        duration_is("10 minutes", "is no duration: write it as 10m");
        duration_is("2H", "is no duration: write it as 2h");
        duration_is("5 millis", "is no duration: write it as 5ms");
        duration_is("3 months", "is no duration: write it as 10m, 1h30m or 1d");
        for text in [
            "",
            "soon",
            "1.5h",
            "-1s",
            "30m1h",
            "1m1m",
            "m",
            "99999999999999999999s",
            "1٣s",
        ] {
            duration_is(text, "is no duration: write it as 10m, 1h30m or 1d");
        }
    }

    #[test]
    fn sizes_are_binary_and_say_so() {
        size_is("8GiB", "8589934592");
        size_is("64MiB", "67108864");
        size_is("4096", "4096");
        size_is("12B", "12");
    }

    #[test]
    fn what_is_no_size_is_told_its_spelling_where_one_is_near() {
        size_is("8 gigs", "is no size: write it as 8GiB");
        size_is("8GB", "is no size: write it as 8GiB");
        size_is("64m", "is no size: write it as 64MiB");
        size_is("64 mib", "is no size: write it as 64MiB");
        for text in ["", "big", "1.5GiB", "-1", "99999999999TiB"] {
            size_is(text, "is no size: write it as 512MiB, 8GiB or plain bytes");
        }
    }

    #[test]
    fn switches_know_every_spelling_of_prometheus_yaml() {
        for (text, expected) in [
            ("true", "true"),
            ("Yes", "true"),
            ("on", "true"),
            ("FALSE", "false"),
            ("no", "false"),
        ] {
            assert_eq!(said(switch(text)), expected);
        }
        assert_eq!(said(switch("1")), "is neither yes nor no: write true or false");
    }

    #[test]
    fn a_bound_names_itself_and_its_reason() {
        let read = NUMBER.off_or_within(0, (4, "for a reason"), (9, "for another"));

        let all: Vec<String> = ["0", "3", "4", "10"].map(|text| said(read(text))).to_vec();

        assert_eq!(
            all,
            [
                "0",
                "is too little: write 4 or more, for a reason",
                "4",
                "is too much: write 9 or less, for another"
            ]
        );
    }

    proptest! {
        #[test]
        fn a_spelled_duration_reads_back_as_itself(millis in 0..u64::MAX / 2) {
            let spelled = spell_duration(Duration::from_millis(millis));

            assert_eq!(millis_of(&spelled), Some(millis), "{spelled}");
        }

        #[test]
        fn a_spelled_size_reads_back_as_itself(bytes in any::<u64>()) {
            assert_eq!(bytes_of(&spell_size(bytes)), Some(bytes));
        }
    }
}
