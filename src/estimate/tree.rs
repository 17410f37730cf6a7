//! The best estimate where one tree was measured at several levels: two passes along it for each flat component.
//!
//! Up: a node's own measurement and the sum of its children, weighted by precision. Down: what a node's final estimate
//! differs from the sum of its children is shared out over them in proportion to their variances. Children add up to
//! their parents, and tables over flat dimensions agree, to rounding. Linear in the cells of all levels.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: nodes and cells were counted when the parts were made")]

use super::NotCovered;
use super::components::{accumulate, float};
use super::margin::{Parts, count, decompose, recompose, varying};
use crate::design::{Passes, Subset, Tree, TreeDesign, TreeTable, subset, subsets, tree_weight};

/// The estimates of one draw over flat dimensions and one tree.
pub struct TreeEstimator {
    design: TreeDesign,
    /// For each level the components over flat dimensions of more than one code, each with the tree's dimension.
    levels: Vec<Parts>,
}

impl TreeEstimator {
    /// From measured tables: their cells, row-major with the tree's level in place of its dimension, and their
    /// variance.
    ///
    /// # Errors
    /// [`NotCovered`] if a table names a level that is not there or does not have the cells it says.
    pub fn new(
        sizes: &[usize],
        dimension: usize,
        tree: &Tree,
        noisy: &[(TreeTable, &[i64], f64)],
    ) -> Result<Self, NotCovered> {
        let measured: Vec<(TreeTable, f64)> = noisy.iter().map(|(table, _, v)| (table.clone(), *v)).collect();
        let design = TreeDesign::new(sizes, dimension, tree.clone(), &measured).ok_or(NotCovered)?;
        let mut levels = vec![Parts::new(); tree.depth() + 1];
        for (table, values, variance) in noisy {
            let sizes = at_level(&design, table.level);
            let flat = varying(&sizes, subset(&table.dims));
            let whole = flat | 1 << dimension;
            if values.len() != count(&sizes, whole) {
                return Err(NotCovered);
            }
            let values = values.iter().copied().map(float).collect();
            for (component, mut values) in decompose(&sizes, whole, flat, values) {
                let own = component & !(1 << dimension);
                let all = design.passes.get(&own).and_then(|passes| passes.own.get(table.level)).ok_or(NotCovered)?;
                let share = tree_weight(&sizes, table, *variance, own) / all;
                for value in &mut values {
                    *value *= share;
                }
                accumulate(&mut levels[table.level], component, values);
            }
        }
        let mut estimator = Self { design, levels };
        let components: std::collections::BTreeSet<Subset> =
            estimator.levels.iter().flat_map(|parts| parts.keys().copied()).collect();
        for component in components {
            estimator.both_ways(component).ok_or(NotCovered)?;
        }
        Ok(estimator)
    }

    /// The estimate of a table, row-major with the tree's level in place of its dimension.
    ///
    /// # Errors
    /// [`NotCovered`] if some part of it was measured nowhere, or only at coarser levels.
    pub fn table(&self, table: &TreeTable) -> Result<Vec<f64>, NotCovered> {
        let sizes = at_level(&self.design, table.level);
        let flat = varying(&sizes, subset(&table.dims)) & !(1 << self.design.dimension);
        let tree = 1 << self.design.dimension;
        let known = self.levels.get(table.level).ok_or(NotCovered)?;
        let parts = subsets(flat).map(|t| Some((t | tree, known.get(&(t | tree))?.clone()))).collect::<Option<_>>();
        recompose(&sizes, flat | tree, flat, parts.ok_or(NotCovered)?).ok_or(NotCovered)
    }

    /// How the estimates vary.
    #[must_use]
    pub fn design(&self) -> &TreeDesign {
        &self.design
    }

    /// Makes one component, measured at some levels, the best estimate at every level it is covered.
    fn both_ways(&mut self, component: Subset) -> Option<()> {
        let Self { design, levels } = self;
        let dimension = design.dimension;
        let passes = design.passes.get(&(component & !(1 << dimension)))?;
        let deepest = passes.own.len().checked_sub(1)?;
        let behind = count(&design.sizes, component & !((2 << dimension) - 1));
        let blocks = count(&design.sizes, component & ((1 << dimension) - 1));
        let mut nodes: Vec<Vec<f64>> = Vec::new();
        for (level, parts) in levels.iter_mut().enumerate().take(deepest + 1) {
            let size = blocks * design.tree.nodes(level) * behind;
            nodes.push(parts.remove(&component).unwrap_or_else(|| vec![0.0; size]));
        }
        let walk = Walk { tree: &design.tree, passes, blocks, behind };
        let sums: Vec<Vec<f64>> = (0..deepest).rev().map(|level| walk.up(level, &mut nodes)).collect();
        for (level, sums) in (0..deepest).zip(sums.iter().rev()) {
            walk.down(level, &mut nodes, sums);
        }
        for (parts, values) in levels.iter_mut().zip(nodes) {
            parts.insert(component, values);
        }
        Some(())
    }
}

/// The sizes of all dimensions, with the nodes of a level in the tree's place.
fn at_level(design: &TreeDesign, level: usize) -> Vec<usize> {
    let mut sizes = design.sizes.clone();
    if let Some(size) = sizes.get_mut(design.dimension) {
        *size = design.tree.nodes(level);
    }
    sizes
}

/// One component's values at the nodes: for each of the cells before the tree's dimension and each node a row of those
/// behind it.
struct Walk<'a> {
    tree: &'a Tree,
    passes: &'a Passes,
    blocks: usize,
    behind: usize,
}

impl Walk<'_> {
    /// For every child at `level + 1`: (its row, its parent's row, its number, its parent's number).
    fn children(&self, level: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> + '_ {
        let (parents, above) = (self.tree.parents(level + 1), self.tree.nodes(level));
        (0..self.blocks).flat_map(move |block| {
            parents.iter().enumerate().map(move |(child, &parent)| {
                ((block * parents.len() + child) * self.behind, (block * above + parent) * self.behind, child, parent)
            })
        })
    }

    /// Weighs the nodes of a level with the sums of their children; gives these sums.
    fn up(&self, level: usize, nodes: &mut [Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; nodes[level].len()];
        for (child, parent, _, _) in self.children(level) {
            for at in 0..self.behind {
                sums[parent + at] += nodes[level + 1][child + at];
            }
        }
        let count = self.tree.nodes(level);
        for (row, (values, sums)) in
            nodes[level].chunks_exact_mut(self.behind).zip(sums.chunks_exact(self.behind)).enumerate()
        {
            let variance = self.passes.upward[level][row % count];
            let (own, children) = (variance * self.passes.own[level], variance / self.passes.below[level][row % count]);
            for (value, sum) in values.iter_mut().zip(sums) {
                *value = own * *value + children * sum;
            }
        }
        sums
    }

    /// Shares out what the final estimates of a level differ from the sums of their children.
    fn down(&self, level: usize, nodes: &mut [Vec<f64>], sums: &[f64]) {
        let (above, below) = nodes.split_at_mut(level + 1);
        for (child, parent, node, over) in self.children(level) {
            let share = self.passes.upward[level + 1][node] / self.passes.below[level][over];
            for at in 0..self.behind {
                below[0][child + at] += share * (above[level][parent + at] - sums[parent + at]);
            }
        }
    }
}
