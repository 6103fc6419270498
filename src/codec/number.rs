//! Numbers as Go reads and writes them.

use std::borrow::Cow;
use std::io::Write as _;

/// A decimal of so many digits at most is read back as it was written.
const EXACT_DIGITS: usize = 15;

/// From so many digits before the point on Go writes an exponent.
const WHOLE_DIGITS: usize = 6;

/// The least number with more digits before the point.
const SMALL: f64 = 1e6;

/// A float as Go's `strconv.ParseFloat` reads it, without hexadecimal and underscores: what Rust reads, but no sign
/// before `nan` and no overflow to infinity.
pub(super) fn parse_float(token: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(token).ok()?;
    let value: f64 = text.parse().ok()?;
    if value.is_finite() {
        return Some(value);
    }
    let spelled = text.bytes().any(|byte| matches!(byte, b'n' | b'N'));
    (spelled && (!value.is_nan() || text.len() == 3)).then_some(value)
}

/// 2^64: numbers below it are whole numbers of protobuf.
pub(super) const TOO_MANY: f64 = 18_446_744_073_709_551_616.0;

/// A float as Go makes a `uint64` of it on amd64: without its fraction, negative ones from the top down, and of what is too
/// large or no number the highest bit alone.
pub(super) fn whole_as_in_go(value: f64) -> u64 {
    const HIGHEST: f64 = 9_223_372_036_854_775_808.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the bounds of the type but for the fraction"
    )]
    let number = if (0.0..TOO_MANY).contains(&value) {
        value as u64
    } else if (-HIGHEST..0.0).contains(&value) {
        (value as i64).cast_unsigned()
    } else {
        1 << 63
    };
    number
}

/// A bound (`le`, `quantile`) as Pushgateway shows it, so that `1.0`, `1e0` and a double in protobuf make one series.
/// `None` when it is no float.
pub(super) fn canonical_bound<'a>(text: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    if is_canonical(text) {
        return Some(text.clone());
    }
    if let Cow::Borrowed(borrowed) = *text
        && let Some(whole) = borrowed.strip_suffix(".0")
        && is_canonical(whole)
    {
        return Some(Cow::Borrowed(whole));
    }
    parse_float(text.as_bytes()).map(|bound| Cow::Owned(shortest(bound)))
}

/// Appends a float as [`shortest`] writes it.
pub(super) fn put_shortest(bytes: &mut Vec<u8>, value: f64) {
    if value.fract() == 0.0 && value.abs() < SMALL {
        // writing to a vector cannot fail
        let _ = write!(bytes, "{value}");
    } else {
        bytes.extend_from_slice(shortest(value).as_bytes());
    }
}

/// A float as Go's `strconv.FormatFloat(value, 'g', -1, 64)` writes it: `1`, `0.5`, `1e+06`, `+Inf`, `NaN`.
pub(super) fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = shortest_scientific(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent @ (..-4 | 6..)) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => value.to_string(),
    }
}

/// The fewest digits that are read back as `value`. Of two equally near ones Go takes the even, Rust may not.
fn shortest_scientific(value: f64) -> String {
    let any = format!("{value:e}");
    let mantissa = any.split_once('e').map_or(any.as_str(), |(mantissa, _)| mantissa);
    let behind_point = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    // no other decimal of so few digits is read back as this value
    if behind_point < EXACT_DIGITS && value.is_normal() {
        return any;
    }
    let even = format!("{value:.behind_point$e}");
    if even.parse() == Ok(value) { even } else { any }
}

/// Whether a bound is already written as [`shortest`] writes it; common ones only, the rest takes the long way.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_decimal = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole =
        is_decimal(whole) && whole.len() <= WHOLE_DIGITS && (whole == "0" || !whole.starts_with('0'));
    let is_fraction = fraction.is_none_or(|fraction| {
        is_decimal(fraction) && !fraction.ends_with('0') && !(whole == "0" && fraction.starts_with("0000"))
    });
    text == "+Inf" || (is_whole && is_fraction && digits.len() <= EXACT_DIGITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(bound: &str, expected: &str) {
        let written = canonical_bound(&Cow::Borrowed(bound));
        assert_eq!(written.as_deref(), Some(expected), "{bound}");
    }

    #[test]
    fn b13_floats_become_whole_numbers_as_in_go_on_amd64() {
        for (value, expected) in [
            (2.7, 2),
            (-0.5, 0),
            (-5.7, u64::MAX - 4),
            (18_446_744_073_709_549_568.0, 18_446_744_073_709_549_568),
            (TOO_MANY, 1 << 63),
            (-1e20, 1 << 63),
            (f64::INFINITY, 1 << 63),
            (f64::NAN, 1 << 63),
        ] {
            assert_eq!(whole_as_in_go(value), expected, "{value}");
        }
    }

    #[test]
    fn bounds_are_written_as_go_writes_them() {
        for (bound, expected) in [
            ("1", "1"),
            ("1.0", "1"),
            ("0.0", "0"),
            ("-0", "-0"),
            ("-0.0", "-0"),
            ("0.50", "0.5"),
            (".5", "0.5"),
            ("08", "8"),
            ("100000", "100000"),
            ("999999", "999999"),
            ("999999.5", "999999.5"),
            ("1000000", "1e+06"),
            ("1000000.0", "1e+06"),
            ("1E6", "1e+06"),
            ("12345678.9", "1.23456789e+07"),
            ("1583781848.025745", "1.583781848025745e+09"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("0.000012", "1.2e-05"),
            ("1e-7", "1e-07"),
            ("1e100", "1e+100"),
            ("5e-324", "5e-324"),
            ("0.1000000000000000055", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("-12.3", "-12.3"),
            ("1648594045215575.25", "1.6485940452155752e+15"),
            ("inf", "+Inf"),
            ("+Inf", "+Inf"),
            ("-Infinity", "-Inf"),
            ("nan", "NaN"),
        ] {
            check(bound, expected);
        }
    }

    #[test]
    fn what_is_no_float_is_no_bound() {
        for bound in ["", "-", ".", "1_0", "0x1", "one", "1 ", "1e400"] {
            assert_eq!(canonical_bound(&Cow::Borrowed(bound)), None, "{bound}");
        }
    }

    proptest! {
        #[test]
        fn a_written_float_is_read_back_and_stays_as_it_is(value in any::<f64>()) {
            let written = shortest(value);

            let read = parse_float(written.as_bytes()).unwrap();
            prop_assert!(read == value || (read.is_nan() && value.is_nan()));
            prop_assert_eq!(canonical_bound(&Cow::Borrowed(written.as_str())).unwrap(), written.as_str());
        }

        #[test]
        fn an_appended_float_is_the_written_one(value in prop_oneof![any::<f64>(), (-2_000_000..2_000_000).prop_map(f64::from)]) {
            let mut bytes = Vec::new();

            put_shortest(&mut bytes, value);

            prop_assert_eq!(String::from_utf8(bytes).unwrap(), shortest(value));
        }

        #[test]
        fn the_short_way_says_what_the_long_way_says(bound in "-?[0-9]{1,8}(\\.[0-9]{1,8})?") {
            let expected = shortest(bound.parse().unwrap());

            prop_assert_eq!(canonical_bound(&Cow::Borrowed(bound.as_str())).unwrap(), expected);
        }
    }
}
