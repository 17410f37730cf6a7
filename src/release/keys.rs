//! Which levels stand at a place of a table, and whether such a combination was declared impossible.

use crate::estimate::EstimatedTable;
use crate::policy::{Cells, Plan};

/// (dimension, level) of every dimension the table is broken down by, at a row-major place.
pub(super) fn levels_at(table: &EstimatedTable, place: usize) -> Vec<(usize, usize)> {
    let mut rest = place;
    let mut levels: Vec<(usize, usize)> = table
        .dims
        .iter()
        .zip(&table.levels)
        .rev()
        .map(|(&dim, levels)| {
            let position = rest.checked_rem(levels.len()).unwrap_or(0);
            rest = rest.checked_div(levels.len()).unwrap_or(0);
            (dim, levels.get(position).copied().unwrap_or(0))
        })
        .collect();
    levels.reverse();
    levels
}

/// The cells of one table, and which of them lie inside a selection of codes.
pub(super) struct Inside<'a> {
    plan: &'a Plan,
    cells: Cells,
}

impl<'a> Inside<'a> {
    /// Over the cells of a table with these dimensions.
    pub(super) fn new(plan: &'a Plan, dims: &[usize]) -> Self {
        Self { plan, cells: Cells::new(&plan.dimensions, &plan.cuts, dims) }
    }

    /// Whether the cell at this place lies wholly inside a combination that the policy declares impossible.
    pub(super) fn impossible(&self, place: usize) -> bool {
        self.plan.structural_zeros.iter().any(|zero| self.holds(place, zero))
    }

    /// Whether the cell at this place lies wholly inside a selection.
    ///
    /// A dimension that is summed out counts with all the levels its filter selects (all levels without one).
    pub(super) fn holds(&self, place: usize, selection: &[(usize, Vec<usize>)]) -> bool {
        let here = self.cells.at(place);
        selection.iter().all(|(dim, levels)| match here.get(dim) {
            Some(held) => held.iter().all(|level| levels.contains(level)),
            None => crate::estimate::selected(self.plan, *dim).iter().all(|level| levels.contains(level)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_run_with_the_last_dimension_fastest() {
        let table = EstimatedTable {
            dims: vec![0, 2],
            levels: vec![vec![4, 5], vec![1, 2, 3]],
            values: vec![0.0; 6],
            standard_errors: vec![1.0; 6],
            half_widths: vec![2.0; 6],
        };
        assert_eq!(levels_at(&table, 0), [(0, 4), (2, 1)]);
        assert_eq!(levels_at(&table, 4), [(0, 5), (2, 2)]);
        assert_eq!(levels_at(&table, 5), [(0, 5), (2, 3)]);
    }
}
