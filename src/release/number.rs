//! A published figure: a whole number, or a decimal one written out.
//!
//! Counts are JSON integers. What has decimals is a string, so that no reader rounds it and no writer adds digits that
//! were never there.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A published figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Number {
    /// Persons, rows, sums of whole units.
    Whole(i64),
    /// Anything with decimals, in plain notation.
    Decimal(String),
}

impl Number {
    /// The whole number, if it is one.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Decimal(_) => None,
        }
    }

    /// Whether it is 0, with or without decimals.
    pub(super) fn is_nought(&self) -> bool {
        match self {
            Self::Whole(number) => *number == 0,
            Self::Decimal(text) => text.chars().all(|c| matches!(c, '0' | '.')),
        }
    }

    /// A figure with so many decimals; a whole number without any.
    pub(super) fn rounded(figure: f64, decimals: usize) -> Self {
        if decimals == 0 {
            return Self::Whole(whole(figure.round()));
        }
        let text = format!("{figure:.decimals$}");
        // Minus nought is nought.
        let unsigned = Self::Decimal(text.trim_start_matches('-').to_owned());
        if unsigned.is_nought() { unsigned } else { Self::Decimal(text) }
    }
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "saturates far beyond any register")]
fn whole(figure: f64) -> i64 {
    figure as i64
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Decimal(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_integers_and_decimals_are_strings_in_json() {
        let json = |number: &Number| serde_json::to_string(number).unwrap();
        assert_eq!(json(&Number::rounded(1233.7, 0)), "1234");
        assert_eq!(json(&Number::rounded(0.341_26, 4)), "\"0.3413\"");
        assert_eq!(json(&Number::rounded(-0.000_01, 2)), "\"0.00\"");
        for text in ["-7", "\"0.50\""] {
            assert_eq!(json(&serde_json::from_str(text).unwrap()), text);
        }
    }
}
