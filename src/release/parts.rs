//! The estimates of one quantity at a time: a draw taken apart along what was measured in it.
//!
//! Nothing joins two quantities but a formula that says so (`combine`): each has noise of its own, and least squares of
//! its own. A binned column is as many quantities as it has bins, all measured over the same tables.

use super::answer::AnswerError;
use crate::design::{Design, Region};
use crate::estimate::{EstimatedTable, estimate, whole};
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

    /// The estimates of persons in the cells of a table, given by the levels that each stands for; `alone` names the
    /// columns of a table that is joined with no other.
    pub(super) fn over(&self, axes: &[Vec<Vec<usize>>], alone: Option<&[String]>) -> Result<Vec<f64>, AnswerError> {
        let dimensions = self.plan.dimensions.iter().enumerate();
        let within = |(dim, dimension): (usize, &crate::policy::Dimension)| {
            let whole = axes
                .get(dim)
                .is_some_and(|sets| matches!(sets.as_slice(), [one] if one.len() == dimension.levels.len()));
            alone.map_or(!whole, |columns| columns.contains(&dimension.name)).then_some(dim)
        };
        let dims: Vec<usize> = dimensions.filter_map(within).collect();
        let noisy = self.noisy_of(&Quantity::Persons, 0);
        let mut values = whole(&self.plan.part(&Quantity::Persons, &[]), &noisy, &dims)
            .map_err(|_| AnswerError::Fault("estimate"))?;
        let mut inner: usize =
            dims.iter().filter_map(|&dim| self.plan.dimensions.get(dim)).map(|d| d.levels.len()).product();
        for &dim in &dims {
            let size = self.plan.dimensions.get(dim).map_or(1, |d| d.levels.len()).max(1);
            inner /= size;
            values = grouped(&values, size, inner, axes.get(dim).map_or(&[][..], Vec::as_slice));
        }
        Ok(values)
    }

    /// Covariance of the persons in a cell of a shown table and in the numerator cut out of it: none where each table
    /// has noise of its own.
    pub(super) fn shared(&self, shown: &Shown, of: &[Cut]) -> f64 {
        if !self.plan.additive {
            return 0.0;
        }
        let sizes: Vec<usize> = self.plan.dimensions.iter().map(|d| d.levels.len()).collect();
        let persons =
            self.plan.measured.iter().zip(&self.noisy.tables).filter(|(m, _)| m.quantity == Quantity::Persons);
        let tables: Vec<(Vec<usize>, f64)> = persons.map(|(_, table)| (table.dims.clone(), table.variance)).collect();
        let region = |cuts: &[Cut]| {
            let cut = cuts.iter().filter(|cut| !shown.dims.contains(&cut.dim));
            let cut = cut.fold(Region::default(), |r, cut| r.within(cut.dim, cut.levels.iter().copied()));
            // All cells are alike: that of the first codes stands for them.
            shown.dims.iter().fold(cut, |region, &dim| region.within(dim, [0]))
        };
        let covariance = Design::new(&sizes, &tables);
        covariance.covariance(&region(&self.plan.cuts), &region(&self.plan.cut_by(of))).unwrap_or(0.0)
    }

    fn estimated(&self, quantity: &Quantity, of: &[Cut], bin: usize) -> Result<Vec<EstimatedTable>, AnswerError> {
        let noisy = self.noisy_of(quantity, bin);
        estimate(&self.plan.part(quantity, of), &noisy).map_err(|_| AnswerError::Fault("estimate"))
    }

    /// What was measured of one quantity.
    fn noisy_of(&self, quantity: &Quantity, bin: usize) -> NoisyTables {
        let width = quantity.width().max(1);
        let measured = self.plan.measured.iter().zip(&self.noisy.tables).filter(|(m, _)| m.quantity == *quantity);
        let tables = measured.map(|(_, table)| NoisyTable {
            dims: table.dims.clone(),
            values: table.values.iter().skip(bin).step_by(width).copied().collect(),
            variance: table.variance,
        });
        NoisyTables { accounting: self.noisy.accounting, tables: tables.collect() }
    }
}

/// One dimension's levels summed into sets. `inner` is how many figures lie behind each level.
fn grouped(values: &[f64], size: usize, inner: usize, sets: &[Vec<usize>]) -> Vec<f64> {
    let mut sums = Vec::new();
    for block in values.chunks(size.saturating_mul(inner).max(1)) {
        for set in sets {
            let mut sum = vec![0.0; inner];
            for level in set.iter().filter_map(|&level| block.chunks(inner.max(1)).nth(level)) {
                sum.iter_mut().zip(level).for_each(|(sum, value)| *sum += value);
            }
            sums.extend(sum);
        }
    }
    sums
}
