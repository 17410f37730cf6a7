//! From a whole estimated table to the cells that a question shows of it: filters cut, groups summed, each cell with
//! the error of what it stands for.

use super::{EstimatedTable, NotCovered, Variation};
use crate::budget::Accounting;
use crate::policy::{Cells, Plan};

/// The levels of a dimension that a question selects: all, unless a filter cuts.
pub(crate) fn selected(plan: &Plan, dim: usize) -> Vec<usize> {
    Cells::new(&plan.dimensions, &plan.cuts, &[dim]).levels().pop().unwrap_or_default()
}

/// Variance and half-width of the cells of a table: once for all that are alike, and which of them is each cell's.
pub(super) type Widths = (Vec<(f64, f64)>, Vec<usize>);

/// What is to be expected of the cells of a table.
pub(super) fn widths(accounting: Accounting, all: &Variation, cells: &Cells) -> Result<Widths, NotCovered> {
    let kind = |dim: usize, codes: &[usize]| all.kind(dim, codes);
    let (regions, kind_of) = cells.alike(kind, |region| Some(region.clone())).ok_or(NotCovered)?;
    let variances = all.variances(&regions).ok_or(NotCovered)?;
    let width = |(region, variance)| (variance, all.half_width(accounting, region, variance));
    Ok((regions.iter().zip(variances).map(width).collect(), kind_of))
}

/// The cells of a shown table with their values and what is to be expected of them.
pub(super) fn cut(cells: &Cells, values: Vec<f64>, (kinds, kind_of): &Widths) -> EstimatedTable {
    let of = |kind: &usize| kinds.get(*kind).copied().unwrap_or((f64::INFINITY, f64::INFINITY));
    EstimatedTable {
        dims: cells.dims(),
        levels: cells.levels(),
        values,
        standard_errors: kind_of.iter().map(|kind| of(kind).0.sqrt()).collect(),
        half_widths: kind_of.iter().map(|kind| of(kind).1).collect(),
    }
}
