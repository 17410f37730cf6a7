//! The estimates of one quantity at a time: a draw taken apart along what was measured in it.
//!
//! Nothing joins two quantities but a formula that says so (`combine`): each has noise of its own, and least squares of
//! its own. A binned column is as many quantities as it has bins, all measured over the same tables.

use super::answer::AnswerError;
use crate::design::Region;
use crate::estimate::{EstimatedTable, Variation, estimate, sums};
use crate::noise::{NoisyTable, NoisyTables};
use crate::policy::{Cells, Cut, Dimension, Plan, Quantity, Shown};

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

    /// Persons in a table that need not be one of those shown.
    pub(super) fn table(&self, dims: &[usize]) -> Result<EstimatedTable, AnswerError> {
        let mut plan = self.plan.part(&Quantity::Persons, &[]);
        plan.shown = vec![Shown { dims: dims.to_vec() }];
        let estimated = estimate(&plan, &self.noisy_of(&Quantity::Persons, 0));
        estimated.ok().and_then(|mut tables| tables.pop()).ok_or(AnswerError::Fault("estimate"))
    }

    /// The estimates of persons in the cells of a table, given by the levels of the measured dimensions that each
    /// stands for; `alone` names the dimensions of a table that is joined with no other.
    pub(super) fn over(&self, axes: &[Vec<Vec<usize>>], alone: Option<&[String]>) -> Result<Vec<f64>, AnswerError> {
        let plan = self.plan.part(&Quantity::Persons, &[]);
        let cells = match alone {
            None => {
                Cells::of(plan.measured_dimensions().map(|(dim, _)| dim).zip(axes.to_vec()).filter(|(dim, sets)| {
                    // What is summed out whole is left out: no table need hold it.
                    let levels = plan.dimensions.get(*dim).map_or(0, |d| d.levels.len());
                    !matches!(sets.as_slice(), [one] if one.len() == levels)
                }))
            }
            Some(names) => alone_cells(&plan, axes, names).ok_or(AnswerError::Fault("estimate"))?,
        };
        sums(&plan, &self.noisy_of(&Quantity::Persons, 0), &cells).map_err(|_| AnswerError::Fault("estimate"))
    }

    /// By cell of a shown table: the covariance of the persons in it and in the numerator cut out of it. None where
    /// each table has noise of its own.
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

/// The cells of a table that is measured alone: at the level of a grouping if it was measured there.
fn alone_cells(plan: &Plan, axes: &[Vec<Vec<usize>>], names: &[String]) -> Option<Cells> {
    let is_named = |name: &String| names.contains(name);
    let at_groups = |base: usize, sets: &[Vec<usize>]| {
        let of_base = plan.dimensions.iter().enumerate().filter(|(_, d)| is_named(&d.name));
        let (dim, finer) =
            of_base.filter_map(|(dim, d)| Some((dim, d.finer.as_ref()?))).find(|(_, finer)| finer.dim == base)?;
        let groups = |set: &Vec<usize>| -> Vec<usize> {
            let inside = |group: &Vec<usize>| group.iter().all(|level| set.contains(level));
            finer.groups.iter().enumerate().filter(|(_, group)| inside(group)).map(|(at, _)| at).collect()
        };
        Some((dim, sets.iter().map(groups).collect()))
    };
    let of_column = |d: &Dimension| plan.dimensions.iter().any(|o| o.column == d.column && is_named(&o.name));
    let along: Vec<(usize, Vec<Vec<usize>>)> = plan
        .measured_dimensions()
        .zip(axes)
        .filter(|((_, d), _)| is_named(&d.column) || of_column(d))
        .map(|((dim, _), sets)| (dim, sets.clone()))
        .collect();
    let grouped = along.iter().map(|(dim, sets)| at_groups(*dim, sets).unwrap_or((*dim, sets.clone())));
    let measured = |cells: &Cells| plan.measured.iter().any(|table| table.dims == cells.source());
    [Cells::of(grouped), Cells::of(along.iter().cloned())].into_iter().find(measured)
}
