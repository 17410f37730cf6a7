//! From a whole estimated table to the cells that a question shows of it: filters cut, groups summed.

use super::EstimatedTable;
use crate::policy::{Plan, Shown};

/// The levels of a dimension that a question selects: all, unless a filter cuts.
pub(crate) fn selected(plan: &Plan, dim: usize) -> Vec<usize> {
    let all = plan.dimensions.get(dim).map_or(0, |d| d.levels.len());
    plan.cuts.iter().find(|c| c.dim == dim).map_or_else(|| (0..all).collect(), |cut| cut.levels.clone())
}

/// The table a shown one is cut from (its own dimensions and every filtered one), and per dimension of the plan how
/// many levels one shown cell holds fixed.
pub(crate) fn source(plan: &Plan, shown: &Shown) -> (Vec<usize>, Vec<Option<usize>>) {
    let cut = |dim: usize| plan.cuts.iter().find(|c| c.dim == dim);
    let groups: Vec<Option<usize>> = (0..plan.dimensions.len())
        .map(|dim| if shown.dims.contains(&dim) { Some(1) } else { cut(dim).map(|c| c.levels.len()) })
        .collect();
    let table = groups.iter().enumerate().filter(|(_, g)| g.is_some()).map(|(dim, _)| dim).collect();
    (table, groups)
}

/// Sums the whole table over the filters that are not broken down by, and keeps the levels selected of the others.
pub(super) fn cut(
    plan: &Plan,
    shown: &Shown,
    table: &[usize],
    whole: &[f64],
    variance: f64,
    half_width: f64,
) -> EstimatedTable {
    let levels: Vec<Vec<usize>> = shown.dims.iter().map(|&dim| selected(plan, dim)).collect();
    let cells: usize = levels.iter().map(Vec::len).product();
    let mut values = vec![0.0; cells];
    // For each dimension of the source: how many levels it has, and where each selected level goes in the result.
    let mut places: Vec<Option<usize>> = vec![Some(0)];
    for &dim in table {
        let size = plan.dimensions.get(dim).map_or(0, |d| d.levels.len());
        let wanted = selected(plan, dim);
        let broken_down = shown.dims.contains(&dim);
        places = places
            .iter()
            .flat_map(|&place| {
                let wanted = &wanted;
                (0..size).map(move |level| {
                    let position = wanted.iter().position(|&w| w == level)?;
                    place.map(|place| if broken_down { place * wanted.len() + position } else { place })
                })
            })
            .collect();
    }
    for (&value, place) in whole.iter().zip(&places) {
        if let Some(sum) = place.and_then(|place| values.get_mut(place)) {
            *sum += value;
        }
    }
    EstimatedTable { dims: shown.dims.clone(), levels, values, standard_error: variance.sqrt(), half_width }
}
