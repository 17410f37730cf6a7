//! What stands for a shown table in the search for partners: the levels behind each of its cells.

use super::{Told, Verdict};
use crate::estimate::{EstimatedTable, selected};
use crate::policy::{Cells, Plan};

impl Told {
    /// A table that a plan shows. For the numerator of a share, the plan's part with the cuts of the numerator.
    ///
    /// A dimension that the table is not broken down by is the levels its filter selects, or all of them. A grouping of
    /// a finer dimension stands for sets of its levels, and is no axis of its own.
    #[must_use]
    pub fn of(plan: &Plan, table: &EstimatedTable, verdicts: Vec<Verdict>) -> Self {
        let cells = Cells::new(&plan.dimensions, &plan.cuts, &table.dims);
        let axis = |(dim, _): (usize, _)| cells.along(dim).unwrap_or_else(|| vec![selected(plan, dim)]);
        Self {
            axes: plan.measured_dimensions().map(axis).collect(),
            estimates: table.values.iter().zip(&verdicts).map(|(value, verdict)| told(*value, *verdict)).collect(),
            standard_errors: table.standard_errors.clone(),
            floor: f64::from(plan.floor(&table.dims)),
            verdicts,
        }
    }
}

/// What is declared impossible is told as 0, whatever was measured.
fn told(value: f64, verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Shown | Verdict::Withheld => value,
        Verdict::Structural => 0.0,
    }
}
