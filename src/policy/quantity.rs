//! What is added up in the cells of a measured table, and how far one person can move it.
//!
//! # Guarantee
//! G4 (the plan's half): [`Quantity::in_period`] bounds what one person's rows of one period can change in a table, in
//! sum over its cells (L1) and in the sum of squares (L2). Numbers are centred at the middle of their declared bounds,
//! so that a row moves a sum by at most half the distance between them. A policy whose bounds could leave 64 bits, for
//! 2^32 persons in as many periods as may be pooled, is refused when it is checked (`columns`).

use serde::{Deserialize, Serialize};

/// The furthest that one person may move a sum, over all rows and periods of a question: with at most 2^32 persons in
/// an edition, no sum can then leave 64 bits, nor can the square of a sensitivity.
pub(super) const REACH_MAX: u64 = (1 << 31) - 1;

/// What is added up in each cell of a measured table. In the order in which tables are measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Persons, each once in a cell and period.
    Persons,
    /// Kept rows.
    Rows,
    /// Kept rows (for a column of the person: persons) that have a value in a column.
    Valued(Numbers),
    /// The values of a column less the middle of its bounds, in integer units.
    Sum(Numbers),
    /// Kept rows (for a column of the person: persons) by the declared bin of their value. Every cell holds one count
    /// for each bin; a bin holds its lower end, the last one both.
    Bins(Numbers, Vec<i64>),
}

/// A column of numbers, as the policy in force bounds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Numbers {
    /// The column.
    pub column: String,
    /// Whether every row has a value of its own; else it is the person's, counted once.
    pub per_row: bool,
    /// Values are integers of `10^-scale`.
    pub scale: u32,
    /// Lower bound in integer units.
    pub min: i64,
    /// Upper bound in integer units.
    pub max: i64,
}

impl Numbers {
    /// The middle of the bounds, rounded towards zero: what is subtracted before adding up.
    #[must_use]
    pub fn midpoint(&self) -> i64 {
        i64::midpoint(self.min, self.max)
    }

    /// The furthest that a value lies from the middle.
    #[must_use]
    pub fn reach(&self) -> u64 {
        let middle = self.midpoint();
        self.max.abs_diff(middle).max(self.min.abs_diff(middle))
    }
}

/// How far one person's rows of one period move a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Sum over the cells of the changes.
    pub l1: u64,
    /// Sum over the cells of their squares.
    pub l2_squared: u64,
}

impl Quantity {
    /// How many figures stand in each cell: one, or one for each bin.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Persons | Self::Rows | Self::Valued(_) | Self::Sum(_) => 1,
            Self::Bins(_, edges) => edges.len().saturating_sub(1),
        }
    }

    /// The numbers it is about, if any.
    #[must_use]
    pub fn numbers(&self) -> Option<&Numbers> {
        match self {
            Self::Persons | Self::Rows => None,
            Self::Valued(numbers) | Self::Sum(numbers) | Self::Bins(numbers, _) => Some(numbers),
        }
    }

    /// How far a person with at most `rows_max` rows in a period moves a table of which the rows can touch `cells`
    /// cells. `None` if that passes 64 bits.
    ///
    /// Persons count once in each cell. Rows, and what is added up over rows, may all fall into one cell, so both norms
    /// are that of all rows together.
    #[must_use]
    pub fn in_period(&self, rows_max: u32, cells: u64) -> Option<Reach> {
        let rows = |per_row: bool| if per_row { u64::from(rows_max) } else { 1 };
        let whole = match self {
            Self::Persons => {
                let cells = u64::from(rows_max).min(cells);
                return Some(Reach { l1: cells, l2_squared: cells });
            }
            Self::Rows => rows(true),
            Self::Valued(numbers) | Self::Bins(numbers, _) => rows(numbers.per_row),
            Self::Sum(numbers) => rows(numbers.per_row).checked_mul(numbers.reach())?,
        };
        Some(Reach { l1: whole, l2_squared: whole.checked_mul(whole)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(min: i64, max: i64, per_row: bool) -> Numbers {
        Numbers { column: "wage".into(), per_row, scale: 0, min, max }
    }

    #[test]
    fn no_value_lies_farther_from_the_middle_than_half_the_bounds_rounded_up() {
        for (min, max) in [(0, 9), (0, 10), (-7, 4), (-9, -2), (i64::MIN, i64::MAX), (5, 6)] {
            let numbers = numbers(min, max, true);
            let middle = numbers.midpoint();
            assert!((min..=max).contains(&middle), "{min} {max}");
            let width = max.abs_diff(min);
            assert_eq!(numbers.reach(), width.div_ceil(2), "{min} {max}");
        }
    }

    #[test]
    fn sensitivities_are_those_of_the_design() {
        let reach = |quantity: &Quantity, rows_max| quantity.in_period(rows_max, 4).unwrap();
        assert_eq!(reach(&Quantity::Persons, 6), Reach { l1: 4, l2_squared: 4 });
        assert_eq!(reach(&Quantity::Persons, 3), Reach { l1: 3, l2_squared: 3 });
        assert_eq!(reach(&Quantity::Rows, 6), Reach { l1: 6, l2_squared: 36 });
        let (row, person) = (numbers(0, 201, true), numbers(0, 200, false));
        assert_eq!(reach(&Quantity::Sum(row.clone()), 6), Reach { l1: 606, l2_squared: 606 * 606 });
        assert_eq!(reach(&Quantity::Sum(person.clone()), 6), Reach { l1: 100, l2_squared: 10_000 });
        assert_eq!(reach(&Quantity::Valued(row.clone()), 6), Reach { l1: 6, l2_squared: 36 });
        assert_eq!(reach(&Quantity::Bins(person, vec![0, 50, 200]), 6), Reach { l1: 1, l2_squared: 1 });
        let wide = numbers(i64::MIN, i64::MAX, true);
        assert_eq!(Quantity::Sum(wide).in_period(2, 1), None);
    }
}
