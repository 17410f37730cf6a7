//! How the price of a question is shared out over what it measures.
//!
//! Evenly over the quantities (persons, a sum, the values it is divided by); within one that adds up, over its tables
//! and the levels of one dimension that is measured at several, as an A-optimal design says, weighted as the program
//! weights its tables; else by weight.
//! Shares are worked out once, at a price that stands for any, and units are apportioned from them in integers that sum
//! to the price exactly: so that the same question is always the same draw, and twice the price is half the variance.
//!
//! # Guarantee
//! G4 (the plan's half): `l1` and `l2_squared` of every table bound what one person, with at most `rows_max` rows in
//! each period, can change in it.

use super::plan::{Measured, PERIOD};
use super::quantity::Quantity;
use super::shape::Shape;
use crate::budget::{Accounting, Nanos};
use crate::design::{Candidate, TreeTable, allocate, allocate_with_tree};
use std::collections::BTreeMap;

/// The price at which shares are worked out: large enough that no table's share is lost in rounding.
const REFERENCE: Nanos = Nanos::MAX;

/// What is measured, with the share of the price that each table takes.
pub(super) struct Split {
    /// By quantity: its tables, not yet paid for, and their shares.
    parts: Vec<(Vec<Measured>, Vec<f64>)>,
}

impl Split {
    /// Shares the price of a shape out over its tables, and over `further` ones where that is better. `None` if its
    /// sensitivities pass 64 bits, or its tables what can be shared out.
    pub(super) fn of(
        shape: &Shape,
        further: &[Vec<usize>],
        accounting: Accounting,
        periods: u64,
        rows_max: u32,
    ) -> Option<Self> {
        let mut by_quantity: BTreeMap<&Quantity, Vec<Measured>> = BTreeMap::new();
        for (quantity, dims) in &shape.measured {
            by_quantity.entry(quantity).or_default().push(unpaid(shape, quantity, dims, periods, rows_max)?);
        }
        let parts = by_quantity.into_iter().map(|(quantity, mut tables)| {
            let alone = *quantity == Quantity::Persons && !shape.additive;
            if !alone {
                let more = further.iter().map(|dims| unpaid(shape, quantity, dims, periods, rows_max));
                tables.extend(more.collect::<Option<Vec<_>>>()?);
                tables.sort_by(|a, b| a.dims.cmp(&b.dims));
            }
            let units = if alone { by_weight(shape, &tables) } else { joined(shape, accounting, quantity, &tables)? };
            let paid = tables.into_iter().zip(units).filter(|(_, units)| *units > Nanos::ZERO);
            Some(paid.map(|(table, units)| (table, units.at_most() / REFERENCE.at_most())).unzip())
        });
        Some(Self { parts: parts.collect::<Option<_>>()? })
    }

    /// The tables at a price; `None` if some table would get nothing.
    pub(super) fn at(&self, cost: Nanos) -> Option<Vec<Measured>> {
        let quantities = cost.split_evenly(self.parts.len());
        let paid = self.parts.iter().zip(quantities).flat_map(|((tables, shares), cost)| {
            let units = cost.apportion(shares);
            tables.iter().zip(units).map(|(table, units)| (units > Nanos::ZERO).then(|| table.at(units)))
        });
        paid.collect()
    }

    /// How many tables are measured.
    pub(super) fn tables(&self) -> usize {
        self.parts.iter().map(|(tables, _)| tables.len()).sum()
    }
}

impl Measured {
    fn at(&self, units: Nanos) -> Self {
        Self { units, ..self.clone() }
    }
}

/// A table with its sensitivities.
fn unpaid(shape: &Shape, quantity: &Quantity, dims: &[usize], periods: u64, rows_max: u32) -> Option<Measured> {
    let per_row = dims.iter().filter_map(|&d| shape.dimensions.get(d)).any(|d| d.per_row);
    let distinct = *quantity == Quantity::Persons && per_row;
    let by_period = shape.dimensions.first().is_some_and(|d| d.name == PERIOD) && dims.first() == Some(&0);
    let within: Vec<usize> = dims.iter().copied().filter(|&d| !(by_period && d == 0)).collect();
    let rows_max = if *quantity == Quantity::Persons && !distinct { 1 } else { rows_max };
    let reach = quantity.in_period(rows_max, shape.cells_of(&within)?)?;
    let l1 = periods.checked_mul(reach.l1)?;
    // Where periods are pooled, those of one person may fall into the same cells: the norms add.
    let pooled = if by_period { periods } else { periods.checked_mul(periods)? };
    let l2_squared = pooled.checked_mul(reach.l2_squared)?;
    let (quantity, dims) = (quantity.clone(), dims.to_vec());
    Some(Measured { quantity, dims, units: Nanos::ZERO, l1, l2_squared, distinct })
}

/// Tables that stand alone: by weight.
fn by_weight(shape: &Shape, tables: &[Measured]) -> Vec<Nanos> {
    let weights: Vec<f64> = tables.iter().map(|table| f64::from(shape.weight(&table.dims))).collect();
    let sum: f64 = weights.iter().sum();
    REFERENCE.apportion(&weights.iter().map(|weight| weight / sum).collect::<Vec<_>>())
}

/// Tables joined by least squares: the best shares for all of them together.
fn joined(shape: &Shape, accounting: Accounting, quantity: &Quantity, tables: &[Measured]) -> Option<Vec<Nanos>> {
    let sizes: Vec<usize> = shape.dimensions.iter().map(|d| d.levels.len()).collect();
    let candidate = |table: &Measured, dims: Vec<usize>| Candidate { dims, l1: table.l1, l2_squared: table.l2_squared };
    if let Some(nesting) = shape.nesting() {
        let at_level = |table: &Measured| {
            let TreeTable { dims, level } = nesting.table(&table.dims);
            (candidate(table, dims), level)
        };
        let candidates: Vec<(Candidate, usize)> = tables.iter().map(at_level).collect();
        let targets = shape.nested_targets(quantity, &nesting);
        return allocate_with_tree(accounting, &sizes, nesting.tree(), &candidates, &targets, REFERENCE).ok();
    }
    let candidates: Vec<Candidate> = tables.iter().map(|table| candidate(table, table.dims.clone())).collect();
    allocate(accounting, &sizes, &candidates, &shape.targets(quantity), REFERENCE).ok()
}
