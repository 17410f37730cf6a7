//! The estimates of one quantity at a time: a draw taken apart along what was measured in it.
//!
//! Nothing joins two quantities but a formula that says so (`combine`): each has noise of its own, and least squares of
//! its own. A binned column is as many quantities as it has bins, all measured over the same tables.

use super::answer::AnswerError;
use crate::estimate::{EstimatedTable, Joint, estimate, whole};
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

    /// One quantity within several sets of cuts of every shown table, and how it varies together there.
    pub(super) fn within(&self, quantity: &Quantity, cuts: &[&[Cut]]) -> Result<Vec<Together>, AnswerError> {
        let estimates = cuts.iter().map(|of| self.estimated(quantity, of, 0)).collect::<Result<Vec<_>, _>>()?;
        let measured = self.plan.measured.iter().zip(&self.noisy.tables).filter(|(m, _)| m.quantity == *quantity);
        let variances = measured.map(|(_, table)| (table.dims.clone(), table.variance)).collect();
        let variation = self.plan.variation(quantity, variances);
        let of_table = |(place, shown): (usize, &Shown)| {
            let tables: Vec<EstimatedTable> = estimates.iter().filter_map(|of| of.get(place)).cloned().collect();
            let row = |i: &&[Cut]| cuts.iter().map(|j| variation.covariance(shown, [i, j])).collect::<Option<_>>();
            let covariance = cuts.iter().map(row).collect::<Option<Vec<Vec<f64>>>>();
            covariance.map(|covariance| Together { tables, covariance }).ok_or(AnswerError::Fault("estimate"))
        };
        self.plan.shown.iter().enumerate().map(of_table).collect()
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

/// Several estimates of the cells of one table, and how they vary together: alike in every cell.
pub(super) struct Together {
    tables: Vec<EstimatedTable>,
    covariance: Vec<Vec<f64>>,
}

impl Together {
    /// Estimates with noise of their own: by quantity, then by table.
    pub(super) fn apart(quantities: &[Vec<EstimatedTable>]) -> Vec<Self> {
        let of_table = |place: usize| {
            let tables: Vec<EstimatedTable> = quantities.iter().filter_map(|of| of.get(place)).cloned().collect();
            let covariance = tables.iter().map(|table| vec![vec![table.standard_error.powi(2)]]);
            let covariance = covariance.reduce(|a, b| blocks(&a, &b)).unwrap_or_default();
            Self { tables, covariance }
        };
        (0..quantities.first().map_or(0, Vec::len)).map(of_table).collect()
    }

    /// These estimates, and others with noise of their own.
    pub(super) fn beside(mut self, other: Self) -> Self {
        self.covariance = blocks(&self.covariance, &other.covariance);
        self.tables.extend(other.tables);
        self
    }

    /// What is made of the estimates in each cell.
    pub(super) fn cells<T>(&self, of: impl Fn(&Joint<'_>) -> T) -> Vec<T> {
        let cells = self.tables.iter().map(|table| table.values.len()).min().unwrap_or(0);
        let of_cell = |cell: usize| {
            let values: Vec<f64> = self.tables.iter().filter_map(|table| table.values.get(cell)).copied().collect();
            of(&Joint { values: &values, covariance: &self.covariance })
        };
        (0..cells).map(of_cell).collect()
    }
}

/// Two matrices along a diagonal, nought elsewhere.
fn blocks(first: &[Vec<f64>], second: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let nought = |rows: &[Vec<f64>]| vec![0.0; rows.len()];
    let above = first.iter().map(|row| [row.clone(), nought(second)].concat());
    above.chain(second.iter().map(|row| [nought(first), row.clone()].concat())).collect()
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
