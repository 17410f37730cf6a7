//! What stands for a shown table in the search for partners: the levels behind each of its cells.

use super::{Told, Verdict};
use crate::estimate::{EstimatedTable, selected};
use crate::policy::Plan;

impl Told {
    /// A table that a plan shows. For the numerator of a share, the plan's part with the cuts of the numerator.
    ///
    /// A dimension that the table is not broken down by is the levels its filter selects, or all of them.
    #[must_use]
    pub fn of(plan: &Plan, table: &EstimatedTable, verdicts: Vec<Verdict>) -> Self {
        let axis = |dim: usize| {
            let broken_down = table.dims.iter().position(|&other| other == dim).and_then(|at| table.levels.get(at));
            broken_down
                .map_or_else(|| vec![selected(plan, dim)], |levels| levels.iter().map(|&level| vec![level]).collect())
        };
        Self {
            axes: (0..plan.dimensions.len()).map(axis).collect(),
            estimates: table.values.iter().zip(&verdicts).map(|(value, verdict)| told(*value, *verdict)).collect(),
            standard_error: table.standard_error,
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
