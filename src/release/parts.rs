//! The estimates of one quantity at a time: a draw taken apart along what was measured in it.
//!
//! Nothing joins two quantities but a formula that says so (`combine`): each has noise of its own, and least squares of
//! its own. A binned column is as many quantities as it has bins, all measured over the same tables.

use super::answer::AnswerError;
use crate::estimate::{Covariances, EstimatedTable, Joint, distinct, errors, estimate, sums, together};
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
        let cells = cells_over(&plan, axes, alone)?;
        sums(&plan, &self.noisy_of(&Quantity::Persons, 0), &cells).map_err(|_| AnswerError::Fault("estimate"))
    }

    /// The standard errors of persons in single cells, given in the same way; none of those that the draw does not
    /// cover.
    pub(super) fn errors<'b>(
        &self,
        cells: impl Iterator<Item = &'b [Vec<usize>]>,
        alone: Option<&[String]>,
    ) -> Result<Vec<Option<f64>>, AnswerError> {
        let plan = self.plan.part(&Quantity::Persons, &[]);
        let of_one = |levels: &[Vec<usize>]| {
            cells_over(&plan, &levels.iter().map(|levels| vec![levels.clone()]).collect::<Vec<_>>(), alone)
        };
        let cells: Vec<Cells> = cells.map(of_one).collect::<Result<_, _>>()?;
        let noisy = self.noisy_of(&Quantity::Persons, 0);
        let all = errors(&plan, &noisy, &cells).map(|all| all.into_iter().map(Some).collect());
        let alone = |cell: &Cells| errors(&plan, &noisy, std::slice::from_ref(cell)).ok()?.pop();
        Ok(all.unwrap_or_else(|_| cells.iter().map(alone).collect()))
    }

    /// One quantity within several sets of cuts of every shown table, and how it varies together there.
    pub(super) fn within(&self, quantity: &Quantity, cuts: &[&[Cut]]) -> Result<Vec<Together>, AnswerError> {
        let estimates = cuts.iter().map(|of| self.estimated(quantity, of, 0)).collect::<Result<Vec<_>, _>>()?;
        let plan = self.plan.part(quantity, &[]);
        let noisy = self.noisy_of(quantity, 0);
        let measured: Vec<(Vec<usize>, f64)> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
        let of_table = |(place, shown): (usize, &Shown)| {
            let tables: Vec<EstimatedTable> = estimates.iter().filter_map(|of| of.get(place)).cloned().collect();
            let (kinds, kind_of) =
                together(&plan, &measured, shown, cuts).map_err(|_| AnswerError::Fault("estimate"))?;
            Ok(Together { tables, kinds, kind_of })
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

/// Several estimates of the cells of one table, and how they vary together: once for all cells that are alike, and
/// which of these is each cell's.
pub(super) struct Together {
    tables: Vec<EstimatedTable>,
    kinds: Vec<Covariances>,
    kind_of: Vec<usize>,
}

impl Together {
    /// Estimates with noise of their own: by quantity, then by table.
    pub(super) fn apart(quantities: &[Vec<EstimatedTable>]) -> Vec<Self> {
        let of_table = |place: usize| {
            let tables: Vec<EstimatedTable> = quantities.iter().filter_map(|of| of.get(place)).cloned().collect();
            let cells = tables.iter().map(|table| table.standard_errors.len()).min().unwrap_or(0);
            let errors = |cell: usize| tables.iter().filter_map(move |table| table.standard_errors.get(cell).copied());
            let (kinds, kind_of) =
                distinct((0..cells).map(|cell| errors(cell).map(f64::to_bits).collect::<Vec<u64>>()));
            let own = |errors: Vec<u64>| {
                let variances = errors.into_iter().map(|error| vec![vec![f64::from_bits(error).powi(2)]]);
                variances.reduce(|a, b| blocks(&a, &b)).unwrap_or_default()
            };
            let kinds = kinds.into_iter().map(own).collect();
            Self { tables, kinds, kind_of }
        };
        (0..quantities.first().map_or(0, Vec::len)).map(of_table).collect()
    }

    /// These estimates, and others with noise of their own.
    pub(super) fn beside(mut self, other: Self) -> Self {
        let (kinds, kind_of) = distinct(self.kind_of.iter().copied().zip(other.kind_of.iter().copied()));
        let both = |(mine, theirs): (usize, usize)| Some(blocks(self.kinds.get(mine)?, other.kinds.get(theirs)?));
        self.kinds = kinds.into_iter().map(|pair| both(pair).unwrap_or_default()).collect();
        self.kind_of = kind_of;
        self.tables.extend(other.tables);
        self
    }

    /// What is made of the estimates in each cell.
    pub(super) fn cells<T>(&self, of: impl Fn(&Joint<'_>) -> T) -> Vec<T> {
        let cells = self.tables.iter().map(|table| table.values.len()).min().unwrap_or(0);
        let of_cell = |cell: usize| {
            let values: Vec<f64> = self.tables.iter().filter_map(|table| table.values.get(cell)).copied().collect();
            let covariance = self.kind_of.get(cell).and_then(|kind| self.kinds.get(*kind));
            of(&Joint { values: &values, covariance: covariance.map_or(&[][..], Vec::as_slice) })
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

/// Cells given by the levels of the measured dimensions that each stands for.
fn cells_over(plan: &Plan, axes: &[Vec<Vec<usize>>], alone: Option<&[String]>) -> Result<Cells, AnswerError> {
    if let Some(names) = alone {
        return alone_cells(plan, axes, names).ok_or(AnswerError::Fault("estimate"));
    }
    let broken_down = plan.measured_dimensions().map(|(dim, _)| dim).zip(axes.to_vec()).filter(|(dim, sets)| {
        // What is summed out whole is left out: no table need hold it.
        let levels = plan.dimensions.get(*dim).map_or(0, |d| d.levels.len());
        !matches!(sets.as_slice(), [one] if one.len() == levels)
    });
    Ok(Cells::of(broken_down))
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
