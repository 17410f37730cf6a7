//! The estimates of one draw, whether or not one of its dimensions was measured at several levels.

use super::estimator::Estimator;
use super::{NotCovered, TreeEstimator};
use crate::design::{Nesting, TreeTable};
use crate::noise::NoisyTables;
use crate::policy::{Cells, Plan};

/// The estimates of everything that a draw covers.
pub(super) enum Whole {
    /// Over flat dimensions.
    Flat(Box<Estimator>),
    /// With one dimension measured at several levels.
    Nested(Nesting, Box<TreeEstimator>),
}

impl Whole {
    /// From the noisy tables of a plan whose tables add up.
    ///
    /// # Errors
    /// [`NotCovered`] if a table does not have the cells its dimensions say.
    pub(super) fn of(plan: &Plan, noisy: &NoisyTables, sizes: &[usize]) -> Result<Self, NotCovered> {
        let Some(nesting) = plan.nesting() else {
            return Ok(Self::Flat(Box::new(Estimator::new(sizes, noisy, &plan.structural_zeros)?)));
        };
        let in_place: Vec<Vec<i64>> =
            noisy.tables.iter().map(|t| in_place(&nesting, sizes, &t.dims, &t.values)).collect();
        let tables: Vec<(TreeTable, &[i64], f64)> = noisy
            .tables
            .iter()
            .zip(&in_place)
            .map(|(table, values)| (nesting.table(&table.dims), values.as_slice(), table.variance))
            .collect();
        let estimator = TreeEstimator::new(sizes, nesting.dimension(), nesting.tree(), &tables)?;
        Ok(Self::Nested(nesting, Box::new(estimator)))
    }

    /// What the cells of a table stand for, each summed.
    ///
    /// # Errors
    /// [`NotCovered`] if the draw does not hold them.
    pub(super) fn sums(&self, sizes: &[usize], cells: &Cells) -> Result<Vec<f64>, NotCovered> {
        match self {
            Self::Flat(estimator) => Ok(cells.sums(sizes, &estimator.table(&cells.source())?)),
            Self::Nested(nesting, estimator) => {
                let base = nesting.dimension();
                let sets = cells.sets(base);
                let level = if sets.is_empty() { 0 } else { nesting.level_of(&sets) };
                let cells = cells.at_nodes(base, |set| nesting.nodes(level, set)).ok_or(NotCovered)?;
                let dims = cells.source().into_iter().filter(|dim| *dim != base).collect();
                let mut sizes = sizes.to_vec();
                *sizes.get_mut(base).ok_or(NotCovered)? = nesting.tree().nodes(level);
                Ok(cells.sums(&sizes, &estimator.table(&TreeTable { dims, level })?))
            }
        }
    }
}

/// The figures of a table with a coarser level in the place of the dimension it is a level of: the dimensions of a plan
/// hold it behind all others.
fn in_place(nesting: &Nesting, sizes: &[usize], dims: &[usize], values: &[i64]) -> Vec<i64> {
    let base = nesting.dimension();
    let level = nesting.table(dims).level;
    if level == 0 || dims.contains(&base) {
        return values.to_vec();
    }
    let nodes = nesting.tree().nodes(level);
    let flat = nesting.table(dims).dims;
    let behind: usize = flat.iter().filter(|dim| **dim > base).filter_map(|&dim| sizes.get(dim)).product();
    let turned = |block: &[i64]| -> Vec<i64> {
        let of_node = |node: usize| block.iter().skip(node).step_by(nodes.max(1)).copied();
        (0..nodes).flat_map(of_node).collect()
    };
    values.chunks((behind * nodes).max(1)).flat_map(turned).collect()
}
