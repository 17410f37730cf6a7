//! Numbers as files write them, read exactly into integers.
//!
//! # Guarantees
//! No float is ever involved. Only plain digits are read: no exponent, no thousands separator, no `NaN`. A number too
//! large for 64 bits becomes the largest of its sign, which every public bound then clamps or refuses.

use super::RowRule;

/// Reads `-?[0-9]+`.
pub(super) fn integer(text: &[u8]) -> Result<i64, RowRule> {
    let (negative, digits) = sign(text);
    if digits.is_empty() {
        return Err(RowRule::NotAnInteger);
    }
    let whole = push_digits(0, digits).ok_or(RowRule::NotAnInteger)?;
    Ok(if negative { -whole } else { whole })
}

/// Reads `-?[0-9]+(\.[0-9]+)?` into units of `10^-scale`. Zeros beyond the scale are allowed, other digits are not.
pub(super) fn decimal(text: &[u8], scale: u32) -> Result<i64, RowRule> {
    let (negative, digits) = sign(text);
    let point = digits.iter().position(|b| *b == b'.').unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at_checked(point).unwrap_or((digits, b""));
    let fraction = match fraction {
        [] => fraction,
        [_point, rest @ ..] if !rest.is_empty() => rest,
        [_point, ..] => return Err(RowRule::NotANumber),
    };
    if whole.is_empty() {
        return Err(RowRule::NotANumber);
    }
    let scale = usize::try_from(scale).unwrap_or(usize::MAX);
    let (kept, beyond) = fraction.split_at_checked(scale).unwrap_or((fraction, b""));
    if !beyond.iter().all(u8::is_ascii_digit) {
        return Err(RowRule::NotANumber);
    }
    let units = push_digits(0, whole).and_then(|units| push_digits(units, kept)).ok_or(RowRule::NotANumber)?;
    if beyond.iter().any(|b| *b != b'0') {
        return Err(RowRule::TooManyDecimals);
    }
    let units = (kept.len()..scale).fold(units, |units, _| units.saturating_mul(10));
    Ok(if negative { -units } else { units })
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    }
}

/// Appends decimal digits to a number that is not negative; saturates. `None`: something else than a digit.
fn push_digits(start: i64, digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(start, |number, byte| {
        byte.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(i64::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_are_plain_digits() {
        for (text, value) in [("0", 0), ("-7", -7), ("007", 7), ("-0", 0), ("9223372036854775807", i64::MAX)] {
            assert_eq!(integer(text.as_bytes()), Ok(value), "{text}");
        }
        for text in ["", "-", "+7", " 7", "7 ", "1e2", "7.0", "0x7", "--7", "NaN", "٣", "1,000"] {
            assert_eq!(integer(text.as_bytes()), Err(RowRule::NotAnInteger), "{text}");
        }
    }

    #[test]
    fn decimals_keep_their_scale_exactly() {
        for (text, scale, value) in
            [("12.34", 2, 1234), ("12", 2, 1200), ("-0.1", 1, -1), ("1.500", 1, 15), ("0.0", 0, 0), ("1.000000", 0, 1)]
        {
            assert_eq!(decimal(text.as_bytes(), scale), Ok(value), "{text}");
        }
        for text in
            ["", "-", ".", ".5", "5.", "1.2.3", "1e2", "1E400", "inf", "NaN", "+1", "1 000", "1,5", "1.2x", "1.x"]
        {
            assert_eq!(decimal(text.as_bytes(), 2), Err(RowRule::NotANumber), "{text}");
        }
        assert_eq!(decimal(b"1.234", 2), Err(RowRule::TooManyDecimals));
        assert_eq!(decimal(b"1.23x", 2), Err(RowRule::NotANumber));
    }

    #[test]
    fn numbers_beyond_64_bits_saturate_with_their_sign() {
        let huge = "9".repeat(400);
        assert_eq!(integer(huge.as_bytes()), Ok(i64::MAX));
        assert_eq!(decimal(format!("-{huge}").as_bytes(), 2), Ok(-i64::MAX));
        assert_eq!(decimal(b"9223372036854775807", 4), Ok(i64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_written_with_a_scale_is_read_back(
            units in -1_000_000_000_000_i64..1_000_000_000_000,
            scale in 0_u32..6,
        ) {
            let power = 10_i64.pow(scale);
            let sign = if units < 0 { "-" } else { "" };
            let width = usize::try_from(scale).unwrap();
            let text = match scale {
                0 => format!("{units}"),
                _ => format!("{sign}{}.{:0width$}", units.abs() / power, units.abs() % power),
            };
            prop_assert_eq!(decimal(text.as_bytes(), scale), Ok(units));
        }
    }
}
