//! The mean variance of tables over flat dimensions and levels of a tree, as a function of how a budget is shared out.
//!
//! As in [`super::objective`], with one small tree problem for each component of the flat dimensions in place of a
//! quotient. Its slope comes from one pass down and one up the same tree (the adjoint of the two passes): linear in the
//! nodes. The same bits on every machine.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: positions are those of the vectors built here")]

use super::objective::{Criterion, TERMS_MAX, Target, drop_spare};
use super::tree::{Passes, Tree, TreeTable, weight};
use super::{Subset, Unallocated, size_as_float, subset, subsets};
use std::collections::BTreeMap;

/// What the shares of a budget are worth.
pub(super) struct TreeObjective<'a> {
    tree: &'a Tree,
    /// For each component what the mean variance over the nodes of each level weighs.
    weights: Vec<Vec<f64>>,
    /// For each candidate its level, and the components it holds with the precision of a whole budget.
    terms: Vec<(usize, Vec<(usize, f64)>)>,
}

impl<'a> TreeObjective<'a> {
    /// Over candidates given as tables and the variance of a cell that a whole budget would leave.
    pub(super) fn new(
        sizes: &[usize],
        tree: &'a Tree,
        candidates: &[(TreeTable, f64)],
        targets: &[(Target, usize)],
    ) -> Result<Self, Unallocated> {
        let mut by_component: BTreeMap<Subset, Vec<f64>> = BTreeMap::new();
        for (target, level) in targets.iter().filter(|(target, _)| target.weight > 0.0) {
            let mut own = BTreeMap::new();
            target.weigh(sizes, &mut own)?;
            for (component, weight) in own.into_iter().filter(|(_, weight)| *weight > 0.0) {
                let levels = by_component.entry(component).or_insert_with(|| vec![0.0; tree.depth() + 1]);
                *levels.get_mut(*level).ok_or(Unallocated::NotCovered)? += weight;
            }
        }
        let position: BTreeMap<Subset, usize> = by_component.keys().enumerate().map(|(i, &t)| (t, i)).collect();
        let looked_at = |(table, _): &(TreeTable, f64)| 1_usize << subset(&table.dims).count_ones();
        let nodes: usize = (0..=tree.depth()).map(|level| tree.nodes(level)).sum();
        let all = candidates.iter().map(looked_at).sum::<usize>().max(nodes.saturating_mul(position.len()));
        if all > TERMS_MAX {
            return Err(Unallocated::TooMuchWork);
        }
        let held = |(table, variance): &(TreeTable, f64)| {
            let of = |t: Subset| Some((*position.get(&t)?, weight(sizes, table, *variance, t)));
            (table.level, subsets(subset(&table.dims)).filter_map(of).collect())
        };
        let terms = candidates.iter().map(held).collect();
        Ok(Self { tree, weights: by_component.into_values().collect(), terms })
    }

    fn precisions(&self, shares: &[f64]) -> Vec<Vec<f64>> {
        let mut precisions = vec![vec![0.0; self.tree.depth() + 1]; self.weights.len()];
        for ((level, terms), share) in self.terms.iter().zip(shares) {
            for &(at, held) in terms {
                precisions[at][*level] += share * held;
            }
        }
        precisions
    }

    /// The deepest level at which a component counts.
    fn needed(&self, at: usize) -> usize {
        self.weights[at].iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }

    /// For one component the weighted mean variance, and what a unit of precision at each level takes from it.
    fn component(&self, weights: &[f64], mut own: Vec<f64>) -> (f64, Vec<f64>) {
        while own.last().is_some_and(|precision| *precision <= 0.0) {
            own.pop();
        }
        let passes = Passes::new(self.tree, own);
        let variances = passes.variances(self.tree);
        let mut value = 0.0;
        let mut final_slopes: Vec<Vec<f64>> = Vec::new();
        for (variances, weight) in variances.iter().zip(weights) {
            let mean = weight / size_as_float(variances.len().max(1));
            value += mean * variances.iter().sum::<f64>();
            final_slopes.push(vec![mean; variances.len()]);
        }
        (value, passes.slopes(self.tree, &variances, final_slopes))
    }
}

impl Passes {
    /// Variance of the final estimate of every node: `u_c = v_c - (v_c / s)^2 (s - u_p)`.
    fn variances(&self, tree: &Tree) -> Vec<Vec<f64>> {
        let mut all = self.upward.clone();
        for level in 1..all.len() {
            for (child, &parent) in tree.parents(level).iter().enumerate() {
                let (variance, sum) = (self.upward[level][child], self.below[level - 1][parent]);
                let share = variance / sum;
                all[level][child] = variance - share * share * (sum - all[level - 1][parent]);
            }
        }
        all
    }

    /// From the slopes of a value in the final variances, minus its slope in each level's precision.
    fn slopes(&self, tree: &Tree, variances: &[Vec<f64>], mut of_final: Vec<Vec<f64>>) -> Vec<f64> {
        let levels = self.own.len();
        let mut of_upward: Vec<Vec<f64>> = self.upward.iter().map(|level| vec![0.0; level.len()]).collect();
        let mut of_sum: Vec<Vec<f64>> = self.below.iter().map(|level| vec![0.0; level.len()]).collect();
        for level in (1..levels).rev() {
            for (child, &parent) in tree.parents(level).iter().enumerate() {
                let (variance, sum) = (self.upward[level][child], self.below[level - 1][parent]);
                let (share, above, slope) = (variance / sum, variances[level - 1][parent], of_final[level][child]);
                of_final[level - 1][parent] += slope * share * share;
                of_upward[level][child] += slope * (1.0 - 2.0 * share * (sum - above) / sum);
                of_sum[level - 1][parent] += slope * share * share * (1.0 - 2.0 * above / sum);
            }
        }
        let mut taken = vec![0.0; levels];
        for level in 0..levels {
            for node in 0..of_upward[level].len() {
                let whole = if level == 0 { of_final[0][node] } else { 0.0 };
                let slope = of_upward[level][node] + whole;
                let square = self.upward[level][node] * self.upward[level][node];
                taken[level] += slope * square;
                if let Some(sum) = self.below[level].get(node) {
                    of_sum[level][node] += slope * square / (sum * sum);
                }
            }
            if level + 1 < levels {
                for (child, &parent) in tree.parents(level + 1).iter().enumerate() {
                    of_upward[level + 1][child] += of_sum[level][parent];
                }
            }
        }
        taken
    }
}

impl Criterion for TreeObjective<'_> {
    fn work(&self) -> usize {
        let nodes: usize = (0..=self.tree.depth()).map(|level| self.tree.nodes(level)).sum();
        // each node is passed some four times
        self.terms.iter().map(|(_, terms)| terms.len()).sum::<usize>() + 4 * nodes * self.weights.len().max(1)
    }

    fn covered(&self, shares: &[f64]) -> bool {
        let reached = |(at, own): (usize, &Vec<f64>)| own[self.needed(at)..].iter().any(|precision| *precision > 0.0);
        self.precisions(shares).iter().enumerate().all(reached)
    }

    fn evaluate(&self, shares: &[f64]) -> (f64, Vec<f64>) {
        let precisions = self.precisions(shares).into_iter().zip(&self.weights);
        let (values, slopes): (Vec<f64>, Vec<Vec<f64>>) =
            precisions.map(|(own, weights)| self.component(weights, own)).unzip();
        let of_share = |(level, terms): &(usize, Vec<(usize, f64)>)| {
            terms.iter().map(|&(at, held)| held * slopes[at].get(*level).copied().unwrap_or(0.0)).sum()
        };
        (values.iter().sum(), self.terms.iter().map(of_share).collect())
    }

    fn drop_spare(&self, shares: &mut [f64], order: &[usize]) {
        let holds: Vec<Vec<usize>> = self
            .terms
            .iter()
            .map(|(level, terms)| terms.iter().map(|(at, _)| *at).filter(|at| *level >= self.needed(*at)).collect())
            .collect();
        drop_spare(&holds, self.weights.len(), shares, order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Accounting, NANOS_PER_UNIT, Nanos};
    use crate::design::{Candidate, Region, TreeDesign, TreeRegion, allocate, allocate_with_tree, gaussian_variance};

    const TOTAL: Nanos = Nanos::from_nanos(NANOS_PER_UNIT / 10);

    fn ragged() -> Tree {
        Tree::new(vec![vec![0, 0, 0], vec![0, 0, 0, 0, 1, 2, 2], vec![0, 0, 1, 2, 3, 4, 4, 4, 5, 6]]).unwrap()
    }

    fn tables() -> Vec<(Candidate, usize)> {
        let table =
            |dims: &[usize], level, l2_squared| (Candidate { dims: dims.to_vec(), l1: l2_squared, l2_squared }, level);
        vec![table(&[1], 3, 1), table(&[1], 2, 1), table(&[], 1, 1), table(&[], 3, 2), table(&[1], 0, 1)]
    }

    fn targets() -> Vec<(Target, usize)> {
        vec![(Target::table(&[1], 1.0), 3), (Target::table(&[], 2.0), 2), (Target::table(&[1], 1.0), 1)]
    }

    /// The objective by exact variances, cell by cell.
    fn by_covariances(units: &[Nanos]) -> f64 {
        let (sizes, tree) = ([0, 4], ragged());
        let measured: Vec<_> = tables()
            .into_iter()
            .zip(units)
            .filter(|(_, units)| **units > Nanos::ZERO)
            .map(|((c, level), &units)| (TreeTable { dims: c.dims, level }, gaussian_variance(units, c.l2_squared)))
            .collect();
        let design = TreeDesign::new(&sizes, 0, tree.clone(), &measured).unwrap();
        let mean = |(target, level): (Target, usize)| {
            let flat = if target.groups.is_empty() { Region::default() } else { Region::cell(&[(1, 2)]) };
            let cells =
                (0..tree.nodes(level)).map(|node| TreeRegion { flat: flat.clone(), nodes: vec![(level, node)] });
            let sum: f64 = cells.map(|cell| design.covariance(&cell, &cell).unwrap()).sum();
            target.weight * sum / size_as_float(tree.nodes(level))
        };
        targets().into_iter().map(mean).sum()
    }

    #[test]
    fn the_objective_and_its_slope_are_those_of_the_exact_variances() {
        let (tree, targets) = (ragged(), targets());
        let of = |(c, level): (Candidate, usize)| {
            let variance = f64::from(u32::try_from(c.l2_squared).unwrap()) / 2.0;
            (TreeTable { dims: c.dims, level }, variance)
        };
        let candidates: Vec<_> = tables().into_iter().map(of).collect();
        let objective = TreeObjective::new(&[0, 4], &tree, &candidates, &targets).unwrap();
        for shares in [[0.2, 0.2, 0.2, 0.2, 0.2], [0.5, 0.0, 0.1, 0.1, 0.3], [0.4, 0.3, 0.05, 0.2, 0.05]] {
            let (value, slopes) = objective.evaluate(&shares);
            let units = Nanos::from_nanos(NANOS_PER_UNIT).apportion(&shares);
            assert!((value / by_covariances(&units) - 1.0).abs() < 1e-7, "{value} {}", by_covariances(&units));
            for (at, slope) in slopes.iter().enumerate() {
                let mut more = shares;
                more[at] += 1e-6;
                let numeric = (value - objective.evaluate(&more).0) / 1e-6;
                assert!((slope - numeric).abs() < 1e-4 * (1.0 + slope.abs()), "{at}: {slope}, numerically {numeric}");
            }
        }
    }

    #[test]
    fn the_optimum_over_a_tree_cannot_be_moved_to_a_better_one() {
        let (tree, candidates) = (ragged(), tables());
        let units = allocate_with_tree(Accounting::Zcdp, &[0, 4], &tree, &candidates, &targets(), TOTAL).unwrap();
        assert_eq!(units.iter().map(|u| u.as_nanos()).sum::<u64>(), TOTAL.as_nanos());
        let least = by_covariances(&units);
        assert!(least < by_covariances(&TOTAL.split_evenly(candidates.len())) * 0.9);
        let step = TOTAL.as_nanos() / 1_000;
        for from in 0..units.len() {
            for to in (0..units.len()).filter(|to| *to != from && units[from].as_nanos() > step) {
                let mut moved = units.clone();
                moved[from] = Nanos::from_nanos(units[from].as_nanos() - step);
                moved[to] = Nanos::from_nanos(units[to].as_nanos() + step);
                assert!(by_covariances(&moved) >= least * (1.0 - 1e-5), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn one_level_is_shared_out_like_a_flat_dimension() {
        let tree = Tree::new(vec![vec![0; 7]]).unwrap();
        let table = |dims: &[usize]| Candidate { dims: dims.to_vec(), l1: 1, l2_squared: 1 };
        let flat = [table(&[0, 1]), table(&[1]), table(&[0])];
        let with_tree = [(table(&[1]), 1), (table(&[1]), 0), (table(&[]), 1)];
        let asked = [Target::table(&[0, 1], 1.0), Target::table(&[1], 3.0)];
        let asked_of_tree = [(Target::table(&[1], 1.0), 1), (Target::table(&[1], 3.0), 0)];
        for accounting in [Accounting::Zcdp, Accounting::Pure] {
            let one = allocate(accounting, &[7, 4], &flat, &asked, TOTAL).unwrap();
            let other = allocate_with_tree(accounting, &[0, 4], &tree, &with_tree, &asked_of_tree, TOTAL).unwrap();
            for (a, b) in one.iter().zip(&other) {
                assert!(a.as_nanos().abs_diff(b.as_nanos()) <= 50_000, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_level_that_no_candidate_reaches_is_refused() {
        let tree = ragged();
        let refused = |targets: &[(Target, usize)]| {
            allocate_with_tree(Accounting::Zcdp, &[0, 4], &tree, &tables()[1..3], targets, TOTAL).err()
        };
        assert_eq!(refused(&[(Target::table(&[1], 1.0), 3)]), Some(Unallocated::NotCovered));
        assert_eq!(refused(&[(Target::table(&[], 1.0), 4)]), Some(Unallocated::NotCovered));
        assert_eq!(refused(&[(Target::table(&[1], 1.0), 2)]), None);
    }

    /// Their shares die out step by step; what they would tell alone is not to become a number beyond all others.
    #[test]
    fn tables_that_are_worth_nothing_leave_the_others_their_shares() {
        let tree = Tree::new(vec![vec![0, 0, 0], vec![0, 0, 0, 1, 2, 0]]).unwrap();
        let subsets =
            |level| super::super::subsets(0b1101).map(move |t| ((0..4).filter(|d| t >> d & 1 == 1).collect(), level));
        let tables: Vec<(Vec<usize>, usize)> = subsets(0).chain(subsets(2)).chain([(vec![3], 1)]).collect();
        let candidates: Vec<(Candidate, usize)> =
            tables.into_iter().map(|(dims, level)| (Candidate { dims, l1: 1, l2_squared: 1 }, level)).collect();
        let target = |dims: &[usize], level| (Target::table(dims, 1.0), level);
        let targets = [target(&[0, 2], 2), target(&[0, 2, 3], 0), target(&[3], 1)];
        for accounting in [Accounting::Zcdp, Accounting::Pure] {
            let units = allocate_with_tree(accounting, &[2, 6, 5, 3], &tree, &candidates, &targets, TOTAL).unwrap();
            assert_eq!(units.iter().map(|units| units.as_nanos()).sum::<u64>(), TOTAL.as_nanos());
        }
    }
}
