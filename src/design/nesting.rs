//! One dimension measured at several levels beside flat ones, and what such a draw tells.
//!
//! Levels are nested: the codes of a coarser one are groups of those of the finest. A region is the same whether its
//! groups were measured as such or as sums; of all that was measured the best is made of it. Depends on no data.

#![expect(clippy::indexing_slicing, reason = "a numeric kernel: nodes were counted from the codes that they hold")]

use super::tree::{Tree, TreeDesign, TreeRegion, TreeTable};
use super::{Design, Region};
use std::collections::{BTreeMap, BTreeSet};

/// A dimension with the coarser dimensions that are groups of its codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Nesting {
    dimension: usize,
    /// The positions of the coarser levels among the dimensions, the coarsest first.
    coarser: Vec<usize>,
    /// By level, the whole first, the node of each code.
    node_of: Vec<Vec<usize>>,
    /// By level, how many codes each node holds.
    held: Vec<Vec<usize>>,
    tree: Tree,
}

impl Nesting {
    /// Of the dimension at this position, with so many codes, and the coarser ones: the position of each, and for each
    /// of its codes those that belong to it. `None` if they are not nested or do not cover the codes.
    #[must_use]
    pub fn new(dimension: usize, codes: usize, mut coarser: Vec<(usize, Vec<Vec<usize>>)>) -> Option<Self> {
        coarser.sort_by_key(|(_, groups)| groups.len());
        let mut node_of = vec![vec![0; codes]];
        for (_, groups) in &coarser {
            let numbered =
                groups.iter().enumerate().flat_map(|(node, held)| held.iter().map(move |&code| (code, node)));
            let nodes: BTreeMap<usize, usize> = numbered.collect();
            node_of.push((0..codes).map(|code| nodes.get(&code).copied()).collect::<Option<_>>()?);
        }
        node_of.push((0..codes).collect());
        let mut parents = Vec::new();
        for (above, here) in node_of.iter().zip(node_of.iter().skip(1)) {
            let pairs: BTreeSet<(usize, usize)> = here.iter().copied().zip(above.iter().copied()).collect();
            let nodes = here.iter().max().map_or(0, |last| last + 1);
            // Each node once, below one parent: else the levels are not nested.
            (pairs.len() == nodes).then_some(())?;
            parents.push(pairs.into_iter().map(|(_, parent)| parent).collect());
        }
        let coarser = coarser.into_iter().map(|(position, _)| position).collect();
        let count = |nodes: &Vec<usize>| {
            let mut held = vec![0; nodes.iter().max().map_or(0, |last| last + 1)];
            for &node in nodes {
                held[node] += 1;
            }
            held
        };
        let held = node_of.iter().map(count).collect();
        Some(Self { dimension, coarser, node_of, held, tree: Tree::new(parents)? })
    }

    /// The position of the finest level.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The levels as a tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// A table over these dimensions: the flat ones, and the level.
    #[must_use]
    pub fn table(&self, dims: &[usize]) -> TreeTable {
        let level_of = |dim: usize| match self.coarser.iter().position(|other| *other == dim) {
            Some(at) => at + 1,
            None if dim == self.dimension => self.tree.depth(),
            None => 0,
        };
        let level = dims.iter().map(|&dim| level_of(dim)).max().unwrap_or(0);
        TreeTable { dims: dims.iter().copied().filter(|&dim| level_of(dim) == 0).collect(), level }
    }

    /// The coarsest level whose nodes make up each of these sets of codes; the finest always does.
    #[must_use]
    pub fn level_of(&self, sets: &[Vec<usize>]) -> usize {
        let made = |level: &usize| sets.iter().all(|set| self.nodes(*level, set).is_some());
        (0..self.tree.depth()).find(made).unwrap_or(self.tree.depth())
    }

    /// The nodes of a level that make up a set of codes; `None` if some are only partly inside.
    #[must_use]
    pub fn nodes(&self, level: usize, set: &[usize]) -> Option<Vec<usize>> {
        let node_of = self.node_of.get(level)?;
        let nodes: BTreeSet<usize> = set.iter().map(|&code| node_of.get(code).copied()).collect::<Option<_>>()?;
        let codes: usize = nodes.iter().map(|&node| self.held[level][node]).sum();
        (codes == set.len()).then(|| nodes.into_iter().collect())
    }

    /// A region, with the largest nodes that its codes fill in place of them.
    fn region(&self, region: &Region) -> TreeRegion {
        let Some(group) = region.group(self.dimension) else {
            return TreeRegion { flat: region.clone(), nodes: vec![(0, 0)] };
        };
        let mut left = group.clone();
        let mut nodes = Vec::new();
        for (level, node_of) in self.node_of.iter().enumerate() {
            let mut inside: BTreeMap<usize, usize> = BTreeMap::new();
            for node in left.iter().filter_map(|&code| node_of.get(code)) {
                *inside.entry(*node).or_default() += 1;
            }
            let filled = inside.into_iter().filter(|(node, codes)| *codes == self.held[level][*node]);
            let filled: BTreeSet<usize> = filled.map(|(node, _)| node).collect();
            left.retain(|&code| node_of.get(code).is_none_or(|node| !filled.contains(node)));
            nodes.extend(filled.into_iter().map(|node| (level, node)));
        }
        TreeRegion { flat: region.clone(), nodes }
    }
}

/// What a draw tells of every region.
#[derive(Debug, Clone)]
pub enum Measurement {
    /// Of flat dimensions alone.
    Flat(Design),
    /// With one dimension measured at several levels.
    Nested(Nesting, TreeDesign),
}

impl Measurement {
    /// Of a draw over dimensions of these sizes; each measured table is its dimensions and the noise variance of a
    /// cell. Nothing is covered by tables that do not fit the levels.
    #[must_use]
    pub fn new(sizes: &[usize], nesting: Option<Nesting>, measured: &[(Vec<usize>, f64)]) -> Self {
        let Some(nesting) = nesting else { return Self::Flat(Design::new(sizes, measured)) };
        let tables: Vec<(TreeTable, f64)> =
            measured.iter().map(|(dims, variance)| (nesting.table(dims), *variance)).collect();
        match TreeDesign::new(sizes, nesting.dimension, nesting.tree.clone(), &tables) {
            Some(design) => Self::Nested(nesting, design),
            None => Self::Flat(Design::new(sizes, &[])),
        }
    }

    /// Covariance of the estimates of two regions; their variance if they are the same. `None`: not covered.
    #[must_use]
    pub fn covariance(&self, first: &Region, second: &Region) -> Option<f64> {
        match self {
            Self::Flat(design) => design.covariance(first, second),
            Self::Nested(nesting, design) => design.covariance(&nesting.region(first), &nesting.region(second)),
        }
    }

    /// What tells these codes of a dimension apart from others in their errors: their number, and which they are along
    /// a dimension of several levels.
    #[must_use]
    pub fn kind(&self, dim: usize, codes: &[usize]) -> (usize, usize) {
        let apart = match self {
            Self::Flat(_) => false,
            Self::Nested(nesting, _) => nesting.dimension == dim,
        };
        (codes.len(), codes.first().copied().filter(|_| apart).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested() -> Nesting {
        let (north, all) = (vec![vec![0, 1], vec![2], vec![3, 4]], vec![vec![0, 1, 2], vec![3, 4]]);
        Nesting::new(1, 5, vec![(4, north), (3, all)]).unwrap()
    }

    #[test]
    fn levels_are_ordered_and_those_that_are_not_nested_refused() {
        let nesting = nested();
        assert_eq!((0..4).map(|level| nesting.tree().nodes(level)).collect::<Vec<_>>(), [1, 2, 3, 5]);
        assert_eq!(nesting.table(&[0, 4]), TreeTable { dims: vec![0], level: 2 });
        assert_eq!(nesting.table(&[0, 1]), TreeTable { dims: vec![0], level: 3 });
        assert_eq!(nesting.table(&[0]), TreeTable { dims: vec![0], level: 0 });
        let across = vec![(3, vec![vec![0, 1, 2], vec![3, 4]]), (4, vec![vec![0, 1], vec![2, 3], vec![4]])];
        assert_eq!(Nesting::new(1, 5, across), None);
        assert_eq!(Nesting::new(1, 5, vec![(3, vec![vec![0, 1]])]), None, "codes in no group");
    }

    #[test]
    fn sets_of_codes_are_the_largest_nodes_they_fill() {
        let nesting = nested();
        let nodes = |codes: &[usize]| nesting.region(&Region::default().within(1, codes.iter().copied())).nodes;
        assert_eq!(nodes(&[0, 1, 2, 3, 4]), [(0, 0)]);
        assert_eq!(nodes(&[0, 1, 2, 4]), [(1, 0), (3, 4)]);
        assert_eq!(nodes(&[1, 2]), [(2, 1), (3, 1)]);
        assert_eq!(nesting.level_of(&[vec![0, 1], vec![2]]), 2);
        assert_eq!((nesting.level_of(&[vec![0]]), nesting.level_of(&[vec![0, 1, 2, 3, 4]])), (3, 0));
    }
}
