//! The mean variance of the tables asked for, as a function of how a budget is shared out.
//!
//! With `c_S(t)` the precision that a whole budget spent on table `S` gives component `t`, shares `a_S` give
//! `P_t = sum_S a_S c_S(t)`, and the objective is `V = sum_t W_t / P_t`: `W_t` is what component `t` weighs in the
//! targets. Components of no weight are left out. Only additions, multiplications, divisions and square roots, in a
//! fixed order: every machine computes the same bits, on which plan digests depend. Never parallel, never fused.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: positions are those of the vectors built here")]

use super::{Subset, Unallocated, cells, size_as_float, subset, subsets};
use std::collections::BTreeMap;

/// The most pairs of candidate and component that an objective may hold: some 64 MB.
pub(super) const TERMS_MAX: usize = 1 << 22;

/// A table whose precision matters, cell by cell: the mean over its cells is what is minimised.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The dimensions broken down by or filtered, each with the numbers of codes in its groups: `[1]` for single codes,
    /// `[g]` for a filter of `g` codes, `[3, 5, 4]` for broad ages. Other dimensions are summed out.
    pub groups: Vec<(usize, Vec<usize>)>,
    /// Its weight against the others; a table of no weight does not count.
    pub weight: f64,
}

impl Target {
    /// A table over these dimensions, code by code.
    #[must_use]
    pub fn table(dims: &[usize], weight: f64) -> Self {
        Self { groups: dims.iter().map(|&dim| (dim, vec![1])).collect(), weight }
    }

    pub(super) fn dimensions(&self) -> Subset {
        subset(&self.groups.iter().map(|(dim, _)| *dim).collect::<Vec<_>>())
    }

    /// What each component weighs in the mean variance of the cells: per dimension the mean over the groups of
    /// `g - g^2 / n` inside the component and of `(g / n)^2` outside it.
    pub(super) fn weigh(&self, sizes: &[usize], weights: &mut BTreeMap<Subset, f64>) -> Result<(), Unallocated> {
        let mut parts = BTreeMap::from([(0, self.weight)]);
        for (dim, groups) in &self.groups {
            let Some(&size) = sizes.get(*dim) else { return Err(Unallocated::NotCovered) };
            let (n, count) = (size_as_float(size), size_as_float(groups.len().max(1)));
            let (mut inside, mut outside) = (0.0, 0.0);
            for &group in groups {
                let g = size_as_float(group);
                inside += (g - g * g / n) / count;
                outside += (g / n) * (g / n) / count;
            }
            let with: Vec<(Subset, f64)> = parts.iter().map(|(t, w)| (t | 1 << dim, w * inside)).collect();
            for weight in parts.values_mut() {
                *weight *= outside;
            }
            parts.extend(with.into_iter().filter(|(_, weight)| *weight > 0.0));
            if parts.len() > TERMS_MAX {
                return Err(Unallocated::TooMuchWork);
            }
        }
        for (component, weight) in parts {
            *weights.entry(component).or_insert(0.0) += weight;
        }
        Ok(())
    }
}

/// What the shares of a budget are worth.
pub(super) struct Objective {
    /// `W_t`, all above zero.
    weights: Vec<f64>,
    /// For each candidate the components it holds and `c_S(t)`.
    terms: Vec<Vec<(usize, f64)>>,
}

impl Objective {
    /// Over candidates given as their dimensions and the variance of a cell that a whole budget would leave.
    pub(super) fn new(
        sizes: &[usize],
        candidates: &[(Vec<usize>, f64)],
        targets: &[Target],
    ) -> Result<Self, Unallocated> {
        let mut by_component = BTreeMap::new();
        for target in targets.iter().filter(|target| target.weight > 0.0) {
            target.weigh(sizes, &mut by_component)?;
        }
        by_component.retain(|_, weight| *weight > 0.0);
        let position: BTreeMap<Subset, usize> = by_component.keys().enumerate().map(|(i, &t)| (t, i)).collect();
        let tables: Vec<(Subset, f64)> = candidates.iter().map(|(dims, variance)| (subset(dims), *variance)).collect();
        // the subsets of a table or the components that matter, whichever are fewer
        let few = |table: Subset| 1_usize << table.count_ones() <= position.len();
        let looked_at = |table: Subset| if few(table) { 1 << table.count_ones() } else { position.len() };
        if tables.iter().map(|(table, _)| looked_at(*table)).sum::<usize>() > TERMS_MAX {
            return Err(Unallocated::TooMuchWork);
        }
        let held = |&(table, variance): &(Subset, f64)| -> Vec<(usize, f64)> {
            let precision = |component: Subset| 1.0 / (variance * cells(sizes, table & !component));
            if few(table) {
                subsets(table).filter_map(|t| Some((*position.get(&t)?, precision(t)))).collect()
            } else {
                position.iter().filter(|(t, _)| *t & !table == 0).map(|(&t, &at)| (at, precision(t))).collect()
            }
        };
        let terms = tables.iter().map(held).collect();
        Ok(Self { weights: by_component.into_values().collect(), terms })
    }

    fn precisions(&self, shares: &[f64]) -> Vec<f64> {
        let mut precisions = vec![0.0; self.weights.len()];
        for (terms, share) in self.terms.iter().zip(shares) {
            for &(at, held) in terms {
                precisions[at] += share * held;
            }
        }
        precisions
    }
}

/// What a search needs to know of a problem: shares in the order of candidates.
pub(super) trait Criterion {
    /// Pairs of candidate and component, and whatever else one evaluation takes.
    fn work(&self) -> usize;

    /// Whether candidates with a share hold everything that matters.
    fn covered(&self, shares: &[f64]) -> bool;

    /// `V`, and `-dV/da_S` for every candidate.
    fn evaluate(&self, shares: &[f64]) -> (f64, Vec<f64>);

    /// Takes the shares of these candidates away, in this order, as long as everything stays covered.
    fn drop_spare(&self, shares: &mut [f64], order: &[usize]);
}

impl Criterion for Objective {
    fn work(&self) -> usize {
        self.terms.iter().map(Vec::len).sum::<usize>().max(1)
    }

    fn covered(&self, shares: &[f64]) -> bool {
        self.precisions(shares).iter().all(|&precision| precision > 0.0)
    }

    /// The slope is `sum_t W_t c_S(t) / P_t^2`.
    fn evaluate(&self, shares: &[f64]) -> (f64, Vec<f64>) {
        let precisions = self.precisions(shares);
        let value = self.weights.iter().zip(&precisions).map(|(weight, precision)| weight / precision).sum();
        let slopes: Vec<f64> =
            self.weights.iter().zip(&precisions).map(|(weight, precision)| weight / (precision * precision)).collect();
        (value, self.terms.iter().map(|terms| terms.iter().map(|&(at, held)| held * slopes[at]).sum()).collect())
    }

    fn drop_spare(&self, shares: &mut [f64], order: &[usize]) {
        let holds: Vec<Vec<usize>> = self.terms.iter().map(|terms| terms.iter().map(|(at, _)| *at).collect()).collect();
        drop_spare(&holds, self.weights.len(), shares, order);
    }
}

/// Takes shares away as long as each of `components` keeps a candidate that holds it.
pub(super) fn drop_spare(holds: &[Vec<usize>], components: usize, shares: &mut [f64], order: &[usize]) {
    let mut holders = vec![0_usize; components];
    for (held, _) in holds.iter().zip(shares.iter()).filter(|(_, share)| **share > 0.0) {
        for &at in held {
            holders[at] += 1;
        }
    }
    for &candidate in order {
        if shares[candidate] > 0.0 && holds[candidate].iter().all(|&at| holders[at] > 1) {
            for &at in &holds[candidate] {
                holders[at] -= 1;
            }
            shares[candidate] = 0.0;
        }
    }
}
