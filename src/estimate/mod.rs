//! From noisy tables to the best unbiased tables that agree, with their errors.
//!
//! Generalised least squares over everything one draw has measured, in closed form by residual components (the matrix
//! mechanism for marginals; DESIGN of `crate::design`). Tables of one release agree exactly before rounding. Tables of
//! distinct persons do not add up and are passed through alone. Works on noisy figures only: all of this is
//! post-processing and costs nothing.

mod components;
#[cfg(test)]
mod coverage_tests;
mod cut;
mod difference;
mod estimator;
#[cfg(test)]
mod flat_tests;
mod interval;
mod joint;
mod margin;
mod quantile;
mod ratio;
#[cfg(test)]
mod reference;
mod solve;
mod tree;
#[cfg(test)]
mod tree_tests;
mod zeros;

pub(crate) use cut::selected;
pub use difference::{Difference, difference, difference_of, difference_of_ratios};
pub use estimator::{Estimator, Uncertainty, Variances};
pub use joint::{Joint, quantile95};
pub use quantile::{Quantile, quantile};
pub use ratio::{Ratio, mean, ratio};
pub use tree::TreeEstimator;
pub use zeros::Impossible;

use crate::budget::Accounting;
use crate::design::Design;
use crate::noise::NoisyTables;
use crate::policy::Plan;

/// One shown table: estimates for its cells, all of one standard error.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimatedTable {
    /// Positions in the plan's dimensions the table is broken down by, ascending.
    pub dims: Vec<usize>,
    /// The levels shown of each of these dimensions, ascending.
    pub levels: Vec<Vec<usize>>,
    /// Unrounded estimates, row-major over `levels`.
    pub values: Vec<f64>,
    /// The standard error of each of them; where impossible combinations told more, less.
    pub standard_error: f64,
    /// Half-width of the 95 % interval of each of them.
    pub half_width: f64,
}

/// What goes wrong: the draw does not hold what the plan wants to show. A fault, never a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the draw does not cover the tables of the plan")]
pub struct NotCovered;

/// The estimates of every table the plan shows, in its order.
///
/// # Errors
/// [`NotCovered`] if the draw was not made for this plan.
pub fn estimate(plan: &Plan, noisy: &NoisyTables) -> Result<Vec<EstimatedTable>, NotCovered> {
    let sizes: Vec<usize> = plan.dimensions.iter().map(|d| d.levels.len()).collect();
    if plan.additive { jointly(plan, noisy, &sizes) } else { alone(plan, noisy, &sizes) }
}

/// The whole of one table, without cuts: what any cell within it is a sum of.
///
/// # Errors
/// [`NotCovered`] if the draw does not hold it.
pub fn whole(plan: &Plan, noisy: &NoisyTables, dims: &[usize]) -> Result<Vec<f64>, NotCovered> {
    if plan.additive {
        let sizes: Vec<usize> = plan.dimensions.iter().map(|d| d.levels.len()).collect();
        return Estimator::new(&sizes, noisy, &plan.structural_zeros)?.table(dims);
    }
    let own = noisy.tables.iter().find(|table| table.dims == *dims).ok_or(NotCovered)?;
    Ok(own.values.iter().copied().map(components::float).collect())
}

/// Impossible cells are made zero. That lowers every variance or leaves it; what is told of a table is the variance
/// before it, one for all of its cells.
fn jointly(plan: &Plan, noisy: &NoisyTables, sizes: &[usize]) -> Result<Vec<EstimatedTable>, NotCovered> {
    let measured: Vec<(Vec<usize>, f64)> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
    let design = Design::new(sizes, &measured);
    let estimator = Estimator::new(sizes, noisy, &plan.structural_zeros)?;
    plan.shown
        .iter()
        .map(|shown| {
            let (table, groups) = cut::source(plan, shown);
            let whole = estimator.table(&table)?;
            let variance = design.variance(&groups).ok_or(NotCovered)?;
            let half_width = interval::half_width(noisy.accounting, variance, || design.influences(&groups));
            Ok(cut::cut(plan, shown, &table, &whole, variance, half_width))
        })
        .collect()
}

/// Tables of distinct persons, and their margins: each is what was measured of it.
fn alone(plan: &Plan, noisy: &NoisyTables, sizes: &[usize]) -> Result<Vec<EstimatedTable>, NotCovered> {
    plan.shown
        .iter()
        .map(|shown| {
            let (table, groups) = cut::source(plan, shown);
            let own = noisy.tables.iter().find(|t| t.dims == table).ok_or(NotCovered)?;
            let design = Design::new(sizes, &[(own.dims.clone(), own.variance)]);
            let variance = design.variance(&groups).ok_or(NotCovered)?;
            let half_width = interval::half_width(noisy.accounting, variance, || design.influences(&groups));
            let whole: Vec<f64> = own.values.iter().copied().map(components::float).collect();
            Ok(cut::cut(plan, shown, &table, &whole, variance, half_width))
        })
        .collect()
}

/// Half-width of the 95 % interval to expect for cells with these groups fixed: the quote's side of the same numbers.
#[must_use]
pub fn expected_half_width(accounting: Accounting, design: &Design, groups: &[Option<usize>]) -> Option<f64> {
    let variance = design.variance(groups)?;
    Some(interval::half_width(accounting, variance, || design.influences(groups)))
}

/// Half-width to expect for every table the plan shows, in its order. Touches no data.
///
/// # Errors
/// [`NotCovered`] if the plan shows what it does not measure.
pub fn expected(plan: &Plan) -> Result<Vec<f64>, NotCovered> {
    let sizes: Vec<usize> = plan.dimensions.iter().map(|d| d.levels.len()).collect();
    let variance = |m: &crate::policy::Measured| match plan.accounting {
        Accounting::Zcdp => crate::design::gaussian_variance(m.units, m.l2_squared),
        Accounting::Pure => crate::design::laplace_variance(m.units, m.l1),
    };
    plan.shown
        .iter()
        .map(|shown| {
            let (table, groups) = cut::source(plan, shown);
            let measured: Vec<_> = plan
                .measured
                .iter()
                .filter(|m| plan.additive || m.dims == table)
                .map(|m| (m.dims.clone(), variance(m)))
                .collect();
            expected_half_width(plan.accounting, &Design::new(&sizes, &measured), &groups).ok_or(NotCovered)
        })
        .collect()
}

/// How many cells a shown table has, filters applied.
#[must_use]
pub fn shown_cells(plan: &Plan, shown: &crate::policy::Shown) -> usize {
    shown.dims.iter().map(|&dim| cut::selected(plan, dim).len()).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::NoisyTable;
    use crate::policy::sample::{analyst, closed, policy, question, today};
    use crate::policy::{Question, admit};

    #[test]
    fn a_combination_that_cannot_occur_has_no_persons_and_tables_still_agree() {
        let asked = Question { margins: true, ..question("acs2024", &["age", "employment"], &["2024"], "0.02") };
        let plan = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &asked, today()).unwrap();
        assert!(!plan.structural_zeros.is_empty());
        let noise = |table: &crate::policy::Measured| {
            let cells: usize = table.dims.iter().map(|&d| plan.dimensions[d].levels.len()).product();
            let values = (0..cells).map(|cell| i64::try_from(cell * 7_919 % 101).unwrap()).collect();
            NoisyTable { dims: table.dims.clone(), values, variance: 25.0 }
        };
        let tables = plan.measured.iter().map(noise).collect();
        let shown = estimate(&plan, &NoisyTables { accounting: Accounting::Zcdp, tables }).unwrap();
        let whole = shown.iter().find(|table| table.dims.len() == 2).unwrap();
        let columns = whole.levels[1].len();
        let mut impossible = 0;
        for (place, value) in whole.values.iter().enumerate() {
            let codes = [(whole.dims[0], place / columns), (whole.dims[1], place % columns)];
            let inside = |zero: &zeros::Impossible| {
                zero.iter().all(|(dim, levels)| codes.iter().any(|(d, code)| d == dim && levels.contains(code)))
            };
            if plan.structural_zeros.iter().any(inside) {
                impossible += 1;
                assert!(value.abs() < 1e-9, "{value}");
            }
        }
        assert!(impossible >= 9, "{impossible}");
        for table in &shown {
            let total: f64 = table.values.iter().sum();
            assert!((total - whole.values.iter().sum::<f64>()).abs() < 1e-9, "{:?}", table.dims);
        }
    }
}
