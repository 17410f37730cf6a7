//! One person's reach, checked against what the plan paid for.
//!
//! # Guarantee
//! G4: the noise is sized by the plan's `l1` and `l2_squared`, which follow from the policy in force; the editions were
//! bounded by the policy of their closing. A table is refused where the second reach farther than the first.

use super::TabulateError;
use super::layout::{Axis, Edition, Table};
use crate::policy::{Plan, Quantity, Reach};
use std::collections::BTreeMap;

/// Refuses tables that one person could move by more than was paid for.
pub(super) fn check(plan: &Plan, tables: &[Table], editions: &[Edition]) -> Result<(), TabulateError> {
    for (measured, table) in plan.measured.iter().zip(tables) {
        let mut l1 = 0_u64;
        let mut by_period: BTreeMap<Option<usize>, (u64, u64)> = BTreeMap::new();
        for edition in editions {
            let exceeded = || TabulateError::Bound { period: edition.period.clone() };
            let reach = reach(plan, table, edition).ok_or_else(exceeded)?;
            l1 = l1.saturating_add(reach.l1);
            let (pooled, most) = by_period.entry(period_level(table, edition)).or_default();
            *pooled += 1;
            *most = reach.l2_squared.max(*most);
            // Within one level of the period the editions' moves may fall on the same cells: the norms add.
            let l2_squared = by_period
                .values()
                .map(|(pooled, most)| pooled.saturating_mul(*pooled).saturating_mul(*most))
                .fold(0, u64::saturating_add);
            if l1 > measured.l1 || l2_squared > measured.l2_squared {
                return Err(exceeded());
            }
        }
    }
    Ok(())
}

/// How far one person's rows in one edition move a table; `None` where counting by rank 0 would not do, and where
/// numbers were clamped to wider bounds than those in force.
fn reach(plan: &Plan, table: &Table, edition: &Edition) -> Option<Reach> {
    let rows_max = edition.coding.rows_max;
    if table.quantity == Quantity::Persons {
        let reach = table.quantity.in_period(rows_max, cells_of_rows(plan, table, edition))?;
        return (table.distinct || reach.l1 <= 1).then_some(reach);
    }
    let clamped = table.quantity.numbers().is_none_or(|numbers| {
        edition.bounds(numbers).is_some_and(|(min, max)| numbers.min <= min && max <= numbers.max)
    });
    table.quantity.in_period(rows_max, u64::MAX).filter(|_| clamped)
}

/// Cells of a table that the rows of one person in one edition can tell apart.
fn cells_of_rows(plan: &Plan, table: &Table, edition: &Edition) -> u64 {
    table
        .dims
        .iter()
        .filter(|dim| matches!(edition.axes.get(**dim), Some(Axis::Column { per_row: true, .. })))
        .filter_map(|dim| plan.dimensions.get(*dim))
        .map(|dimension| u64::try_from(dimension.levels.len()).unwrap_or(u64::MAX))
        .fold(1, u64::saturating_mul)
}

fn period_level(table: &Table, edition: &Edition) -> Option<usize> {
    table.dims.iter().find_map(|dim| match edition.axes.get(*dim) {
        Some(Axis::Fixed { level }) => Some(*level),
        Some(Axis::Column { .. }) | None => None,
    })
}
