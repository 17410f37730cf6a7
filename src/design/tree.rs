//! One tree, say a geography, measured at several levels in a product with flat dimensions: the errors to expect.
//!
//! The flat dimensions are diagonalised as in [`Design`](super::Design); what is left of each of their components is
//! the same small problem, noisy values at the nodes of a tree whose children add up to their parent. It is solved by
//! two passes, up (what the nodes below say) and down (what the rest says), exactly and in time linear in the nodes
//! (Hay, Rastogi, Miklau and Suciu, VLDB 2010, for equal children; here ragged, by the recursions of Rauch, Tung and
//! Striebel, AIAA Journal 3, 1965). Two ragged trees do not commute and have no such form. Depends on no data.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: nodes were checked when the tree was made")]

use super::region::Overlap;
use super::{DIMENSIONS_MAX, Region, Subset, cells, subset, subsets};
use std::collections::BTreeMap;

/// Levels of nodes, each adding up to one node of the level above. Level 0 is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    parents: Vec<Vec<usize>>,
}

impl Tree {
    /// For each level below the whole, the position of every node's parent in the level above (in the first: 0).
    ///
    /// A branch that ends early is carried on by a single child. `None` if a parent does not exist or has no child.
    #[must_use]
    pub fn new(parents: Vec<Vec<usize>>) -> Option<Self> {
        let mut above = 1;
        for level in &parents {
            let named = level.iter().collect::<std::collections::BTreeSet<_>>();
            if named.len() != above || named.last().is_some_and(|last| **last >= above) {
                return None;
            }
            above = level.len();
        }
        Some(Self { parents })
    }

    /// The number of the finest level.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.parents.len()
    }

    /// How many nodes a level has.
    #[must_use]
    pub fn nodes(&self, level: usize) -> usize {
        level.checked_sub(1).map_or(1, |above| self.parents.get(above).map_or(0, Vec::len))
    }

    /// The parents of a level's nodes; none for the whole.
    pub(crate) fn parents(&self, level: usize) -> &[usize] {
        level.checked_sub(1).and_then(|above| self.parents.get(above)).map_or(&[], Vec::as_slice)
    }
}

/// A table over flat dimensions and one level of the tree (0: the tree is summed out).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeTable {
    /// The flat dimensions, ascending; never the tree's.
    pub dims: Vec<usize>,
    /// The level of the tree.
    pub level: usize,
}

/// Cells within groups of codes of the flat dimensions and within some nodes of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeRegion {
    /// The groups; the tree's own dimension is not used.
    pub flat: Region,
    /// (level, node) of disjoint nodes whose cells are summed; `[(0, 0)]` for the whole.
    pub nodes: Vec<(usize, usize)>,
}

/// What one component of the flat dimensions is like at every node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Passes {
    /// Precision of what was measured at each level, down to the deepest measured.
    pub(crate) own: Vec<f64>,
    /// Variance at each node of what it and the nodes below it say.
    pub(crate) upward: Vec<Vec<f64>>,
    /// At each node the sum of its children's; empty at the deepest level.
    pub(crate) below: Vec<Vec<f64>>,
}

impl Passes {
    pub(super) fn new(tree: &Tree, own: Vec<f64>) -> Self {
        let mut upward: Vec<Vec<f64>> = own.iter().enumerate().map(|(l, _)| vec![0.0; tree.nodes(l)]).collect();
        let mut below: Vec<Vec<f64>> = vec![Vec::new(); own.len()];
        for level in (0..own.len()).rev() {
            if level + 1 < own.len() {
                below[level] = vec![0.0; tree.nodes(level)];
                for (node, &parent) in tree.parents(level + 1).iter().enumerate() {
                    below[level][parent] += upward[level + 1][node];
                }
            }
            for node in 0..upward[level].len() {
                let children = below[level].get(node).map_or(0.0, |variance| 1.0 / variance);
                upward[level][node] = 1.0 / (own[level] + children);
            }
        }
        Self { own, upward, below }
    }

    /// Covariance of the final estimates of two weighted sums of nodes, by carrying their weights up to the whole:
    /// given the parent, children vary as `v_c [c = d] - v_c v_d / s` and follow it by `v_c / s`.
    fn covariance(&self, tree: &Tree, first: &[(usize, usize)], second: &[(usize, usize)]) -> Option<f64> {
        let mut weights: Vec<BTreeMap<usize, (f64, f64)>> = vec![BTreeMap::new(); self.own.len()];
        for &(level, node) in first {
            weights.get_mut(level)?.entry(node).or_insert((0.0, 0.0)).0 += 1.0;
        }
        for &(level, node) in second {
            weights.get_mut(level)?.entry(node).or_insert((0.0, 0.0)).1 += 1.0;
        }
        let mut sum = 0.0;
        for level in (1..self.own.len()).rev() {
            let mut followed: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
            for (&node, &(a, b)) in &weights[level] {
                let (variance, parent) = (*self.upward[level].get(node)?, tree.parents(level)[node]);
                sum += a * b * variance;
                let at_parent = followed.entry(parent).or_insert((0.0, 0.0));
                at_parent.0 += a * variance;
                at_parent.1 += b * variance;
            }
            for (parent, (a, b)) in followed {
                let all = self.below[level - 1][parent];
                sum -= a * b / all;
                let at_parent = weights[level - 1].entry(parent).or_insert((0.0, 0.0));
                at_parent.0 += a / all;
                at_parent.1 += b / all;
            }
        }
        let (a, b) = weights.first()?.get(&0).copied().unwrap_or((0.0, 0.0));
        Some(sum + a * b * self.upward[0][0])
    }
}

/// What measured tables over flat dimensions and levels of one tree tell.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeDesign {
    pub(crate) sizes: Vec<usize>,
    pub(crate) dimension: usize,
    pub(crate) tree: Tree,
    pub(crate) passes: BTreeMap<Subset, Passes>,
}

impl TreeDesign {
    /// Over dimensions of these sizes, of which one is the tree (its size is not used); each measured table with the
    /// noise variance of a cell. `None` if a table names the tree's dimension or a level it does not have, or the
    /// tree's dimension is not there.
    #[must_use]
    pub fn new(sizes: &[usize], dimension: usize, tree: Tree, measured: &[(TreeTable, f64)]) -> Option<Self> {
        if dimension >= sizes.len().min(DIMENSIONS_MAX) {
            return None;
        }
        let mut precisions: BTreeMap<Subset, Vec<f64>> = BTreeMap::new();
        for (table, variance) in measured {
            if table.level > tree.depth() || table.dims.contains(&dimension) {
                return None;
            }
            for component in subsets(subset(&table.dims)) {
                let own = precisions.entry(component).or_default();
                if own.len() <= table.level {
                    own.resize(table.level + 1, 0.0);
                }
                own[table.level] += weight(sizes, table, *variance, component);
            }
        }
        let passes = precisions.into_iter().map(|(component, own)| (component, Passes::new(&tree, own))).collect();
        Some(Self { sizes: sizes.to_vec(), dimension, tree, passes })
    }

    /// Covariance of the estimates of the numbers of persons in two regions; their variance if they are the same.
    /// `None`: the measured tables do not cover them.
    #[must_use]
    pub fn covariance(&self, first: &TreeRegion, second: &TreeRegion) -> Option<f64> {
        let overlaps: Vec<(usize, Overlap)> = (0..self.sizes.len())
            .filter(|&dim| dim != self.dimension)
            .map(|dim| (dim, first.flat.overlap(&second.flat, dim, self.sizes[dim])))
            .collect();
        let table = overlaps.iter().filter(|(_, o)| o.inside() != 0.0).fold(0, |table, (dim, _)| table | 1 << dim);
        let mut sum = 0.0;
        for component in subsets(table) {
            let along = |(dim, o): &(usize, Overlap)| if component >> dim & 1 == 1 { o.inside() } else { o.outside() };
            let factor: f64 = overlaps.iter().map(along).product();
            sum += factor * self.passes.get(&component)?.covariance(&self.tree, &first.nodes, &second.nodes)?;
        }
        Some(sum)
    }
}

/// The precision with which a measured table enters a component at its level.
pub(crate) fn weight(sizes: &[usize], table: &TreeTable, variance: f64, component: Subset) -> f64 {
    1.0 / (variance * cells(sizes, subset(&table.dims) & !component))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_parents_or_children_is_refused() {
        assert!(Tree::new(vec![vec![0, 0], vec![0, 1, 1]]).is_some());
        assert_eq!(Tree::new(vec![vec![0, 0], vec![0, 0, 2]]), None, "no such parent");
        assert_eq!(Tree::new(vec![vec![0, 0], vec![0, 0, 0]]), None, "a node above that nothing adds up to");
        assert_eq!(Tree::new(vec![vec![1]]), None);
        let tree = Tree::new(vec![vec![0, 0], vec![0, 1, 1]]).unwrap();
        assert_eq!([0, 1, 2, 3].map(|level| tree.nodes(level)), [1, 2, 3, 0]);
    }

    #[test]
    fn one_level_is_a_flat_dimension() {
        let tree = Tree::new(vec![vec![0; 5]]).unwrap();
        let table = |dims: &[usize], level, variance| (TreeTable { dims: dims.to_vec(), level }, variance);
        let measured = [table(&[1], 1, 4.0), table(&[1], 0, 2.0), table(&[], 1, 3.0)];
        let design = TreeDesign::new(&[0, 3], 0, tree, &measured).unwrap();
        let flat = super::super::Design::new(&[5, 3], &[(vec![0, 1], 4.0), (vec![1], 2.0), (vec![0], 3.0)]);
        for (node, code) in [(2, 1), (4, 0)] {
            let mine = TreeRegion { flat: Region::cell(&[(1, code)]), nodes: vec![(1, node)] };
            let theirs = Region::cell(&[(0, node), (1, code)]);
            let (a, b) = (design.covariance(&mine, &mine).unwrap(), flat.covariance(&theirs, &theirs).unwrap());
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn a_level_that_was_not_measured_is_not_covered() {
        let tree = Tree::new(vec![vec![0, 0], vec![0, 1, 1]]).unwrap();
        let measured = [(TreeTable { dims: vec![1], level: 1 }, 1.0), (TreeTable { dims: vec![], level: 2 }, 1.0)];
        let design = TreeDesign::new(&[0, 3], 0, tree.clone(), &measured).unwrap();
        let region =
            |level, codes: &[(usize, usize)]| TreeRegion { flat: Region::cell(codes), nodes: vec![(level, 0)] };
        let variance = |region: &TreeRegion| design.covariance(region, region);
        assert!(variance(&region(2, &[])).is_some() && variance(&region(1, &[(1, 0)])).is_some());
        assert_eq!(variance(&region(2, &[(1, 0)])), None);
        assert_eq!(variance(&TreeRegion { flat: Region::default(), nodes: vec![(2, 3)] }), None, "no such node");
        assert!(TreeDesign::new(&[0, 3], 0, tree.clone(), &[(TreeTable { dims: vec![], level: 3 }, 1.0)]).is_none());
        assert!(TreeDesign::new(&[0, 3], 0, tree, &[(TreeTable { dims: vec![0], level: 1 }, 1.0)]).is_none());
    }
}
