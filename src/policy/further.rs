//! Tables that nobody asked for and that may be measured, because they make those asked for more precise.
//!
//! Margins that several tables share, and tables over the dimensions of two, as far as the policy would admit each of
//! them as a table of its own and the bound on cells allows. Which of them are worth measuring is for the allocation to
//! say: most are not. They are never shown unasked.

use super::asked::{Asked, Place};
use super::plan::PERIOD;
use super::shape::Shape;
use super::{Policy, restrict};
use crate::design::candidates;
use std::collections::BTreeSet;

/// The tables, as positions in the dimensions of the shape, coarser ones first. None for a single table: nothing beside
/// it makes it better.
pub(super) fn further(policy: &Policy, asked: &Asked, shape: &Shape) -> Vec<Vec<usize>> {
    if asked.tables.len() < 2 {
        return Vec::new();
    }
    let known: BTreeSet<&Vec<usize>> = shape.measured.iter().map(|(_, dims)| dims).collect();
    let quantities: BTreeSet<_> = shape.measured.iter().map(|(quantity, _)| quantity).collect();
    let width: usize = quantities.iter().map(|quantity| quantity.width()).sum();
    let sizes: Vec<usize> = shape.dimensions.iter().map(|d| d.levels.len()).collect();
    let own: Vec<Vec<usize>> = known.iter().map(|dims| (*dims).clone()).collect();
    let mut left = policy.cells.cells_max.saturating_sub(shape.cells().unwrap_or(u64::MAX));
    let mut found = Vec::new();
    for dims in candidates(&sizes, &own, left) {
        let cells = shape.cells_of(&dims).and_then(|cells| cells.checked_mul(u64::try_from(width).ok()?));
        let Some(rest) = cells.and_then(|cells| left.checked_sub(cells)) else { continue };
        if !known.contains(&dims) && admissible(policy, asked, shape, &dims) {
            left = rest;
            found.push(dims);
        }
    }
    found
}

/// Whether the policy would admit such a table, with the filters and numerators of the question.
fn admissible(policy: &Policy, asked: &Asked, shape: &Shape, dims: &[usize]) -> bool {
    let place = |&dim: &usize| -> Option<Place> {
        let name = &shape.dimensions.get(dim)?.name;
        let column = || policy.columns.iter().position(|column| column.name == *name);
        if name == PERIOD { Some(0) } else { column()?.checked_add(1) }
    };
    let Some(table) = dims.iter().map(place).collect::<Option<BTreeSet<Place>>>() else { return false };
    let asked = Asked { tables: BTreeSet::from([table]), ..asked.clone() };
    restrict::check_crossings(policy, &asked).is_ok()
        && restrict::check_geography(policy, &asked).is_ok()
        && restrict::check_depth(policy, &asked).is_ok()
}
