//! The estimates of one quantity at a time: a draw taken apart along what was measured in it.
//!
//! Nothing joins two quantities but a formula that says so (`combine`): each has noise of its own, and least squares of
//! its own. A binned column is as many quantities as it has bins, all measured over the same tables.

use super::answer::AnswerError;
use crate::design::Region;
use crate::estimate::{EstimatedTable, Variation, estimate};
use crate::noise::{NoisyTable, NoisyTables};
use crate::policy::{Cut, Plan, Quantity, Shown};

/// A draw, and the plan that measured it.
pub(super) struct Parts<'a> {
    plan: &'a Plan,
    noisy: &'a NoisyTables,
}

impl<'a> Parts<'a> {
    pub(super) fn new(plan: &'a Plan, noisy: &'a NoisyTables) -> Self {
        Self { plan, noisy }
    }

    /// Persons in every shown table, with the further cuts of a numerator.
    pub(super) fn persons(&self, of: &[Cut]) -> Result<Vec<EstimatedTable>, AnswerError> {
        self.estimated(&Quantity::Persons, of, 0)
    }

    /// One quantity in every shown table.
    pub(super) fn quantity(&self, quantity: &Quantity) -> Result<Vec<EstimatedTable>, AnswerError> {
        self.estimated(quantity, &[], 0)
    }

    /// By bin: the counts in every shown table.
    pub(super) fn bins(&self, quantity: &Quantity) -> Result<Vec<Vec<EstimatedTable>>, AnswerError> {
        (0..quantity.width()).map(|bin| self.estimated(quantity, &[], bin)).collect()
    }

    /// By cell of a shown table: the covariance of the persons in it and in the numerator cut out of it. None where each
    /// table has noise of its own.
    pub(super) fn shared(&self, shown: &Shown, of: &[Cut]) -> Vec<f64> {
        let persons =
            self.plan.measured.iter().zip(&self.noisy.tables).filter(|(m, _)| m.quantity == Quantity::Persons);
        let tables: Vec<(Vec<usize>, f64)> = persons.map(|(_, table)| (table.dims.clone(), table.variance)).collect();
        let sizes: Vec<usize> = self.plan.dimensions.iter().map(|d| d.levels.len()).collect();
        if !self.plan.additive {
            return Vec::new();
        }
        let all = Variation::new(&sizes, self.plan.nesting(), &tables, &self.plan.structural_zeros);
        let numerator = |base: &Region| of.iter().fold(base.clone(), |r, cut| r.within(cut.dim, cut.levels.clone()));
        let kind = |dim: usize, codes: &[usize]| all.kind(dim, codes);
        let pair = |base: &Region| Some((base.clone(), numerator(base)));
        let (pairs, cells) = self.plan.cells_of(shown).alike(kind, pair).unwrap_or_default();
        let kinds = all.between(&pairs).unwrap_or_default();
        cells.iter().map(|kind| kinds.get(*kind).copied().unwrap_or(0.0)).collect()
    }

    fn estimated(&self, quantity: &Quantity, of: &[Cut], bin: usize) -> Result<Vec<EstimatedTable>, AnswerError> {
        let width = quantity.width().max(1);
        let measured = self.plan.measured.iter().zip(&self.noisy.tables).filter(|(m, _)| m.quantity == *quantity);
        let tables = measured.map(|(_, table)| NoisyTable {
            dims: table.dims.clone(),
            values: table.values.iter().skip(bin).step_by(width).copied().collect(),
            variance: table.variance,
        });
        let noisy = NoisyTables { accounting: self.noisy.accounting, tables: tables.collect() };
        estimate(&self.plan.part(quantity, of), &noisy).map_err(|_| AnswerError::Fault("estimate"))
    }
}
