//! Exact amounts of privacy.
//!
//! An amount is an integer number of nanos (10^-9 of rho in zero-concentrated differential privacy, of epsilon in pure
//! differential privacy). Sums are checked, never wrapped; a text with more than nine decimals is refused rather than
//! rounded; floats appear only when an amount is handed to OpenDP, and then round against the asker.

#![warn(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanos in one unit of rho or epsilon.
pub const NANOS_PER_UNIT: u64 = 1_000_000_000;

/// An amount of privacy in nanos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(u64);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point.
    #[error("an amount is a plain decimal number in quotes, such as \"0.05\": no sign, no exponent")]
    Malformed,
    /// Finer than a nano.
    #[error("an amount has at most nine decimals")]
    TooFine,
    /// Larger than the ledger can hold.
    #[error("an amount is at most 1000000")]
    TooLarge,
}

impl Nanos {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount that can be written: a million units.
    pub const MAX: Self = Self(1_000_000 * NANOS_PER_UNIT);

    /// An amount from a count of nanos.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The count of nanos.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Reads a plain decimal text exactly.
    ///
    /// # Errors
    /// Refuses signs, exponents, more than nine decimals and amounts above a million.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || fraction.is_some_and(|f| !digits(f)) {
            return Err(AmountError::Malformed);
        }
        let fraction = fraction.unwrap_or("").trim_end_matches('0');
        if fraction.len() > 9 {
            return Err(AmountError::TooFine);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 7 {
            return Err(AmountError::TooLarge);
        }
        let number: u64 = format!("0{whole}{fraction:0<9}").parse().map_err(|_| AmountError::Malformed)?;
        if number > Self::MAX.0 { Err(AmountError::TooLarge) } else { Ok(Self(number)) }
    }

    /// The sum, or `None` above what can be held.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Splits the amount over `parts` as evenly as integers allow; the parts sum to the amount exactly.
    #[must_use]
    pub fn split_evenly(self, parts: usize) -> Vec<Self> {
        let count = u64::try_from(parts).unwrap_or(u64::MAX);
        let (Some(share), Some(rest)) = (self.0.checked_div(count), self.0.checked_rem(count)) else {
            return Vec::new();
        };
        (0..count).map(|i| Self(share.saturating_add(u64::from(i < rest)))).collect()
    }

    /// Splits the amount in proportion to these shares by the method of largest remainders; the parts sum to the amount
    /// exactly. Equal remainders go to the first. A share counts to 2^-60 of a unit; none below zero, none above one.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "scaling by a power of two is exact; the rest is integers"
    )]
    pub fn apportion(self, shares: &[f64]) -> Vec<Self> {
        let shares: Vec<u128> = shares.iter().map(|s| (s.clamp(0.0, 1.0) * 2.0_f64.powi(60)) as u128).collect();
        let whole: u128 = shares.iter().fold(0, |sum, share| sum.saturating_add(*share));
        // a share is at most 2^60 and an amount below 2^64: the product is exact
        let exact = |share: &u128| share.saturating_mul(u128::from(self.0));
        let part = |share: &u128| exact(share).checked_div(whole).and_then(|q| u64::try_from(q).ok()).unwrap_or(0);
        let mut parts: Vec<u64> = shares.iter().map(part).collect();
        let remainder = |share: &u128| exact(share).checked_rem(whole).unwrap_or(0);
        let mut order: Vec<(std::cmp::Reverse<u128>, usize)> =
            shares.iter().enumerate().map(|(at, share)| (std::cmp::Reverse(remainder(share)), at)).collect();
        order.sort_unstable();
        let mut left = parts.iter().fold(self.0, |left, part| left.saturating_sub(*part));
        for (_, at) in order {
            if let Some(part) = parts.get_mut(at).filter(|_| left > 0 && whole > 0) {
                *part = part.saturating_add(1);
                left = left.saturating_sub(1);
            }
        }
        parts.into_iter().map(Self).collect()
    }

    /// The amount as a float that is never more than the amount: for handing a price to OpenDP.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "the one place where an amount becomes a float, rounded down"
    )]
    pub fn at_most(self) -> f64 {
        if self.0 == 0 { 0.0 } else { (self.0 as f64 / 1e9).next_down() }
    }

    /// The smallest amount that is not below `units`, for a price that was computed as a float.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounds a computed price up"
    )]
    pub fn at_least(units: f64) -> Option<Self> {
        let nanos = (units * 1e9).next_up().ceil();
        (0.0..=1e15).contains(&nanos).then_some(Self(nanos as u64))
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = Decimal::from_i128_with_scale(i128::from(self.0), 9).normalize();
        write!(f, "{amount}")
    }
}

impl Serialize for Nanos {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How an account adds up its losses. One kind per account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accounting {
    /// Zero-concentrated differential privacy: amounts are rho, noise is discrete Gaussian.
    Zcdp,
    /// Pure differential privacy: amounts are epsilon, noise is discrete Laplace.
    Pure,
}

impl Accounting {
    /// The accounting as it stands in policy files, the ledger and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zcdp => "zcdp",
            Self::Pure => "pure",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        assert_eq!(Nanos::parse("0.05"), Ok(Nanos(50_000_000)));
        assert_eq!(Nanos::parse("0.10"), Nanos::parse("0.1"));
        assert_eq!(Nanos::parse("3"), Ok(Nanos(3 * NANOS_PER_UNIT)));
        for text in ["", ".", "-1", "+1", "1e-3", "NaN", "1e400", " 1", "1.", ".5", "0x1", "1_000"] {
            assert_eq!(Nanos::parse(text), Err(AmountError::Malformed), "{text}");
        }
        assert_eq!(Nanos::parse("0.0000000001"), Err(AmountError::TooFine));
        assert_eq!(Nanos::parse("0.1000000000000"), Ok(Nanos(100_000_000)));
        assert_eq!(Nanos::parse("99999999"), Err(AmountError::TooLarge));
        assert_eq!(Nanos::parse("1000000"), Ok(Nanos::MAX));
        assert_eq!(Nanos::parse("1000000.1"), Err(AmountError::TooLarge));
    }

    #[test]
    fn a_split_loses_nothing() {
        for parts in 1..40 {
            let total: u64 = Nanos(1_000_003).split_evenly(parts).iter().map(|n| n.0).sum();
            assert_eq!(total, 1_000_003);
        }
        assert!(Nanos(5).split_evenly(0).is_empty());
    }

    #[test]
    fn shares_get_what_is_theirs_to_the_nano() {
        let units = |total: u64, shares: &[f64]| -> Vec<u64> {
            Nanos(total).apportion(shares).iter().map(|n| n.as_nanos()).collect()
        };
        assert_eq!(units(10, &[0.5, 0.25, 0.25]), [5, 3, 2], "equal remainders go to the first");
        assert_eq!(units(7, &[0.0, 1.0]), [0, 7]);
        assert_eq!(units(3, &[0.1, 0.1, 0.1, 0.0]), [1, 1, 1, 0], "shares need not sum to one");
        assert!(units(5, &[]).is_empty());
        assert_eq!(units(5, &[0.0, f64::NAN]), [0, 0], "no shares, no parts");
        let uneven: Vec<f64> = (1_u32..400).map(|i| 1.0 / f64::from(i).powi(3)).collect();
        for total in [0, 1, 17, 100_000_000, Nanos::MAX.as_nanos()] {
            assert_eq!(units(total, &uneven).iter().sum::<u64>(), total);
        }
    }

    #[test]
    fn ten_tenths_are_one_and_floats_round_against_the_asker() {
        let tenth = Nanos(NANOS_PER_UNIT / 10);
        let sum = (0..10).try_fold(Nanos::ZERO, |sum, _| sum.checked_add(tenth));
        assert_eq!(sum, Nanos::parse("1").ok());
        assert!(tenth.at_most() < 0.1);
        assert!(Nanos::at_least(0.1) >= Some(tenth));
        assert_eq!(tenth.to_string(), "0.1");
        assert_eq!(Nanos(NANOS_PER_UNIT).to_string(), "1");
    }
}
